// From a path to the checked image of what is to run (program.c), for those who start it (start.c).
#pragma once
#include "guest-os/linux-user/elf.h"
#include "runtime/base/arena.h"

struct program {
    const char *path;            // host path of the ELF file: the program, or the interpreter of a #! script
    const char *name_as_run;     // as the guest sees what was to be run (a script's own path): AT_EXECFN
    char *const *argv;           // rewritten for #! scripts
    struct elf_image image, interpreter;  // interpreter.fd is -1 where there is none
};

// Finds out whether `path` can be run and how; a path into the sysroot may also be the guest's, and symbolic links in it are the
// guest's. 0, or what execve(2) would fail with and the message in `why`. On success the descriptors of the images are open and
// program_close closes them.
long program_open(struct arena *arena, const char *path, char *const argv[], struct program *program, struct text *why);
void program_close(struct program *program);

// Whether the kernel was told where the guest's arguments, environment and auxiliary vector are (prctl PR_SET_MM_MAP), so
// that it shows them itself in /proc.
extern bool program_known_to_kernel;
