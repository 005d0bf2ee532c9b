// Signals of user mode. The host's handler only notes what came (host_handler); delivery happens on the guest thread at an instruction
// boundary (signal_deliver). From the first signal noted until delivery the host blocks all but the processor's own,
// so that nothing can be lost or come out of order.
#include "guest-os/linux-user/signal.h"
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include "runtime/compiler.h"
#include "runtime/fault.h"
#include "runtime/host/host.h"
#include "runtime/stats.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <ucontext.h>

// ---- the host's side

typedef void host_function(int, siginfo_t *, void *);  // NOLINT: what sigaction(2) takes

struct host_sigaction {  // the kernel's, not the C library's
    host_function *handler;
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

#ifdef __x86_64__
enum { HOST_SA_RESTORER = 0x04000000 };
void host_restorer(void);
__asm__(".pushsection .text\n"
        ".type host_restorer, @function\n"
        "host_restorer:\n"
        "    mov $15, %eax\n"  // rt_sigreturn
        "    syscall\n"
        ".popsection\n");
#else
enum { HOST_SA_RESTORER = 0 };
#define host_restorer NULL
#endif

static void host_disposition(int signal, host_function *handler, unsigned long flags) {
    struct host_sigaction action = {handler, flags | HOST_SA_RESTORER, host_restorer, ~UINT64_C(0)};
    if ((uintptr_t)handler > GUEST_SIG_IGN) action.flags |= SA_SIGINFO;
    host_call(rt_sigaction, signal, &action, 0, 8);
}

static void host_mask(uint64_t mask) {
    host_call(rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
}

HOST_HANDLER static bool is_fault(int signal) {
    return SIGNAL_FAULTS & SIGNAL_BIT(signal);
}

// Where a signal waits: place 0, or a place of its own where the host does not block it.
HOST_HANDLER static unsigned place_of(int signal) {
    switch (signal) {
    case SIGSEGV: return 1;
    case SIGBUS: return 2;
    case SIGILL: return 3;
    case SIGFPE: return 4;
    case SIGTRAP: return 5;
    case SIGSTOP: return 6;
    default: return 0;
    }
}

// As in the kernel, a second one of the same number is lost while the first waits.
HOST_HANDLER static void queue(struct task *task, const siginfo_t *info) {
    unsigned at = place_of(info->si_signo);
    if (!task->queued[at].set) {
        task->queued[at].info = *info;
        __atomic_store_n(&task->queued[at].set, 1, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&task->cpu->pending, PENDING_WORK, __ATOMIC_SEQ_CST);
}

void signal_queue(struct task *task, const siginfo_t *info) {
    queue(task, info);
}

// A fault in our own code: nothing of the guest's can be saved.
static void own_fault(int signal, const siginfo_t *info, void *ucontext) {
    uint64_t pc = host_context_pc(ucontext);
    extern const char __executable_start[] __attribute__((weak));
    error_say("internal error: signal %d at host address %#llx (image offset %#llx), accessing %p; please report this", signal,
              (unsigned long long)pc, (unsigned long long)(pc - (uintptr_t)__executable_start), info->si_addr);
    host_disposition(signal, (host_function *)(uintptr_t)GUEST_SIG_DFL, 0);
}

HOST_HANDLER static void host_handler(int signal, siginfo_t *info, void *ucontext) {
    if ((signal == SIGSEGV || signal == SIGBUS) && fault_handle(signal, info, ucontext)) return;
    struct cpu *cpu = cpu_current();
    siginfo_t copy = *info;
    if (signal == SIGCHLD && info->si_code > 0 && compiler_is_child(info->si_pid)) copy.si_signo = 0;  // of no concern to the guest
    bool poked = signal == SIGTRAP && cpu && trace_poked(cpu->os, &copy, host_context_pc(ucontext));
    if (!poked && is_fault(signal) && info->si_code > 0) {
        own_fault(signal, info, ucontext);
        return;
    }
    if (!cpu) return;
    fault_rewind(ucontext);
    if (copy.si_signo) queue(cpu->os, &copy);
    else __atomic_store_n(&cpu->pending, PENDING_WORK, __ATOMIC_SEQ_CST);
    uint64_t blocked = ~SIGNAL_FAULTS;
    memcpy(&((ucontext_t *)ucontext)->uc_sigmask, &blocked, sizeof blocked);  // the kernel's 8 bytes of the larger type
}

void signal_block_all(void) {
    host_mask(~SIGNAL_FAULTS);
}

void signal_unblock(struct task *task) {
    host_mask(task->sigmask & ~SIGNAL_FAULTS);
}

void signal_set_mask(struct task *task, uint64_t mask) {
    task->sigmask = mask & ~SIGNAL_UNBLOCKABLE;
    for (unsigned i = 0; i < SIGNAL_PLACES; i++) {
        if (task->queued[i].set && !(task->sigmask & SIGNAL_BIT(task->queued[i].info.si_signo))) task->cpu->pending = PENDING_WORK;
    }
    if (!task->cpu->pending) signal_unblock(task);  // else signal_deliver will
}

// Signals that say that something is wrong with the program: their default goes through us where the report is wanted.
static bool is_reported(int signal) {
    static const uint64_t reported = SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGSYS) | SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ);
    return reported & SIGNAL_BIT(signal) && crash_wanted();
}

void signal_install(int signal, const struct guest_sigaction *action) {
    if (is_fault(signal)) return;
    bool ours = action->handler > GUEST_SIG_IGN || (action->handler == GUEST_SIG_DFL && is_reported(signal));
    host_disposition(signal, ours ? host_handler : (host_function *)(uintptr_t)action->handler,
                     action->flags & (GUEST_SA_NOCLDSTOP | GUEST_SA_NOCLDWAIT));
}

void signal_before_exec(struct task *task) {
    for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
        if (is_fault(signal) && task->hand->action[signal].handler == GUEST_SIG_IGN)
            host_disposition(signal, (host_function *)(uintptr_t)GUEST_SIG_IGN, 0);
    }
    host_mask(task->sigmask);
}

