// See discover_values.h. What a uop does is what the interpreter's bodies do; here is only what is worth knowing without values: how large results can be, and
// what a branch says of its operands.
//
// This is for finding jump tables, not for proving: stores are believed to change only what is reached by the same base, and facts outlive joins. What comes out
// is checked by whoever asks (discover_tables.c).
#include "aot/discover_values.h"
#include "translator/interp/interp.h"
#include <stdlib.h>
#include <string.h>

enum { NODE_NONE = 0 };  // no node: a slot that was not looked at yet, no base

// ---- nodes

static uint32_t add_node(struct values *values, struct node node) {
    values->node[values->nodes] = node;
    return values->nodes++;
}

static uint32_t unknown(struct values *values) {
    return add_node(values, (struct node){.kind = NODE_UNKNOWN, .limit = UINT64_MAX});
}

uint32_t values_constant(struct values *values, uint64_t value) {
    return add_node(values, (struct node){.kind = NODE_CONSTANT, .imm = value, .limit = value, .value = value, .known = true});
}

void values_begin(struct values *values, const struct search *search) {
    const struct guest_isa *isa = search->image.isa;
    values->search = search;
    values->nodes = 1;
    values->facts = values->cells = values->next_cell = 0;
    memset(values->slot, 0, sizeof values->slot);
    memset(values->own, 0, sizeof values->own);
    for (const uint8_t *slot = isa->kept; *slot; slot++) values->own[*slot] = true;
    values->slot[SLOT_ZERO] = values_constant(values, 0);
    if (isa->global && search->global) values->slot[isa->global] = values_constant(values, search->global);
}

bool values_are_full(const struct values *values) {
    return values->nodes + 4 * BLOCK_MAX_UOPS > VALUES_NODES;
}

static uint32_t slot_node(struct values *values, unsigned slot) {
    if (!values->slot[slot]) values->slot[slot] = unknown(values);
    return values->slot[slot];
}

// ---- computing

// Whether the uop computes a result from its operands alone, and on integers.
static bool is_pure(const struct uop *uop) {
    enum uop_format format = uop_info[uop->code].format;
    bool operands = format == UOP_FORMAT_DS || format == UOP_FORMAT_DSS || format == UOP_FORMAT_DSI;
    return operands && uop->code < UOP_ld8s;
}

static uint64_t compute(struct cpu *cpu, unsigned code, uint64_t b, uint64_t c, uint64_t imm) {
    enum { A = 1, B, C };
    cpu->slot[B] = b, cpu->slot[C] = c;
    const struct cell cell = {.a = A, .b = B, .c = C, .imm = (int32_t)imm};
    interp_body[code](cpu, &cell);
    return cpu->slot[A];
}

// How large the result of a uop on node b can be at most.
static uint64_t limit_of(const struct values *values, const struct uop *uop, uint32_t b, uint32_t c) {
    const struct node *left = &values->node[b], *right = &values->node[c];
    switch (uop->code) {
    case UOP_zextb: return UINT8_MAX;
    case UOP_zexth: return UINT16_MAX;
    case UOP_zextw: return UINT32_MAX;
    case UOP_andi: return uop->imm >= 0 ? (uint64_t)uop->imm : UINT64_MAX;
    case UOP_and: return left->limit < right->limit ? left->limit : right->limit;
    case UOP_srli: return left->limit >> uop->imm;
    case UOP_remu: return right->known && right->value ? right->value - 1 : UINT64_MAX;
    case UOP_bext:
    case UOP_bexti:
    case UOP_slt:
    case UOP_sltu:
    case UOP_slti:
    case UOP_sltiu: return 1;
    case UOP_sextw: return left->limit <= INT32_MAX ? left->limit : UINT64_MAX;
    default: return UINT64_MAX;
    }
}

static void compute_uop(struct values *values, const struct uop *uop) {
    uint32_t b = slot_node(values, uop->b);
    bool two = uop_info[uop->code].format == UOP_FORMAT_DSS;
    uint32_t c = two ? slot_node(values, uop->c) : b;
    struct node node = {.kind = NODE_UOP, .code = uop->code, .b = b, .c = c, .imm = (uint64_t)uop->imm};
    node.known = values->node[b].known && values->node[c].known;
    if (node.known) node.value = compute(&values->cpu, uop->code, values->node[b].value, values->node[c].value, node.imm);
    node.limit = limit_of(values, uop, b, c);
    values->slot[uop->a] = uop->code == UOP_mov ? b : add_node(values, node);
}

// ---- memory

static unsigned access_width(unsigned code) {
    switch (code) {
    case UOP_ld8s:
    case UOP_ld8u:
    case UOP_st8: return 1;
    case UOP_ld16s:
    case UOP_ld16u:
    case UOP_st16: return 2;
    case UOP_ld32s:
    case UOP_ld32u:
    case UOP_st32: return 4;
    case UOP_ld64:
    case UOP_st64: return 8;
    default: return 0;
    }
}

