// Linux user mode: a system call's round trip, delivery of a signal with the return from its handler, and changes of the address space.
#include "benchmarks/micro/micro.h"
#include "guest-os/linux-user/task.h"
#include "runtime/base/sys.h"
#include <signal.h>
#include <sys/mman.h>

// System call numbers of the generic table (asm-generic/unistd.h).
enum { NR_rt_sigaction = 134, NR_rt_sigreturn = 139, NR_tgkill = 131, NR_clock_gettime = 113, NR_getpid = 172 };

static void put_loop_of_calls(const uint32_t *body, size_t count) {
    uint32_t code[16];
    for (size_t i = 0; i < count; i++) code[i] = body[i];
    code[count++] = ADDI(S1, S1, -1);
    code[count] = BNE(S1, X0, -4 * (int)count);
    code[count + 1] = EBREAK;
    micro_put(MICRO_CODE, code, count + 2);
}

static void bench_getpid(struct bench *bench, const void *data) {
    (void)data;
    struct cpu *cpu = micro_cpu();
    put_loop_of_calls((uint32_t[]){ADDI(A7, X0, NR_getpid), ECALL}, 2);
    micro_warm_up(cpu);
    while (bench_next(bench)) micro_go(cpu);
    bench_items(bench, MICRO_PASSES);
}

static void bench_clock(struct bench *bench, const void *data) {
    (void)data;
    struct cpu *cpu = micro_cpu();
    put_loop_of_calls((uint32_t[]){ADDI(A7, X0, NR_clock_gettime), ADDI(A0, X0, 1), ADDI(A1, S0, 0), ECALL}, 4);
    micro_warm_up(cpu);
    while (bench_next(bench)) micro_go(cpu);
    bench_items(bench, MICRO_PASSES);
}

// The guest asks for a handler and sends itself signals; the handler is one RET, which goes to the sigreturn call that stands
// where the vDSO's would.
static void bench_signal(struct bench *bench, const void *data) {
    (void)data;
    struct cpu *cpu = micro_cpu();
    enum { HANDLER = MICRO_CODE + 0x1000, RETURN = MICRO_CODE + 0x1100 };
    micro_put(HANDLER, (uint32_t[]){RET}, 1);
    micro_put(RETURN, (uint32_t[]){ADDI(A7, X0, NR_rt_sigreturn), ECALL}, 2);
    process.vdso_sigreturn = RETURN;
    struct guest_sigaction *action = (struct guest_sigaction *)(uintptr_t)MICRO_DATA;
    *action = (struct guest_sigaction){.handler = HANDLER};
    micro_put(MICRO_CODE,
              (uint32_t[]){ADDI(A7, X0, NR_rt_sigaction), ADDI(A0, X0, SIGUSR1), ADDI(A1, S0, 0), ADDI(A2, X0, 0), ADDI(A3, X0, 8),
                           ECALL, EBREAK},
              7);
    micro_go(cpu);
    if (cpu->slot[A0]) bench_fail(bench, "rt_sigaction failed");
    put_loop_of_calls((uint32_t[]){ADDI(A7, X0, NR_tgkill), ADDI(A0, S2, 0), ADDI(A1, S3, 0), ADDI(A2, X0, SIGUSR1), ECALL}, 5);
    cpu->slot[S2] = cpu->slot[S3] = (uint64_t)task_of(cpu)->tid;
    micro_warm_up(cpu);
    while (bench_next(bench)) micro_go(cpu);
    if (cpu->slot[A0]) bench_fail(bench, "tgkill failed");
    bench_items(bench, MICRO_PASSES);
}

// Maps, protects and unmaps one page among a thousand others.
static void bench_map(struct bench *bench, const void *data) {
    (void)data;
    micro_cpu();
    enum { AREAS = 1000, FIRST = 0x10000000 };
    for (uint64_t i = 0; i < AREAS; i++)
        mem_map(FIRST + i * 4 * MEM_PAGE, MEM_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, MEM_PLAIN);
    uint64_t at = FIRST + (AREAS / 2 * 4 + 2) * MEM_PAGE;
    while (bench_next(bench)) {
        mem_map(at, MEM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, MEM_PLAIN);
        mem_protect(at, MEM_PAGE, PROT_READ);
        mem_unmap(at, MEM_PAGE);
    }
    mem_unmap(FIRST, AREAS * 4 * MEM_PAGE);
    bench_items(bench, 3);
}

static void bench_find(struct bench *bench, const void *data) {
    (void)data;
    micro_cpu();
    struct mem_area area;
    bool found = true;
    while (bench_next(bench)) found &= mem_find(MICRO_DATA + 100, &area);
    if (!found) bench_fail(bench, "the area was not found");
    bench_items(bench, 1);
}

// The kernel's own part of bench_map and bench_getpid, to tell what is ours.
static void bench_host_getpid(struct bench *bench, const void *data) {
    (void)data;
    while (bench_next(bench)) host_call(getpid);
    bench_items(bench, 1);
}

static void bench_host_map(struct bench *bench, const void *data) {
    (void)data;
    while (bench_next(bench)) {
        void *at = mmap(NULL, MEM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(at, MEM_PAGE, PROT_READ);
        munmap(at, MEM_PAGE);
    }
    bench_items(bench, 3);
}

void micro_os_register(void) {
    micro_register("getpid", bench_getpid, NULL);
    micro_register("clock_gettime", bench_clock, NULL);
    micro_register("signal", bench_signal, NULL);
}

void micro_memory_register(void) {
    bench_register("host/getpid", bench_host_getpid, NULL);
    bench_register("memory/map_protect_unmap", bench_map, NULL);
    bench_register("host/map_protect_unmap", bench_host_map, NULL);
    bench_register("memory/find_area", bench_find, NULL);
}
