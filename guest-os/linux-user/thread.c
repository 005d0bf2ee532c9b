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
#include "runtime/host/clone.h"
#include "runtime/stats.h"
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

// The C library's threads share everything; what the guest's does not share, the thread parts with itself.
static long thread_unshare(uint64_t flags) {
    const uint64_t shared = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM;
    const uint64_t spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
    uint64_t parted = (~flags & shared) | (flags & spaces);
    return parted ? host_call(unshare, parted) : 0;
}

static void thread_prepare(struct task *task, const struct spawn *spawn) {
    if (spawn->flags & CLONE_CHILD_CLEARTID) task->clear_tid = spawn->child_tid;
    if (spawn->flags & CLONE_CHILD_SETTID) put_tid(spawn->child_tid, task->tid);
    if (spawn->flags & CLONE_PARENT_SETTID) put_tid(spawn->parent_tid, task->tid);
}

static void *thread_main(void *data) {
    struct thread_start *start = data;
    struct task *task = start->task;
    long error = thread_unshare(start->spawn->flags);
    task->tid = (int)host_call(gettid);
    if (!error) thread_prepare(task, start->spawn);
    announce(&start->tid, error ? (int32_t)error : task->tid);
    if (error) return NULL;
    cpu_set_current(task->cpu);
    signal_unblock(task);
    cpu_loop(task->cpu);
    signal_block_all();
    cpu_set_current(NULL);
    task_release_futexes(task);
    int shown = task->trace.on ? task->exit_status : 0;
    task_free(task);
    if (shown) host_call(exit, shown);  // for the tracer, who sees how threads end; the C library's end of a thread is always 0
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
    const uint64_t needed = CLONE_VM | CLONE_SIGHAND, impossible = CLONE_NEWUSER | CLONE_NEWPID | CLONE_PIDFD;
    if ((spawn->flags & needed) != needed || spawn->flags & impossible || spawn->set_tid_size) return -EINVAL;
    struct thread_start start = {.task = task_copy(task, true), .spawn = spawn};
    spawn_registers(start.task->cpu, spawn);
    trace_born(start.task, &task->trace, spawn->event);
    signal_block_all();
    int error = start_thread(task, thread_main, &start);
    long tid = error ? error : await(&start.tid);
    if (!task->cpu->pending) signal_unblock(task);
    if (tid < 0) task_free(start.task);
    return tid == -ENOMEM && error ? -EAGAIN : tid;
}

// ---- children that share memory

struct sharing_start {
    struct task *task;
    const struct spawn *spawn;
    void *stack;
    int32_t seen;    // the child's id as its parent sees it, written by the kernel
    int32_t pid;     // the same, announced by the child when the parent may go on; or a negative error
    uint32_t users;  // who still looks at this: the parent, and the helper thread if there is one
};

static int sharing_main(void *data) {
    struct sharing_start *start = data;
    struct task *task = start->task;
    task->tid = (int)host_call(gettid);
    task->vfork_child = true;
    if (start->spawn->flags & CLONE_CLEAR_SIGHAND) signal_clear_handlers(task->hand);
    if (start->spawn->flags & CLONE_PARENT_SETTID) mem_copy_out(start->spawn->parent_tid, &start->seen, sizeof start->seen);
    announce(&start->pid, start->seen);
    cpu_set_current(task->cpu);
    signal_unblock(task);
    cpu_loop(task->cpu);
    return 0;  // not reached: sys_exit ends the process
}

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
// What the host's call is told; the rest is done here.
static const uint64_t host_flags = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_IO | CLONE_PARENT | CLONE_PIDFD | CLONE_NEWNS |
                                   CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP |
                                   CLONE_NEWTIME | CLONE_UNTRACED | CLONE_INTO_CGROUP;

static struct host_clone_args host_arguments(const struct spawn *spawn, uint64_t flags) {
    return (struct host_clone_args){.flags = flags,
                                    .pidfd = spawn->pidfd,
                                    .exit_signal = (uint64_t)spawn->exit_signal,
                                    .set_tid = spawn->set_tid,
                                    .set_tid_size = spawn->set_tid_size,
                                    .cgroup = spawn->cgroup};
}

