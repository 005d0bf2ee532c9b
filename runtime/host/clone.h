// Making a process that shares our memory but runs on a stack of its own, with everything that clone3(2) can say. (The C library's
// clone() cannot say all of it.) One file per host, host/clone_<arch>.c.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct host_clone_args {  // man 2 clone3
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

// clone3 with a new stack (arguments->stack must not be 0). The child calls function(data) there and ends with its result; the
// parent gets the child's id, or -errno. The child shares its parent's thread-local storage.
long host_clone(const struct host_clone_args *arguments, size_t size, int (*function)(void *), void *data);
