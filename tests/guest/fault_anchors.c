// guest-test: variants=static expect=file timeout=120
// Faults far behind the last store: after many rounds of loops that only load, over branches, calls by pointer and floating point; by a store after such
// a way; right after a store, which must not be made twice; and faults that do not come again. The handler looks at all registers.
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, NODES = 70000, WARM = 3000000 };
enum { RA = 1, SP = 2, GP = 3, TP = 4, T1 = 6, S0 = 8, S1 = 9, A0 = 10, A7 = 17, S2 = 18, S11 = 27, T6 = 31 };

typedef void function(void);
extern function enter_back, walk, walk_pointers, late_store, second_block, halves, undefined, flags, sum_bytes;
// Calls `f` with a0 to a7 from `a`, which gets what they are then; all other registers have known values, or are in `kept`.
extern void enter(function *f, uint64_t a[8]);
uint64_t kept[32];

__asm__(
    ".option push\n .option norvc\n"
    "enter:\n"
    "    addi sp, sp, -32\n sd ra, 0(sp)\n sd a1, 8(sp)\n"
    "    la t0, kept\n sd sp, 16(t0)\n sd gp, 24(t0)\n sd tp, 32(t0)\n sd s0, 64(t0)\n sd s1, 72(t0)\n sd s2, 144(t0)\n sd s3, 152(t0)\n"
    "    sd s4, 160(t0)\n sd s5, 168(t0)\n sd s6, 176(t0)\n sd s7, 184(t0)\n sd s8, 192(t0)\n sd s9, 200(t0)\n sd s10, 208(t0)\n sd s11, 216(t0)\n"
    "    la t1, enter_back\n sd t1, 8(t0)\n"
    "    mv ra, a0\n mv t5, a1\n"
    "    ld a0, 0(t5)\n ld a1, 8(t5)\n ld a2, 16(t5)\n ld a3, 24(t5)\n ld a4, 32(t5)\n ld a5, 40(t5)\n ld a6, 48(t5)\n ld a7, 56(t5)\n"
    "    li t0, 0x105\n li t1, 0x106\n li t2, 0x107\n li t3, 0x11c\n li t4, 0x11d\n li t5, 0x11e\n li t6, 0x11f\n"
    "    fcvt.d.l ft0, t0\n fcvt.d.l ft1, t1\n fcvt.d.l ft2, t2\n fcvt.d.l ft3, t3\n fmv.d ft4, ft0\n fmv.d ft5, ft1\n fmv.d ft6, ft2\n fmv.d ft7, ft3\n"
    "    fmv.d fa0, ft0\n fmv.d fa1, ft1\n fmv.d fa2, ft2\n fmv.d fa3, ft3\n fmv.d fa4, ft0\n fmv.d fa5, ft1\n fmv.d fa6, ft2\n fmv.d fa7, ft3\n"
    "    fmv.d ft8, ft0\n fmv.d ft9, ft1\n fmv.d ft10, ft2\n fmv.d ft11, ft3\n fscsr x0\n"
    "    jalr ra, 0(ra)\n"
    "enter_back:\n"
    "    ld t5, 8(sp)\n"
    "    sd a0, 0(t5)\n sd a1, 8(t5)\n sd a2, 16(t5)\n sd a3, 24(t5)\n sd a4, 32(t5)\n sd a5, 40(t5)\n sd a6, 48(t5)\n sd a7, 56(t5)\n"
    "    ld ra, 0(sp)\n addi sp, sp, 32\n ret\n"
    // a0: list of (value, next), a1: how many; sums by kind of value, with a loop in the loop
    "walk:\n"
    "    ld t0, 0(a0)\n addi a2, a2, 1\n andi t1, t0, 1\n beqz t1, 1f\n add a3, a3, t0\n xori t4, a3, 5\n j 2f\n"
    "1:  add a4, a4, t0\n addi a5, a5, 3\n slli t3, a5, 1\n"
    "2:  andi t2, t0, 3\n"
    "3:  beqz t2, 4f\n addi t2, t2, -1\n addi a6, a6, 7\n j 3b\n"
    "4:  ld a0, 8(a0)\n addi a1, a1, -1\n sub a7, a2, a1\n bnez a1, walk\n"
    "    ret\n"
    // the same by functions that are called by pointer, which node has in its third word
    "walk_pointers:\n"
    "    mv t6, ra\n"
    "1:  ld t0, 0(a0)\n ld t1, 16(a0)\n jalr t1\n ld a0, 8(a0)\n addi a1, a1, -1\n bnez a1, 1b\n"
    "    jr t6\n"
    "odd: add a3, a3, t0\n addi t3, t3, 1\n ld t4, 8(a0)\n ret\n"
    "even: add a4, a4, t0\n addi t5, t5, 1\n ld t2, 0(a0)\n ret\n"
    // a0: place to load from, a1: place to store to, a2: how often; the store is far behind the load
    "late_store:\n"
    "    ld t0, 0(a0)\n add a3, a3, t0\n andi t1, a3, 1\n beqz t1, 1f\n addi a4, a4, 1\n slli t2, a4, 3\n j 2f\n"
    "1:  addi a5, a5, 1\n slli t3, a5, 5\n"
    "2:  andi t4, a3, 2\n bnez t4, 3f\n add a6, a6, a3\n"
    "3:  xor a7, a6, a3\n add t5, t5, a7\n sd t5, 0(a1)\n"
    "    addi t5, t5, 1\n addi a2, a2, -1\n bnez a2, late_store\n"
    "    ret\n"
    // a0: counter, which is stored in one block; a1: place to load from in the next; a2: how often
    "second_block:\n"
    "    ld t0, 0(a0)\n addi t0, t0, 1\n sd t0, 0(a0)\n add a3, a3, t0\n andi t1, a3, 1\n beqz t1, 1f\n addi a4, a4, 1\n"
    "1:  addi a5, a5, 1\n ld t2, 0(a1)\n add a6, a6, t2\n"
    "    lw t3, 8(a0)\n addiw t3, t3, 1\n sw t3, 8(a0)\n addi a2, a2, -1\n bnez a2, second_block\n"
    "    ret\n"
    // a0: from, a1: step, a2: how often; a product of doubles that becomes inexact
    "halves:\n"
    "    fld ft0, 0(a0)\n fadd.d fa0, fa0, ft0\n fmul.d fa1, fa1, ft0\n flt.d t0, fa1, fa0\n beqz t0, 1f\n fsub.d fa2, fa2, fa1\n"
    "1:  fmadd.d fa3, fa0, ft0, fa2\n fmin.d fa4, fa0, fa3\n fcvt.l.d t1, fa0, rtz\n add a3, a3, t1\n"
    "    add a0, a0, a1\n addi a2, a2, -1\n bnez a2, halves\n"
    "    ret\n"
    // NaNs that the host makes otherwise, alive where a load faults
    "undefined:\n"
    "    fld ft0, 0(a0)\n fsub.d ft1, ft0, ft0\n fmul.d ft2, ft1, fa0\n fadd.d ft3, ft2, ft0\n fcvt.s.d ft4, ft3\n fadd.s ft5, ft4, ft4\n"
    "    add a0, a0, a1\n addi a2, a2, -1\n bnez a2, undefined\n"
    "    fld ft6, 0(a0)\n ret\n"
    // flags are read, and then raised, between a load and the one that faults
    "flags:\n"
    "    ld t0, 0(a0)\n frflags t1\n add a3, a3, t1\n fdiv.d ft0, fa0, fa1\n beqz t0, 1f\n addi a4, a4, 1\n"
    "1:  frflags t2\n fdiv.d ft1, fa0, fa2\n ld t3, 0(a5)\n csrrw t4, fflags, t0\n fsqrt.d ft2, fa2\n"
    "    add a5, a5, a6\n addi a2, a2, -1\n bnez a2, flags\n"
    "    ret\n"
    // a0: from, a1: to
    "sum_bytes:\n"
    "    lbu t0, 0(a0)\n add a2, a2, t0\n addi a0, a0, 64\n addi a3, a3, 1\n bltu a0, a1, sum_bytes\n"
    "    ret\n"
    ".option pop\n");