static void install_fault_handlers(void) {
    for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
        if (is_fault(signal)) host_disposition(signal, host_handler, 0);
    }
}

void signal_after_exec(struct task *task) {
    install_fault_handlers();
    if (!task->cpu->pending) signal_unblock(task);
}

void signal_clear_handlers(struct sighand *hand) {
    for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
        if (hand->action[signal].handler <= GUEST_SIG_IGN) continue;
        hand->action[signal] = (struct guest_sigaction){.handler = GUEST_SIG_DFL};
        signal_install(signal, &hand->action[signal]);
    }
}

// Sanitizers take their options from here, since the environment is the guest's. What a program inherits as ignored must still be so when
// signal_init looks: they would have taken these signals by then. That of threads would also end a child that makes threads
// after a fork beside threads, and sleeps before each exit.
#define SIGNALS_ARE_OURS "handle_sigfpe=0:handle_sigill=0:handle_sigtrap=0:handle_abort=0"
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return SIGNALS_ARE_OURS;
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
    return SIGNALS_ARE_OURS ":die_after_fork=0:atexit_sleep_ms=0";
}

void signal_init(struct task *task) {
    for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
        struct host_sigaction action = {0};
        host_call(rt_sigaction, signal, 0, &action, 8);
        task->hand->action[signal].handler = (uintptr_t)action.handler == GUEST_SIG_IGN ? GUEST_SIG_IGN : GUEST_SIG_DFL;
        if (is_reported(signal)) signal_install(signal, &task->hand->action[signal]);
    }
    uint64_t mask = 0;
    host_call(rt_sigprocmask, SIG_SETMASK, 0, &mask, 8);
    install_fault_handlers();
    signal_set_mask(task, mask);
}

// ---- handlers shared by CLONE_SIGHAND

struct sighand *sighand_new(const struct sighand *from) {
    struct sighand *hand = pages_take(sizeof *hand);
    if (from) memcpy(hand->action, from->action, sizeof hand->action);
    hand->users = 1;
    return hand;
}

struct sighand *sighand_share(struct sighand *hand) {
    __atomic_fetch_add(&hand->users, 1, __ATOMIC_SEQ_CST);
    return hand;
}

void sighand_drop(struct sighand *hand) {
    if (__atomic_sub_fetch(&hand->users, 1, __ATOMIC_SEQ_CST) == 0) pages_give(hand, sizeof *hand);
}

// ---- delivery

enum default_action { TERMINATE, IGNORE, STOP };

static enum default_action default_of(int signal) {
    switch (signal) {
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH: return IGNORE;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU: return STOP;
    default: return TERMINATE;
    }
}

bool signal_on_altstack(const struct task *task) {
    uint64_t sp = task->cpu->slot[guest_abi->stack_slot];
    return !(task->altstack_flags & GUEST_SS_AUTODISARM) && task->altstack_size && sp > task->altstack &&
           sp - task->altstack <= task->altstack_size;
}

