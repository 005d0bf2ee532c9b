// Modules of the store's files: see snapshot.h.
#define ZSTD_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include "cache/snapshot.h"
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

static const uint8_t damaged[FORMAT_ALIGN];  // the bytes of a piece that is

const char *snapshot_check(const struct btree_file *file, bool *other) {
    uint32_t version;
    *other = false;
    if (!btree_check(file, FORMAT_APPLICATION, &version)) return "it is no such database, or was cut";
    *other = version != FORMAT_VERSION;
    return *other ? "another version of Ferry made it" : NULL;
}

// ---- rows

static bool take_bytes(const struct btree_row *row, unsigned column, void *to, size_t size) {
    struct btree_value value;
    if (!btree_column(row, column, &value) || value.type != BTREE_BLOB || value.size != size) return false;
    memcpy(to, value.bytes, size);
    return true;
}

static bool take_name(const struct btree_row *row, unsigned column, struct snapshot_head *head) {
    struct btree_value value;
    if (!btree_column(row, column, &value) || value.type != BTREE_TEXT) return false;
    size_t length = value.size < sizeof head->name ? value.size : sizeof head->name - 1;
    memcpy(head->name, value.bytes, length);
    head->name[length] = 0;
    return true;
}

bool snapshot_head(const struct btree_file *file, int64_t at_least, struct snapshot_tools *tools, struct snapshot_head *head) {
    struct btree_row row;
    struct btree_value size, following;
    static const char *const names[] = {"module", "piece"};
    uint32_t roots[2];
    btree_tables(file, 2, names, roots, &tools->scratch);
    if (!roots[0] || !roots[1] || !btree_seek(file, roots[0], at_least, &tools->scratch, &row)) return false;
    head->root = roots[1];
    head->id = row.id;
    if (row.id < 1 || row.id > FORMAT_MODULES_MAX) return false;
    if (!take_bytes(&row, 1, &head->build, sizeof head->build) || !take_bytes(&row, 2, &head->key, sizeof head->key)) return false;
    if (!take_name(&row, 3, head) || !btree_column(&row, 4, &size) || size.type != BTREE_INTEGER) return false;
    if (size.integer < (int64_t)sizeof(struct format_index) || size.integer > FORMAT_INDEX_MAX) return false;
    head->size = (uint32_t)size.integer;
    if (!btree_column(&row, 6, &following) || following.type != BTREE_INTEGER) return false;
    if (following.integer < 0 || following.integer > FORMAT_MODULES_MAX) return false;
    head->following = (uint32_t)following.integer;
    return take_bytes(&row, 5, head->checksum, FORMAT_CHECKSUM);
}

// ---- pieces

void snapshot_tools_free(struct snapshot_tools *tools) {
    btree_scratch_free(&tools->scratch);
    if (tools->memory) pages_give(tools->memory, ZSTD_estimateDCtxSize());
    if (tools->lent_bytes) pages_give(tools->lent_bytes, (size_t)SNAPSHOT_LENT * SNAPSHOT_LENT_BYTES);
    *tools = (struct snapshot_tools){0};
}

static ZSTD_DCtx *decompressor(struct snapshot_tools *tools) {
    if (!tools->zstd) {
        tools->memory = pages_take(ZSTD_estimateDCtxSize());
        tools->zstd = ZSTD_initStaticDCtx(tools->memory, ZSTD_estimateDCtxSize());
    }
    return tools->zstd;
}

void snapshot_checksum(const uint8_t *bytes, size_t size, uint8_t checksum[FORMAT_CHECKSUM]) {
    XXH128_canonical_t made;
    XXH128_canonicalFromHash(&made, XXH3_128bits(bytes, size));
    _Static_assert(sizeof made == FORMAT_CHECKSUM, "of its size");
    memcpy(checksum, &made, sizeof made);
}

static bool is_right(const uint8_t *bytes, size_t size, const uint8_t *checksum) {
    uint8_t is[FORMAT_CHECKSUM];
    snapshot_checksum(bytes, size, is);
    return !memcmp(is, checksum, sizeof is);
}

bool snapshot_packed(const struct snapshot *s, uint32_t piece, struct snapshot_tools *tools, struct btree_value *packed) {
    int64_t id = s->head.id << FORMAT_PIECE_BITS | piece;
    struct btree_row row;
    return btree_seek(s->file, s->head.root, id, &tools->scratch, &row) && row.id == id && btree_column(&row, 1, packed) &&
           packed->type == BTREE_BLOB;
}

// To `bytes`, or to memory of the snapshot's. Memory for so many bytes is only taken where the file holds what may become as many, since zstd makes at most
// this many of one byte.
static const uint8_t *unpack(struct snapshot *s, uint32_t piece, uint32_t size, const uint8_t *checksum, uint8_t *bytes,
                             struct snapshot_tools *tools) {
    enum { EXPANSION = 1 << 15 };
    struct btree_value packed;
    if (!snapshot_packed(s, piece, tools, &packed) || packed.size < size / EXPANSION) return NULL;
    if (ZSTD_getFrameContentSize(packed.bytes, packed.size) != size) return NULL;
    if (!bytes) bytes = arena_alloc(&s->arena, size, 64);
    bool fine = ZSTD_decompressDCtx(decompressor(tools), bytes, size, packed.bytes, packed.size) == size;
    return fine && is_right(bytes, size, checksum) ? bytes : NULL;
}

