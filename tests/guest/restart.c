// guest-test: variants=static,dynamic
// Interrupted system calls: which of them go on behind a handler with SA_RESTART, which never do, and what timeouts remain.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <linux/futex.h>
#include <time.h>
#include <unistd.h>

static volatile int handled, calling;
static pthread_t main_thread;
static pid_t main_id;
static int ends[2], pair[2], gate[2], listener, queue, semaphore, epoll, word;
static pid_t child;

static void handler(int signal) {
    handled++;
}

// Each call is still waiting when the signal comes, and is let go when it waits again or has returned. Those with a time of their own end by
// the signal whatever the flags say: none gets to the end of its time.
static long call(int which) {
    char byte[16] = {0};
    struct timespec time = {100, 0}, rest = {0, 0};
    struct epoll_event event;
    struct pollfd fd = {ends[0], POLLIN};
    struct timeval timeval = {100, 0};
    struct sembuf operation = {0, -1, 0};
    fd_set set;
    switch (which) {
    case 0: return read(ends[0], byte, 1);
    case 1: return recv(pair[0], byte, 1, 0);
    case 2: return accept(listener, NULL, NULL) >= 0;
    case 3: return waitpid(child, NULL, 0) == child;
    case 4: return flock(word, LOCK_EX);
    case 5: return fcntl(word, F_SETLKW, &(struct flock){.l_type = F_WRLCK});
    case 6: return poll(&fd, 1, 100000);
    case 7:
        FD_ZERO(&set);
        FD_SET(ends[0], &set);
        return select(ends[0] + 1, &set, NULL, NULL, &timeval);
    case 8: return epoll_wait(epoll, &event, 1, 100000);
    case 9: {
        long result = nanosleep(&time, &rest);
        return result < 0 && (rest.tv_sec <= 0 || rest.tv_sec >= 100) ? -77 : result;
    }
    case 10: return clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
    case 11: return semop(semaphore, &operation, 1);
    case 12:
        return msgrcv(queue, &(struct {
                          long type;
                          char text[8];
                      }){0},
                      8, 0, 0) >= 0;
    case 13: return syscall(SYS_futex, &word, FUTEX_WAIT, word, NULL, NULL, 0);
    case 14: return syscall(SYS_futex, &word, FUTEX_WAIT, word, &time, NULL, 0);
    case 15: return recvmsg(pair[0], &(struct msghdr){.msg_iov = &(struct iovec){byte, 1}, .msg_iovlen = 1}, 0);
    case 16: return pause();
    case 17: {
        siginfo_t info;
        return waitid(P_PID, child, &info, WEXITED);
    }
    case 18: {
        int fd = open("fifo", O_RDONLY);
        close(fd);
        return fd >= 0;
    }
    case 19: return usleep(100000000);
    case 20: {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        return sigtimedwait(&set, NULL, &time);
    }
    }
    return -1;
}

static const char *const name[] = {"read",           "recv",   "accept",          "waitpid",   "flock",           "fcntl lock",
                                   "poll",           "select", "epoll_wait",      "nanosleep", "clock_nanosleep", "semop",
                                   "msgrcv",         "futex",  "futex with time", "recvmsg",   "pause",           "waitid",
                                   "open of a fifo", "usleep", "sigtimedwait"};

// Lets go what call() waits for.
static void release(int which) {
    switch (which) {
    case 0: write(ends[1], "x", 1); break;
    case 1:
    case 15: write(pair[1], "x", 1); break;
    case 2: {
        struct sockaddr_in address;
        socklen_t size = sizeof address;
        getsockname(listener, (void *)&address, &size);
        int client = socket(AF_INET, SOCK_STREAM, 0);
        connect(client, (void *)&address, size);
        close(client);
        break;
    }
    case 11: semop(semaphore, &(struct sembuf){0, 1, 0}, 1); break;
    case 12:
        msgsnd(queue, &(struct {
                   long type;
                   char text[8];
               }){1, "x"},
               8, 0);
        break;
    case 13: syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0); break;
    case 18: {
        int fd = open("fifo", O_WRONLY | O_NONBLOCK);
        usleep(50000);
        close(fd);
        break;
    }
    case 3:
    case 4:
    case 5:
    case 17: write(gate[1], "x", 1); break;
    }
}