extern function odd, even;

static enum { LEAVE, SKIP, OPEN, RETRY } answer;
static char *closed;
static uintptr_t base;  // of the functions, for what is printed
static _Atomic unsigned faults;

static uint64_t mixed(uint64_t hash, uint64_t value) {
    return (hash ^ value) * UINT64_C(0x100000001b3);
}

static bool is_kept(int x) {
    return (x >= RA && x <= TP) || x == S0 || x == S1 || (x >= S2 && x <= S11);
}

static void look(const mcontext_t *m, bool in_call) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    unsigned lost = 0;
    for (int x = 1; x < 32; x++) {
        if (in_call && (x == RA || x == T1 || x == T6)) hash = mixed(hash, m->__gregs[x] - base);
        else if (!is_kept(x)) hash = mixed(hash, m->__gregs[x]);
        else lost += m->__gregs[x] != kept[x];
    }
    for (int f = 0; f < 32; f++) {
        if (f != 8 && f != 9 && f < 18) hash = mixed(hash, m->__fpregs.__d.__f[f]);
    }
    printf("  at +%ld: %016lx, lost %u, fcsr %x, a2 %ld a3 %ld t0 %ld t2 %ld\n", (long)(m->__gregs[0] - base), (unsigned long)hash,
           lost, m->__fpregs.__d.__fcsr, (long)m->__gregs[12], (long)m->__gregs[13], (long)m->__gregs[5], (long)m->__gregs[7]);
}

