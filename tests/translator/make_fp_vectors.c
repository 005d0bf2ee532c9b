// Makes fp_vectors.txt: a riscv64 program that executes floating-point instructions on operands of fp_operands.h and prints what the processor
// under it made of them, one line each:
//     UOP MODE OPERAND… = RESULT FLAGS        (hexadecimal slots; MODE is the rounding mode in frm)
// Zfa needs an emulator of 2024 or later; the other lines come out alike on all. To make the file anew:
//     riscv64-linux-gnu-gcc -O1 -static -I. tests/translator/make_fp_vectors.c -o make_fp_vectors
//     qemu-riscv64 -cpu max ./make_fp_vectors 6 > tests/translator/fp_vectors.txt
// A greater first argument (lines for each operation and mode) and a second one (seed) make more; test_fp FILE checks such a file.
#include "tests/translator/fp_operands.h"
#include <stdio.h>
#include <stdlib.h>

struct io {
    uint64_t result, operand[3], flags, mode;
};

struct row {
    const char *name, *operands;
    int modes;  // 5 where the rounding mode matters, else 1
    int to_integer;  // operands around integers are worth testing
    void (*run)(struct io *io);
};

// fa1-fa3 and a1 are the operands; the result is in fa0 or a0.
#define EXECUTE(name, store, text)                                                                              \
    static void run_##name(struct io *io) {                                                                     \
        __asm__ volatile("ld t0, 40(%0)\n\tfsrm t0\n\tld a1, 8(%0)\n\tfld fa1, 8(%0)\n\tfld fa2, 16(%0)\n\t"    \
                         "fld fa3, 24(%0)\n\tfsflags zero\n\t" text "\n\tfrflags t0\n\tsd t0, 32(%0)\n\t" store \
                         ", 0(%0)\n\tfsrmi 0\n\tfsflags zero" ::"r"(io)                                         \
                         : "t0", "a0", "a1", "fa0", "fa1", "fa2", "fa3", "memory");                             \
    }

#define F_RESULT(X)                                              \
    X(fadd_s, "ss", 5, "fadd.s fa0, fa1, fa2")                   \
    X(fsub_s, "ss", 5, "fsub.s fa0, fa1, fa2")                   \
    X(fmul_s, "ss", 5, "fmul.s fa0, fa1, fa2")                   \
    X(fdiv_s, "ss", 5, "fdiv.s fa0, fa1, fa2")                   \
    X(fsqrt_s, "s", 5, "fsqrt.s fa0, fa1")                       \
    X(fmadd_s, "sss", 5, "fmadd.s fa0, fa1, fa2, fa3")           \
    X(fmsub_s, "sss", 5, "fmsub.s fa0, fa1, fa2, fa3")           \
    X(fnmsub_s, "sss", 5, "fnmsub.s fa0, fa1, fa2, fa3")         \
    X(fnmadd_s, "sss", 5, "fnmadd.s fa0, fa1, fa2, fa3")         \
    X(fadd_d, "dd", 5, "fadd.d fa0, fa1, fa2")                   \
    X(fsub_d, "dd", 5, "fsub.d fa0, fa1, fa2")                   \
    X(fmul_d, "dd", 5, "fmul.d fa0, fa1, fa2")                   \
    X(fdiv_d, "dd", 5, "fdiv.d fa0, fa1, fa2")                   \
    X(fsqrt_d, "d", 5, "fsqrt.d fa0, fa1")                       \
    X(fmadd_d, "ddd", 5, "fmadd.d fa0, fa1, fa2, fa3")           \
    X(fmsub_d, "ddd", 5, "fmsub.d fa0, fa1, fa2, fa3")           \
    X(fnmsub_d, "ddd", 5, "fnmsub.d fa0, fa1, fa2, fa3")         \
    X(fnmadd_d, "ddd", 5, "fnmadd.d fa0, fa1, fa2, fa3")         \
    X(fmin_s, "ss", 1, "fmin.s fa0, fa1, fa2")                   \
    X(fmax_s, "ss", 1, "fmax.s fa0, fa1, fa2")                   \
    X(fmin_d, "dd", 1, "fmin.d fa0, fa1, fa2")                   \
    X(fmax_d, "dd", 1, "fmax.d fa0, fa1, fa2")                   \
    X(fminm_s, "ss", 1, ".insn r 0x53, 2, 0x14, fa0, fa1, fa2")  \
    X(fmaxm_s, "ss", 1, ".insn r 0x53, 3, 0x14, fa0, fa1, fa2")  \
    X(fminm_d, "dd", 1, ".insn r 0x53, 2, 0x15, fa0, fa1, fa2")  \
    X(fmaxm_d, "dd", 1, ".insn r 0x53, 3, 0x15, fa0, fa1, fa2")  \
    X(fsgnj_s, "ss", 1, "fsgnj.s fa0, fa1, fa2")                 \
    X(fsgnjn_s, "ss", 1, "fsgnjn.s fa0, fa1, fa2")               \
    X(fsgnjx_s, "ss", 1, "fsgnjx.s fa0, fa1, fa2")               \
    X(fsgnj_d, "dd", 1, "fsgnj.d fa0, fa1, fa2")                 \
    X(fsgnjn_d, "dd", 1, "fsgnjn.d fa0, fa1, fa2")               \
    X(fsgnjx_d, "dd", 1, "fsgnjx.d fa0, fa1, fa2")               \
    X(fcvt_s_w, "w", 5, "fcvt.s.w fa0, a1")                      \
    X(fcvt_s_wu, "w", 5, "fcvt.s.wu fa0, a1")                    \
    X(fcvt_s_l, "l", 5, "fcvt.s.l fa0, a1")                      \
    X(fcvt_s_lu, "l", 5, "fcvt.s.lu fa0, a1")                    \
    X(fcvt_d_w, "w", 1, "fcvt.d.w fa0, a1")                      \
    X(fcvt_d_wu, "w", 1, "fcvt.d.wu fa0, a1")                    \
    X(fcvt_d_l, "l", 5, "fcvt.d.l fa0, a1")                      \
    X(fcvt_d_lu, "l", 5, "fcvt.d.lu fa0, a1")                    \
    X(fcvt_s_d, "d", 5, "fcvt.s.d fa0, fa1")                     \
    X(fcvt_d_s, "s", 1, "fcvt.d.s fa0, fa1")                     \
    X(fcvt_h_s, "s", 5, ".insn r 0x53, 7, 0x22, fa0, fa1, f0")   \
    X(fcvt_h_d, "d", 5, ".insn r 0x53, 7, 0x22, fa0, fa1, f1")   \
    X(fcvt_s_h, "h", 1, ".insn r 0x53, 0, 0x20, fa0, fa1, f2")   \
    X(fcvt_d_h, "h", 1, ".insn r 0x53, 0, 0x21, fa0, fa1, f2")   \
    X(fround_s, "s", 5, ".insn r 0x53, 7, 0x20, fa0, fa1, f4")   \
    X(froundnx_s, "s", 5, ".insn r 0x53, 7, 0x20, fa0, fa1, f5") \
    X(fround_d, "d", 5, ".insn r 0x53, 7, 0x21, fa0, fa1, f4")   \
    X(froundnx_d, "d", 5, ".insn r 0x53, 7, 0x21, fa0, fa1, f5")

