// guest-test: expect=native variants=static,dynamic timeout=60 without=tsan
// ptrace(2): new processes and threads, execve, ends of threads, what becomes of tracees without a tracer.
#include "tracing.h"
#include <pthread.h>

enum {
    ALL = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE |
          PTRACE_O_TRACEEXIT
};
static char *self;

static int start(void (*child)(void), long options) {
    int pid = fork();
    if (!pid) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0)) _exit(99);
        raise(SIGSTOP);
        child();
        _exit(0);
    }
    see(pid, "started");
    printf("options %s\n", outcome(ptrace(PTRACE_SETOPTIONS, pid, 0, options)));
    return pid;
}

static unsigned long message(int pid) {
    unsigned long value = 0;
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &value);
    return value;
}

static int next(int pid, const char *what) {
    go(pid, 0);
    return see(pid, what);
}

// A child stops at its begin, and goes its way under the same tracer.
static int first_stop(int child) {
    siginfo_t info;
    see(child, "  child");
    long result = ptrace(PTRACE_GETSIGINFO, child, 0, &info);
    printf("  siginfo %s, signal %d\n", outcome(result), info.si_signo == SIGSTOP);
    return child;
}

static void make_fork(void) {
    int child = fork(), status;
    if (!child) _exit(5);
    waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status));
}

static void forks(void) {
    int pid = start(make_fork, PTRACE_O_TRACEFORK);
    next(pid, "fork");
    int child = first_stop((int)message(pid));
    printf("other options %s\n", outcome(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXIT)));
    next(child, "  child ends");
    printf("  status %lx\n", message(child));
    next(child, "  child ended");
    next(pid, "its parent gets a signal");
    go(pid, SIGCHLD);
    see(pid, "end");
    pid = start(make_fork, 0);
    next(pid, "not asked for, a signal");
    next(pid, "end");
}

static void make_vfork(void) {
    int child = vfork();
    if (!child) _exit(6);
    int status;
    waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status));
}

static void vforks(void) {
    int pid = start(make_vfork, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE);
    next(pid, "vfork");
    int child = first_stop((int)message(pid));
    go(pid, 0);
    printf("its parent waits %d\n", waitpid(pid, NULL, WNOHANG));
    next(child, "  child ended");
    int status;
    waitpid(pid, &status, 0);
    printf("done: %s, same child %d\n", text_of(status), message(pid) == child);
    next(pid, "a signal");
    next(pid, "end");
}

static void exec_twice(void) {
    execl(self, self, "exec", "1", NULL);
    _exit(9);
}

static void execs(void) {
    struct registers registers;
    int pid = start(exec_twice, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD);
    next(pid, "exec");
    printf("same thread %d, registers %d\n", message(pid) == pid, get(pid, &registers));
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    see(pid, "its end");
    get(pid, &registers);
    printf("result %ld\n", (long)registers.RESULT);
    next(pid, "again");
    next(pid, "again");
    next(pid, "end");
    pid = start(exec_twice, 0);
    for (int i = 0; i < 3; i++) {
        next(pid, "exec makes a signal");
        siginfo_t info;
        ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
        printf("code %d, sender %d\n", info.si_code, info.si_pid == pid);
    }
    next(pid, "end");
}

static pthread_barrier_t barrier;
static void *thread(void *data) {
    pthread_barrier_wait(&barrier);
    syscall(SYS_exit, 3);
    return NULL;
}

static void make_threads(void) {
    pthread_t id;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&id, NULL, thread, NULL);
    pthread_barrier_wait(&barrier);
    pthread_join(id, NULL);
    pthread_create(&id, NULL, thread, NULL);
    usleep(50000);
    _exit(8);  // the second one still waits
}

static void threads(void) {
    int pid = start(make_threads, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT), status;
    next(pid, "clone");
    int tid = first_stop((int)message(pid));
    go(pid, 0);
    next(tid, "  thread ends");
    printf("  status %lx\n", message(tid));
    next(tid, "  thread ended");
    see(pid, "clone");
    tid = first_stop((int)message(pid));
    go(tid, 0);
    next(pid, "ends");
    printf("status %lx\n", message(pid));
    go(pid, 0);
    see(tid, "  the other too");
    next(tid, "  ended");
    see(pid, "end");
}

static void *executes(void *data) {
    exec_twice();
    return NULL;
}

static void make_exec_in_thread(void) {
    pthread_t id;
    pthread_create(&id, NULL, executes, NULL);
    for (;;) pause();
}

// The thread that executes a program becomes the first one.
static void exec_in_thread(void) {
    int pid = start(make_exec_in_thread, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC);
    next(pid, "clone");
    int tid = first_stop((int)message(pid));
    go(pid, 0);
    go(tid, 0);
    see(pid, "exec");
    printf("by the thread %d, who is gone: %s\n", message(pid) == tid, outcome(go(tid, 0)));
    next(pid, "again");
    next(pid, "again");
    next(pid, "end");
}

// ---- tracers that end

static void be_traced(int to, int options) {
    int pid = fork();
    if (!pid) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGUSR1);
        usleep(20000);
        syscall(SYS_getppid);
        raise(SIGUSR2);  // ignored
        write(to, "alive", 5);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    ptrace(PTRACE_SETOPTIONS, pid, 0, options);
    ptrace(PTRACE_CONT, pid, 0, 0);
    _exit(0);
}

static void orphans(int options) {
    int pipes[2], status;
    char text[8] = "";
    pipe(pipes);
    signal(SIGUSR2, SIG_IGN);
    int pid = fork();
    if (!pid) be_traced(pipes[1], options);
    close(pipes[1]);
    waitpid(pid, &status, 0);
    read(pipes[0], text, 5);
    printf("without its tracer: %s\n", *text ? text : "killed");
    close(pipes[0]);
}

int main(int argc, char **argv) {
    char path[4096] = {0};
    setvbuf(stdout, NULL, _IOLBF, 0);
    readlink("/proc/self/exe", path, sizeof path - 1);
    self = path;
    if (argc == 3) {
        int depth = atoi(argv[2]);
        if (depth == 3) return 17;
        execl(self, self, "exec", depth == 1 ? "2" : "3", NULL);
    }
    forks();
    vforks();
    execs();
    threads();
    exec_in_thread();
    orphans(0);
    orphans(PTRACE_O_EXITKILL);
    return 0;
}
