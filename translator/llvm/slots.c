// Where slots live in a region's function, and what is known of them at each place.
#include "translator/llvm/build.h"

enum {
    PROMOTED = 3,
    PROMOTED_DOUBLES = 12,
    WORTH_PROMOTING = 4,
    LOOP_WEIGHT = 8,
    MAX_WEIGHT = 512,
    LONG_WAY = 100,  // uops for each way in or out
};

int build_block_at(const struct region *region, uint64_t pc) {
    for (unsigned i = 0; i < region->blocks; i++) {
        if (region->block[i].pc == pc) return (int)i;
    }
    return -1;
}

bool build_leads_to(const struct region_block *block, const struct uop *u, uint64_t *pc) {
    enum uop_format format = uop_info[u->code].format;
    *pc = block->pc + (uint64_t)u->imm;
    return format == UOP_FORMAT_BRANCH || format == UOP_FORMAT_JUMP;
}

bool build_is_lasting(unsigned slot) {
    return slot < SLOT_TEMP;
}

// The argument that holds a slot at the entry, or NULL if it is not pinned.
static LLVMValueRef pin_argument(const struct build *b, unsigned slot) {
    for (unsigned i = 0; i < b->pins; i++) {
        if (b->region->pins[i] == slot) return b->pin[i];
    }
    return NULL;
}

bool build_is_pinned(const struct build *b, unsigned slot) {
    return pin_argument(b, slot) != NULL;
}

LLVMValueRef build_slot_in_cpu(struct build *b, unsigned slot) {
    return build_cpu_field(b, offsetof(struct cpu, slot) + 8 * slot);
}

// Operands that a format does not have are 0, the slot that needs no place.
static unsigned slots_of(const struct uop *u, uint8_t slots[6]) {
    unsigned count = 0;
    const uint8_t all[] = {u->a, u->b, u->c, u->d};
    for (unsigned i = 0; i < 4; i++) {
        if (all[i] != SLOT_ZERO) slots[count++] = all[i];
    }
    if (u->code != UOP_cas128) return count;
    if (u->a) slots[count++] = u->a + 1;
    if (u->c) slots[count++] = u->c + 1;
    return count;
}

// How often a block runs for each time that the region is entered, as a guess: loops go from a jump back to where it leads.
static unsigned weight_of(const struct region *region, unsigned at) {
    unsigned weight = 1;
    uint64_t pc = region->block[at].pc;
    for (unsigned i = 0; i < region->blocks; i++) {
        const struct region_block *block = &region->block[i];
        for (unsigned n = 0; n < block->ir->count && block->pc >= pc; n++) {
            uint64_t to;
            bool back = build_leads_to(block, &block->ir->uop[n], &to) && to <= pc;
            if (back && weight < MAX_WEIGHT && build_block_at(region, to) >= 0) weight *= LOOP_WEIGHT;
        }
    }
    return weight;
}

struct uses {
    unsigned all, doubles;
};

static void count_uses(const struct region *region, struct uses uses[CPU_SLOTS]) {
    for (unsigned i = 0; i < region->blocks; i++) {
        const struct ir_block *ir = region->block[i].ir;
        unsigned weight = weight_of(region, i);
        for (unsigned n = 0; n < ir->count; n++) {
            uint8_t slots[6];
            unsigned doubles = build_double_operands(&ir->uop[n]);
            for (unsigned count = slots_of(&ir->uop[n], slots); count-- > 0;) uses[slots[count]].all += weight;
            const uint8_t operand[] = {ir->uop[n].a, ir->uop[n].b, ir->uop[n].c, ir->uop[n].d};
            for (unsigned i = 0; i < 4; i++) {
                if (doubles >> i & 1) uses[operand[i]].doubles += weight;
            }
        }
    }
}

static void promote(struct build *b, unsigned slot, bool is_double) {
    b->promoted[slot] = true;
    b->is_double[slot] = is_double;
    b->slot[slot] = LLVMBuildAlloca(b->ir, is_double ? b->f64 : b->i64, "");
}

