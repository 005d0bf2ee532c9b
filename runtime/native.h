// Memory for native code and what lies where in it. Pages are written, then made executable: never both at once. While a page is being written,
// threads that run in it fault and try again (native_retry).
#pragma once
#include "translator/quick/sheet.h"
#include <stddef.h>

struct laid;

enum { NATIVE_WAITING = 1024 };

// The native code of one generation of the code table (code.c), under whose lock all of this is but the look-ups.
struct native {
    uint8_t *base;
    size_t used;
    struct quick_unit **unit;  // ascending by address
    uint32_t units;
    struct laid **laid;  // sheets (sheets.h), the same
    uint32_t laids;
    // Of units to come. They are close together: a counter that has a cache line of the host's for itself is seldom in a cache.
    int32_t *counter;
    uint32_t counters;
    size_t ready;  // up to here there is writable memory for sheets
    struct quick_exit *waiting[NATIVE_WAITING];  // to be linked, many at once
    uint32_t waitings, links;
};

// Makes native code possible, for guests with these pins. False: this host has none.
bool native_init(const uint8_t *pins);
// Code for the blocks, installed, which counts its passes if any does and `counts`; what stays with it from `arena`. False if that cannot be; *full says that it is for lack of room.
bool native_make(struct native *native, struct arena *arena, struct block *const *blocks, unsigned count, bool counts, bool *full);
// The block has other `optimised` code, or none any more: its unit leaves for that, and exits lead there.
void native_switch(struct block *block);
// An exit is often passed: lets it lead straight to its target's native code, at once or together with others.
void native_link(struct native *native, struct quick_exit *exit);
// No exits lead straight to the block any more, which lost its native code.
void native_unlink(struct block *block);
// A copy of the image's code, executable, with these exits; where it is, or NULL if that cannot be.
const uint8_t *native_add(struct native *native, const struct image *image, const uint8_t *code, struct quick_exit *exits,
                          bool *full);
// A copy of the code of a sheet of the module at this address, executable, with the exits of `laid`, which is to know it. NULL if that cannot be.
const uint8_t *native_lay(struct native *native, const struct sheet *sheet, uint64_t module, struct laid *laid, bool *full);
// Native code at `site`, QUICK_SWITCH_BYTES that do nothing, leads to the block's code from now on, and when that goes, on to what is behind. The exit
// says so as long as the code is there.
void native_divert(const uint8_t *site, struct quick_exit *exit, struct block *block);
void native_free(struct native *native);

// For handlers of host signals. Whether a host pc is in this generation's code.
bool native_owns(const struct native *native, uint64_t host_pc);
// The unit that a host pc is in, or NULL.
const struct quick_unit *native_find(const struct native *native, uint64_t host_pc);
// What was laid where a host pc is, or NULL.
struct laid *native_find_laid(const struct native *native, uint64_t host_pc);
// Whether a fault is that of fetching an instruction from a page that is being written.
bool native_retry(const struct native *native, uint64_t host_pc, uint64_t address);
