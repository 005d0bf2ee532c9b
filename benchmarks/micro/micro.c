// Micro benchmarks: what single steps of Ferry cost. main, and the guest that those benchmarks share that run code.
#include "benchmarks/micro/micro.h"
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/error.h"
#include "runtime/code.h"
#include "runtime/state.h"
#include <string.h>
#include <sys/mman.h>

// ebreak ends a run; any other fault is the benchmark's mistake.
static void stop(struct cpu *cpu) {
    if (cpu->trap.kind != TRAP_BREAK)
        error_die("benchmark code at %#llx: trap %d", (unsigned long long)cpu->pc, (int)cpu->trap.kind);
    cpu_stop(cpu);
}

static const struct cpu_hooks hooks = {.syscall = syscall_dispatch, .fault = stop, .interrupt = signal_deliver};

static void map(uint64_t at, uint64_t size, int prot) {
    long got = mem_map(at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, MEM_PLAIN);
    if (got != (long)at) error_die("cannot map guest memory at %#llx: error %ld", (unsigned long long)at, -got);
}

struct cpu *micro_cpu(void) {
    static struct cpu *cpu;
    if (cpu) return cpu;
    guest_abi = &abi_riscv64;
    mem_init();
    code_init(&guest_riscv64, guest_riscv64.default_features);
    cpu = cpu_new(&hooks);
    signal_init(task_new(cpu));
    map(MICRO_CODE, 0x10000, PROT_READ | PROT_WRITE | PROT_EXEC);
    map(MICRO_DATA, 0x10000, PROT_READ | PROT_WRITE);
    map(MICRO_STACK - 0x10000, 0x10000, PROT_READ | PROT_WRITE);
    return cpu;
}

void micro_put(uint64_t at, const uint32_t *code, size_t count) {
    memcpy((void *)(uintptr_t)at, code, count * sizeof *code);
    code_invalidate(at, count * sizeof *code);
}

void micro_go(struct cpu *cpu) {
    cpu->pc = MICRO_CODE;
    cpu->slot[SP] = MICRO_STACK;
    cpu->slot[S0] = MICRO_DATA;
    cpu->slot[S1] = MICRO_PASSES;
    runtime_of(cpu)->stopped = false;
    cpu_loop(cpu);
}

int main(int argc, char *argv[]) {
    micro_translate_register();
    micro_run_register();
    micro_os_register();
    return bench_main(argc, argv);
}