static void promote_most_used(struct build *b, const struct uses uses[CPU_SLOTS], bool doubles, unsigned most) {
    while (most-- > 0) {
        unsigned best = SLOT_ZERO, best_uses = WORTH_PROMOTING - 1;
        for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
            if (b->promoted[slot] || uses[slot].all <= best_uses || (uses[slot].doubles > 0) != doubles) continue;
            best = slot, best_uses = uses[slot].all;
        }
        if (best == SLOT_ZERO) return;
        promote(b, best, doubles);
    }
}

static unsigned ways_out_of(const struct region *region, const struct region_block *block) {
    unsigned ways = 0;
    for (unsigned i = 0; i < block->ir->count; i++) {
        const struct uop *u = &block->ir->uop[i];
        uint64_t to;
        bool out = build_leads_to(block, u, &to) && build_block_at(region, to) < 0;
        ways += out || uop_info[u->code].format == UOP_FORMAT_INDIRECT;
    }
    return ways;
}

// Whether so much is done each time the region is entered that loads and stores at ways in and out do not count.
static bool is_long(const struct region *region) {
    unsigned ways = 0, uops = 0;
    for (unsigned i = 0; i < region->blocks; i++) {
        ways += region->block[i].entry + ways_out_of(region, &region->block[i]);
        uops += region->block[i].ir->count;
    }
    return uops >= LONG_WAY * ways;
}

static uint64_t written_in(const struct region *region) {
    uint64_t written = 0;
    for (unsigned i = 0; i < region->blocks; i++) {
        const struct ir_block *ir = region->block[i].ir;
        for (unsigned n = 0; n < ir->count; n++) written |= build_writes(&ir->uop[n]);
    }
    return written;
}

// Promotes pinned slots, which are in registers anyway, temporaries, and the slots that are used most: as many as there may be host registers
// for. Each one costs loads and stores where the region is entered and left. In exact code all that are written: in the cpu a slot must not change
// between anchors. In long code all that are worth it: what LLVM has no register for it keeps on the stack, for as short as
// it can.
void build_place_slots(struct build *b) {
    struct uses uses[CPU_SLOTS] = {0};
    count_uses(b->region, uses);
    uint64_t written = b->region->exact ? written_in(b->region) : 0;
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        if (written >> slot & 1 && !build_is_pinned(b, slot)) promote(b, slot, uses[slot].doubles > 0);
    }
    for (unsigned slot = 1; slot < SLOT_SINK; slot++) {
        if (b->promoted[slot]) continue;
        if (uses[slot].all && (build_is_pinned(b, slot) || !build_is_lasting(slot))) promote(b, slot, false);
        else if (uses[slot].all) b->slot[slot] = build_slot_in_cpu(b, slot);
    }
    bool all = is_long(b->region);
    promote_most_used(b, uses, false, all ? CPU_SLOTS : PROMOTED);
    promote_most_used(b, uses, true, all ? CPU_SLOTS : PROMOTED_DOUBLES);
}

// The lasting slots that a uop may change, by bit.
uint64_t build_writes(const struct uop *u) {
    bool one = uop_format_writes(uop_info[u->code].format) && u->a < SLOT_TEMP;
    uint64_t bits = one ? UINT64_C(1) << u->a : 0;
    return u->code == UOP_cas128 && u->a ? bits | bits << 1 : bits;
}

// The bits of a slot that holds the result of an arithmetic operation, of which it was not known yet whether it is a NaN.
static void settle(struct build *b, unsigned slot) {
    build_note_settled(b, slot);
    build_set_double(b, slot, build_canonical(b, LLVMBuildLoad2(b->ir, b->f64, b->slot[slot], "")), NANS_CANONICAL);
}

bool build_is_unsettled(const struct build *b, unsigned slot) {
    return build_is_lasting(slot) && b->unsettled >> slot & 1;
}

void build_note_settled(struct build *b, unsigned slot) {
    if (build_is_lasting(slot)) b->unsettled &= ~(UINT64_C(1) << slot);
}

void build_settle_all(struct build *b) {
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        if (build_is_unsettled(b, slot)) settle(b, slot);
    }
}

