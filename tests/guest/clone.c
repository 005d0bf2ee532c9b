// guest-test: expect=native variants=static,dynamic without=tsan
// clone(2) and clone3(2) with the flags that programs use: what is shared, what the parent sees, how leaders and threads end.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
static char stack[4][1 << 16] __attribute__((aligned(16)));
static volatile int word;
static int status_of(int child) {
    int status = -1;
    waitpid(child, &status, __WALL);
    return status;
}
static void handler(int signal) {}
static long clone3(struct args *args, size_t size) {
    return syscall(SYS_clone3, args, size);
}

static void vfork_alone(void) {
    word = 1;
    struct args args = {.flags = CLONE_VFORK, .exit_signal = SIGCHLD};
    int ends[2];
    pipe(ends);
    int child = clone3(&args, sizeof args);
    if (!child) {
        word = 2;
        usleep(50000);
        write(ends[1], "x", 1);
        _exit(5);
    }
    struct {
        int fd;
        short events, got;
    } p = {ends[0], 1, 0};
    int ready = syscall(SYS_ppoll, &p, 1, &(struct timespec){0}, NULL, 0);
    printf("CLONE_VFORK without CLONE_VM: own memory %d, parent waited %d, status %x\n", word == 1, ready, status_of(child));
}

static int look_at_handlers(void *data) {
    struct sigaction a, b;
    sigaction(SIGUSR1, NULL, &a);
    sigaction(SIGUSR2, NULL, &b);
    _exit((a.sa_handler == SIG_DFL) + 2 * (b.sa_handler == SIG_IGN));
}
static void clear_handlers(void) {
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    struct args args = {.flags = 0x100000000ull, .exit_signal = SIGCHLD};
    int child = clone3(&args, sizeof args);
    if (!child) look_at_handlers(NULL);
    printf("CLONE_CLEAR_SIGHAND, fork: %x\n", status_of(child));
    struct sigaction a;
    sigaction(SIGUSR1, NULL, &a);
    printf("ours stay %d\n", a.sa_handler == handler);
    args.flags |= CLONE_SIGHAND | CLONE_VM;
    long result = clone3(&args, sizeof args);
    printf("with CLONE_SIGHAND: %ld %s\n", result, strerror(errno));
}

static int by_thread(void *data) {
    if (data) {
        chdir("/");
        close(7);
    }
    syscall(SYS_exit, 0);
    return 0;
}
static void unshared_thread(unsigned flags) {
    char before[4096], after[4096];
    dup2(1, 7);
    getcwd(before, sizeof before);
    static volatile int tid;
    tid = 1;
    clone(by_thread, stack[0] + sizeof stack[0],
          flags | CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID, (void *)1, NULL, NULL, &tid);
    while (tid) syscall(SYS_futex, &tid, FUTEX_WAIT, 1, NULL, NULL, 0);
    getcwd(after, sizeof after);
    printf("thread, flags %x: directory the same %d, descriptor open %d\n", flags, !strcmp(before, after), fcntl(7, 1) >= 0);
    chdir(before);
}

static int late_thread(void *data) {
    usleep(60000);
    syscall(SYS_exit, 5);
    return 0;
}
static void leader_first(void) {
    int child = fork();
    if (!child) {
        clone(late_thread, stack[0] + sizeof stack[0],
              CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_THREAD | CLONE_SIGHAND | CLONE_SYSVSEM, NULL);
        syscall(SYS_exit, 3);
    }
    printf("leader exits 3, its thread 5 later: %x\n", status_of(child));
    child = fork();
    if (!child) {
        clone(by_thread, stack[0] + sizeof stack[0],
              CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_THREAD | CLONE_SIGHAND | CLONE_SYSVSEM, NULL);
        usleep(60000);
        syscall(SYS_exit, 4);
    }
    printf("its thread first: %x\n", status_of(child));
}

static void no_zombies(void) {
    struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT}, old;
    sigaction(SIGCHLD, &action, &old);
    if (!fork()) _exit(1);
    int got = wait(NULL);
    printf("SIG_DFL with SA_NOCLDWAIT: %d %s\n", got, strerror(errno));
    sigaction(SIGCHLD, &old, NULL);
}

