// Between the parts of `ferry precompile` (precompile*.c): what is wanted, the files to go through, and work in child processes.
#pragma once
#include "aot/discover.h"
#include "aot/modules.h"
#include "cache/writer.h"
#include <sys/types.h>

// What `ferry` says.
struct wanted {
    const char *directory;  // to write to, or NULL with the reason
    const char *reason, *system, *sysroot;
    const char *output;  // a bundle, or NULL
    const char *profiles;  // the cache whose profiles go into it, or NULL
    bool loops;  // LLVM is to compile all loops that no profile says anything of
    const char *secret;  // file of the key to sign that with, or NULL
    struct store_key build;
    const struct guest_isa *isa;
    guest_features features;
    uint64_t limit;
    double seconds;  // to take at most; 0: as many as it takes
    unsigned jobs;
    int nice;
    bool json;
};

// ---- files (precompile_files.c)

// By which a file is known again that was gone through before: the same file, untouched, or any with the same bytes.
struct marker {
    uint64_t size, inode;
    int64_t modified[2], changed[2];
    uint64_t profile[2];  // what was known from runs
    uint64_t hash[2];
    uint64_t loops;  // whether --loops was done
};

enum target_state { TARGET_WAITING, TARGET_DISCOVERING, TARGET_MAKING, TARGET_DONE, TARGET_CURRENT, TARGET_FAILED };

struct target {
    char *path;
    enum target_state state;
    uint64_t device;
    struct marker marker;
    struct file_modules modules;
    uint64_t code;  // bytes of it
    const struct found *found;  // once it is known
    const uint8_t *bytes;  // of the file and all that was found, `found_size` of them
    size_t found_size;
    const struct discovery_block *block;
    uint32_t functions, blocks;
    uint32_t next, done;  // blocks that are in hand, and those that sheets were made of
    unsigned parts, next_part;  // tasks for its regions; none if there is no profile of it
    unsigned tasks;  // that are at work on it
    uint32_t sheets, regions;
    uint64_t made_bytes;  // of both
    double begun;
};

struct targets {
    struct target *target;
    size_t count, room;
    unsigned complaints;  // files that nothing can be done with, and libraries that are missing
};

// Adds the file or directory of this name; for a file what it needs as well. Those that the store has all of are TARGET_CURRENT.
void targets_add(struct targets *targets, const struct wanted *wanted, const char *path);
void targets_free(struct targets *targets);
// Records that a file's modules are complete.
void target_mark(const struct target *target, const struct wanted *wanted, struct writer *writer);

// ---- work (precompile_work.c)

// What discovery found in a file, at the end of a memory that holds the file's bytes and the blocks as well.
struct found {
    struct file_modules modules;
    uint64_t hash[2];
    uint64_t blocks_at;
    uint32_t blocks, functions;
};

// A child process at work on a file; what it makes is in a memory of its own.
struct task {
    struct target *target;
    pid_t pid;
    int memory;
    enum { TASK_DISCOVER, TASK_SHEETS, TASK_REGIONS } kind;
    uint32_t from, to;  // blocks to make sheets of
    unsigned part;
};

// Starts a task. False if the host does not let us.
bool task_discover(struct task *task, const struct wanted *wanted, struct target *target);
// Sheets of some blocks; some of the regions that profiles say.
bool task_make(struct task *task, const struct wanted *wanted, struct target *target);
bool task_compile(struct task *task, const struct wanted *wanted, struct target *target);
// Takes what a task made that has ended with this status. NULL, or what is wrong with its file.
const char *task_end(struct task *task, int status, const struct wanted *wanted, struct writer *writer);
void task_kill(struct task *task);
void target_forget_found(struct target *target);

// ---- what runs found out (precompile_profile.c): nothing, for bundles that are to be the same wherever they are made

enum profiled { PROFILED_NOT, PROFILED_EXECUTED, PROFILED_NEVER };

bool profiles_wanted(const struct wanted *wanted);
// For the calls below, once in a process, or not at all.
void profiles_open(const struct file_modules *modules);
bool profiles_any(const struct file_modules *modules);
// Of this module.
bool profiles_has(unsigned module);
// Whether runs came to the block, `at` from the module's start, as far as is known.
enum profiled profiles_know(unsigned module, uint64_t at, uint32_t bytes);
// Adds all blocks that runs came to between these addresses of the file, whole pages of them, with what is known of them, to the pages.
void profiles_add(const struct target *target, uint64_t from, uint64_t to);
// By which one sees whether the profiles changed: zeros if there are none.
void profiles_digest(const struct file_modules *modules, uint64_t digest[2]);

// ---- what people see of it (precompile_progress.c)

enum stop { STOP_NOT, STOP_TIME, STOP_SIGNAL, STOP_WRITER };

void progress_begin(bool json);
void progress_files(const struct targets *targets);  // these are they
void progress_show(const struct targets *targets);
void progress_file(const struct target *target, const char *why);
void progress_end(const struct targets *targets, enum stop stop);
// A message, on a line of its own.
void progress_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
double precompile_now(void);
