// The quick tier's code on x86-64 hosts for bytes that lie side by side (join.h). A whole is a temporary, whose parts are made where they are seen.
#ifdef __x86_64__
#include "translator/quick/emit_x86_64.h"

enum { FIRST_WHOLE = SLOT_SINK - JOIN_GROUPS };  // slots that no block's temporaries come to

static unsigned slot_of_whole(unsigned group) {
    return FIRST_WHOLE + group - 1;
}

static void emit_whole(struct unit *e, const struct cell *u, const struct join *join) {
    unsigned base = in_register(e, u->b), to = fresh(e);
    note_joined_access(e, u);
    asm_rm(A, join->bytes == 8 ? WIDE | 0x8b : 0x8b, to, base, join->imm);
    put(e, slot_of_whole(join->value.group), to);
    lock(e, to);
}

// So many bytes from number `low` on, at the bottom, from a register that holds the whole.
static void take_bytes(struct unit *e, unsigned to, unsigned from, unsigned low, unsigned count, bool extended) {
    if (low == 0 && count == 8) move(e, to, from);
    else if (low == 0 && count == 4) asm_rr(A, extended ? WIDE | 0x63 : 0x8b, to, from);  // movsxd, mov
    else if (low == 0 && count == 2 && !extended) asm_rr(A, 0x0fb7, to, from);  // movzx
    else if (low == 0 && count == 1 && !extended) asm_rr(A, BYTE_RM | 0x0fb6, to, from);
    else {
        move(e, to, from);
        if (low + count < 8) shift_by(e, WIDE, SHL, to, (int32_t)(8 * (8 - low - count)));
        shift_by(e, WIDE, extended ? SAR : SHR, to, (int32_t)(8 * (8 - count)));
    }
}

static void emit_value(struct unit *e, unsigned slot, const struct join_value *v) {
    unsigned whole = in_register(e, slot_of_whole(v->group)), low = v->low;
    unsigned to = destination(e, slot), from = whole;
    if (v->reversed) {
        move(e, to, whole);
        reverse_bytes(e, to);
        from = to, low = 8 - low - v->count;
    }
    take_bytes(e, to, from, low, v->count, v->extended);
    if (v->at) shift_by(e, WIDE, SHL, to, 8 * v->at);
    put(e, slot, to);
}

static void emit_store(struct unit *e, const struct cell *u, const struct join *join) {
    unsigned base = in_register(e, u->b), value = in_register(e, slot_of_whole(join->value.group));
    if (join->value.low) {
        unsigned part = fresh(e);
        move(e, part, value);
        shift_by(e, WIDE, SHR, part, 8 * join->value.low);
        value = part;
    }
    note_joined_access(e, u);
    asm_rm(A, join->bytes == 8 ? WIDE | 0x89 : 0x89, value, base, join->imm);
}

bool quick_emit_joined(struct unit *e, const struct cell *u, const struct join *join) {
    e->locked = 0;
    if (join->role == JOIN_NOTHING) return false;
    if (join->role == JOIN_VALUE && join->first) emit_whole(e, u, join);
    if (join->role == JOIN_VALUE && join->seen) emit_value(e, u->a, &join->value);
    if (join->role == JOIN_STORE) emit_store(e, u, join);
    if (join->last) forget(e, slot_of_whole(join->value.group));
    return true;
}
#endif
