// For check_stats.py: does things that --stats counts, as often as the enum says.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 5000, PAIRS = 3000, SYNCS = 50, CHANGES = 40, FAULTS = 300, REWRITES = 50 };

static __attribute__((noinline)) long leaf(long x) {
    __asm__ volatile("");
    return x + 1;
}

// Twins at the same place of all jump caches, as are the places that leaf returns to in them: they differ in high bits alone.
static long (*make_twin(uintptr_t at))(long, long (*)(long)) {
    static const unsigned code[] = {
        0xff010113,  // addi sp, sp, -16
        0x00113023,  // sd ra, 0(sp)
        0x000580e7,  // jalr a1
        0x00013083,  // ld ra, 0(sp)
        0x01010113,  // addi sp, sp, 16
        0x00008067,  // ret
    };
    void *page =
        mmap((void *)at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (page != (void *)at) abort();
    memcpy(page, code, sizeof code);
    return (long (*)(long, long (*)(long)))page;
}

static long alternate(void) {
    enum { APART = 1 << 30 };
    uintptr_t first = 0x1000000000;
    long (*const volatile twin[])(long, long (*)(long)) = {make_twin(first), make_twin(first + APART)};
    long x = 1;
    for (int i = 0; i < 2 * PAIRS; i++) x = twin[i & 1](x, leaf);
    return x;
}

static void change(void) {
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < CHANGES; i++) mprotect(page, 4096, i & 1 ? PROT_READ | PROT_WRITE | PROT_EXEC : PROT_READ);
    for (int i = 0; i < SYNCS; i++) __asm__ volatile("fence.i");
}

// A function that is written again and again at the same place, and called by pointer.
static long rewrite(void) {
    enum { TIMES = 200, ADDI_A0_A0 = 0x00050513, RET = 0x00008067 };
    unsigned *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long (*volatile function)(long) = (long (*)(long))code;
    long x = 0;
    for (unsigned i = 0; i < REWRITES; i++) {
        code[0] = ADDI_A0_A0 | i << 20;
        code[1] = RET;
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        for (int n = 0; n < TIMES; n++) x = function(x);
    }
    return x;
}

static sigjmp_buf back;

static void caught(int signal) {
    siglongjmp(back, signal);
}

static int fault(void) {
    static volatile int *volatile nothing;
    volatile int count = 0;
    signal(SIGSEGV, caught);
    while (count < FAULTS) {
        count++;
        if (!sigsetjmp(back, 1)) *nothing = 1;
    }
    return count;
}

int main(void) {
    for (int i = 0; i < CALLS; i++) syscall(SYS_getppid);
    printf("%lx %ld %d\n", (unsigned long)alternate(), rewrite(), fault());
    change();
    fflush(stdout);
    if (fork() == 0) _exit(0);
    wait(NULL);
    return 0;
}
