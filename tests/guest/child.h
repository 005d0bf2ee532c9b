// For tests of what ends a process.
#pragma once
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

// Does it in a process of its own: how that ended, as waitpid says.
static int in_child(void (*what)(void)) {
    fflush(stdout);
    int child = fork(), status;
    if (!child) {
        what();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return status & 0xff7f;  // without the core dump's bit
}
