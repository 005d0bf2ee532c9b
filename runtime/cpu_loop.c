// Runs guest cpus: see cpu_loop.h. Translated code is entered from one function, cpu_run_code, which is also where a fault in guest code comes
// back to (by longjmp out of a redirected context, fault.c).
#include "runtime/cpu_loop.h"
#include "runtime/base/arena.h"
#include "runtime/base/lock.h"
#include "runtime/code.h"
#include "runtime/mem.h"
#include "runtime/state.h"
#include "runtime/stats.h"
#include "translator/interp/interp.h"
#include "translator/ir/fp.h"
#include <string.h>

static __thread struct cpu *current;
static struct cpu_state *all_cpus;
static struct lock all_cpus_lock;
uint32_t cpu_count;

struct cpu *cpu_current(void) {
    return current;
}

void cpu_set_current(struct cpu *cpu) {
    current = cpu;
}

ptrdiff_t cpu_current_offset(void) {
    return (char *)&current - (char *)__builtin_thread_pointer();
}

enum {
    CPU_BYTES = (sizeof(struct cpu) + 15) & ~15u,
    CAREFUL_JUMPS = 1 << 14,  // exact code sees to it that its faults are not further away, or not much
};

static void enlist(struct cpu_state *state) {
    static bool registered;  // the first cpu is made before a second thread exists
    if (!registered) lock_register(&all_cpus_lock);
    registered = true;
    lock_take(&all_cpus_lock);
    state->next = all_cpus;
    state->link = &all_cpus;
    if (all_cpus) all_cpus->link = &state->next;
    all_cpus = state;
    __atomic_fetch_add(&cpu_count, 1, __ATOMIC_SEQ_CST);
    lock_drop(&all_cpus_lock);
}

struct cpu *cpu_new(const struct cpu_hooks *hooks) {
    struct cpu *cpu = pages_take(CPU_BYTES + sizeof(struct cpu_state));
    struct cpu_state *state = (struct cpu_state *)((char *)cpu + CPU_BYTES);
    *state = (struct cpu_state){.hooks = hooks, .cpu = cpu, .generation = code_generation, .losses = code_losses};
    cpu->resolve = code_resolve;
    cpu->resolve_jump = stats_wanted() ? meter_resolve_jump : code_resolve;
    cpu->hot = code_hot;
    cpu->resolve_hot = code_resolve_hot;
    cpu->pads = quick_pads;
    cpu->find_native = code_find_native;
    cpu->leave_sheet = code_leave_sheet;
    cpu->link = code_link;
    cpu->readable = mem_is_readable;
    cpu->runtime = state;
    cpu->jump[0].pc = cpu->far_jump[0].pc = cpu->native_jump[0].pc = cpu_no_jump(0);  // as cpu_forget_jumps does; the rest is zero
    cpu_renew_stamp(cpu, state->losses);
    cpu->mode = stats_wanted() ? MODE_COUNT : 0;
    meter_begin(cpu);
    enlist(state);
    return cpu;
}

struct cpu *cpu_copy(const struct cpu *from) {
    struct cpu *cpu = cpu_new(runtime_of((struct cpu *)(uintptr_t)from)->hooks);
    memcpy(cpu->slot, from->slot, sizeof cpu->slot);
    cpu->vector = from->vector;
    cpu->pc = from->pc;
    cpu->mode = from->mode;
    cpu->fp_flags = fp_flags_read(from);  // of the calling thread
    cpu->fp_rounding = from->fp_rounding;
    cpu->os = from->os;
    return cpu;
}

void cpu_retire(struct cpu *cpu) {
    struct cpu_state *state = runtime_of(cpu);
    lock_take(&all_cpus_lock);
    stats_add(cpu);
    *state->link = state->next;
    if (state->next) state->next->link = state->link;
    __atomic_fetch_sub(&cpu_count, 1, __ATOMIC_SEQ_CST);
    lock_drop(&all_cpus_lock);
}

void cpu_free(struct cpu *cpu) {
    cpu_retire(cpu);
    pages_give(cpu, CPU_BYTES + sizeof(struct cpu_state));
}

void cpu_each(void (*visit)(struct cpu *cpu, void *data), void *data) {
    lock_take(&all_cpus_lock);
    for (struct cpu_state *state = all_cpus; state; state = state->next) visit(state->cpu, data);
    lock_drop(&all_cpus_lock);
}

static void forget_if(uint64_t *entry, uint64_t pc, unsigned at) {
    if (__atomic_load_n(entry, __ATOMIC_RELAXED) == pc) __atomic_store_n(entry, cpu_no_jump(at), __ATOMIC_RELAXED);
}

static void forget_native_jump(struct cpu *cpu, void *data) {
    uint64_t pc = *(const uint64_t *)data;
    unsigned at = cpu_native_jump_at(pc);
    forget_if(&cpu->native_jump[at].pc, pc, at);
    at = cpu_far_jump_at(pc);
    forget_if(&cpu->far_jump[at].pc, pc, at);
}

