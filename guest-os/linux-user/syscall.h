// Entry of every guest system call, and the table behind it.
#pragma once
#include "guest-os/linux-user/task.h"

// cpu_hooks.syscall
void syscall_dispatch(struct cpu *cpu);

struct syscall_row {
    const char *name;  // NULL: no such number
    enum syscall_how { SYSCALL_MISSING, SYSCALL_PASS, SYSCALL_BLOCK, SYSCALL_OWN, SYSCALL_ERROR } how;
    short host;        // number on the host, for PASS and BLOCK; -1 if this host's headers lack it
    short error;       // for ERROR
    enum restart restart;
    const char *arguments;
    syscall_function *own;
};
enum { SYSCALL_LIMIT = 512 };
extern const struct syscall_row syscall_table[SYSCALL_LIMIT];

// Prints the table on stdout, for people or as JSON. Uses stdio: for subcommands that run no guest.
void syscall_table_print(bool json);

#define OWN(number, name, restart, arguments) syscall_function sys_##name;
#define PASS(...)
#define BLOCK(...)
#define ERROR(...)
#include "guest-os/linux-user/syscalls.def"
#undef OWN
#undef PASS
#undef BLOCK
#undef ERROR
