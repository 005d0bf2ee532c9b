// Between the parts of discovery (discover*.c): the file as memory, what is known of functions, and the blocks found so far.
#pragma once
#include "aot/discover.h"
#include <gelf.h>

enum { SEARCH_NONE = -1 };

// ---- the file as it will be in memory (discover_image.c)

struct segment {
    uint64_t start, size;  // of what the file has
    const uint8_t *bytes;
    bool executable, writable;
};

// Executable bytes that may be code: sections that say so, or segments where there are no sections.
struct code_range {
    uint64_t start, end;
    uint32_t *block;   // by (address - start) / min_instruction: number of the block there + 1
    uint8_t *covered;  // whether a block goes over it; NULL where nobody asks
};

struct relocated {
    uint64_t where, value;
};

struct image {
    Elf *elf;
    GElf_Ehdr header;
    const struct guest_isa *isa;
    struct segment *segment;
    struct code_range *code;
    struct relocated *relocated;  // words that the loader changes, to values in this module; by address
    unsigned segments, codes;
    size_t relocateds, unsorted, relocated_room;  // `unsorted` are being gathered
    uint64_t relro_start, relro_end;  // read-only once the loader is done
};

int image_open(struct image *image, const void *elf, size_t size, const char **why);
void image_close(struct image *image);
// From now on it is noted what blocks go over.
void image_cover(struct image *image);
// What the file has at an address and how many bytes of it; NULL where it has nothing.
const uint8_t *image_bytes(const struct image *image, uint64_t address, size_t *size);
// An integer of 1, 2, 4 or 8 bytes, relocated.
bool image_read(const struct image *image, uint64_t address, unsigned width, uint64_t *value);
// Whether nothing changes what stands there once the program runs.
bool image_is_constant(const struct image *image, uint64_t address);
// The range that an address at which an instruction can be lies in, or NULL.
struct code_range *image_code(const struct image *image, uint64_t address);

// ---- what is known

// Where a function is, from symbols and unwind information.
struct extent {
    uint64_t start, end;
};

struct found {
    uint64_t offset;
    uint32_t bytes;
    uint8_t ways;    // enum discovery_way
    int32_t parent;  // the block by which it was found first, if any
    uint32_t first_edge, edges;  // blocks to which control goes, calls left out
    int32_t table;   // number of its jump table's targets, or SEARCH_NONE
};

struct jump_table {
    uint32_t first, count;  // in search.target
};

// An address that may or may not be one of code.
struct hint {
    uint64_t address;
    bool label;  // if it is inside a function, then it is one of a label
    bool number;  // it may be nothing but a number
};

struct search {
    struct image image;
    guest_features features;
    struct extent *extent;  // by start
    struct found *found;
    uint32_t *edge, *target;
    struct jump_table *table;
    struct hint *hint;
    uint64_t *mark;  // addresses of data that code refers to
    uint32_t *indirect;  // blocks that end with indirect jumps
    size_t extents, founds, edges, targets, tables, hints, marks, indirects;
    size_t extent_room, found_room, edge_room, target_room, table_room, hint_room, mark_room, indirect_room;
    size_t walked;  // blocks whose successors are known
    uint64_t global;  // what the slot of the global pointer holds, or 0
    bool described;   // extents cover most of the code
    uint64_t walk_budget;  // for reading tables and following control, in entries and uops lifted
    uint64_t budget;  // for jump tables, in uops carried out
    struct ir_block ir;
};

// False once the budget is spent.
bool search_spend(uint64_t *budget, uint64_t cost);
// Room for one more at `count`: the array, moved perhaps.
void *search_grow(void *array, size_t *room, size_t count, size_t element);
#define SEARCH_ADD(array, count, room, ...)                                \
    do {                                                                   \
        (array) = search_grow((array), &(room), (count), sizeof *(array)); \
        (array)[(count)++] = __VA_ARGS__;                                  \
    } while (0)

// ---- blocks (discover_blocks.c)

// A block begins there; from which (or SEARCH_NONE). Its number, or SEARCH_NONE where no code can be.
int32_t search_enter(struct search *search, uint64_t address, enum discovery_way way, int32_t from);
// Lifts the block at an address into search->ir. False where there is none.
bool search_lift(struct search *search, uint64_t address);
// Whether the block in search->ir ends with a call: a jump that leaves the address behind it where calls do.
bool search_is_call(const struct search *search);
// Whether what is there can be carried out to the block's end.
bool search_plausible(struct search *search, uint64_t address);
// Follows control from all blocks that were entered and not yet followed.
void search_walk(struct search *search);
// The extent that holds an address, or NULL. Extents are sorted.
const struct extent *search_extent(const struct search *search, uint64_t address);
// Somebody may hold this address: enters it if it looks like code's.
void search_try(struct search *search, struct hint hint);

// Sorts marks. Whether there is one in (low, high].
void search_sort_marks(struct search *search);
bool search_has_mark(const struct search *search, uint64_t low, uint64_t high);

// ---- sources

void search_read_symbols(struct search *search);
void search_read_dynamic(struct search *search);
void search_read_relocations(struct search *search);
// Functions, or, once extents are sorted, their landing pads.
void search_read_frames(struct search *search, bool handlers);
// Words of data that could be pointers, in programs that are not relocated.
void search_read_words(struct search *search);
// How jump tables are looked for.
enum table_effort {
    TABLES_BOUNDED,  // the index is bounded by branches on the way by which the jump was found
    TABLES_DETOURS,  // or on other ways
    TABLES_GUESSED,  // the table's length has to be guessed; marks must be sorted
};

// Jump tables of the indirect jumps that have none yet, from number `from` of search->indirect on.
void search_tables(struct search *search, size_t from, enum table_effort effort);
