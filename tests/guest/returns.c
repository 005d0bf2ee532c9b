// Returns and indirect jumps that go against whatever predicts them: frames that are left by longjmp, stacks that are switched, returns to
// other places, recursion too deep to remember, code that changes between call and return or under other threads, more targets than any cache
// has room for, and signals in the midst of it.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include "emit.h"

#define NOINLINE __attribute__((noinline))

static NOINLINE void *executable(size_t size) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) abort();
    return at;
}

// ---- frames left by longjmp

static jmp_buf out[4];

static NOINLINE long descend(int depth, int leave) {
    if (depth == 0) {
        if (leave >= 0) longjmp(out[leave], 1);
        return 1;
    }
    long below = depth % 3 == 0   ? descend(depth - 1, leave)
                 : depth % 3 == 1 ? descend(depth - 1, leave) + 1
                                  : 2 + descend(depth - 1, leave);
    return below * 3 % 1000003 + depth;
}

static NOINLINE long nest(int level, int depth, int leave) {
    if (level == 4) return descend(depth, leave);
    if (setjmp(out[level])) return level + 10;
    return nest(level + 1, depth, leave) * 5 % 1000003 + level;
}

static void jumps(void) {
    long sum = 0;
    for (int i = 0; i < 10000; i++) sum += nest(0, i % 61, i % 7 - 2 < 4 ? i % 7 - 2 : -1);
    printf("longjmp %ld\n", sum);
}

static void deep(void) {
    long sum = 0;
    for (int i = 0; i < 60; i++) sum += descend(20000 + i, -1);
    if (!setjmp(out[0])) descend(30000, 0);
    printf("deep %ld\n", sum + descend(100, -1));
}

// ---- stacks switched by hand: switch_stack(from, to) keeps what calls preserve on the old stack

void switch_stack(void **from, void *to);
#ifdef __riscv
__asm__(
    ".globl switch_stack\nswitch_stack:\n"
    "addi sp, sp, -112\n sd ra, 0(sp)\n sd s0, 8(sp)\n sd s1, 16(sp)\n sd s2, 24(sp)\n sd s3, 32(sp)\n sd s4, 40(sp)\n sd s5, 48(sp)\n"
    "sd s6, 56(sp)\n sd s7, 64(sp)\n sd s8, 72(sp)\n sd s9, 80(sp)\n sd s10, 88(sp)\n sd s11, 96(sp)\n"
    "sd sp, 0(a0)\n mv sp, a1\n"
    "ld ra, 0(sp)\n ld s0, 8(sp)\n ld s1, 16(sp)\n ld s2, 24(sp)\n ld s3, 32(sp)\n ld s4, 40(sp)\n ld s5, 48(sp)\n"
    "ld s6, 56(sp)\n ld s7, 64(sp)\n ld s8, 72(sp)\n ld s9, 80(sp)\n ld s10, 88(sp)\n ld s11, 96(sp)\n addi sp, sp, 112\n ret\n");
