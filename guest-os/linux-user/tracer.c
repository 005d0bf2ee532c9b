// The tracer's side of ptrace(2): what the host's stops of a tracee mean. See trace.h. Most are none of the guest's business: a
// signal that the host is about to deliver is handed to the tracee's runner (poke), which makes a stop of it in due time. Whoever
// waits, for whatever child, deals with them (tracer_look), and the host lets nobody else do so but the thread that traces.
#include "guest-os/linux-user/tracee.h"
#include "guest-os/linux-user/signal.h"
#include "runtime/base/sys.h"
#include "runtime/host/host.h"
#include <errno.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

static bool look_again(int tid, int options);

// ---- letting it go on

static void go_on(const struct tracee *tracee, int signal) {
    host_call(ptrace, tracee->starting ? PTRACE_SYSCALL : PTRACE_CONT, tracee->tid, 0, signal);
}

// Sends a signal that is to wait for the thread, who has been stopped, to go on: it makes a stop then.
static long poke(const struct tracee *tracee, int what) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGTRAP;
    info.si_code = SI_QUEUE;
    info.si_errno = POKE_MAGIC | what;
    return host_call(rt_tgsigqueueinfo, tracee->tgid, tracee->tid, SIGTRAP, &info);
}

// In the stop of a host signal: its runner is to queue it for the guest.
static void hand_over(const struct tracee *tracee, siginfo_t *info) {
    info->si_errno = POKE_MAGIC | info->si_signo;
    info->si_signo = SIGTRAP;
    host_call(ptrace, PTRACE_SETSIGINFO, tracee->tid, 0, info);
    go_on(tracee, SIGTRAP);
}

static uint64_t host_options(uint64_t options) {
    const uint64_t alike = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
    return (options & alike) | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;
}

static bool is_fault(int signal) {
    return SIGNAL_FAULTS & SIGNAL_BIT(signal);
}

// ---- starting: from execve(2) until the new program's runner can be talked to (trace_begin)

// After execve signals have to wait that long, as far as they can.
static void begin_start(struct tracee *tracee, bool executed) {
    const uint64_t all = ~UINT64_C(0);
    tracee->starting = true;
    tracee->task = tracee->written = 0;
    if (!executed) return;
    tracee->executed = true;
    tracee->mask_known = host_call(ptrace, PTRACE_GETSIGMASK, tracee->tid, sizeof tracee->mask, &tracee->mask) == 0;
    if (tracee->mask_known) host_call(ptrace, PTRACE_SETSIGMASK, tracee->tid, sizeof all, &all);
}

// Tells the thread that it is traced, if it does not know yet.
static void adopt(struct tracee *tracee, struct trace *trace) {
    if (trace->on) return;
    memset(trace, 0, sizeof *trace);
    trace->on = true;
    trace->seized = tracee->seized;
    trace->options = tracee->options;
    trace->calls = tracee->calls;
    trace->exec = tracee->executed;
    trace->message = tracee->message;
    trace->mask_given = tracee->executed && tracee->mask_known;
    trace->mask = tracee->mask;
    tracer_store(tracee, trace);
    tracee__raise_pending(tracee);
    tracee->adopt = false;
}

static void end_start(struct tracee *tracee, struct trace *trace) {
    adopt(tracee, trace);
    tracee->starting = tracee->executed = tracee->mask_known = false;
    if (tracee->stopping) host_call(tgkill, tracee->tgid, tracee->tid, SIGSTOP);
    if (tracee->grouped) poke(tracee, POKE_GROUP | tracee->grouped);
    tracee->stopping = false;
    tracee->grouped = 0;
}

// The thread that execve leaves has the first one's id; what is known is known of the thread that called it.
static void look_at_exec(struct tracee *tracee) {
    uint64_t before = 0;
    host_call(ptrace, PTRACE_GETEVENTMSG, tracee->tid, 0, &before);
    struct tracee *caller = (int)before != tracee->tid ? tracer_find((int)before) : NULL;
    if (caller) {
        tracee->options = caller->options;
        tracee->calls = caller->calls;
        tracee->seized = caller->seized;
        tracee->announced |= caller->announced;
        tracee__forget(caller);
    }
    tracee->message = before;
    if (!proc_is_runner(tracee->tid)) {
        host_call(ptrace, PTRACE_DETACH, tracee->tid);
        tracee__forget(tracee);
        return;
    }
    begin_start(tracee, true);
    go_on(tracee, 0);
}

