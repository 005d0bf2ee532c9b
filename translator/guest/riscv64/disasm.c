// Disassembles by the asm column of insns.def: one small printer per letter. The text is what LLVM prints without aliases
// ("addi a0, zero, 1", not "li a0, 1"), but for targets of branches, which are absolute addresses, and the dynamic rounding
// mode of arithmetic, which is left out.
#include "translator/guest/riscv64/disasm.h"
#include "runtime/base/text.h"
#include "translator/guest/riscv64/csr.h"
#include "translator/guest/riscv64/insn_table.h"
#include "translator/guest/riscv64/lift.h"
#include "translator/ir/fp.h"
#include <string.h>

// ABI names (RISC-V calling convention, "Integer Register Convention", "Floating-point Register Convention").
// clang-format off
static const char *const slot_names[] = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5",
    "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
    "temp0", "temp1", "temp2", "temp3",
};
// clang-format on

const char *riscv64_slot_name(unsigned slot) {
    if (slot < sizeof slot_names / sizeof *slot_names) return slot_names[slot];
    return slot == SLOT_SINK ? "sink" : "?";
}

// clang-format off
static const char *const fli_names[32] = {
    "-1.0", "min", "1.52587890625e-05", "3.0517578125e-05", "0.00390625", "0.0078125", "0.0625", "0.125", "0.25", "0.3125", "0.375",
    "0.4375", "0.5", "0.625", "0.75", "0.875", "1.0", "1.25", "1.5", "1.75", "2.0", "2.5", "3.0", "4.0", "8.0", "16.0", "128.0",
    "256.0", "32768.0", "65536.0", "inf", "nan",
};
// clang-format on

static void add_csr(struct text *out, unsigned csr) {
    static const char *const low[] = {[CSR_FFLAGS] = "fflags", [CSR_FRM] = "frm", [CSR_FCSR] = "fcsr"};
    static const char *const counters[] = {"cycle", "time", "instret"};
    static const char *const vector_low[] = {"vstart", "vxsat", "vxrm"}, *const vector_high[] = {"vl", "vtype", "vlenb"};
    if (csr >= CSR_FFLAGS && csr <= CSR_FCSR) text_add(out, "%s", low[csr]);
    else if (csr >= CSR_CYCLE && csr <= CSR_INSTRET) text_add(out, "%s", counters[csr - CSR_CYCLE]);
    else if (csr >= CSR_VSTART && csr <= CSR_VXRM) text_add(out, "%s", vector_low[csr - CSR_VSTART]);
    else if (csr == CSR_VCSR) text_add(out, "vcsr");
    else if (csr >= CSR_VL && csr <= CSR_VLENB) text_add(out, "%s", vector_high[csr - CSR_VL]);
    else if (csr >= CSR_HPMCOUNTER3 && csr <= CSR_HPMCOUNTER31) text_add(out, "hpmcounter%u", csr - CSR_CYCLE);
    else text_add(out, "%u", csr);
}

// `usual` is the mode that assemblers put in when none is written: it is left out.
static void add_rounding(struct text *out, unsigned rm, unsigned usual) {
    static const char *const names[] = {"rne", "rtz", "rdn", "rup", "rmm", "5", "6", "dyn"};
    if (rm != usual) text_add(out, ", %s", names[rm]);
}

static void add_fence_set(struct text *out, unsigned set) {
    if (!set) text_add(out, "0");
    for (unsigned bit = 0; bit < 4; bit++) {
        if (set & 8 >> bit) text_add(out, "%c", "iorw"[bit]);
    }
}

// Reserved settings are a number (manual, "Vector Type Register, vtype").
static void add_vtype(struct text *out, uint32_t type) {
    static const char *const lmul[] = {"m1", "m2", "m4", "m8", NULL, "mf8", "mf4", "mf2"};
    if (type >> 8 || (type >> 3 & 7) > 3 || !lmul[type & 7]) {
        text_add(out, "%u", type);
        return;
    }
    text_add(out, "e%u, %s, %s, %s", 8 << (type >> 3 & 7), lmul[type & 7], type & 64 ? "ta" : "tu", type & 128 ? "ma" : "mu");
}

