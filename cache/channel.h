// What the runner and the compiler program share: one memory of requests, results and code. Nothing else passes between them. Either may die,
// hang or write nonsense at any moment, so that each checks what it reads, in a copy of its own.
//
//   control pages: both read and write       arena: the compiler writes, the runner takes images of code from it
//                                            journal: the runner writes which code of modules the guest came to, with its bytes
//
// What was taken from the arena is written over.
#pragma once
#include "cache/store.h"
#include "translator/quick/image.h"
#include <stdint.h>

enum {
    CHANNEL_VERSION = 8,
    CHANNEL_REQUESTS = 16,
    CHANNEL_RESULTS = 32,
    CHANNEL_BLOCKS = 224,  // of a request
    CHANNEL_EXITS = 512,
    CHANNEL_WAYS = 1024,
    CHANNEL_BYTES = 24576,  // of guest code
    CHANNEL_PINS = 16,
    CHANNEL_MODULES = 8,  // of a request
    CHANNEL_PATH = 4096,
    CHANNEL_CONTROL_BYTES = 1 << 20,  // in the memory, before the arena
    CHANNEL_JOURNAL_BYTES = 64 << 20,  // behind it; what was never written takes no room
    CHANNEL_MAPS_BYTES = 64 << 10,  // of the journal, at its start: what /proc/PID/maps said of the runner, ended by 0
    CHANNEL_JOURNAL_MODULES = 256,
    // Descriptors of the compiler program.
    CHANNEL_FD = 3,
    CHANNEL_RUNNER_FD = 4,  // a pidfd
};
#define CHANNEL_MAGIC UINT64_C(0x6c6e6e6168437246)  // "FrChannl"

struct channel_block {
    uint64_t pc;
    uint16_t at, bytes;  // in the request's bytes
    uint8_t entry;  // whether, as in struct region_block
    uint8_t module;  // number of the request's module
    uint8_t scatters;  // whether, as in struct region_block
};

// Executable memory that a file was mapped to, by which code is found again.
struct channel_module {
    struct store_key key;
    uint64_t start, bytes;
};

// An indirect jump that ends a block may lead to another one.
struct channel_way {
    uint8_t from, to;  // numbers of blocks
};

// A region to compile.
struct channel_request {
    uint32_t id, mode;
    uint32_t blocks, exits, ways, bytes;
    uint32_t exact, stepwise;  // whether, as in struct region
    uint32_t modules;  // 0: what comes of it is for this process alone
    struct channel_module module[CHANNEL_MODULES];
    struct channel_block block[CHANNEL_BLOCKS];
    uint64_t exit[CHANNEL_EXITS];  // pcs
    uint8_t exit_module[CHANNEL_EXITS];  // numbers of the modules that they stay at the same distances from
    struct channel_way way[CHANNEL_WAYS];
    uint8_t byte[CHANNEL_BYTES];
};

enum channel_outcome { CHANNEL_MADE, CHANNEL_FAILED, CHANNEL_FULL };

struct channel_result {
    uint32_t id, outcome;
    uint32_t at, bytes;  // of the image, from the arena's start
    uint32_t entry[CHANNEL_BLOCKS];  // of blocks that are entries: from the image's start
    uint32_t holes, holes_at, exits_at;  // as of struct image
    uint32_t list_at;  // of struct image_hole for each hole, from the arena's start
    uint32_t instructions;  // of the guest
    uint32_t microseconds;  // of processor time
};

// What else is known of a block, as bits.
enum {
    CHANNEL_PLAIN = 1,  // no better code is wanted for a loop that begins there
    CHANNEL_WARM = 2,  // it was often executed
    CHANNEL_HOT = 4,  // and begins a loop or function that was so for long
    CHANNEL_LONG = 16,  // and that for so long that it is one of the first to be compiled
    CHANNEL_LEADS = 8,  // where it leads indirectly is known
};

// An entry of the journal, before pcs that the block led to indirectly, from the module's start, and its bytes.
struct channel_block_note {
    uint32_t module;  // number of the journal's module
    uint32_t at;  // from the module's start
    uint16_t bytes, mode;  // no bytes: it was noted before
    uint16_t marks, targets;  // how many of these pcs
};
enum { CHANNEL_NOTE_ALIGN = 8, CHANNEL_TARGETS = 32 };

// How much room one takes with so many pcs and bytes.
static inline uint32_t channel_note_bytes(uint32_t targets, uint32_t bytes) {
    uint32_t all = (uint32_t)sizeof(struct channel_block_note) + targets * (uint32_t)sizeof(uint32_t) + bytes;
    return (all + CHANNEL_NOTE_ALIGN - 1) & ~(uint32_t)(CHANNEL_NOTE_ALIGN - 1);
}

// A ring is empty if both its counts are equal, modulo 2^32. The writer of an entry raises `in` after it, its reader `out`.
struct channel {
    uint64_t magic;
    uint32_t version, arena_bytes;
    uint64_t features;
    uint8_t pins[CHANNEL_PINS];  // ended by 0
    char isa[16];
    uint32_t runner;  // process id
    struct store_key build;
    char cache[CHANNEL_PATH];  // the directory to keep code in; empty: none
    char system[CHANNEL_PATH];  // directories that are only read, as in struct store_settings; too long, or none: empty
    bool default_systems;
    uint64_t cache_bytes;  // how much there may be in it
    uint32_t closed;  // the runner needs no more
    uint32_t exact;  // whether its code is to be, as in struct region
    uint32_t left;  // the compiler went, for want of work
    uint32_t beats;  // rises every second while the compiler lives
    uint32_t requests_in, requests_out;  // the first is also the futex that the compiler waits on
    uint32_t results_in, results_out;  // the same for a runner that waits
    uint32_t waiting;  // somebody is, for requests
    uint32_t current;  // id of the request under way, or 0
    uint32_t journal_in;  // bytes of the journal that are written
    uint32_t journal_modules;
    struct channel_module journal_module[CHANNEL_JOURNAL_MODULES];
    struct channel_request request[CHANNEL_REQUESTS];
    struct channel_result result[CHANNEL_RESULTS];
};
_Static_assert(sizeof(struct channel) <= CHANNEL_CONTROL_BYTES, "the control pages hold it");