// Until the main thread has slept in its call for a while, or has returned from it.
static void wait_for_call(void) {
    for (int looks = 0; looks < 10 && calling != 2; usleep(10000)) {
        char path[64], line[256] = "";
        snprintf(path, sizeof path, "/proc/self/task/%d/stat", main_id);
        int fd = open(path, O_RDONLY);
        read(fd, line, sizeof line - 1);
        close(fd);
        char *name_end = strrchr(line, ')');
        looks = calling == 1 && name_end && name_end[2] == 'S' ? looks + 1 : 0;
    }
}

static void *helper(void *which) {
    wait_for_call();
    pthread_kill(main_thread, SIGUSR1);
    while (!handled) usleep(1000);
    wait_for_call();
    release((int)(long)which);
    return NULL;
}

// In the child: until release().
static void wait_at_gate(void) {
    char byte;
    read(gate[0], &byte, 1);
    _exit(0);
}

static void lock_elsewhere(int which) {
    int ready[2];
    char byte;
    pipe(ready);
    child = fork();
    if (child == 0) {
        int fd = open("lock", O_RDWR);
        if (which == 4) flock(fd, LOCK_EX);
        if (which == 5) fcntl(fd, F_SETLKW, &(struct flock){.l_type = F_WRLCK});
        write(ready[1], "x", 1);
        wait_at_gate();
    }
    read(ready[0], &byte, 1);
    close(ready[0]), close(ready[1]);
}

static void try(int which, int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    pthread_t thread;
    sigaction(SIGUSR1, &action, NULL);
    handled = calling = 0;
    child = 0;
    if (which == 3 || which == 17)
        if ((child = fork()) == 0) wait_at_gate();
    word = 5;
    if (which == 4 || which == 5) lock_elsewhere(which), word = open("lock", O_RDWR);
    pthread_create(&thread, NULL, helper, (void *)(long)which);
    calling = 1;
    long result = call(which);
    int error = errno;
    calling = 2;
    pthread_join(thread, NULL);
    printf("%s %s: %ld %s, handled %d\n", name[which], flags ? "restarts" : "plain", result,
           result < 0 ? strerrorname_np(error) : "", handled);
    if (which == 4 || which == 5) close(word);
    if (result < 0 && which != 3 && which != 17) {  // leave nothing for the next
        fcntl(ends[0], F_SETFL, O_NONBLOCK), fcntl(pair[0], F_SETFL, O_NONBLOCK), fcntl(listener, F_SETFL, O_NONBLOCK);
        char byte;
        read(ends[0], &byte, 1), read(pair[0], &byte, 1), close(accept(listener, NULL, NULL));
        fcntl(ends[0], F_SETFL, 0), fcntl(pair[0], F_SETFL, 0), fcntl(listener, F_SETFL, 0);
        semop(semaphore, &(struct sembuf){0, -1, IPC_NOWAIT}, 1);
        msgrcv(queue, &(struct {
                   long type;
                   char text[8];
               }){0},
               8, 0, IPC_NOWAIT);
    }
    if (child) waitpid(child, NULL, 0);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    main_thread = pthread_self();
    main_id = getpid();
    pipe(ends);
    pipe(gate);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (void *)&(struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
         sizeof(struct sockaddr_in));
    listen(listener, 5);
    queue = msgget(IPC_PRIVATE, 0600);
    semaphore = semget(IPC_PRIVATE, 1, 0600);
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &(struct epoll_event){.events = EPOLLIN});
    close(open("lock", O_CREAT | O_RDWR, 0600));
    mkfifo("fifo", 0600);
    for (int which = 0; which < (int)(sizeof name / sizeof *name); which++)
        for (int restart = 0; restart < 2; restart++) try(which, restart ? SA_RESTART : 0);
    msgctl(queue, IPC_RMID, NULL);
    semctl(semaphore, 0, IPC_RMID);
    return 0;
}
