// From guest bytes to threaded code: decoding with lifting, and lowering, per guest instruction.
#include "benchmarks/micro/micro.h"
#include "runtime/base/arena.h"
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

void micro_translate_register(void) {
    bench_register("translate/lift", bench_lift, NULL);
    bench_register("translate/lower", bench_lower, NULL);
    bench_register("translate/fuse", bench_fuse, NULL);
}
