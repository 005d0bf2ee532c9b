// The interpreter on code of one kind at a time: MICRO_PASSES times around a loop whose body is given, per guest instruction of the body (the
// loop's own two instructions count as part of it).
#include "benchmarks/micro/micro.h"
#include <string.h>

struct kernel {
    const char *name;
    unsigned times;  // the body is repeated so often
    uint32_t body[8];
};

enum { LONGEST = 512 };

static const struct kernel kernels[] = {
    {"run/alu", 8, {ADDI(A0, A0, 1), ADD(A1, A1, A2), XOR(A3, A3, A4), SLLI(A5, A6, 3)}},
    {"run/alu_dependent", 8, {ADDI(A0, A0, 1), SLLI(A0, A0, 1), XOR(A0, A0, A1), ADD(A0, A0, A2)}},
    {"run/multiply", 16, {MUL(A0, A1, A2), MUL(A3, A4, A5)}},
    {"run/load", 16, {LD(A0, 0, S0), LD(A1, 64, S0)}},
    {"run/store", 16, {SD(A0, 0, S0), SD(A1, 64, S0)}},
    {"run/load_to_store", 16, {LD(A0, 0, S0), SD(A0, 8, S0)}},
    {"run/branch_not_taken", 32, {BNE(X0, X0, 8)}},
    {"run/branch_taken", 32, {BEQ(X0, X0, 4)}},
    {"run/jump", 32, {JAL(X0, 4)}},
    {"run/fadd", 16, {FADD_D(1, 2, 3), FADD_D(4, 5, 6)}},
    {"run/fmul_dependent", 16, {FMUL_D(1, 1, 2), FMUL_D(1, 1, 2)}},
    {"run/fmadd", 16, {FMADD_D(1, 2, 3, 4), FMADD_D(5, 6, 7, 8)}},
    {"run/fdiv", 16, {FDIV_D(1, 2, 3)}},
    {"run/amoadd", 16, {AMOADD_D(A0, A1, S0)}},
    {"run/lr_sc", 16, {LR_D(A0, S0), SC_D(A1, A0, S0)}},
    {"run/call_return", 16, {JAL(RA, LONGEST * 4)}},  // lands on a RET behind the loop
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
    uint32_t returns[LONGEST];
    for (unsigned i = 0; i < LONGEST; i++) returns[i] = RET;
    micro_put(MICRO_CODE + LONGEST * 4, returns, LONGEST);
    for (unsigned i = 0; i < 32; i++) cpu->slot[32 + i] = UINT64_C(0x3ff0000000000000);  // 1.0
    while (bench_next(bench)) micro_go(cpu);
    bool calls = kernel->body[0] == JAL(RA, LONGEST * 4);
    bench_items(bench, (count * (calls ? 2 : 1) + 2) * MICRO_PASSES);
}

// Calls through a table, in an order that does not repeat soon: 16 targets 8 bytes apart, each of which adds something and returns.
static void bench_indirect(struct bench *bench, const void *data) {
    (void)data;
    struct cpu *cpu = micro_cpu();
    uint32_t code[LONGEST] = {
        MUL(A0, A0, A1), ADDI(A0, A0, 12 | 1), SRLI(A2, A0, 57), ANDI(A2, A2, 15 << 3), ADD(A2, A2, A3), JALR(RA, A2, 0),
    };
    put_loop(code, 6);
    uint32_t targets[32];
    for (unsigned i = 0; i < 32; i += 2) targets[i] = ADDI(A4, A4, i), targets[i + 1] = RET;
    micro_put(MICRO_CODE + 0x1000, targets, 32);
    cpu->slot[A0] = 1;
    cpu->slot[A1] = UINT64_C(6364136223846793005);
    cpu->slot[A3] = MICRO_CODE + 0x1000;
    while (bench_next(bench)) micro_go(cpu);
    bench_items(bench, 10 * MICRO_PASSES);
}

// Code that is new each time: translation and first execution of a loop of 50 instructions, once around.
static void bench_cold(struct bench *bench, const void *data) {
    (void)data;
    struct cpu *cpu = micro_cpu();
    uint32_t code[LONGEST];
    for (unsigned i = 0; i < 50; i++) code[i] = i % 10 == 9 ? BNE(X0, X0, 8) : ADDI(A0 + i % 4, A0, 1);
    code[50] = EBREAK;
    while (bench_next(bench)) {
        micro_put(MICRO_CODE, code, 51);
        micro_go(cpu);
    }
    bench_items(bench, 50);
}

void micro_run_register(void) {
    for (unsigned i = 0; i < sizeof kernels / sizeof *kernels; i++) bench_register(kernels[i].name, bench_kernel, &kernels[i]);
    bench_register("run/indirect_call", bench_indirect, NULL);
    bench_register("run/cold_code", bench_cold, NULL);
}
