// guest-test: expect=native variants=static,dynamic
// Handlers, masks, nesting, alternate stacks, faults, restarts, waiting under masks.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int count, order[16], orders;
static sigjmp_buf back;
static siginfo_t seen;

static void note(int signal) {
    count++;
    order[orders++ % 16] = signal;
}
static void note_info(int signal, siginfo_t *info, void *context) {
    count++;
    seen = *info;
    order[orders++ % 16] = signal;
}
static void jump(int signal, siginfo_t *info, void *context) {
    seen = *info;
    siglongjmp(back, signal);
}

static void handle(int signal, void (*handler)(), int flags) {
    struct sigaction action = {.sa_flags = flags};
    if (flags & SA_SIGINFO) action.sa_sigaction = (void (*)(int, siginfo_t *, void *))handler;
    else action.sa_handler = (void (*)(int))handler;
    if (sigaction(signal, &action, NULL)) perror("sigaction");
}

static void faults(void) {
    char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    handle(SIGSEGV, (void (*)())jump, SA_SIGINFO);
    handle(SIGBUS, (void (*)())jump, SA_SIGINFO);
    struct {
        const char *name;
        volatile char *at;
        int write;
    } tries[] = {{"null read", (char *)8, 0},
                 {"null write", (char *)16, 1},
                 {"none read", none + 5, 0},
                 {"read-only write", read_only + 7, 1}};
    for (int i = 0; i < 4; i++) {
        int signal = sigsetjmp(back, 1);
        if (!signal) {
            if (tries[i].write) *tries[i].at = 1;
            else (void)*tries[i].at;
            puts("no fault");
        } else printf("%s: signal %d code %d address right %d\n", tries[i].name, signal, seen.si_code, seen.si_addr == tries[i].at);
    }
    if (!sigsetjmp(back, 1)) ((void (*)(void))(none + 2))();
    printf("execute: code %d right %d\n", seen.si_code, seen.si_addr == none + 2);
    munmap(read_only, 4096);
    if (!sigsetjmp(back, 1)) (void)*(volatile char *)read_only;
    printf("unmapped: code %d\n", seen.si_code);
    FILE *file = tmpfile();
    char *beyond = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    int signal = sigsetjmp(back, 1);
    if (!signal) beyond[4096] = 1;
    printf("beyond the file: signal %d code %d\n", signal, seen.si_code);
}

static int depth;
static int recurse(int n) {
    volatile char room[512];
    room[0] = n;
    return n ? recurse(n + 1) + room[0] : 0;
}
static void on_overflow(int signal, siginfo_t *info, void *context) {
    char here;
    stack_t now;
    sigaltstack(NULL, &now);
    printf("overflow: on the alternate stack %d\n",
           now.ss_flags == SS_ONSTACK && &here >= (char *)now.ss_sp && &here < (char *)now.ss_sp + now.ss_size);
    siglongjmp(back, 1);
}
static void overflow(void) {
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, NULL);
    handle(SIGSEGV, (void (*)())on_overflow, SA_SIGINFO | SA_ONSTACK);
    fflush(stdout);
    if (!sigsetjmp(back, 1)) recurse(1);
    puts("recovered");
    stack.ss_flags = SS_DISABLE;
    printf("disable %d\n", sigaltstack(&stack, NULL));
    stack_t small = {.ss_sp = malloc(100), .ss_size = 100};
    int result = sigaltstack(&small, NULL);
    printf("too small %d %d\n", result, errno == ENOMEM);
}

static void masks(void) {
    sigset_t set, old, pending;
    count = orders = 0;
    handle(SIGUSR1, (void (*)())note, 0);
    handle(SIGUSR2, (void (*)())note, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR1);
    raise(SIGUSR2);
    sigpending(&pending);
    printf("blocked: %d handled, pending %d %d\n", count, sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2));
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("unblocked: %d handled, last %d\n", count, order[1] == SIGUSR1);
    count = orders = 0;
    for (int i = 0; i < 3; i++) {
        sigset_t rt;
        sigemptyset(&rt);
        sigaddset(&rt, SIGRTMIN + 1);
        sigaddset(&rt, SIGRTMIN + 2);
        sigprocmask(SIG_BLOCK, &rt, NULL);
    }
    handle(SIGRTMIN + 1, (void (*)())note_info, SA_SIGINFO);
    handle(SIGRTMIN + 2, (void (*)())note_info, SA_SIGINFO);
    for (int i = 0; i < 3; i++) sigqueue(getpid(), SIGRTMIN + 2 - i % 2, (union sigval){.sival_int = 100 + i});
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("real-time: %d, order %d %d %d, last value %d\n", count, order[0] - SIGRTMIN, order[1] - SIGRTMIN, order[2] - SIGRTMIN,
           seen.si_value.sival_int);
    struct timespec none = {0};
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    siginfo_t info;
    int got = sigtimedwait(&set, &info, &none);
    printf("sigtimedwait %d, sent by us %d\n", got == SIGUSR1, info.si_pid == getpid());
    got = sigtimedwait(&set, &info, &none);
    printf("again %d %d\n", got, errno == EAGAIN);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void nested(int signal) {
    order[orders++ % 16] = signal;
    if (signal == SIGUSR1) raise(SIGUSR2);
    order[orders++ % 16] = -signal;
}
static void nesting(void) {
    orders = 0;
    handle(SIGUSR1, (void (*)())nested, 0);
    handle(SIGUSR2, (void (*)())nested, 0);
    raise(SIGUSR1);
    for (int i = 0; i < orders; i++)
        printf("%d ", order[i] == SIGUSR1 ? 1 : order[i] == -SIGUSR1 ? -1 : order[i] == SIGUSR2 ? 2 : -2);
    handle(SIGUSR1, (void (*)())note, SA_RESETHAND);
    raise(SIGUSR1);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    printf("reset %d\n", now.sa_handler == SIG_DFL);
}