// Where the frame goes; 0 when the alternate stack is full.
static uint64_t frame_stack(const struct task *task, const struct guest_sigaction *action) {
    enum { RED_ZONE = 0 };
    uint64_t sp = task->cpu->slot[guest_abi->stack_slot];
    if (signal_on_altstack(task)) return sp - task->altstack <= guest_abi->frame_size(task) ? 0 : sp - RED_ZONE;
    if (action->flags & GUEST_SA_ONSTACK && task->altstack_size && !(task->altstack_flags & SS_DISABLE))
        return task->altstack + task->altstack_size;
    return sp - RED_ZONE;
}

static uint64_t take_saved_mask(struct task *task) {
    uint64_t mask = task->restore_mask ? task->saved_mask : task->sigmask;
    task->restore_mask = false;
    return mask;
}

static void enter_handler(struct task *task, int signal, const siginfo_t *info, const struct guest_sigaction *action) {
    uint64_t stack = frame_stack(task, action), during = task->sigmask | action->mask;
    if (!(action->flags & GUEST_SA_NODEFER)) during |= SIGNAL_BIT(signal);
    if (!stack || guest_abi->frame_build(task, stack, signal, info, action, take_saved_mask(task)) < 0) {
        if (signal == SIGSEGV) signal_fatal(task, SIGSEGV, info);
        signal_force(task, SIGSEGV, SI_KERNEL, 0);
        return;
    }
    if (task->altstack_flags & GUEST_SS_AUTODISARM) {
        task->altstack = task->altstack_size = 0;
        task->altstack_flags = SS_DISABLE;
    }
    task->sigmask = during & ~SIGNAL_UNBLOCKABLE;
    task->cpu->reserved_address = 0;
}

// A socket with a timeout: its calls are not made again, for they would wait anew (man 7 signal). Asked only when it matters.
static bool has_timeout(const struct task *task) {
    const struct syscall_row *row = &syscall_table[task->syscall_number];
    if (!row->arguments || row->arguments[0] != 'f') return false;
    bool sends = strstr(row->name, "write") || strstr(row->name, "send") || strstr(row->name, "connect");
    struct timeval timeout = {0};
    socklen_t size = sizeof timeout;
    long result = host_call(getsockopt, task->syscall_argument[0], SOL_SOCKET, sends ? SO_SNDTIMEO : SO_RCVTIMEO, &timeout, &size);
    return result == 0 && (timeout.tv_sec || timeout.tv_usec);
}

// The call that a signal got out of its wait: made again, or EINTR.
static void settle_syscall(struct task *task, const struct guest_sigaction *handler) {
    if (!task->interrupted) return;
    struct cpu *cpu = task->cpu;
    bool restartable = handler && task->restart == RESTART_SA && handler->flags & GUEST_SA_RESTART;
    bool again = task->not_made || !handler || (restartable && !has_timeout(task)), shown = task->trace.restart;
    task->interrupted = task->not_made = false;
    task->trace.restart = 0;
    if (shown && cpu->pc != task->syscall_pc) return;  // a tracer leads it elsewhere
    if (shown == again) return;
    cpu->pc = again ? task->syscall_pc : task->syscall_pc + guest_abi->instruction_size_of_syscall;
    cpu->slot[guest_abi->result_slot] = again ? task->syscall_argument[0] : (uint64_t)-EINTR;
}

static struct guest_sigaction take_action(struct task *task, int signal) {
    lock_take(&task->hand->lock);
    struct guest_sigaction *action = &task->hand->action[signal], copy = *action;
    if (copy.handler > GUEST_SIG_IGN && copy.flags & GUEST_SA_RESETHAND) {
        action->handler = GUEST_SIG_DFL;
        signal_install(signal, action);
    }
    lock_drop(&task->hand->lock);
    return copy;
}

// A stop that a handler of the guest's had hidden from the kernel until it was taken away.
static void stop_after_all(struct task *task, int signal) {
    host_disposition(signal, (host_function *)(uintptr_t)GUEST_SIG_DFL, 0);
    task->trace.pass = signal;
    host_call(tgkill, host_call(getpid), task->tid, signal);
    signal_unblock(task);
}

// The tracer let a thread go on with another signal than it came with, which is blocked.
static bool is_blocked_after_all(struct task *task, int came, int signal, siginfo_t *info) {
    if (came == signal || !(task->sigmask & SIGNAL_BIT(signal))) return false;
    if (is_fault(signal)) queue(task, info);
    else host_call(rt_tgsigqueueinfo, host_call(getpid), task->tid, signal, info);
    return true;
}

