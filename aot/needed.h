// Which libraries a program needs, and where they are, as the dynamic loader of glibc finds them (ld.so(8)): DT_RPATH, DT_RUNPATH, $ORIGIN, the directories of
// /etc/ld.so.conf, the default ones. What the environment and the loader's cache say is left out.
#pragma once
#include <stddef.h>

struct needed {
    char **path;  // the interpreter, then libraries in the order in which they would be loaded; each once
    char **missing;  // names that were not found
    size_t paths, missings;
    size_t path_room, missing_room;
};

// Of the program or library at `path`. With a sysroot (or NULL), absolute paths are taken from below it where they exist there, symbolic links as well. 0,
// or -1 with what is wrong with the file itself in `why`. To be freed by needed_end in both cases.
int needed_find(const char *path, const char *sysroot, struct needed *needed, const char **why);
void needed_end(struct needed *needed);

// `ferry-compiler --needed [-L SYSROOT] FILE`, from the second word on: prints paths. Its exit status: 1 if something is missing.
int needed_main(int argc, char *argv[]);
