// The ways out of a region's function.
#include "translator/interp/interp.h"
#include "translator/llvm/build.h"

void build_store_field(struct build *b, size_t offset, LLVMValueRef value) {
    build_mark(b, LLVMBuildStore(b->ir, value, build_cpu_field(b, offset)), b->of_cpu);
}

void build_call_native(struct build *b, LLVMValueRef target, LLVMValueRef *arguments) {
    if (b->vectors.now) build_store_vectors(b);
    LLVMValueRef call = LLVMBuildCall2(b->ir, b->convention, target, arguments, BUILD_ARGUMENTS, "");
    LLVMSetInstructionCallConv(call, BUILD_CONVENTION);
    LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
    LLVMBuildRetVoid(b->ir);
}

// Everything but the pins must be stored already.
void build_tail_call(struct build *b, LLVMValueRef target) {
    LLVMValueRef arguments[BUILD_ARGUMENTS] = {[REGION_BASE] = b->base, [BUILD_ARGUMENTS - 1] = LLVMGetPoison(b->i64)};
    for (unsigned i = 0; i < REGION_MAX_PINS; i++) {
        unsigned slot = i < b->pins ? b->region->pins[i] : 0;
        arguments[region_argument_of_pin(i)] = slot && b->slot[slot] ? build_get(b, slot) : b->pin[i];
    }
    build_call_native(b, target, arguments);
}

static LLVMValueRef load_rounds(struct build *b) {
    LLVMValueRef rounds = LLVMBuildLoad2(b->ir, b->i32, build_cpu_field(b, offsetof(struct cpu, rounds)), "");
    build_mark(b, rounds, b->of_cpu);
    LLVMSetVolatile(rounds, 1);
    return rounds;
}

static LLVMValueRef count_down(struct build *b, unsigned backs) {
    LLVMValueRef left = LLVMBuildSub(b->ir, load_rounds(b), LLVMConstInt(b->i32, backs, 0), "");
    LLVMValueRef store = LLVMBuildStore(b->ir, left, build_cpu_field(b, offsetof(struct cpu, rounds)));
    build_mark(b, store, b->of_cpu);
    LLVMSetVolatile(store, 1);
    return left;
}

LLVMValueRef build_is_pending(struct build *b) {
    if (b->region->stepwise) return LLVMBuildICmp(b->ir, LLVMIntEQ, count_down(b, 1), LLVMConstInt(b->i32, 0, 0), "");
    LLVMValueRef pending = LLVMBuildLoad2(b->ir, b->i32, b->pending, "");
    build_mark(b, pending, b->of_pending);
    LLVMSetVolatile(pending, 1);
    return LLVMBuildICmp(b->ir, LLVMIntNE, pending, LLVMConstInt(b->i32, 0, 0), "");
}

// To where all go that leave this way, which is built last: code at ways out costs LLVM much time.
static void go_out(struct build *b, enum way_out way, LLVMValueRef target) {
    struct out *out = &b->out[way];
    if (!out->block) out->block = build_block(b);
    out->dirty |= b->now.dirty;
    LLVMBuildStore(b->ir, target, b->target);
    LLVMBuildBr(b->ir, out->block);
}

static unsigned exit_to(struct build *b, uint64_t pc) {
    unsigned number = 0;
    while (number < b->region->exits && b->region->exit[number] != pc) number++;
    if (number < b->region->exits) return number;
    b->failed = true;
    return 0;
}

// What the exit to `pc` has for a target.
static LLVMValueRef exit_target(struct build *b, uint64_t pc) {
    LLVMValueRef place = build_hole(b, IMAGE_TARGET, exit_to(b, pc), b->pointer), cell = LLVMBuildLoad2(b->ir, b->i64, place, "");
    LLVMSetVolatile(cell, 1);
    return cell;
}

// Every loop of the region has such a jump. Where modules are must make no difference, since it is not the same each time: theirs is the order of their numbers.
static bool leads_back(const struct build *b, uint64_t pc, int inside) {
    unsigned from = b->block->module, to = inside >= 0 ? b->region->block[inside].module : from;
    return to == from ? pc <= b->block->pc : to < from;
}

static void look_at_pending(struct build *b, uint64_t pc) {
    LLVMBasicBlockRef rest = build_seldom(b, build_is_pending(b));
    go_out(b, OUT_INTERRUPTED, exit_target(b, pc));
    LLVMPositionBuilderAtEnd(b->ir, rest);
}

