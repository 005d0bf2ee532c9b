// Loops of one block, several rounds at a time: copies of the block up to its jump back, between which neither the loop's condition nor what is pending is
// looked at (but where jumps back are counted), and LLVM adds up the steps of pointers.
//
// Such a loop goes on until a slot, to which each round adds the same, is equal to another one, which no round changes. Their distance tells how many rounds are
// to come. The rest, and loops of few rounds, go by the block itself, which follows the copies.
//
// Not with arithmetic of doubles: each copy would have the seldom taken ways that NaNs take, and what these loops wait for are results, not conditions.
#include "translator/llvm/build.h"

enum {
    ROUNDS = 4,  // at a time
    MAX_UOPS = 24,  // before the jump back
};

bool build_is_count(const struct uop *u) {
    return (u->code == UOP_addi || u->code == UOP_addiw) && u->b == u->a;
}

// What each round adds to the slot. False: that is not known, or nothing.
static bool find_step(const struct ir_block *ir, struct steps *steps) {
    for (unsigned i = 0; i < steps->branch; i++) {
        const struct uop *u = &ir->uop[i];
        uint64_t writes = build_writes(u);
        if (writes >> steps->bound & 1 || build_double_operands(u)) return false;
        if (!(writes >> steps->slot & 1)) continue;
        if (!build_is_count(u) || steps->step) return false;
        steps->step = u->imm;
        steps->narrow = u->code == UOP_addiw;
    }
    return steps->step != 0;
}

static bool find_steps(const struct build *b, struct steps *steps) {
    const struct ir_block *ir = b->block->ir;
    unsigned at = 0;
    while (at < ir->count && uop_info[ir->uop[at].code].format != UOP_FORMAT_BRANCH) at++;
    if (at == ir->count || at > MAX_UOPS) return false;
    const struct uop *u = &ir->uop[at];
    bool back = u->code == UOP_bne && !u->imm;
    if (!back || !build_is_lasting(u->b) || !build_is_lasting(u->c)) return false;
    *steps = (struct steps){.branch = at, .slot = u->b, .bound = u->c};
    if (find_step(ir, steps)) return true;
    *steps = (struct steps){.branch = at, .slot = u->c, .bound = u->b};
    return find_step(ir, steps);
}

static LLVMValueRef distance(struct build *b, const struct steps *steps) {
    LLVMValueRef slot = build_get(b, steps->slot), bound = build_get(b, steps->bound);
    LLVMValueRef distance = steps->step > 0 ? LLVMBuildSub(b->ir, bound, slot, "") : LLVMBuildSub(b->ir, slot, bound, "");
    return steps->narrow ? LLVMBuildTrunc(b->ir, distance, b->i32, "") : distance;
}

// The slot does not become equal to the bound earlier if its lowest 32 bits do not.
LLVMValueRef build_are_left(struct build *b, const struct steps *steps, unsigned rounds) {
    uint64_t step = (uint64_t)(steps->step > 0 ? steps->step : -steps->step);
    LLVMValueRef left = distance(b, steps);
    return LLVMBuildICmp(b->ir, LLVMIntUGE, left, LLVMConstInt(LLVMTypeOf(left), rounds * step, 0), "");
}

LLVMValueRef build_is_done(struct build *b, const struct steps *steps) {
    return LLVMBuildICmp(b->ir, LLVMIntEQ, build_get(b, steps->slot), build_get(b, steps->bound), "");
}

// In exact code the last round is the block's own, so that what is known behind the loop (facts.c) holds.
static LLVMValueRef are_several(struct build *b, const struct steps *steps) {
    return build_are_left(b, steps, ROUNDS + b->region->exact);
}

static void build_copies(struct build *b, const struct steps *steps) {
    const struct facts facts = b->now;
    LLVMBasicBlockRef several = build_block(b), again = build_block(b), rest = build_block(b), one = build_block(b);
    LLVMBuildCondBr(b->ir, are_several(b, steps), several, one);
    LLVMPositionBuilderAtEnd(b->ir, several);
    for (unsigned n = 0; n < ROUNDS; n++) {
        if (n) build_stepwise_back(b);
        build_round(b, steps->branch);
    }
    LLVMBuildCondBr(b->ir, are_several(b, steps), again, rest);
    LLVMPositionBuilderAtEnd(b->ir, again);
    b->again = several;
    build_leave_for(b, b->block->pc);
    LLVMPositionBuilderAtEnd(b->ir, rest);
    if (!b->region->exact) {
        LLVMBasicBlockRef more = build_block(b);
        LLVMBuildCondBr(b->ir, build_is_done(b, steps), b->past, more);
        LLVMPositionBuilderAtEnd(b->ir, more);
    }
    build_stepwise_back(b);
    LLVMBuildBr(b->ir, one);
    LLVMPositionBuilderAtEnd(b->ir, one);
    b->again = one;
    b->now = facts;
}

void build_unroll(struct build *b) {
    struct steps steps;
    if (b->vectors.possible || !find_steps(b, &steps)) return;
    if (!b->region->exact) b->past = build_block(b);
    build_lockstep(b, &steps);
    build_copies(b, &steps);
}
