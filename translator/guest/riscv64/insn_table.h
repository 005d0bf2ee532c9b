// insns.def as data, made by make_decoder.c: for the disassembler, and for tests that walk all instructions or make random ones.
#pragma once
#include "translator/guest/riscv64/decode.h"

enum insn_field_kind {
    FIELD_RD,
    FIELD_RS1,
    FIELD_RS2,
    FIELD_RS3,
    FIELD_RM,
    FIELD_AQ,
    FIELD_RL,
    FIELD_CSR,
    FIELD_VM,
    FIELD_IMM,
    FIELD_ANY,
};

struct insn_field {
    uint8_t kind, position, width;  // bits of the encoding; a register and immediate in pieces has several
};

struct insn_row {
    const char *name;      // as the manual writes it
    const char *assembly;  // the asm column
    uint32_t mask, match;  // fixed bits
    uint8_t length;        // bytes
    uint8_t fields;
    guest_features needs;
    struct insn_field field[8];
};

// By enum insn_op; the first, INSN_ILLEGAL, is empty.
extern const struct insn_row riscv64_insn_table[INSN_COUNT];
