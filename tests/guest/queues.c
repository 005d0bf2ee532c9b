// guest-test: expect=native variants=static,dynamic
// Which signals wait, in which order they come and what they carry: real-time queues, signals of the C library's own, kill of fault
// signals, signalfd, sigtimedwait, timers, and what exec and fork keep.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int got[128], gots;
static siginfo_t last;
static void note(int signal, siginfo_t *info, void *context) {
    got[gots++ % 128] = signal;
    last = *info;
}
static void handle(int signal, int flags) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
}
static void show(const char *what) {
    printf("%s:", what);
    for (int i = 0; i < gots; i++) printf(" %d", got[i]);
    puts("");
    gots = 0;
}
static sigset_t set_of(const int *signals) {
    sigset_t set;
    sigemptyset(&set);
    for (; *signals; signals++) sigaddset(&set, *signals);
    return set;
}

static void fault_signals(void) {  // all of the processor's, blocked and sent, beside ordinary ones
    int all[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1, SIGUSR2, 0};
    sigset_t set = set_of(all), old, pending;
    for (int i = 0; all[i]; i++) handle(all[i], 0);
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; all[i]; i++) kill(getpid(), all[i]);
    sigpending(&pending);
    printf("pending:");
    for (int i = 0; all[i]; i++) printf(" %d", sigismember(&pending, all[i]));
    puts("");
    int free[] = {SIGUSR1, 0};
    set = set_of(free);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    show("one unblocked");
    handle(SIGHUP, 0);
    raise(SIGHUP);
    show("another comes");
    int segv[] = {SIGSEGV, 0};
    set = set_of(segv);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    show("SIGSEGV");
    printf("code %d, from us %d\n", last.si_code, last.si_pid == getpid());
    sigprocmask(SIG_SETMASK, &old, NULL);
    int sum = 0, many = gots;
    for (int i = 0; i < gots; i++) sum += got[i];
    printf("all others: %d, sum %d\n", many, sum);
    gots = 0;
}

static void real_time(void) {
    int list[] = {SIGRTMIN, SIGRTMIN + 3, SIGRTMAX, 0};
    sigset_t set = set_of(list), old;
    for (int i = 0; list[i]; i++) handle(list[i], 0);
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; i < 6; i++) sigqueue(getpid(), list[2 - i % 3], (union sigval){.sival_int = i});
    siginfo_t info;
    for (int i = 0; i < 7; i++) {
        int signal = sigtimedwait(&set, &info, &(struct timespec){0});
        printf("%d/%d ", signal, signal > 0 ? info.si_value.sival_int : errno == EAGAIN);
    }
    puts("");
    for (int i = 0; i < 20; i++) sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
    for (int i = 0; i < 20; i++) raise(SIGUSR1);
    sigprocmask(SIG_SETMASK, &old, NULL);
    int queued = 0;
    for (int i = 0; i < gots; i++) queued += got[i] == SIGRTMIN;
    printf("queued %d, last value %d\n", queued, last.si_value.sival_int);
    gots = 0;
    siginfo_t own = {.si_signo = SIGRTMIN, .si_code = -5};
    own.si_value.sival_ptr = (void *)0x123456789aul;
    own.si_pid = 77;
    int result = syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGRTMIN, &own);
    printf("rt_tgsigqueueinfo %d: code %d, pid %d, value %p\n", result, last.si_code, last.si_pid, last.si_value.sival_ptr);
    gots = 0;
}

struct raw {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
#ifdef __x86_64__
    void (*restorer)(void);
#endif
    uint64_t mask;
};
static void *nothing(void *data) {
    return data;
}
static void library_signals(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
    struct raw old;
    for (int signal = 32; signal <= 33; signal++) {
        int result = syscall(SYS_rt_sigaction, signal, NULL, &old, 8);
        struct raw new = old;
        struct sigaction model = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
        sigaction(SIGUSR1, &model, NULL);
        syscall(SYS_rt_sigaction, SIGUSR1, NULL, &new, 8);
        syscall(SYS_rt_sigaction, signal, &new, NULL, 8);
        uint64_t one = 1ull << (signal - 1);
        syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &one, NULL, 8);
        syscall(SYS_tgkill, getpid(), getpid(), signal);
        syscall(SYS_rt_sigaction, signal, &old, NULL, 8);
        printf("%d: ", result);
        show("library's");
    }
    printf("0 and 65: %ld %ld\n", syscall(SYS_rt_sigaction, 0, NULL, &old, 8), syscall(SYS_rt_sigaction, 65, NULL, &old, 8));
    printf("SIGKILL: %ld, wrong size %ld\n", syscall(SYS_rt_sigaction, SIGKILL, &old, NULL, 8),
           syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 16));
}

