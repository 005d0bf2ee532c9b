// guest-test: expect=file arch=riscv64 variants=static
// The riscv64 signal frame as handlers see and change it: layout, registers, pc, FP state, the alternate stack, and frames that are not any.
#include "child.h"
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static void (*act)(int, siginfo_t *, ucontext_t *);
static void handler(int signal, siginfo_t *info, void *context) {
    act(signal, info, context);
}
static void handle(int signal, int flags, void (*what)(int, siginfo_t *, ucontext_t *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    act = what;
    sigaction(signal, &action, NULL);
}

static volatile int handled;
static int all_zero(const void *at, size_t size) {
    for (const char *c = at; size--; c++)
        if (*c) return 0;
    return 1;
}
static void look(int signal, siginfo_t *info, ucontext_t *context) {
    handled++;
    char *frame = (char *)info;
    printf("ucontext behind siginfo %td, mcontext at %zu, mask at %zu\n", (char *)context - frame,
           offsetof(ucontext_t, uc_mcontext), offsetof(ucontext_t, uc_sigmask));
    printf("frame aligned %d, flags %lu, link %p, blocked in frame %d\n", (uintptr_t)frame % 16 == 0, context->__uc_flags,
           context->uc_link, sigismember(&context->uc_sigmask, SIGUSR2));
    printf("rest of the mask zero %d, frame below sp %d\n", all_zero((char *)&context->uc_sigmask + 8, 120),
           (uintptr_t)frame + 128 + 960 <= context->uc_mcontext.__gregs[2]);
    printf("extensions end %d\n", all_zero((char *)&context->uc_mcontext + 32 * 8 + 528 - 12, 12));
    void *frame_address = __builtin_frame_address(0);
    printf("stack %d\n", (char *)frame_address <= frame);
}

// Runs an instruction with known registers and says what they are afterwards.
static uint64_t before[32], after[32];
static double doubles[3];
static void change(int signal, siginfo_t *info, ucontext_t *context) {
    unsigned long *x = context->uc_mcontext.__gregs;
    printf("at ebreak: x18 %lx x27 %lx x31 %lx\n", x[18], x[27], x[31]);
    printf("si_addr is pc %d, code %d\n", (unsigned long)info->si_addr == x[0], info->si_code);
    x[18] = 0x1818, x[31] = 0x3131;
    x[0] += *(uint16_t *)x[0] % 4 == 3 ? 4 : 2;
    context->uc_mcontext.__fpregs.__d.__f[9] = 0x4008000000000000;  // 3.0
    printf("fs1 %lx, fcsr %x\n", context->uc_mcontext.__fpregs.__d.__f[8], context->uc_mcontext.__fpregs.__d.__fcsr);
    volatile double zero = 0, one = 1;
    doubles[2] = one / zero;  // raises a flag of the handler's own
    asm volatile("fsrmi 1\n");
    asm volatile("fmv.d.x fs8, zero\n fmv.d.x ft3, zero" ::: "memory");
}
static void registers(void) {
    handle(SIGTRAP, 0, change);
    uint64_t out[5];
    asm volatile(
        "fsrmi 2\n fsflagsi 0x10\n li s2, 0x22\n li s11, 0x33\n li t6, 0x44\n li t0, 0x3ff8000000000000\n fmv.d.x fs0, t0\n fmv.d.x fs1, t0\n fmv.d.x ft3, t0\n"
        "ebreak\n"
        "mv %0, s2\n mv %1, t6\n fmv.x.d %2, fs1\n fmv.x.d %3, ft3\n frcsr %4\n fsrmi 0\n"
        : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3]), "=r"(out[4])::"s2", "s11", "t6", "t0", "fs0", "fs1", "ft3",
          "memory");
    printf("afterwards: %lx %lx %lx %lx fcsr %lx\n", out[0], out[1], out[2], out[3], out[4]);
}