// A stop of a thread that is starting, at a call of the host's or otherwise.
static void watch_start(struct tracee *tracee, int signal, bool call) {
    struct trace trace;
    if (!call) {
        if (signal == SIGSTOP) tracee->stopping = true;
        bool drop = signal == SIGSTOP || signal == SIGTRAP;
        go_on(tracee, drop ? 0 : signal);
        return;
    }
    if (tracee->starting && tracee__find_task(tracee) && tracee__load(tracee, &trace)) end_start(tracee, &trace);
    go_on(tracee, 0);
}

// ---- stops

static void announce(struct tracee *tracee, const struct trace *trace) {
    unsigned event = trace->status >> 8;
    bool child = event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE;
    tracee->announced = true;
    tracee->exiting |= event == PTRACE_EVENT_EXIT;
    tracee->options = trace->options;  // which a newborn has from its parent
    tracee->seized = trace->seized;
    if (child) tracee__add((int)trace->message)->announced = true;
}

// A stop of the host's that is the guest's too.
static bool hold(struct tracee *tracee, uint32_t status) {
    struct trace trace;
    if (!tracee->announced || tracee->exiting || !tracee__find_task(tracee) || !tracee__load(tracee, &trace)) {
        go_on(tracee, 0);
        return false;
    }
    host_call(ptrace, PTRACE_GETEVENTMSG, tracee->tid, 0, &trace.message);
    trace.has_info = host_call(ptrace, PTRACE_GETSIGINFO, tracee->tid, 0, &trace.info) == 0;
    trace.status = status;
    trace.state = TRACE_HELD;
    trace.call = PTRACE_SYSCALL_INFO_NONE;
    tracer_store(tracee, &trace);
    announce(tracee, &trace);
    tracee->listening = false;
    return true;
}

// Threads of a group that the host has stopped are anywhere: each goes on until it can stop as the guest's.
static void stop_with_group(struct tracee *tracee, int signal) {
    if (!tracee->starting && !tracee__find_task(tracee)) begin_start(tracee, false);
    if (tracee->starting) tracee->grouped = signal;
    else poke(tracee, POKE_GROUP | signal);
    go_on(tracee, 0);
}

static bool look_at_event_stop(struct tracee *tracee, int signal) {
    struct trace trace;
    if (tracee->listening) return hold(tracee, (uint32_t)signal | PTRACE_EVENT_STOP << 8);
    bool known = tracee__find_task(tracee) && tracee__load(tracee, &trace);
    if (known && tracee->adopt) adopt(tracee, &trace);
    if (!known && !tracee->starting) begin_start(tracee, false);
    if (signal != SIGTRAP) stop_with_group(tracee, signal);
    else go_on(tracee, 0);
    return false;
}

// The host thread that a tracee has just made waits to be met before it does anything, which its parent may wait for.
static void meet_child(int parent) {
    uint64_t child = 0;
    struct tracee *tracee;
    host_call(ptrace, PTRACE_GETEVENTMSG, parent, 0, &child);
    while (child && !((tracee = tracer_find((int)child)) && tracee->met) && look_again((int)child, 0)) {}
}

static bool look_at_event(struct tracee *tracee, int event, int signal) {
    switch (event) {
    case PTRACE_EVENT_EXEC: look_at_exec(tracee); return false;
    case PTRACE_EVENT_STOP: return look_at_event_stop(tracee, signal);
    case PTRACE_EVENT_EXIT: return hold(tracee, SIGTRAP | (uint32_t)event << 8);
    case PTRACE_EVENT_VFORK: meet_child(tracee->tid); return hold(tracee, SIGTRAP | (uint32_t)event << 8);
    default:
        meet_child(tracee->tid);
        go_on(tracee, 0);
        return false;
    }
}

static bool is_at_gate(const struct tracee *tracee, const struct trace *trace) {
    uint64_t pc;
    return trace->state == TRACE_STOPPED && host_traced_pc(tracee->tid, &pc) == 0 && pc == trace->gate;
}

