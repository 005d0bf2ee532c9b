// ptrace(2) between two runners. The host's own ptrace is what carries it: the tracer's host thread traces the tracee's, and so the
// kernel knows who may, who died, and who waits for whom. But where the host stops a thread means nothing to a guest: it may be in the midst
// of translated code. Such stops are the tracer's runner's business alone (tracer.c), which lets the thread go on. A stop that
// the guest sees is one that the tracee's runner makes itself, between two guest instructions (trace_stop): it writes down here what kind of stop
// it is, and runs into host_trap. The tracer's runner finds this structure by the host thread's current cpu, reads it and
// changes it while the thread is stopped.
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct task;
struct spawn;

enum trace_state {
    TRACE_RUNNING,
    TRACE_STOPPED,  // in host_trap, or on the way there
    TRACE_LISTENING,  // the same, until its group goes on (PTRACE_LISTEN)
    TRACE_HELD,  // by the host, in a stop that is the guest's as well
};

struct trace {
    bool on, active;  // traced; and the runner has prepared itself for that
    bool seized;  // by PTRACE_SEIZE
    bool calls;  // system calls stop (PTRACE_SYSCALL)
    bool exec;  // the program has just been started by a traced process, whose…
    bool mask_given;  // … mask of signals was this, or the tracer has changed it
    bool fcsr_given;  // the tracer has changed it
    bool registers_given;  // and these, which the abi's registers_settle is to look at
    bool has_info;
    uint8_t call;  // of the stop: PTRACE_SYSCALL_INFO_*
    uint32_t options;  // PTRACE_O_*, the guest's
    uint32_t state;  // enum trace_state
    uint32_t status;  // of the stop, as wait4(2) has it above bit 8
    uint32_t fcsr;
    int32_t signal;  // what the tracer lets the thread go on with
    int32_t pass;  // this host signal is to have its effect
    uint32_t wanted;  // stops that the thread is to make: a signal: its group's; TRACE_INTERRUPT
    uint64_t message;  // PTRACE_GETEVENTMSG
    uint64_t mask;
    uint64_t gate;  // host pc of a thread that is stopped
    uint64_t restart;  // where the call that is to be made again is, while its registers are shown like that
    siginfo_t info;
};
#define TRACE_INTERRUPT 0x100u

// A host signal that speaks to the tracee's runner: SIGTRAP, which no thread of ours ever blocks, with this in si_errno beside what is meant. With
// POKE_SIGNAL the rest of the siginfo is that of a signal for the guest.
enum { POKE_MAGIC = 0x46525900, POKE_SIGNAL_BITS = 0x7f, POKE_GROUP = 0x80 };

// Guest code that a tracer has written, for the tracee to translate anew: ranges in a ring. One per process.
enum { TRACE_RANGES = 64 };
struct trace_written {
    uint32_t in, out;
    struct {
        uint64_t start, size;
    } range[TRACE_RANGES];
};

// ---- trace.c: the tracee's side. All on the task's own thread.

// The thread's signal of this siginfo is about to be delivered: the tracer's decision, 0 for none; `info` is changed with it.
int trace_signal(struct task *task, siginfo_t *info);
// Stops that were asked for; to be called between two instructions, before signals' other effects.
void trace_attend(struct task *task);
// Before and after a system call. `call`: PTRACE_SYSCALL_INFO_ENTRY or _EXIT.
void trace_call(struct task *task, unsigned call);
// A new thread or process: the event (PTRACE_EVENT_*) that it is for the tracer of `task`, 0 where it is not traced.
unsigned trace_spawn_event(const struct task *task, const struct spawn *spawn);
// Makes `child`, whose thread does not run guest code yet, a tracee like `parent`, or not.
void trace_born(struct task *child, const struct trace *parent, unsigned event);
// `pid` has been made.
void trace_spawned(struct task *task, const struct spawn *spawn, int pid);
// A program begins; the thread's cpu is current.
void trace_begin(struct task *task);
// Before the host stops the thread in an event of the guest's.
void trace_expose(struct task *task);
// The thread ends with this status, while others live on.
void trace_exit(struct task *task, int status);
// PTRACE_TRACEME
long trace_me(struct task *task);
// For the host's handler of SIGTRAP: the signal for the guest that it brought, or one with si_signo 0; false if it is no such.
bool trace_poked(struct task *task, siginfo_t *info, uint64_t pc);
// In a forked child.
void trace_forked(void);
// Drops translations of what tracers have written.
void trace_take_written(void);
extern struct trace_written trace_written;

// ---- tracer.c, tracee.c: the tracer's side

struct tracee;

// In a forked child, who traces nobody.
void tracer_forked(void);
// What wait found about `tid`: true if it is for the guest; then *status may have changed.
bool tracer_look(int tid, int *status);
// Whether a stop that tracee `tid` is in, with this status in waitid(2)'s form, is for the guest; *status is what the guest sees then.
bool tracer_shows(int tid, int *status);
// Lets those tracees go on that are stopped for reasons of ours, but `tid`. False if there are none at all.
bool tracer_tend(int tid);
// PTRACE_ATTACH, PTRACE_SEIZE
long tracer_attach(int tid, bool seize, uint64_t options);
// The tracee, NULL if it is none of this process's.
struct tracee *tracer_find(int tid);
// The thread's state if it is in a stop of the guest's: 0, or -ESRCH.
long tracer_stopped(struct tracee *tracee, struct trace *trace);
// Writes the state back.
long tracer_store(struct tracee *tracee, const struct trace *trace);
// Lets a stopped thread go on by host request `request` (PTRACE_CONT, PTRACE_DETACH).
long tracer_resume(struct tracee *tracee, struct trace *trace, int request);
long tracer_options(struct tracee *tracee, struct trace *trace, uint64_t options);
long tracer_listen(struct tracee *tracee, struct trace *trace);
long tracer_interrupt(struct tracee *tracee);
// Copies between this process and guest or host memory of the tracee: 0, or -errno.
long tracer_read(int tid, void *to, uint64_t from, size_t size);
long tracer_write(int tid, uint64_t to, const void *from, size_t size);
// Guest memory of process or thread `tid`, a runner's, has been changed by this process.
void tracer_wrote(int tid, uint64_t address, uint64_t size);

// ---- proc.c
// Whether a /proc/PID/mem has been opened for writing; then, what host call `number` of these arguments may have written of it.
extern bool proc_memory_open;
void proc_memory_written(long number, const uint64_t a[6], uint64_t size);
// Whether process `pid` runs this very program.
bool proc_is_runner(int pid);
// Where this object of the program is in process `pid`, a runner; 0 if that cannot be found out.
uint64_t proc_place(int pid, const void *object);
