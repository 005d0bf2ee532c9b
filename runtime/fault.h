// Host faults and interruptible system calls: the few places where a host signal handler has to change what the
// interrupted thread does next.
#pragma once
#include "runtime/host/host.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

// To be called first by the handler of SIGSEGV and SIGBUS. True when the fault belongs to guest code (the thread will come back
// to cpu_loop with TRAP_MEMORY) or to mem_copy_* (which will return -EFAULT): the handler then just returns. False:
// not ours, or sent by kill(2).
HOST_HANDLER bool fault_handle(int signal, siginfo_t *info, void *ucontext);

// A system call that a signal cannot slip past: if *pending is non-zero before the kernel is entered, it is not made
// and the result is -FAULT_INTERRUPTED. Otherwise result or -errno. The handler of every signal must call fault_rewind.
enum { FAULT_INTERRUPTED = 512 };
long fault_syscall(const uint32_t *pending, long number, long a, long b, long c, long d, long e, long f);
// If `ucontext` was interrupted inside fault_syscall before the kernel was entered, makes it return -FAULT_INTERRUPTED.
HOST_HANDLER void fault_rewind(void *ucontext);
