// Drafts: see draft.h.
//
// Pieces of the old file that are full and still in use stay as they are, so that a flush of some records into a large file compresses these and little
// else: new records, and those of pieces that are small or half dead, are put in order of their first entry and packed into new pieces. Where all
// pieces are packed anew the result depends on the records alone, whatever their history.
#include "cache/writer/draft.h"
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { MOST_ANEW = 256 << 20 };  // bytes of a bundle's pieces that are packed anew at a time

const char draft_no_memory[] = "there is not enough memory";

// ---- growing lists

static bool room_for(void **list, size_t *room, size_t count, size_t item) {
    if (count <= *room) return true;
    size_t more = *room ? 2 * *room : 64;
    while (more < count) more *= 2;
    void *grown = realloc(*list, more * item);
    if (!grown) return false;
    *list = grown;
    *room = more;
    return true;
}

static struct draft_record *new_record(struct draft *d) {
    if (!room_for((void **)&d->record, &d->record_room, (size_t)d->records + 1, sizeof *d->record)) return NULL;
    struct draft_record *r = &d->record[d->records++];
    *r = (struct draft_record){0};
    return r;
}

static bool new_claim(struct draft *d, uint32_t entry, uint32_t kind, uint32_t record) {
    if (!room_for((void **)&d->claim, &d->claim_room, (size_t)d->claims + 1, sizeof *d->claim)) return false;
    d->claim[d->claims++] = (struct draft_claim){entry, kind, record};
    return true;
}

static struct draft_piece *new_piece(struct draft *d) {
    if (!room_for((void **)&d->piece, &d->piece_room, (size_t)d->pieces + 1, sizeof *d->piece)) return NULL;
    struct draft_piece *p = &d->piece[d->pieces++];
    *p = (struct draft_piece){0};
    return p;
}

void draft_free(struct draft *d) {
    for (uint32_t i = 0; i < d->pieces; i++) free(d->piece[i].packed);
    free(d->record);
    free(d->claim);
    free(d->piece);
    free(d->name);
    *d = (struct draft){0};
}

// ---- records, old and new

bool draft_add(struct draft *d, const struct writer_record *record) {
    uint32_t number = d->records;
    struct draft_record *r = new_record(d);
    if (!r) return false;
    r->bytes = record->bytes;
    r->size = record->size;
    r->kind = record->kind;
    for (uint32_t i = 0; i < record->count; i++) {
        if (!new_claim(d, record->entries[i], record->kind, number)) return false;
    }
    return true;
}

static int by_bytes(const void *a, const void *b) {
    const struct format_place *x = *(const struct format_place *const *)a, *y = *(const struct format_place *const *)b;
    if (x->piece != y->piece) return x->piece < y->piece ? -1 : 1;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return x->kind < y->kind ? -1 : x->kind > y->kind;
}

static bool same_record(const struct format_place *a, const struct format_place *b) {
    return a->piece == b->piece && a->offset == b->offset && a->kind == b->kind && a->size == b->size;
}

// Places with the same bytes and kind are the entries of one record.
static bool add_places(struct draft *d, const struct snapshot *s, const struct format_place **sorted) {
    for (uint32_t i = 0; i < s->places; i++) sorted[i] = &s->place[i];
    qsort(sorted, s->places, sizeof *sorted, by_bytes);
    for (uint32_t i = 0; i < s->places; i++) {
        const struct format_place *at = sorted[i];
        if (!i || !same_record(at, sorted[i - 1])) {
            struct draft_record *r = new_record(d);
            if (!r) return false;
            r->size = at->size;
            r->kind = at->kind;
            r->of = s;
            r->piece = at->piece;
            r->offset = at->offset;
        }
        if (!new_claim(d, at->entry, at->kind, d->records - 1)) return false;
    }
    return true;
}

bool draft_take(struct draft *d, const struct snapshot *s) {
    const struct format_place **sorted = malloc((s->places + 1) * sizeof *sorted);
    bool fine = sorted && add_places(d, s, sorted);
    free(sorted);
    return fine;
}

static int by_entry(const void *a, const void *b) {
    const struct draft_claim *x = a, *y = b;
    if (x->entry != y->entry) return x->entry < y->entry ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return x->record < y->record ? -1 : x->record > y->record;
}

// Keeps the newest claim on each entry, in order, and counts them by record.
static void settle(struct draft *d) {
    uint32_t kept = 0;
    if (d->claims) qsort(d->claim, d->claims, sizeof *d->claim, by_entry);
    for (uint32_t i = 0; i < d->records; i++) d->record[i].live = 0;
    for (uint32_t i = 0; i < d->claims; i++) {
        const struct draft_claim *c = &d->claim[i];
        if (i + 1 < d->claims && c[1].entry == c->entry && c[1].kind == c->kind) continue;
        struct draft_record *r = &d->record[c->record];
        if (!r->live++) r->first = c->entry;
        d->claim[kept++] = *c;
    }
    d->claims = kept;
}

