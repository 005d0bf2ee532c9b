// Loads of pieces that lie side by side, joined into one. Programs for processors without misaligned accesses put numbers together from
// bytes; given one load and shifts of it, LLVM sees through that.
#include "translator/llvm/build.h"
#include <string.h>

enum { MOST_BYTES = 8, WINDOW = 48 };

// A load whose place among others is known: the same `value` of the base slot, `imm` bytes on.
struct piece {
    unsigned at, base, value, bytes;
    int64_t imm;
};

struct window {
    struct build *b;
    struct piece piece[WINDOW];
    unsigned pieces;
    unsigned value[CPU_SLOTS];  // counts how often a slot was written
};

static unsigned piece_bytes(unsigned code) {
    switch (code) {
    case UOP_ld8s:
    case UOP_ld8u: return 1;
    case UOP_ld16s:
    case UOP_ld16u: return 2;
    case UOP_ld32s:
    case UOP_ld32u: return 4;
    default: return 0;
    }
}

// The piece that begins at that distance from where `first` does, if it ends within `bytes`.
static const struct piece *piece_at(const struct window *w, const struct piece *first, unsigned distance, unsigned bytes) {
    for (unsigned i = 0; i < w->pieces; i++) {
        const struct piece *p = &w->piece[i];
        bool same = p->base == first->base && p->value == first->value && !w->b->joined[p->at].bytes;
        if (same && p->imm == first->imm + (int64_t)distance && distance + p->bytes <= bytes) return p;
    }
    return NULL;
}

// Joins what makes up exactly that many bytes from `first` on.
static bool join(struct window *w, const struct piece *first, unsigned bytes) {
    const struct piece *part[MOST_BYTES];
    unsigned parts = 0, earliest = first->at;
    for (unsigned distance = 0; distance < bytes;) {
        const struct piece *p = piece_at(w, first, distance, bytes);
        if (!p) return false;
        if (p->at < earliest) earliest = p->at;
        part[parts++] = p;
        distance += p->bytes;
    }
    if (parts < 2) return false;
    for (unsigned i = 0, shift = 0; i < parts; shift += 8 * part[i++]->bytes)
        w->b->joined[part[i]->at] = (struct joined){earliest, bytes, shift, first->imm};
    return true;
}

static void close_window(struct window *w) {
    for (unsigned bytes = MOST_BYTES; bytes > 1; bytes /= 2) {
        for (unsigned i = 0; i < w->pieces; i++) {
            if (!w->b->joined[w->piece[i].at].bytes) join(w, &w->piece[i], bytes);
        }
    }
    w->pieces = 0;
}

static bool is_transparent(enum uop_format format) {
    return (format <= UOP_FORMAT_LOAD && format != UOP_FORMAT_NONE) || format == UOP_FORMAT_LINK;  // fences have no operands
}

static void add(struct window *w, const struct uop *u, unsigned at) {
    unsigned bytes = piece_bytes(u->code);
    if (bytes && w->pieces == WINDOW) close_window(w);
    if (bytes) w->piece[w->pieces++] = (struct piece){at, u->b, w->value[u->b], bytes, u->imm};
    if (uop_format_writes(uop_info[u->code].format)) w->value[u->a]++;
}

void build_join_loads(struct build *b) {
    const struct ir_block *ir = b->block->ir;
    struct window w = {.b = b};
    memset(b->joined, 0, sizeof *b->joined * ir->count);
    for (unsigned i = 0; i < ir->count; i++) {
        if (!is_transparent(uop_info[ir->uop[i].code].format)) close_window(&w);
        add(&w, &ir->uop[i], i);
    }
    close_window(&w);
}

LLVMValueRef build_joined_load(struct build *b, const struct uop *u, LLVMTypeRef type) {
    const struct joined *joined = &b->joined[u - b->block->ir->uop];
    LLVMValueRef *whole = &b->whole[joined->first];
    if (u - b->block->ir->uop == joined->first) {
        *whole = build_wide_load(b, u->b, joined->imm, LLVMIntTypeInContext(b->context, 8 * joined->bytes));
    }
    LLVMValueRef shift = LLVMConstInt(LLVMTypeOf(*whole), joined->shift, 0);
    return LLVMBuildTrunc(b->ir, LLVMBuildLShr(b->ir, *whole, shift, ""), type, "");
}
