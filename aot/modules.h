// The modules (cache/module_key.h) that the code of an ELF file will be once the runner or a dynamic loader has mapped it: its executable segments, by whole
// pages. The file may be anything, and need not stay as it is meanwhile.
#pragma once
#include "cache/store.h"
#include <stdint.h>

enum { FILE_MODULES = 8 };

struct file_module {
    struct store_key key;
    uint64_t start;  // p_vaddr of its first page
    uint64_t size;  // of whole pages
    uint64_t offset, bytes;  // what the file has of it
};

struct file_modules {
    unsigned machine;  // e_machine
    unsigned count;
    struct file_module module[FILE_MODULES];
};

enum modules_outcome {
    MODULES_READ,
    MODULES_FOREIGN,  // it is none of the programs and libraries for guests that are known
    MODULES_DAMAGED,  // it says that it is one
};

// What the file has; no module where it has no code. Otherwise what is wrong stands in *why.
enum modules_outcome modules_read(int fd, struct file_modules *modules, const char **why);