// The place of an access as a node and a distance from it, so that all accesses by one base are comparable.
static struct memory_cell place_of(struct values *values, const struct uop *uop) {
    uint32_t root = slot_node(values, uop->b);
    uint64_t offset = (uint64_t)uop->imm;
    for (; !values->node[root].known && values->node[root].code == UOP_addi && values->node[root].kind == NODE_UOP;
         root = values->node[root].b)
        offset += values->node[root].imm;
    if (values->node[root].known) offset += values->node[root].value, root = NODE_NONE;
    struct memory_cell cell = {.root = root, .offset = offset, .width = (uint8_t)access_width(uop->code)};
    for (const uint8_t *slot = values->search->image.isa->kept; *slot; slot++) cell.kept |= values->slot[*slot] == root;
    return cell;
}

static struct memory_cell *find_cell(struct values *values, const struct memory_cell *wanted) {
    for (uint32_t i = 0; i < values->cells; i++) {
        struct memory_cell *cell = &values->cell[i];
        if (cell->width == wanted->width && cell->root == wanted->root && cell->offset == wanted->offset) return cell;
    }
    return NULL;
}

static void add_cell(struct values *values, const struct memory_cell *cell) {
    values->cell[values->next_cell] = *cell;
    values->next_cell = (values->next_cell + 1) % VALUES_CELLS;
    if (values->cells < VALUES_CELLS) values->cells++;
}

static void overwrite(struct values *values, const struct memory_cell *by) {
    for (uint32_t i = 0; i < values->cells; i++) {
        struct memory_cell *cell = &values->cell[i];
        bool overlaps =
            cell->root == by->root && cell->offset - by->offset + cell->width - 1 < (uint64_t)cell->width + by->width - 1;
        if (overlaps) cell->width = 0;
    }
}

// The sink is a slot like any other here, whose value nobody asks for.
static uint32_t extend(struct values *values, unsigned code, uint32_t node) {
    const struct uop uop = {.code = (uint16_t)code, .a = SLOT_SINK, .b = SLOT_SINK};
    values->slot[SLOT_SINK] = node;
    compute_uop(values, &uop);
    return values->slot[SLOT_SINK];
}

static uint32_t address_node(struct values *values, const struct uop *access) {
    struct uop sum = {.code = UOP_addi, .a = SLOT_SINK, .b = access->b, .imm = access->imm};
    if (!access->imm) return slot_node(values, access->b);
    compute_uop(values, &sum);
    return values->slot[SLOT_SINK];
}

static void load(struct values *values, const struct uop *uop) {
    struct memory_cell place = place_of(values, uop), *known = find_cell(values, &place);
    if (known) {
        place.node = known->node;
    } else {
        uint32_t address = address_node(values, uop);
        uint64_t limit = place.width == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * place.width) - 1;
        place.node = add_node(values, (struct node){.kind = NODE_MEMORY, .width = place.width, .b = address, .limit = limit});
        add_cell(values, &place);
    }
    unsigned code = uop->code == UOP_ld8s    ? UOP_sextb
                    : uop->code == UOP_ld16s ? UOP_sexth
                    : uop->code == UOP_ld32s ? UOP_sextw
                                             : UOP_mov;
    values->slot[uop->a] = code == UOP_mov ? place.node : extend(values, code, place.node);
}

static void store(struct values *values, const struct uop *uop) {
    struct memory_cell place = place_of(values, uop);
    overwrite(values, &place);
    uint32_t node = slot_node(values, uop->c);
    unsigned code = place.width == 1 ? UOP_zextb : place.width == 2 ? UOP_zexth : place.width == 4 ? UOP_zextw : UOP_mov;
    place.node = code == UOP_mov ? node : extend(values, code, node);
    add_cell(values, &place);
}

void values_call(struct values *values) {
    for (unsigned slot = 1; slot < CPU_SLOTS; slot++) {
        if (!values->own[slot]) values->slot[slot] = NODE_NONE;
    }
    for (uint32_t i = 0; i < values->cells; i++) {
        if (!values->cell[i].kept) values->cell[i].width = 0;
    }
}

void values_step(struct values *values, const struct uop *uop, uint64_t pc) {
    enum uop_format format = uop_info[uop->code].format;
    unsigned width = access_width(uop->code);
    if (uop->code == UOP_li) values->slot[uop->a] = values_constant(values, (uint64_t)uop->imm);
    else if (uop->code == UOP_lipc) values->slot[uop->a] = values_constant(values, pc + (uint64_t)uop->imm);
    else if (is_pure(uop)) compute_uop(values, uop);
    else if (width && format == UOP_FORMAT_LOAD) load(values, uop);
    else if (width && format == UOP_FORMAT_STORE) store(values, uop);
    else if (uop_format_writes(format)) values->slot[uop->a] = NODE_NONE;
}