// The stop of a host signal. A thread without a task is about to begin or to end.
static bool look_at_signal(struct tracee *tracee, siginfo_t *info, int *status) {
    struct trace trace;
    int signal = info->si_signo;
    if (!tracee__find_task(tracee) || !tracee__load(tracee, &trace)) {
        begin_start(tracee, signal == SIGTRAP);
        watch_start(tracee, signal, false);
        return false;
    }
    if (tracee->adopt) adopt(tracee, &trace);
    if (signal == SIGTRAP && is_at_gate(tracee, &trace)) {
        tracee->written = trace.gate - (uintptr_t)host_trapped + (uintptr_t)&trace_written;
        announce(tracee, &trace);
        *status = (int)(trace.status << 8) | 0x7f;
        return true;
    }
    bool passes = trace.pass == signal;
    if (passes) trace.pass = 0, tracer_store(tracee, &trace);
    if (!trace.on) {
        host_call(ptrace, PTRACE_DETACH, tracee->tid, 0, signal);
        tracee__forget(tracee);
    } else if (passes || (is_fault(signal) && info->si_code > 0) || (info->si_errno & ~0xff) == POKE_MAGIC) go_on(tracee, signal);
    else hand_over(tracee, info);
    return false;
}

// The first stop of a thread that its parent's tracer got with its birth. It will stop by itself once it can.
static bool is_birth(const siginfo_t *info, int event) {
    return event == PTRACE_EVENT_STOP || (info->si_signo == SIGSTOP && info->si_code == SI_USER && !info->si_pid);
}

// A child that asked to be traced, if no newborn.
static void meet(struct tracee *tracee, bool newborn) {
    tracee->met = true;
    if (newborn) return;
    tracee->announced = true;
    host_call(ptrace, PTRACE_SETOPTIONS, tracee->tid, 0, host_options(0));
}

static bool look_at_end(int tid) {
    struct tracee *tracee = tracer_find(tid);
    if (!tracee) return true;
    bool known = tracee->announced;
    tracee__forget(tracee);
    return known;
}

bool tracer_look(int tid, int *status) {
    if (!WIFSTOPPED(*status)) return WIFCONTINUED(*status) || look_at_end(tid);
    struct tracee *tracee = tracer_find(tid);
    siginfo_t info;
    long error = host_call(ptrace, PTRACE_GETSIGINFO, tid, 0, &info);
    if (error == -ESRCH) return true;  // a child that is stopped, but not traced
    int signal = WSTOPSIG(*status) & 0x7f, event = *status >> 16;
    bool call = WSTOPSIG(*status) & 0x80, newborn = error == 0 && is_birth(&info, event);
    if (!tracee) tracee = tracee__add(tid);
    if (!tracee->met) {
        meet(tracee, newborn);
        if (newborn) {
            go_on(tracee, 0);
            return false;
        }
    }
    if (event) return look_at_event(tracee, event, signal);
    if ((tracee->starting && error == 0) || call) {
        watch_start(tracee, signal, call);
        return false;
    }
    if (error < 0) {
        stop_with_group(tracee, signal);
        return false;
    }
    return look_at_signal(tracee, &info, status);
}

bool tracer_shows(int tid, int *status) {
    struct tracee *tracee = tracer_find(tid);
    struct trace trace;
    int event = *status >> 8;
    if (!tracee || !tracee->met) return false;
    if (event == PTRACE_EVENT_EXIT || event == PTRACE_EVENT_VFORK) return tracee->announced && !tracee->exiting;
    if (tracer_stopped(tracee, &trace) == 0) {
        *status = (int)trace.status;
        return true;
    }
    return event == PTRACE_EVENT_STOP && tracee->listening;
}

// Deals with a stop of this thread's, if it is for us alone; with WNOHANG in `options` only if there is one already. False if the thread has ended.
static bool look_again(int tid, int options) {
    siginfo_t info = {0};
    int status;
    long result = host_call(waitid, P_PID, tid, &info, options | WSTOPPED | WEXITED | WNOWAIT | __WALL, 0);
    if (result == -EINTR) return true;
    if (result < 0 || (info.si_pid && info.si_code != CLD_TRAPPED)) return false;
    if (!info.si_pid || tracer_shows(tid, &info.si_status)) return true;
    if (host_call(wait4, tid, &status, WNOHANG | __WALL, 0) == tid) tracer_look(tid, &status);
    return true;
}

