// Tasks, and how they end.
#include "guest-os/linux-user/process.h"
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/signal.h"
#include "runtime/base/arena.h"
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include "runtime/stats.h"
#include <linux/futex.h>

struct task *task_current(void) {
    struct cpu *cpu = cpu_current();
    return cpu ? task_of(cpu) : NULL;
}

static struct task *task_allocate(struct cpu *cpu) {
    struct task *task = pages_take(sizeof *task);
    task->cpu = cpu;
    cpu->os = task;
    return task;
}

struct task *task_new(struct cpu *cpu) {
    struct task *task = task_allocate(cpu);
    task->tid = (int)host_call(gettid);
    task->hand = sighand_new(NULL);
    task->altstack_flags = SS_DISABLE;
    return task;
}

struct task *task_copy(struct task *parent, bool share_handlers) {
    struct task *task = task_allocate(cpu_copy(parent->cpu));
    task->hand = share_handlers ? sighand_share(parent->hand) : sighand_new(parent->hand);
    task->sigmask = parent->sigmask;
    task->vector_control = parent->vector_control;
    task->altstack_flags = SS_DISABLE;
    return task;
}

void task_free(struct task *task) {
    sighand_drop(task->hand);
    cpu_free(task->cpu);
    pages_give(task, sizeof *task);
}

void process_exit(int status) {
    stats_report();
    code_at_exit();
    host_call(exit_group, status);
    __builtin_unreachable();
}

// ---- the end of a thread (man 2 set_robust_list; kernel: Documentation/locking/robust-futexes.rst)

struct guest_robust_list {
    uint64_t next;
};
struct guest_robust_head {
    struct guest_robust_list list;
    int64_t futex_offset;
    uint64_t pending;
};

// The owner is gone: says so in the futex word and wakes one waiter. Waiters for a priority-inheriting futex (`pi`) are the
// kernel's to wake, when the host thread ends.
static void give_up(struct task *task, uint64_t address, bool pi, bool pending) {
    uint32_t word;
    if (address % sizeof word || mem_copy_in(&word, address, sizeof word) < 0) return;
    uint32_t *futex = (uint32_t *)(uintptr_t)address;
    if (pending && !pi && !word) host_call(futex, futex, FUTEX_WAKE, 1);  // it had unlocked, but not woken anyone yet
    if ((word & FUTEX_TID_MASK) != (uint32_t)task->tid) return;
    while (!__atomic_compare_exchange_n(futex, &word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
        if ((word & FUTEX_TID_MASK) != (uint32_t)task->tid) return;
    }
    if (!pi && word & FUTEX_WAITERS) host_call(futex, futex, FUTEX_WAKE, 1);
}

static void give_up_list(struct task *task) {
    struct guest_robust_head head;
    if (!task->robust_head || mem_copy_in(&head, task->robust_head, sizeof head) < 0) return;
    const uint64_t pi = 1;  // marks priority-inheriting futexes
    uint64_t entry = head.list.next;
    for (unsigned n = 0; (entry & ~pi) != task->robust_head && n < ROBUST_LIST_LIMIT; n++) {
        struct guest_robust_list here;
        bool last = mem_copy_in(&here, entry & ~pi, sizeof here) < 0;
        if (last) break;
        if (entry != head.pending) give_up(task, (entry & ~pi) + (uint64_t)head.futex_offset, entry & pi, false);
        entry = here.next;
    }
    if (head.pending) give_up(task, (head.pending & ~pi) + (uint64_t)head.futex_offset, head.pending & pi, true);
}

void task_release_futexes(struct task *task) {
    // Once clear_tid is 0 the list's memory may be used for anything: the kernel must not walk it when the host thread ends.
    host_call(set_robust_list, 0, sizeof(struct guest_robust_head));
    give_up_list(task);
    const uint32_t zero = 0;
    if (!task->clear_tid || mem_copy_out(task->clear_tid, &zero, sizeof zero) < 0) return;
    host_call(futex, task->clear_tid, FUTEX_WAKE, 1);
}
