// Discovery from a file's bytes to its list of functions and blocks: the order in which sources are asked, and what is made of blocks that were found.
#include "aot/discover_search.h"
#include "runtime/base/error.h"
#include "runtime/base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    UOPS_PER_BYTE = 16,  // of code, to be spent on all but jump tables, and as many on these; compilers' code takes about one
    UOPS_AT_LEAST = 1 << 22,
    MEMBERS_PER_BLOCK = 16,  // at most, on average
};

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count + 1, size);
    if (!memory) error_die("no memory for what was found in a file");
    return memory;
}

// ---- searching

static int by_extent(const void *a, const void *b) {
    const struct extent *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

// Sorted, none twice, and what lies within another cuts it in two.
static void tidy_extents(struct search *search) {
    size_t kept = 0;
    if (search->extents) qsort(search->extent, search->extents, sizeof *search->extent, by_extent);
    for (size_t i = 0; i < search->extents; i++) {
        struct extent next = search->extent[i], *last = kept ? &search->extent[kept - 1] : NULL;
        if (last && next.start < last->end) {
            if (next.end < last->end) next.end = last->end;
            last->end = next.start;
            if (last->start == last->end) kept--;
        }
        search->extent[kept++] = next;
    }
    search->extents = kept;
}

static void ask_sources(struct search *search) {
    search_read_symbols(search);
    search_read_frames(search, false);
    tidy_extents(search);
    search_read_frames(search, true);
    search_enter(search, search->image.header.e_entry, DISCOVERY_FUNCTION, SEARCH_NONE);
    search_read_dynamic(search);
    search_read_relocations(search);
}

// Bounded tables of all jumps from number `from` on, and of those that come of them.
static void follow_tables(struct search *search, size_t from) {
    search_walk(search);
    while (from < search->indirects) {
        size_t behind = search->indirects;
        search_tables(search, from, TABLES_BOUNDED);
        search_walk(search);
        from = behind;
    }
}

// Whatever may be the address of code, until no more comes of that.
static void follow_hints(struct search *search) {
    for (size_t at = 0; at < search->hints || search->walked < search->founds;) {
        size_t from = search->indirects;
        while (at < search->hints) search_try(search, search->hint[at++]);
        follow_tables(search, from);
    }
    search->hints = 0;
}

// With more effort. False once nothing comes of it.
static bool find_more_tables(struct search *search) {
    if (!search_spend(&search->budget, search->founds + search->edges + search->marks)) return false;
    search_tables(search, 0, TABLES_DETOURS);
    if (search->walked < search->founds) return true;
    search_sort_marks(search);
    search_tables(search, 0, TABLES_GUESSED);
    return search->walked < search->founds;
}

static void run(struct search *search) {
    uint64_t bytes = 0, known = 0;
    for (unsigned i = 0; i < search->image.codes; i++) bytes += search->image.code[i].end - search->image.code[i].start;
    search->budget = search->walk_budget = bytes * UOPS_PER_BYTE + UOPS_AT_LEAST;
    ask_sources(search);
    for (size_t i = 0; i < search->extents; i++) known += search->extent[i].end - search->extent[i].start;
    search->described = known > bytes / 2;
    if (!search->described) image_cover(&search->image);
    follow_tables(search, 0);
    search_read_words(search);
    do { follow_hints(search); } while (find_more_tables(search));
}

// ---- what was found, in order

struct gathering {
    const struct search *search;
    struct discovery *result;
    uint32_t *order;  // from number by offset to number in search->found
    uint32_t *place;  // the other way round
    uint32_t *stamp;  // number by offset of the last function that a block was taken into, + 1
    struct pair *root;
    size_t roots, root_room, member_room;
};

// A block that nothing leads to but what is computed or unwound, and the function that it is a part of. Both as numbers by offset.
struct pair {
    uint32_t function, block;
};

static int by_offset(const void *a, const void *b, void *data) {
    const struct search *search = data;
    uint64_t x = search->found[*(const uint32_t *)a].offset, y = search->found[*(const uint32_t *)b].offset;
    return x < y ? -1 : x > y;
}

static void put_blocks(struct gathering *gathering) {
    const struct search *search = gathering->search;
    struct discovery *result = gathering->result;
    gathering->order = allocate(search->founds, sizeof *gathering->order);
    gathering->place = allocate(search->founds, sizeof *gathering->place);
    for (uint32_t i = 0; i < search->founds; i++) {
        if (search->found[i].bytes) gathering->order[result->blocks++] = i;
    }
    qsort_r(gathering->order, result->blocks, sizeof *gathering->order, by_offset, (void *)(uintptr_t)search);
    result->block = allocate(result->blocks, sizeof *result->block);
    for (uint32_t i = 0; i < result->blocks; i++) {
        const struct found *found = &search->found[gathering->order[i]];
        gathering->place[gathering->order[i]] = i;
        result->block[i] = (struct discovery_block){found->offset, found->bytes, found->ways};
    }
}

// ---- functions

static int by_pair(const void *a, const void *b) {
    const struct pair *x = a, *y = b;
    if (x->function != y->function) return x->function < y->function ? -1 : 1;
    return x->block < y->block ? -1 : x->block > y->block;
}

// The number of the block at an offset, or ~0.
static uint32_t block_at(const struct discovery *result, uint64_t offset) {
    uint32_t low = 0, high = result->blocks;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (result->block[middle].offset < offset) low = middle + 1;
        else high = middle;
    }
    return low < result->blocks && result->block[low].offset == offset ? low : UINT32_MAX;
}

