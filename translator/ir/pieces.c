// Loads of pieces that lie side by side: see pieces.h.
#include "translator/ir/pieces.h"

// The piece that begins at that distance from where `first` does, if it ends within `bytes`.
static struct piece *piece_at(struct pieces *p, const struct piece *first, unsigned distance, unsigned bytes) {
    for (unsigned i = 0; i < p->count; i++) {
        struct piece *piece = &p->piece[i];
        bool same = piece->base == first->base && piece->version == first->version && !piece->taken;
        if (same && piece->imm == first->imm + (int64_t)distance && distance + piece->bytes <= bytes) return piece;
    }
    return NULL;
}

// Joins what makes up exactly that many bytes from `first` on.
static void join(struct pieces *p, const struct piece *first, unsigned bytes) {
    struct piece *part[PIECES_MOST_BYTES];
    unsigned parts = 0, earliest = first->at;
    if (first->taken) return;
    for (unsigned distance = 0; distance < bytes; distance += part[parts++]->bytes) {
        part[parts] = piece_at(p, first, distance, bytes);
        if (!part[parts]) return;
        if (part[parts]->at < earliest) earliest = part[parts]->at;
    }
    if (parts < 2 || !p->join(p->user, (const struct piece *const *)part, parts, bytes, earliest)) return;
    for (unsigned i = 0; i < parts; i++) part[i]->taken = true;
}

void pieces_close(struct pieces *pieces) {
    for (unsigned bytes = PIECES_MOST_BYTES; bytes >= pieces->least_bytes; bytes /= 2) {
        for (unsigned i = 0; i < pieces->count; i++) join(pieces, &pieces->piece[i], bytes);
    }
    pieces->count = 0;
}

bool pieces_pass(enum uop_format format) {
    return (format < UOP_FORMAT_LOAD && format != UOP_FORMAT_NONE) || format == UOP_FORMAT_LINK;  // fences have no operands
}

void pieces_add(struct pieces *pieces, unsigned at, enum uop_format format, const struct uop *u, unsigned bytes) {
    bool stays = pieces_pass(format) || format == UOP_FORMAT_LOAD;
    if (!stays || (bytes && pieces->count == PIECES_WINDOW)) pieces_close(pieces);
    if (bytes) pieces->piece[pieces->count++] = (struct piece){at, u->b, pieces->version[u->b], bytes, u->imm, false};
    if (uop_format_writes(format)) pieces->version[u->a]++;
}
