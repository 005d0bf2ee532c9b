// -strace: one line per system call, to options.log_file or stderr.
#pragma once
#include "guest-os/linux-user/syscall.h"

// Prints calls that may not come back (exit, execve) before they are made.
void strace_before(struct task *task, const struct syscall_row *row);
void strace_after(struct task *task, const struct syscall_row *row, long result);
// "name(arguments)" of the task's last call, for the crash report.
struct text;
void strace_call(struct text *text, struct task *task, const struct syscall_row *row);
