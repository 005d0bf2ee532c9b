// The meter of each cpu: see meter.h. Only its own thread writes it; whoever adds it up may find the last few events missing.
#include "runtime/meter.h"
#include "runtime/base/clock.h"
#include "runtime/code.h"
#include "runtime/host/host.h"
#include "runtime/state.h"
#include "translator/interp/cells.h"
#include <time.h>

bool meter_on;

static struct {
    uint64_t ticks;
    double seconds;  // CLOCK_MONOTONIC
} start;

static const struct cell *(*enter_native)(struct cpu *cpu, const struct cell *first);

static struct meter *meter_of(struct cpu *cpu) {
    return &runtime_of(cpu)->meter;
}

static void raise_by(uint64_t *count, uint64_t by) {
    __atomic_store_n(count, __atomic_load_n(count, __ATOMIC_RELAXED) + by, __ATOMIC_RELAXED);
}

void meter_raise(struct cpu *cpu, enum meter_event event) {
    raise_by(&meter_of(cpu)->event[event], 1);
}

// The counters of two processors may differ by a little.
static uint64_t since(const struct meter *meter, uint64_t now) {
    uint64_t then = __atomic_load_n(&meter->since, __ATOMIC_RELAXED);
    return now > then ? now - then : 0;
}

void meter_begin(struct cpu *cpu) {
    *meter_of(cpu) = (struct meter){.now = METER_SYSTEM, .since = meter_on ? host_ticks() : 0};
}

enum meter_activity meter_change(struct cpu *cpu, enum meter_activity to) {
    struct meter *meter = meter_of(cpu);
    enum meter_activity before = meter->now;
    uint64_t now = host_ticks();
    raise_by(&meter->spent[before], since(meter, now));
    __atomic_store_n(&meter->since, now, __ATOMIC_RELAXED);
    __atomic_store_n(&meter->now, to, __ATOMIC_RELAXED);
    return before;
}

void meter_add(struct meter *sum, const struct meter *meter) {
    enum meter_activity now = __atomic_load_n(&meter->now, __ATOMIC_RELAXED);
    if (meter_on) sum->spent[now] += since(meter, host_ticks());
    for (unsigned i = 0; i < METER_ACTIVITIES; i++) sum->spent[i] += __atomic_load_n(&meter->spent[i], __ATOMIC_RELAXED);
    for (unsigned i = 0; i < METER_EVENTS; i++) sum->event[i] += __atomic_load_n(&meter->event[i], __ATOMIC_RELAXED);
}

// ---- looking up after an indirect jump

// A call has changed the slot by then, and other jumps hardly ever go to where a call would return.
static bool is_return(const struct cpu *cpu) {
    for (const uint8_t *slot = code_isa->links; *slot; slot++) {
        if (cpu->slot[*slot] == cpu->pc) return true;
    }
    return false;
}

const struct cell *meter_resolve_jump(struct cpu *cpu) {
    meter_count(cpu, is_return(cpu) ? METER_MISSED_RETURNS : METER_MISSED_JUMPS);
    return code_resolve(cpu);
}

// ---- native code

// Where the interpreter goes on says why native code was left.
static enum meter_event reason_of(const struct cpu *cpu, const struct cell *next) {
    if (!next) return cpu->trap.kind == TRAP_SYSCALL ? METER_EXIT_SYSCALL : METER_EXIT_TRAP;
    if (__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED)) return METER_EXIT_INTERRUPTED;
    if (next == &cell_indirect) return METER_EXIT_INDIRECT;
    const void *handler = __atomic_load_n(&next->handler, __ATOMIC_RELAXED);
    if (handler == cell_handler_native_link) return METER_EXIT_UNLINKED;
    if (handler == cell_handler_native_pass) return METER_EXIT_COUNTED;
    return METER_EXIT_COLD;
}

static const struct cell *enter(struct cpu *cpu, const struct cell *first) {
    meter_change(cpu, METER_NATIVE);
    const struct cell *next = enter_native(cpu, first);
    meter_change(cpu, METER_INTERPRETER);
    meter_count(cpu, reason_of(cpu, next));
    return next;
}

void meter_init(void) {
    meter_on = true;
    start.ticks = host_ticks();
    start.seconds = clock_seconds(CLOCK_MONOTONIC);
    enter_native = interp_native_enter;
    if (enter_native) interp_native_enter = enter;
}

// By the time that both clocks have run since then.
double meter_seconds(uint64_t ticks) {
    uint64_t all = host_ticks() - start.ticks;
    double seconds = clock_seconds(CLOCK_MONOTONIC) - start.seconds;
    return all ? (double)ticks * seconds / (double)all : 0;
}
