// Guest threads and processes of user mode. One struct task per guest thread (= host thread), hanging off cpu->os; one struct
// process per guest address-space-and-handlers group. Runtime allocations come from runtime/base, never malloc.
#pragma once
#include "guest-os/linux-user/trace.h"
#include "runtime/base/arena.h"
#include "runtime/cpu_loop.h"
#include "runtime/mem.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { GUEST_SIGNALS = 64, SIGNAL_PLACES = 7 };

// The kernel's struct sigaction of the generic ABI (no restorer on riscv64 and aarch64's C library use).
struct guest_sigaction {
    uint64_t handler;
    uint64_t flags;
    uint64_t mask;  // bit n-1 = signal n
};

// Signal handlers, shared by CLONE_SIGHAND.
struct sighand {
    struct lock lock;
    uint32_t users;
    struct guest_sigaction action[GUEST_SIGNALS + 1];  // by signal number
};

struct process {
    char exe[4096];          // host path of the guest program (absolute, resolved): /proc/self/exe
    char name_as_run[4096];  // AT_EXECFN
    uint64_t entry, program_headers, program_header_count, base;  // of the program
    uint64_t interpreter_base;                   // of its ELF interpreter, 0 if static
    uint64_t stack_start, arg_start, arg_end, env_start, env_end, auxv_start, auxv_end;  // guest addresses
    uint64_t vdso, vdso_sigreturn;
    uint64_t code_start, code_end, data_start, data_end, brk_start;
    bool secure;  // AT_SECURE
};
extern struct process process;

struct task {
    struct cpu *cpu;
    int tid;                  // host (= guest) thread id
    struct sighand *hand;
    uint64_t sigmask;         // the guest's blocked signals
    uint64_t saved_mask;      // to restore after the handler of a sigsuspend-like call
    bool restore_mask;
    uint64_t altstack, altstack_size;
    uint32_t altstack_flags;  // SS_DISABLE, SS_AUTODISARM
    uint32_t vector_control;  // riscv64: of PR_RISCV_V_SET_CONTROL, what is for the next program
    uint64_t clear_tid;       // set_tid_address, CLONE_CHILD_CLEARTID
    uint64_t robust_head;     // set_robust_list
    uint64_t robust_size;
    int exit_status;          // of a thread that ends
    bool vfork_child;         // shares memory with a suspended parent until exec or exit

    struct arena exec_memory; // of execve's arguments; a vfork child's is left to its parent

    struct trace trace;  // ptrace(2)
    bool spawning;       // the current cpu may be seen by a host thread that is going to have another task

    // Signals taken by the host handler and not yet delivered. The host blocks everything after the first, except the processor's own,
    // which may also wait here for long because the guest blocks them, and SIGSTOP, which a tracee takes like any other: a place for each of
    // those, and one for all others.
    struct {
        uint32_t set;
        siginfo_t info;
    } queued[SIGNAL_PLACES];

    // The system call under way or last made.
    uint64_t syscall_number, syscall_argument[6];
    uint64_t syscall_pc;  // of its instruction
    bool in_syscall;
    enum restart {
        RESTART_NONE,  // does not wait
        RESTART_SA,  // made again if the handler has SA_RESTART
        RESTART_NEVER,  // EINTR
    } restart;  // class of the call under way
    bool interrupted;  // its wait was ended by a signal that is not delivered yet
    bool not_made;  // it was not even begun: to be made again unless a handler runs that forbids it
    bool no_result;  // the handler set the registers itself (rt_sigreturn, execve, …)
    char last_syscall[128];  // text for the crash report, made on demand
};

static inline struct task *task_of(struct cpu *cpu) {
    return cpu->os;
}
struct task *task_current(void);  // NULL outside of guest threads

// A system call's implementation: result or -errno. `a` has the six arguments.
typedef long syscall_function(struct task *task, const uint64_t a[6]);  // NOLINT: the one shape of them all

// Makes the host call such that a signal interrupts it properly (fault.h). -EINTR and -FAULT_INTERRUPTED are understood by the
// dispatcher, which restarts or fails the guest's call as the row in syscalls.def says.
long task_blocking(struct task *task, long number, long a, long b, long c, long d, long e, long f);

// signal.c
// Starts user mode's signal handling: host handlers for faults, the mask, dispositions as inherited over exec.
void signal_init(struct task *task);
// Delivers what is pending; cpu_hooks.interrupt.
void signal_deliver(struct cpu *cpu);
// cpu_hooks.fault: turns a trap into the guest's signal.
void signal_fault(struct cpu *cpu);
// Queues a synchronous or self-made signal for this task as the kernel's force_sig would (kills where blocked or ignored).
void signal_force(struct task *task, int signal, int code, uint64_t address);
// Ends the process by `signal` as the kernel would, with the report where wanted.
void signal_fatal(struct task *task, int signal, const siginfo_t *info) __attribute__((noreturn));
// crash.c: the block described in docs; to stderr. crash_wanted: whether anyone is there to read it.
bool crash_wanted(void);
void crash_report(struct task *task, int signal, const siginfo_t *info);

// process.c
struct task *task_new(struct cpu *cpu);
// Ends the process: flushes statistics, exit_group.
void process_exit(int status) __attribute__((noreturn));
// Replaces the process by another guest program as execve(2) does; returns only errors, and -FAULT_INTERRUPTED where a signal has to be
// delivered first. `path` is a host path. What it allocates is in task->exec_memory, for the caller to free.
long process_exec(struct task *task, const char *path, char *const argv[], char *const envp[], int flags);

// path.c: guest paths to host paths.
// The host path of guest path `path` (relative to dirfd where not absolute): under options.sysroot where it exists there, else itself.
// For /proc/self/… and its like see proc.c. `buffer` holds PATH_MAX bytes; returns `path` itself, or `buffer`. `follow`: whether a symbolic link as
// last component is followed.
const char *path_host(const char *path, bool follow, char *buffer);
// The inverse for what the guest is shown (readlink of /proc/self/exe, getcwd): strips options.sysroot.
const char *path_guest(const char *path);

// proc.c: files whose content must be the guest's, not ours.
// If guest `path` (with dirfd) names one (/proc/self/maps, /proc/PID/exe…, /proc/cpuinfo), opens the substitute: descriptor, or -errno; -ENOSYS if it is not
// one of them and the ordinary open is to be made.
long proc_open(struct task *task, int dirfd, const char *path, int flags, int mode);
// The host path of the guest program if absolute `path` is its /proc/self/exe (or /proc/PID/exe, …) and must not be followed as the host has it; else NULL.
const char *proc_exe(const char *path);
// The same for readlink: length, -errno, or -ENOSYS.
long proc_readlink(struct task *task, int dirfd, const char *path, char *buffer, size_t size);

// elf.c / start.c
// Loads `path` (host path) with its interpreter, builds the stack; fills `process` and sets cpu's pc and registers. 0, or an exit status (126/127)
// after a one-line message; nothing of the guest has run then.
int program_load(struct cpu *cpu, const char *path, int argc, char *const argv[], char *const envp[]);
// Whether execve of `path` would work and how: resolves #! lines (rewriting path and argv into `arena`), checks ELF class, machine, type, interpreter. 0 or the -errno
// that execve(2) gives; with `hint` a message of what to try in `why`.
struct arena;
long program_check(struct arena *arena, const char **path, char *const **argv, char *why, size_t why_size);
