// The tracee's side of ptrace(2): stops that the guest's tracer sees. See trace.h. All of a thread's stops go through stop(), on its own host
// thread, with exact state and no locks held.
#include "guest-os/linux-user/trace.h"
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/process.h"
#include "guest-os/linux-user/signal.h"
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include "runtime/compiler.h"
#include "runtime/host/host.h"
#include "translator/ir/fp.h"
#include <errno.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <string.h>

struct trace_written trace_written;
static struct lock written_lock;

__attribute__((constructor)) static void register_written_lock(void) {
    lock_register(&written_lock);
}

void trace_take_written(void) {
    if (__atomic_load_n(&trace_written.in, __ATOMIC_SEQ_CST) == __atomic_load_n(&trace_written.out, __ATOMIC_SEQ_CST)) return;
    lock_take(&written_lock);
    uint32_t in = __atomic_load_n(&trace_written.in, __ATOMIC_SEQ_CST);
    if (in - trace_written.out > TRACE_RANGES) {
        trace_written.out = in;
        code_sync();
    }
    for (; trace_written.out != in; trace_written.out++) {
        uint32_t at = trace_written.out % TRACE_RANGES;
        code_invalidate(trace_written.range[at].start, trace_written.range[at].size);
    }
    lock_drop(&written_lock);
}

// ---- stopping

static void update_registers(struct task *task) {
    struct trace *trace = &task->trace;
    if (trace->fcsr_given) {
        fp_flags_write(task->cpu, trace->fcsr & 31);
        fp_rounding_write(task->cpu, trace->fcsr >> 5 & 7);
    }
    if (trace->registers_given) guest_abi->registers_settle(task->cpu);
    if (trace->mask_given) task->sigmask = trace->mask & ~SIGNAL_UNBLOCKABLE;
    trace->fcsr_given = trace->registers_given = trace->mask_given = false;
    task->cpu->reserved_address = 0;
}

void trace_expose(struct task *task) {
    struct trace *trace = &task->trace;
    trace->fcsr = fp_flags_read(task->cpu) | task->cpu->fp_rounding << 5;
    trace->mask = task->sigmask;
}

// Returns what the tracer wants the thread to go on with: a signal or 0. What `status` and `info` say stands if nobody traces it any more.
static int stop(struct task *task, uint32_t status, uint64_t message, const siginfo_t *info) {
    struct trace *trace = &task->trace;
    signal_block_all();
    trace_expose(task);
    trace->status = status;
    trace->message = message;
    trace->has_info = info != NULL;
    if (info) trace->info = *info;
    trace->signal = 0;
    trace->gate = (uintptr_t)host_trapped;
    __atomic_store_n(&trace->state, TRACE_STOPPED, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&trace->state, __ATOMIC_SEQ_CST) != TRACE_RUNNING) host_trap();
    trace->call = PTRACE_SYSCALL_INFO_NONE;
    __atomic_fetch_and(&trace->wanted, ~TRACE_INTERRUPT, __ATOMIC_SEQ_CST);  // as in the kernel, any stop will do
    update_registers(task);
    trace_take_written();
    return trace->signal;
}

// A stop that is no signal's: its siginfo is made up (kernel: ptrace_notify).
static int stop_for(struct task *task, uint32_t status, uint64_t message) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = (int)(status & 0x7f);
    info.si_code = (int)status;
    info.si_pid = task->tid;
    info.si_uid = (uid_t)host_call(getuid);
    return stop(task, status, message, &info);
}

bool trace_poked(struct task *task, siginfo_t *info, uint64_t pc) {
    struct trace *trace = &task->trace;
    if (info->si_code == SI_KERNEL && pc == (uintptr_t)host_trapped) {  // nobody is there any more
        trace->on = trace->calls = false;
        trace->signal = trace->has_info && trace->call == PTRACE_SYSCALL_INFO_NONE && trace->status < 0x80 ? (int)trace->status : 0;
        __atomic_store_n(&trace->state, TRACE_RUNNING, __ATOMIC_SEQ_CST);
        info->si_signo = 0;
        return true;
    }
    if ((info->si_errno & ~0xff) != POKE_MAGIC || !trace->on) return false;
    int signal = info->si_errno & POKE_SIGNAL_BITS;
    bool group = info->si_errno & POKE_GROUP;
    info->si_errno = 0;
    info->si_signo = group || !signal ? 0 : signal;
    if (!info->si_signo) trace->wanted |= signal ? (uint32_t)signal : TRACE_INTERRUPT;
    return true;
}

// ---- signals

// The call that a signal got out of its wait is shown as about to be made again, as riscv's kernel does it (arch_do_signal_or_restart).
static void show_restart(struct task *task) {
    struct cpu *cpu = task->cpu;
    if (!task->interrupted || task->trace.restart) return;
    task->trace.restart = task->syscall_pc;
    cpu->pc = task->syscall_pc;
    cpu->slot[guest_abi->result_slot] = task->syscall_argument[0];
}

int trace_signal(struct task *task, siginfo_t *info) {
    struct trace *trace = &task->trace;
    if (!trace->on) return info->si_signo;
    show_restart(task);
    int signal = stop(task, (uint32_t)info->si_signo, 0, info);
    if (!signal) return 0;
    *info = trace->info;
    if (info->si_signo == signal) return signal;
    memset(info, 0, sizeof *info);
    info->si_signo = signal;
    info->si_code = SI_USER;
    info->si_pid = (pid_t)host_call(getppid);
    info->si_uid = (uid_t)host_call(getuid);
    return signal;
}

// ---- events

static void activate(struct task *task) {
    if (task->trace.active) return;
    task->trace.active = true;
    code_be_exact();
    __atomic_store_n(&compiler_untraced, true, __ATOMIC_RELAXED);
}

