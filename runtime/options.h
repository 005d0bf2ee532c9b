// The settings of one run, as the command line, the environment and the configuration gave them. Filled in by
// runtime/cli from options.def; read by everyone.
#pragma once
#include "translator/guest/guest.h"
#include <stdbool.h>
#include <stdint.h>

enum cache_mode { CACHE_ON, CACHE_READ, CACHE_OFF };
enum tier { TIER_AUTO, TIER_INTERP, TIER_QUICK, TIER_OPT };

struct options {
    const char *sysroot;       // -L: root for the guest's absolute paths, or NULL; absolute
    const char *cpu;           // -cpu text, or NULL
    guest_features features;   // parsed from it
    const char *argv0;         // -0, or NULL
    const char *const *set_env, *const *unset_env;  // -E NAME=VALUE, -U NAME; NULL-terminated, or NULL
    uint64_t stack_size;       // -s bytes, 0 = RLIMIT_STACK
    bool strace;               // -strace
    const char *log_file;      // -D: where strace and -d output go, or NULL for stderr
    bool stats;                // --stats on stderr at exit
    const char *stats_json;    // --stats-json FILE
    bool perfmap;              // -perfmap: tell perf about native code
    const char *jitdump;       // -jitdump: the directory to write jit-PID.dump in, or NULL; absolute
    bool jitdump_append;       // an earlier program of this process may have begun its file
    const char *log_blocks;    // --log-blocks FILE, or NULL; absolute
    enum tier tier;
    bool cosim;                // compare native code with the interpreter
    uint64_t code_size;        // bytes of translations before a new generation begins, or 0
    enum cache_mode cache;     // whether translations are kept between runs
    const char *cache_dir;     // where; absolute, "" for nowhere
    const char *cache_system;  // other directories, separated by colons, or NULL for the usual ones
    uint64_t cache_size;       // bytes of it, or 0
    bool crash_report;         // print the block on fatal signals even when stderr is no terminal
    const char *self;          // how to execute this runner again: "/proc/self/exe" or a path
    // Every option that a re-executed runner must be given again, as argv words, NULL-terminated (made by the CLI).
    const char *const *inherited;
};
extern struct options options;
