// Inside guest-os: masks and dispositions, shared by signal.c, sys_signal.c and the files that make processes.
#pragma once
#include "guest-os/linux-user/task.h"

#define SIGNAL_BIT(signal) (UINT64_C(1) << ((signal) - 1))
// Raised by the processor itself. Their host handlers are always ours and the host never blocks them: the kernel would kill us for a
// fault of the guest's.
#define SIGNAL_FAULTS (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGTRAP))
#define SIGNAL_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

enum { GUEST_SIG_DFL = 0, GUEST_SIG_IGN = 1 };
// Flags of the generic ABI's struct sigaction (asm-generic/signal-defs.h).
enum {
    GUEST_SA_NOCLDSTOP = 1,
    GUEST_SA_NOCLDWAIT = 2,
    GUEST_SA_SIGINFO = 4,
    GUEST_SA_ONSTACK = 0x08000000,
    GUEST_SA_RESTART = 0x10000000,
    GUEST_SA_NODEFER = 0x40000000,
    GUEST_SA_EXPOSE_TAGBITS = 0x800,
};
#define GUEST_SA_RESETHAND UINT64_C(0x80000000)
#define GUEST_SS_AUTODISARM (1u << 31)

// Sets the guest's mask and with it the host's.
void signal_set_mask(struct task *task, uint64_t mask);
// Blocks everything on the host, or goes back to what the task's mask says.
void signal_block_all(void);
void signal_unblock(struct task *task);
// Makes the host's disposition that of the guest's action.
void signal_install(int signal, const struct guest_sigaction *action);
// CLONE_CLEAR_SIGHAND: what is handled goes back to its default, for guest and host.
void signal_clear_handlers(struct sighand *hand);
// Host mask and dispositions exactly as the guest's, for execve; and back, if it failed.
void signal_before_exec(struct task *task);
void signal_after_exec(struct task *task);
// Whether sp lies on the alternate stack.
bool signal_on_altstack(const struct task *task);

// Puts a signal where the host's handler puts those that it takes, on the task's own thread or before it runs.
void signal_queue(struct task *task, const siginfo_t *info);

struct sighand *sighand_new(const struct sighand *from);
struct sighand *sighand_share(struct sighand *hand);
void sighand_drop(struct sighand *hand);

// A blocking call that waits under another mask (sigsuspend, ppoll, …); `mask` is 0 or a guest pointer, `size` its sigsetsize. `arguments` are the host
// call's; the one at `mask_at` is replaced by the mask to wait under.
long signal_wait_masked(struct task *task, long number, uint64_t mask, uint64_t size, unsigned mask_at, uint64_t arguments[6]);
// The second half of it, for a call that has been made under the mask `during`: notes which mask comes back after the handler. Returns `result`.
long signal_waited(struct task *task, uint64_t during, long result);
