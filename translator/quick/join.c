// Bytes that lie side by side: see join.h.
#include "translator/quick/join.h"
#include "translator/ir/pieces.h"
#include <string.h>

enum { LEAST_BYTES = 4 };

struct planning {
    const struct block *block;
    const uint16_t *code;  // every other one is a cell's
    unsigned count;
    bool (*in_line)(unsigned code);
    struct join *join;
    unsigned groups;
    uint8_t group_bytes[JOIN_GROUPS + 1];
    bool worth[JOIN_GROUPS + 1];
    struct join_value value[CPU_SLOTS];
};

static unsigned code_of(const struct planning *p, unsigned cell) {
    return p->code[2 * cell];
}

static const struct cell *cell_of(const struct planning *p, unsigned cell) {
    return &p->block->code->cell[cell];
}

static bool is_data(const struct planning *p, unsigned cell) {
    return code_of(p, cell) == CELL_OTHER || code_of(p, cell) == CELL_PC;
}

// ---- which loads make up a whole

static bool make_group(void *user, const struct piece *const *part, unsigned parts, unsigned bytes, unsigned earliest) {
    struct planning *p = user;
    if (p->groups == JOIN_GROUPS) return false;
    p->group_bytes[++p->groups] = (uint8_t)bytes;
    for (unsigned i = 0; i < parts; i++) {
        p->join[part[i]->at] =
            (struct join){.role = JOIN_VALUE, .value = {.group = (uint8_t)p->groups, .low = (uint8_t)i, .count = 1}};
    }
    p->join[earliest].first = true;
    p->join[earliest].bytes = (uint8_t)bytes;
    p->join[earliest].imm = (int32_t)part[0]->imm;
    return true;
}

static void find_groups(struct planning *p) {
    struct pieces pieces = {.join = make_group, .user = p, .least_bytes = LEAST_BYTES};
    for (unsigned i = 0; i < p->count; i += cell_width(code_of(p, i))) {
        const struct cell *u = cell_of(p, i);
        const struct uop uop = {.a = u->a, .b = u->b, .imm = u->imm};
        if (!is_data(p, i)) pieces_add(&pieces, i, cell_format(code_of(p, i)), &uop, code_of(p, i) == UOP_ld8u);
    }
    pieces_close(&pieces);
}

// ---- what becomes of the bytes

static struct join_value shifted(struct join_value v, unsigned bits, unsigned most_bytes) {
    unsigned at = v.at + bits / 8;
    if (v.extended || bits % 8 || at + v.count > most_bytes) return (struct join_value){0};
    v.at = (uint8_t)at;
    v.extended = most_bytes == 4 && at + v.count == 4;
    return v;
}

static bool follows(const struct join_value *low, const struct join_value *high) {
    return low->at + low->count == high->at && !low->extended;
}

// Two halves, side by side in the whole as well as in the number.
static struct join_value combined(struct join_value v, struct join_value w) {
    if (!v.group || v.group != w.group) return (struct join_value){0};
    if (v.at > w.at) return combined(w, v);
    if (!follows(&v, &w)) return (struct join_value){0};
    bool up = (v.count == 1 || !v.reversed) && (w.count == 1 || !w.reversed) && v.low + v.count == w.low;
    bool down = (v.count == 1 || v.reversed) && (w.count == 1 || w.reversed) && w.low + w.count == v.low;
    if (!up && !down) return (struct join_value){0};
    return (struct join_value){.group = v.group,
                               .low = up ? v.low : w.low,
                               .count = (uint8_t)(v.count + w.count),
                               .at = v.at,
                               .reversed = down,
                               .extended = w.extended};
}

static struct join_value result_of(const struct planning *p, unsigned cell) {
    const struct cell *u = cell_of(p, cell);
    struct join_value b = p->value[u->b];
    switch (code_of(p, cell)) {
    case UOP_slli: return b.group ? shifted(b, (unsigned)u->imm, 8) : b;
    case UOP_slliw: return b.group ? shifted(b, (unsigned)u->imm, 4) : b;
    case UOP_or: return combined(b, p->value[u->c]);
    default: return (struct join_value){0};
    }
}

