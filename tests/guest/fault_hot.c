// guest-test: expect=file timeout=120
// Faults in loops that run long enough to get the best code there is: the handler sees every register exact, and what it changes goes on.
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { ROUNDS = 3000000, INSTRUCTION = 4 };
// What register x has in round i, and which registers the loop keeps such values in.
#define VALUE(x, i) ((uint64_t)(i) * (x) + ((uint64_t)(i) >> (x) % 7))
static const int kept[] = {5, 6, 8, 9, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27};
enum { COUNTER = 10 };
static uint64_t place[2];  // of the instructions that fault
static unsigned faults, wrong, wrong_pc, wrong_float;

static void handler(int signal, siginfo_t *info, void *context) {
    mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    (void)signal, (void)info;
    uint64_t i = m->__gregs[COUNTER];
    faults++;
    for (unsigned k = 0; k < sizeof kept / sizeof *kept; k++) wrong += m->__gregs[kept[k]] != VALUE(kept[k], i);
    wrong_pc += m->__gregs[0] != place[0] && m->__gregs[0] != place[1];
    wrong_float += m->__fpregs.__d.__f[9] != i * 3 + 1;
    m->__gregs[0] += INSTRUCTION;
    m->__gregs[28] = i;  // what would have been loaded
}

// x = VALUE(x, a0)
#define SET(name, number, shift) \
    "li t3, " #number "\n mul t3, t3, a0\n srli " name ", a0, " #shift "\n add " name ", " name ", t3\n"

// Right before the faults, so that they find them wherever fresh results are.
#define SET_LAST SET("t0", 5, 5) SET("s8", 24, 3) SET("s9", 25, 4) SET("s10", 26, 5) SET("s11", 27, 6)

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    register uint64_t count __asm__("a0") = 0;
    register uint64_t last __asm__("a1") = ROUNDS;
    register uint64_t total __asm__("a7") = 0;
    register uint64_t base __asm__("x31") = (uint64_t)page;
    register uint64_t *places __asm__("t2") = place;
    __asm__ volatile(
        ".option push\n .option norvc\n"
        "la t3, 3f\n sd t3, 0(t2)\n la t3, 4f\n sd t3, 8(t2)\n"
        "1:\n addi a0, a0, 1\n" SET("t1", 6, 6) SET("s0", 8, 1) SET("s1", 9, 2) SET("a2", 12, 5) SET("a3", 13, 6) SET("a4", 14, 0)
            SET("a5", 15, 1) SET("a6", 16, 2) SET("s2", 18, 4) SET("s3", 19, 5) SET("s4", 20, 6) SET("s5", 21, 0) SET("s6", 22, 1)
                SET("s7", 23,
                    2) "slli t3, a0, 1\n add t3, t3, a0\n addi t3, t3, 1\n fmv.d.x fs1, t3\n"
                       "mv t4, t6\n li t3, 0xffff\n and t3, t3, a0\n bnez t3, 2f\n li t4, 64\n"  // now and then a bad address
                       "2: sd a0, 0(t6)\n" SET_LAST "3: ld t3, 0(t4)\n"
                       "add a7, a7, t3\n"
                       "4: sd a7, 8(t4)\n"
                       "bltu a0, a1, 1b\n"
                       ".option pop\n"
        : "+r"(count), "+r"(last), "+r"(total), "+r"(base)
        : "r"(places)
        : "t0", "t1", "t3", "t4", "t5", "s0", "s1", "a2", "a3", "a4", "a5", "a6", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9",
          "s10", "s11", "fs1", "memory");
    printf("%u faults, wrong: %u registers, %u pcs, %u floats; sum %lu\n", faults, wrong, wrong_pc, wrong_float,
           (unsigned long)total);
    return 0;
}
