// The texts that guests read in /proc in place of the host's: see proc_text.c.
#pragma once
#include "guest-os/linux-user/task.h"

enum proc_file {
    PROC_NONE,
    PROC_EXE,
    PROC_MEM,
    PROC_MAPS,
    PROC_SMAPS,
    PROC_CMDLINE,
    PROC_ENVIRON,
    PROC_AUXV,
    PROC_STAT,
    PROC_STATM,
    PROC_STATUS,
    PROC_CHILDREN,
    PROC_CPUINFO,
    PROC_LINK,  // some other name under /proc, which may be a symbolic link
};

// Writes the text of `file` to descriptor `to`; `host` is the host's file of that name. 0 or -errno.
long proc_write(struct task *task, enum proc_file file, const char *host, int to);
