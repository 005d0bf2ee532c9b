// guest-test: expect=native variants=static,dynamic
// futex(2) in all its operations, and what becomes of futexes whose owner dies.
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint32_t a, b;
static volatile int asleep, woken;
static const long garbage = -1;  // what an unused argument may hold
static long futex(uint32_t *word, int op, long value, long timeout, void *word2, long value3) {
    return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}
static const char *text(long result) {
    static char room[64];
    snprintf(room, sizeof room, result < 0 ? "%s" : "%2$ld", strerror(errno), result);
    return room;
}

static void *waiter(void *data) {
    __atomic_fetch_add(&asleep, 1, __ATOMIC_SEQ_CST);
    if (futex(&a, FUTEX_WAIT_BITSET, 0, 0, (void *)garbage, (long)data) == 0) __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}
static pthread_t threads[8];
static void sleepers(int n) {
    asleep = woken = 0;
    for (int i = 0; i < n; i++) pthread_create(&threads[i], NULL, waiter, (void *)(1L << i));
    while (asleep < n) usleep(1000);
    usleep(50000);
}
static void join(int n) {
    for (int i = 0; i < n; i++) pthread_join(threads[i], NULL);
    printf("woken %d\n", woken);
}

static void operations(void) {
    struct timespec none = {0}, soon = {0, 20000000}, past = {1, 0}, bad = {0, -1};
    a = 5;
    printf("other value: %s\n", text(futex(&a, FUTEX_WAIT, 4, 0, (void *)garbage, garbage)));
    printf("times out: %s\n", text(futex(&a, FUTEX_WAIT, 5, (long)&soon, (void *)garbage, garbage)));
    printf("in the past: %s\n", text(futex(&a, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, (long)&past, (void *)garbage, -1)));
    printf("bad time: %s\n", text(futex(&a, FUTEX_WAIT, 5, (long)&bad, 0, 0)));
    printf("no bits: %s\n", text(futex(&a, FUTEX_WAIT_BITSET, 5, 0, 0, 0)));
    printf("wake nobody: %s\n", text(futex(&a, FUTEX_WAKE, 1, garbage, (void *)garbage, garbage)));
    printf("bad pointer: %s\n", text(futex((void *)4096, FUTEX_WAIT, 0, (long)&none, 0, 0)));
    printf("far pointer: %s\n", text(futex((void *)0x7fffffff0000, FUTEX_WAIT, 0, (long)&none, 0, 0)));
    printf("misaligned: %s\n", text(futex((void *)((char *)&a + 1), FUTEX_WAIT, 0, (long)&none, 0, 0)));
    printf("unknown: %s\n", text(futex(&a, 77, 0, garbage, (void *)garbage, 0)));
    a = 0;
    sleepers(4);
    printf("wake by bits: %s\n", text(futex(&a, FUTEX_WAKE_BITSET, 9, garbage, (void *)garbage, 5)));
    printf("requeue: %s\n", text(futex(&a, FUTEX_CMP_REQUEUE, 0, 9, &b, 0)));
    printf("nobody is left: %s\n", text(futex(&a, FUTEX_WAKE, 9, 0, 0, 0)));
    printf("requeue, other value: %s\n", text(futex(&a, FUTEX_CMP_REQUEUE, 0, 9, &b, 1)));
    printf("wake there: %s\n", text(futex(&b, FUTEX_WAKE, 9, 0, 0, 0)));
    join(4);
    sleepers(2);
    b = 3;
    printf("wake and add: %s", text(futex(&a, FUTEX_WAKE_OP, 9, 9, &b, FUTEX_OP(FUTEX_OP_ADD, 4, FUTEX_OP_CMP_EQ, 3))));
    printf(", b %u\n", b);
    join(2);
}

static void *wait_any(void *data) {
    struct {
        uint64_t value, address;
        uint32_t flags, reserved;
    } list[2] = {{0, (uintptr_t)&a, 2}, {0, (uintptr_t)&b, 2}};
    asleep = 1;
    return (void *)syscall(449, list, 2, 0, NULL, CLOCK_MONOTONIC);
}
static void many(void) {
    void *which;
    a = b = asleep = 0;
    pthread_create(threads, NULL, wait_any, NULL);
    while (!asleep) usleep(1000);
    usleep(50000);
    futex(&b, FUTEX_WAKE, 1, 0, 0, 0);
    pthread_join(threads[0], &which);
    printf("futex_waitv: %ld\n", (long)which);
}

// Owners that die, robust and not, by each way to die.
static struct shared {
    pthread_mutex_t mutex;
    volatile int held;
} *shared;
static void *hold(void *data) {
    pthread_mutex_lock(&shared->mutex);
    shared->held = 1;
    return data;
}
static void *hold_raw(void *data) {
    pthread_mutex_lock(&shared->mutex);
    shared->held = 1;
    usleep(50000);
    syscall(SYS_exit, 0);
    return NULL;
}
static void *lock_later(void *data) {
    int error = pthread_mutex_lock(&shared->mutex);
    if (error == EOWNERDEAD) pthread_mutex_consistent(&shared->mutex);
    if (!error || error == EOWNERDEAD) pthread_mutex_unlock(&shared->mutex);
    return (void *)(long)error;
}
static void make(int protocol) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    memset(shared, 0, sizeof *shared);
    pthread_mutex_init(&shared->mutex, &attributes);
}
static void owners(int protocol) {
    const char *kind = protocol == PTHREAD_PRIO_INHERIT ? "PI" : "robust";
    void *result;
    pthread_t thread;
    make(protocol);
    pthread_create(&thread, NULL, hold, NULL);
    pthread_join(thread, NULL);
    printf("%s, thread returned: %s\n", kind, strerror((int)(long)lock_later(NULL)));
    make(protocol);
    int child = fork();
    if (!child) {
        hold(NULL);
        syscall(SYS_exit, 0);
    }
    wait(NULL);
    printf("%s, process exited: %s\n", kind, strerror((int)(long)lock_later(NULL)));
    make(protocol);
    child = fork();
    if (!child) {
        hold(NULL);
        pause();
    }
    while (!shared->held) usleep(1000);
    pthread_create(&thread, NULL, lock_later, NULL);
    usleep(50000);
    kill(child, SIGKILL);
    pthread_join(thread, &result);
    printf("%s, process killed, one waits: %s\n", kind, strerror((int)(long)result));
    wait(NULL);
    make(protocol);
    child = fork();
    if (!child) {
        hold(NULL);
        execl("/proc/self/exe", "futexes", "nothing", NULL);
        _exit(1);
    }
    wait(NULL);
    printf("%s, process executed another: %s\n", kind, strerror((int)(long)lock_later(NULL)));
    make(protocol);
    pthread_create(&thread, NULL, hold_raw, NULL);
    while (!shared->held) usleep(1000);
    printf("%s, raw exit, one waits: %s\n", kind, strerror((int)(long)lock_later(NULL)));
}

int main(int argc, char **argv) {
    if (argc > 1) return 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    operations();
    many();
    owners(PTHREAD_PRIO_NONE);
    owners(PTHREAD_PRIO_INHERIT);
    return 0;
}
