// Loops that count (unroll.c), load and compute, but store nothing: several rounds in lockstep. Each uop is built once, for vectors of what its operands are in each
// of the rounds. What a slot is in them depends on what the loop does to it:
//
// - it is not changed: the same in all;
// - it is a counter, to which each round adds a number: as many numbers apart;
// - it is a sum, to which each round adds something and which nothing else reads: kept as a vector of sums until the loop is left;
// - each round sets it before anything reads it: afterwards it is what the last round made of it.
//
// Loads are made round by round, as guests expect of loads of the same place, but those at places side by side at once. Where such a load has one in another
// round that may be of the same place, which is seen by their distance, rounds are not in lockstep.
//
// Not in exact code, since sums are nowhere that a fault's handler could find them.
#include "translator/llvm/build.h"

enum { MAX_LOADS = 4 };

enum part { UNCHANGED, COUNTER, SUM, OWN };

struct load {
    unsigned at;  // the uop
    unsigned bytes;
    int64_t step;  // from round to round
    LLVMValueRef address;  // in the first round
    bool at_once;
    LLVMValueRef lane[BUILD_LANES];
};

struct lockstep {
    struct build *b;
    const struct steps *steps;
    const struct uop *uop;
    enum part part[SLOT_TEMP];
    uint64_t written;  // by bit
    struct counter {
        int64_t step;
        bool narrow;
        LLVMValueRef start;
    } counter[SLOT_TEMP];
    struct sum {
        LLVMValueRef before, after;
    } sum[SLOT_TEMP];
    struct load load[MAX_LOADS];
    unsigned loads;
    LLVMValueRef lanes[CPU_SLOTS];
};

// ---- whether it can be done

// Uops that work on vectors as they do on single values, and cost a vector no more than a few times that.
static bool is_for_lanes(enum uop_code code) {
    switch (code) {
    case UOP_mov:
    case UOP_li:
    case UOP_add:
    case UOP_sub:
    case UOP_and:
    case UOP_or:
    case UOP_xor:
    case UOP_andn:
    case UOP_orn:
    case UOP_xnor:
    case UOP_sll:
    case UOP_srl:
    case UOP_slt:
    case UOP_sltu:
    case UOP_addi:
    case UOP_andi:
    case UOP_ori:
    case UOP_xori:
    case UOP_slli:
    case UOP_srli:
    case UOP_srai:
    case UOP_slti:
    case UOP_sltiu:
    case UOP_min:
    case UOP_max:
    case UOP_minu:
    case UOP_maxu:
    case UOP_addw:
    case UOP_subw:
    case UOP_mulw:
    case UOP_addiw:
    case UOP_slliw:
    case UOP_srliw:
    case UOP_sraiw:
    case UOP_sextb:
    case UOP_sexth:
    case UOP_sextw:
    case UOP_zextb:
    case UOP_zexth:
    case UOP_zextw:
    case UOP_sh1add:
    case UOP_sh2add:
    case UOP_sh3add:
    case UOP_adduw: return true;
    default: return false;
    }
}

static bool is_sum(const struct uop *u) {
    bool adds = u->code == UOP_add || u->code == UOP_addw || u->code == UOP_xor || u->code == UOP_or;
    return adds && (u->b == u->a) != (u->c == u->a);
}

static bool reads(const struct uop *u, unsigned slot) {
    return u->b == slot || u->c == slot;
}

static bool find_counter(struct lockstep *l, unsigned slot) {
    struct counter *counter = &l->counter[slot];
    for (unsigned i = 0; i < l->steps->branch; i++) {
        const struct uop *u = &l->uop[i];
        if (!(build_writes(u) >> slot & 1)) continue;
        bool narrow = u->code == UOP_addiw;
        if (!build_is_count(u) || (counter->step && counter->narrow != narrow)) return false;
        counter->step += u->imm;
        counter->narrow = narrow;
    }
    return counter->step != 0;
}

static bool find_sum(const struct lockstep *l, unsigned slot) {
    unsigned uops = 0;
    for (unsigned i = 0; i < l->steps->branch; i++) {
        const struct uop *u = &l->uop[i];
        bool writes = build_writes(u) >> slot & 1;
        if (writes != reads(u, slot) || (writes && !is_sum(u))) return false;
        uops += writes;
    }
    return uops == 1;
}

static bool is_set_first(const struct lockstep *l, unsigned slot) {
    unsigned i = 0;
    while (!(build_writes(&l->uop[i]) >> slot & 1) && !reads(&l->uop[i], slot)) i++;
    return !reads(&l->uop[i], slot);
}

