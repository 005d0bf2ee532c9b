// Random vector instructions, with the vtype and registers that make them legal mostly, and what a program needs around them.
#pragma once
#include "tests/random/random_code.h"
#include "tests/random/vector_shape.h"

struct vector_choice {
    struct insn insn;
    struct vector_shape shape;
    unsigned sew;
    int lmul;
    bool set;  // vtype has to be set before it
};

// False: try again.
bool pick_vector(struct vector_choice *choice);
bool pick_vector_of(unsigned op, struct vector_choice *choice);
bool has_operand(const struct insn_row *row, char letter);
unsigned random_length(const struct vector_choice *choice);
unsigned vtype_bits(unsigned sew, int lmul);
uint64_t vector_word(unsigned kind);
void emit_vector(const struct vector_choice *choice);
void emit_vector_start(unsigned base, unsigned other);  // loads from the record
void emit_vector_end(unsigned base, unsigned other);  // and stores there
void emit_illegal_handler(void);
void fill_vectors(uint64_t *record);
void fill_indices(uint64_t *table);
void list_names(void);