void build_stepwise_back(struct build *b) {
    if (b->region->stepwise) look_at_pending(b, b->block->pc);
}

LLVMValueRef build_stepwise_more(struct build *b, unsigned backs) {
    if (!b->region->stepwise) return LLVMConstInt(b->i1, 1, 0);
    return LLVMBuildICmp(b->ir, LLVMIntUGT, load_rounds(b), LLVMConstInt(b->i32, backs, 0), "");
}

void build_stepwise_backs(struct build *b, unsigned backs) {
    if (b->region->stepwise) count_down(b, backs);
}

// Jumps back to a block from others have their look at what is pending in common: ways out are as many values that meet as there are slots.
static LLVMBasicBlockRef head_of(struct build *b, unsigned block) {
    if (!b->head[block]) b->head[block] = build_block(b);
    return b->head[block];
}

// To a block of the region; `seen`: that nothing is pending.
static void leave_within(struct build *b, unsigned block, bool back, bool seen) {
    bool itself = &b->region->block[block] == b->block;
    if (back && !seen && !itself) {
        LLVMBuildBr(b->ir, head_of(b, block));
        return;
    }
    if (back && !seen) look_at_pending(b, b->block->pc);
    if (back) build_count_round(b, block);
    LLVMBuildBr(b->ir, itself ? b->again : b->entry[block]);
}

void build_heads(struct build *b) {
    for (unsigned i = 0; i < b->region->blocks; i++) {
        if (!b->head[i]) continue;
        b->block = &b->region->block[i];
        b->again = b->entry[i];
        b->now = b->at[i];
        LLVMPositionBuilderAtEnd(b->ir, b->head[i]);
        leave_within(b, i, true, false);
        b->head[i] = NULL;
    }
}

void build_leave_for(struct build *b, uint64_t pc) {
    int inside = build_block_at(b->region, pc);
    bool back = leads_back(b, pc, inside);
    if (inside >= 0) {
        leave_within(b, (unsigned)inside, back, false);
        return;
    }
    if (back) look_at_pending(b, pc);
    if (!b->exits) {
        b->failed = true;
        return;
    }
    build_store_slots(b, false);
    build_tail_call(b, build_exit(b, exit_to(b, pc)));
}

static void build_out(struct build *b, enum way_out way) {
    b->now.dirty = b->out[way].dirty;
    LLVMPositionBuilderAtEnd(b->ir, b->out[way].block);
    build_store_slots(b, false);
    LLVMValueRef target = LLVMBuildLoad2(b->ir, b->i64, b->target, "");
    bool indirect = way == OUT_INDIRECT;
    build_store_field(b, indirect ? offsetof(struct cpu, pc) : offsetof(struct cpu, next), target);
    build_tail_call(b, build_hole(b, indirect ? IMAGE_INDIRECT : IMAGE_LEAVE, 0, b->pointer));
}

void build_ways_out(struct build *b) {
    for (unsigned way = 0; way < OUT_WAYS; way++) {
        if (b->out[way].block) build_out(b, way);
        b->out[way] = (struct out){0};
    }
}

// Whether a way before this one, from the same block, leads to the same pc.
static bool is_repeated(const struct region *region, unsigned at) {
    const struct region_way *way = &region->way[at];
    for (unsigned i = 0; i < at; i++) {
        const struct region_way *other = &region->way[i];
        if (other->from == way->from && region->block[other->to].pc == region->block[way->to].pc) return true;
    }
    return false;
}

// The module that a way of the block under way leads to, or -1 if it is another block's.
static int module_of_way(const struct build *b, unsigned at) {
    const struct region_way *way = &b->region->way[at];
    return way->from == b->block - b->region->block ? b->region->block[way->to].module : -1;
}

static const struct region_block *first_of_module(const struct region *region, int module) {
    const struct region_block *block = region->block;
    while (block->module != module) block++;
    return block;
}

