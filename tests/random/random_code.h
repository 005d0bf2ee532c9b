// Of programs of random instructions: the generator's options, random numbers and values, the code that is being made, where things are in the program, and
// its file. One program for each process, so that all of this is global.
#pragma once
#include "translator/guest/riscv64/insn_table.h"
#include <stdio.h>

enum {
    TEXT_BASE = 0x100000,
    DATA_BASE = 0x40000000,  // records, memory area, indices, illegal instructions
    PAGE = 0x1000,
    FLOATS = 32,  // word of a record where f0 is
    FCSR = 64,  // then the control word,
    TURNS = 65,  // how often to go on, and
    SHORT_RECORD = 68,  // some room
    VECTORS = 68,  // with --vectors: v0, then
    VL = VECTORS + 64,
    VTYPE,
    VCSR,
    VSTART,
    ILLEGAL,  // instructions that were skipped, and
    LONG_RECORD = 140,  // some room; in cases
    MEMORY = LONG_RECORD,  // of the test
    MEMORY_WORDS = 32,
    CASE_RECORD = MEMORY + MEMORY_WORDS,
    AREA_SIZE = 16384,
    INDEX_ROOM = 1024,  // bytes of small indices, for each width of them
    LOOPS = 2,
    FUNCTIONS = 3,
};

// Memory that is not written out: where the record under way is, the handler's stack, and an end that no page comes behind.
enum { SPARE_BASE = 0x50000000, SPARE_SIZE = 0x10000, SPARE_STACK = PAGE, SPARE_STACK_SIZE = 0x8000 };

enum { SCRATCH_PAGE = 0x20000000, SCRATCH = SCRATCH_PAGE + 0x400 };  // of cases, as test_insn.c has it

extern struct random_options {
    uint64_t seed;
    unsigned snippets, from, to, turns;
    bool loops, handler, vectors, cases;
    guest_features features;
    const char *output;
    FILE *listing;
} options;

// Of the snippet under way.
extern struct random_snippet {
    unsigned base;  // points to its record
    unsigned counter[LOOPS], link, depth, stack;  // of loops, calls, how often to recurse
    uint32_t kept;  // all of these by bit, which no random instruction changes
    size_t function[FUNCTIONS];  // where they are: each may call those before it, and the last one itself
    size_t by_table;  // what goes to one of them that a table has
    unsigned sew;  // as last set, jumps aside
    int lmul;
    bool fours;  // vl is a multiple of 4
} snippet;

extern uint8_t *code;
extern size_t code_size;

uint64_t next_random(void);
unsigned below(unsigned limit);
void seed_random(uint64_t number);

// Values that matter.
uint64_t integer_value(void);
uint64_t float_value(unsigned exponent, unsigned fraction);
uint64_t register_value(bool is_float);

void emit(uint32_t word, unsigned length);
uint32_t r_type(uint32_t opcode, unsigned funct3, unsigned funct7, unsigned rd, unsigned rs1, unsigned rs2);
uint32_t i_type(uint32_t opcode, unsigned funct3, unsigned rd, unsigned rs1, int32_t imm);
uint32_t s_type(uint32_t opcode, unsigned funct3, unsigned rs2, unsigned rs1, uint32_t imm);
void emit_addi(unsigned rd, unsigned rs1, int32_t imm);
void emit_load(uint32_t opcode, unsigned rd, unsigned base, unsigned word);
void emit_store(uint32_t opcode, unsigned rs2, unsigned base, unsigned word);
// rt_sigaction(2), whose struct sigaction is made `at` an address.
void emit_sigaction(unsigned signal, uint32_t handler, uint32_t flags, uint32_t at);
void emit_constant(unsigned rd, uint32_t value);
void emit_csr_immediate(unsigned csr, unsigned value);
void emit_jal(unsigned rd, size_t target);
void emit_end(uint32_t size);  // writes out so much data
uint32_t with_immediate(const struct insn_row *row, uint32_t word, int32_t value);
void list(unsigned number, size_t from);

bool has_field(const struct insn_row *row, enum insn_field_kind kind);
bool is_memory(const struct insn_row *row);
bool is_kept(unsigned reg);
unsigned free_register(void);

unsigned record_words(void);
uint32_t area(void);
uint32_t index_table(void);
uint32_t illegal_map(void);  // a byte for each halfword of the program

int write_program(const uint64_t *data, size_t data_size);  // 0, or less with errno
