// What a cpu does with its time and how often it left the fast ways, for --stats. Time is taken where one activity ends and another one begins, by
// the host's own counter, in this thread: nothing that the guest could see. Without --stats no clock is read, and code that turned hot counts nothing.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct cell;

enum meter_activity {
#define ACTIVITY(id, key) METER_##id,
#include "runtime/stats.def"
    METER_ACTIVITIES
};

enum meter_event {
#define EVENT(id, key) METER_##id,
#include "runtime/stats.def"
    METER_EVENTS
};

struct meter {
    enum meter_activity now;
    uint64_t since;  // in the host's ticks, as are these
    uint64_t spent[METER_ACTIVITIES];
    uint64_t event[METER_EVENTS];
};

extern bool meter_on;

// Switches time on, before a cpu is made; native code is entered through the meter from then on, if there is to be any.
void meter_init(void);
// A cpu without a past.
void meter_begin(struct cpu *cpu);
// cpu->resolve_jump under --stats: code_resolve, counted.
const struct cell *meter_resolve_jump(struct cpu *cpu);
// Adds what a cpu's meter shows by now.
void meter_add(struct meter *sum, const struct meter *meter);
// Ticks in seconds, as they were on the average since meter_init.
double meter_seconds(uint64_t ticks);

enum meter_activity meter_change(struct cpu *cpu, enum meter_activity to);
void meter_raise(struct cpu *cpu, enum meter_event event);

// From now on the cpu does something else. Returns what it did, for going back to that. On the cpu's own thread, as is the next.
static inline enum meter_activity meter_switch(struct cpu *cpu, enum meter_activity to) {
    return __builtin_expect(meter_on, 0) ? meter_change(cpu, to) : to;
}

static inline void meter_count(struct cpu *cpu, enum meter_event event) {
    if (__builtin_expect(meter_on, 0)) meter_raise(cpu, event);
}
