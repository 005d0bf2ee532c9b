// Bundles: see bundle.h.
#include "cache/writer/bundle.h"
#include "cache/writer/database.h"
#include "runtime/base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LEVEL = 19,  // of zstd
    PATIENCE = 2000,
    NAP = 5000,  // naps, of microseconds, that another writer of a module is waited for
    EXPANSION = 64,  // how much more bytes may become when they are decompressed; code becomes 3 to 5 times as much
    LEAST_UNPACKED = 64 << 20,
};
#define LARGEST (UINT64_C(1) << 32)  // bytes of a bundle

// ---- making

static struct draft *new_module(struct bundle *b) {
    if (b->modules == b->room) {
        size_t room = b->room ? 2 * b->room : 16;
        struct draft *grown = realloc(b->module, room * sizeof *grown);
        if (!grown) return NULL;
        b->module = grown;
        b->room = room;
    }
    struct draft *d = &b->module[b->modules++];
    *d = (struct draft){0};
    return d;
}

static const char *last_part(const char *name) {
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

const char *bundle_add(struct bundle *b, struct snapshot *s, struct snapshot_tools *tools) {
    struct draft *d = new_module(b);
    if (!d) return draft_no_memory;
    d->build = s->head.build;
    d->key = s->head.key;
    d->name = strdup(last_part(s->head.name));
    const char *why = d->name && draft_take(d, s) ? draft_keep(d, s, DRAFT_FRESH, tools) : draft_no_memory;
    if (!why && !(draft_unite(d) && draft_pack(d, LEVEL))) why = draft_no_memory;
    if (!why) return NULL;
    draft_free(d);
    b->modules--;
    return why;
}

static int by_keys(const void *a, const void *b) {
    const struct draft *x = a, *y = b;
    int order = memcmp(&x->build, &y->build, sizeof x->build);
    return order ? order : memcmp(&x->key, &y->key, sizeof x->key);
}

// Writes a database of `size` bytes, behind which there is room for the seal.
static const char *write_sealed(const struct bundle *b, const char *path, uint8_t *bytes, size_t size) {
    struct format_seal seal;
    const char *why = seal_make(bytes, size, b->secret, &seal);
    mode_t mask = umask(0);
    umask(mask);
    if (why) return why;
    memcpy(bytes + size, &seal, sizeof seal);
    return disk_write(NULL, AT_FDCWD, path, bytes, size + sizeof seal, 0666 & ~mask, true);
}

const char *bundle_write(struct bundle *b, const char *path) {
    const char *why;
    size_t size;
    if (!b->modules) return "there is nothing to put into it";
    qsort(b->module, b->modules, sizeof *b->module, by_keys);
    uint8_t *bytes = database_make(b->module, b->modules, sizeof(struct format_seal), &size, &why);
    if (!bytes) return why;
    why = write_sealed(b, path, bytes, size);
    database_free(bytes);
    return why;
}

void bundle_free(struct bundle *b) {
    for (uint32_t i = 0; i < b->modules; i++) draft_free(&b->module[i]);
    free(b->module);
    *b = (struct bundle){0};
}

// ---- reading

// Before memory is taken for a file that is none.
static bool ends_with_seal(int fd, off_t size) {
    struct format_seal seal;
    off_t at = size - (off_t)sizeof seal;
    return at >= 0 && pread(fd, &seal, sizeof seal, at) == sizeof seal && seal_is(&seal, (uint64_t)at);
}

static const char *read_file(int fd, uint8_t **bytes, size_t *size) {
    struct stat about;
    if (fstat(fd, &about)) return "it cannot be looked at";
    if (!S_ISREG(about.st_mode)) return "it is no file";
    if ((uint64_t)about.st_size > LARGEST) return "it is too large";
    if (!ends_with_seal(fd, about.st_size)) return seal_none;
    *size = (size_t)about.st_size;
    *bytes = malloc(*size + 1);
    if (!*bytes) return draft_no_memory;
    long got = io_read(fd, *bytes, *size);
    return got < 0 ? "it cannot be read" : got < (long)*size ? "it was cut" : NULL;
}

const char *bundle_open(struct bundle_file *b, const char *path) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool other;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *b = (struct bundle_file){0};
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? "there is none" : "it cannot be opened";
    const char *why = read_file(fd, &bytes, &size);
    close(fd);
    if (!why) why = seal_check(bytes, size, &b->seal);
    b->database = (struct btree_file){.bytes = bytes, .size = why ? 0 : b->seal.size};
    if (!why) why = snapshot_check(&b->database, &other);
    if (why) bundle_close(b);
    return why;
}