// ---- facts

enum relation { EQUAL, UNEQUAL, LESS, NOT_LESS, BELOW, NOT_BELOW };  // signed, signed, unsigned, unsigned

// The older half is forgotten when there are too many.
static void add_fact(struct values *values, struct fact fact) {
    enum { HALF = VALUES_FACTS / 2 };
    if (values->facts == VALUES_FACTS) {
        memcpy(values->fact, values->fact + HALF, HALF * sizeof *values->fact);
        values->facts = HALF;
    }
    values->fact[values->facts++] = fact;
}

static const struct fact anything = {.high = UINT64_MAX, .signed_low = INT64_MIN, .signed_high = INT64_MAX};

// What `node relation value` says; with `flip`, `value relation node`. Of inequality, nothing.
static struct fact compare(enum relation relation, uint64_t value, bool flip) {
    struct fact fact = anything;
    int64_t as_signed = (int64_t)value;
    bool below = relation == BELOW, not_below = relation == NOT_BELOW, less = relation == LESS, not_less = relation == NOT_LESS;
    if (relation == EQUAL) fact.low = fact.high = value;
    if (!flip && below && value) fact.high = value - 1;
    if (!flip && not_below) fact.low = value;
    if (flip && below && value != UINT64_MAX) fact.low = value + 1;
    if (flip && not_below) fact.high = value;
    if (!flip && less && as_signed != INT64_MIN) fact.signed_high = as_signed - 1;
    if (!flip && not_less) fact.signed_low = as_signed;
    if (flip && less && as_signed != INT64_MAX) fact.signed_low = as_signed + 1;
    if (flip && not_less) fact.signed_high = as_signed;
    return fact;
}

// The node that this one is an extension of, where the extension changes nothing about small values; NODE_NONE otherwise.
static uint32_t extended(const struct values *values, uint32_t at) {
    const struct node *node = &values->node[at], *operand = &values->node[node->b];
    if (node->kind != NODE_UOP) return NODE_NONE;
    bool shifts = (node->code == UOP_srli || node->code == UOP_srai) && operand->kind == NODE_UOP && operand->code == UOP_slli;
    if (shifts && operand->imm == node->imm) return operand->b;
    switch (node->code) {
    case UOP_sextb:
    case UOP_sexth:
    case UOP_sextw:
    case UOP_zextb:
    case UOP_zexth:
    case UOP_zextw: return node->b;
    case UOP_addiw: return node->imm ? NODE_NONE : node->b;
    case UOP_andi: return node->imm & (node->imm + 1) ? NODE_NONE : node->b;
    default: return NODE_NONE;
    }
}

static void state(struct values *values, uint32_t node, struct fact fact, uint32_t step) {
    fact.step = step;
    for (; node; node = extended(values, node)) {
        fact.node = node;
        add_fact(values, fact);
    }
}

static void relate(struct values *values, enum relation relation, uint32_t b, uint32_t c, uint32_t step) {
    const struct node *left = &values->node[b], *right = &values->node[c];
    if (right->known) state(values, b, compare(relation, right->value, false), step);
    if (left->known) state(values, c, compare(relation, left->value, true), step);
}

// A comparison whose result is `truth`.
static bool relate_compared(struct values *values, uint32_t at, bool truth, uint32_t step) {
    const struct node node = values->node[at];
    bool is_unsigned = node.code == UOP_sltu || node.code == UOP_sltiu, immediate = node.code == UOP_slti || node.code == UOP_sltiu;
    if (node.kind != NODE_UOP || !(is_unsigned || immediate || node.code == UOP_slt)) return false;
    enum relation relation = is_unsigned ? (truth ? BELOW : NOT_BELOW) : truth ? LESS : NOT_LESS;
    relate(values, relation, node.b, immediate ? values_constant(values, node.imm) : node.c, step);
    return true;
}

static enum relation relation_of(unsigned code, bool taken) {
    switch (code) {
    case UOP_beq: return taken ? EQUAL : UNEQUAL;
    case UOP_bne: return taken ? UNEQUAL : EQUAL;
    case UOP_blt: return taken ? LESS : NOT_LESS;
    case UOP_bge: return taken ? NOT_LESS : LESS;
    case UOP_bltu: return taken ? BELOW : NOT_BELOW;
    default: return taken ? NOT_BELOW : BELOW;
    }
}

