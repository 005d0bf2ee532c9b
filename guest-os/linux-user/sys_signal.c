// System calls about signals: see man 2 of each. What reaches the kernel unchanged is in the table only.
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/signal.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/code.h"
#include "runtime/base/sys.h"
#include <errno.h>

enum { SIGSET_BYTES = 8 };

long sys_rt_sigaction(struct task *task, const uint64_t a[6]) {
    const uint64_t known_flags = GUEST_SA_NOCLDSTOP | GUEST_SA_NOCLDWAIT | GUEST_SA_SIGINFO | GUEST_SA_ONSTACK | GUEST_SA_RESTART |
                                 GUEST_SA_NODEFER | GUEST_SA_RESETHAND | GUEST_SA_EXPOSE_TAGBITS;
    int signal = (int)a[0];
    struct guest_sigaction new, old;
    if (signal < 1 || signal > GUEST_SIGNALS || a[3] != SIGSET_BYTES) return -EINVAL;
    if (a[1] && (signal == SIGKILL || signal == SIGSTOP)) return -EINVAL;
    if (a[1] && mem_copy_in(&new, a[1], sizeof new) < 0) return -EFAULT;
    if (a[1] && (signal == SIGSEGV || signal == SIGBUS) && new.handler > GUEST_SIG_IGN) code_be_exact();
    lock_take(&task->hand->lock);
    old = task->hand->action[signal];
    if (a[1]) {
        new.mask &= ~SIGNAL_UNBLOCKABLE;
        new.flags &= known_flags;  // unknown ones read back as 0: how programs find out (man 2 sigaction, SA_UNSUPPORTED)
        task->hand->action[signal] = new;
        signal_install(signal, &new);
    }
    lock_drop(&task->hand->lock);
    return a[2] && mem_copy_out(a[2], &old, sizeof old) < 0 ? -EFAULT : 0;
}

long sys_rt_sigprocmask(struct task *task, const uint64_t a[6]) {
    uint64_t old = task->sigmask, set;
    if (a[3] != SIGSET_BYTES) return -EINVAL;
    if (a[1]) {
        if (mem_copy_in(&set, a[1], sizeof set) < 0) return -EFAULT;
        switch ((int)a[0]) {
        case SIG_BLOCK: signal_set_mask(task, old | set); break;
        case SIG_UNBLOCK: signal_set_mask(task, old & ~set); break;
        case SIG_SETMASK: signal_set_mask(task, set); break;
        default: return -EINVAL;
        }
    }
    return a[2] && mem_copy_out(a[2], &old, sizeof old) < 0 ? -EFAULT : 0;
}

long sys_rt_sigpending(struct task *task, const uint64_t a[6]) {
    uint64_t pending = 0;
    if (a[1] > SIGSET_BYTES) return -EINVAL;
    long error = host_call(rt_sigpending, &pending, sizeof pending);
    if (error < 0) return error;
    for (unsigned i = 0; i < SIGNAL_PLACES; i++) {
        if (task->queued[i].set) pending |= SIGNAL_BIT(task->queued[i].info.si_signo);
    }
    pending &= task->sigmask;
    return mem_copy_out(a[0], &pending, a[1]);
}

long sys_rt_sigsuspend(struct task *task, const uint64_t a[6]) {
    if (!mem_is_guest(a[0], 1) || !a[0]) return -EFAULT;
    uint64_t arguments[6] = {0, SIGSET_BYTES};
    return signal_wait_masked(task, SYS_rt_sigsuspend, a[0], a[1], 0, arguments);
}

struct guest_stack {
    uint64_t sp;
    int32_t flags, pad;
    uint64_t size;
};

static long altstack_set(struct task *task, const struct guest_stack *stack) {
    uint32_t mode = (uint32_t)stack->flags & ~GUEST_SS_AUTODISARM;
    if (signal_on_altstack(task)) return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0) return -EINVAL;
    if (mode != SS_DISABLE && stack->size < guest_abi->min_signal_stack) return -ENOMEM;
    bool off = mode == SS_DISABLE;
    task->altstack = off ? 0 : stack->sp;
    task->altstack_size = off ? 0 : stack->size;
    task->altstack_flags = off ? SS_DISABLE : (uint32_t)stack->flags & GUEST_SS_AUTODISARM;
    return 0;
}

long sys_sigaltstack(struct task *task, const uint64_t a[6]) {
    struct guest_stack new, old = {.sp = task->altstack, .size = task->altstack_size};
    old.flags = (int32_t)(task->altstack_flags | (signal_on_altstack(task) ? SS_ONSTACK : 0));
    if (!task->altstack_size) old.flags = SS_DISABLE;
    if (a[0]) {
        if (mem_copy_in(&new, a[0], sizeof new) < 0) return -EFAULT;
        long error = altstack_set(task, &new);
        if (error) return error;
    }
    return a[1] && mem_copy_out(a[1], &old, sizeof old) < 0 ? -EFAULT : 0;
}

long sys_rt_sigreturn(struct task *task, const uint64_t a[6]) {
    (void)a;
    uint64_t mask;
    task->no_result = true;
    if (guest_abi->frame_restore(task, &mask) < 0) {
        signal_force(task, SIGSEGV, SI_KERNEL, 0);
        return 0;
    }
    task->cpu->reserved_address = 0;
    signal_set_mask(task, mask);
    return 0;
}