const uint8_t *snapshot_piece(struct snapshot *s, uint32_t piece, struct snapshot_tools *tools) {
    const struct format_piece *about = &s->piece[piece - 1];
    const uint8_t **bytes = &s->bytes[piece - 1];
    if (!*bytes) *bytes = unpack(s, piece, about->size, about->checksum, NULL, tools);
    if (!*bytes) *bytes = damaged;
    return *bytes == damaged ? NULL : *bytes;
}

const uint8_t *snapshot_lend(struct snapshot *s, uint32_t piece, struct snapshot_tools *tools) {
    const struct format_piece *about = &s->piece[piece - 1];
    if (s->bytes[piece - 1] || about->size > SNAPSHOT_LENT_BYTES) return snapshot_piece(s, piece, tools);
    if (!tools->lent_bytes) tools->lent_bytes = pages_take((size_t)SNAPSHOT_LENT * SNAPSHOT_LENT_BYTES);
    for (unsigned i = 0; i < SNAPSHOT_LENT; i++) {
        if (tools->lent[i].of == s && tools->lent[i].piece == piece) return tools->lent_bytes + (size_t)i * SNAPSHOT_LENT_BYTES;
    }
    unsigned at = tools->next_lent++ % SNAPSHOT_LENT;
    uint8_t *to = tools->lent_bytes + (size_t)at * SNAPSHOT_LENT_BYTES;
    tools->lent[at].of = NULL;
    if (!unpack(s, piece, about->size, about->checksum, to, tools)) {
        s->bytes[piece - 1] = damaged;
        return NULL;
    }
    tools->lent[at].of = s;
    tools->lent[at].piece = piece;
    return to;
}

bool snapshot_try(struct snapshot *s, uint32_t piece, struct snapshot_tools *tools) {
    const struct format_piece *about = &s->piece[piece - 1];
    if (s->bytes[piece - 1] || about->size <= SNAPSHOT_LENT_BYTES) return snapshot_lend(s, piece, tools);
    uint8_t *bytes = pages_take(about->size);
    bool right = unpack(s, piece, about->size, about->checksum, bytes, tools);
    pages_give(bytes, about->size);
    return right;
}

// ---- the index

static bool is_place(const struct snapshot *s, const struct format_place *p) {
    if (!p->piece || p->piece > s->pieces || !p->size || p->size > FORMAT_RECORD_MAX || p->offset % FORMAT_ALIGN) return false;
    uint32_t size = s->piece[p->piece - 1].size;
    return p->offset <= size && p->size <= size - p->offset;
}

static bool are_places(const struct snapshot *s) {
    for (uint32_t i = 0; i < s->places; i++) {
        const struct format_place *p = &s->place[i];
        if (!is_place(s, p) || (i && !format_before(p - 1, p->entry, p->kind))) return false;
    }
    return true;
}

static bool are_pieces(const struct snapshot *s) {
    for (uint32_t i = 0; i < s->pieces; i++) {
        if (!s->piece[i].size || s->piece[i].size > FORMAT_RECORD_MAX + FORMAT_PIECE_BYTES) return false;
    }
    return true;
}

bool snapshot_index(struct snapshot *s, const uint8_t *bytes, size_t size) {
    struct format_index head;
    if (size < sizeof head) return false;
    memcpy(&head, bytes, sizeof head);
    if (memcmp(&head.build, &s->head.build, sizeof head.build) || memcmp(&head.module, &s->head.key, sizeof head.module))
        return false;
    if (head.magic != FORMAT_INDEX_MAGIC || head.zero || head.pieces > FORMAT_PIECES_MAX || head.places > FORMAT_INDEX_MAX)
        return false;
    uint64_t pieces = (uint64_t)head.pieces * sizeof *s->piece, places = (uint64_t)head.places * sizeof *s->place;
    if (size != sizeof head + pieces + places) return false;
    s->pieces = head.pieces;
    s->places = head.places;
    s->piece = (const void *)(bytes + sizeof head);
    s->place = (const void *)(bytes + sizeof head + pieces);
    return are_pieces(s) && are_places(s);
}

uint32_t snapshot_bound(const struct snapshot *s, uint32_t entry, uint32_t kind) {
    uint32_t low = 0, high = s->places;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (format_before(&s->place[middle], entry, kind)) low = middle + 1;
        else high = middle;
    }
    return low;
}

const struct format_place *snapshot_find(const struct snapshot *s, uint32_t entry, uint32_t kind) {
    uint32_t at = snapshot_bound(s, entry, kind);
    const struct format_place *p = &s->place[at];
    return at < s->places && p->entry == entry && p->kind == kind ? p : NULL;
}

const char *snapshot_open(struct snapshot *s, const struct btree_file *file, const struct snapshot_head *head,
                          struct snapshot_tools *tools) {
    *s = (struct snapshot){.file = file, .head = *head};
    const uint8_t *index = unpack(s, 0, head->size, head->checksum, NULL, tools);
    const char *why = !index                                  ? "its index is damaged"
                      : !snapshot_index(s, index, head->size) ? "its index contradicts itself"
                                                              : NULL;
    if (!why) s->bytes = arena_alloc(&s->arena, s->pieces * sizeof *s->bytes, 8);
    else snapshot_close(s, NULL);
    return why;
}

void snapshot_close(struct snapshot *s, struct snapshot_tools *tools) {
    for (unsigned i = 0; tools && i < SNAPSHOT_LENT; i++) {
        if (tools->lent[i].of == s) tools->lent[i].of = NULL;
    }
    arena_free(&s->arena);
}
