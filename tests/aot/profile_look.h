// What has to hold for any record of a profile, which test_profile.c and fuzz_profile.c look at: what profile_read lets by lies in its page, and is the same after
// it was told to pages and became a record again.
#pragma once
#include "aot/profile.h"
#include <stdlib.h>
#include <string.h>

enum { LOOK_PAGE = 3 * SHEET_PAGE };

static struct profile look_first, look_again;
static bool look_given, look_read;

static inline void look_take(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    (void)data, (void)module, (void)name;
    look_given = true;
    look_read = record->count == 1 && record->entries[0] == LOOK_PAGE && profile_read(record->bytes, record->size, &look_again);
}

static inline const char *look_bad_places(const struct profile *profile) {
    for (unsigned i = 0; i < SHEET_PAGE; i++) {
        if (profile->size[i] > BLOCK_MAX_BYTES) return "a block that is too large";
        if (profile->marks[i] && !profile->size[i]) return "marks of no block";
    }
    if (profile->leads > PAGES_MOST_LEADS) return "too many leads";
    for (unsigned i = 0; i < profile->leads; i++) {
        if (profile->lead[i].at >= SHEET_PAGE) return "a lead of no place";
    }
    return NULL;
}

static inline bool look_has_lead(const struct profile *profile, const struct lead *lead) {
    for (unsigned i = 0; i < profile->leads; i++) {
        if (profile->lead[i].at == lead->at && profile->lead[i].target == lead->target) return true;
    }
    return false;
}

static inline void look_tell(const struct profile *profile) {
    static const uint8_t bytes[BLOCK_MAX_BYTES];
    const struct store_key module = {{1}};
    struct pages *pages = pages_of(&module, "program", 0);
    for (unsigned i = 0; i < SHEET_PAGE; i++) {
        pages_add(pages, LOOK_PAGE + i, bytes, profile->size[i]);
        pages_mark(pages, LOOK_PAGE + i, profile->marks[i]);
    }
    for (unsigned i = 0; i < profile->leads; i++) pages_lead(pages, LOOK_PAGE + profile->lead[i].at, profile->lead[i].target);
}

// Leads of places where no block begins are forgotten.
static inline const char *look_bad_copy(const struct profile *first, const struct profile *again) {
    if (memcmp(first->size, again->size, sizeof first->size) != 0) return "other blocks in the second record";
    if (memcmp(first->marks, again->marks, sizeof first->marks) != 0) return "other marks in the second record";
    for (unsigned i = 0; i < first->leads; i++) {
        if (first->size[first->lead[i].at] && !look_has_lead(again, &first->lead[i])) return "a lead less in the second record";
    }
    for (unsigned i = 0; i < again->leads; i++) {
        if (!look_has_lead(first, &again->lead[i])) return "a lead more in the second record";
    }
    return NULL;
}

// What is wrong with how a record was read, or NULL; *read says whether it was. `bytes` may be anything. There is to be no store.
static inline const char *look(const uint8_t *bytes, size_t size, bool *read) {
    uint8_t *alone = malloc(size + !size);  // sanitizers know where it ends
    if (!alone) abort();
    memcpy(alone, bytes, size);
    *read = profile_read(alone, size, &look_first);
    free(alone);
    const char *wrong = *read ? look_bad_places(&look_first) : NULL;
    if (!*read || wrong) return wrong;
    look_tell(&look_first);
    look_given = look_read = false;
    memset(&look_again, 0, sizeof look_again);
    profile_make(look_take, NULL);
    pages_end();
    if (look_given && !look_read) return "a record that cannot be read";
    return look_bad_copy(&look_first, &look_again);
}