// ---- pieces that stay

// Bytes of each old piece that are in use.
static uint64_t *count_used(const struct draft *d, const struct snapshot *s) {
    uint64_t *used = calloc((size_t)s->pieces + 1, sizeof *used);
    for (uint32_t i = 0; used && i < d->records; i++) {
        if (d->record[i].live && d->record[i].of == s) used[d->record[i].piece] += d->record[i].size;
    }
    return used;
}

static bool stays(const struct format_piece *about, uint64_t used) {
    return about->size >= FORMAT_PIECE_BYTES / 2 && used >= about->size / 2;
}

// Takes an old piece over as it is.
static const char *keep_piece(struct draft *d, const struct snapshot *s, uint32_t piece, struct snapshot_tools *tools) {
    struct btree_value packed;
    struct draft_piece *p = d->pieces <= FORMAT_PIECES_MAX ? new_piece(d) : NULL;
    if (!p) return draft_no_memory;
    if (!snapshot_packed(s, piece, tools, &packed)) return "one of its pieces is missing";
    p->about = s->piece[piece - 1];
    p->packed_size = packed.size;
    p->packed = malloc(packed.size + 1);
    if (!p->packed) return draft_no_memory;
    memcpy(p->packed, packed.bytes, packed.size);
    return NULL;
}

// Decides on each old piece. `number`: what it is in the new file, or 0. What is packed anew is in memory meanwhile: a bundle that somebody made for that alone could
// ask for any amount.
static const char *sift(struct draft *d, struct snapshot *s, enum draft_source source, const uint64_t *used, uint32_t *number,
                        struct snapshot_tools *tools) {
    uint64_t unpacked = 0;
    for (uint32_t i = 1; i <= s->pieces; i++) {
        bool kept = used && stays(&s->piece[i - 1], used[i]), anew = !kept && (!used || used[i]);
        unpacked += anew ? s->piece[i - 1].size : 0;
        if (source == DRAFT_FOREIGN && unpacked > MOST_ANEW) return "its records lie in too many pieces";
        bool right = anew ? snapshot_piece(s, i, tools) != NULL : source != DRAFT_OLD || snapshot_try(s, i, tools);
        if (!right) return "one of its pieces is damaged";
        if (!kept) continue;
        const char *why = keep_piece(d, s, i, tools);
        if (why) return why;
        number[i] = d->pieces - 1;
    }
    return NULL;
}

static void place_old(struct draft *d, const struct snapshot *s, const uint32_t *number) {
    for (uint32_t i = 0; i < d->records; i++) {
        struct draft_record *r = &d->record[i];
        if (r->of != s) continue;
        r->of = NULL;
        if (number[r->piece]) {
            r->piece = number[r->piece];
        } else if (r->live) {
            r->bytes = s->bytes[r->piece - 1] + r->offset;
            r->piece = 0;
        }
    }
}

const char *draft_keep(struct draft *draft, struct snapshot *snapshot, enum draft_source source, struct snapshot_tools *tools) {
    bool fresh = source == DRAFT_FRESH;
    settle(draft);
    uint64_t *used = fresh ? NULL : count_used(draft, snapshot);
    uint32_t *number = calloc((size_t)snapshot->pieces + 1, sizeof *number);
    bool fine = (used || fresh) && number && (draft->pieces || new_piece(draft));
    const char *why = fine ? sift(draft, snapshot, source, used, number, tools) : draft_no_memory;
    if (!why) place_old(draft, snapshot, number);
    free(used);
    free(number);
    return why;
}

const char *draft_check(const struct snapshot *s) {
    struct draft d = {0};
    bool fine = draft_take(&d, s);
    settle(&d);
    uint64_t *used = fine ? count_used(&d, s) : NULL;
    const char *why = used ? NULL : draft_no_memory;
    for (uint32_t i = 1; !why && i <= s->pieces; i++) {
        if (used[i] > s->piece[i - 1].size) why = "its records lie over each other";
    }
    free(used);
    draft_free(&d);
    return why;
}

// ---- records that are the same

static int by_content(const void *a, const void *b) {
    const struct draft_record *x = *(struct draft_record *const *)a, *y = *(struct draft_record *const *)b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    int order = memcmp(x->bytes, y->bytes, x->size);
    return order ? order : (x > y) - (x < y);
}