// Goes on within the region if that is where it leads, to a block of this module.
static void try_module(struct build *b, LLVMValueRef pc, int module) {
    const struct region *region = b->region;
    const struct region_block *base = first_of_module(region, module);
    LLVMBasicBlockRef rest = build_block(b);
    LLVMValueRef distance = LLVMBuildSub(b->ir, pc, build_pc(b, base, base->pc), "");
    LLVMValueRef choice = LLVMBuildSwitch(b->ir, distance, rest, region->ways);
    for (unsigned i = 0; i < region->ways; i++) {
        if (module_of_way(b, i) != module || is_repeated(region, i)) continue;
        uint64_t place = region->block[region->way[i].to].pc;
        int inside = build_block_at(region, place);
        LLVMBasicBlockRef here = build_block(b);
        LLVMAddCase(choice, build_constant(b, place - base->pc), here);
        LLVMPositionBuilderAtEnd(b->ir, here);
        leave_within(b, (unsigned)inside, leads_back(b, place, inside), true);
    }
    LLVMPositionBuilderAtEnd(b->ir, rest);
}

static bool has_ways(const struct build *b) {
    bool any = false;
    for (unsigned i = 0; i < b->region->ways; i++) any |= module_of_way(b, i) >= 0;
    return any;
}

static void leave_indirectly_if(struct build *b, LLVMValueRef condition, LLVMValueRef pc) {
    LLVMBasicBlockRef rest = build_seldom(b, condition);
    go_out(b, OUT_INDIRECT, LLVMBuildAnd(b->ir, pc, build_constant(b, ~UINT64_C(1)), ""));
    LLVMPositionBuilderAtEnd(b->ir, rest);
}

// Interrupts are looked for first: this may be how a thread comes to code of which it just learned that another one has written it anew, and asked all
// threads to leave what was made of it before.
static void try_ways(struct build *b, LLVMValueRef pc) {
    leave_indirectly_if(b, build_is_pending(b), pc);
    for (unsigned i = 0; i < b->region->ways; i++) {
        int module = module_of_way(b, i);
        bool tried = module < 0;
        for (unsigned before = 0; before < i; before++) tried |= module_of_way(b, before) == module;
        if (!tried) try_module(b, pc, module);
    }
}

// What an entry of the native jump cache leads to, and the pad that does so, which is known without the entry.
static LLVMValueRef native_of(struct build *b, LLVMValueRef entry) {
    LLVMValueRef behind = build_constant(b, offsetof(struct cpu_native_jump, native));
    return LLVMBuildLoad2(b->ir, b->pointer, LLVMBuildInBoundsGEP2(b->ir, b->i8, entry, &behind, 1, ""), "");
}

static LLVMValueRef pad(struct build *b, LLVMValueRef index) {
    LLVMValueRef pads = LLVMBuildLoad2(b->ir, b->pointer, build_cpu_field(b, offsetof(struct cpu, pads)), "");
    LLVMValueRef offset = LLVMBuildMul(b->ir, index, build_constant(b, CPU_PAD_BYTES / 2), "");
    LLVMSetVolatile(pads, 1);  // else it is an operand of an addition, which takes one step more to the pad's address
    return LLVMBuildInBoundsGEP2(b->ir, b->i8, pads, &offset, 1, "");
}

// The sum's lowest bit is not cleared: pcs in the cache, and those of ways, are even.
void build_leave_indirectly(struct build *b, const struct uop *u) {
    LLVMValueRef pc = LLVMBuildAdd(b->ir, build_get(b, u->b), build_constant(b, (uint64_t)u->imm), "");
    bool ways = has_ways(b);
    if (ways) try_ways(b, pc);
    LLVMValueRef index = LLVMBuildAnd(b->ir, pc, build_constant(b, 2 * (CPU_NATIVE_JUMPS - 1)), "");
    LLVMValueRef offset = LLVMBuildMul(b->ir, index, build_constant(b, sizeof(struct cpu_native_jump) / 2), "");
    LLVMValueRef entry = LLVMBuildInBoundsGEP2(b->ir, b->i8, build_cpu_field(b, offsetof(struct cpu, native_jump)), &offset, 1, "");
    LLVMValueRef known = LLVMBuildLoad2(b->ir, b->i64, entry, "");
    LLVMValueRef missed = LLVMBuildICmp(b->ir, LLVMIntNE, known, pc, "");
    leave_indirectly_if(b, ways ? missed : LLVMBuildOr(b->ir, missed, build_is_pending(b), ""), pc);
    LLVMValueRef target = b->block->scatters ? pad(b, index) : native_of(b, entry);
    build_store_slots(b, false);
    build_tail_call(b, target);
}
