// Reads tables of sqlite databases, by the published description of the file format (https://www.sqlite.org/fileformat2.html): tables with row numbers,
// in files of our page size that nobody changes. Nothing in a file is trusted; whatever is odd is "no such row".
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A file's bytes: in memory of our own, or mapped, where the pages may go away at any moment (somebody truncates the file, a disk fails) and are only ever
// read by a system call, which says so instead of a signal.
struct btree_file {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t serial;  // another one for each file that is mapped, or 0
    bool mapped;
};

// Memory to read with, zeroed at first and used for any number of files in turns.
enum { BTREE_LEVELS = 4 };
struct btree_scratch {
    // The last page of each of a tree's levels, and of which file: a search often takes the way of the one before.
    struct btree_page {
        uint8_t bytes[8192];
        uint64_t serial;
        uint32_t number;  // or 0
    } level[BTREE_LEVELS];
    uint8_t *payload;
    size_t room;
};
void btree_scratch_free(struct btree_scratch *scratch);

// A row: its number, and its columns as the record format has them. Valid until the scratch is used again.
struct btree_row {
    int64_t id;
    const uint8_t *payload;
    size_t size;
};

enum btree_type { BTREE_NULL, BTREE_INTEGER, BTREE_TEXT, BTREE_BLOB };
struct btree_value {
    enum btree_type type;
    int64_t integer;
    const uint8_t *bytes;  // of text and blobs
    size_t size;
};

// Copies `size` bytes at `offset`. 0 or -errno.
long btree_read(const struct btree_file *file, uint64_t offset, void *to, size_t size);
// Whether the header is that of a database of our kind and the file has as many pages as it says. `version`: its user_version.
bool btree_check(const struct btree_file *file, uint32_t application, uint32_t *version);
// The root pages of tables; 0 for those that there are not.
void btree_tables(const struct btree_file *file, unsigned count, const char *const *names, uint32_t *roots,
                  struct btree_scratch *scratch);
// The first row of the table whose number is at least `id`.
bool btree_seek(const struct btree_file *file, uint32_t root, int64_t id, struct btree_scratch *scratch, struct btree_row *row);
bool btree_column(const struct btree_row *row, unsigned column, struct btree_value *value);
