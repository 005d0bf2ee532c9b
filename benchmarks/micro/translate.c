// From guest bytes to threaded code and native code: what each step costs per guest instruction.
#include "benchmarks/micro/micro.h"
#include "runtime/base/arena.h"
#include "runtime/native.h"
#include "translator/guest/guest.h"
#include "translator/interp/interp.h"

// As compilers write it: a loop over an array with a call in it.
static const uint32_t sample[] = {
    ADDI(SP, SP, -32), SD(RA, 24, SP),    SD(S0, 16, SP),
    SD(S1, 8, SP),     ADDI(S0, A0, 0),   SLLI(A5, A1, 3),
    ADD(S1, A0, A5),   LD(A5, 0, S0),     LW(A4, 8, S0),
    ADD(A5, A5, A4),   ANDI(A4, A5, 255), BEQ(A4, X0, 16),
    SLLI(A4, A4, 2),   XOR(A5, A5, A4),   SD(A5, 0, S0),
    ADDI(S0, S0, 8),   BNE(S0, S1, -36),  SUB(A0, S1, S0),
    SRLI(A0, A0, 3),   MUL(A0, A0, A5),   FADD_D(1, 1, 2),
    FMUL_D(2, 1, 1),   LD(RA, 24, SP),    LD(S0, 16, SP),
    LD(S1, 8, SP),     ADDI(SP, SP, 32),  RET,
};
enum { SAMPLE = sizeof sample / sizeof *sample };

static void lift(struct ir_block *block) {
    guest_riscv64.lift((const uint8_t *)sample, sizeof sample, 0, guest_riscv64.default_features, SAMPLE, block);
}

static void bench_lift(struct bench *bench, const void *data) {
    (void)data;
    static struct ir_block block;
    while (bench_next(bench)) lift(&block);
    if (block.instructions != SAMPLE) bench_fail(bench, "the sample was not lifted as a whole");
    bench_items(bench, SAMPLE);
}

static void bench_lower(struct bench *bench, const void *data) {
    (void)data;
    static struct ir_block block;
    struct arena arena = {0};
    lift(&block);
    while (bench_next(bench)) {
        interp_block_build(&arena, &block, MICRO_CODE, 0);
        if (arena.used > 64 << 20) arena_free(&arena);
    }
    arena_free(&arena);
    bench_items(bench, SAMPLE);
}

static void bench_fuse(struct bench *bench, const void *data) {
    (void)data;
    static struct ir_block block;
    struct arena arena = {0}, fused = {0};
    lift(&block);
    struct block *lowered = interp_block_build(&arena, &block, MICRO_CODE, 0);
    while (bench_next(bench)) {
        struct threaded *code = lowered->code;
        interp_block_fuse(&fused, &fused, lowered);
        lowered->code = code;
        if (fused.used > 64 << 20) arena_free(&fused);
    }
    arena_free(&fused);
    arena_free(&arena);
    bench_items(bench, SAMPLE);
}

static struct block *lowered_sample(struct arena *arena) {
    static struct ir_block block;
    lift(&block);
    return interp_block_build(arena, &block, MICRO_CODE, 0);
}

static bool begin_native(struct bench *bench) {
    static bool begun, works;
    if (!begun) works = native_init(guest_riscv64.pins);
    begun = true;
    if (!works) bench_fail(bench, "there is no native code on this host");
    return works;
}

// The emitter alone.
static void bench_emit(struct bench *bench, const void *data) {
    (void)data;
    enum { CODE_BYTES = 1 << 16 };
    uint8_t *code = pages_take(CODE_BYTES);  // which is where native code reaches the rest from
    struct arena arena = {0}, units = {0};
    struct block *block = lowered_sample(&arena);
    bool made = begin_native(bench);
    while (bench_next(bench)) {
        made &= quick_emit(&units, &block, 1, code, CODE_BYTES, (uintptr_t)code, NULL) != NULL;
        if (units.used > 64 << 20) arena_free(&units);
    }
    if (!made) bench_fail(bench, "the sample was not compiled");
    pages_give(code, CODE_BYTES);
    arena_free(&units);
    arena_free(&arena);
    bench_items(bench, SAMPLE);
}

// With what makes a unit of it: memory that is writable, then executable, and the block's change to it.
static void bench_native(struct bench *bench, const void *data) {
    (void)data;
    struct arena arena = {0}, units = {0};
    struct native native = {0};
    struct block *block = lowered_sample(&arena);
    bool made = begin_native(bench), full;
    while (bench_next(bench)) {
        made &= native_make(&native, &units, &block, 1, true, &full) || full;
        if (block->unit) quick_remove(block->unit);
        if (!full) continue;
        native_free(&native);
        arena_free(&units);
    }
    if (!made) bench_fail(bench, "the sample was not compiled");
    native_free(&native);
    arena_free(&units);
    arena_free(&arena);
    bench_items(bench, SAMPLE);
}

void micro_translate_register(void) {
    bench_register("translate/lift", bench_lift, NULL);
    bench_register("translate/lower", bench_lower, NULL);
    bench_register("translate/fuse", bench_fuse, NULL);
    bench_register("translate/quick_emit", bench_emit, NULL);
    bench_register("translate/quick", bench_native, NULL);
}
