// Tables of sqlite databases: see btree.h. Numbers in them are big-endian. Section numbers are those of "Database File Format".
#include "cache/btree.h"
#include "cache/format.h"
#include "runtime/base/arena.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

enum {
    HEADER = 100,     // bytes before the first page's b-tree
    DEPTH = 20,       // of a tree; real ones have 4 at most
    INTERIOR = 5,
    LEAF = 13,  // 1.6: of table b-trees
    SCHEMA_ROOT = 1,
    LEAST_LOCAL = (FORMAT_PAGE - 12) * 32 / 255 - 23,  // 1.6: of a payload's bytes on its leaf page
    MOST_LOCAL = FORMAT_PAGE - 35,
    PAYLOAD_MAX = 64 << 20,  // bytes: more than any piece has, packed as badly as can be
};
_Static_assert(sizeof((struct btree_page *)NULL)->bytes == FORMAT_PAGE, "a page");

static uint32_t big16(const uint8_t *at) {
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t big32(const uint8_t *at) {
    return big16(at) << 16 | big16(at + 2);
}

// ---- bytes of the file

static long read_mapped(const uint8_t *from, void *to, size_t size) {
    struct iovec there = {(void *)(uintptr_t)from, size}, here = {to, size};
    long n = host_call(process_vm_readv, host_call(getpid), &here, 1, &there, 1, 0);
    return n < 0 ? n : (size_t)n == size ? 0 : -EFAULT;
}

long btree_read(const struct btree_file *file, uint64_t offset, void *to, size_t size) {
    if (offset > file->size || size > file->size - offset) return -EFAULT;
    if (file->mapped) return read_mapped(file->bytes + offset, to, size);
    memcpy(to, file->bytes + offset, size);
    return 0;
}

// Pages are counted from 1.
static bool read_page(const struct btree_file *file, uint32_t page, uint8_t *to) {
    return page && btree_read(file, (uint64_t)(page - 1) * FORMAT_PAGE, to, FORMAT_PAGE) == 0;
}

static const uint8_t *get_page(const struct btree_file *file, uint32_t number, struct btree_page *page) {
    if (number && file->serial && page->serial == file->serial && page->number == number) return page->bytes;
    page->number = 0;
    if (!read_page(file, number, page->bytes)) return NULL;
    page->number = number;
    page->serial = file->serial;
    return page->bytes;
}

bool btree_check(const struct btree_file *file, uint32_t application, uint32_t *version) {
    uint8_t h[HEADER];
    static const uint8_t plain[] = {
        FORMAT_PAGE >> 8, FORMAT_PAGE & 255, 1, 1, 0, 64, 32, 32};  // 1.3: page size, no WAL, no reserved bytes
    if (file->size < FORMAT_PAGE || file->size % FORMAT_PAGE || btree_read(file, 0, h, HEADER)) return false;
    *version = big32(h + 60);
    return !memcmp(h, "SQLite format 3", 16) && !memcmp(h + 16, plain, sizeof plain) && big32(h + 28) == file->size / FORMAT_PAGE &&
           big32(h + 56) == 1 && big32(h + 68) == application;
}

// ---- pages

// A piece of a page: what is read moves on, and never past the end.
struct cursor {
    const uint8_t *at, *end;
};

// 1.6: 7 bits a byte, the first ones highest; a ninth byte has 8.
static bool take_varint(struct cursor *c, uint64_t *value) {
    *value = 0;
    for (unsigned i = 0; i < 9 && c->at < c->end; i++) {
        uint8_t byte = *c->at++;
        *value = i == 8 ? *value << 8 | byte : *value << 7 | (byte & 0x7f);
        if (i == 8 || !(byte & 0x80)) return true;
    }
    return false;
}

struct node {
    const uint8_t *page, *pointers;  // to the cells
    uint32_t cells, right;
    bool leaf;
};

static bool open_node(const uint8_t *page, uint32_t number, struct node *node) {
    const uint8_t *header = page + (number == 1 ? HEADER : 0);
    node->page = page;
    node->leaf = header[0] == LEAF;
    if (!node->leaf && header[0] != INTERIOR) return false;
    node->cells = big16(header + 3);
    node->right = node->leaf ? 0 : big32(header + 8);
    node->pointers = header + (node->leaf ? 8 : 12);
    return node->cells <= (uint32_t)(page + FORMAT_PAGE - node->pointers) / 2;
}

static struct cursor cell_at(const struct node *node, uint32_t i) {
    uint32_t offset = big16(node->pointers + 2 * (size_t)i);
    return (struct cursor){node->page + (offset < FORMAT_PAGE ? offset : FORMAT_PAGE), node->page + FORMAT_PAGE};
}

// What stands before a cell's row number: a payload's size or a page. Then the number.
static bool take_head(struct cursor *c, bool leaf, uint64_t *first, int64_t *id) {
    uint64_t number;
    if (leaf) {
        if (!take_varint(c, first)) return false;
    } else {
        if (c->end - c->at < 4) return false;
        *first = big32(c->at);
        c->at += 4;
    }
    bool fine = take_varint(c, &number);
    *id = (int64_t)number;
    return fine;
}

// The number of the first cell whose row number is at least `id`, or node->cells.
static uint32_t lower_bound(const struct node *node, int64_t id) {
    uint32_t low = 0, high = node->cells;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        struct cursor c = cell_at(node, middle);
        uint64_t first;
        int64_t number;
        if (!take_head(&c, node->leaf, &first, &number)) return node->cells;
        if (number < id) low = middle + 1;
        else high = middle;
    }
    return low;
}