static void find_roots(struct gathering *gathering) {
    const struct discovery *result = gathering->result;
    for (uint32_t i = 0; i < result->blocks; i++) {
        const struct discovery_block *block = &result->block[i];
        if (block->ways & DISCOVERY_FUNCTION || !(block->ways & (DISCOVERY_LABEL | DISCOVERY_LANDING))) continue;
        const struct extent *extent = search_extent(gathering->search, block->offset);
        uint32_t function = extent ? block_at(result, extent->start) : UINT32_MAX;
        if (function != UINT32_MAX) SEARCH_ADD(gathering->root, gathering->roots, gathering->root_room, (struct pair){function, i});
    }
    if (gathering->roots) qsort(gathering->root, gathering->roots, sizeof *gathering->root, by_pair);
}

// Of `function`, unless it belongs to it already, is another function, or there are too many.
static void take(struct gathering *gathering, uint32_t block, uint32_t function) {
    struct discovery *result = gathering->result;
    bool other = block != function && result->block[block].ways & DISCOVERY_FUNCTION;
    bool full = result->members >= (uint64_t)result->blocks * MEMBERS_PER_BLOCK;
    if (other || full || gathering->stamp[block] == function + 1) return;
    gathering->stamp[block] = function + 1;
    SEARCH_ADD(result->member, result->members, gathering->member_room, block);
}

