// Making a process that shares our memory but runs on a stack of its own, by both of the kernel's calls for that: sandboxes let clone(2)
// through that do not know clone3(2), and the C library's clone() knows nothing of what only the latter can say. The child gets
// its parent's thread-local storage. One file per host, host/clone_<arch>.c.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct host_clone_args {  // man 2 clone3
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

// Both with a new stack, which must not be NULL. The child calls function(data) there and ends with its result; the parent gets the
// child's id, or -errno. clone(2), whose flags hold the signal of the child's end; CLONE_SETTLS must not be among them:
long host_clone(uint64_t flags, void *stack_top, int32_t *parent_tid, uint64_t child_tid, int (*function)(void *), void *data);
long host_clone3(const struct host_clone_args *arguments, size_t size, int (*function)(void *), void *data);