static bool calls;  // the function under way calls others

static void handler(int signal, siginfo_t *info, void *context) {
    mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    (void)signal, (void)info;
    faults++;
    if (answer == RETRY) return;
    look(m, calls);
    if (answer == LEAVE) m->__gregs[0] = (uintptr_t)&enter_back;
    if (answer == SKIP) m->__gregs[0] += 4;
    if (answer == OPEN) mprotect(closed, PAGE, PROT_READ | PROT_WRITE);
}

struct node {
    uint64_t value;
    const struct node *next;
    function *by;
    uint64_t nothing;
};

static struct node *nodes;

// A list of so many nodes in a circle, or which ends where nothing is.
static const struct node *make_list(unsigned count, bool ends) {
    for (unsigned i = 0; i < count; i++)
        nodes[i] = (struct node){i * 2654435761u % 1000, &nodes[i + 1], i * 2654435761u % 1000 % 2 ? &odd : &even, 0};
    nodes[count - 1].next = ends ? (struct node *)closed : nodes;
    return nodes;
}

static void print(const char *what, const uint64_t a[8]) {
    printf("%s:", what);
    for (int i = 2; i < 8; i++) printf(" %ld", (long)a[i]);
    printf("\n");
}

static void test_walks(const char *name, function *walk_it) {
    static const unsigned lengths[] = {1, 2, 255, 256, 257, 1000, NODES};
    base = (uintptr_t)walk_it;
    uint64_t warm[8] = {(uintptr_t)make_list(1000, false), WARM};
    enter(walk_it, warm);
    print(name, warm);
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint64_t a[8] = {(uintptr_t)make_list(lengths[i], true), NODES + 1};
        enter(walk_it, a);
        print(name, a);
    }
}

static void test_stores(char *open) {
    base = (uintptr_t)&late_store;
    uint64_t *at = (uint64_t *)(void *)open;
    memset(open, 0, PAGE);
    at[0] = 3;
    uint64_t warm[8] = {(uintptr_t)at, (uintptr_t)(at + 1), WARM};
    enter(late_store, warm);
    print("late store", warm);
    for (answer = LEAVE; answer <= OPEN; answer++) {
        uint64_t a[8] = {(uintptr_t)at, (uintptr_t)closed + 8, 5};
        enter(late_store, a);
        print("late store", a);
    }
    printf("stored %lx\n", (unsigned long)((uint64_t *)(void *)closed)[1]);
    mprotect(closed, PAGE, PROT_NONE);
    answer = LEAVE;
}