static void deliver(struct task *task, siginfo_t *info) {
    int came = info->si_signo, signal = trace_signal(task, info);
    if (!signal || is_blocked_after_all(task, came, signal, info)) return;
    if (signal == SIGKILL) signal_fatal(task, signal, info);
    struct guest_sigaction action = take_action(task, signal);
    if (action.handler > GUEST_SIG_IGN) {
        settle_syscall(task, &action);
        enter_handler(task, signal, info, &action);
        return;
    }
    if (action.handler == GUEST_SIG_IGN || default_of(signal) == IGNORE) return;
    if (default_of(signal) == STOP) stop_after_all(task, signal);
    else signal_fatal(task, signal, info);
}

static bool deliver_queued(struct task *task, unsigned at) {
    siginfo_t info = task->queued[at].info;
    if (!task->queued[at].set || task->sigmask & SIGNAL_BIT(info.si_signo) & SIGNAL_FAULTS) return false;
    task->queued[at].set = 0;
    deliver(task, &info);
    return true;
}

void signal_deliver(struct cpu *cpu) {
    struct task *task = task_of(cpu);
    __atomic_store_n(&cpu->pending, 0, __ATOMIC_SEQ_CST);
    trace_attend(task);
    for (unsigned i = 0; i < SIGNAL_PLACES; i++) deliver_queued(task, i);
    settle_syscall(task, NULL);
    if (task->restore_mask) task->sigmask = take_saved_mask(task);
    if (!__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED)) signal_unblock(task);
}

// A tracer sees even a signal that is about to kill for having been refused.
static void make_fatal(struct task *task, int signal) {
    lock_take(&task->hand->lock);
    task->hand->action[signal].handler = GUEST_SIG_DFL;
    lock_drop(&task->hand->lock);
    task->sigmask &= ~SIGNAL_BIT(signal);
}

void signal_force(struct task *task, int signal, int code, uint64_t address) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_code = code;
    info.si_addr = (void *)(uintptr_t)address;
    uint64_t handler = task->hand->action[signal].handler;
    bool refused = task->sigmask & SIGNAL_BIT(signal) || handler <= GUEST_SIG_IGN;
    if (refused && !task->trace.on) signal_fatal(task, signal, &info);
    if (refused) make_fatal(task, signal);
    deliver(task, &info);
    if (!task->cpu->pending) signal_unblock(task);
}

void signal_fault(struct cpu *cpu) {
    struct task *task = task_of(cpu);
    const struct trap *trap = &cpu->trap;
    struct mem_area area;
    switch (trap->kind) {
    case TRAP_BREAK: signal_force(task, SIGTRAP, TRAP_BRKPT, cpu->pc); break;
    case TRAP_ILLEGAL: signal_force(task, SIGILL, ILL_ILLOPC, cpu->pc); break;
    case TRAP_ALIGN: signal_force(task, SIGBUS, BUS_ADRALN, trap->address); break;
    case TRAP_FETCH: signal_force(task, SIGSEGV, mem_find(trap->address, &area) ? SEGV_ACCERR : SEGV_MAPERR, trap->address); break;
    case TRAP_MEMORY: signal_force(task, trap->host_signal, trap->host_code, trap->address); break;
    default: error_die("trap %d reached the guest's signals", (int)trap->kind);
    }
}

void signal_fatal(struct task *task, int signal, const siginfo_t *info) {
    crash_report(task, signal, info);
    stats_report();
    code_at_exit();
    signal_block_all();
    trace_expose(task);
    task->trace.pass = signal;
    host_disposition(signal, (host_function *)(uintptr_t)GUEST_SIG_DFL, 0);
    host_call(tgkill, host_call(getpid), host_call(gettid), signal);
    host_mask(~SIGNAL_BIT(signal));
    host_call(exit_group, 128 + signal);  // not reached: the signal is fatal
    __builtin_unreachable();
}

// ---- waiting under another mask

long signal_waited(struct task *task, uint64_t during, long result) {
    if (result != -EINTR || !task->cpu->pending) return result;
    task->saved_mask = task->sigmask;
    task->restore_mask = true;
    task->sigmask = during;
    return result;
}

long signal_wait_masked(struct task *task, long number, uint64_t mask, uint64_t size, unsigned mask_at, uint64_t a[6]) {
    uint64_t during, host;
    if (mask) {
        if (size != sizeof during) return -EINVAL;
        if (mem_copy_in(&during, mask, sizeof during) < 0) return -EFAULT;
        during &= ~SIGNAL_UNBLOCKABLE;
        host = during & ~SIGNAL_FAULTS;
        a[mask_at] = (uintptr_t)&host;
    }
    long result = task_blocking(task, number, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
    return mask ? signal_waited(task, during, result) : result;
}
