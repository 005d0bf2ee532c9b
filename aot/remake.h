// Kept code once more: from what a record holds to the record that this program makes of the same, to be compared. Both tiers make the same bytes of the same guest code,
// whatever the process and whatever it made before, but for what stands in holes, which is no part of a record.
#pragma once
#include "translator/guest/guest.h"
#include <stdint.h>

enum remake_sort { REMAKE_SHEET, REMAKE_REGION, REMAKE_SORTS, REMAKE_NONE = REMAKE_SORTS };  // NONE: of this kind no code is kept

enum remade {
    REMADE_SAME,
    REMADE_OTHER,
    REMADE_NOT,
    REMADE_NONSENSE
};  // NOT: nothing comes of it; NONSENSE: it is no record of its kind

struct remake_record {
    uint32_t kind, entry;
    const uint8_t *bytes;  // aligned to 8
    uint32_t size;
};

enum remake_sort remake_sort(uint32_t kind);
// Once, for guests of this kind. NULL, or why there can be no code.
const char *remake_begin(const struct guest_isa *isa, guest_features features);
// *at: of other code, the first byte of the record that differs. The record's guest bytes may be anything; LLVM may not bear that, so this is for a process
// that may end.
enum remade remake(const struct remake_record *record, uint32_t *at);
