// guest-test: expect=native variants=static,dynamic timeout=60 without=tsan
// ptrace(2): job control's stops of tracees, PTRACE_SEIZE, _INTERRUPT and _LISTEN, waits that a tracer interrupts, waiting in other ways.
#include "tracing.h"
#include <pthread.h>
#include <sys/resource.h>

static volatile sig_atomic_t handled;
static void handler(int signal) {
    handled++;
}

static int start(void (*child)(int), int to) {
    int pid = fork();
    setpgid(pid, 0);  // in an orphaned group, as a session's first may be, SIGTSTP stops nobody
    if (!pid) {
        child(to);
        _exit(0);
    }
    return pid;
}

static void wait_for_ever(int to) {
    for (;;) pause();
}

static void seized(void) {
    int pid = start(wait_for_ever, 0);
    usleep(20000);
    siginfo_t info;
    printf("address: %s\n", outcome(ptrace(PTRACE_SEIZE, pid, 8, 0)));
    printf("seize: %s\n", outcome(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD)));
    printf("runs on: %d, %s\n", waitpid(pid, NULL, WNOHANG | __WALL), outcome(go(pid, 0)));
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    see(pid, "interrupted");
    ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
    printf("signal %s code %x\n", name_of(info.si_signo), info.si_code);
    printf("listen: %s\n", outcome(ptrace(PTRACE_LISTEN, pid, 0, 0)));
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    see(pid, "interrupted while it listens");
    go(pid, 0);
    kill(pid, SIGTSTP);
    see(pid, "told to stop");
    go(pid, SIGTSTP);
    see(pid, "stopped with its group");
    int result = (int)ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
    printf("siginfo %d, signal %s code %x\n", result, name_of(info.si_signo), info.si_code);
    printf("listen: %s\n", outcome(ptrace(PTRACE_LISTEN, pid, 0, 0)));
    usleep(20000);
    printf("still: %d\n", waitpid(pid, NULL, WNOHANG | __WALL));
    printf("while listening: %s\n", outcome(go(pid, 0)));
    kill(pid, SIGCONT);
    see(pid, "its group goes on");
    go(pid, 0);
    see(pid, "for this reason");
    go(pid, SIGCONT);
    kill(pid, SIGSTOP);
    see(pid, "again");
    go(pid, SIGSTOP);
    see(pid, "stopped with its group");
    go(pid, 0);
    usleep(20000);
    printf("let go on alone: %d\n", waitpid(pid, NULL, WNOHANG | __WALL));
    kill(pid, SIGKILL);
    see(pid, "end");
}

static void attached(void) {
    int pid = start(wait_for_ever, 0);
    siginfo_t info;
    usleep(20000);
    ptrace(PTRACE_ATTACH, pid, 0, 0);
    see(pid, "attached");
    printf("seized only: %s %s\n", outcome(ptrace(PTRACE_INTERRUPT, pid, 0, 0)), outcome(ptrace(PTRACE_LISTEN, pid, 0, 0)));
    go(pid, 0);
    kill(pid, SIGTTIN);
    see(pid, "told to stop");
    go(pid, SIGTTIN);
    see(pid, "stopped with its group");
    printf("siginfo: %s\n", outcome(ptrace(PTRACE_GETSIGINFO, pid, 0, &info)));
    printf("detach: %s\n", outcome(ptrace(PTRACE_DETACH, pid, 0, 0)));
    usleep(20000);
    int status;
    printf("still stopped: %d", waitpid(pid, &status, WNOHANG | WUNTRACED) == pid);
    printf(", %s\n", text_of(status));
    kill(pid, SIGCONT);
    waitpid(pid, &status, WCONTINUED);
    printf("%s\n", text_of(status));
    kill(pid, SIGTERM);
    see(pid, "end");
}

static void *count(void *data) {
    for (;;) ++*(volatile long *)data;
}

static void make_threads(int from) {
    pthread_t id;
    char byte;
    read(from, &byte, 1);
    static long counts[3];
    for (int i = 0; i < 2; i++) pthread_create(&id, NULL, count, &counts[i]);
    count(&counts[2]);
}

