// guest-test: variants=static expect=file timeout=120
// What a compiler of a virtual machine does: code written at run time whose faults stand for checks of null, called by threads while it is
// patched in place or written anew over older code. A call that no change overlaps runs exactly the latest code.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { THREADS = 3, CHANGES = 60, CALLS = 20, NODES = 1000, SLOTS = 4, SLOT_BYTES = 2048 };

struct node {
    int64_t value;
    struct node *next;
};

// Sums the values of a list of so many nodes, and 1 for each, which is what is patched; -1 - the sum, if the list ends before.
extern const char method[], method_load[], method_patch[], method_null[], method_end[];
__asm__(".option push\n .option norvc\n"
        "method: li a3, 0\n"
        "method_load: ld a4, 0(a0)\n add a3, a3, a4\n"
        "method_patch: addi a3, a3, 1\n ld a0, 8(a0)\n addi a1, a1, -1\n bnez a1, method_load\n mv a0, a3\n ret\n"
        "method_null: not a0, a3\n ret\n"
        "method_end: .option pop");

typedef int64_t function(const struct node *list, int64_t nodes);
static char *area;
static struct node list[NODES];
static _Atomic(char *) current;
static _Atomic unsigned epoch;  // odd while code changes
static _Atomic int added, stop;
static _Atomic long wrong, wrong_pcs, faults, nulls;
static _Atomic long calls[THREADS];  // in this epoch

static void handler(int signal, siginfo_t *info, void *context) {
    (void)signal;
    mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    char *slot = area + (m->__gregs[0] - (uintptr_t)area) / SLOT_BYTES * SLOT_BYTES;
    if ((char *)m->__gregs[0] - slot != method_load - method || info->si_addr) wrong_pcs++;
    if (m->__gregs[0] - (uintptr_t)area >= SLOTS * SLOT_BYTES) _exit(3);
    m->__gregs[0] = (uintptr_t)slot + (uintptr_t)(method_null - method);
    faults++;
}

static void *call(void *data) {
    _Atomic long *mine = data;
    for (long i = 0; !stop; i++) {
        unsigned before = epoch;
        int one = added;
        int64_t steps = NODES + (i % 8 == 0);
        int64_t expected = NODES * (NODES - 1) / 2 + (int64_t)NODES * one;
        if (steps > NODES) nulls++, expected = -1 - expected;
        int64_t sum = ((function *)(void *)current)(list, steps);
        if (before % 2 || epoch != before) continue;
        wrong += sum != expected;
        ++*mine;
    }
    return NULL;
}

static void patch(char *at, int value) {
    uint32_t addi = (uint32_t)value << 20 | 13 << 15 | 13 << 7 | 0x13;
    __atomic_store_n((uint32_t *)(void *)(at + (method_patch - method)), addi, __ATOMIC_RELAXED);
    __builtin___clear_cache(at + (method_patch - method), at + (method_patch - method) + 4);
}

// Over code that others may still be in: it is the same but for what is added.
static char *emit(char *at, int value) {
    memcpy(at, method, (size_t)(method_end - method));
    __builtin___clear_cache(at, at + (method_end - method));
    patch(at, value);
    return at;
}

static void wait_for_calls(void) {
    for (unsigned i = 0; i < THREADS; i++) {
        while (calls[i] < CALLS) usleep(200);
    }
}

int main(void) {
    area = mmap(NULL, SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, NULL);
    for (unsigned i = 0; i < NODES; i++) list[i] = (struct node){i, i + 1 < NODES ? &list[i + 1] : NULL};
    current = emit(area, 1);
    added = 1;
    pthread_t thread[THREADS];
    for (unsigned i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, call, &calls[i]);
    for (unsigned n = 1; n <= CHANGES; n++) {
        wait_for_calls();
        epoch++;
        added = (int)n;
        if (n % 3) patch(current, (int)n);
        else current = emit(area + n / 3 % SLOTS * SLOT_BYTES, (int)n);
        for (unsigned i = 0; i < THREADS; i++) calls[i] = 0;
        epoch++;
    }
    wait_for_calls();
    stop = 1;
    for (unsigned i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    printf("%ld wrong sums, %ld wrong pcs, a fault for each null: %d\n", wrong, wrong_pcs, faults == nulls);
    return 0;
}
