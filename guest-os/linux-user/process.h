// Inside guest-os: making and ending tasks.
#pragma once
#include "guest-os/linux-user/task.h"

// A task for a copy of `parent`'s cpu: registers, mask and alternate stack as its parent's, handlers shared or copied.
struct task *task_copy(struct task *parent, bool share_handlers);
void task_free(struct task *task);
// What the kernel does when a thread ends: robust futexes are given up, clear_tid is cleared and woken.
void task_release_futexes(struct task *task);

// What clone(2) and clone3(2) ask for.
struct spawn {
    uint64_t flags;
    int exit_signal;
    uint64_t stack;  // initial stack pointer, 0: the parent's
    uint64_t tls, parent_tid, child_tid, pidfd;
    uint64_t set_tid, set_tid_size, cgroup;
    unsigned event;  // PTRACE_EVENT_* that the child is for a tracer, who traces it too; or 0
};

// The new thread's or process's id, 0 in the child (fork only), or -errno.
long spawn_thread(struct task *task, const struct spawn *spawn);
long spawn_sharing(struct task *task, const struct spawn *spawn);
long spawn_fork(struct task *task, const struct spawn *spawn);
// Sets what a child's registers must be.
void spawn_registers(struct cpu *child, const struct spawn *spawn);
