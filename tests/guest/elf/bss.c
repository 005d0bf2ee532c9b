// guest-test: variants=static,static-pie,dynamic
// Zeroed memory of every shape: large, at odd places after initialised data, thread-local; deep stacks and large arrays on them.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static char huge[300 << 20];
static char odd[4097];
static char started[5000] = {1, 2, 3};
static char after;
static __thread char thread_zero[70000];
static __thread int thread_started = 1234;
static const char constant[9000] = "read only";
static volatile char *volatile hide;

static long sum(const volatile char *at, size_t size, size_t step) {
    long total = 0;
    for (size_t i = 0; i < size; i += step) total += at[i];
    return total;
}

static void *in_thread(void *data) {
    printf("thread %ld %d\n", sum(thread_zero, sizeof thread_zero, 1), thread_started++);
    memset(thread_zero, 1, sizeof thread_zero);
    char array[400000];
    memset(array, 3, sizeof array);
    hide = array;
    return (void *)(intptr_t)(sum(array, sizeof array, 4096) + sum(thread_zero, sizeof thread_zero, 1));
}

static int depth(int n) {
    volatile char frame[1000];
    memset((char *)frame, n, sizeof frame);
    return n == 0 ? 0 : depth(n - 1) + frame[999] - (char)n + 1;
}

static long large_frame(void) {
    char array[6 << 20];
    hide = array;
    memset(array, 1, sizeof array);
    return sum(array, sizeof array, 4096);
}

int main(void) {
    pthread_t thread;
    void *result;
    printf("%ld %ld %d %ld %d\n", sum(huge, sizeof huge, 4096), sum(odd, sizeof odd, 1), started[2],
           sum(started, sizeof started, 1), after);
    huge[0] = huge[sizeof huge / 2] = huge[sizeof huge - 1] = 7;
    printf("%ld %s %d\n", sum(huge + sizeof huge - 10, 10, 1) + huge[0] + huge[sizeof huge / 2], constant, constant[8999]);
    printf("stack %ld %d\n", large_frame(), depth(5000));
    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, in_thread, NULL);
        pthread_join(thread, &result);
        printf("joined %ld\n", (long)result);
    }
    printf("main %ld %d\n", sum(thread_zero, sizeof thread_zero, 1), thread_started);
    return 0;
}