static bool find_part(struct lockstep *l, unsigned slot) {
    if (!(l->written >> slot & 1)) return true;
    bool compared = slot == l->steps->slot || slot == l->steps->bound;
    if (find_counter(l, slot)) l->part[slot] = COUNTER;
    else if (!compared && find_sum(l, slot)) l->part[slot] = SUM;
    else if (!compared && is_set_first(l, slot)) l->part[slot] = OWN;
    else return false;
    return true;
}

static bool find_load(struct lockstep *l, unsigned at) {
    const struct uop *u = &l->uop[at];
    if (l->loads == MAX_LOADS || !build_is_lasting(u->b) || l->part[u->b] != COUNTER || l->counter[u->b].narrow) return false;
    l->load[l->loads++] = (struct load){.at = at, .bytes = build_loaded_bytes(u->code), .step = l->counter[u->b].step};
    return true;
}

static bool has_base_alone(const struct lockstep *l, const struct load *load) {
    for (unsigned i = 0; i < l->loads; i++) {
        if (&l->load[i] != load && l->uop[l->load[i].at].b == l->uop[load->at].b) return false;
    }
    return true;
}

// Loads that are not made at once, with what puts them together, take as many steps as the rounds would: something else has to make up for that.
static bool is_worth_it(const struct lockstep *l) {
    unsigned single = 0, at_once = 0;
    for (unsigned i = 0; i < l->loads; i++) *(l->load[i].at_once ? &at_once : &single) += 1;
    return at_once >= single && at_once > 0;
}

static bool find_loads(struct lockstep *l) {
    for (unsigned i = 0; i < l->steps->branch; i++) {
        if (build_loaded_bytes(l->uop[i].code) && !find_load(l, i)) return false;
    }
    for (unsigned i = 0; i < l->loads; i++) {
        struct load *load = &l->load[i];
        load->at_once = load->step == load->bytes && has_base_alone(l, load);
    }
    return is_worth_it(l);
}

static bool find_parts(struct lockstep *l) {
    for (unsigned i = 0; i < l->steps->branch; i++) {
        const struct uop *u = &l->uop[i];
        const struct build *b = l->b;
        if (!is_for_lanes(u->code) && !build_loaded_bytes(u->code)) return false;
        if (b->is_double[u->a] || b->is_double[u->b] || b->is_double[u->c]) return false;
        l->written |= build_writes(u);
    }
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        if (!find_part(l, slot)) return false;
    }
    return find_loads(l);
}

// ---- vectors

static LLVMTypeRef vector_of(LLVMTypeRef type) {
    return LLVMVectorType(type, BUILD_LANES);
}

static LLVMValueRef together(struct build *b, const LLVMValueRef lane[BUILD_LANES]) {
    LLVMValueRef lanes = LLVMGetPoison(vector_of(LLVMTypeOf(lane[0])));
    for (unsigned i = 0; i < BUILD_LANES; i++) {
        lanes = LLVMBuildInsertElement(b->ir, lanes, lane[i], LLVMConstInt(b->i32, i, 0), "");
    }
    return lanes;
}

// What building is about from now on: uops' operands as they are in each round, or single values.
struct types {
    LLVMTypeRef i1, i8, i16, i32, i64;
};

static struct types enter_lanes(struct lockstep *l) {
    struct build *b = l->b;
    const struct types types = {b->i1, b->i8, b->i16, b->i32, b->i64};
    b->i1 = vector_of(b->i1), b->i8 = vector_of(b->i8), b->i16 = vector_of(b->i16), b->i32 = vector_of(b->i32),
    b->i64 = vector_of(b->i64);
    b->lanes = l->lanes;
    return types;
}

static void leave_lanes(struct lockstep *l, const struct types *types) {
    struct build *b = l->b;
    b->i1 = types->i1, b->i8 = types->i8, b->i16 = types->i16, b->i32 = types->i32, b->i64 = types->i64;
    b->lanes = NULL;
}

static LLVMValueRef counted(struct build *b, const struct counter *counter, unsigned rounds) {
    LLVMValueRef sum = LLVMBuildAdd(b->ir, counter->start, build_constant(b, rounds * (uint64_t)counter->step), "");
    return counter->narrow && rounds ? LLVMBuildSExt(b->ir, LLVMBuildTrunc(b->ir, sum, b->i32, ""), b->i64, "") : sum;
}

static LLVMValueRef counter_lanes(struct build *b, const struct counter *counter) {
    LLVMValueRef lane[BUILD_LANES];
    for (unsigned i = 0; i < BUILD_LANES; i++) lane[i] = counted(b, counter, i);
    return together(b, lane);
}

static bool is_read(const struct lockstep *l, unsigned slot) {
    for (unsigned i = 0; i < l->steps->branch; i++) {
        if (reads(&l->uop[i], slot)) return true;
    }
    return false;
}