// A child without CLONE_VFORK is made by another thread than the guest's, which is traced if threads are, and with CLONE_VFORK: the host would
// see another event in it.
static uint64_t tracing(const struct spawn *spawn) {
    if (spawn->flags & CLONE_VFORK) return 0;
    return spawn->event ? CLONE_PTRACE : CLONE_UNTRACED;
}

// Whether clone(2) can say it too, which sandboxes let through that do not know clone3(2).
static bool is_simple(const struct spawn *spawn, uint64_t flags) {
    return !spawn->set_tid_size && flags <= UINT32_MAX && !(flags & CSIGNAL);
}

// Makes the child and sleeps until it has executed another program or exited.
static void clone_and_wait(struct sharing_start *start) {
    const struct spawn *spawn = start->spawn;
    uint64_t passed = host_flags | CLONE_SIGHAND | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    uint64_t flags = (spawn->flags & passed) | CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | tracing(spawn);
    struct host_clone_args arguments = host_arguments(spawn, flags);
    long pid;
    if (is_simple(spawn, flags) && !(flags & CLONE_PIDFD)) {  // clone(2) has one argument for both ids
        pid = host_clone(flags | (uint64_t)spawn->exit_signal, (char *)start->stack + CHILD_STACK, &start->seen, spawn->child_tid,
                         sharing_main, start);
    } else {
        arguments.child_tid = spawn->child_tid;
        arguments.parent_tid = (uintptr_t)&start->seen;
        arguments.stack = (uintptr_t)start->stack;
        arguments.stack_size = CHILD_STACK;
        pid = host_clone3(&arguments, sizeof arguments, sharing_main, start);
    }
    if (pid < 0) announce(&start->pid, (int32_t)pid);
}