static void *poke(void *target) {
    usleep(50000);
    pthread_kill(*(pthread_t *)target, SIGUSR1);
    usleep(100000);
    write(*((int *)target + 4), "x", 1);
    return NULL;
}
static void restart(int flags) {
    struct {
        pthread_t thread;
        int pad[2];
        int fd;
    } target = {pthread_self()};
    int ends[2];
    char byte;
    pipe(ends);
    target.fd = ends[1];
    handle(SIGUSR1, (void (*)())note, flags);
    count = 0;
    pthread_t helper;
    pthread_create(&helper, NULL, poke, &target);
    int got = read(ends[0], &byte, 1), error = errno;
    printf("read with flags %x: %d %s, handled %d\n", flags, got, got < 0 ? strerror(error) : "", count);
    pthread_join(helper, NULL);
    close(ends[0]), close(ends[1]);
}

static void waits(void) {
    struct itimerval soon = {.it_value = {0, 30000}}, off = {0};
    sigset_t all, empty;
    handle(SIGALRM, (void (*)())note, SA_RESTART);
    count = 0;
    setitimer(ITIMER_REAL, &soon, NULL);
    int got = poll(NULL, 0, 2000);
    printf("poll %d %d handled %d\n", got, errno == EINTR, count);
    setitimer(ITIMER_REAL, &soon, NULL);
    struct timespec long_time = {2, 0}, rest;
    got = nanosleep(&long_time, &rest);
    printf("nanosleep %d %d left %d\n", got, errno == EINTR, rest.tv_sec >= 1);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    sigemptyset(&empty);
    setitimer(ITIMER_REAL, &soon, NULL);
    got = sigsuspend(&empty);
    printf("sigsuspend %d %d handled %d\n", got, errno == EINTR, count);
    setitimer(ITIMER_REAL, &soon, NULL);
    got = ppoll(NULL, 0, NULL, &empty);
    printf("ppoll %d %d handled %d\n", got, errno == EINTR, count);
    setitimer(ITIMER_REAL, &soon, NULL);
    got = pselect(0, NULL, NULL, NULL, NULL, &empty);
    printf("pselect %d %d handled %d\n", got, errno == EINTR, count);
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    printf("mask is back %d\n", sigismember(&now, SIGUSR1));
    sigprocmask(SIG_SETMASK, &empty, NULL);
}

static void storm(void) {
    struct itimerval often = {{0, 200}, {0, 200}}, off = {0};
    handle(SIGALRM, (void (*)())note, SA_RESTART);
    count = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    unsigned long sum = 0;
    int ends[2];
    pipe(ends);
    for (int i = 0; i < 20000; i++) {
        char byte = i;
        if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) puts("short");
        sum += (unsigned char)byte;
    }
    setitimer(ITIMER_REAL, &off, NULL);
    printf("storm: sum %lu, some handled %d\n", sum, count > 0);
}

static void deaths(void) {
    int signals[] = {SIGTERM, SIGSEGV, SIGABRT, SIGKILL, SIGILL, SIGUSR2, SIGRTMIN + 5};
    for (int i = 0; i < 7; i++) {
        int status, child = fork();
        if (!child) {
            signal(signals[i], SIG_DFL);
            if (signals[i] == SIGSEGV) *(volatile int *)0 = 1;
            if (signals[i] == SIGABRT) abort();
            raise(signals[i]);
            _exit(0);
        }
        waitpid(child, &status, 0);
        printf("death %d: signaled %d by %d\n", i, WIFSIGNALED(status), WTERMSIG(status));
    }
    int child = fork(), status;
    if (!child) {
        raise(SIGSTOP);
        _exit(3);
    }
    waitpid(child, &status, WUNTRACED);
    printf("stopped %d\n", WIFSTOPPED(status));
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
    printf("exited %d\n", WEXITSTATUS(status));
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    faults();
    overflow();
    masks();
    nesting();
    restart(0);
    restart(SA_RESTART);
    waits();
    storm();
    deaths();
    return 0;
}
