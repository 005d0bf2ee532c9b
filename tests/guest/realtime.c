// guest-test: variants=static,dynamic
// Real-time signals: queued in order with their values, to processes and threads; timers; sigtimedwait, signalfd; those of the C
// library by hand; what siginfo says of who sent it.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int got[64], values[64], codes[64], n;
static volatile int in_thread;

static void handler(int signal, siginfo_t *info, void *context) {
    if (n < 64) got[n] = signal, values[n] = info->si_value.sival_int, codes[n] = info->si_code, n++;
}

static void show(const char *what) {
    printf("%s:", what);
    for (int i = 0; i < n; i++) printf(" %d=%d/%d", got[i] >= SIGRTMIN ? got[i] - SIGRTMIN + 100 : got[i], values[i], codes[i]);
    puts("");
    n = 0;
}

static void on(int signal) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

static void queued(void) {
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    for (int i = 0; i < 5; i++) {
        sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = i});
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 10 + i});
        sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 20 + i});
    }
    sigset_t pending;
    sigpending(&pending);
    printf("pending %d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGRTMIN + 1),
           sigismember(&pending, SIGRTMIN + 2));
    sigprocmask(SIG_SETMASK, &old, NULL);
    show("queued");
}

static void waited(void) {
    sigset_t set, old;
    siginfo_t info;
    struct timespec now = {0, 0}, soon = {0, 50000000};
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 4), sigaddset(&set, SIGUSR2), sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &old);
    int result = sigtimedwait(&set, &info, &soon);
    printf("nothing to wait for: %d %d\n", result, errno == EAGAIN);
    sigqueue(getpid(), SIGRTMIN + 4, (union sigval){.sival_int = 44});
    kill(getpid(), SIGUSR2);
    result = sigtimedwait(&set, &info, &now);
    printf("first %d code %d by us %d\n", result == SIGUSR2, info.si_code, info.si_pid == getpid());
    result = sigwaitinfo(&set, &info);
    printf("second %d code %d value %d uid %d\n", result == SIGRTMIN + 4, info.si_code, info.si_value.sival_int,
           info.si_uid == getuid());
    pid_t child = fork();
    if (child == 0) _exit(6);
    result = sigwaitinfo(&set, &info);
    printf("child %d code %d status %d it %d\n", result == SIGCHLD, info.si_code, info.si_status, info.si_pid == child);
    waitpid(child, NULL, 0);
    child = fork();
    if (child == 0) pause();
    kill(child, SIGSTOP);
    result = sigwaitinfo(&set, &info);
    printf("stopped code %d status %d\n", info.si_code, info.si_status);
    kill(child, SIGCONT);
    result = sigwaitinfo(&set, &info);
    printf("goes on code %d status %d\n", info.si_code, info.si_status);
    kill(child, SIGKILL);
    result = sigwaitinfo(&set, &info);
    printf("killed code %d status %d\n", info.si_code, info.si_status);
    waitpid(child, NULL, 0);
    int fd = signalfd(-1, &set, SFD_NONBLOCK);
    struct signalfd_siginfo read_info = {0};
    printf("descriptor empty %d\n", read(fd, &read_info, sizeof read_info) < 0 && errno == EAGAIN);
    sigqueue(getpid(), SIGRTMIN + 4, (union sigval){.sival_int = 55});
    printf("descriptor %d", (int)read(fd, &read_info, sizeof read_info));
    printf(" value %d code %d\n", read_info.ssi_int, read_info.ssi_code);
    close(fd);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void *thread_main(void *data) {
    sigset_t set;
    int signal;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 6);
    in_thread = 1;
    sigwait(&set, &signal);
    printf("thread woken by %d\n", signal - SIGRTMIN);
    return NULL;
}

static void to_thread(void) {
    pthread_t thread;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 6);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&thread, NULL, thread_main, NULL);
    while (!in_thread) usleep(1000);
    kill(getpid(), SIGRTMIN + 6);
    pthread_join(thread, NULL);
    pthread_sigqueue(pthread_self(), SIGRTMIN + 2, (union sigval){.sival_int = 66});
    show("to itself");
    printf("no signal 0: %d, bad signal %d, no thread %d\n", pthread_kill(pthread_self(), 0), pthread_kill(pthread_self(), 99),
           syscall(SYS_tgkill, getpid(), 1 << 29, SIGUSR1) < 0 ? errno : 0);
}

static volatile int notified;
static void notify(union sigval value) {
    notified += value.sival_int;
}

static void timers(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 5, .sigev_value.sival_int = 7};
    struct itimerspec soon = {{0, 0}, {0, 20000000}}, often = {{0, 5000000}, {0, 5000000}}, now;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &soon, NULL);
    timer_gettime(timer, &now);
    printf("timer runs %d\n", now.it_value.tv_nsec > 0);
    while (!n) usleep(1000);
    show("timer");
    timer_settime(timer, 0, &often, NULL);
    while (n < 3) usleep(1000);
    timer_delete(timer);
    printf("repeated %d\n", n >= 3), n = 0;
    event = (struct sigevent){.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify, .sigev_value.sival_int = 5};
    timer_create(CLOCK_REALTIME, &event, &timer);
    timer_settime(timer, 0, &soon, NULL);
    for (int i = 0; i < 2000 && !notified; i++) usleep(1000);
    printf("thread timer %d\n", notified);
    timer_delete(timer);
    printf("bad clock %d\n", timer_create(77, &event, &timer));
}

// The kernel's own calls, with signals that the C library keeps to itself.
static void by_hand(void) {
    struct {
        void *handler;
        unsigned long flags, mask, pad;
    } action = {0}, old = {0};
    for (int signal = 32; signal <= 33; signal++) {
        long result = syscall(SYS_rt_sigaction, signal, NULL, &old, 8);
        printf("signal %d: %ld", signal, result);
        unsigned long mask = 1ul << (signal - 1), before = 0, pending = 0;
        syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, &before, 8);
        syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
        syscall(SYS_rt_sigpending, &pending, 8);
        printf(" pending %d", (pending & mask) != 0);
        struct timespec now = {0, 0};
        result = syscall(SYS_rt_sigtimedwait, &mask, NULL, &now, 8);
        printf(" taken %ld\n", result);
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    }
    printf("bad size %d\n", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 16) < 0 ? errno : 0);
    printf("kill cannot be caught %d %d\n", sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL), errno == EINVAL);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    on(SIGUSR1), on(SIGRTMIN + 1), on(SIGRTMIN + 2), on(SIGRTMIN + 3), on(SIGRTMIN + 5);
    printf("range %d %d\n", SIGRTMIN, SIGRTMAX);
    queued();
    waited();
    to_thread();
    timers();
    by_hand();
    return 0;
}
