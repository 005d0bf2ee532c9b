// Fuzzes what is read of the store's files. The first byte says what the rest is: a file, an index, or changes to a file that is right, since few inputs have
// the right checksums. What is checked besides the sanitizers is that an accepted index keeps its promises, and that what is found in a
// changed file is what was put there.
#include "tests/fuzz/fuzz.h"
#include "cache/writer/database.h"
#include "runtime/base/arena.h"
#include <string.h>

enum { RECORDS = 40, RECORD_BYTES = 9000 };

static struct snapshot_tools tools;

static void check_places(const struct snapshot *s) {
    for (uint32_t i = 0; i < s->places; i++) {
        const struct format_place *p = &s->place[i];
        require(p->piece >= 1 && p->piece <= s->pieces, "a place in no piece");
        require(p->size && (uint64_t)p->offset + p->size <= s->piece[p->piece - 1].size, "a record outside of its piece");
        require(snapshot_find(s, p->entry, p->kind) == p, "a place that is not found");
    }
}

static void check_index(const uint8_t *data, size_t size) {
    uint32_t *aligned = malloc(size + 1);
    struct snapshot s = {.places = 0};
    if (!aligned) abort();
    memcpy(aligned, data, size);
    if (snapshot_index(&s, (const uint8_t *)aligned, size)) check_places(&s);
    free(aligned);
}

static uint8_t record_byte(uint32_t entry) {
    return (uint8_t)(entry * 7 + 1);
}

// `ours`: what is found must be as make_file made it.
static void check_module(const struct btree_file *file, const struct snapshot_head *head, bool ours) {
    struct snapshot s;
    if (snapshot_open(&s, file, head, &tools)) return;
    check_places(&s);
    for (uint32_t i = 0; i < s.places; i++) {
        const struct format_place *p = &s.place[i];
        const uint8_t *piece = snapshot_piece(&s, p->piece, &tools);
        if (piece && ours)
            require(p->size == RECORD_BYTES && piece[p->offset + p->size - 1] == record_byte(p->entry), "a wrong record");
    }
    snapshot_close(&s, &tools);
}

static void check_file(const uint8_t *bytes, size_t size, bool ours) {
    const struct btree_file file = {.bytes = bytes, .size = size};
    struct snapshot_head head = {.id = 0};
    bool other;
    if (snapshot_check(&file, &other)) return;
    for (unsigned i = 0; i < 8 && snapshot_head(&file, head.id + 1, &tools, &head); i++) check_module(&file, &head, ours);
}

// Two modules of several pieces.
static uint8_t *make_file(size_t *size) {
    static uint8_t bytes[RECORDS][RECORD_BYTES];
    struct draft draft[2] = {{.key = {{1}}}, {.key = {{2}}}};
    const char *why;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint32_t state = i + 1;
        for (unsigned n = 0; n < RECORD_BYTES; n++) bytes[i][n] = (uint8_t)((state = state * 1103515245 + 12345) >> 16);
        bytes[i][RECORD_BYTES - 1] = record_byte(i);
        const struct writer_record record = {.kind = i % 3, .count = 1, .entries = &i, .bytes = bytes[i], .size = RECORD_BYTES};
        require(draft_add(&draft[i % 2], &record), "no record");
    }
    require(draft_pack(&draft[0], 3) && draft_pack(&draft[1], 3), "no pieces");
    uint8_t *made = database_make(draft, 2, 0, size, &why);
    require(made, why);
    draft_free(&draft[0]);
    draft_free(&draft[1]);
    return made;
}

// Four bytes each: where, and what to. Most changes are where pages begin.
static void check_changed(const uint8_t *data, size_t size) {
    static uint8_t *made, *copy;
    static size_t made_size;
    if (!made) made = make_file(&made_size), copy = malloc(made_size);
    if (!copy) abort();
    memcpy(copy, made, made_size);
    for (; size >= 4; data += 4, size -= 4) {
        size_t at = (size_t)data[0] << 8 | data[1];
        size_t where = data[2] & 1 ? at * 8 : at / 64 * FORMAT_PAGE + at % 64 + (data[2] & 2 ? FORMAT_PAGE - 64 : 0);
        copy[where % made_size] = data[3];
    }
    check_file(copy, made_size - size * FORMAT_PAGE, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    switch (data[0] % 3) {
    case 0: check_file(data + 1, size - 1, false); break;
    case 1: check_index(data + 1, size - 1); break;
    default: check_changed(data + 1, size - 1);
    }
    return 0;
}
