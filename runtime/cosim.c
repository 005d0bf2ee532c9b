// Compares native code with the interpreter: see cosim.h.
//
// Native code is made such that it comes back at each exit and after some rounds of its loops (quick_stepwise), and goes to no other native code
// meanwhile. So before it is entered, the interpreter can go as far as it may come (cosim_trace.c), which is then undone, all but a list of the states
// passed and of the stores made. Native code must leave in one of those states, with that state's memory. What it did stays: the guest goes on with it.
//
// With other guest threads nothing can be undone behind their backs, and a comparison would see what they do: then native code just runs.
#include "runtime/cosim.h"
#include "runtime/base/arena.h"
#include "runtime/cosim_report.h"
#include "runtime/optimise.h"
#include "runtime/state.h"
#include "runtime/stats.h"
#include "translator/quick/quick.h"
#include <string.h>

static struct cosim_trace *trace;

// ---- running native code

struct visit {
    const struct cell *first, *next;  // where it is entered, and left for
    const void *code;
};

static void enter_native(struct cpu *cpu, void *data) {
    struct visit *visit = data;
    const struct cell *(*enter)(struct cpu *cpu, const struct cell *first, const void *code);
    memcpy(&enter, &quick_stubs.enter_at, sizeof enter);
    visit->next = enter(cpu, visit->first, visit->code);
}

// From an anchor to the fault that exact code came to.
static void go_on_carefully(struct cpu *cpu, void *data) {
    (void)data;
    cpu_enter_code(cpu);
}

// Where and how native code left the guest.
static void run_native(struct cpu *cpu, struct visit *visit, struct cosim_state *left) {
    bool whole = cosim__guard(cpu, enter_native, visit);
    if (cpu->mode & MODE_CAREFUL) {
        cosim__guard(cpu, go_on_carefully, NULL);
        cpu_end_care(cpu);
    }
    if (!whole) visit->next = NULL;
    bool trapped = !visit->next && cpu->trap.kind != TRAP_INTERRUPT,
         has_address = trapped && (cpu->trap.kind == TRAP_MEMORY || cpu->trap.kind == TRAP_ALIGN);
    *left = (struct cosim_state){.pc = visit->next ? interp_next_pc(cpu, visit->next) : cpu->pc,
                                 .trap = trapped ? cpu->trap.kind : TRAP_NONE,
                                 .fault_address = has_address ? cpu->trap.address : 0};
    cosim__note(cpu, left);
}

// ---- comparing

unsigned cosim__memory_differences(const struct cosim_trace *t) {
    unsigned count = 0;
    for (unsigned i = 0; i < t->stores; i++) count += t->store[i].native != t->store[i].expected;
    return count;
}

static unsigned vector_differences(const struct cpu_vector *a, const struct cpu_vector *b) {
    unsigned count = a->length != b->length;
    count += a->type != b->type;
    count += a->start != b->start;
    count += a->rounding != b->rounding || a->saturated != b->saturated;
    for (unsigned i = 0; i < CPU_VECTORS; i++) count += memcmp(a->reg[i], b->reg[i], CPU_VECTOR_BYTES) != 0;
    return count;
}

unsigned cosim__register_differences(const struct cosim_state *a, const struct cosim_state *b) {
    unsigned count = a->fcsr != b->fcsr;
    count += a->reserved_address != b->reserved_address || a->reserved_value != b->reserved_value;
    for (unsigned i = 1; i < SLOT_TEMP; i++) count += a->slot[i] != b->slot[i];
    return count + vector_differences(&a->vector, &b->vector);
}

static bool is_same_place(const struct cosim_state *a, const struct cosim_state *b) {
    return a->pc == b->pc && a->trap == b->trap && a->fault_address == b->fault_address;
}

// The trace's state that native code left in, or most nearly; NULL if the trace did not come by there. *differences: from that one. The last ones are
// the likeliest.
static const struct cosim_state *nearest(const struct cosim_state *left, unsigned *differences) {
    const struct cosim_state *best = NULL;
    for (unsigned i = trace->states; i-- > 0;) {
        const struct cosim_state *state = &trace->state[i];
        if (!is_same_place(state, left)) continue;
        cosim__look_at_memory(trace, state);
        unsigned count = cosim__register_differences(state, left) + cosim__memory_differences(trace);
        if (best && count >= *differences) continue;
        best = state;
        *differences = count;
        if (!count) break;
    }
    return best;
}

static enum stats_comparison compare(const struct cpu *cpu, const struct visit *visit, const struct cosim_state *left) {
    unsigned differences = 0;
    if (left->trap == TRAP_MEMORY && cpu->trap.inexact) return STATS_INEXACT;
    const struct cosim_state *expected = nearest(left, &differences);
    if (expected && !differences) return STATS_COMPARED;
    if (trace->end == COSIM_UNSTEADY) return STATS_UNSTEADY;
    if (trace->end == COSIM_LONG) return STATS_LONG;
    cosim__report(trace, expected, left, visit->code, threaded_of(visit->first)->about->block->optimised == visit->code);
}

// ---- entering

static void choose_blocks(struct block *block, const void *code) {
    trace->blocks = block->optimised == code ? optimise_blocks(block, trace->block) : 0;
    if (trace->blocks || !block->unit) return;
    trace->blocks = block->unit->blocks;
    memcpy(trace->block, block->unit->block, trace->blocks * sizeof(*trace->block));
}

// interp_native_enter. What else is to be noticed (cpu->pending) is so when the native code is left, which is soon.
static const struct cell *enter(struct cpu *cpu, const struct cell *first) {
    static unsigned visits;
    struct block *block = threaded_of(first)->about->block;
    struct visit visit = {.first = first, .code = quick_code(block)};
    if (!visit.code) return first;  // another thread took it away
    if (__atomic_load_n(&cpu_count, __ATOMIC_SEQ_CST) > 1) {
        cpu->rounds = 1;  // what is pending is looked at as often as by other code: another thread may have changed this one's
        enter_native(cpu, &visit);
        stats_compared(STATS_BESIDE_THREADS);
        return visit.next;
    }
    struct cosim_state left;
    unsigned rounds = 1 + visits++ % COSIM_ROUNDS;  // so that loops are left after different numbers of rounds
    choose_blocks(block, visit.code);
    cosim__run(cpu, trace, block->pc, rounds);
    cpu->rounds = rounds;
    run_native(cpu, &visit, &left);
    stats_compared(compare(cpu, &visit, &left));
    return visit.next;
}

void cosim_init(void) {
    trace = pages_take(sizeof *trace);
    quick_stepwise = true;
    interp_native_enter = enter;
}
