// The guest's floating-point flags: those of the host, and those in the cpu. Reading the host's takes some ten times as long as an addition, since
// everything before has to be done by then. So what is read and written over before anybody looks is not read, but where the block is left in between.
#include "translator/llvm/build.h"
#include <string.h>

#ifdef __x86_64__
static LLVMValueRef moved_bit(struct build *b, LLVMValueRef status, unsigned from, unsigned to) {
    LLVMValueRef bit = LLVMBuildAnd(b->ir, status, LLVMConstInt(b->i32, 1u << from, 0), "");
    LLVMValueRef by = LLVMConstInt(b->i32, from < to ? to - from : from - to, 0);
    return from < to ? LLVMBuildShl(b->ir, bit, by, "") : LLVMBuildLShr(b->ir, bit, by, "");
}

// MXCSR's exception flags, as fflags has them (Intel's manual 1, "MXCSR Control and Status Register").
static LLVMValueRef host_flags(struct build *b) {
    static const uint8_t order[] = {5, 4, 3, 2, 0};  // inexact, underflow, overflow, division by zero, invalid
    build_intrinsic(b, "llvm.x86.sse.stmxcsr", NULL, 0, &b->status, 1);
    LLVMValueRef status = LLVMBuildLoad2(b->ir, b->i32, b->status, ""), flags = moved_bit(b, status, order[0], 0);
    for (unsigned i = 1; i < sizeof order; i++) flags = LLVMBuildOr(b->ir, flags, moved_bit(b, status, order[i], i), "");
    return flags;
}

static LLVMValueRef read_flags(struct build *b) {
    LLVMValueRef others = LLVMBuildLoad2(b->ir, b->i32, build_cpu_field(b, offsetof(struct cpu, fp_flags)), "");
    build_mark(b, others, b->of_cpu);
    return LLVMBuildZExt(b->ir, LLVMBuildOr(b->ir, host_flags(b), others, ""), b->i64, "");
}

bool build_flags_read(struct build *b, const struct uop *u) {
    build_set(b, u->a, read_flags(b));
    return true;
}

// The host's flags are seldom more than what is written: mostly it is what was read before.
bool build_flags_write(struct build *b, const struct uop *u) {
    LLVMValueRef written = LLVMBuildTrunc(b->ir, build_get(b, u->b), b->i32, "");
    LLVMValueRef flags = LLVMBuildAnd(b->ir, written, LLVMConstInt(b->i32, 31, 0), "");
    LLVMValueRef more = LLVMBuildAnd(b->ir, host_flags(b), LLVMBuildNot(b->ir, flags, ""), "");
    LLVMBasicBlockRef join = build_body_if(b, u, LLVMBuildICmp(b->ir, LLVMIntNE, more, LLVMConstInt(b->i32, 0, 0), ""));
    build_store_field(b, offsetof(struct cpu, fp_flags), flags);
    build_body_end(b, join);
    return true;
}

// ---- what need not be read

static bool raises(unsigned code) {
    return uop_info[code].name[0] == 'f' && code != UOP_fltn_d && code != UOP_flen_d && code != UOP_fltn_s && code != UOP_flen_s;
}

static bool looks_at(const struct uop *u, unsigned slot) {
    return u->b == slot || u->c == slot || u->d == slot;
}

// Whether the block writes over what the uops `at` and at + 1 bring to a slot from the flags, before anything needs it but those who leave at once.
static bool is_idle(const struct build *b, unsigned at) {
    const struct ir_block *ir = b->block->ir;
    const struct uop *read = &ir->uop[at], *move = read + 1;
    if (at + 1 >= ir->count || move->code != UOP_mov || move->b != read->a || build_is_lasting(read->a)) return false;
    bool raised = false;
    for (unsigned i = at + 2; i < ir->count; i++) {
        const struct uop *u = &ir->uop[i];
        enum uop_format format = uop_info[u->code].format;
        bool leaves = format == UOP_FORMAT_JUMP || format == UOP_FORMAT_INDIRECT || format == UOP_FORMAT_EXIT;
        bool has_body = build_effect(b, i) == EFFECT_BODY || uop_is_vector(u->code);
        if (leaves || looks_at(u, move->a) || looks_at(u, read->a) || has_body) return false;
        if (format == UOP_FORMAT_BRANCH && raised) return false;
        if (format != UOP_FORMAT_BRANCH && u->a == move->a) return uop_format_writes(format);
        raised |= raises(u->code);
    }
    return false;
}

bool build_defer_flags(struct build *b, unsigned at) {
    const struct uop *u = &b->block->ir->uop[at];
    if (b->owed && u->a == b->owed && uop_info[u->code].format != UOP_FORMAT_BRANCH) b->owed = 0;
    if (b->region->exact || u->code != UOP_fflagsread || !is_idle(b, at)) return false;
    b->owed = u[1].a;
    return true;
}

void build_owed_flags(struct build *b) {
    if (b->owed) build_set(b, b->owed, read_flags(b));
}
#else
bool build_flags_read(struct build *b, const struct uop *u) {
    (void)b, (void)u;
    return false;
}

bool build_flags_write(struct build *b, const struct uop *u) {
    (void)b, (void)u;
    return false;
}

bool build_defer_flags(struct build *b, unsigned at) {
    (void)b, (void)at;
    return false;
}

void build_owed_flags(struct build *b) {
    (void)b;
}
#endif
