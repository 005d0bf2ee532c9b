// A module's new file in the making: which records it has, which pieces hold them.
#pragma once
#include "cache/snapshot.h"
#include "cache/writer.h"

struct draft_record {
    const uint8_t *bytes;  // must stay as long as the draft; NULL where they are in a piece that stays as it is
    uint32_t size, kind;
    const struct snapshot *of;  // the old file that it is in as yet, or NULL
    uint32_t piece, offset;  // where it is: first in that, then in the new one
    uint32_t live, first;    // of its entries: those that no newer record has; the lowest of them
};
// An entry of a record. Of several with the same entry and kind the one of the record with the highest number counts.
struct draft_claim {
    uint32_t entry, kind, record;
};
struct draft_piece {
    struct format_piece about;
    uint8_t *packed;
    size_t packed_size;
};

// Zeroed, an empty draft.
struct draft {
    struct draft_record *record;
    struct draft_claim *claim;
    struct draft_piece *piece;  // piece[0] is the index
    uint32_t records, claims, pieces;
    size_t record_room, claim_room, piece_room;
    struct store_key build, key;
    char *name;
};

// A draft is made of the records of files, and of new ones; what is added later is newer. All must stay as long as the draft. False for want of memory.
bool draft_take(struct draft *draft, const struct snapshot *snapshot);
bool draft_add(struct draft *draft, const struct writer_record *record);
// What a file is, that records were taken of: one that we wrote, one of the directory's, a bundle's module that was checked, or one of which nothing stays as it is.
enum draft_source { DRAFT_OURS, DRAFT_OLD, DRAFT_FOREIGN, DRAFT_FRESH };
// For each file: finds out which pieces can stay as they are, and reads those that cannot. NULL, or what is wrong with it; draft_no_memory is said of us, not of it.
extern const char draft_no_memory[];
const char *draft_keep(struct draft *draft, struct snapshot *snapshot, enum draft_source source, struct snapshot_tools *tools);
// Whether no records of a file lie over each other: they could become any number of bytes. NULL, or what is wrong.
const char *draft_check(const struct snapshot *snapshot);
// Makes one of records that are of the same kind and have the same bytes, where all are packed anew. False for want of memory.
bool draft_unite(struct draft *draft);
// Makes the pieces, compressed by `level`. False for want of memory or where there is no record.
bool draft_pack(struct draft *draft, int level);
void draft_free(struct draft *draft);