static void begin_lanes(struct lockstep *l) {
    struct build *b = l->b;
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        if (!is_read(l, slot)) continue;
        if (l->part[slot] == UNCHANGED) l->lanes[slot] = build_splat(b, build_get(b, slot), BUILD_LANES);
        if (l->part[slot] != COUNTER) continue;
        l->counter[slot].start = build_get(b, slot);
        l->lanes[slot] = counter_lanes(b, &l->counter[slot]);
    }
}

// ---- loads

// What this round's uops before the load have added to its base.
static int64_t added_before(const struct lockstep *l, const struct load *load) {
    int64_t sum = 0;
    for (unsigned i = 0; i < load->at; i++) {
        if (l->uop[i].a == l->uop[load->at].b) sum += l->uop[i].imm;
    }
    return sum;
}

static LLVMValueRef find_address(const struct lockstep *l, const struct load *load) {
    int64_t offset = added_before(l, load) + l->uop[load->at].imm;
    return LLVMBuildAdd(l->b->ir, build_get(l->b, l->uop[load->at].b), build_constant(l->b, (uint64_t)offset), "");
}

// The rounds' loads are of [lowest_of, highest_of) after the first one's address.
static int64_t lowest_of(const struct load *load) {
    return load->step < 0 ? (BUILD_LANES - 1) * load->step : 0;
}

static int64_t highest_of(const struct load *load) {
    return (load->step > 0 ? (BUILD_LANES - 1) * load->step : 0) + load->bytes;
}

static LLVMValueRef are_apart(const struct lockstep *l, const struct load *x, const struct load *y) {
    struct build *b = l->b;
    int64_t least = lowest_of(y) - highest_of(x), most = highest_of(y) - lowest_of(x);  // between these they overlap
    LLVMValueRef distance = LLVMBuildSub(b->ir, find_address(l, x), find_address(l, y), "");
    LLVMValueRef shifted = LLVMBuildSub(b->ir, distance, build_constant(b, (uint64_t)(least + 1)), "");
    return LLVMBuildICmp(b->ir, LLVMIntUGE, shifted, build_constant(b, (uint64_t)(most - least - 1)), "");
}

static LLVMValueRef are_all_apart(const struct lockstep *l) {
    struct build *b = l->b;
    LLVMValueRef apart = LLVMConstInt(b->i1, 1, 0);
    for (unsigned i = 0; i < l->loads; i++) {
        for (unsigned n = i + 1; n < l->loads; n++) {
            const struct load *x = &l->load[i], *y = &l->load[n];
            if (x->at_once || y->at_once) apart = LLVMBuildAnd(b->ir, apart, are_apart(l, x, y), "");
        }
    }
    return apart;
}

static void load_lane(struct lockstep *l, struct load *load, unsigned lane) {
    struct build *b = l->b;
    LLVMTypeRef type = LLVMIntTypeInContext(b->context, 8 * load->bytes);
    if (load->at_once) {
        if (lane == 0) b->loaded[load->at] = build_load_from(b, load->address, vector_of(type));
        return;
    }
    LLVMValueRef address = LLVMBuildAdd(b->ir, load->address, build_constant(b, lane * (uint64_t)load->step), "");
    load->lane[lane] = build_load_from(b, address, type);
}

static void build_loads(struct lockstep *l) {
    for (unsigned i = 0; i < l->loads; i++) l->load[i].address = find_address(l, &l->load[i]);
    for (unsigned lane = 0; lane < BUILD_LANES; lane++) {
        for (unsigned i = 0; i < l->loads; i++) load_lane(l, &l->load[i], lane);
    }
    for (unsigned i = 0; i < l->loads; i++) {
        const struct load *load = &l->load[i];
        if (!load->at_once) l->b->loaded[load->at] = together(l->b, load->lane);
    }
}

// ---- rounds

static LLVMOpcode opcode_of_sum(const struct uop *u) {
    return u->code == UOP_xor ? LLVMXor : u->code == UOP_or ? LLVMOr : LLVMAdd;
}

static void add_to_sum(struct lockstep *l, const struct uop *u) {
    struct build *b = l->b;
    LLVMValueRef more = build_get(b, u->b == u->a ? u->c : u->b);
    if (u->code == UOP_addw) more = LLVMBuildTrunc(b->ir, more, b->i32, "");
    l->sum[u->a].after = LLVMBuildBinOp(b->ir, opcode_of_sum(u), l->sum[u->a].before, more, "");
}

static bool is_of_sum(const struct lockstep *l, const struct uop *u) {
    return build_is_lasting(u->a) && l->part[u->a] == SUM;
}

static void begin_sums(struct lockstep *l, LLVMBasicBlockRef head) {
    struct build *b = l->b;
    for (unsigned i = 0; i < l->steps->branch; i++) {
        const struct uop *u = &l->uop[i];
        if (!is_of_sum(l, u)) continue;
        LLVMTypeRef type = vector_of(u->code == UOP_addw ? b->i32 : b->i64);
        LLVMValueRef none = LLVMConstNull(type);
        l->sum[u->a].before = LLVMBuildPhi(b->ir, type, "");
        LLVMAddIncoming(l->sum[u->a].before, &none, &head, 1);
    }
}

