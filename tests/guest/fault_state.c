// guest-test: expect=file
// Faults in the middle of code: the handler sees the exact pc and registers, may change both, and what was changed is what goes on.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { T0 = 5, S1 = 9, A0 = 10, A1 = 11, A2 = 12, A3 = 13, A4 = 14, A5 = 15 };
static volatile uint64_t fault_pc, fault_address, registers[32];
static volatile int fault_signal, fault_code;
static int skip;
static uint64_t new_a0;

static void handler(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    fault_signal = signal, fault_code = info->si_code, fault_address = (uint64_t)info->si_addr;
    fault_pc = uc->uc_mcontext.__gregs[0];
    for (int i = 1; i < 32; i++) registers[i] = uc->uc_mcontext.__gregs[i];
    uc->uc_mcontext.__gregs[0] += skip;
    if (new_a0) uc->uc_mcontext.__gregs[A0] = new_a0;
}

#define FAULT(what, size, instruction, a, b)                                                                              \
    do {                                                                                                                  \
        register uint64_t a0 __asm__("a0") = (uint64_t)(a), a1 __asm__("a1") = (uint64_t)(b), a2 __asm__("a2") = 1;       \
        register uint64_t a3 __asm__("a3");                                                                               \
        skip = size;                                                                                                      \
        __asm__ volatile("la a3, 1f\n addi a2, a2, 41\n li t0, 77\n 1: .option push\n .option norvc\n" instruction        \
                         "\n .option pop\n addi a2, a2, 1\n"                                                              \
                         : "+r"(a0), "+r"(a1), "+r"(a2), "=r"(a3)::"t0", "memory");                                       \
        printf("%s: signal %d code %d pc %d address %d a2 %d then %d t0 %d a1 same %d\n", what, fault_signal, fault_code, \
               fault_pc == a3, fault_address == (uint64_t)(a), (int)registers[A2], (int)a2, (int)registers[T0],           \
               registers[A1] == (uint64_t)(b));                                                                           \
    } while (0)

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
    for (int i = 0; i < 4; i++) sigaction(signals[i], &action, NULL);
    char *none = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(none + 4096, 4096, PROT_NONE);
    char *read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAULT("load", 4, "ld a1, 0(a0)", none + 4096, 5);
    FAULT("load byte", 4, "lbu a1, 0(a0)", none + 4100, 6);
    FAULT("store", 4, "sw a1, 0(a0)", none + 4096, 7);
    FAULT("store to read-only", 4, "sd a1, 0(a0)", read_only, 8);
    FAULT("no page", 4, "lw a1, 0(a0)", 64, 9);
    FAULT("not canonical", 4, "lw a1, 0(a0)", 0x4000000000000000, 9);
    FAULT("kernel's half", 4, "lw a1, 0(a0)", 0xffffffff80000000, 9);
    FAULT("float load", 4, "fld fa0, 0(a0)", none + 4096, 10);
    FAULT("float store", 4, "fsw fa0, 0(a0)", read_only + 8, 10);
    FAULT("atomic add", 4, "amoadd.w a1, t0, (a0)", none + 4096, 11);
    FAULT("load reserved", 4, "lr.d a1, (a0)", none + 4096, 12);
    FAULT("store conditional", 4, "lr.w a5, (a1)\n sc.w a5, t0, (a1)\n j 2f\n 2: ld a1, 0(a0)", none + 4096, none);
    // A store across into the closed page: its first half must be in one piece or not at all, and the address is within it.
    memset(none, 0, 4096);
    skip = 4;
    __asm__ volatile("sd %1, 0(%0)" ::"r"(none + 4092), "r"(-1l) : "memory");
    printf("crossing: signal %d code %d inside %d, before it %d\n", fault_signal, fault_code,
           fault_address >= (uint64_t)none + 4092 && fault_address <= (uint64_t)none + 4100, none[4091]);
    __asm__ volatile(".option push\n .option norvc\n la %0, 1f\n 1: unimp\n .option pop\n" : "=r"(new_a0)::"memory");
    printf("illegal: signal %d code %d pc %d address %d\n", fault_signal, fault_code, fault_pc == new_a0, fault_address == new_a0);
    new_a0 = 0;
    uint64_t place;
    __asm__ volatile(".option push\n .option norvc\n la %0, 1f\n 1: ebreak\n .option pop\n" : "=r"(place)::"memory");
    printf("break: signal %d code %d pc %d address %d\n", fault_signal, fault_code, fault_pc == place, fault_address == place);
    skip = 2;
    __asm__ volatile("la %0, 1f\n 1: c.ebreak\n" : "=r"(place)::"memory");
    printf("short break: signal %d code %d pc %d\n", fault_signal, fault_code, fault_pc == place);
    // The handler puts the address right and lets the instruction run again.
    uint64_t good = 1234, got;
    skip = 0, new_a0 = (uint64_t)&good;
    __asm__ volatile("mv a0, %1\n ld %0, 0(a0)" : "=r"(got) : "r"(none + 4096) : "a0", "memory");
    printf("tried again: %d\n", (int)got);
    // Many faults in a loop of hot code.
    int faults = 0;
    new_a0 = 0, skip = 4;
    uint64_t sum = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t value = i;
        char *at = i % 100 == 0 ? none + 4096 : none;
        fault_signal = 0;
        __asm__ volatile(".option push\n .option norvc\n ld %0, 0(%1)\n .option pop" : "+r"(value) : "r"(at) : "memory");
        faults += fault_signal == SIGSEGV;
        sum += value;
    }
    printf("loop: %d faults, sum %lu\n", faults, (unsigned long)sum);
    return 0;
}
