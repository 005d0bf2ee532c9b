// What tests of the store share: a folder of their own, numbered records whose bytes follow from their number, and a model of what a module holds.
#pragma once
#include "tests/tools/cmocka.h"
#include "tests/tools/random.h"
#include "cache/store.h"
#include "cache/writer.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KINDS = 3, SPACE = 20000 };  // of a model: kinds and entries

static const struct store_key build_a = {{0xa1, 1}}, build_b = {{0xb2, 2}}, module_a = {{0x0a, 3}}, module_b = {{0x0b, 4}};
static const char file_of_a[] = "code/a1010000000000000000000000000000/0a030000000000000000000000000000.db";

static char home[64], root[PATH_MAX - 200];  // root: the store's directory in it

// ---- files

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk) {
    (void)about, (void)type, (void)walk;
    return remove(path);
}

static void remove_root(void) {
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int begin(void **unused) {
    (void)unused;
    snprintf(home, sizeof home, "%s", "/tmp/ferry-store-XXXXXX");
    if (!mkdtemp(home)) return 1;
    snprintf(root, sizeof root, "%s/ferry", home);
    return 0;
}

// Only what is there when the store starts is looked at.
static inline void start_store(void) {
    store_start(&(struct store_settings){.directory = root, .system = ""}, &build_a);
}

static inline int begin_started(void **unused) {
    if (begin(unused)) return 1;
    start_store();
    return 0;
}

static inline int end(void **unused) {
    (void)unused;
    remove_root();
    return rmdir(home);
}

static inline const char *below(const char *name) {
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

// The folder of a file below the store's directory.
static inline const char *folder_of(const char *name) {
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", below(name));
    *strrchr(path, '/') = 0;
    return path;
}

static inline uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    fseek(file, 0, SEEK_SET);
    uint8_t *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

// With another name first, so that who has it mapped keeps it.
static inline void put_file(const char *path, const uint8_t *bytes, size_t size) {
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

static inline unsigned count_files(const char *path) {
    DIR *names = opendir(path);
    unsigned count = 0;
    for (struct dirent *entry; names && (entry = readdir(names));) count += entry->d_name[0] != '.';
    if (names) closedir(names);
    return count;
}

// ---- records

enum { LARGEST = 3000 };

static uint32_t record_size(uint32_t number) {
    return 1 + (number * 2654435761U >> 8) % (number % 97 ? LARGEST : 40 * LARGEST);
}

static void record_fill(uint32_t number, uint8_t *bytes) {
    uint64_t state = number * UINT64_C(0x9e3779b97f4a7c15) + 1, word = 0;
    for (uint32_t i = 0, size = record_size(number); i < size; i++) {
        if (i % 32 == 0) word = random_next(&state);  // compresses well enough
        bytes[i] = (uint8_t)(word >> i % 8 * 8);
    }
}

static uint8_t *record_bytes(uint32_t number) {
    static _Thread_local uint8_t bytes[40 * LARGEST + 1];
    record_fill(number, bytes);
    return bytes;
}

static inline struct writer_record numbered(uint32_t number, uint32_t kind, const uint32_t *entries, uint32_t count) {
    return (struct writer_record){
        .kind = kind, .entries = entries, .count = count, .bytes = record_bytes(number), .size = record_size(number)};
}

static inline bool is_record(const struct store_record *record, uint32_t number) {
    return record->size == record_size(number) && !((uintptr_t)record->bytes % 16) &&
           !memcmp(record->bytes, record_bytes(number), record->size);
}

// ---- a model of one module: for each entry and kind the number of its record, or 0

struct model {
    uint32_t number[KINDS][SPACE];
    uint32_t last;
};

static inline void model_add(struct model *model, struct writer *writer, const struct store_key *module, uint64_t *state,
                             uint32_t space) {
    uint32_t entries[8], kind = (uint32_t)(random_next(state) % KINDS), count = (uint32_t)(1 + random_next(state) % 8),
                         number = ++model->last;
    for (uint32_t i = 0; i < count; i++) {
        entries[i] = (uint32_t)(random_next(state) % space);
        model->number[kind][entries[i]] = number;
    }
    const struct writer_record record = numbered(number, kind, entries, count);
    assert_true(writer_add(writer, module, "/usr/bin/some thing", &record));
}

// Whether what is kept is what the model says, every `step`th entry.
static inline void model_check(const struct model *model, const struct store_key *module, uint32_t step) {
    struct store_module *opened = store_open(module);
    assert_non_null(opened);
    for (uint32_t kind = 0; kind < KINDS; kind++)
        for (uint32_t entry = 0; entry < SPACE; entry += step) {
            struct store_record record;
            bool found = store_find(opened, entry, kind, &record);
            assert_int_equal(found, model->number[kind][entry] != 0);
            if (found) assert_true(is_record(&record, model->number[kind][entry]));
        }
    store_close(opened);
}

static inline void start_reader(const struct store_key *build) {
    const struct store_settings settings = {.directory = root, .system = "/dev/null/none"};
    store_start(&settings, build);
}

// A writer that adds record `number` for one entry.
static inline struct writer_status write_one(const struct store_key *build, const struct store_key *module, uint32_t entry,
                                             uint32_t number) {
    struct writer *writer = writer_open(root, build, WRITER_LIMIT);
    const struct writer_record record = numbered(number, 1, &entry, 1);
    assert_non_null(writer);
    assert_true(writer_add(writer, module, "/lib/thing.so", &record));
    writer_flush(writer);
    struct writer_status status = *writer_status(writer);
    writer_close(writer);
    return status;
}

// Whether record `number` is found at an entry, afresh.
static inline bool has_one(const struct store_key *build, const struct store_key *module, uint32_t entry, uint32_t number) {
    struct store_record record;
    start_reader(build);
    struct store_module *opened = store_open(module);
    bool found = opened && store_find(opened, entry, 1, &record) && is_record(&record, number);
    if (opened) store_close(opened);
    return found;
}
