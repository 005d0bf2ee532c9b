// guest-test: variants=static,dynamic timeout=120
// Locks between threads and processes: robust ones whose owner is killed, priority inheritance, conditions, barriers, reader-writer
// locks, semaphores, thread-specific data, futexes by hand.
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
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

struct shared {
    pthread_mutex_t mutex, inherit;
    pthread_cond_t cond;
    pthread_barrier_t barrier;
    sem_t semaphore;
    int value, word, other;
};
static struct shared *shared;

static long futex(int *at, int operation, int value, const void *time, int *second, int third) {
    return syscall(SYS_futex, at, operation, value, time, second, third);
}

static void set_up(void) {
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;
    pthread_barrierattr_t barrier;
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared->mutex, &mutex);
    pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_STALLED);
    pthread_mutexattr_setprotocol(&mutex, PTHREAD_PRIO_INHERIT);
    printf("inherit %d\n", pthread_mutex_init(&shared->inherit, &mutex));
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&shared->cond, &cond);
    pthread_barrierattr_init(&barrier);
    pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->barrier, &barrier, 4);
    sem_init(&shared->semaphore, 1, 0);
}

// How a process that owns the lock ends: killed from outside, by exit, by a fault, by exec.
static void robust(int how) {
    int status, ready[2];
    char byte;
    pipe(ready);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(&shared->mutex);
        shared->value = 100 + how;
        write(ready[1], "x", 1);
        if (how == 0) pause();
        if (how == 1) _exit(0);
        if (how == 2) *(volatile int *)0 = 1;
        if (how == 3) execl("/bin/true", "true", NULL), _exit(0);
        if (how == 4) syscall(SYS_exit, 0);
    }
    read(ready[0], &byte, 1);
    if (how == 0) kill(child, SIGKILL);
    int error = pthread_mutex_lock(&shared->mutex);
    printf("robust %d: %s value %d, ", how, error == EOWNERDEAD ? "owner died" : strerror(error), shared->value);
    printf("consistent %d unlock %d\n", pthread_mutex_consistent(&shared->mutex), pthread_mutex_unlock(&shared->mutex));
    waitpid(child, &status, 0);
    close(ready[0]), close(ready[1]);
}

static void processes(void) {
    pid_t children[4];
    int status;
    shared->value = 0;
    for (int i = 0; i < 4; i++)
        if ((children[i] = fork()) == 0) {
            for (int round = 0; round < 500; round++) {
                pthread_mutex_lock(&shared->inherit);
                shared->value++;
                pthread_mutex_unlock(&shared->inherit);
                if (round % 100 == 0) pthread_barrier_wait(&shared->barrier);
            }
            sem_post(&shared->semaphore);
            pthread_mutex_lock(&shared->mutex);
            while (shared->word == 0) pthread_cond_wait(&shared->cond, &shared->mutex);
            shared->other++;
            pthread_mutex_unlock(&shared->mutex);
            _exit(0);
        }
    for (int i = 0; i < 4; i++) sem_wait(&shared->semaphore);
    printf("processes counted %d\n", shared->value);
    usleep(50000);
    pthread_mutex_lock(&shared->mutex);
    shared->word = 1;
    pthread_cond_broadcast(&shared->cond);
    pthread_mutex_unlock(&shared->mutex);
    for (int i = 0; i < 4; i++) waitpid(children[i], &status, 0);
    printf("woken %d\n", shared->other);
}

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static long first, second, broken;
static int tickets, served, destroyed, initialised;

static void destroy(void *data) {
    __atomic_add_fetch(&destroyed, (int)(intptr_t)data, __ATOMIC_SEQ_CST);
}
static void initialise(void) {
    initialised++;
}