static void send_trap(struct task *task) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGTRAP;
    info.si_pid = (pid_t)host_call(getpid);
    info.si_uid = (uid_t)host_call(getuid);
    signal_queue(task, &info);
}

// The end of execve(2) in the new program.
static void stop_for_exec(struct task *task) {
    struct trace *trace = &task->trace;
    bool event = trace->options & PTRACE_O_TRACEEXEC;
    trace->exec = false;
    if (trace->mask_given) signal_set_mask(task, trace->mask);
    trace->mask_given = false;
    if (event) stop_for(task, SIGTRAP | PTRACE_EVENT_EXEC << 8, trace->message);
    trace_call(task, PTRACE_SYSCALL_INFO_EXIT);
    if (!event && !trace->seized) send_trap(task);
}

void trace_attend(struct task *task) {
    struct trace *trace = &task->trace;
    trace_take_written();
    if (!trace->on) return;
    activate(task);
    if (trace->exec) stop_for_exec(task);
    uint32_t wanted = __atomic_exchange_n(&trace->wanted, 0, __ATOMIC_SEQ_CST), signal = wanted & ~TRACE_INTERRUPT;
    if (!wanted) return;
    show_restart(task);
    if (trace->seized) stop_for(task, (signal ? signal : SIGTRAP) | PTRACE_EVENT_STOP << 8, 0);
    else if (signal) stop(task, signal, 0, NULL);
}

// The error that the kernel shows while it is not known yet whether the call will be made again.
static uint64_t restart_error(const struct task *task) {
    enum { ERESTARTSYS = 512, ERESTARTNOHAND = 514 };
    return (uint64_t)(task->restart == RESTART_SA ? -ERESTARTSYS : -ERESTARTNOHAND);
}

void trace_call(struct task *task, unsigned call) {
    struct trace *trace = &task->trace;
    uint64_t *result = &task->cpu->slot[guest_abi->result_slot];
    if (!trace->on || !trace->calls) return;
    bool interrupted = call == PTRACE_SYSCALL_INFO_EXIT && task->interrupted;
    if (interrupted) *result = restart_error(task);
    trace->call = (uint8_t)call;
    bool entry = call == PTRACE_SYSCALL_INFO_ENTRY;
    int signal = stop_for(task, SIGTRAP | (trace->options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0),
                          entry ? PTRACE_EVENTMSG_SYSCALL_ENTRY : PTRACE_EVENTMSG_SYSCALL_EXIT);
    if (interrupted && *result == restart_error(task)) *result = (uint64_t)-EINTR;
    else if (interrupted) task->interrupted = false;
    if (!task->cpu->pending) signal_unblock(task);
    if (signal) host_call(tgkill, host_call(getpid), host_call(gettid), signal);
}

// ---- new threads and processes

unsigned trace_spawn_event(const struct task *task, const struct spawn *spawn) {
    const struct trace *trace = &task->trace;
    if (!trace->on || spawn->flags & CLONE_UNTRACED) return 0;
    unsigned event = PTRACE_EVENT_CLONE;
    if (spawn->flags & CLONE_THREAD) event = PTRACE_EVENT_CLONE;
    else if (spawn->flags & CLONE_VFORK) event = PTRACE_EVENT_VFORK;
    else if (spawn->exit_signal == SIGCHLD) event = PTRACE_EVENT_FORK;
    return trace->options & 1u << event ? event : 0;
}

void trace_born(struct task *child, const struct trace *parent, unsigned event) {
    struct trace *trace = &child->trace;
    bool seized = parent->seized;
    uint32_t options = parent->options;
    memset(trace, 0, sizeof *trace);
    if (!event) return;
    trace->on = trace->active = true;
    trace->seized = seized;
    trace->options = options;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGSTOP;
    if (seized) trace->wanted = TRACE_INTERRUPT;
    else signal_queue(child, &info);
    __atomic_store_n(&child->cpu->pending, PENDING_WORK, __ATOMIC_SEQ_CST);
}

void trace_spawned(struct task *task, const struct spawn *spawn, int pid) {
    struct trace *trace = &task->trace;
    if (!trace->on || pid <= 0) return;
    // The host itself shows the tracer PTRACE_EVENT_VFORK, for this thread slept until now.
    if (spawn->event && spawn->event != PTRACE_EVENT_VFORK) stop_for(task, SIGTRAP | spawn->event << 8, (uint64_t)pid);
    bool done = spawn->flags & CLONE_VFORK && trace->options & PTRACE_O_TRACEVFORKDONE;
    if (done) stop_for(task, SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8, (uint64_t)pid);
    if (!task->cpu->pending) signal_unblock(task);
}

void trace_exit(struct task *task, int status) {
    struct trace *trace = &task->trace;
    if (trace->on && trace->options & PTRACE_O_TRACEEXIT) stop_for(task, SIGTRAP | PTRACE_EVENT_EXIT << 8, (uint64_t)status << 8);
}

void trace_forked(void) {
    written_lock.state = 0;
    trace_written.out = trace_written.in;
}

// ---- beginning

void trace_begin(struct task *task) {
    struct trace *trace = &task->trace;
    host_call(getppid);  // a tracer that has seen the execve watches our calls: here it writes down that we are traced
    if (!__atomic_load_n(&trace->on, __ATOMIC_SEQ_CST)) return;
    __atomic_store_n(&task->cpu->pending, PENDING_WORK, __ATOMIC_SEQ_CST);
}

long trace_me(struct task *task) {
    if (!proc_is_runner((int)host_call(getppid))) return -EPERM;
    long result = host_call(ptrace, PTRACE_TRACEME);
    if (result < 0) return result;
    memset(&task->trace, 0, sizeof task->trace);
    task->trace.on = true;
    activate(task);
    return 0;
}