bool tracer_tend(int tid) {
    int others[256];
    unsigned count = tracee__others(tid, others, sizeof others / sizeof *others);
    for (unsigned i = 0; i < count; i++) look_again(others[i], WNOHANG);
    return count;
}

// ---- requests

long tracer_stopped(struct tracee *tracee, struct trace *trace) {
    uint64_t pc;
    if (!tracee->met || !tracee__find_task(tracee) || !tracee__load(tracee, trace) || host_traced_pc(tracee->tid, &pc) < 0)
        return -ESRCH;
    return trace->state == TRACE_HELD || is_at_gate(tracee, trace) ? 0 : -ESRCH;
}

long tracer_resume(struct tracee *tracee, struct trace *trace, int request) {
    trace->state = TRACE_RUNNING;
    tracee->listening = false;
    if (request == PTRACE_DETACH) trace->on = trace->calls = false;
    tracee->calls = trace->calls;
    tracer_store(tracee, trace);
    long result = host_call(ptrace, request, tracee->tid, 0, 0);
    if (request == PTRACE_DETACH && result == 0) tracee__forget(tracee);
    return result;
}

long tracer_options(struct tracee *tracee, struct trace *trace, uint64_t options) {
    const uint64_t known = 0xff | PTRACE_O_EXITKILL;
    if (options & ~known) return -EINVAL;
    long result = host_call(ptrace, PTRACE_SETOPTIONS, tracee->tid, 0, host_options(options));
    if (result < 0) return result;
    tracee->options = trace->options = (uint32_t)options;
    return tracer_store(tracee, trace);
}

// The host knows this for stops of its own kind only: the thread makes one.
long tracer_listen(struct tracee *tracee, struct trace *trace) {
    if (!tracee->seized || trace->status >> 8 != PTRACE_EVENT_STOP) return -EIO;
    bool held = trace->state == TRACE_HELD;
    trace->state = TRACE_LISTENING;
    tracer_store(tracee, trace);
    tracee->listening = true;
    if (held) return host_call(ptrace, PTRACE_LISTEN, tracee->tid);
    host_call(ptrace, PTRACE_INTERRUPT, tracee->tid);
    long result = host_call(ptrace, PTRACE_CONT, tracee->tid, 0, 0);
    siginfo_t info = {0};
    while (result == 0 && host_call(waitid, P_PID, tracee->tid, &info, WSTOPPED | WEXITED | WNOWAIT | __WALL, 0) == -EINTR) {}
    int status;
    bool same =
        result == 0 && info.si_code == CLD_TRAPPED && info.si_status == (int)trace->status;  // else its group has gone on already
    if (!same || host_call(wait4, tracee->tid, &status, WNOHANG | __WALL, 0) != tracee->tid) return result;
    return host_call(ptrace, PTRACE_LISTEN, tracee->tid);
}

long tracer_interrupt(struct tracee *tracee) {
    if (!tracee->seized) return -EIO;
    return tracee->listening ? host_call(ptrace, PTRACE_INTERRUPT, tracee->tid) : poke(tracee, 0);
}

// Waits until the thread has been told, or is no more.
static void wait_for_adoption(int tid) {
    for (struct tracee *tracee; (tracee = tracer_find(tid)) && tracee->adopt && look_again(tid, 0);) tracer_tend(tid);
}

long tracer_attach(int tid, bool seize, uint64_t options) {
    const uint64_t known = 0xff | PTRACE_O_EXITKILL;
    if (options & ~known) return -EIO;
    if (tid <= 0 || host_call(getpriority, 0 /* PRIO_PROCESS */, tid) == -ESRCH) return -ESRCH;
    if (!proc_is_runner(tid)) return -EPERM;
    long result = host_call(ptrace, seize ? PTRACE_SEIZE : PTRACE_ATTACH, tid, 0, seize ? host_options(options) : 0);
    if (result < 0) return result;
    struct tracee *tracee = tracee__add(tid);
    tracee->announced = tracee->adopt = tracee->met = true;
    tracee->seized = seize;
    tracee->options = (uint32_t)options;
    if (seize) host_call(ptrace, PTRACE_INTERRUPT, tid, 0, 0);
    wait_for_adoption(tid);
    return 0;
}