static void add_operand(struct text *out, const struct insn *i, char letter, uint64_t pc) {
    switch (letter) {
    case 'd': text_add(out, "%s", slot_names[i->rd]); break;
    case 's': text_add(out, "%s", slot_names[i->rs1]); break;
    case 't': text_add(out, "%s", slot_names[i->rs2]); break;
    case 'D': text_add(out, "%s", slot_names[SLOT_F + i->rd]); break;
    case 'S': text_add(out, "%s", slot_names[SLOT_F + i->rs1]); break;
    case 'T': text_add(out, "%s", slot_names[SLOT_F + i->rs2]); break;
    case 'R': text_add(out, "%s", slot_names[SLOT_F + i->rs3]); break;
    case 'i': text_add(out, "%d", (int)i->imm); break;
    case 'u': text_add(out, "%u", (uint32_t)i->imm >> 12); break;
    case 'b': text_add(out, "0x%llx", (unsigned long long)pc + (unsigned long long)i->imm); break;
    case 'c': add_csr(out, i->csr); break;
    case 'm': add_rounding(out, i->rm, FP_DYN); break;
    case 'n': add_rounding(out, i->rm, FP_RNE); break;
    case 'f': text_add(out, "%s", fli_names[i->rs1]); break;
    case 'V': text_add(out, "v%u", i->rd); break;
    case 'W': text_add(out, "v%u", i->rs1); break;
    case 'X': text_add(out, "v%u", i->rs2); break;
    case 'K': text_add(out, "%s", i->bits >> 25 & 1 ? "" : ", v0.t"); break;
    case 'M': text_add(out, "v0"); break;
    case 'I': text_add(out, "%u", i->rs1); break;
    case 'E': add_vtype(out, (uint32_t)i->imm); break;
    case 'p':
        add_fence_set(out, (unsigned)i->imm >> 4 & 15);
        text_add(out, ", ");
        add_fence_set(out, (unsigned)i->imm & 15);
        break;
    default: text_add(out, "%c", letter);
    }
}

static void add_instruction(struct text *out, const struct insn *i, uint64_t pc) {
    const struct insn_row *row = &riscv64_insn_table[i->op];
    const char *operands = row->assembly;
    if (*operands == '=') {
        size_t length = strcspn(operands, " ");
        text_add(out, "%.*s", (int)length - 1, operands + 1);
        operands += length + (operands[length] == ' ');
    } else {
        text_add(out, "%s%s", row->name, i->aq && i->rl ? ".aqrl" : i->aq ? ".aq" : i->rl ? ".rl" : "");
    }
    if (*operands) text_add(out, " ");
    for (; *operands; operands++) add_operand(out, i, *operands, pc);
}

// Manual, "Expanded Instruction-Length Encoding": 16, 32, 48, 64 and 80 bits and more; what is reserved counts as 32.
static unsigned announced_length(unsigned low) {
    if ((low & 3) != 3) return 2;
    if ((low & 0x1f) != 0x1f) return 4;
    if ((low & 0x3f) == 0x1f) return 6;
    if ((low & 0x7f) == 0x3f) return 8;
    unsigned more = low >> 12 & 7;
    return more == 7 ? 4 : 10 + 2 * more;
}

static void add_data(struct text *out, const uint8_t *bytes, unsigned length) {
    text_add(out, length == 2 ? ".half 0x" : length == 4 ? ".word 0x" : ".insn %u, 0x", length);
    while (length--) text_add(out, "%02x", bytes[length]);
}

unsigned riscv64_disassemble(const uint8_t *bytes, size_t size, uint64_t pc, guest_features features, char *at, size_t text_size) {
    struct text text = {.at = at, .size = text_size};
    struct insn insn;
    if (text_size) *at = 0;
    if (size < 2) return 0;
    unsigned length = announced_length((unsigned)bytes[0] | (unsigned)bytes[1] << 8);
    if (size < length) return 0;
    riscv64_decode(bytes, size, features, &insn);
    if (insn.op == INSN_ILLEGAL) add_data(&text, bytes, length);
    else add_instruction(&text, &insn, pc);
    return length;
}
