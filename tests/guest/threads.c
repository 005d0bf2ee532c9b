// guest-test: expect=native variants=static,dynamic
// Threads: creation in numbers, mutexes, conditions, TLS, robust mutexes, cancellation, contention on atomics, fork beside threads.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long shared;
static _Atomic long atomic_sum;
static _Atomic int atomic_word;
static _Atomic unsigned char atomic_byte;
static __thread int mine = 5;
static int turn;

static void *worker(void *data) {
    mine += (int)(long)data;
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&mutex);
        shared++;
        pthread_mutex_unlock(&mutex);
        atomic_sum += i;
        atomic_word ^= i;
        atomic_byte++;
        int old = atomic_word;
        while (!atomic_compare_exchange_weak(&atomic_word, &old, old + 1)) {}
        atomic_fetch_sub(&atomic_word, 1);
    }
    return (void *)(long)mine;
}

static void *ping(void *data) {
    long me = (long)data;
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != me) pthread_cond_wait(&cond, &mutex);
        turn = !me;
        pthread_cond_signal(&cond);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *nothing(void *data) {
    return data;
}
static pthread_mutex_t robust;
static void *dies(void *data) {
    pthread_mutex_lock(&robust);
    return NULL;
}
static void *endless(void *data) {
    for (;;) pause();
}
static void cleanup(void *data) {
    *(int *)data = 7;
}
static void *cancelled(void *data) {
    pthread_cleanup_push(cleanup, data);
    for (;;) sleep(10);
    pthread_cleanup_pop(0);
    return NULL;
}

struct node {
    struct node *next;
    long value;
};
static _Atomic(struct node *) top;
static void *stack_worker(void *data) {  // pushes and pops: needs correct compare-and-swap
    struct node *own = calloc(500, sizeof *own);
    for (int i = 0; i < 500; i++) {
        struct node *head = top;
        own[i].value = 1;
        do own[i].next = head;
        while (!atomic_compare_exchange_weak(&top, &head, &own[i]));
    }
    return NULL;
}

int main(void) {
    pthread_t thread[8];
    void *result;
    for (long i = 0; i < 4; i++) pthread_create(&thread[i], NULL, worker, (void *)i);
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], &result);
        printf("thread %d returned %ld\n", i, (long)result);
    }
    printf("shared %ld atomic %ld byte %d own %d\n", shared, (long)atomic_sum, (int)atomic_byte, mine);
    for (long i = 0; i < 2; i++) pthread_create(&thread[i], NULL, ping, (void *)i);
    for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
    printf("ping-pong done, turn %d\n", turn);
    for (int i = 0; i < 2000; i++) {
        if (pthread_create(&thread[0], NULL, nothing, (void *)(long)i)) puts("cannot create");
        pthread_join(thread[0], &result);
        if ((long)result != i) puts("wrong");
    }
    for (int i = 0; i < 4; i++) pthread_create(&thread[i], NULL, stack_worker, NULL);
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    long total = 0;
    for (struct node *node = top; node; node = node->next) total += node->value;
    printf("stack %ld\n", total);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_create(&thread[0], NULL, dies, NULL);
    pthread_join(thread[0], NULL);
    int error = pthread_mutex_lock(&robust);
    printf("robust %s\n", error == EOWNERDEAD ? "EOWNERDEAD" : "other");
    pthread_mutex_consistent(&robust);
    printf("unlock %d\n", pthread_mutex_unlock(&robust));
    int cleaned = 0;
    pthread_create(&thread[0], NULL, cancelled, &cleaned);
    usleep(20000);
    pthread_cancel(thread[0]);
    pthread_join(thread[0], &result);
    printf("cancelled %d cleaned %d\n", result == PTHREAD_CANCELED, cleaned);
    pthread_create(&thread[0], NULL, endless, NULL);
    fflush(stdout);
    for (int i = 0; i < 50; i++) {
        int child = fork(), status;
        if (!child) {
            pthread_t inner;
            pthread_create(&inner, NULL, nothing, NULL);
            pthread_join(inner, NULL);
            _exit(i);
        }
        waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != i) printf("child %d: status %x\n", i, status);
    }
    printf("forked beside a thread\n");
    setuid(getuid());
    printf("tid is pid %d\n", syscall(SYS_gettid) == getpid());
    return 0;
}
