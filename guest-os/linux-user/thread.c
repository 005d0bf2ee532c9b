// New guest threads and processes: clone(2) in its three shapes. A thread is a host thread of the C library's making, because
// sanitizers and the C library itself want to know of it. A child that shares memory without being a thread (vfork, posix_spawn)
// is a host process sharing our memory; it uses its parent's thread-local storage, which is safe because the parent thread
// sleeps in the kernel meanwhile. Any other child is a fork.
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/process.h"
#include "guest-os/linux-user/signal.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/arena.h"
#include "runtime/base/sys.h"
#include "runtime/fault.h"
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { THREAD_STACK = 256 << 10, CHILD_STACK = 256 << 10 };

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

void spawn_registers(struct cpu *child, const struct spawn *spawn) {
    if (spawn->stack) child->slot[guest_abi->stack_slot] = spawn->stack;
    if (spawn->flags & CLONE_SETTLS) child->slot[guest_abi->tls_slot] = spawn->tls;
    child->slot[guest_abi->result_slot] = 0;
}

static void put_tid(uint64_t address, int tid) {
    mem_copy_out(address, &tid, sizeof tid);  // the kernel ignores bad addresses here as well
}

// ---- a word that one thread sets and another waits for

static void announce(int32_t *word, int32_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    host_call(futex, word, FUTEX_WAKE, 1);
}

static int32_t await(int32_t *word) {
    int32_t value;
    while (!(value = __atomic_load_n(word, __ATOMIC_SEQ_CST))) host_call(futex, word, FUTEX_WAIT, 0, 0);
    return value;
}

// ---- threads

struct thread_start {
    struct task *task;
    const struct spawn *spawn;
    int32_t tid;  // announced when the parent may go on
};

static void thread_prepare(struct task *task, const struct spawn *spawn) {
    task->tid = (int)host_call(gettid);
    if (spawn->flags & CLONE_CHILD_CLEARTID) task->clear_tid = spawn->child_tid;
    if (spawn->flags & CLONE_CHILD_SETTID) put_tid(spawn->child_tid, task->tid);
    if (spawn->flags & CLONE_PARENT_SETTID) put_tid(spawn->parent_tid, task->tid);
}

static void *thread_main(void *data) {
    struct thread_start *start = data;
    struct task *task = start->task;
    thread_prepare(task, start->spawn);
    announce(&start->tid, task->tid);
    cpu_set_current(task->cpu);
    signal_unblock(task);
    cpu_loop(task->cpu);
    signal_block_all();
    cpu_set_current(NULL);
    task_release_futexes(task);
    task_free(task);
    return NULL;
}

// The C library allocates here; a fork must not find it in the middle of that.
static struct lock spawn_lock;

__attribute__((constructor)) static void register_spawn_lock(void) {
    lock_register(&spawn_lock);
}

// With its first thread the C library takes the two signals that it uses for itself; the guest's has the same use for them.
static void take_signals_back(struct task *task) {
    static bool done;
    if (done) return;
    for (int signal = 32; signal <= 33; signal++) signal_install(signal, &task->hand->action[signal]);
    done = true;
}

static int start_thread(struct task *task, void *(*function)(void *), void *data) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    lock_take(&spawn_lock);
    int error = pthread_create(&thread, &attributes, function, data);
    take_signals_back(task);
    lock_drop(&spawn_lock);
    pthread_attr_destroy(&attributes);
    return -error;
}

long spawn_thread(struct task *task, const struct spawn *spawn) {
    const uint64_t needed = CLONE_VM | CLONE_SIGHAND;
    if ((spawn->flags & needed) != needed) return -EINVAL;
    struct thread_start start = {.task = task_copy(task, true), .spawn = spawn};
    spawn_registers(start.task->cpu, spawn);
    signal_block_all();
    int error = start_thread(task, thread_main, &start);
    long tid = error ? error : await(&start.tid);
    if (!task->cpu->pending) signal_unblock(task);
    if (error) task_free(start.task);
    return tid == -ENOMEM ? -EAGAIN : tid;
}

// ---- children that share memory

struct sharing_start {
    struct task *task;
    const struct spawn *spawn;
    void *stack;
    int32_t pid;     // announced by the child, or a negative error
    uint32_t users;  // who still looks at this: the parent, and the helper thread if there is one
};

