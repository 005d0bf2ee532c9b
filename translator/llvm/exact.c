// Exact code: what it keeps in the cpu, so that a fault can show the guest's state at the very instruction.
//
// The cpu holds the state at one instruction, the anchor, whose place is in `cpu->anchor`. After a fault behind it the guest goes on at the anchor once
// more, in the interpreter, and comes to the same fault with all state exact. That is right as long as nothing happened since that others could see:
// loads and arithmetic may be done again, and branches lead the same way again, however often. (If another thread changed memory meanwhile, it is as if
// this one had been that slow.) So results stay in LLVM's values, all slots that the region writes being such values.
//
// A store that faults did not happen, so it may have an older anchor; but once it is done, there is none. Then the next access saves what is dirty and
// becomes the anchor. The same goes for bodies that access memory, before which everything is saved. Where there is an anchor is worked out in facts.c.
//
// Loops that only load would have the interpreter go their whole way again. So jumps back are counted while there is an anchor, and every so often
// another one is made.
//
// Slots are saved by volatile stores, as accesses to guest memory are volatile: LLVM keeps them in order.
#include "translator/llvm/build.h"

// Jumps back that the interpreter may have to make once more, also in code that is compared with it, which counts other things as well.
enum { ROUNDS = 256, STEPWISE_ROUNDS = 3 };

void build_anchor(struct build *b, unsigned block, unsigned offset) {
    LLVMValueRef place = LLVMConstInt(b->i32, (uint64_t)block << CPU_ANCHOR_SHIFT | offset, 0);
    LLVMValueRef store = LLVMBuildStore(b->ir, place, build_cpu_field(b, offsetof(struct cpu, anchor)));
    build_mark(b, store, b->of_cpu);
    LLVMSetVolatile(store, 1);
}

void build_guard(struct build *b, unsigned at) {
    enum build_effect effect = build_effect(b, at);
    bool accesses = effect == EFFECT_LOAD || effect == EFFECT_STORE;
    if (!b->region->exact || !accesses || b->now.anchored) return;
    build_store_slots(b, true);
    build_anchor(b, (unsigned)(b->block - b->region->block), b->block->ir->uop[at].offset);
}

// ---- rounds

static void set_rounds(struct build *b) {
    LLVMBuildStore(b->ir, LLVMConstInt(b->i32, b->region->stepwise ? STEPWISE_ROUNDS : ROUNDS, 0), b->rounds);
}

void build_begin_rounds(struct build *b) {
    b->rounds = LLVMBuildAlloca(b->ir, b->i32, "");
    set_rounds(b);
}

void build_count_round(struct build *b, unsigned to) {
    if (!b->region->exact || !b->now.anchored || !b->at[to].anchored) return;
    struct out *renewal = &b->renewal[to];
    if (!renewal->block) renewal->block = build_block(b);
    renewal->dirty |= b->now.dirty;
    LLVMValueRef left = LLVMBuildLoad2(b->ir, b->i32, b->rounds, "");
    left = LLVMBuildSub(b->ir, left, LLVMConstInt(b->i32, 1, 0), "");
    LLVMBuildStore(b->ir, left, b->rounds);
    LLVMBasicBlockRef rest = build_seldom(b, LLVMBuildICmp(b->ir, LLVMIntEQ, left, LLVMConstInt(b->i32, 0, 0), ""));
    LLVMBuildBr(b->ir, renewal->block);
    LLVMPositionBuilderAtEnd(b->ir, rest);
}

void build_renewals(struct build *b) {
    for (unsigned i = 0; i < b->region->blocks; i++) {
        if (!b->renewal[i].block) continue;
        b->now.dirty = b->renewal[i].dirty;
        LLVMPositionBuilderAtEnd(b->ir, b->renewal[i].block);
        build_store_slots(b, true);
        build_anchor(b, i, 0);
        set_rounds(b);
        LLVMBuildBr(b->ir, b->entry[i]);
    }
}