static void *reads_and_writes(void *data) {
    pthread_once(&once, initialise);
    pthread_setspecific(key, data);
    for (int i = 0; i < 3000; i++) {
        if (i % 10 == 0) {
            pthread_rwlock_wrlock(&lock);
            first++, second++;
        } else {
            pthread_rwlock_rdlock(&lock);
            if (first != second) broken++;
        }
        pthread_rwlock_unlock(&lock);
    }
    pthread_mutex_lock(&mutex);
    int mine = tickets++;
    while (served != mine) pthread_cond_wait(&cond, &mutex);
    served++;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void threads(void) {
    pthread_t thread[6];
    pthread_key_create(&key, destroy);
    for (long i = 0; i < 6; i++) pthread_create(&thread[i], NULL, reads_and_writes, (void *)(i + 1));
    for (int i = 0; i < 6; i++) pthread_join(thread[i], NULL);
    printf("threads: %ld %ld broken %ld served %d destroyed %d once %d\n", first, second, broken, served, destroyed, initialised);
}

static int word_a, word_b;
static void *waits(void *data) {
    return (void *)futex(&word_a, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}
static void *waits_masked(void *mask) {
    return (void *)futex(&word_a, FUTEX_WAIT_BITSET, 0, NULL, NULL, (int)(long)mask);
}

static long sleepers(int *word, long count) {  // wakes until as many were woken
    long woken = 0;
    for (int i = 0; i < 2000 && woken < count; i++) {
        woken += futex(word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
        usleep(1000);
    }
    return woken;
}

static void by_hand(void) {
    pthread_t thread[4];
    struct timespec short_time = {0, 10000000}, past = {1, 0};
    printf("not equal %d, timeout %d, ", futex(&word_a, FUTEX_WAIT, 1, NULL, NULL, 0) < 0 ? errno == EAGAIN : 0,
           futex(&word_a, FUTEX_WAIT, 0, &short_time, NULL, 0) < 0 ? errno == ETIMEDOUT : 0);
    printf("past %d, misaligned %d, bad pointer %d, bad operation %d\n",
           futex(&word_a, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, -1) < 0 ? errno == ETIMEDOUT : 0,
           futex((int *)((char *)&word_a + 1), FUTEX_WAKE, 1, NULL, NULL, 0) < 0 ? errno == EINVAL : 0,
           futex((int *)8, FUTEX_WAIT, 0, NULL, NULL, 0) < 0 ? errno == EFAULT : 0,
           futex(&word_a, 99, 0, NULL, NULL, 0) < 0 ? errno == ENOSYS : 0);
    for (int i = 0; i < 4; i++) pthread_create(&thread[i], NULL, waits, NULL);
    usleep(100000);
    long moved = futex(&word_a, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &word_b, 0);
    printf("requeue %ld, ", moved);
    printf("not equal %d, ", futex(&word_a, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &word_b, 5) < 0 ? errno == EAGAIN : 0);
    int after = 0;
    long woken = syscall(SYS_futex, &word_a, FUTEX_WAKE_OP_PRIVATE, 1, 2, &word_b, FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0));
    printf("wake-op %ld word %d\n", woken, word_b);
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    pthread_create(&thread[0], NULL, waits_masked, (void *)1l);
    pthread_create(&thread[1], NULL, waits_masked, (void *)2l);
    usleep(100000);
    printf("masked: none %ld ", futex(&word_a, FUTEX_WAKE_BITSET, 9, NULL, NULL, 4));
    printf("one %ld ", futex(&word_a, FUTEX_WAKE_BITSET, 9, NULL, NULL, 2));
    printf("other %ld\n", sleepers(&word_a, 1));
    for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
    printf("lock %ld again %d unlock %ld not ours %d\n", futex(&after, FUTEX_LOCK_PI, 0, NULL, NULL, 0),
           futex(&after, FUTEX_LOCK_PI, 0, NULL, NULL, 0) < 0 ? errno == EDEADLK : 0,
           futex(&after, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0),
           futex(&after, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) < 0 ? errno == EPERM : 0);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up();
    for (int how = 0; how < 5; how++) robust(how);
    processes();
    threads();
    by_hand();
    return 0;
}
