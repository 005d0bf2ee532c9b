// Bytes that a block loads side by side. Programs for processors without misaligned accesses load, combine and store numbers by bytes; here is found out which cells of a
// block do so, so that one access and what can be seen of its parts will do.
#pragma once
#include "translator/interp/cells.h"

enum { JOIN_GROUPS = 7 };

// Bytes of a group's whole: `count` of them from number `low` on, the lowest one at byte `at` of a number that is zero elsewhere.
struct join_value {
    uint8_t group;  // from 1; 0: it is something else
    uint8_t low, count, at;
    bool reversed;  // the highest one first
    bool extended;  // the sign of 32 bits, of which it has the highest, is above them
};

// What a cell does about it.
struct join {
    enum { JOIN_NOTHING, JOIN_VALUE, JOIN_STORE, JOIN_STORED } role;  // the last: an earlier cell's store does it
    bool first;  // of a value: loads the whole, of `bytes` at slot b + `imm`; like a store, which takes the value there
    bool last;  // nobody looks at the whole behind it
    bool seen;  // of a value: someone sees the cell's own result before it is written over
    uint8_t bytes;
    int32_t imm;
    struct join_value value;
};

// What the first `count` cells of a block do, one struct for each. `in_line`: whether a uop has code that does not call its C body. False: nothing.
bool join_plan(const struct block *block, unsigned count, bool (*in_line)(unsigned code), struct join join[INTERP_MAX_CELLS]);