// ---- payloads

void btree_scratch_free(struct btree_scratch *s) {
    if (s->payload) pages_give(s->payload, s->room);
    s->payload = NULL;
    s->room = 0;
}

static void make_room(struct btree_scratch *s, size_t size) {
    if (size <= s->room) return;
    btree_scratch_free(s);
    s->room = (size + (64 << 10)) & ~(size_t)(FORMAT_PAGE - 1);
    s->payload = pages_take(s->room);
}

// 1.6: what does not fit on the leaf is in a chain of pages, each of which begins with the number of the next. That is read to before the page's part,
// over the end of the part before it, which is put back: a system call less for each page.
static bool read_chain(const struct btree_file *file, uint32_t page, uint8_t *to, uint64_t size) {
    while (size) {
        uint64_t part = size < FORMAT_PAGE - 4 ? size : FORMAT_PAGE - 4;
        uint8_t before[4];
        memcpy(before, to - 4, 4);
        if (!page || btree_read(file, (uint64_t)(page - 1) * FORMAT_PAGE, to - 4, part + 4)) return false;
        page = big32(to - 4);
        memcpy(to - 4, before, 4);
        to += part;
        size -= part;
    }
    return true;
}

static bool read_payload(const struct btree_file *file, struct cursor c, uint64_t size, struct btree_scratch *s) {
    if (size > file->size || size > PAYLOAD_MAX) return false;
    uint64_t local = size;
    if (size > MOST_LOCAL) {
        local = LEAST_LOCAL + (size - LEAST_LOCAL) % (FORMAT_PAGE - 4);
        if (local > MOST_LOCAL) local = LEAST_LOCAL;
    }
    bool chain = local < size;
    if ((uint64_t)(c.end - c.at) < local + (chain ? 4 : 0)) return false;
    make_room(s, size);
    memcpy(s->payload, c.at, local);
    return !chain || read_chain(file, big32(c.at + local), s->payload + local, size - local);
}

static bool take_row(const struct btree_file *file, const struct node *node, int64_t id, struct btree_scratch *s,
                     struct btree_row *row) {
    uint32_t i = lower_bound(node, id);
    uint64_t size;
    if (i == node->cells) return false;
    struct cursor c = cell_at(node, i);
    if (!take_head(&c, true, &size, &row->id) || row->id < id || !read_payload(file, c, size, s)) return false;
    row->payload = s->payload;
    row->size = size;
    return true;
}