static int sharing_main(void *data) {
    struct sharing_start *start = data;
    struct task *task = start->task;
    task->tid = (int)host_call(gettid);
    task->vfork_child = true;
    announce(&start->pid, task->tid);
    cpu_set_current(task->cpu);
    signal_unblock(task);
    cpu_loop(task->cpu);
    return 0;  // not reached: sys_exit ends the process
}

static const uint64_t host_flags = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_IO | CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
                                   CLONE_CHILD_CLEARTID | CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                   CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_UNTRACED;

static void *host_pointer(uint64_t address) {
    return (void *)(uintptr_t)address;
}

// Makes the child and sleeps until it has executed another program or exited.
static void clone_and_wait(struct sharing_start *start) {
    const struct spawn *spawn = start->spawn;
    uint64_t flags = (spawn->flags & host_flags) | CLONE_VM | CLONE_VFORK | (uint64_t)spawn->exit_signal;
    if (spawn->flags & CLONE_SIGHAND) flags |= CLONE_SIGHAND;
    void *parent_word = host_pointer(spawn->flags & CLONE_PIDFD ? spawn->pidfd : spawn->parent_tid);
    long pid = clone(sharing_main, (char *)start->stack + CHILD_STACK, (int)flags, start, parent_word, NULL, host_pointer(spawn->child_tid));
    if (pid < 0) announce(&start->pid, -errno);
}

static void sharing_drop(struct sharing_start *start) {
    if (__atomic_sub_fetch(&start->users, 1, __ATOMIC_SEQ_CST)) return;
    task_free(start->task);
    pages_give(start->stack, CHILD_STACK);
    pages_give(start, sizeof *start + sizeof *start->spawn);
}

static void *clone_helper(void *data) {
    clone_and_wait(data);
    cpu_set_current(NULL);
    sharing_drop(data);
    return NULL;
}

long spawn_sharing(struct task *task, const struct spawn *spawn) {
    struct sharing_start *start = pages_take(sizeof *start + sizeof *spawn);
    struct spawn *copy = (struct spawn *)(start + 1);
    *copy = *spawn;
    *start = (struct sharing_start){.task = task_copy(task, spawn->flags & CLONE_SIGHAND), .spawn = copy, .stack = pages_take(CHILD_STACK), .users = 1};
    if (spawn->flags & CLONE_VFORK) {  // as natively, the alternate stack is inherited then
        start->task->altstack = task->altstack;
        start->task->altstack_size = task->altstack_size;
        start->task->altstack_flags = task->altstack_flags;
    }
    spawn_registers(start->task->cpu, spawn);
    signal_block_all();
    long pid;
    if (spawn->flags & CLONE_VFORK) {
        clone_and_wait(start);
        cpu_set_current(task->cpu);
        pid = start->pid;
    } else {
        start->users = 2;
        int error = start_thread(task, clone_helper, start);
        pid = error ? error : await(&start->pid);
        if (error) start->users = 1;
    }
    sharing_drop(start);
    if (!task->cpu->pending) signal_unblock(task);
    return pid;
}

// ---- fork