void bundle_close(struct bundle_file *b) {
    free((void *)(uintptr_t)b->database.bytes);
    *b = (struct bundle_file){0};
}

// Calls `visit` for each module, until one says what is wrong.
static const char *visit_modules(const struct btree_file *file, struct snapshot_tools *tools, bundle_visit_open *visit,
                                 void *data) {
    struct snapshot_head head = {.id = 0, .following = 1};
    const char *why = NULL;
    while (!why && head.following) {
        uint32_t left = head.id ? head.following : UINT32_MAX;
        struct snapshot s;
        if (!snapshot_head(file, head.id + 1, tools, &head) || head.following >= left) return "its table of modules is damaged";
        why = snapshot_open(&s, file, &head, tools);
        if (why) return why;
        why = visit(&s, tools, data);
        snapshot_close(&s, tools);
    }
    return why;
}

// With tools that are there for one walk alone.
const char *bundle_walk(const struct bundle_file *b, bundle_visit_open *visit, void *data) {
    struct snapshot_tools *tools = calloc(1, sizeof *tools);
    if (!tools) return draft_no_memory;
    const char *why = visit_modules(&b->database, tools, visit, data);
    snapshot_tools_free(tools);
    free(tools);
    return why;
}

struct checking {
    bundle_visit *visit;
    void *data;
    uint64_t packed, unpacked;  // bytes that are left of what there may be in all pieces
};

static bool spend(uint64_t *left, uint64_t bytes) {
    bool enough = bytes <= *left;
    *left -= enough ? bytes : 0;
    return enough;
}

// Pieces that share their bytes in the file, or become far more than code does: whoever makes a bundle may want us to be busy with it for days, or fill the disk.
static bool is_honest(struct checking *c, const struct snapshot *s, uint32_t piece, struct snapshot_tools *tools) {
    struct btree_value packed;
    return spend(&c->unpacked, s->piece[piece - 1].size) && snapshot_packed(s, piece, tools, &packed) &&
           spend(&c->packed, packed.size);
}

static const char *check(struct snapshot *s, struct snapshot_tools *tools, void *data) {
    struct checking *c = data;
    for (uint32_t i = 1; i <= s->pieces; i++) {
        if (!is_honest(c, s, i, tools)) return "one of its pieces is missing, or would take too much room";
        if (!snapshot_try(s, i, tools)) return "one of its pieces is damaged";
    }
    if (!spend(&c->unpacked, s->head.size)) return "its indexes would take too much room";
    if (!s->places) return "one of its modules is empty";
    const char *why = draft_check(s);
    if (why) return why;
    if (c->visit) c->visit(s, c->data);
    return NULL;
}

const char *bundle_check(const struct bundle_file *b, bundle_visit *visit, void *data) {
    uint64_t size = b->database.size;
    struct checking checking = {visit, data, size, EXPANSION * size + LEAST_UNPACKED};
    return bundle_walk(b, check, &checking);
}

// ---- importing

struct import {
    struct disk *disk;
    struct bundle_result *result;
};

static const char *import(struct snapshot *s, struct snapshot_tools *tools, void *data) {
    struct import *i = data;
    struct module m = {.build = s->head.build, .key = s->head.key, .name = s->head.name, .other = s};
    unsigned naps = 0;
    while (!disk_lock(i->disk, &m.build, &m.key)) {
        if (i->disk->why) return i->disk->why;
        if (naps++ == PATIENCE) return "another program is writing one of its modules all the time";
        usleep(NAP);
    }
    struct module_result result = module_write(&m, i->disk, tools);
    disk_unlock(i->disk, &m.build, &m.key);
    i->result->damaged += result.quarantined;
    if (result.why) return result.why;
    i->result->modules++;
    i->result->places += s->places;
    return NULL;
}

const char *bundle_import(const struct bundle_file *b, struct disk *disk, struct bundle_result *result) {
    struct import data = {disk, result};
    *result = (struct bundle_result){0};
    return bundle_walk(b, import, &data);
}