bool btree_seek(const struct btree_file *file, uint32_t root, int64_t id, struct btree_scratch *s, struct btree_row *row) {
    uint32_t page = root;
    for (unsigned depth = 0; depth < DEPTH; depth++) {
        struct node node;
        const uint8_t *bytes = get_page(file, page, &s->level[depth % BTREE_LEVELS]);
        if (!bytes || !open_node(bytes, page, &node)) return false;
        if (node.leaf) return take_row(file, &node, id, s, row);
        uint32_t i = lower_bound(&node, id);
        uint64_t child = node.right;
        int64_t number;
        struct cursor c = cell_at(&node, i < node.cells ? i : 0);
        if (i < node.cells && !take_head(&c, false, &child, &number)) return false;
        page = (uint32_t)child;
    }
    return false;
}

// ---- columns (2.1)

static uint64_t bytes_of(uint64_t serial) {
    static const uint8_t integers[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
    return serial < 12 ? integers[serial] : (serial - 12) / 2;
}

static int64_t signed_integer(const uint8_t *at, uint64_t size) {
    uint64_t value = size && at[0] & 0x80 ? ~UINT64_C(0) : 0;
    for (uint64_t i = 0; i < size; i++) value = value << 8 | at[i];
    return (int64_t)value;
}

static bool make_value(uint64_t serial, const uint8_t *at, uint64_t size, struct btree_value *value) {
    *value = (struct btree_value){.bytes = at, .size = size};
    if (serial >= 12) value->type = serial & 1 ? BTREE_TEXT : BTREE_BLOB;
    else if (serial == 0) value->type = BTREE_NULL;
    else if (serial == 7 || serial > 9) return false;  // a float; reserved
    else value->type = BTREE_INTEGER, value->integer = serial >= 8 ? (int64_t)serial - 8 : signed_integer(at, size);
    return true;
}

bool btree_column(const struct btree_row *row, unsigned column, struct btree_value *value) {
    struct cursor head = {row->payload, row->payload + row->size};
    uint64_t header, serial, at;
    if (!take_varint(&head, &header) || header > row->size) return false;
    head.end = row->payload + header;
    at = header;
    for (unsigned i = 0; head.at <= head.end && take_varint(&head, &serial); i++) {
        uint64_t size = bytes_of(serial);
        if (size > row->size - at) return false;
        if (i == column) return make_value(serial, row->payload + at, size, value);
        at += size;
    }
    return false;
}

// ---- the schema (2.6): type, name, table, root page, text

static bool is_text(const struct btree_value *value, const char *text) {
    return value->type == BTREE_TEXT && value->size == strlen(text) && !memcmp(value->bytes, text, value->size);
}

static bool is_table(const struct btree_row *row, const char *name, uint32_t *root) {
    struct btree_value type, named, page;
    if (!btree_column(row, 0, &type) || !btree_column(row, 1, &named) || !btree_column(row, 3, &page)) return false;
    if (!is_text(&type, "table") || !is_text(&named, name) || page.type != BTREE_INTEGER) return false;
    *root = page.integer > 0 && page.integer <= UINT32_MAX ? (uint32_t)page.integer : 0;
    return true;
}

void btree_tables(const struct btree_file *file, unsigned count, const char *const *names, uint32_t *roots,
                  struct btree_scratch *scratch) {
    struct btree_row row = {.id = 0};
    enum { OBJECTS = 16 };  // in a schema; ours has two
    for (unsigned t = 0; t < count; t++) roots[t] = 0;
    for (unsigned i = 0; i < OBJECTS && row.id < INT64_MAX; i++) {
        if (!btree_seek(file, SCHEMA_ROOT, row.id + 1, scratch, &row)) break;
        for (unsigned t = 0; t < count; t++) is_table(&row, names[t], &roots[t]);
    }
}