static void build_uops(struct lockstep *l) {
    struct build *b = l->b;
    const struct types types = enter_lanes(l);
    for (unsigned i = 0; i < l->steps->branch; i++) {
        const struct uop *u = &l->uop[i];
        build_line(b, u);
        if (is_of_sum(l, u)) add_to_sum(l, u);
        else if (!build_uop(b, u)) b->failed = true;
        b->now = build_after(b, b->now, i);
    }
    leave_lanes(l, &types);
}

static void count_on(struct lockstep *l) {
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        if (l->part[slot] == COUNTER) build_set(l->b, slot, counted(l->b, &l->counter[slot], BUILD_LANES));
    }
}

static LLVMValueRef are_more(const struct lockstep *l) {
    struct build *b = l->b;
    LLVMValueRef more = LLVMBuildAnd(b->ir, build_are_left(b, l->steps, BUILD_LANES), are_all_apart(l), "");
    return LLVMBuildAnd(b->ir, more, build_stepwise_more(b, BUILD_LANES), "");
}

static void end_sums(struct lockstep *l, LLVMBasicBlockRef trip) {
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        if (l->part[slot] == SUM) LLVMAddIncoming(l->sum[slot].before, &l->sum[slot].after, &trip, 1);
    }
}

static LLVMValueRef total(struct build *b, const struct uop *u, LLVMValueRef lanes) {
    const char *name = u->code == UOP_xor  ? "llvm.vector.reduce.xor"
                       : u->code == UOP_or ? "llvm.vector.reduce.or"
                                           : "llvm.vector.reduce.add";
    LLVMTypeRef type = LLVMTypeOf(lanes);
    return build_intrinsic(b, name, &type, 1, &lanes, 1);
}

static LLVMValueRef whole_sum(struct lockstep *l, const struct uop *u) {
    struct build *b = l->b;
    LLVMValueRef more = total(b, u, l->sum[u->a].after), before = build_get(b, u->a);
    if (u->code != UOP_addw) return LLVMBuildBinOp(b->ir, opcode_of_sum(u), before, more, "");
    LLVMValueRef sum = LLVMBuildAdd(b->ir, LLVMBuildTrunc(b->ir, before, b->i32, ""), more, "");
    return LLVMBuildSExt(b->ir, sum, b->i64, "");
}

// Slots are as they would be after so many single rounds.
static void build_results(struct lockstep *l) {
    struct build *b = l->b;
    for (unsigned i = 0; i < l->steps->branch; i++) {
        if (is_of_sum(l, &l->uop[i])) build_set(b, l->uop[i].a, whole_sum(l, &l->uop[i]));
    }
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        LLVMValueRef last = LLVMConstInt(b->i32, BUILD_LANES - 1, 0);
        if (l->part[slot] == OWN) build_set(b, slot, LLVMBuildExtractElement(b->ir, l->lanes[slot], last, ""));
    }
}

void build_lockstep(struct build *b, const struct steps *steps) {
    struct lockstep all = {.b = b, .steps = steps, .uop = b->block->ir->uop}, *l = &all;
    if (b->region->exact || !find_parts(l)) return;
    const struct facts facts = b->now;
    LLVMBasicBlockRef head = build_block(b), trip = build_block(b), done = build_block(b), back = build_block(b),
                      next = build_block(b);
    LLVMBuildBr(b->ir, head);
    LLVMPositionBuilderAtEnd(b->ir, head);
    LLVMBuildCondBr(b->ir, are_more(l), trip, next);
    LLVMPositionBuilderAtEnd(b->ir, trip);
    begin_sums(l, head);
    build_loads(l);
    begin_lanes(l);
    build_uops(l);
    count_on(l);
    build_count_rounds(b, steps->branch, BUILD_LANES);
    build_stepwise_backs(b, BUILD_LANES - 1);
    LLVMValueRef again = are_more(l);
    if (b->region->stepwise) again = LLVMConstInt(b->i1, 0, 0);
    else again = LLVMBuildAnd(b->ir, again, LLVMBuildNot(b->ir, build_is_pending(b), ""), "");
    LLVMBuildCondBr(b->ir, again, trip, done);
    end_sums(l, trip);
    LLVMPositionBuilderAtEnd(b->ir, done);
    build_results(l);
    LLVMBuildCondBr(b->ir, build_is_done(b, steps), b->past, back);
    LLVMPositionBuilderAtEnd(b->ir, back);
    b->again = head;
    build_leave_for(b, b->block->pc);
    LLVMPositionBuilderAtEnd(b->ir, next);
    b->now = facts;
}
