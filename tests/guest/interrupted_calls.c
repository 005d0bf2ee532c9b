// guest-test: expect=native variants=static
// What a handled signal does to each call that waits, with SA_RESTART and without: man 7 signal, "Interruption of system calls". Then calls
// under a storm of signals: none may be lost, done twice or fail where SA_RESTART says that it does not.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int handled;
static void note(int signal) {
    handled++;
}

// Where calls wait, and what ends the wait after the signal.
static int ends[2], pair[2], listener, message, semaphore, file, other_file;
static volatile int word;
static struct timespec second = {.tv_nsec = 400000000};

static long try_read(void) {
    char c;
    return read(ends[0], &c, 1);
}
static void give_pipe(void) {
    write(ends[1], "x", 1);
}
static long try_recv(void) {
    char c;
    return recv(pair[0], &c, 1, 0);
}
static void give_socket(void) {
    write(pair[1], "x", 1);
}
static long try_recv_timed(void) {
    char c;
    struct timeval t = {0, 400000};
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    long r = recv(pair[0], &c, 1, 0);
    int e = errno;
    t.tv_usec = 0;
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    errno = e;
    return r;
}
static long try_accept(void) {
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0) close(fd);
    return fd >= 0 ? 1 : -1;
}
static void give_connection(void) {
    struct sockaddr_un to = {AF_UNIX};
    socklen_t size = sizeof to;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    getsockname(listener, (void *)&to, &size);
    connect(fd, (void *)&to, size);
}
static long try_poll(void) {
    struct pollfd p = {ends[0], POLLIN};
    return poll(&p, 1, 400);
}
static long try_select(void) {
    fd_set s;
    FD_ZERO(&s);
    FD_SET(ends[0], &s);
    struct timeval t = {0, 400000};
    return select(ends[0] + 1, &s, NULL, NULL, &t);
}
static long try_epoll(void) {
    static int fd;
    if (!fd) {
        fd = epoll_create1(0);
        struct epoll_event e = {EPOLLIN};
        epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &e);
    }
    struct epoll_event e;
    return epoll_wait(fd, &e, 1, 400);
}
static long try_nanosleep(void) {
    return nanosleep(&second, NULL);
}
static long try_clock_nanosleep(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += 400000000;
    if (t.tv_nsec > 999999999) t.tv_sec++, t.tv_nsec -= 1000000000;
    errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    return errno ? -1 : 0;
}
static long try_futex(void) {
    word = 0;
    return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static long try_futex_timed(void) {
    word = 0;
    return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &second, NULL, 0);
}
static void give_futex(void) {
    syscall(SYS_futex, &word, FUTEX_WAKE, 9, NULL, NULL, 0);
}
static long try_wait(void) {
    int status;
    return wait4(-1, &status, 0, NULL) > 0;
}
static long try_waitid(void) {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED);
}
static long try_fifo(void) {
    int fd = open("a-fifo", O_RDONLY);
    if (fd >= 0) close(fd);
    return fd >= 0 ? 0 : -1;
}
static void give_fifo(void) {
    int fd = open("a-fifo", O_WRONLY | O_NONBLOCK);
    usleep(50000);
    close(fd);
}
static long try_flock(void) {
    long r = flock(file, LOCK_EX);
    if (!r) flock(file, LOCK_UN);
    return r;
}
static long try_setlkw(void) {
    struct flock l = {.l_type = F_WRLCK, .l_len = 1};
    long r = fcntl(file, F_OFD_SETLKW, &l);
    l.l_type = F_UNLCK;
    fcntl(file, F_OFD_SETLK, &l);
    return r;
}
static void take_locks(void) {
    flock(other_file, LOCK_EX);
    struct flock l = {.l_type = F_WRLCK, .l_len = 1};
    fcntl(other_file, F_OFD_SETLK, &l);
}
static void give_locks(void) {
    flock(other_file, LOCK_UN);
    struct flock l = {.l_type = F_UNLCK, .l_len = 1};
    fcntl(other_file, F_OFD_SETLK, &l);
}
static long try_msgrcv(void) {
    struct {
        long type;
        char c;
    } m;
    return msgrcv(message, &m, 1, 0, 0);
}
static void give_message(void) {
    struct {
        long type;
        char c;
    } m = {1, 'x'};
    msgsnd(message, &m, 1, 0);
}
static long try_semop(void) {
    struct sembuf b = {0, -1, 0};
    return semop(semaphore, &b, 1);
}
static void give_semaphore(void) {
    struct sembuf b = {0, 1, 0};
    semop(semaphore, &b, 1);
}
static long try_pause(void) {
    return pause();
}
static long try_sigtimedwait(void) {
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGHUP);
    return sigtimedwait(&s, NULL, &second);
}
static long try_write(void) {
    static char block[1 << 17];
    return write(ends[1], block, sizeof block) == sizeof block;
}
static void drain(void) {
    static char block[1 << 17];
    for (int n = 0; n < 1 << 17;) n += read(ends[0], block, sizeof block);
}
static void nothing(void) {}

