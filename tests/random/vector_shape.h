// Which vector registers an instruction takes, so that random ones are mostly legal: a second opinion, by the instruction's name, beside what the
// instructions' bodies check. What it gets wrong is an illegal instruction too many, or one too few that is tried.
#pragma once
#include "translator/guest/riscv64/insn_table.h"

enum { VECTOR_NF = 8, VECTOR_BIT = -3 };

struct vector_group {
    uint8_t align, count;  // registers; it begins at a multiple of `align`
    int8_t eew;  // log2 of an element's bytes, VECTOR_BIT for masks
};

struct vector_shape {
    struct vector_group vd, vs1, vs2;
    uint8_t multiple;  // what vl has to be a multiple of
    bool apart;  // vd overlaps no source
};

// False where nothing is legal for elements of 1 << sew bytes in groups of 2 to the power of lmul registers.
bool vector_shape(const struct insn_row *row, unsigned sew, int lmul, struct vector_shape *shape);

bool vector_is_type(unsigned sew, int lmul);  // a setting that vtype may have
unsigned vector_fields(const struct insn_row *row);  // of a segment load or store, 1 elsewhere
unsigned vector_memory_eew(const struct insn_row *row);  // of a load or store
unsigned vector_whole(const struct insn_row *row);  // registers of a whole register load or store, 0 elsewhere
int vector_index_eew(const struct insn_row *row);  // of an indexed load or store, -1 elsewhere
