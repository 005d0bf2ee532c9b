// What the files of `ferry dump` share.
#pragma once
#include "runtime/cli/dump_elf.h"
#include "translator/guest/guest.h"

struct dump {
    const struct dump_elf *elf;  // NULL with --hex
    guest_features features;
    uint64_t left;  // instructions still to print
};

// What becomes of guest code in the optimising tier: all of it that branches and jumps lead to from `entry`. Returns the exit status.
int dump_llvm(struct dump *dump, const struct dump_range *code, uint64_t entry);
int dump_asm(struct dump *dump, const struct dump_range *code, uint64_t entry);
