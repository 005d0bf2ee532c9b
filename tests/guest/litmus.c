// guest-test: timeout=240 without=tsan
// What threads may see of each other's memory: the litmus tests MP, SB, LB and IRIW with the fences or orders that forbid their weak outcomes (RISC-V
// manual, "RVWMO Memory Consistency Model"), and counters that no addition may be lost of. That these would see anything shows SB without fences, whose
// weak outcome hosts have as well: it is there among so many rounds.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { CELLS = 10000, BATCHES = 300, THREADS = 4, STRIDE = 8 };  // a line apart
static atomic_int x[CELLS * STRIDE], y[CELLS * STRIDE];
static int seen[THREADS][CELLS][2];
static pthread_barrier_t together;
static atomic_long added, swapped, locked;
static int current;

#define X x[i * STRIDE]
#define Y y[i * STRIDE]
#define STORE(where, order) atomic_store_explicit(&(where), 1, memory_order_##order)
#define LOAD(where, order) atomic_load_explicit(&(where), memory_order_##order)
#define FENCE(order) atomic_thread_fence(memory_order_##order)
#define SEEN(a, b) (seen[me][i][0] = (a), seen[me][i][1] = (b))
#define EACH for (int i = 0; i < CELLS; i++)

static void message(int me) {
    if (me == 0) EACH STORE(X, relaxed), FENCE(release), STORE(Y, relaxed);
    if (me == 1) EACH {
            int first = LOAD(Y, relaxed);
            FENCE(acquire);
            SEEN(first, LOAD(X, relaxed));
        }
}

static void message_ordered(int me) {
    if (me == 0) EACH STORE(X, relaxed), STORE(Y, release);
    if (me == 1) EACH {
            int first = LOAD(Y, acquire);
            SEEN(first, LOAD(X, relaxed));
        }
}

// The flag is an amoswap.rl and read by an amoadd.aq.
static void message_swapped(int me) {
    if (me == 0) EACH STORE(X, relaxed), atomic_exchange_explicit(&Y, 1, memory_order_release);
    if (me == 1) EACH {
            int first = atomic_fetch_add_explicit(&Y, 0, memory_order_acquire);
            SEEN(first, LOAD(X, relaxed));
        }
}

// The flag is set and read by lr and sc. Who reads may store it again, as what it read.
static void message_reserved(int me) {
    int expected = 0;
    if (me == 0) EACH {
            STORE(X, relaxed);
            while (!atomic_compare_exchange_weak_explicit(&Y, &expected, 1, memory_order_release, memory_order_relaxed)) {}
            expected = 0;
        }
    if (me == 1) EACH {
            int first = 1;
            atomic_compare_exchange_strong_explicit(&Y, &first, 1, memory_order_acquire, memory_order_acquire);
            SEEN(first, LOAD(X, relaxed));
        }
}

static void store_buffer_alone(int me) {
    if (me == 0) EACH STORE(X, relaxed), SEEN(LOAD(Y, relaxed), 0);
    if (me == 1) EACH STORE(Y, relaxed), SEEN(LOAD(X, relaxed), 0);
}

static void store_buffer(int me) {
    if (me == 0) EACH STORE(X, relaxed), FENCE(seq_cst), SEEN(LOAD(Y, relaxed), 0);
    if (me == 1) EACH STORE(Y, relaxed), FENCE(seq_cst), SEEN(LOAD(X, relaxed), 0);
}

static void load_buffer(int me) {
    if (me == 0) EACH SEEN(LOAD(X, acquire), 0), STORE(Y, release);
    if (me == 1) EACH SEEN(LOAD(Y, acquire), 0), STORE(X, release);
}

static void independent(int me) {
    if (me == 0) EACH STORE(X, seq_cst);
    if (me == 1) EACH STORE(Y, seq_cst);
    if (me == 2) EACH {
            int first = LOAD(X, seq_cst);
            SEEN(first, LOAD(Y, seq_cst));
        }
    if (me == 3) EACH {
            int first = LOAD(Y, seq_cst);
            SEEN(first, LOAD(X, seq_cst));
        }
}

// An amoadd, a compare-and-swap, a lock of one's own around a plain variable.
static void counters(int me) {
    static atomic_flag lock = ATOMIC_FLAG_INIT;
    static long plain;
    (void)me;
    for (int i = 0; i < CELLS / 10; i++) {
        atomic_fetch_add_explicit(&added, 1, memory_order_relaxed);
        long old = atomic_load_explicit(&swapped, memory_order_relaxed);
        while (!atomic_compare_exchange_weak_explicit(&swapped, &old, old + 1, memory_order_relaxed, memory_order_relaxed)) {}
        while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) sched_yield();
        plain++;
        atomic_store_explicit(&locked, plain, memory_order_relaxed);
        atomic_flag_clear_explicit(&lock, memory_order_release);
    }
}

#define S(thread, which) seen[thread][i][which]
static int stale(int i) {
    return S(1, 0) && !S(1, 1);
}
static int both_missed(int i) {
    return !S(0, 0) && !S(1, 0);
}
static int both_early(int i) {
    return S(0, 0) && S(1, 0);
}
static int disagree(int i) {
    return S(2, 0) && !S(2, 1) && S(3, 0) && !S(3, 1);
}
static int never(int i) {
    return i < 0;
}

static const struct {
    const char *name;
    void (*run)(int me);
    int (*forbidden)(int i);
} tests[] = {
    {"MP with fences", message, stale},
    {"MP with orders", message_ordered, stale},
    {"MP with amoswap", message_swapped, stale},
    {"MP with lr and sc", message_reserved, stale},
    {"SB", store_buffer, both_missed},
    {"LB", load_buffer, both_early},
    {"IRIW", independent, disagree},
    {"counters", counters, never},
    {"SB without fences", store_buffer_alone, both_missed},
};
enum { TESTS = sizeof tests / sizeof *tests, ALONE = TESTS - 1 };

static void *work(void *data) {
    int me = (int)(long)data;
    for (;;) {
        pthread_barrier_wait(&together);
        if (current == TESTS) return NULL;
        tests[current].run(me);
        pthread_barrier_wait(&together);
    }
}

static int check(void) {
    int wrong = 0;
    EACH {
        wrong += tests[current].forbidden(i);
        atomic_store_explicit(&X, 0, memory_order_relaxed);
        atomic_store_explicit(&Y, 0, memory_order_relaxed);
    }
    return wrong;
}

int main(void) {
    pthread_t thread[THREADS];
    pthread_barrier_init(&together, NULL, THREADS);
    for (long i = 1; i < THREADS; i++) pthread_create(&thread[i], NULL, work, (void *)i);
    for (current = 0; current < TESTS; current++) {
        long wrong = 0;
        for (int batch = 0; batch < BATCHES; batch++) {
            pthread_barrier_wait(&together);
            tests[current].run(0);
            pthread_barrier_wait(&together);
            wrong += check();
        }
        if (current == ALONE) printf("%s: %s\n", tests[current].name, wrong ? "seen" : "not seen");
        else printf("%s: %ld forbidden\n", tests[current].name, wrong);
    }
    pthread_barrier_wait(&together);
    for (int i = 1; i < THREADS; i++) pthread_join(thread[i], NULL);
    printf("added %ld, swapped %ld, locked %ld\n", (long)added, (long)swapped, (long)locked);
    return 0;
}