static void exit_signals(void) {
    int child = syscall(SYS_clone, SIGUSR1, NULL, NULL, NULL, NULL), got;
    signal(SIGUSR1, SIG_IGN);
    if (!child) _exit(6);
    got = waitpid(child, NULL, 0);
    printf("exit signal SIGUSR1: wait %d %s", got, strerror(errno));
    printf(", with __WCLONE %d\n", waitpid(child, NULL, __WCLONE) == child);
    child = syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (!child) _exit(7);
    printf("no exit signal: %x\n", status_of(child));
}

static int tell(void *data) {
    word = getpid();
    _exit(8);
}
static void ids(void) {
    int pidfd = -1, parent_tid = 0, child_tid = 0;
    struct args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
                        .pidfd = (uintptr_t)&pidfd,
                        .parent_tid = (uintptr_t)&parent_tid,
                        .child_tid = (uintptr_t)&child_tid,
                        .exit_signal = SIGCHLD};
    int child = clone3(&args, sizeof args);
    if (!child) _exit(child_tid == getpid() ? 9 : 1);
    siginfo_t info = {0};
    int waited = waitid(P_PIDFD, pidfd, &info, WEXITED);
    printf("clone3: parent_tid %d, pidfd waits %d, status %d\n", parent_tid == child, waited, info.si_status);
    pidfd = -1;
    child = clone(tell, stack[1] + sizeof stack[1], CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, NULL, &pidfd);
    printf("vfork: pidfd %d, child said its id %d", pidfd >= 0, word == child);
    printf(", status %x\n", status_of(child));
    child = clone(tell, stack[1] + sizeof stack[1], CLONE_VM | CLONE_PARENT_SETTID | SIGCHLD, NULL, &parent_tid);
    printf("shared memory: parent_tid %d", parent_tid == child);
    int status = status_of(child);
    printf(", child said its id %d, status %x\n", word == child, status);
    fflush(stdout);
    if (!fork()) {  // needs a privilege; nothing to see without
        child = clone(tell, stack[1] + sizeof stack[1], CLONE_VM | CLONE_VFORK | CLONE_NEWPID | SIGCHLD, NULL);
        int seen = word;
        _exit(child < 0 || (seen == 1 && status_of(child) == 8 << 8) ? 0 : 1);
    }
    wait(&status);
    printf("new process namespace: %x\n", status);
}

static void refusals(void) {
    struct {
        const char *name;
        struct args args;
        size_t size;
    } tries[] = {
        {"too small", {0}, 56},
        {"thread without handlers", {.flags = CLONE_THREAD | CLONE_VM}, sizeof(struct args)},
        {"handlers without memory", {.flags = CLONE_SIGHAND}, sizeof(struct args)},
        {"signal in the flags", {.flags = SIGCHLD}, sizeof(struct args)},
        {"stack without size", {.stack = 4096}, sizeof(struct args)},
        {"size without stack", {.stack_size = 4096}, sizeof(struct args)},
        {"thread with signal", {.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD}, sizeof(struct args)},
        {"large signal", {.exit_signal = 65}, sizeof(struct args)},
        {"unknown flag", {.flags = 1ull << 40, .exit_signal = SIGCHLD}, sizeof(struct args)},
        {"new namespace and shared directory", {.flags = CLONE_NEWNS | CLONE_FS, .exit_signal = SIGCHLD}, sizeof(struct args)},
        {"taken id", {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&(pid_t){1}, .set_tid_size = 1}, sizeof(struct args)},
    };
    for (unsigned i = 0; i < sizeof tries / sizeof *tries; i++) {
        long child = clone3(&tries[i].args, tries[i].size);
        if (!child) _exit(0);
        printf("%s: %ld %s\n", tries[i].name, child < 0 ? child : 1, child < 0 ? strerror(errno) : "");
        if (child > 0) status_of(child);
    }
    printf("bad pointer: %ld", clone3((void *)16, sizeof(struct args)));
    printf(" %s\n", strerror(errno));
    struct {
        struct args args;
        uint64_t more;
    } larger = {.args.exit_signal = SIGCHLD};
    int child = clone3(&larger.args, sizeof larger);
    if (!child) _exit(2);
    printf("larger, zero: %x\n", status_of(child));
    larger.more = 1;
    printf("larger, not zero: %ld", clone3(&larger.args, sizeof larger));
    printf(" %s\n", strerror(errno));
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    vfork_alone();
    clear_handlers();
    unshared_thread(CLONE_FS | CLONE_FILES);
    unshared_thread(CLONE_FILES);
    unshared_thread(CLONE_FS);
    leader_first();
    no_zombies();
    exit_signals();
    ids();
    refusals();
    return 0;
}