enum { SAVED = 14, RETURN_AT = 0 };
#else
__asm__(".globl switch_stack\nswitch_stack:\n"
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");
enum { SAVED = 8, RETURN_AT = 6 };  // and one that keeps the stack aligned as it is behind a call
#endif

enum { ROUTINES = 5, STACK = 64 << 10 };
static void *routine_sp[ROUTINES], *main_sp;
static int now;
static long passed;

static void yield(void) {
    switch_stack(&routine_sp[now], main_sp);
}

static NOINLINE void climb(int depth, int number) {
    if (depth > 0) climb(depth - 1, number);
    passed = (passed * 7 + number + depth) % 1000003;
    if (depth % 3 == number % 3) yield();
}

static void routine(void) {
    for (int number = now;; number += ROUTINES) climb(number % 23, number);
}

static void coroutines(void) {
    for (int i = 0; i < ROUTINES; i++) {
        void **top = (void **)((char *)aligned_alloc(64, STACK) + STACK);
        void **sp = top - SAVED;
        memset(sp, 0, SAVED * sizeof *sp);
        sp[RETURN_AT] = (void *)routine;
        routine_sp[i] = sp;
    }
    for (int i = 0; i < 400000; i++) {
        now = i % 11 % ROUTINES;
        switch_stack(&main_sp, routine_sp[now]);
    }
    printf("coroutines %ld\n", passed);
}

// ---- returns to other places: bounce(place) returns there, and that to bounce's caller

int bounce(void *place);
void place_a(void), place_b(void), place_c(void);
#ifdef __riscv
#define PLACE(name, value) name ":\n li a0, " value "\n ld ra, 0(sp)\n addi sp, sp, 16\n ret\n"
__asm__("bounce:\n addi sp, sp, -16\n sd ra, 0(sp)\n mv ra, a0\n ret\n" PLACE("place_a", "3") PLACE("place_b", "5")
            PLACE("place_c", "11"));
#else
#define PLACE(name, value) name ":\n mov $" value ", %eax\n ret\n"
__asm__("bounce:\n push %rdi\n ret\n" PLACE("place_a", "3") PLACE("place_b", "5") PLACE("place_c", "11"));
#endif

static void other_places(void) {
    void *const place[] = {(void *)place_a, (void *)place_b, (void *)place_c};
    long sum = 0;
    for (unsigned i = 0; i < 300000; i++) sum = (sum * 3 + bounce(place[i * 2654435761u >> 20 & 1 ? i % 3 : 0])) % 1000003;
    printf("places %ld\n", sum);
}

// ---- code that changes between a call and its return

// int caller(void (*callee)(void)): calls it and returns `value`.
static void emit_caller(char *at, uint32_t value) {
#ifdef __riscv
    uint32_t code[] = {0xff010113, 0x00113023, 0x000500e7, value << 20 | 0x513, 0x00013083, 0x01010113, 0x00008067};
#else
    uint8_t code[] = {0x48, 0x83, 0xec, 0x08, 0xff, 0xd7, 0xb8, value, value >> 8, 0, 0, 0x48, 0x83, 0xc4, 0x08, 0xc3};
#endif
    memcpy(at, code, sizeof code);
    __builtin___clear_cache(at, at + sizeof code);
}

static char *caller;
static unsigned called;

static NOINLINE void change_sometimes(void) {
    if (++called % 20000 == 0) emit_caller(caller, called / 20000);
}

static NOINLINE void move_away_sometimes(void) {
    if (++called % 20000 != 0) return;
    char *page = (char *)((uintptr_t)caller & ~UINT64_C(4095));
    munmap(page, 4096);
    mmap(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    emit_caller(caller, called / 20000 + 100);
}

static void changed_code(void) {
    caller = (char *)executable(4096) + 128;
    emit_caller(caller, 1);
    long sum = 0;
    for (int i = 0; i < 100000; i++) sum = (sum * 3 + ((int (*)(void (*)(void)))caller)(change_sometimes)) % 1000003;
    for (int i = 0; i < 100000; i++) sum = (sum * 3 + ((int (*)(void (*)(void)))caller)(move_away_sometimes)) % 1000003;
    printf("changed %ld\n", sum);
}

// ---- more targets than caches have room for, far apart and at multiples of 64; the lowest bit of a target does not count on riscv64

enum { MANY = 9000, APART = 64 };

static function *as_called(char *at, int i) {
#ifdef __riscv
    at += i % 5 == 0;
#endif
    return (function *)at;
}

static void many_targets(void) {
    char *code = executable(MANY * APART);
    long sum = 0;
    for (int i = 0; i < MANY; i++) emit(code + i * APART, i);
    for (int round = 0; round < 14; round++) {
        for (int i = 0; i < MANY; i++) sum = (sum * 3 + as_called(code + i * APART, i + round)()) % 1000003;
        for (int i = 0; i < 8; i++) emit(code + (i * 293 + round) % MANY * APART, i + round);
    }
    for (int i = 0; i < 200000; i++) sum = (sum * 3 + as_called(code + (i & 1) * 8192 + (i % 7) * APART, i)()) % 1000003;
    munmap(code, MANY * APART);
    printf("many %ld\n", sum);
}

// ---- other threads run what changes

enum { THREADS = 3, SHARED = 64, CHANGES = 25 };
static char *shared;
static int generation, wrong, ended;
static long calls[THREADS];

static void *run_shared(void *data) {
    long *count = data;
    while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
        int before = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
        for (int i = 0; i < SHARED; i++) {
            int value = ((function *)(shared + i * APART))();
            int after = __atomic_load_n(&generation, __ATOMIC_ACQUIRE) + 1;
            if (value < before || value > after) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
        }
        __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void wait_for_calls(void) {
    for (int i = 0; i < THREADS; i++) {
        long before = __atomic_load_n(&calls[i], __ATOMIC_RELAXED);
        while (__atomic_load_n(&calls[i], __ATOMIC_RELAXED) < before + 20) sched_yield();
    }
}

// A function is replaced by one elsewhere whose code no thread is in: only one word changes, at once.
static void replace(char *at, int value) {
#ifdef __riscv
    __atomic_store_n((uint32_t *)at, (uint32_t)value << 20 | 0x513, __ATOMIC_RELEASE);
#else
    __atomic_store_n((uint32_t *)(at + 1), value, __ATOMIC_RELEASE);
#endif
    __builtin___clear_cache(at, at + 8);
}

static void emit_small(char *at) {
#ifdef __riscv
    memcpy(at, (uint32_t[]){0x00000513, 0x00008067}, 8);  // li a0, 0; ret
    __builtin___clear_cache(at, at + 8);
#else
    emit(at, 0);
#endif
}

static void threads(void) {
    pthread_t thread[THREADS];
    shared = executable(SHARED * APART);
    for (int i = 0; i < SHARED; i++) emit_small(shared + i * APART);
    for (int i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, run_shared, &calls[i]);
    for (int change = 1; change <= CHANGES; change++) {
        wait_for_calls();
        for (int i = 0; i < SHARED; i++) replace(shared + i * APART, change);
        __atomic_store_n(&generation, change, __ATOMIC_RELEASE);
    }
    wait_for_calls();
    __atomic_store_n(&ended, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    printf("threads %d wrong\n", wrong);
}

// ---- signals in the midst of calls, whose handlers call, and do not always return

static sigjmp_buf resume;
static volatile sig_atomic_t ticks, may_jump;

static void tick(int signal) {
    if (descend(50 + ticks % 7, -1) < 0) abort();
    ticks++;
    if (may_jump && ticks % 3 == 0) siglongjmp(resume, 1);
}

static void signals(void) {
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    long wanted = descend(300, -1);
    volatile long different = 0;
    signal(SIGALRM, tick);
    setitimer(ITIMER_REAL, &often, NULL);
    while (ticks < 30) different += descend(300, -1) != wanted;
    sigsetjmp(resume, 1);
    may_jump = 1;
    while (ticks < 60) different += descend(300, -1) != wanted;
    may_jump = 0;
    setitimer(ITIMER_REAL, &never, NULL);
    printf("signals %ld different\n", different);
}

int main(void) {
    jumps();
    deep();
    coroutines();
    other_places();
    changed_code();
    many_targets();
    threads();
    signals();
    return 0;
}