bool build_is_quiet(const struct build *b, unsigned slot) {
    return build_is_lasting(slot) && b->quiet >> slot & 1;
}

LLVMValueRef build_get_double(struct build *b, unsigned slot) {
    if (slot != SLOT_ZERO && b->is_double[slot]) return LLVMBuildLoad2(b->ir, b->f64, b->slot[slot], "");
    return LLVMBuildBitCast(b->ir, build_get(b, slot), b->f64, "");
}

static void note_nans(struct build *b, unsigned slot, enum build_nans nans) {
    if (!build_is_lasting(slot)) return;
    uint64_t bit = UINT64_C(1) << slot;
    b->unsettled = nans == NANS_RAW ? b->unsettled | bit : b->unsettled & ~bit;
    b->quiet = nans == NANS_KEPT ? b->quiet & ~bit : b->quiet | bit;
}

void build_set_double(struct build *b, unsigned slot, LLVMValueRef value, enum build_nans nans) {
    bool later = build_is_lasting(slot) && b->is_double[slot];
    if (nans == NANS_RAW && !later) value = build_canonical(b, value), nans = NANS_CANONICAL;
    if (later) LLVMBuildStore(b->ir, value, b->slot[slot]);
    else build_set(b, slot, LLVMBuildBitCast(b->ir, value, b->i64, ""));
    note_nans(b, slot, nans);
}

LLVMValueRef build_get(struct build *b, unsigned slot) {
    if (slot == SLOT_ZERO) return build_constant(b, 0);
    if (b->lanes) return b->lanes[slot];
    if (build_is_unsettled(b, slot)) settle(b, slot);
    if (b->is_double[slot]) return LLVMBuildBitCast(b->ir, LLVMBuildLoad2(b->ir, b->f64, b->slot[slot], ""), b->i64, "");
    LLVMValueRef value = LLVMBuildLoad2(b->ir, b->i64, b->slot[slot], "");
    if (!b->promoted[slot]) build_mark(b, value, b->of_cpu);
    return value;
}

void build_set(struct build *b, unsigned slot, LLVMValueRef value) {
    if (slot == SLOT_SINK) return;
    if (b->lanes) {
        b->lanes[slot] = value;
        return;
    }
    note_nans(b, slot, NANS_KEPT);
    LLVMValueRef in_place = b->is_double[slot] ? LLVMBuildBitCast(b->ir, value, b->f64, "") : value;
    LLVMValueRef store = LLVMBuildStore(b->ir, in_place, b->slot[slot]);
    if (!b->promoted[slot]) build_mark(b, store, b->of_cpu);
}

// What exact code stores must not change its order with accesses to guest memory, for a fault shows it.
static void store_in_cpu(struct build *b, unsigned slot, LLVMValueRef value) {
    LLVMValueRef store = LLVMBuildStore(b->ir, value, build_slot_in_cpu(b, slot));
    build_mark(b, store, b->of_cpu);
    LLVMSetVolatile(store, b->region->exact);
}

void build_store_slot(struct build *b, unsigned slot) {
    store_in_cpu(b, slot, build_get(b, slot));
}

void build_store_slots(struct build *b, bool pinned) {
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        bool wanted = pinned || !build_is_pinned(b, slot);
        if (b->now.dirty >> slot & 1 && b->promoted[slot] && wanted) build_store_slot(b, slot);
    }
}

void build_store_pins(struct build *b) {
    for (unsigned i = 0; i < b->pins; i++) {
        unsigned slot = b->region->pins[i];
        store_in_cpu(b, slot, b->slot[slot] ? build_get(b, slot) : b->pin[i]);
    }
}

void build_reload(struct build *b, unsigned slot) {
    if (slot == SLOT_ZERO || slot == SLOT_SINK || !b->promoted[slot]) return;
    LLVMValueRef value = LLVMBuildLoad2(b->ir, b->i64, build_slot_in_cpu(b, slot), "");
    build_mark(b, value, b->of_cpu);
    build_set(b, slot, value);
}