void values_branch(struct values *values, const struct uop *uop, bool taken, uint32_t step) {
    enum relation relation = relation_of(uop->code, taken);
    uint32_t b = slot_node(values, uop->b), c = slot_node(values, uop->c);
    bool zero = values->node[c].known && !values->node[c].value;
    if ((relation == EQUAL || relation == UNEQUAL) && zero && relate_compared(values, b, relation == UNEQUAL, step)) return;
    relate(values, relation, b, c, step);
}

bool values_bounds(const struct values *values, uint32_t node, uint32_t step, uint64_t *low, uint64_t *high) {
    struct fact all = anything;
    for (uint32_t i = 0; i < values->facts; i++) {
        const struct fact *fact = &values->fact[i];
        if (fact->node != node || fact->step < step) continue;
        if (fact->low > all.low) all.low = fact->low;
        if (fact->high < all.high) all.high = fact->high;
        if (fact->signed_low > all.signed_low) all.signed_low = fact->signed_low;
        if (fact->signed_high < all.signed_high) all.signed_high = fact->signed_high;
    }
    if (all.high > INT64_MAX && all.signed_low >= 0) all.high = INT64_MAX;
    bool positive = all.signed_low >= 0 || all.high <= INT64_MAX;
    if (positive && all.signed_low > 0 && (uint64_t)all.signed_low > all.low) all.low = (uint64_t)all.signed_low;
    if (positive && all.signed_high >= 0 && (uint64_t)all.signed_high < all.high) all.high = (uint64_t)all.signed_high;
    *low = all.low, *high = all.high;
    return all.high < INT64_MAX && all.low <= all.high;
}

// ---- cones

static bool wants(struct cone *cone, uint32_t node) {
    uint32_t at = cone->count;
    for (uint32_t i = 0; i < cone->count; i++) {
        if (cone->node[i] == node) return true;
    }
    if (cone->count == CONE_NODES) return false;
    for (; at > 0 && cone->node[at - 1] > node; at--) cone->node[at] = cone->node[at - 1];
    cone->node[at] = node;
    cone->count++;
    return true;
}

static uint32_t index_in(const struct cone *cone, uint32_t node) {
    uint32_t i = 0;
    while (i < cone->count && cone->node[i] != node) i++;
    return i;
}

// Memory at a place that does not depend on the cut is worth looking at only where nobody writes.
static bool is_settled(const struct values *values, struct cone *cone) {
    uint8_t depends[CONE_NODES + 1] = {0};  // 1: on the cut, more: on memory that does
    for (uint32_t i = 0; i < cone->count; i++) {
        const struct node *node = &values->node[cone->node[i]];
        depends[i] = cone->node[i] == cone->cut;
        cone->reads[i] = 0;
        if (depends[i] || node->kind == NODE_CONSTANT) continue;
        cone->b[i] = (uint16_t)index_in(cone, node->b);
        cone->c[i] = node->kind == NODE_UOP ? (uint16_t)index_in(cone, node->c) : cone->b[i];
        uint8_t left = depends[cone->b[i]], right = depends[cone->c[i]];
        depends[i] = left > right ? left : right;
        if (node->kind == NODE_MEMORY && depends[i]) cone->reads[i] = depends[i]++;
        const struct node *address = &values->node[node->b];
        if (node->kind != NODE_MEMORY || depends[i]) continue;
        if (!address->known || !image_is_constant(&values->search->image, address->value)) return false;
    }
    return depends[cone->count - 1] != 0;
}

// From the last node to the first: operands are always before their node.
bool values_cone(const struct values *values, uint32_t result, uint32_t cut, struct cone *cone) {
    cone->count = 0, cone->cut = cut;
    wants(cone, result);
    for (uint32_t i = 1; i <= cone->count; i++) {
        uint32_t at = cone->node[cone->count - i];
        const struct node *node = &values->node[at];
        if (at == cut || node->kind == NODE_CONSTANT) continue;
        if (node->kind == NODE_UNKNOWN && cut) return false;
        if (node->kind == NODE_UNKNOWN) continue;
        if (!wants(cone, node->b) || (node->kind == NODE_UOP && !wants(cone, node->c))) return false;
    }
    return !cut || is_settled(values, cone);
}

bool values_compute(struct values *values, struct cone *cone, uint64_t cut, uint64_t *result) {
    uint64_t got[CONE_NODES] = {0};
    for (uint32_t i = 0; i < cone->count; i++) {
        const struct node *node = &values->node[cone->node[i]];
        if (cone->node[i] == cone->cut) got[i] = cut;
        else if (node->kind == NODE_CONSTANT) got[i] = node->imm;
        else if (node->kind == NODE_UOP) got[i] = compute(&values->cpu, node->code, got[cone->b[i]], got[cone->c[i]], node->imm);
        else if (!image_read(&values->search->image, cone->address[i] = got[cone->b[i]], node->width, &got[i])) return false;
    }
    *result = got[cone->count - 1];
    return true;
}
