// What `ferry dump` wants from an ELF file: executable segments and the names of functions. By libelf, with every range
// checked against the file's size.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DUMP_MAX_RANGES = 64 };

// Code in the file: addresses as the file has them.
struct dump_range {
    uint64_t start, size;
    const uint8_t *bytes;
};

struct dump_symbol {
    uint64_t start, size;
    const char *name;
};

struct dump_elf {
    const char *path;
    void *map;         // the file
    size_t map_size;
    void *handle;      // libelf's
    unsigned segment_count, code_count;
    struct dump_range segment[DUMP_MAX_RANGES];  // executable segments
    struct dump_range code[DUMP_MAX_RANGES];     // executable sections, or the segments where there are no sections
    struct dump_symbol *symbol;  // functions by address
    size_t symbol_count;
};

// 0, or an exit status after a message.
int dump_elf_open(struct dump_elf *elf, const char *path);
void dump_elf_close(struct dump_elf *elf);
// Bytes at `address` and how many follow in its segment; NULL outside of executable segments.
const uint8_t *dump_elf_at(const struct dump_elf *elf, uint64_t address, uint64_t *available);
bool dump_elf_symbol(const struct dump_elf *elf, const char *name, uint64_t *start, uint64_t *size);
const char *dump_elf_label(const struct dump_elf *elf, uint64_t address);
