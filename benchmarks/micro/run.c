// Code of one kind at a time: MICRO_PASSES times around a loop whose body is given, per guest instruction of the body (the
// loop's own two instructions count as part of it).
#include "benchmarks/micro/micro.h"
#include "runtime/base/arena.h"
#include "runtime/code.h"
#include "translator/guest/guest.h"
#include "translator/interp/interp.h"
#include <string.h>

struct kernel {
    const char *name;
    unsigned times;  // the body is repeated so often
    uint32_t body[8];
};

enum { LONGEST = 512 };

static const struct kernel kernels[] = {
    {"alu", 8, {ADDI(A0, A0, 1), ADD(A1, A1, A2), XOR(A3, A3, A4), SLLI(A5, A6, 3)}},
    {"alu_dependent", 8, {ADDI(A0, A0, 1), SLLI(A0, A0, 1), XOR(A0, A0, A1), ADD(A0, A0, A2)}},
    {"multiply", 16, {MUL(A0, A1, A2), MUL(A3, A4, A5)}},
    {"load", 16, {LD(A0, 0, S0), LD(A1, 64, S0)}},
    {"store", 16, {SD(A0, 0, S0), SD(A1, 64, S0)}},
    {"load_to_store", 16, {LD(A0, 0, S0), SD(A0, 8, S0)}},
    {"branch_not_taken", 32, {BNE(X0, X0, 8)}},
    {"branch_taken", 32, {BEQ(X0, X0, 4)}},
    {"jump", 32, {JAL(X0, 4)}},
    {"fadd", 16, {FADD_D(1, 2, 3), FADD_D(4, 5, 6)}},
    {"fmul_dependent", 16, {FMUL_D(1, 1, 2), FMUL_D(1, 1, 2)}},
    {"fmadd", 16, {FMADD_D(1, 2, 3, 4), FMADD_D(5, 6, 7, 8)}},
    {"fdiv", 16, {FDIV_D(1, 2, 3)}},
    {"amoadd", 16, {AMOADD_D(A0, A1, S0)}},
    {"lr_sc", 16, {LR_D(A0, S0), SC_D(A1, A0, S0)}},
};

static size_t length_of(const struct kernel *kernel) {
    size_t length = 0;
    while (length < 8 && kernel->body[length]) length++;
    return length;
}

// Ends the loop that began at the first word: bne s1, x0 back, ebreak.
static void put_loop(uint32_t *code, size_t count) {
    code[count++] = ADDI(S1, S1, -1);
    code[count] = BNE(S1, X0, -4 * (int)count);
    code[count + 1] = EBREAK;
    micro_put(MICRO_CODE, code, count + 2);
}

static void bench_kernel(struct bench *bench, const void *data) {
    const struct kernel *kernel = data;
    struct cpu *cpu = micro_cpu();
    uint32_t code[LONGEST];
    size_t length = length_of(kernel), count = 0;
    for (unsigned i = 0; i < kernel->times; i++, count += length) memcpy(code + count, kernel->body, length * sizeof *code);
    put_loop(code, count);
    for (unsigned i = 0; i < 32; i++) cpu->slot[32 + i] = UINT64_C(0x3ff0000000000000);  // 1.0
    micro_warm_up(cpu);
    while (bench_next(bench)) micro_go(cpu);
    bench_items(bench, (count + 2) * MICRO_PASSES);
}

// Cells as they are before any are fused, one after the other.
static void bench_dispatch(struct bench *bench, const void *data) {
    (void)data;
    enum { CELLS = 60 };
    static struct ir_block ir;
    struct arena arena = {0};
    struct cpu *cpu = micro_cpu();
    uint32_t code[CELLS + 1];
    for (unsigned i = 0; i < CELLS; i++) code[i] = ADDI(A0 + i % 4, A0 + i % 4, 1);
    code[CELLS] = EBREAK;
    guest_riscv64.lift((const uint8_t *)code, sizeof code, 0, guest_riscv64.default_features, CELLS + 1, &ir);
    const struct block *block = interp_block_build(&arena, &ir, MICRO_CODE, 0);
    while (bench_next(bench)) interp_run(cpu, block->code->cell);
    arena_free(&arena);
    bench_items(bench, CELLS + 1);
}

// Code that is new each time: translation and first execution of a loop of 50 instructions, once around.
static void bench_cold(struct bench *bench, const void *data) {
    (void)data;
    struct cpu *cpu = micro_cpu();
    uint32_t code[LONGEST];
    for (unsigned i = 0; i < 50; i++) code[i] = i % 10 == 9 ? BNE(X0, X0, 8) : ADDI(A0 + i % 4, A0, 1);
    code[50] = EBREAK;
    micro_put(MICRO_CODE, code, 51);
    while (bench_next(bench)) {
        code_invalidate(MICRO_CODE, sizeof code);
        micro_go(cpu);
    }
    bench_items(bench, 50);
}

void micro_run_register(void) {
    if (options.tier == TIER_INTERP) micro_register("dispatch", bench_dispatch, NULL);
    for (unsigned i = 0; i < sizeof kernels / sizeof *kernels; i++) micro_register(kernels[i].name, bench_kernel, &kernels[i]);
    micro_register("cold_code", bench_cold, NULL);
}