static const struct {
    const char *name;
    long (*call)(void);
    void (*before)(void), (*give)(void), (*after)(void);
} calls[] = {{"read", try_read, nothing, give_pipe, nothing},
             {"recv", try_recv, nothing, give_socket, nothing},
             {"recv, timed", try_recv_timed, nothing, give_socket, nothing},
             {"accept", try_accept, nothing, give_connection, nothing},
             {"poll", try_poll, nothing, nothing, nothing},
             {"select", try_select, nothing, nothing, nothing},
             {"epoll_wait", try_epoll, nothing, nothing, nothing},
             {"nanosleep", try_nanosleep, nothing, nothing, nothing},
             {"clock_nanosleep", try_clock_nanosleep, nothing, nothing, nothing},
             {"futex", try_futex, nothing, give_futex, nothing},
             {"futex, timed", try_futex_timed, nothing, give_futex, nothing},
             {"open a FIFO", try_fifo, nothing, give_fifo, nothing},
             {"flock", try_flock, take_locks, give_locks, give_locks},
             {"F_OFD_SETLKW", try_setlkw, take_locks, give_locks, give_locks},
             {"msgrcv", try_msgrcv, nothing, give_message, nothing},
             {"semop", try_semop, nothing, give_semaphore, nothing},
             {"pause", try_pause, nothing, nothing, nothing},
             {"sigtimedwait", try_sigtimedwait, nothing, nothing, nothing}};

static struct {
    pthread_t thread;
    unsigned at;
    volatile int done;
} job;
static void *helper(void *data) {
    usleep(60000);
    pthread_kill(job.thread, SIGUSR1);
    usleep(60000);
    if (!job.done) calls[job.at].give();
    return NULL;
}

static void matrix(int flags) {
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};
    sigaction(SIGUSR1, &action, NULL);
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        pthread_t thread;
        job.thread = pthread_self();
        job.at = i;
        job.done = handled = 0;
        calls[i].before();
        pthread_create(&thread, NULL, helper, NULL);
        long result = calls[i].call();
        int error = errno;
        job.done = 1;
        pthread_join(thread, NULL);
        calls[i].after();
        printf("%-16s %-10s %s, handled %d\n", calls[i].name, flags ? "SA_RESTART" : "", result < 0 ? strerror(error) : "works",
               handled);
    }
    for (int i = 0; i < 2; i++) {
        int child = fork();
        if (!child) {
            usleep(60000);
            kill(getppid(), SIGUSR1);
            usleep(60000);
            _exit(0);
        }
        long result = i ? try_waitid() : try_wait();
        printf("%-16s %-10s %s\n", i ? "waitid" : "wait4", flags ? "SA_RESTART" : "", result < 0 ? strerror(errno) : "works");
        while (wait(NULL) > 0) {}
    }
}

static void *drainer(void *data) {
    for (int i = 0; i < 30; i++) drain();
    return NULL;
}
static void storm(void) {
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 150}, {0, 150}}, off = {0};
    sigaction(SIGALRM, &action, NULL);
    sigset_t block, old;
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &block, &old);
    pthread_t thread;
    pthread_create(&thread, NULL, drainer, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    handled = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 30; i++) {
        static char block[1 << 17];
        for (int n = 0; n < sizeof block;) {  // a write that has begun ends short
            long got = write(ends[1], block + n, sizeof block - n);
            if (got <= 0) {
                printf("write %s\n", strerror(errno));
                return;
            }
            n += got;
        }
    }
    pthread_join(thread, NULL);
    int children = 0;
    for (int i = 0; i < 60; i++) {
        int child = fork(), status;
        if (!child) _exit(i);
        if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != i) printf("child %d: %s\n", i, strerror(errno));
        else children++;
    }
    int before = handled;
    sigset_t empty, blocked;
    sigemptyset(&empty);
    sigprocmask(SIG_BLOCK, &block, NULL);
    for (int i = 0; i < 200; i++) {
        int was = handled;
        sigsuspend(&empty);
        if (handled == was) puts("sigsuspend without a handler");
    }
    setitimer(ITIMER_REAL, &off, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("storm: %d children, handled some %d, more in sigsuspend %d\n", children, before > 0, handled - before >= 200);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    pipe(ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    struct sockaddr_un any = {AF_UNIX};
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (void *)&any, sizeof(sa_family_t));
    listen(listener, 5);
    message = msgget(IPC_PRIVATE, 0600);
    semaphore = semget(IPC_PRIVATE, 1, 0600);
    unlink("a-fifo");
    mkfifo("a-fifo", 0600);
    file = open("a-lock", O_RDWR | O_CREAT, 0600);
    other_file = open("a-lock", O_RDWR);
    matrix(0);
    matrix(SA_RESTART);
    msgctl(message, IPC_RMID, NULL);
    semctl(semaphore, 0, IPC_RMID);
    storm();
    return 0;
}
