// What --stats and --stats-json report at the end of a run.
#pragma once
#include "cache/record.h"
#include "translator/quick/sheet.h"
#include "translator/ir/cpu.h"
#include <stdbool.h>

// What happens to the table of blocks.
enum stats_change {
#define CHANGE(id, key) STATS_##id,
#include "runtime/stats.def"
    STATS_CHANGES
};

// Whether this run counts (options.stats or options.stats_json): decides MODE_COUNT.
bool stats_wanted(void);
// Makes the file that options.stats_json names; before guest code runs.
void stats_init(void);
// Adds what a cpu counted that is about to be freed.
void stats_add(struct cpu *cpu);
// A block was translated from so many guest bytes and instructions; under the code table's lock.
void stats_translated(unsigned instructions, unsigned bytes);
// A unit of native code was made of so many blocks, which have so many guest bytes together; under the code table's lock.
void stats_native(unsigned blocks, unsigned guest_bytes, unsigned bytes);
// A region of so many blocks was compiled; under the code table's lock.
void stats_optimised(const struct channel_result *result, unsigned blocks);
// Code of a region that was kept is used; under the code table's lock.
void stats_restored(const struct record *record);
// A sheet that was kept is used; under the code table's lock.
void stats_laid(const struct sheet *sheet);
// Once more; under the code table's lock.
void stats_count(enum stats_change change);
// In a forked child, whose only cpu this is: it counts from nothing.
void stats_forked(struct cpu *cpu);
// What came of comparing native code with the interpreter (--cosim) when it was entered; from any thread.
enum stats_comparison {
    STATS_COMPARED,
    STATS_BESIDE_THREADS,  // not compared, as are those below
    STATS_UNSTEADY,  // it read a clock, or memory that other processes have as well
    STATS_INEXACT,  // a fault in code that does not know the state then
    STATS_LONG,
    STATS_COMPARISONS
};
void stats_compared(enum stats_comparison outcome);
// Writes the report, if wanted. Once per process, from any thread.
void stats_report(void);
