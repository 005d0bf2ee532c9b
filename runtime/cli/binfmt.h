// What `ferry binfmt` registers with the kernel, for those who look at it.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define BINFMT_DIRECTORY "/proc/sys/fs/binfmt_misc"
#define BINFMT_ENTRY "ferry-riscv64"

// State of the kernel's binfmt_misc, as `binfmt status` and `doctor` tell it.
struct binfmt_state {
    bool mounted, enabled;
    bool registered;         // our entry is there and enabled
    char interpreter[1024];  // of our entry
    char flags[16];
    char rivals[1024];       // names of other enabled entries for the same programs, separated by spaces
};
void binfmt_look(struct binfmt_state *state);
