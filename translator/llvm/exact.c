// Exact code: what it keeps in the cpu, so that a fault can show the guest's state at the very instruction.
//
// The cpu holds the state at one instruction, the anchor, whose place is in `cpu->anchor`. A load does not change what is there, so that after a fault the
// guest goes on at the anchor once more, in the interpreter, which comes to the same fault with all state exact. Until the next anchor results stay in
// LLVM's values. Stores, branches and bodies are what cannot be done again: before them everything is saved.
//
// These stores to the cpu are volatile, as accesses to guest memory are: LLVM keeps them in order.
#include "translator/llvm/build.h"

static void save(struct build *b, size_t offset, LLVMValueRef value) {
    LLVMValueRef store = LLVMBuildStore(b->ir, value, build_cpu_field(b, offset));
    build_mark(store, b->of_cpu);
    LLVMSetVolatile(store, 1);
}

static void save_slot(struct build *b, unsigned slot) {
    save(b, offsetof(struct cpu, slot) + 8 * slot, build_get(b, slot));
}

void build_save_pins(struct build *b) {
    for (unsigned i = 0; i < b->pins; i++) save(b, offsetof(struct cpu, slot) + 8 * b->region->pins[i], b->pin[i]);
}

void build_save_all(struct build *b) {
    for (uint64_t left = b->unsaved; left; left &= left - 1) save_slot(b, (unsigned)__builtin_ctzll(left));
    if (b->unsaved) b->anchored = false;
    b->unsaved = 0;
}

void build_forget_values(struct build *b) {
    for (unsigned slot = 0; slot < SLOT_TEMP; slot++) b->value[slot] = NULL;
    b->anchored = false;
}

void build_anchor(struct build *b, const struct uop *u) {
    bool stores = uop_stores(u->code);
    if (stores || !b->anchored) {
        build_save_all(b);
        uint64_t place = (uint64_t)(b->block - b->region->block) << CPU_ANCHOR_SHIFT | u->offset;
        save(b, offsetof(struct cpu, anchor), LLVMConstInt(b->i32, place, 0));
    }
    b->anchored = !stores;
}