// Whether as many stores of bytes from this cell on store as many bytes of one whole, side by side; then it stores them all.
static bool plan_store(struct planning *p, unsigned cell, unsigned bytes) {
    const struct cell *u = cell_of(p, cell);
    const struct join_value *first = &p->value[u->c];
    unsigned found = 0;
    int32_t lowest = u->imm, low = first->low;
    for (unsigned i = 0; i < bytes; i++) {
        if (cell + i >= p->count || code_of(p, cell + i) != UOP_st8) return false;
        const struct cell *other = u + i;
        const struct join_value *v = &p->value[other->c];
        if (other->b != u->b || v->group != first->group || v->at || v->reversed || v->low - other->imm != first->low - u->imm)
            return false;
        if (other->imm < lowest) lowest = other->imm, low = v->low;
    }
    for (unsigned i = 0; i < bytes; i++) {
        int32_t distance = u[i].imm - lowest;
        if (distance < (int32_t)bytes) found |= 1u << distance;
    }
    if (found != (1u << bytes) - 1) return false;
    struct join_value whole = {.group = first->group, .low = (uint8_t)low, .count = (uint8_t)bytes};
    p->join[cell] = (struct join){.role = JOIN_STORE, .bytes = (uint8_t)bytes, .imm = lowest, .value = whole};
    for (unsigned i = 1; i < bytes; i++) p->join[cell + i] = (struct join){.role = JOIN_STORED, .value = whole};
    return true;
}

static void plan_stores(struct planning *p, unsigned cell) {
    const struct join_value *v = &p->value[cell_of(p, cell)->c];
    for (unsigned bytes = p->group_bytes[v->group]; bytes >= LEAST_BYTES; bytes /= 2) {
        if (!plan_store(p, cell, bytes)) continue;
        p->worth[v->group] = true;
        return;
    }
}

static void follow_values(struct planning *p) {
    for (unsigned i = 0; i < p->count; i += cell_width(code_of(p, i))) {
        const struct cell *u = cell_of(p, i);
        struct join *join = &p->join[i];
        if (is_data(p, i)) continue;
        if (code_of(p, i) == UOP_st8 && p->value[u->c].group && join->role == JOIN_NOTHING) plan_stores(p, i);
        if (!uop_format_writes(cell_format(code_of(p, i)))) continue;
        struct join_value v = join->role == JOIN_VALUE ? join->value : result_of(p, i);
        if (v.group) join->role = JOIN_VALUE, join->value = v;
        if (v.count >= LEAST_BYTES) p->worth[v.group] = true;
        p->value[u->a] = v;
        if (cell_format(code_of(p, i)) == UOP_FORMAT_AMO) p->value[u->a + 1] = (struct join_value){0};  // some write two
    }
}

// ---- what is seen of it

static void drop_the_rest(struct planning *p) {
    bool known[JOIN_GROUPS + 1] = {0};
    for (unsigned i = p->count; i-- > 0;) {
        struct join *join = &p->join[i];
        if (!p->worth[join->value.group]) join->role = JOIN_NOTHING;
        if (join->role == JOIN_NOTHING) continue;
        join->last = !known[join->value.group];
        known[join->value.group] = true;
    }
}

static bool reads(const struct cell *u, enum uop_format format, unsigned slot) {
    return u->b == slot || u->c == slot || (format == UOP_FORMAT_DSSS && u->d == slot);
}

// Whether what the cell writes can be seen: a fault may show it, or code outside of the block.
static bool is_seen(const struct planning *p, unsigned cell) {
    unsigned slot = cell_of(p, cell)->a;
    for (unsigned i = cell + 1; i < p->count; i += cell_width(code_of(p, i))) {
        const struct cell *u = cell_of(p, i);
        const struct join *join = &p->join[i];
        enum uop_format format = cell_format(code_of(p, i));
        if (is_data(p, i) || join->role == JOIN_STORED) continue;
        if (join->role == JOIN_STORE || join->first) return true;
        bool plain = join->role == JOIN_VALUE || (pieces_pass(format) && p->in_line(code_of(p, i)));
        if (!plain || (join->role == JOIN_NOTHING && reads(u, format, slot))) return true;
        if (uop_format_writes(format) && u->a == slot) return false;
    }
    return true;
}

static bool has_enough_bytes(const struct block *block, unsigned count) {
    unsigned bytes = 0;
    for (unsigned i = 0; i < count; i++) bytes += block->code->about->cell_code[2 * i] == UOP_ld8u;
    return bytes >= LEAST_BYTES;
}

bool join_plan(const struct block *block, unsigned count, bool (*in_line)(unsigned code), struct join join[INTERP_MAX_CELLS]) {
    if (!has_enough_bytes(block, count)) return false;
    struct planning p = {.block = block, .code = block->code->about->cell_code, .count = count, .in_line = in_line, .join = join};
    memset(join, 0, count * sizeof *join);
    find_groups(&p);
    if (!p.groups) return false;
    follow_values(&p);
    drop_the_rest(&p);
    bool any = false;
    for (unsigned i = 0; i < count; i += cell_width(code_of(&p, i))) {
        any |= join[i].role != JOIN_NOTHING;
        if (join[i].role == JOIN_VALUE) join[i].seen = is_seen(&p, i);
    }
    return any;
}
