// For check_maps.py: two threads that keep the runner making native code, out of functions that are written at run time.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

enum { FUNCTIONS = 2000, CALLS = 40, STRIDE = 64 };

// addi a0, a0, 1 (c.addi) five times, ret (c.jr ra)
static const uint16_t body[] = {0x0505, 0x0505, 0x0505, 0x0505, 0x0505, 0x8082};

static void *work(void *data) {
    char *code = mmap(NULL, FUNCTIONS * STRIDE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) return data;
    for (int i = 0; i < FUNCTIONS; i++) __builtin_memcpy(code + i * STRIDE, body, sizeof body);
    __asm__ volatile("fence.i" ::: "memory");
    long sum = 0;
    for (int i = 0; i < FUNCTIONS; i++) {
        long (*function)(long) = (long (*)(long))(code + i * STRIDE);
        for (int n = 0; n < CALLS; n++) sum = function(sum);
    }
    return sum == 5L * FUNCTIONS * CALLS ? NULL : data;
}

int main(void) {
    pthread_t thread;
    int wrong = 0;
    for (int round = 0; round < 4; round++) {
        void *result;
        pthread_create(&thread, NULL, work, &thread);
        wrong |= work(&thread) != NULL;
        pthread_join(thread, &result);
        wrong |= result != NULL;
    }
    puts(wrong ? "wrong" : "done");
    return wrong;
}
