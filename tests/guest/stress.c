// guest-test: expect=native timeout=120
// Everything at once: threads in loops hot enough for the best code, which call code that is written anew under them, signals to all of them, and
// two hundred forks in the midst of it, whose children go on with the loop.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emit.h"

enum { THREADS = 3, FORKS = 200, AT_ONCE = 20, SLOTS = 256, SLOT_BYTES = 64, ROUNDS = 4000 };

static _Atomic(function *) current;
static _Atomic int stop;
static _Atomic long rounds, wrong, handled;

static __attribute__((noinline)) uint64_t mix(uint64_t x, unsigned n) {
    for (unsigned i = 0; i < n; i++) x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9) + i;
    return x;
}

// A loop that calls what is written anew: whatever the version, a multiple of seven comes back.
static __attribute__((noinline)) uint64_t loop(unsigned n) {
    uint64_t x = 1;
    for (unsigned i = 0; i < n; i++) {
        if (current() % 7 != 0) wrong++;
        x = mix(x, i % 8);
    }
    return x;
}

static uint64_t expected;

static void *worker(void *data) {
    while (!stop) {
        if (loop(ROUNDS) != expected) wrong++;
        rounds++;
    }
    return data;
}

static void on_signal(int signal) {
    (void)signal;
    if (loop(20) == 0) wrong++;
    handled++;
}

static void child(void) {
    _exit(loop(ROUNDS) == expected && wrong == 0 ? 7 : 8);
}

static unsigned fork_some(void) {
    unsigned good = 0;
    fflush(stdout);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        if (!fork()) child();
    }
    for (unsigned i = 0; i < AT_ONCE; i++) {
        int status = 0;
        while (wait(&status) < 0) continue;
        good += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    return good;
}

int main(void) {
    char *slots = mmap(NULL, SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t thread[THREADS];
    unsigned good = 0;
    signal(SIGUSR1, on_signal);
    current = emit(slots, 0);
    expected = loop(ROUNDS);
    for (unsigned i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, worker, NULL);
    for (unsigned version = 1; good < FORKS && version < 4000 && !wrong; version++) {
        current = emit(slots + version % SLOTS * SLOT_BYTES, (int)version * 7);
        pthread_kill(thread[version % THREADS], SIGUSR1);
        if (version % 20 == 0) good += fork_some();
        else usleep(200);
    }
    stop = 1;
    for (unsigned i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    printf("%u children, wrong %ld, rounds %d, signals %d\n", good, (long)wrong, rounds > 0, handled > 0);
    return 0;
}
