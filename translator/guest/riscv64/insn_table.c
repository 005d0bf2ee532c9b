// The table behind insn_table.h. Its rows are made by make_decoder.c when Ferry is built.
#include "translator/guest/riscv64/insn_table.h"

const struct insn_row riscv64_insn_table[INSN_COUNT] = {
#include "riscv64_insn_table.inc"
};
