// The files of the store, as they are on disk: sqlite databases with two tables, whose blobs are compressed by zstd.
// docs/cache-format.md describes them.
//
//   module  a row for each: keys, name, size and checksum of its index, and how many modules follow
//   piece   a row for each piece of a module: its index (piece 0), then the pieces that hold records, one behind the other
//
// A bundle has any number of modules, and a format_seal behind the database.
//
// An index is a format_index, then a format_piece for each piece but itself, then the places, sorted by entry and kind. Numbers are little-endian.
#pragma once
#include "cache/store.h"
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "indexes are used as they are in the file, little-endian"
#endif

enum {
    FORMAT_VERSION = 1,  // the database's user_version
    FORMAT_APPLICATION = 0x46727943,  // its application_id, "FryC"
    FORMAT_PAGE = 8192,  // bytes
    FORMAT_ALIGN = 16,  // of records in their piece
    FORMAT_PIECE_BYTES =
        16 << 10,  // of a piece that is full, before compression; only one that holds a single record may have more
    FORMAT_RECORD_MAX = 16 << 20,  // bytes
    FORMAT_INDEX_MAX = 32 << 20,  // bytes
    FORMAT_PIECE_BITS = 20,  // of a piece's row number, below those of its module's
    FORMAT_PIECES_MAX = (1 << FORMAT_PIECE_BITS) - 1,
    FORMAT_MODULES_MAX = 1 << 24,  // of a file
    FORMAT_CHECKSUM = 16,  // bytes of XXH3's, in its canonical order
};
#define FORMAT_INDEX_MAGIC UINT32_C(0x78497246)  // "FrIx"

struct format_index {
    uint32_t magic, pieces, places, zero;
    struct store_key build, module;  // as in the row, which no checksum covers
};
struct format_piece {
    uint32_t size;  // before compression
    uint8_t checksum[FORMAT_CHECKSUM];  // of that
};
struct format_place {
    uint32_t entry, kind;
    uint32_t piece, offset, size;  // from 1; of the record in it
};
// The last bytes of a bundle. Where nobody signed it key and signature are zero.
struct format_seal {
    uint8_t magic[8];
    uint64_t size;  // of the database before it
    uint8_t hash[64];  // BLAKE2b-512 of that
    uint8_t key[32];  // Ed25519's (RFC 8032), public
    uint8_t signature[64];  // of all of the seal before this
};
#define FORMAT_SEAL_MAGIC "FrySeal1"
_Static_assert(sizeof(struct format_seal) == 176 && sizeof(struct format_seal) % 8 == 0, "no gaps");
_Static_assert(sizeof(struct format_index) == 48 && sizeof(struct format_piece) == 20 && sizeof(struct format_place) == 20,
               "no gaps");

// Whether place `a` belongs before place `b`; places with the same entry and kind there are none.
static inline int format_before(const struct format_place *a, uint32_t entry, uint32_t kind) {
    return a->entry != entry ? a->entry < entry : a->kind < kind;
}