static void test_second_block(char *open) {
    base = (uintptr_t)&second_block;
    uint64_t *at = (uint64_t *)(void *)open;
    memset(open, 0, PAGE);
    uint64_t warm[8] = {(uintptr_t)at, (uintptr_t)(at + 2), WARM};
    enter(second_block, warm);
    print("second block", warm);
    for (answer = LEAVE; answer <= OPEN; answer++) {
        for (int i = 0; i < 10; i++) {
            uint64_t a[8] = {(uintptr_t)at, (uintptr_t)closed, 3};
            enter(second_block, a);
        }
        printf("counted %ld %ld\n", (long)at[0], (long)at[1]);
    }
    mprotect(closed, PAGE, PROT_NONE);
    answer = LEAVE;
}

// From somewhere in the page before the closed one on.
static void test_doubles(const char *name, function *f, double value, char *open) {
    base = (uintptr_t)f;
    double *at = (double *)(void *)open;
    for (unsigned i = 0; i < PAGE / sizeof *at; i++) at[i] = value;
    uint64_t warm[8] = {(uintptr_t)at, 0, WARM / 10, 0, 0, (uintptr_t)at, 0};
    enter(f, warm);
    print(name, warm);
    for (unsigned left = 1; left <= PAGE / sizeof *at; left *= 8) {
        uint64_t from = (uintptr_t)(open + PAGE) - left * sizeof *at;
        uint64_t a[8] = {f == &flags ? (uintptr_t)at : from, 8, PAGE, 0, 0, from, 8};
        enter(f, a);
        print(name, a);
    }
}

static _Atomic bool enough;

static void *open_and_close(void *data) {
    while (!enough) {
        mprotect(data, PAGE, PROT_NONE);
        for (volatile int i = 0; i < 300; i++) {}
        mprotect(data, PAGE, PROT_READ | PROT_WRITE);
        for (volatile int i = 0; i < 3000; i++) {}
    }
    return NULL;
}

// Another thread opens the page meanwhile. Goes on until a load came while it was closed: on few processors that takes a while.
static void test_flicker(char *pages) {
    pthread_t thread;
    memset(pages, 1, 3 * PAGE);
    uint64_t warm[8] = {(uintptr_t)pages, (uintptr_t)pages + 3 * PAGE};
    for (int i = 0; i < 20000; i++) {
        warm[0] = (uintptr_t)pages;
        enter(sum_bytes, warm);
    }
    answer = RETRY;
    pthread_create(&thread, NULL, open_and_close, pages + PAGE);
    uint64_t wrong = 0;
    for (int i = 0; i < 60000 || faults == 0; i++) {
        uint64_t a[8] = {(uintptr_t)pages, (uintptr_t)pages + 3 * PAGE};
        enter(sum_bytes, a);
        wrong += a[2] != 3 * PAGE / 64 || a[3] != 3 * PAGE / 64;
    }
    enough = true;
    pthread_join(thread, NULL);
    printf("flicker: wrong %ld\n", (long)wrong);
}

int main(int argc, char **argv) {
    (void)argc;
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {  // the heap may be anywhere, also where pages are to be
        personality(ADDR_NO_RANDOMIZE);
        execv("/proc/self/exe", argv);
    }
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    // At places of their own, so that all that is in registers is the same in every run.
    nodes = mmap((void *)0x10000000, (NODES + 1) * sizeof *nodes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                 -1, 0);
    char *open = mmap((void *)0x20000000, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    closed = open + PAGE;
    mprotect(closed, PAGE, PROT_NONE);
    test_walks("walk", walk);
    calls = true;
    test_walks("walk by pointers", walk_pointers);
    calls = false;
    test_stores(open);
    test_second_block(open);
    test_doubles("halves", halves, 1.0 / 3, open);
    test_doubles("undefined", undefined, __builtin_inf(), open);
    test_doubles("flags", flags, 0.1, open);
    faults = 0;
    mprotect(closed, PAGE, PROT_READ | PROT_WRITE);
    test_flicker(open);
    return 0;
}
