// What has to be written once per host processor: reading and redirecting an interrupted thread, and code whose host pc a
// signal handler must recognise. One file per host, host/<arch>.c.
#pragma once
#include <stdint.h>

// Marks what runs in the handler of a signal that may come at any instruction: also inside a sanitizer's runtime, which holds its locks
// then and must not be entered again.
#if defined __has_attribute
#if __has_attribute(disable_sanitizer_instrumentation)
#define HOST_HANDLER __attribute__((disable_sanitizer_instrumentation))
#endif
#endif
#ifndef HOST_HANDLER
#define HOST_HANDLER
#endif

HOST_HANDLER uint64_t host_context_pc(const void *ucontext);
// A general register by its number in the processor's encoding.
HOST_HANDLER uint64_t host_context_register(const void *ucontext, unsigned number);
HOST_HANDLER void host_context_set_pc(void *ucontext, uint64_t pc);
// Makes the interrupted thread call function(argument) on its own stack when the handler returns; `function` must not return.
// The FPU's state stays what it was at the interruption.
void host_context_call(void *ucontext, void (*function)(void *), void *argument);
// Whether the interrupted access was a write, as far as the host says.
int host_context_was_write(const void *ucontext);

// A clock that takes no more than some nanoseconds to read, at a constant rate that is not known.
uint64_t host_ticks(void);

// What the processor and the system offer to code: numbers that differ where code may have to.
enum { HOST_FEATURE_WORDS = 20 };
void host_features(uint32_t word[HOST_FEATURE_WORDS]);

// memcpy that a fault makes return -EFAULT (fault_handle knows its pc).
int host_copy(void *to, const void *from, uint64_t size);
extern const char host_copy_access[], host_copy_failed[];

// A breakpoint of the host's: raises SIGTRAP with SI_KERNEL, with pc at host_trapped.
void host_trap(void);
extern const char host_trapped[];
// Of another thread, which the host has stopped for the calling one, its tracer: pc and thread pointer. 0, or -errno.
long host_traced_pc(int tid, uint64_t *pc);
long host_traced_thread(int tid, uint64_t *pointer);

// See fault_syscall in runtime/fault.h. Interrupted in [begin, entered): not made yet.
long host_syscall_unless(const uint32_t *pending, long number, long a, long b, long c, long d, long e, long f);
extern const char host_syscall_begin[], host_syscall_entered[], host_syscall_refused[];