void cpu_forget_native_jump(uint64_t pc) {
    cpu_each(forget_native_jump, &pc);
}

void cpu_forked(struct cpu *cpu) {
    struct cpu_state *only = runtime_of(cpu);
    for (struct cpu_state *state = all_cpus, *next; state; state = next) {
        next = state->next;
        if (state != only) pages_give(state->cpu, CPU_BYTES + sizeof(struct cpu_state));
    }
    all_cpus = only;
    only->next = NULL;
    only->link = &all_cpus;
    cpu_count = 1;
    current = cpu;
    stats_forked(cpu);
    code_forked();
}

void cpu_stop(struct cpu *cpu) {
    runtime_of(cpu)->stopped = true;
}

static void lose_native(struct cpu *cpu, struct cpu_state *state, uint32_t losses) {
    cpu_forget_native_jumps(cpu);
    if (state->losses / CPU_STAMPS != losses / CPU_STAMPS) cpu_forget_far_jumps(cpu);
    cpu_renew_stamp(cpu, losses);
    state->losses = losses;
}

// Translated code of another generation may be freed as soon as this cpu is known not to hold on to it.
static void catch_up(struct cpu *cpu, struct cpu_state *state) {
    uint32_t losses = __atomic_load_n(&code_losses, __ATOMIC_ACQUIRE);
    if (state->losses != losses) lose_native(cpu, state, losses);
    uint32_t generation = __atomic_load_n(&code_generation, __ATOMIC_ACQUIRE);
    if (state->generation == generation) return;
    cpu_forget_jumps(cpu);
    __atomic_store_n(&state->generation, generation, __ATOMIC_RELEASE);
    code_collect();
}

// False after a trap.
static bool run_interpreter(struct cpu *cpu) {
    const struct cell *code = code_resolve(cpu);
    if (code) interp_run(cpu, code);
    return code && cpu->trap.kind == TRAP_INTERRUPT;
}

// A fault need not come again: another thread may have changed what was read on the way there, or mapped the page.
static void go_carefully(struct cpu *cpu) {
    __atomic_fetch_or(&cpu->pending, PENDING_STEP, __ATOMIC_SEQ_CST);
    for (unsigned left = CAREFUL_JUMPS; left > 0 && run_interpreter(cpu); left--) {
        if (__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED) != PENDING_STEP) return;
    }
}

void cpu_enter_code(struct cpu *cpu) {
    if (cpu->mode & MODE_CAREFUL) go_carefully(cpu);
    else run_interpreter(cpu);
}

void cpu_end_care(struct cpu *cpu) {
    cpu->mode &= ~(uint32_t)MODE_CAREFUL;
    __atomic_fetch_and(&cpu->pending, ~(uint32_t)PENDING_STEP, __ATOMIC_SEQ_CST);
}

// Runs translated code from cpu->pc until a trap.
static __attribute__((noinline)) void cpu_run_code(struct cpu *cpu, struct cpu_state *state) {
    __atomic_store_n(&state->in_code, true, __ATOMIC_SEQ_CST);
    if (_setjmp(state->back) == 0) {
        meter_switch(cpu, METER_INTERPRETER);
        catch_up(cpu, state);
        cpu_enter_code(cpu);
    }
    // A fault leads here from where it is.
    if (meter_switch(cpu, METER_SYSTEM) == METER_NATIVE) meter_count(cpu, METER_EXIT_TRAP);
    __atomic_store_n(&state->in_code, false, __ATOMIC_SEQ_CST);
}

static void handle_trap(struct cpu *cpu, const struct cpu_hooks *hooks) {
    switch (cpu->trap.kind) {
    case TRAP_SYSCALL: hooks->syscall(cpu); break;
    case TRAP_CODE_SYNC: code_sync(); break;
    case TRAP_INTERRUPT:
    case TRAP_NONE: break;
    case TRAP_RESUME: break;
    default: hooks->fault(cpu);
    }
}

void cpu_loop(struct cpu *cpu) {
    struct cpu_state *state = runtime_of(cpu);
    current = cpu;
    fp_host_enter(cpu);
    uint32_t mode = cpu->mode;
    for (;;) {
        // Again, as long as delivering one lets another one in: all that is pending comes before the guest's next instruction.
        while (__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED) && !state->stopped) state->hooks->interrupt(cpu);
        if ((cpu->mode ^ mode) & ~(uint32_t)MODE_CAREFUL) cpu_forget_jumps(cpu);  // carefully, nothing comes into them
        if (state->stopped) break;
        mode = cpu->mode;
        cpu_run_code(cpu, state);
        if (mode & MODE_CAREFUL) cpu_end_care(cpu);
        handle_trap(cpu, state->hooks);
    }
    fp_host_leave(cpu);
}
