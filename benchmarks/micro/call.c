// Ways from one block to another: MICRO_PASSES times around a loop, per way gone (with what the loop needs around it).
#include "benchmarks/micro/micro.h"
#include "runtime/code.h"
#include "translator/quick/quick.h"
#include <string.h>

enum {
    WAYS = 16,  // of each kind in the loop
    TARGETS = MICRO_CODE + 0x1000,
    CACHE_BYTES = 2 * CPU_NATIVE_JUMPS,  // places so far apart have one entry in the jump cache
    HEAT = 40,
};

// The loop's end: bne s1, x0 to MICRO_CODE, ebreak.
static void put_loop(uint32_t *code, size_t count) {
    code[count++] = ADDI(S1, S1, -1);
    code[count] = BNE(S1, X0, -4 * (int)count);
    code[count + 1] = EBREAK;
    micro_put(MICRO_CODE, code, count + 2);
}

// ---- direct ways

static bool is_alone(struct cpu *cpu, uint64_t pc) {
    cpu->pc = pc;
    const struct quick_unit *unit = threaded_of(code_resolve(cpu))->about->block->unit;
    return unit && unit->blocks == 1;
}

// From block to block, each of which has native code of its own: they turned hot one after the other, the last one first.
static void bench_chain(struct bench *bench, const void *data) {
    (void)data;
    struct cpu *cpu = micro_cpu();
    uint32_t code[2 * WAYS + 3];
    for (unsigned i = 0; i < WAYS; i++) code[2 * i] = ADDI(A0, A0, 1), code[2 * i + 1] = JAL(X0, 4);
    put_loop(code, 2 * WAYS);
    bool alone = true;
    for (unsigned i = WAYS + 1; i-- > 0;) {
        for (unsigned n = 0; n < HEAT; n++) micro_go_from(cpu, MICRO_CODE + 8 * i, 1);
        alone &= is_alone(cpu, MICRO_CODE + 8 * i);
    }
    if (options.tier == TIER_QUICK && !alone) bench_fail(bench, "blocks share native code");
    micro_warm_up(cpu);
    while (bench_next(bench)) micro_go(cpu);
    bench_items(bench, WAYS * MICRO_PASSES);
}

// Calls of functions that do nothing: each one its own, so that a return always goes to the same place, or all the same one.
static void bench_return(struct bench *bench, const void *data) {
    bool shared = *(const bool *)data;
    struct cpu *cpu = micro_cpu();
    uint32_t code[WAYS + 3], returns[WAYS];
    for (unsigned i = 0; i < WAYS; i++) {
        code[i] = JAL(RA, TARGETS - MICRO_CODE - (shared ? 4 * (int)i : 0));
        returns[i] = RET;
    }
    micro_put(TARGETS, returns, WAYS);
    put_loop(code, WAYS);
    micro_warm_up(cpu);
    while (bench_next(bench)) micro_go(cpu);
    bench_items(bench, WAYS * MICRO_PASSES);
}

// ---- indirect ways

// Targets are two instructions each.
static void put_target(uint64_t at) {
    micro_put(at, (uint32_t[]){ADDI(A4, A4, 1), RET}, 2);
}

// Calls of one of 16 functions 8 bytes apart, in an order that does not repeat soon, or of the first one always: `data` masks its number.
static void bench_indirect(struct bench *bench, const void *data) {
    struct cpu *cpu = micro_cpu();
    uint32_t code[9] = {
        MUL(A0, A0, A1), ADDI(A0, A0, 13), SRLI(A2, A0, 57), ANDI(A2, A2, *(const int *)data * 8), ADD(A2, A2, A3), JALR(RA, A2, 0),
    };
    put_loop(code, 6);
    for (unsigned i = 0; i < WAYS; i++) put_target(TARGETS + 8 * i);
    cpu->slot[A0] = 1;
    cpu->slot[A1] = UINT64_C(6364136223846793005);
    cpu->slot[A3] = TARGETS;
    micro_warm_up(cpu);
    while (bench_next(bench)) micro_go(cpu);
    bench_items(bench, MICRO_PASSES);
}

// Calls of two functions in turns that displace each other from the jump cache.
static void bench_missed(struct bench *bench, const void *data) {
    (void)data;
    struct cpu *cpu = micro_cpu();
    uint32_t code[7] = {ANDI(A2, S1, 1), MUL(A2, A2, A1), ADD(A2, A2, A3), JALR(RA, A2, 0)};
    put_loop(code, 4);
    put_target(TARGETS);
    put_target(TARGETS + CACHE_BYTES);
    cpu->slot[A1] = CACHE_BYTES;
    cpu->slot[A3] = TARGETS;
    micro_warm_up(cpu);
    while (bench_next(bench)) micro_go(cpu);
    bench_items(bench, MICRO_PASSES);
}

void micro_call_register(void) {
    static const bool own = false, shared = true;
    static const int one = 0, any = WAYS - 1;
    if (options.tier != TIER_OPT) micro_register("chain", bench_chain, NULL);  // LLVM makes one region of it
    micro_register("return", bench_return, &own);
    micro_register("return_shared", bench_return, &shared);
    micro_register("indirect_predicted", bench_indirect, &one);
    micro_register("indirect_unpredicted", bench_indirect, &any);
    micro_register("indirect_missed", bench_missed, NULL);
}
