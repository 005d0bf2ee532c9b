// guest-test: variants=static,static-pie,dynamic
// guest-flags: -Wl,-z,max-page-size=0x10000
// Alignments larger than a page in data, zeroed data and thread-local storage; segments aligned to 64 KB.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

static _Alignas(65536) char wide[3] = "ab";
static _Alignas(32768) char wide_zero[5];
static _Alignas(64) char line;
static __thread _Alignas(256) char thread_line = 5;
static __thread _Alignas(4096) int thread_page = 9;
static __thread _Alignas(512) char thread_zero[3];

static void show(const char *who) {
    printf("%s %d %d %d %d %d %d\n", who, (int)((uintptr_t)wide % 65536), (int)((uintptr_t)wide_zero % 32768),
           (int)((uintptr_t)&line % 64), (int)((uintptr_t)&thread_line % 256), (int)((uintptr_t)&thread_page % 4096),
           (int)((uintptr_t)thread_zero % 512));
    printf("%s %d %d %d %s\n", who, thread_line++, thread_page++, thread_zero[1]++, wide);
}

static void *in_thread(void *name) {
    show(name);
    show(name);
    return NULL;
}

int main(void) {
    char *names[] = {"one", "two", "three"};
    pthread_t thread;
    show("main");
    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, in_thread, names[i]);
        pthread_join(thread, NULL);
    }
    show("main");
    return (uintptr_t)&thread == 0;
}
