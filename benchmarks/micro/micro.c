// Micro benchmarks: what single steps of Ferry cost. main, and the guest that those benchmarks share that run code, which is
// a process for each tier.
#include "benchmarks/micro/micro.h"
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/error.h"
#include "runtime/code.h"
#include "runtime/compiler.h"
#include "runtime/state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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

void micro_go_from(struct cpu *cpu, uint64_t pc, uint64_t s1) {
    cpu->pc = pc;
    cpu->slot[SP] = MICRO_STACK;
    cpu->slot[S0] = MICRO_DATA;
    cpu->slot[S1] = s1;
    runtime_of(cpu)->stopped = false;
    cpu_loop(cpu);
}

void micro_go(struct cpu *cpu) {
    micro_go_from(cpu, MICRO_CODE, MICRO_PASSES);
}

// LLVM's code is asked for after some passes, and once more for what is found on the way.
void micro_warm_up(struct cpu *cpu) {
    for (unsigned i = options.tier == TIER_OPT ? 40 : 4; i > 0; i--) micro_go(cpu);
}

static const char *const tier_name[] = {[TIER_INTERP] = "interp", [TIER_QUICK] = "quick", [TIER_OPT] = "opt"};

void micro_register(const char *name, bench_function *function, const void *data) {
    char full[64];
    snprintf(full, sizeof full, "%s/%s", tier_name[options.tier], name);
    bench_register(full, function, data);
}

static int run_tier(enum tier tier, int argc, char *argv[]) {
    options.tier = tier;
    micro_run_register();
    micro_call_register();
    micro_os_register();
    return bench_main(argc, argv);
}

// The tier is settled once for a process.
static bool tier_fails(enum tier tier, int argc, char *argv[]) {
    char path[4096];
    if (tier == TIER_OPT && !compiler_program(path, sizeof path)) return false;
    pid_t child = fork();
    if (child < 0) error_die("cannot make a process for the benchmarks of --tier=%s", tier_name[tier]);
    if (child == 0) exit(run_tier(tier, argc, argv));
    int status;
    return waitpid(child, &status, 0) != child || status != 0;
}

int main(int argc, char *argv[]) {
    bool failed = false;
    for (enum tier tier = TIER_INTERP; tier <= TIER_OPT; tier++) failed |= tier_fails(tier, argc, argv);
    micro_translate_register();
    micro_memory_register();
    return bench_main(argc, argv) || failed;
}
