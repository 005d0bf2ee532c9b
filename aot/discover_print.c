// What `ferry-compiler --discover FILE` prints: a line for each function (address, number of its blocks), one for each block (address, bytes, ways
// in), and at last how much there is. Numbers of lines are hexadecimal, those of the end are decimal.
#include "aot/discover.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

// By bit of enum discovery_way.
static const char letters[] = "FRLPSBN";

static void print_block(const struct discovery_block *block) {
    char ways[sizeof letters];
    unsigned count = 0;
    for (unsigned bit = 0; bit < sizeof letters - 1; bit++) {
        if (block->ways >> bit & 1) ways[count++] = letters[bit];
    }
    ways[count] = 0;
    printf("block %" PRIx64 " %x %s\n", block->offset, block->bytes, ways);
}

static void print_totals(const struct discovery *found) {
    printf("functions %u\nblocks %u\nmembers %u\ntables %u\ntargets %u\nunresolved %u\ncovered %" PRIu64 "\ncovered_known %" PRIu64
           "\n",
           found->functions, found->blocks, found->members, found->tables, found->targets, found->unresolved, found->covered,
           found->covered_known);
}

int discover_main(const char *path) {
    struct discovery found;
    const char *why;
    if (discover_file(path, guest_riscv64.default_features, &found, &why)) {
        fprintf(stderr, "ferry-compiler: %s: %s\n", path, why);
        return 1;
    }
    for (uint32_t i = 0; i < found.functions; i++)
        printf("function %" PRIx64 " %u\n", found.function[i].offset, found.function[i].count);
    for (uint32_t i = 0; i < found.blocks; i++) print_block(&found.block[i]);
    print_totals(&found);
    discover_end(&found);
    if (!fflush(stdout) && !ferror(stdout)) return 0;
    fprintf(stderr, "ferry-compiler: %s\n", strerror(errno));
    return 1;
}