static void sharing_drop(struct sharing_start *start) {
    if (__atomic_sub_fetch(&start->users, 1, __ATOMIC_SEQ_CST)) return;
    arena_free(&start->task->exec_memory);
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
    *start = (struct sharing_start){
        .task = task_copy(task, spawn->flags & CLONE_SIGHAND), .spawn = copy, .stack = pages_take(CHILD_STACK), .users = 1};
    if (spawn->flags & CLONE_VFORK) {  // as natively, the alternate stack is inherited then
        start->task->altstack = task->altstack;
        start->task->altstack_size = task->altstack_size;
        start->task->altstack_flags = task->altstack_flags;
    }
    spawn_registers(start->task->cpu, spawn);
    trace_born(start->task, &task->trace, spawn->event);
    signal_block_all();
    trace_expose(task);
    long pid;
    if (spawn->flags & CLONE_VFORK) {
        __atomic_store_n(&task->spawning, true, __ATOMIC_SEQ_CST);
        clone_and_wait(start);
        cpu_set_current(task->cpu);
        __atomic_store_n(&task->spawning, false, __ATOMIC_SEQ_CST);
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

static bool leader_gone;  // the first thread is ending or has, while others live on; atomic

// The C library's fork where it can say what is asked (it also keeps its own locks in order), else the bare call. With CLONE_VFORK the
// locks stay taken until the child has executed a program or exited, since this thread sleeps that long.
static long host_fork(const struct spawn *spawn) {
    uint64_t flags = spawn->flags & (host_flags | CLONE_VFORK);
    if (spawn->exit_signal == SIGCHLD && !flags && !spawn->set_tid_size) {
        long pid = fork();
        return pid < 0 ? -errno : pid;
    }
    if (is_simple(spawn, flags)) return host_call(clone, flags | (uint64_t)spawn->exit_signal, 0, spawn->pidfd);
    struct host_clone_args arguments = host_arguments(spawn, flags);
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
    for (unsigned i = 0; i < SIGNAL_PLACES; i++) task->queued[i].set = 0;  // pending signals are not inherited
    task->cpu->pending = 0;
    task->hand->lock.state = 0;
    task->hand->users = 1;
    leader_gone = false;
    if (spawn->flags & CLONE_CLEAR_SIGHAND) signal_clear_handlers(task->hand);
    spawn_registers(task->cpu, spawn);
    trace_forked();
    tracer_forked();
    struct trace parent = task->trace;
    trace_born(task, &parent, spawn->event);
    __atomic_store_n(&task->spawning, false, __ATOMIC_SEQ_CST);
}

long spawn_fork(struct task *task, const struct spawn *spawn) {
    signal_block_all();
    trace_expose(task);
    lock_all();
    __atomic_store_n(&task->spawning, true, __ATOMIC_SEQ_CST);
    long pid = host_fork(spawn);
    if (pid) __atomic_store_n(&task->spawning, false, __ATOMIC_SEQ_CST);
    lock_none();
    if (pid == 0) become_child(task, spawn);
    if (pid > 0 && spawn->flags & CLONE_PARENT_SETTID) put_tid(spawn->parent_tid, (int)pid);
    if (!task->cpu->pending) signal_unblock(task);
    return pid;
}

// ---- system calls

static long spawn_any(struct task *task, struct spawn *spawn) {
    uint64_t flags = spawn->flags;
    bool apart = flags & CLONE_FS && flags & (CLONE_NEWNS | CLONE_NEWUSER);
    bool cleared = flags & CLONE_SIGHAND && flags & CLONE_CLEAR_SIGHAND;
    if ((flags & CLONE_SIGHAND && !(flags & CLONE_VM)) || apart || cleared) return -EINVAL;
    spawn->event = trace_spawn_event(task, spawn);
    long pid;
    if (flags & CLONE_THREAD) pid = spawn_thread(task, spawn);
    else pid = flags & CLONE_VM ? spawn_sharing(task, spawn) : spawn_fork(task, spawn);
    if (pid > 0) trace_spawned(task, spawn, (int)pid);
    return pid;
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
    const uint64_t known = UINT32_MAX | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP;
    struct host_clone_args arguments = {0};
    if (a[1] < 64 || a[1] > MEM_PAGE) return a[1] < 64 ? -EINVAL : -E2BIG;
    if (mem_copy_in(&arguments, a[0], a[1] < sizeof arguments ? a[1] : sizeof arguments) < 0) return -EFAULT;
    for (uint64_t i = sizeof arguments; i < a[1]; i++) {
        char byte;
        if (mem_copy_in(&byte, a[0] + i, 1) < 0) return -EFAULT;
        if (byte) return -E2BIG;
    }
    if (arguments.flags & ((CSIGNAL & ~CLONE_NEWTIME) | CLONE_DETACHED) || arguments.flags & ~known) return -EINVAL;
    if (arguments.exit_signal > GUEST_SIGNALS || !arguments.stack != !arguments.stack_size) return -EINVAL;
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

static void end_main_thread(struct task *task, int status) {
    task_release_futexes(task);
    signal_block_all();
    task->hand->users++;  // the task and its handlers stay, as the kernel keeps the leader
    host_call(set_tid_address, 0);
    host_call(exit, status);
}

long sys_exit(struct task *task, const uint64_t a[6]) {
    int status = (int)a[0] & 0xff;
    task->no_result = true;
    trace_expose(task);
    if (task->vfork_child) host_call(exit_group, status);
    if (__atomic_load_n(&cpu_count, __ATOMIC_SEQ_CST) == 1) {
        task_release_futexes(task);
        if (!__atomic_load_n(&leader_gone, __ATOMIC_SEQ_CST)) process_exit(status);
        stats_report();
        host_call(exit, status);  // whose status counts, this one's or the first thread's, depends on the kernel's version
    }
    if (task->tid == host_call(getpid)) {
        __atomic_store_n(&leader_gone, true, __ATOMIC_SEQ_CST);  // before somebody else can find itself the last
        cpu_retire(task->cpu);
        end_main_thread(task, status);
    }
    task->exit_status = status;
    trace_exit(task, status);
    cpu_stop(task->cpu);
    return 0;
}

long sys_exit_group(struct task *task, const uint64_t a[6]) {
    int status = (int)a[0] & 0xff;
    trace_expose(task);
    if (task->vfork_child) host_call(exit_group, status);
    process_exit(status);
}