static void take_next(struct gathering *gathering, uint32_t number, uint32_t function) {
    const struct search *search = gathering->search;
    const struct found *found = &search->found[gathering->order[number]];
    const struct jump_table *table = found->table == SEARCH_NONE ? NULL : &search->table[found->table];
    for (uint32_t i = 0; i < found->edges; i++) {
        uint32_t next = search->edge[found->first_edge + i];
        if (search->found[next].bytes) take(gathering, gathering->place[next], function);
    }
    for (uint32_t i = 0; table && i < table->count; i++) {
        uint32_t next = search->target[table->first + i];
        if (search->found[next].bytes) take(gathering, gathering->place[next], function);
    }
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void put_function(struct gathering *gathering, uint32_t function, size_t *root) {
    struct discovery *result = gathering->result;
    uint32_t first = result->members;
    take(gathering, function, function);
    while (*root < gathering->roots && gathering->root[*root].function < function) ++*root;
    for (; *root < gathering->roots && gathering->root[*root].function == function; ++*root)
        take(gathering, gathering->root[*root].block, function);
    for (uint32_t at = first; at < result->members; at++) take_next(gathering, result->member[at], function);
    uint32_t count = result->members - first;
    if (count) qsort(result->member + first, count, sizeof *result->member, by_number);
    result->function[result->functions++] = (struct discovery_function){result->block[function].offset, first, count};
}

static void put_functions(struct gathering *gathering) {
    struct discovery *result = gathering->result;
    size_t root = 0;
    gathering->stamp = allocate(result->blocks, sizeof *gathering->stamp);
    result->function = allocate(result->blocks, sizeof *result->function);
    find_roots(gathering);
    for (uint32_t i = 0; i < result->blocks; i++)
        if (result->block[i].ways & DISCOVERY_FUNCTION) put_function(gathering, i, &root);
}

// ---- for people

// How much of [start, end) extents hold. `at` goes along with rising starts.
static uint64_t known_bytes(const struct search *search, size_t *at, uint64_t start, uint64_t end) {
    uint64_t sum = 0;
    while (*at < search->extents && search->extent[*at].end <= start) ++*at;
    for (size_t i = *at; i < search->extents && search->extent[i].start < end; i++) {
        uint64_t low = search->extent[i].start > start ? search->extent[i].start : start;
        uint64_t high = search->extent[i].end < end ? search->extent[i].end : end;
        sum += high - low;
    }
    return sum;
}

static void count(const struct search *search, struct discovery *result) {
    uint64_t behind = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < result->blocks; i++) {
        uint64_t start = result->block[i].offset, end = start + result->block[i].bytes;
        if (start < behind) start = behind;
        if (start >= end) continue;
        result->covered += end - start;
        result->covered_known += known_bytes(search, &at, start, end);
        behind = end;
    }
    result->tables = (uint32_t)search->tables;
    result->targets = (uint32_t)search->targets;
    result->unresolved = (uint32_t)(search->indirects - search->tables);
}

// ---- all of it

static void put_all(const struct search *search, struct discovery *result) {
    struct gathering gathering = {.search = search, .result = result};
    put_blocks(&gathering);
    put_functions(&gathering);
    count(search, result);
    free(gathering.order);
    free(gathering.place);
    free(gathering.stamp);
    free(gathering.root);
}

int discover(const void *elf, size_t size, guest_features features, struct discovery *found, const char **why) {
    *found = (struct discovery){.block = NULL};
    struct search *search = allocate(1, sizeof *search);
    search->features = features;
    int result = image_open(&search->image, elf, size, why);
    if (!result) {
        run(search);
        put_all(search, found);
        image_close(&search->image);
    }
    free(search->extent);
    free(search->found);
    free(search->edge);
    free(search->target);
    free(search->table);
    free(search->hint);
    free(search->mark);
    free(search->indirect);
    free(search);
    return result;
}

// Read, not mapped: somebody may make the file shorter meanwhile.
static uint8_t *read_file(int fd, size_t size, const char **why) {
    uint8_t *bytes = malloc(size);
    *why = bytes ? NULL : "too large";
    long got = bytes ? io_read_at(fd, bytes, size, 0) : 0;
    if (got < 0) *why = strerror((int)-got);
    else if (bytes && got < (long)size) *why = "it became shorter while it was read";
    return bytes;
}

static int discover_open(int fd, guest_features features, struct discovery *found, const char **why) {
    struct stat about = {0};
    *why = "no ELF file";
    if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode) || about.st_size <= 0) return -1;
    uint8_t *elf = read_file(fd, (size_t)about.st_size, why);
    int result = *why ? -1 : discover(elf, (size_t)about.st_size, features, found, why);
    free(elf);
    return result;
}

int discover_file(const char *path, guest_features features, struct discovery *found, const char **why) {
    *found = (struct discovery){.block = NULL};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *why = fd < 0 ? strerror(errno) : NULL;
    if (fd < 0) return -1;
    int result = discover_open(fd, features, found, why);
    close(fd);
    return result;
}

void discover_end(struct discovery *found) {
    free(found->block);
    free(found->function);
    free(found->member);
    *found = (struct discovery){.block = NULL};
}
