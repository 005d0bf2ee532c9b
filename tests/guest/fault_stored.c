// guest-test: expect=file
// Bytes copied one by one, in code that runs long enough to get the best there is, to where some of them cannot be stored: the handler sees which store it was,
// that those before it were done and those behind it were not.
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, ROUNDS = 300000, A0 = 10, A1 = 11, A2 = 12, T6 = 31 };

extern const char copy[], copy_end[];
static char *page, *target;

// Not in order, as compilers have it.
__asm__(".option push\n"
        ".option norvc\n"
        "copy:\n"
        "    addi a2, a2, 1\n"
        "    lbu t1, 1(a0)\n"
        "    lbu t0, 0(a0)\n"
        "    lbu t2, 2(a0)\n"
        "    lbu t3, 3(a0)\n"
        "    lbu t4, 4(a0)\n"
        "    lbu t5, 5(a0)\n"
        "    lbu t6, 6(a0)\n"
        "    lbu a0, 7(a0)\n"
        "    sb t2, 2(a1)\n"
        "    sb t0, 0(a1)\n"
        "    sb t1, 1(a1)\n"
        "    sb t3, 3(a1)\n"
        "    sb t5, 5(a1)\n"
        "    sb t4, 4(a1)\n"
        "    sb a0, 7(a1)\n"
        "    sb t6, 6(a1)\n"
        "copy_end:\n"
        "    ret\n"
        ".option pop\n");

static void handler(int signal, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    unsigned long *r = u->uc_mcontext.__gregs;
    printf("signal %d, instruction %ld, byte %ld: a0 %lx a2 %lu t6 %lx, before it", signal, (long)(r[0] - (uintptr_t)copy) / 4,
           (long)((char *)info->si_addr - target), r[A0], r[A2], r[T6]);
    for (char *at = target; at < page + PAGE && at < target + 8; at++) printf(" %02x", (unsigned char)*at);
    printf("\n");
    r[0] = (uintptr_t)copy_end;
}

static unsigned long call(const char *from, char *to, unsigned long calls) {
    register unsigned long a0 __asm__("a0") = (unsigned long)from, a1 __asm__("a1") = (unsigned long)to, a2 __asm__("a2") = calls;
    __asm__ volatile("call copy" : "+r"(a0), "+r"(a1), "+r"(a2) : : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return a2;
}

int main(void) {
    static const char from[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x7f};
    char to[16] = {0};
    page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + PAGE, PAGE);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    unsigned long calls = 0;
    for (int k = 0; k <= 8; k++) {
        for (int i = 0; i < ROUNDS; i++) calls = call(from, to + i % 8, calls);
        target = page + PAGE - k;
        memset(target, 0xee, (size_t)k);
        calls = call(from, target, calls);
        for (unsigned i = 0; i < sizeof to; i++) printf("%02x", (unsigned char)to[i]);
        printf(" %lu\n", calls);
    }
    return 0;
}