struct kernel_clone_args {  // man 2 clone3
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

// The C library's fork where it can say what is asked (it also keeps its own locks in order), else the bare call.
static long host_fork(const struct spawn *spawn) {
    uint64_t flags = spawn->flags & (host_flags | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP);
    if (spawn->exit_signal == SIGCHLD && !(flags & ~(uint64_t)(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID)) && !spawn->set_tid_size) {
        long pid = fork();
        return pid < 0 ? -errno : pid;
    }
    struct kernel_clone_args arguments = {.flags = flags & ~(uint64_t)(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND),
                                          .pidfd = spawn->pidfd,
                                          .exit_signal = (uint64_t)spawn->exit_signal,
                                          .set_tid = spawn->set_tid,
                                          .set_tid_size = spawn->set_tid_size,
                                          .cgroup = spawn->cgroup};
    return host_call(clone3, &arguments, sizeof arguments);
}

static void become_child(struct task *task, const struct spawn *spawn) {
    cpu_forked(task->cpu);
    mem_forked();
    task->tid = (int)host_call(gettid);
    task->vfork_child = false;
    task->robust_head = 0;
    task->clear_tid = spawn->flags & CLONE_CHILD_CLEARTID ? spawn->child_tid : 0;
    host_call(set_tid_address, task->clear_tid);
    if (spawn->flags & CLONE_CHILD_SETTID) put_tid(spawn->child_tid, task->tid);
    for (unsigned i = 0; i < 2; i++) task->queued[i].set = 0;  // pending signals are not inherited
    task->cpu->pending = 0;
    task->hand->lock.state = 0;
    spawn_registers(task->cpu, spawn);
}

long spawn_fork(struct task *task, const struct spawn *spawn) {
    signal_block_all();
    lock_all();
    long pid = host_fork(spawn);
    lock_none();
    if (pid == 0) become_child(task, spawn);
    if (pid > 0 && spawn->flags & CLONE_PARENT_SETTID) put_tid(spawn->parent_tid, (int)pid);
    if (!task->cpu->pending) signal_unblock(task);
    return pid;
}

// ---- system calls

static long spawn_any(struct task *task, const struct spawn *spawn) {
    const uint64_t together = CLONE_SIGHAND | CLONE_VM;
    if (spawn->flags & CLONE_SIGHAND && (spawn->flags & together) != together) return -EINVAL;
    if (spawn->flags & CLONE_THREAD) return spawn_thread(task, spawn);
    if (spawn->flags & CLONE_VM) return spawn_sharing(task, spawn);
    if (spawn->flags & CLONE_VFORK) return spawn_sharing(task, spawn);
    return spawn_fork(task, spawn);
}

long sys_clone(struct task *task, const uint64_t a[6]) {
    uint64_t signal_mask = CSIGNAL;
    struct spawn spawn = {.flags = a[0] & ~signal_mask & 0xffffffff,
                          .exit_signal = (int)(a[0] & signal_mask),
                          .stack = a[1],
                          .parent_tid = a[2],
                          .pidfd = a[2],
                          .tls = a[3],
                          .child_tid = a[4]};
    return spawn_any(task, &spawn);
}

long sys_clone3(struct task *task, const uint64_t a[6]) {
    struct kernel_clone_args arguments = {0};
    if (a[1] < 64 || a[1] > MEM_PAGE) return a[1] < 64 ? -EINVAL : -E2BIG;
    if (mem_copy_in(&arguments, a[0], a[1] < sizeof arguments ? a[1] : sizeof arguments) < 0) return -EFAULT;
    for (uint64_t i = sizeof arguments; i < a[1]; i++) {
        char byte;
        if (mem_copy_in(&byte, a[0] + i, 1) < 0) return -EFAULT;
        if (byte) return -E2BIG;
    }
    if (arguments.flags & CSIGNAL || arguments.exit_signal & ~(uint64_t)CSIGNAL || !arguments.stack != !arguments.stack_size) return -EINVAL;
    if (arguments.flags & (CLONE_THREAD | CLONE_PARENT) && arguments.exit_signal) return -EINVAL;
    struct spawn spawn = {.flags = arguments.flags,
                          .exit_signal = (int)arguments.exit_signal,
                          .stack = arguments.stack ? arguments.stack + arguments.stack_size : 0,
                          .tls = arguments.tls,
                          .parent_tid = arguments.parent_tid,
                          .child_tid = arguments.child_tid,
                          .pidfd = arguments.pidfd,
                          .set_tid = arguments.set_tid,
                          .set_tid_size = arguments.set_tid_size,
                          .cgroup = arguments.cgroup};
    return spawn_any(task, &spawn);
}

static void end_main_thread(struct task *task) {
    task_release_futexes(task);
    signal_block_all();
    task->hand->users++;  // the task and its handlers stay, as the kernel keeps the leader
    host_call(exit, 0);
}

long sys_exit(struct task *task, const uint64_t a[6]) {
    int status = (int)a[0] & 0xff;
    task->no_result = true;
    if (task->vfork_child) host_call(exit_group, status);
    bool leader = task->tid == host_call(getpid);
    if (__atomic_load_n(&cpu_count, __ATOMIC_SEQ_CST) == 1) {
        task_release_futexes(task);
        process_exit(status);
    }
    if (leader) {
        cpu_retire(task->cpu);
        end_main_thread(task);
    }
    cpu_stop(task->cpu);
    return 0;
}

long sys_exit_group(struct task *task, const uint64_t a[6]) {
    int status = (int)a[0] & 0xff;
    if (task->vfork_child) host_call(exit_group, status);
    process_exit(status);
}