// All of a process's threads stop with it.
static void groups(void) {
    int pipes[2], made = 1, status;
    pipe(pipes);
    int pid = start(make_threads, pipes[0]), tids[3] = {pid};
    ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACECLONE);
    write(pipes[1], "1", 1);
    usleep(100000);
    while (made < 3) {
        int got = waitpid(-1, &status, __WALL);
        if (got == pid && status >> 16 == PTRACE_EVENT_CLONE) {
            unsigned long message = 0;
            ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
            tids[made++] = (int)message;
        }
        go(got, 0);
    }
    usleep(100000);
    for (int got; (got = waitpid(-1, &status, __WALL | WNOHANG)) > 0;) go(got, 0);
    kill(pid, SIGSTOP);
    int got = waitpid(-1, &status, __WALL);
    printf("one of the group: %s\n", text_of(status));
    go(got, SIGSTOP);
    for (int i = 0; i < 3; i++) {
        see(tids[i], "thread");
        ptrace(PTRACE_LISTEN, tids[i], 0, 0);
    }
    kill(pid, SIGCONT);
    int ends = 0, continues = 0;
    for (int i = 0; i < 4; i++) {
        int who = waitpid(-1, &status, __WALL);
        if (status >> 16 == 128) ends++;
        else if (WSTOPSIG(status) == SIGCONT) continues++;
        go(who, 0);
    }
    printf("%d threads go on, %d signal\n", ends, continues);
    kill(pid, SIGKILL);
    while (waitpid(-1, &status, __WALL) > 0) {}
}

static void read_much(int to) {
    char byte;
    int pipes[2];
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags = 0;
    sigaction(SIGUSR2, &action, NULL);
    pipe(pipes);
    write(to, "1", 1);
    int got = (int)read(pipes[0], &byte, 1);
    _exit(handled * 10 + (got < 0 && errno == EINTR));
}

// A wait of the tracee's that stops interrupt: it begins again, or not, as without a tracer.
static void waits(void) {
    int pipes[2];
    char byte;
    struct registers registers;
    pipe(pipes);
    int pid = start(read_much, pipes[1]);
    read(pipes[0], &byte, 1);
    usleep(20000);
    ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD);
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    see(pid, "in a wait");
    for (int i = 0; i < 3; i++) {
        ptrace(PTRACE_SYSCALL, pid, 0, 0);
        see(pid, "made again");
        ptrace(PTRACE_SYSCALL, pid, 0, 0);
        usleep(20000);
        ptrace(PTRACE_INTERRUPT, pid, 0, 0);
        see(pid, "interrupted");
        get(pid, &registers);
        printf("to be made again: %d\n", (int)registers.RESULT);
    }
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    see(pid, "made again");
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    usleep(20000);
    kill(pid, SIGUSR1);
    see(pid, "its end");
    get(pid, &registers);
    printf("to be made again: %d\n", (int)registers.RESULT);
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    see(pid, "signal");
    go(pid, SIGUSR1);
    usleep(20000);
    kill(pid, SIGUSR1);
    see(pid, "dropped");
    go(pid, 0);
    usleep(20000);
    kill(pid, SIGUSR2);
    see(pid, "without SA_RESTART");
    go(pid, SIGUSR2);
    see(pid, "end");
}

static void stop_at_once(int to) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGUSR1);
    _exit(4);
}

// waitid, and waiting without taking.
static void other_waits(void) {
    siginfo_t info;
    struct rusage usage;
    int pid = start(stop_at_once, 0), status;
    for (int i = 0; i < 2; i++) {
        memset(&info, 0, sizeof info);
        int result = waitid(P_PID, (id_t)pid, &info, WSTOPPED | (i ? 0 : WNOWAIT));
        printf("waitid %d, trapped %d, status %s\n", result, info.si_code == CLD_TRAPPED, name_of(info.si_status));
    }
    memset(&info, 0, sizeof info);
    printf("nothing more: %d", waitid(P_ALL, 0, &info, WSTOPPED | WEXITED | WNOHANG));
    printf(" %d\n", info.si_pid);
    go(pid, 0);
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    printf("ended %d, status %d\n", info.si_code == CLD_EXITED, info.si_status);
    printf("wait4 %d", wait4(pid, &status, 0, &usage) == pid);
    printf(", %s, some time %d\n", text_of(status), usage.ru_stime.tv_sec < 100);
}

// Stopped before somebody traces it.
static void stopped_before(void) {
    int pid = start(wait_for_ever, 0), status;
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    printf("stopped: %s\n", text_of(status));
    ptrace(PTRACE_SEIZE, pid, 0, 0);
    see(pid, "seized");
    ptrace(PTRACE_LISTEN, pid, 0, 0);
    kill(pid, SIGCONT);
    see(pid, "goes on");
    go(pid, 0);
    see(pid, "by a signal");
    printf("detach: %s\n", outcome(ptrace(PTRACE_DETACH, pid, 0, SIGTERM)));
    see(pid, "end");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    seized();
    attached();
    groups();
    waits();
    other_waits();
    stopped_before();
    return 0;
}
