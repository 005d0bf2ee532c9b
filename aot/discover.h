// Finds the code of an ELF file without running it: where functions begin, and every block that a runner would make of them, cut as runners cut
// (guest_lift_block). docs/discover.md says where entries come from and what is not found.
//
// Addresses are relative to the module's load bias: p_vaddr's. The file may be anything; what is wrong with it is left out.
#pragma once
#include "translator/guest/guest.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// How a block is entered, as far as is known. Entered from elsewhere than its function's blocks: all but BRANCH and RUN.
enum discovery_way {
    DISCOVERY_FUNCTION = 1,  // by calls, or by whoever holds its address
    DISCOVERY_RETURN = 2,  // behind a call
    DISCOVERY_LABEL = 4,  // by an indirect jump within the function: an entry of a jump table, a label whose address is taken
    DISCOVERY_LANDING = 8,  // by an unwinder
    DISCOVERY_RESUME = 16,  // behind a system call, or whatever else leaves translated code and comes back
    DISCOVERY_BRANCH = 32,  // by direct branches and jumps
    DISCOVERY_RUN = 64,  // from the block before, which ended with its page or was long enough
    DISCOVERY_FROM_ELSEWHERE = DISCOVERY_FUNCTION | DISCOVERY_RETURN | DISCOVERY_LABEL | DISCOVERY_LANDING | DISCOVERY_RESUME,
};

struct discovery_block {
    uint64_t offset;
    uint32_t bytes;
    uint32_t ways;  // enum discovery_way
};

// Blocks that an entry reaches by branches, not by calls nor by jumps to other functions. Functions may have blocks in common.
struct discovery_function {
    uint64_t offset;
    uint32_t first, count;  // in discovery.member
};

struct discovery {
    struct discovery_block *block;  // by offset
    struct discovery_function *function;  // by offset
    uint32_t *member;  // indices of blocks, ascending for each function
    uint32_t blocks, functions, members;
    // For people: jump tables found and the targets in them, indirect jumps that none was found for (tail calls by pointer among them),
    // bytes of code that blocks cover, and of these, bytes in what symbols and unwind information call functions.
    uint32_t tables, targets, unresolved;
    uint64_t covered, covered_known;
};

// Fills `found` with the code of the file of `size` bytes at `elf`, for the guest of its machine with these features. 0, or -1 with what is wrong
// in `why`. To be freed by discover_end.
int discover(const void *elf, size_t size, guest_features features, struct discovery *found, const char **why);
int discover_file(const char *path, guest_features features, struct discovery *found, const char **why);
void discover_end(struct discovery *found);

// `ferry-compiler --discover FILE`: prints functions and blocks. Its exit status.
int discover_main(const char *path);