static bool same_content(const struct draft_record *a, const struct draft_record *b) {
    return a->kind == b->kind && a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

bool draft_unite(struct draft *d) {
    struct draft_record **list = malloc((d->records + 1) * sizeof(struct draft_record *));
    uint32_t *first = malloc((d->records + 1) * sizeof *first), count = 0;
    bool fine = list && first;
    for (uint32_t i = 0; fine && i < d->records; i++) {
        first[i] = i;
        if (d->record[i].live && d->record[i].bytes) list[count++] = &d->record[i];
    }
    if (fine && count) qsort(list, count, sizeof(struct draft_record *), by_content);
    for (uint32_t i = 1; fine && i < count; i++) {
        if (same_content(list[i - 1], list[i])) first[list[i] - d->record] = first[list[i - 1] - d->record];
    }
    for (uint32_t i = 0; fine && i < d->claims; i++) d->claim[i].record = first[d->claim[i].record];
    free(list);
    free(first);
    return fine;
}

// ---- packing

static size_t aligned(size_t size) {
    return (size + FORMAT_ALIGN - 1) & ~(size_t)(FORMAT_ALIGN - 1);
}

static bool compress(struct draft_piece *p, const uint8_t *bytes, size_t size, int level) {
    size_t room = ZSTD_compressBound(size);
    p->packed = malloc(room);
    p->packed_size = p->packed ? ZSTD_compress(p->packed, room, bytes, size, level) : 0;
    if (!p->packed || ZSTD_isError(p->packed_size)) return false;
    uint8_t *exact = realloc(p->packed, p->packed_size);
    if (exact) p->packed = exact;
    snapshot_checksum(bytes, size, p->about.checksum);
    p->about.size = (uint32_t)size;
    return true;
}

// Records `from` to before `to` into one piece of `size` bytes.
static bool pack_piece(struct draft *d, struct draft_record **from, struct draft_record **to, size_t size, int level) {
    uint8_t *bytes = calloc(size, 1);
    struct draft_piece *p = d->pieces <= FORMAT_PIECES_MAX ? new_piece(d) : NULL;
    size_t at = 0;
    for (; bytes && p && from < to; from++) {
        memcpy(bytes + at, (*from)->bytes, (*from)->size);
        (*from)->piece = d->pieces - 1;
        (*from)->offset = (uint32_t)at;
        at += aligned((*from)->size);
    }
    bool fine = bytes && p && compress(p, bytes, size, level);
    free(bytes);
    return fine;
}

static int by_first(const void *a, const void *b) {
    const struct draft_record *x = *(struct draft_record *const *)a, *y = *(struct draft_record *const *)b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return x->kind < y->kind ? -1 : x->kind > y->kind;
}

static bool pack_records(struct draft *d, struct draft_record **list, uint32_t count, int level) {
    for (uint32_t i = 0, end; i < count; i = end) {
        size_t size = aligned(list[i]->size);
        for (end = i + 1; end < count && size + aligned(list[end]->size) <= FORMAT_PIECE_BYTES; end++)
            size += aligned(list[end]->size);
        if (!pack_piece(d, list + i, list + end, size, level)) return false;
    }
    return true;
}

static bool pack_all(struct draft *d, int level) {
    struct draft_record **list = malloc((d->records + 1) * sizeof(struct draft_record *));
    uint32_t count = 0;
    for (uint32_t i = 0; list && i < d->records; i++) {
        if (d->record[i].live && !d->record[i].piece) list[count++] = &d->record[i];
    }
    if (count) qsort(list, count, sizeof(struct draft_record *), by_first);
    bool fine = list && pack_records(d, list, count, level);
    free(list);
    return fine;
}

static void fill_index(const struct draft *d, uint8_t *to) {
    const struct format_index head = {
        .magic = FORMAT_INDEX_MAGIC, .pieces = d->pieces - 1, .places = d->claims, .build = d->build, .module = d->key};
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    for (uint32_t i = 1; i < d->pieces; i++, to += sizeof(struct format_piece))
        memcpy(to, &d->piece[i].about, sizeof(struct format_piece));
    for (uint32_t i = 0; i < d->claims; i++, to += sizeof(struct format_place)) {
        const struct draft_claim *c = &d->claim[i];
        const struct draft_record *r = &d->record[c->record];
        const struct format_place place = {c->entry, c->kind, r->piece, r->offset, r->size};
        memcpy(to, &place, sizeof place);
    }
}

static bool pack_index(struct draft *d, int level) {
    size_t size =
        sizeof(struct format_index) + (d->pieces - 1) * sizeof(struct format_piece) + d->claims * sizeof(struct format_place);
    uint8_t *index = size <= FORMAT_INDEX_MAX ? malloc(size) : NULL;
    if (index) fill_index(d, index);
    bool fine = index && compress(&d->piece[0], index, size, level);
    free(index);
    return fine;
}

bool draft_pack(struct draft *d, int level) {
    settle(d);
    if (!d->claims || (!d->pieces && !new_piece(d))) return false;
    return pack_all(d, level) && pack_index(d, level);
}