static void by_descriptor(void) {
    int list[] = {SIGUSR1, SIGRTMIN + 1, 0};
    sigset_t set = set_of(list), old;
    sigprocmask(SIG_BLOCK, &set, &old);
    int fd = signalfd(-1, &set, SFD_NONBLOCK);
    kill(getpid(), SIGUSR1);
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 4711});
    struct signalfd_siginfo info[3];
    int size = read(fd, info, sizeof info);
    printf("signalfd: %d, %d %d, value %d, again %zd %s\n", size / (int)sizeof *info, info[0].ssi_signo, info[1].ssi_signo,
           info[1].ssi_int, read(fd, info, sizeof info), strerror(errno));
    close(fd);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static volatile int notified;
static void by_thread(union sigval value) {
    notified = value.sival_int;
}
static void timers(void) {
    timer_t timer;
    struct itimerspec soon = {.it_value.tv_nsec = 20000000};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 31};
    handle(SIGRTMIN, 0);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &soon, NULL);
    pause();
    printf("timer: code %d, value %d, overrun %d\n", last.si_code, last.si_value.sival_int, timer_getoverrun(timer));
    timer_delete(timer);
    event.sigev_notify = 4;  // SIGEV_THREAD_ID
    ((int *)&event)[4] = syscall(SYS_gettid);
    int error = timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &soon, NULL);
    pause();
    printf("to a thread: %d, handled %d\n", error, gots);
    timer_delete(timer);
    gots = 0;
    struct sigevent call = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = by_thread, .sigev_value.sival_int = 99};
    error = timer_create(CLOCK_REALTIME, &call, &timer);
    timer_settime(timer, 0, &soon, NULL);
    for (int i = 0; i < 400 && !notified; i++) usleep(10000);
    printf("SIGEV_THREAD: %d, value %d\n", error, notified);
    timer_delete(timer);
}

static pthread_t target;
static volatile int where, ready;
static void whose(int signal) {
    where = syscall(SYS_gettid);
}
static void *waits(void *data) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    *(int *)data = syscall(SYS_gettid);
    ready = 1;
    while (!where) usleep(1000);
    return NULL;
}
static void to_threads(void) {
    int tid;
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    signal(SIGUSR2, whose);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    for (int round = 0; round < 2; round++) {
        where = ready = 0;
        pthread_create(&target, NULL, waits, &tid);
        while (!ready) usleep(1000);
        if (round) kill(getpid(), SIGUSR2);  // the one thread that has it open gets it
        else syscall(SYS_tgkill, getpid(), tid, SIGUSR2);
        pthread_join(target, NULL);
        printf("%s: by that thread %d\n", round ? "kill" : "tgkill", where == tid);
    }
    printf("no such thread: %ld", syscall(SYS_tgkill, getpid(), 0x3ffffff, SIGUSR2));
    printf(" %s\n", strerror(errno));
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static int kept(char *self) {
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR1);
    int child = fork(), status;
    if (!child) {
        sigpending(&set);
        printf("the child of a fork has it pending %d\n", sigismember(&set, SIGUSR1));
        raise(SIGUSR1);
        signal(SIGFPE, SIG_IGN);
        execl(self, self, "after exec", NULL);
        _exit(1);
    }
    waitpid(child, &status, 0);
    sigtimedwait(&set, NULL, &(struct timespec){0});
    sigprocmask(SIG_SETMASK, &old, NULL);
    return status;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1) {
        sigset_t pending, mask;
        struct sigaction one, two;
        sigpending(&pending);
        sigprocmask(SIG_BLOCK, NULL, &mask);
        sigaction(SIGUSR1, NULL, &one);
        sigaction(SIGFPE, NULL, &two);
        printf("after exec: pending %d, blocked %d %d, handler gone %d, ignored %d\n", sigismember(&pending, SIGUSR1),
               sigismember(&mask, SIGUSR1), sigismember(&mask, SIGSEGV), one.sa_handler == SIG_DFL, two.sa_handler == SIG_IGN);
        return 12;
    }
    char self[4096] = {0};
    readlink("/proc/self/exe", self, sizeof self - 1);
    fault_signals();
    real_time();
    library_signals();
    by_descriptor();
    timers();
    to_threads();
    printf("status %x\n", kept(self));
    return 0;
}
