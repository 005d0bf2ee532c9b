// Between regions and what is kept of them: what a request has to say so that its code can be kept, and code that was kept, looked at before it is used.
// All of this under the code table's lock.
#pragma once
#include "cache/record.h"
#include "cache/gather.h"
#include "runtime/module.h"
#include "translator/guest/guest.h"

// Code that was kept for guest bytes that are there now.
struct kept {
    struct record record;
    uint64_t module[CHANNEL_MODULES];  // where the record's modules are
    uint64_t pc[CHANNEL_BLOCKS];
    uint64_t exit[CHANNEL_EXITS];
    const uint8_t *bytes[CHANNEL_BLOCKS];  // of guest code
};

// The store's key of code for such a guest, made by this program and this host.
void keep_build(const struct guest_isa *isa, guest_features features, struct store_key *key);
// Code is kept from now on, if the options want that and there is a place for it. Whether.
bool keep_init(const struct guest_isa *isa, guest_features features);
// Whether what is made in this process is kept.
bool keep_adds(void);
// Says in the channel where.
void keep_tell(struct channel *channel);
// Names the modules of the region's blocks in the request, if its code can be kept.
void keep_describe(const struct gathering *g, struct channel_request *request);
// What is kept for a region that is entered at `pc`. False if there is nothing that fits. What *kept points to stays until the next call.
bool keep_find(uint64_t pc, uint32_t mode, bool exact, struct kept *kept);