// A handler that goes on elsewhere.
static void elsewhere(void) {
    puts("elsewhere");
    fflush(stdout);
    _exit(42);
}
static void go_elsewhere(int signal, siginfo_t *info, ucontext_t *context) {
    context->uc_mcontext.__gregs[0] = (uintptr_t)elsewhere;
    context->uc_mcontext.__gregs[2] &= ~15ul;
    sigemptyset(&context->uc_sigmask);
}
static void jump(void) {
    handle(SIGSEGV, 0, go_elsewhere);
    *(volatile int *)0 = 1;
}
static void illegal(void) {
    handle(SIGILL, 0, go_elsewhere);
    asm volatile(".half 0, 0");
}
static void no_frame(void) {
    asm volatile("addi sp, sp, -1024\n li a7, 139\n ecall");
}
static void odd_frame(void) {
    asm volatile("addi sp, sp, -1016\n li a7, 139\n ecall");
}
static void bad_stack(void) {
    handle(SIGUSR1, 0, look);
    asm volatile("li sp, 64\n mv a0, %0\n li a1, 10\n li a7, 129\n ecall" ::"r"(getpid()) : "a0", "a1", "a7");
}
static void again_on_alternate(int signal, siginfo_t *info, ucontext_t *context) {
    volatile char room[512];
    room[0] = 1;
    raise(SIGUSR1);
    room[1] = 2;
}
static void full_alternate(void) {
    stack_t stack = {.ss_sp = malloc(4096), .ss_size = 4096};
    sigaltstack(&stack, NULL);
    handle(SIGUSR1, SA_ONSTACK | SA_NODEFER, again_on_alternate);
    raise(SIGUSR1);
}

static sigjmp_buf back;
static void where(int signal, siginfo_t *info, ucontext_t *context) {
    unsigned long pc = context->uc_mcontext.__gregs[0];
    printf("signal %d code %d, address at offset %ld\n", signal, info->si_code, (long)info->si_addr & 4095);
    siglongjmp(back, 1);
}
static void misaligned(void) {
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    handle(SIGBUS, 0, where);
    handle(SIGSEGV, 0, where);
    if (!sigsetjmp(back, 1)) asm volatile("amoadd.w zero, zero, (%0)" ::"r"(page + 5) : "memory");
    if (!sigsetjmp(back, 1)) asm volatile("lr.d t0, (%0)" ::"r"(page + 12) : "t0", "memory");
    if (!sigsetjmp(back, 1)) asm volatile("sc.w t0, zero, (%0)" ::"r"(page + 2) : "t0", "memory");
    *(volatile int *)(page + 1) = 77;
    printf("plain misaligned: %d\n", *(volatile int *)(page + 1));
    if (!sigsetjmp(back, 1)) asm volatile("ld t0, 0(%0)" ::"r"(0x8000000000000123ul) : "t0", "memory");
    if (!sigsetjmp(back, 1)) asm volatile("sd t0, 0(%0)" ::"r"(~0ul << 44 | 0x456) : "t0", "memory");
    if (!sigsetjmp(back, 1)) asm volatile("jalr ra, 0(%0)" ::"r"(0x7000000000000abcul) : "ra", "memory");
}

static void nested_disarmed(int signal, siginfo_t *info, ucontext_t *context) {
    stack_t now;
    sigaltstack(NULL, &now);
    stack_t other = {.ss_flags = SS_DISABLE};
    printf("disarmed in the handler %d, frame has the flag %d, may be set %d\n", now.ss_flags == SS_DISABLE,
           (context->uc_stack.ss_flags & 1u << 31) != 0, sigaltstack(&other, NULL));
}
static void autodisarm(void) {
    stack_t stack = {.ss_sp = malloc(16384), .ss_size = 16384, .ss_flags = (int)(1u << 31)}, now;
    printf("autodisarm %d\n", sigaltstack(&stack, NULL));
    handle(SIGUSR1, SA_ONSTACK, nested_disarmed);
    raise(SIGUSR1);
    sigaltstack(NULL, &now);
    printf("armed again %d\n", now.ss_sp == stack.ss_sp && now.ss_size == 16384);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    handle(SIGUSR1, 0, look);
    raise(SIGUSR1);
    registers();
    printf("pc changed: %x\n", in_child(jump));
    printf("after an illegal instruction: %x\n", in_child(illegal));
    printf("sigreturn without a frame: %x\n", in_child(no_frame));
    printf("sigreturn, misaligned: %x\n", in_child(odd_frame));
    printf("no stack for a frame: %x\n", in_child(bad_stack));
    printf("alternate stack full: %x\n", in_child(full_alternate));
    misaligned();
    autodisarm();
    return 0;
}
