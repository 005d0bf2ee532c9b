// guest-test: expect=file
// Load-reserved and store-conditional by hand: what makes the store fail, counting and list work under contention, results of atomics.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 20000 };
static uint64_t counter __attribute__((aligned(64)));
static uint32_t narrow[4] __attribute__((aligned(64)));
static uint64_t pair[2];

static int sc_after(int what, uint64_t *at, uint64_t *other) {
    uint64_t failed, ignored;
    switch (what) {
    case 0:
        __asm__ volatile("lr.d %1, (%2)\n sc.d %0, %3, (%2)" : "=&r"(failed), "=&r"(ignored) : "r"(at), "r"(11l) : "memory");
        break;
    case 1: __asm__ volatile("sc.d %0, %3, (%2)" : "=&r"(failed), "=&r"(ignored) : "r"(at), "r"(12l) : "memory"); break;
    case 2:
        __asm__ volatile("lr.d %1, (%2)\n sc.d %0, %3, (%4)"
                         : "=&r"(failed), "=&r"(ignored)
                         : "r"(at), "r"(13l), "r"(other)
                         : "memory");
        break;
    case 3:
        __asm__ volatile("lr.d %1, (%2)\n sc.d %0, %3, (%2)\n sc.d %0, %3, (%2)"
                         : "=&r"(failed), "=&r"(ignored)
                         : "r"(at), "r"(14l)
                         : "memory");
        break;
    case 4:
        __asm__ volatile("lr.d %1, (%2)\n lr.d %1, (%4)\n sc.d %0, %3, (%2)"
                         : "=&r"(failed), "=&r"(ignored)
                         : "r"(at), "r"(15l), "r"(other)
                         : "memory");
        break;
    case 5:
        __asm__ volatile("lr.w %1, (%2)\n addi %1, %1, 1\n sc.w %0, %1, (%2)" : "=&r"(failed), "=&r"(ignored) : "r"(at) : "memory");
        break;
    }
    return failed != 0;
}

static void *count(void *number) {
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t old, failed;
        __asm__ volatile("1: lr.d.aq %0, (%2)\n addi %0, %0, 1\n sc.d.rl %1, %0, (%2)\n bnez %1, 1b"
                         : "=&r"(old), "=&r"(failed)
                         : "r"(&counter)
                         : "memory");
        uint32_t *at = &narrow[(i + (long)number) % 4];
        __asm__ volatile("1: lr.w %0, (%2)\n addiw %0, %0, 3\n sc.w %1, %0, (%2)\n bnez %1, 1b"
                         : "=&r"(old), "=&r"(failed)
                         : "r"(at)
                         : "memory");
        __asm__ volatile("amoadd.w.aqrl x0, %0, (%1)" ::"r"(2l), "r"(at) : "memory");
        // Both words under a lock made of amoswap: they stay equal.
        static uint32_t lock;
        uint32_t taken;
        do {
            __asm__ volatile("amoswap.w.aq %0, %1, (%2)" : "=&r"(taken) : "r"(1), "r"(&lock) : "memory");
            if (taken) syscall(SYS_sched_yield);
        } while (taken);
        pair[0]++;
        pair[1]++;
        __asm__ volatile("amoswap.w.rl x0, x0, (%0)" ::"r"(&lock) : "memory");
    }
    return NULL;
}

// A value that goes away and comes back between load and store: whoever takes 1 must give back 1 before another takes it.
static uint64_t token = 1, holders, twice;
static void *take(void *data) {
    for (int i = 0; i < ROUNDS / 4; i++) {
        uint64_t old, failed;
        do {
            __asm__ volatile("lr.d.aq %0, (%2)\n li %1, 1\n beqz %0, 1f\n sc.d.rl %1, x0, (%2)\n 1:"
                             : "=&r"(old), "=&r"(failed)
                             : "r"(&token)
                             : "memory");
            if (failed && !old) syscall(SYS_sched_yield);
        } while (failed);
        if (++holders != 1) twice++;
        holders--;
        __asm__ volatile("fence rw, w\n sd %0, 0(%1)" ::"r"(1l), "r"(&token) : "memory");
    }
    return NULL;
}

#define AMO(name, start, operand)                                                                            \
    do {                                                                                                     \
        uint64_t at = start, old;                                                                            \
        __asm__ volatile(name " %0, %1, (%2)" : "=&r"(old) : "r"((uint64_t)(operand)), "r"(&at) : "memory"); \
        printf(name " %lx -> %lx\n", (unsigned long)old, (unsigned long)at);                                 \
    } while (0)

int main(void) {
    pthread_t thread[THREADS];
    uint64_t a[8] = {0}, b[8] = {0};
    for (int what = 0; what < 6; what++) {
        int failed = sc_after(what, a, b + 4);
        printf("case %d: failed %d value %lu %lu\n", what, failed, (unsigned long)a[0], (unsigned long)b[4]);
    }
    for (long i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, count, (void *)i);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    printf("counter %lu narrow %u pair %lu %lu\n", (unsigned long)counter, narrow[0] + narrow[1] + narrow[2] + narrow[3],
           (unsigned long)pair[0], (unsigned long)pair[1]);
    for (long i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, take, NULL);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    printf("token %lu twice %lu\n", (unsigned long)token, (unsigned long)twice);
    AMO("amoadd.w", 0x1234567880000000, 0xffffffff80000001);
    AMO("amomin.w", 0x1111111180000000, 5);
    AMO("amomaxu.w", 0x1111111180000000, 5);
    AMO("amoxor.d", 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0);
    AMO("amominu.d", 7, -1);
    AMO("amomax.d", 7, -1);
    AMO("amoand.w", 0xffffffffffffffff, 0x0f0f0f0f);
    AMO("amoor.d", 0x10, 1ul << 63);
    AMO("amoswap.w", 0xffffffffffffffff, 0x80000000);
    return 0;
}
