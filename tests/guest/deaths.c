// guest-test: expect=native variants=static
// What every signal does where nobody handles it, by each way to get it, and what the parent is told.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int signal_number;
static volatile int *volatile nowhere;
static void fault(void) {
    *nowhere = 1;
}
static void no_code(void) {
    ((void (*)(void))mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))();
}
static void beyond(void) {
    FILE *f = tmpfile();
    *(volatile char *)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
}
static void aborts(void) {
    abort();
}
static void traps(void) {
    __builtin_trap();
}
static void blocked_fault(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    fault();
}
static void ignored_fault(void) {
    signal(SIGSEGV, SIG_IGN);
    fault();
}
static void *in_thread(void *data) {
    fault();
    return NULL;
}
static void thread_faults(void) {
    pthread_t t;
    pthread_create(&t, NULL, in_thread, NULL);
    pause();
}
static void *forever(void *data) {
    for (;;) pause();
}
static void thread_ends_all(void) {
    pthread_t t;
    pthread_create(&t, NULL, forever, NULL);
    usleep(20000);
    syscall(SYS_tgkill, getpid(), getpid(), SIGTERM);
    pause();
}
static void again(int signal) {
    fault();
}
static void in_handler(void) {
    signal(SIGSEGV, again);
    fault();
}
static void blocked_sent(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    kill(getpid(), SIGSEGV);
    kill(getpid(), SIGABRT);
    usleep(1000);
    _exit(4);
}
static void ignored_sent(void) {
    signal(SIGSEGV, SIG_IGN);
    signal(SIGABRT, SIG_IGN);
    kill(getpid(), SIGSEGV);
    kill(getpid(), SIGABRT);
    _exit(5);
}
static void cpu_limit(void) {
    struct rlimit l = {1, 2};
    setrlimit(RLIMIT_CPU, &l);
    for (;;) {}
}
static void file_limit(void) {
    struct rlimit l = {10, 10};
    setrlimit(RLIMIT_FSIZE, &l);
    char block[100] = {0};
    FILE *f = tmpfile();
    write(fileno(f), block, 100);
    write(fileno(f), block, 100);
}
static void pipe_closed(void) {
    int ends[2];
    pipe(ends);
    close(ends[0]);
    write(ends[1], "x", 1);
}
static void alarm_rings(void) {
    alarm(1);
    pause();
}
static void in_vfork(void) {
    int child = vfork(), status;
    if (!child) fault();
    waitpid(child, &status, 0);
    _exit(WTERMSIG(status));
}
static void raise_it(void) {
    raise(signal_number);
    _exit(100);
}
static void tkill_it(void) {
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal_number);
    _exit(100);
}
static void kill_it(void) {
    kill(getpid(), signal_number);
    usleep(1000);
    _exit(100);
}

static void report(int child) {
    siginfo_t info = {0};
    int status, found = waitpid(child, &status, WUNTRACED);
    if (WIFSTOPPED(status)) {
        printf("stopped %d", WSTOPSIG(status));
        kill(child, SIGCONT);
        waitpid(child, &status, 0);
        printf(", then ");
    }
    if (WIFEXITED(status)) printf("exit %d\n", WEXITSTATUS(status));
    else printf("signal %d\n", WTERMSIG(status));
}
static int start(void (*what)(void)) {
    fflush(stdout);
    int child = fork();
    if (child) return child;
    struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
    what();
    _exit(99);
}

int main(void) {
    static const struct {
        const char *name;
        void (*what)(void);
    } ways[] = {{"fault", fault},
                {"no code", no_code},
                {"beyond the file", beyond},
                {"abort", aborts},
                {"blocked fault", blocked_fault},
                {"ignored fault", ignored_fault},
                {"thread faults", thread_faults},
                {"one of two threads", thread_ends_all},
                {"fault in its handler", in_handler},
                {"blocked, sent", blocked_sent},
                {"ignored, sent", ignored_sent},
                {"RLIMIT_CPU", cpu_limit},
                {"RLIMIT_FSIZE", file_limit},
                {"closed pipe", pipe_closed},
                {"alarm", alarm_rings},
                {"vfork child", in_vfork}};
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        int child = start(ways[i].what);
        printf("%s: ", ways[i].name);
        report(child);
    }
    void (*by[])(void) = {raise_it, tkill_it, kill_it};
    for (signal_number = 1; signal_number <= 64; signal_number++) {
        if (signal_number == 32 || signal_number == 33) continue;  // the C library's
        for (int way = 0; way < 3; way++) {
            int child = start(by[way]);
            printf("%d, %s: ", signal_number, way == 0 ? "raise" : way == 1 ? "tgkill" : "kill");
            report(child);
        }
    }
    siginfo_t info = {0};
    int child = start(fault);
    waitid(P_PID, child, &info, WEXITED);
    printf("waitid: code %d (core or not), status %d, uid %d, pid %d\n", info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED,
           info.si_status, info.si_uid == getuid(), info.si_pid == child);
    return 0;
}
