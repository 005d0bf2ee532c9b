// One module of one file of the store: its index, checked completely when it is opened, and its pieces, decompressed and checked when they are first
// needed. Not thread-safe.
#pragma once
#include "cache/btree.h"
#include "cache/format.h"
#include "runtime/base/arena.h"

struct ZSTD_DCtx_s;

enum { SNAPSHOT_LENT = 4, SNAPSHOT_LENT_BYTES = 128 << 10 };

// What all snapshots are read with.
struct snapshot_tools {
    struct btree_scratch scratch;
    struct ZSTD_DCtx_s *zstd;
    void *memory;  // of zstd's
    // Pieces that were lent, in turns.
    struct {
        const struct snapshot *of;
        uint32_t piece;
    } lent[SNAPSHOT_LENT];
    uint8_t *lent_bytes;  // of each, SNAPSHOT_LENT_BYTES
    unsigned next_lent;
};
void snapshot_tools_free(struct snapshot_tools *tools);

// What a file's row says of a module.
struct snapshot_head {
    int64_t id;
    struct store_key build, key;
    char name[1024];  // cut
    uint32_t size;  // of the index
    uint8_t checksum[FORMAT_CHECKSUM];
    uint32_t following;  // modules in the file
    uint32_t root;  // of the table of pieces
};

struct snapshot {
    const struct btree_file *file;
    struct snapshot_head head;
    uint32_t pieces, places;
    const struct format_piece *piece;  // piece[i] is number i + 1
    const struct format_place *place;
    const uint8_t **bytes;  // of pieces; NULL: not needed yet
    struct arena arena;
};

// The checksum of a piece or an index, of its bytes before compression.
void snapshot_checksum(const uint8_t *bytes, size_t size, uint8_t checksum[FORMAT_CHECKSUM]);
// NULL, or what is wrong with the file. `other`: it is that another version of the format made it.
const char *snapshot_check(const struct btree_file *file, bool *other);
// The file's module number `at_least` or the next one behind it; false if there is none.
bool snapshot_head(const struct btree_file *file, int64_t at_least, struct snapshot_tools *tools, struct snapshot_head *head);
// Opens a module. NULL, or what is wrong.
const char *snapshot_open(struct snapshot *snapshot, const struct btree_file *file, const struct snapshot_head *head,
                          struct snapshot_tools *tools);
// `tools`: those that pieces of it were lent with, or NULL
void snapshot_close(struct snapshot *snapshot, struct snapshot_tools *tools);

// What an index says, in bytes that must stay. False if it contradicts itself or snapshot->head.
bool snapshot_index(struct snapshot *snapshot, const uint8_t *bytes, size_t size);
// The number of the first place that is not before this one.
uint32_t snapshot_bound(const struct snapshot *snapshot, uint32_t entry, uint32_t kind);
// The place of a record, or NULL.
const struct format_place *snapshot_find(const struct snapshot *snapshot, uint32_t entry, uint32_t kind);
// The bytes of a piece (from 1), or NULL if it is damaged.
const uint8_t *snapshot_piece(struct snapshot *snapshot, uint32_t piece, struct snapshot_tools *tools);
// The same for a short time: until another one is lent. Takes no memory for good.
const uint8_t *snapshot_lend(struct snapshot *snapshot, uint32_t piece, struct snapshot_tools *tools);
// Whether a piece is right. Takes no memory for good, however large it is.
bool snapshot_try(struct snapshot *snapshot, uint32_t piece, struct snapshot_tools *tools);
// The same as it is in the file, in the scratch; whether that is damaged is not looked at.
bool snapshot_packed(const struct snapshot *snapshot, uint32_t piece, struct snapshot_tools *tools, struct btree_value *packed);