#define X_RESULT(X)                                           \
    X(feq_s, "ss", 1, "feq.s a0, fa1, fa2")                   \
    X(flt_s, "ss", 1, "flt.s a0, fa1, fa2")                   \
    X(fle_s, "ss", 1, "fle.s a0, fa1, fa2")                   \
    X(feq_d, "dd", 1, "feq.d a0, fa1, fa2")                   \
    X(flt_d, "dd", 1, "flt.d a0, fa1, fa2")                   \
    X(fle_d, "dd", 1, "fle.d a0, fa1, fa2")                   \
    X(fltq_s, "ss", 1, ".insn r 0x53, 5, 0x50, a0, fa1, fa2") \
    X(fleq_s, "ss", 1, ".insn r 0x53, 4, 0x50, a0, fa1, fa2") \
    X(fltq_d, "dd", 1, ".insn r 0x53, 5, 0x51, a0, fa1, fa2") \
    X(fleq_d, "dd", 1, ".insn r 0x53, 4, 0x51, a0, fa1, fa2") \
    X(fclass_s, "s", 1, "fclass.s a0, fa1")                   \
    X(fclass_d, "d", 1, "fclass.d a0, fa1")                   \
    X(fcvt_w_s, "s", 5, "fcvt.w.s a0, fa1")                   \
    X(fcvt_wu_s, "s", 5, "fcvt.wu.s a0, fa1")                 \
    X(fcvt_l_s, "s", 5, "fcvt.l.s a0, fa1")                   \
    X(fcvt_lu_s, "s", 5, "fcvt.lu.s a0, fa1")                 \
    X(fcvt_w_d, "d", 5, "fcvt.w.d a0, fa1")                   \
    X(fcvt_wu_d, "d", 5, "fcvt.wu.d a0, fa1")                 \
    X(fcvt_l_d, "d", 5, "fcvt.l.d a0, fa1")                   \
    X(fcvt_lu_d, "d", 5, "fcvt.lu.d a0, fa1")                 \
    X(fcvtmod_w_d, "d", 1, ".insn r 0x53, 1, 0x61, a0, fa1, f8")

#define EXECUTE_F(name, operands, modes, text) EXECUTE(name, "fsd fa0", text)
#define EXECUTE_X(name, operands, modes, text) EXECUTE(name, "sd a0", text)
F_RESULT(EXECUTE_F)
X_RESULT(EXECUTE_X)

#define ROW_F(name, operands, modes, text) {#name, operands, modes, strstr(#name, "fround") != NULL, run_##name},
#define ROW_X(name, operands, modes, text) {#name, operands, modes, strstr(#name, "fcvt") != NULL, run_##name},

static void print_line(const struct row *row, int mode) {
    struct io io = {.mode = (uint64_t)mode};
    operand_choose(row->operands, row->to_integer, io.operand);
    row->run(&io);
    printf("%s %d", row->name, mode);
    for (size_t i = 0; i < strlen(row->operands); i++) printf(" %llx", (unsigned long long)io.operand[i]);
    printf(" = %llx %llx\n", (unsigned long long)io.result, (unsigned long long)io.flags);
}

int main(int argc, char **argv) {
    const struct row rows[] = {F_RESULT(ROW_F) X_RESULT(ROW_X)};
    int lines = argc > 1 ? atoi(argv[1]) : 6;
    if (argc > 2) operand_state ^= strtoull(argv[2], NULL, 0) << 8;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int mode = 0; mode < rows[i].modes; mode++) {
            for (int k = 0; k < (rows[i].modes == 1 ? 4 : 1) * lines; k++) print_line(&rows[i], mode);
        }
    }
    return 0;
}
