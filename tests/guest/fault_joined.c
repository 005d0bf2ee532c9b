// guest-test: expect=file
// Numbers put together from bytes, in code that runs long enough to get the best there is, where some of the bytes lie in a page that is not there:
// the handler sees the access and the registers as they were after each byte.
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, ROUNDS = 400000, T0 = 5, T1 = 6, T2 = 7, A0 = 10, A1 = 11, A2 = 12, A3 = 13, T3 = 28, T4 = 29 };

extern const char get[], get_end[];
static char *page;

// The second byte first, as compilers have it; a sum in between, which a fault must not make twice.
__asm__(".option push\n"
        ".option norvc\n"
        "get:\n"
        "    addi a1, a1, 1\n"
        "    lbu t1, 1(a0)\n"
        "    lbu t0, 0(a0)\n"
        "    slli t1, t1, 8\n"
        "    or t0, t0, t1\n"
        "    lbu t1, 2(a0)\n"
        "    lbu t2, 3(a0)\n"
        "    slli t1, t1, 16\n"
        "    or t0, t0, t1\n"
        "    addi a2, a2, 1\n"
        "    lbu t3, 4(a0)\n"
        "    slli t2, t2, 24\n"
        "    or t0, t0, t2\n"
        "    lbu t4, 5(a0)\n"
        "    lbu a3, 6(a0)\n"
        "    lbu a0, 7(a0)\n"
        "    slli t3, t3, 32\n"
        "    or t0, t0, t3\n"
        "    slli t4, t4, 40\n"
        "    or t0, t0, t4\n"
        "    slli a3, a3, 48\n"
        "    or t0, t0, a3\n"
        "    slli a0, a0, 56\n"
        "    or a0, a0, t0\n"
        "get_end:\n"
        "    ret\n"
        ".option pop\n");

static void handler(int signal, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    unsigned long *r = u->uc_mcontext.__gregs;
    long at = (long)(r[0] - (uintptr_t)get) / 4, byte = (char *)info->si_addr - page - PAGE;
    printf("signal %d, instruction %ld, byte %ld: t0 %lx t1 %lx t2 %lx t3 %lx t4 %lx a3 %lx a1 %lu a2 %lu\n", signal, at, byte,
           r[T0], r[T1], r[T2], r[T3], r[T4], r[A3], r[A1], r[A2]);
    r[0] = (uintptr_t)get_end;
    r[A0] = 0;
}

static uint64_t call(const char *from, unsigned long *sums) {
    register unsigned long a0 __asm__("a0") = (unsigned long)from, a1 __asm__("a1") = sums[0], a2 __asm__("a2") = sums[1];
    register unsigned long t0 __asm__("t0") = 1, t1 __asm__("t1") = 2, t2 __asm__("t2") = 3, t3 __asm__("t3") = 4,
                              t4 __asm__("t4") = 5, a3 __asm__("a3") = 6;
    __asm__ volatile("call get"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(t0), "+r"(t1), "+r"(t2), "+r"(t3), "+r"(t4), "+r"(a3)
                     :
                     : "ra", "memory");
    sums[0] = a1, sums[1] = a2;
    return a0;
}

int main(void) {
    page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < PAGE; i++) page[i] = (char)(i + 1);
    munmap(page + PAGE, PAGE);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    unsigned long sums[2] = {0, 0}, sum = 0;
    for (int k = 0; k <= 8; k++) {
        for (int i = 0; i < ROUNDS; i++) sum += call(page + i % 64, sums);
        printf("%lx: %lx\n", sum, (unsigned long)call(page + PAGE - k, sums));
    }
    return 0;
}
