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
    bool is_label;  // it has no size of its own and ends where the next one starts
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
// What of [start, start + size) lies in one executable segment; false if that begins in none.
bool dump_elf_range(const struct dump_elf *elf, uint64_t start, uint64_t size, struct dump_range *range);
// By name, and by an address in it; or NULL.
const struct dump_symbol *dump_elf_symbol(const struct dump_elf *elf, const char *name);
const struct dump_symbol *dump_elf_function(const struct dump_elf *elf, uint64_t address);
// The name of a function that begins there, or NULL.
const char *dump_elf_label(const struct dump_elf *elf, uint64_t address);
