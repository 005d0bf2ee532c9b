// `ferry cache`: looks at, checks, prunes and ships what is kept between runs. What a subcommand finds is one JSON object; without --json the same is
// printed for people.
#pragma once
#include "cache/writer/bundle.h"
#include "translator/guest/guest.h"
#include <jansson.h>

// What `ferry` says.
struct cache_command {
    const char *directory, *reason;  // the user's, or NULL and why there is none
    const char *system;  // directories that are only read, separated by colons
    bool systems_own;  // these are the usual ones, which are root's
    const char *mode;
    const char *keys;  // files and directories of public keys, separated by colons
    const char *secret;  // file of the key to sign with, or NULL
    const char *install;  // directory to import into, for all users, or NULL for the user's
    struct store_key build;  // what this Ferry uses
    uint64_t limit, size;
    int64_t older;  // days, or -1
    const struct guest_isa *isa;  // the guest that the build is for, or NULL
    guest_features features;
    uint64_t sample, seed;  // of --deep
    bool has_size, has_build, has_sample, has_seed, must_be_signed, json, all, deep;
    char **words;  // the subcommand and its arguments
    int count;
};

// argv[0] is not looked at, then options, then the subcommand. Returns the exit status.
int cache_main(int argc, char *argv[]);

// "ferry: cannot DO DIRECTORY: WHY" on standard error; 1.
int cache_complain(const char *what, const char *object, const char *why);
// Bytes as text that JSON and terminals can bear.
json_t *cache_text(const char *text);
json_int_t cache_number(json_t *found, const char *name);
// Opens the user's directory; complains if that fails, unless it is not there yet: *missing.
bool cache_open(const struct cache_command *command, struct disk *disk, bool make, bool *missing);

// A file of a directory, opened: index alone.
typedef void cache_visit(const struct disk_file *file, struct module_file *opened, const char *why, struct snapshot_tools *tools,
                         void *data);  // NOLINT: not a pointer
// Opens all files of a directory in turns. `why`: what is wrong with one, which is then not open. How many are in damaged/.
uint32_t cache_walk(const struct disk *disk, cache_visit *visit, void *data);

// What a bundle is: whole, for which builds of Ferry, signed by whom. It is left open, unless the object says why it is damaged ("reason").
json_t *cache_inspect(const struct cache_command *command, const char *path, struct bundle_file *bundle);
// Why a bundle that is whole is not to be used as the settings are, or NULL.
const char *cache_refusal(const struct cache_command *command, json_t *found);
// ", signed by KEY (FILE)", or whatever there is to say.
void cache_print_signature(json_t *found);

// Subcommands: what they found, to be printed by the other function, and the exit status.
json_t *cache_list(const struct cache_command *command, int *status);
void cache_list_print(json_t *found);
json_t *cache_verify(const struct cache_command *command, int *status);
void cache_verify_print(json_t *found);
// What came of making a sample of the code again, or NULL after a message. *status: 1 if something is wrong, else as it was.
json_t *cache_deep(const struct cache_command *command, int *status);
void cache_deep_print(json_t *deep);
json_t *cache_stats(const struct cache_command *command, int *status);
void cache_stats_print(json_t *found);
json_t *cache_export(const struct cache_command *command, int *status);
void cache_export_print(json_t *found);
json_t *cache_keygen(const struct cache_command *command, int *status);
void cache_keygen_print(json_t *found);
json_t *cache_import(const struct cache_command *command, int *status);
void cache_import_print(json_t *found);
