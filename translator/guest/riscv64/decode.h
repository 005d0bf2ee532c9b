// Decodes one riscv64 instruction into its operands. Compressed instructions come out with the operands of their expansion
// (c.lwsp has rs1 = 2), so that one lift function serves both.
#pragma once
#include "translator/guest/riscv64/features.h"

enum insn_op {
    INSN_ILLEGAL,
#define INSN(name, needs, bits, assembly, lift) INSN_##name,
#include "translator/guest/riscv64/insns.def"
#undef INSN
    INSN_COUNT,
    INSN_VECTOR_FIRST = INSN_vsetvli,  // first row of vector.def; its rows are the last
};

struct insn {
    uint16_t op;                 // enum insn_op
    uint8_t length;              // bytes: 2 or 4, of reserved longer encodings 4
    uint8_t rd, rs1, rs2, rs3;   // register numbers, of integer and floating-point registers alike 0-31
    uint8_t rm, aq, rl;
    uint16_t csr;
    int32_t imm;
    uint32_t bits;               // the encoding
};

// Decodes the instruction at `bytes`. Returns its length, or 0 when `size` bytes do not hold it; what is not an instruction
// under `features` has op INSN_ILLEGAL.
unsigned riscv64_decode(const uint8_t *bytes, size_t size, guest_features features, struct insn *insn);
// The same for an encoding that is there as a number, a compressed one in the low half.
void riscv64_decode_word(uint32_t word, guest_features features, struct insn *insn);
