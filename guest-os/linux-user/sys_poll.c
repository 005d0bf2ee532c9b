// Waiting for descriptors: masks are the guest's, and struct epoll_event is packed on x86-64 alone.
#include "guest-os/linux-user/signal.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/arena.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <sys/epoll.h>

struct guest_epoll_event {
    uint32_t events, pad;
    uint64_t data;
};

long sys_ppoll(struct task *task, const uint64_t a[6]) {
    if (!mem_is_guest(a[0], 1) || !mem_is_guest(a[2], 1)) return -EFAULT;
    uint64_t arguments[6] = {a[0], a[1], a[2], 0, 8};
    return signal_wait_masked(task, SYS_ppoll, a[3], a[4], 3, arguments);
}

long sys_pselect6(struct task *task, const uint64_t a[6]) {
    struct {
        uint64_t mask, size;
    } guest = {0}, host = {0, 8};
    for (unsigned i = 1; i <= 5; i++) {
        if (!mem_is_guest(a[i], 1)) return -EFAULT;
    }
    if (a[5] && mem_copy_in(&guest, a[5], sizeof guest) < 0) return -EFAULT;
    if (!guest.mask) return task_blocking(task, SYS_pselect6, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], 0);
    // The mask's address is wanted inside a structure, where signal_wait_masked cannot put it: ours holds it.
    uint64_t during;
    if (guest.size != 8) return -EINVAL;
    if (mem_copy_in(&during, guest.mask, sizeof during) < 0) return -EFAULT;
    during &= ~SIGNAL_UNBLOCKABLE;
    uint64_t waiting = during & ~SIGNAL_FAULTS;
    host.mask = (uintptr_t)&waiting;
    long result = task_blocking(task, SYS_pselect6, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)&host);
    return signal_waited(task, during, result);
}

long sys_epoll_ctl(struct task *task, const uint64_t a[6]) {
    (void)task;
    struct guest_epoll_event event;
    if (!a[3]) return host_call(epoll_ctl, a[0], a[1], a[2], 0);
    if (mem_copy_in(&event, a[3], sizeof event) < 0) return -EFAULT;
    struct epoll_event host = {.events = event.events, .data.u64 = event.data};
    return host_call(epoll_ctl, a[0], a[1], a[2], &host);
}

static long put_events(uint64_t to, const struct epoll_event *events, long count) {
    for (long i = 0; i < count; i++) {
        struct guest_epoll_event event = {.events = events[i].events, .data = events[i].data.u64};
        if (mem_copy_out(to + (uint64_t)i * sizeof event, &event, sizeof event) < 0) return -EFAULT;
    }
    return count;
}

static long epoll(struct task *task, long number, const uint64_t a[6]) {
    enum { AT_ONCE = 1024 };  // more are given by the next call
    struct epoll_event events[AT_ONCE];
    long most = (int)a[2];
    if (most <= 0) return -EINVAL;
    uint64_t arguments[6] = {a[0], (uintptr_t)events, (uint64_t)(most < AT_ONCE ? most : AT_ONCE), a[3], 0, 8};
    long count = signal_wait_masked(task, number, a[4], a[5], 4, arguments);
    return count > 0 ? put_events(a[1], events, count) : count;
}

long sys_epoll_pwait(struct task *task, const uint64_t a[6]) {
    return epoll(task, SYS_epoll_pwait, a);
}

long sys_epoll_pwait2(struct task *task, const uint64_t a[6]) {
    return mem_is_guest(a[3], 1) ? epoll(task, SYS_epoll_pwait2, a) : -EFAULT;
}
