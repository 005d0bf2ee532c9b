// The interpreter's half of --cosim: see cosim_trace.h. Cells are carried out one by one by their bodies (interp_body), so that each store can be
// noted before it is made and taken back afterwards. Blocks with native code are never fused, so that each uop has its cell.
#include "runtime/cosim_trace.h"
#include "runtime/cosim_vector.h"
#include "runtime/mem.h"
#include "runtime/state.h"
#include "translator/interp/cells.h"
#include "translator/ir/atomic.h"
#include "translator/ir/fp.h"
#include <string.h>
#include <sys/mman.h>

bool cosim__guard(struct cpu *cpu, void (*act)(struct cpu *cpu, void *data), void *data) {
    struct cpu_state *state = runtime_of(cpu);
    jmp_buf outer;
    memcpy(outer, state->back, sizeof outer);
    if (_setjmp(state->back)) {
        memcpy(state->back, outer, sizeof outer);
        return false;
    }
    act(cpu, data);
    memcpy(state->back, outer, sizeof outer);
    return true;
}

void cosim__note(const struct cpu *cpu, struct cosim_state *state) {
    memcpy(state->slot, cpu->slot, sizeof state->slot);
    state->fcsr = fp_flags_read(cpu) | cpu->fp_rounding << 5;
    state->reserved_address = cpu->reserved_address;
    state->reserved_value = cpu->reserved_address ? cpu->reserved_value : 0;
    state->vector = cpu->vector;
}

// What a run changes beyond states and guest memory.
struct walk {
    struct cosim_trace *trace;
    uint64_t pc, at;  // of the block, and of the instruction in it
    unsigned rounds, under_way;  // the trace's stores from this one on are the access's
    uint64_t private_start, private_end;  // the area last looked at
    bool atomics;  // `version` is set
    uint32_t version[ATOMIC_VERSIONS];
};

static bool stop(struct walk *w, enum cosim_end why) {
    w->trace->end = why;
    return false;
}

static bool note(struct walk *w, const struct cpu *cpu, uint64_t pc, enum trap_kind trap) {
    struct cosim_trace *t = w->trace;
    if (t->states == COSIM_STATES) return stop(w, COSIM_LONG);
    struct cosim_state *state = &t->state[t->states++];
    *state = (struct cosim_state){.pc = pc, .trap = trap, .stores = t->stores};
    if (trap == TRAP_MEMORY || trap == TRAP_ALIGN) state->fault_address = cpu->trap.address;
    cosim__note(cpu, state);
    return true;
}

static bool note_trap(struct walk *w, const struct cpu *cpu) {
    note(w, cpu, cpu->pc, cpu->trap.kind);
    return false;
}

// ---- memory

// Whether another process may change what is there, or see it change.
static bool is_shared(struct walk *w, uint64_t address) {
    struct mem_area area;
    if (address >= w->private_start && address < w->private_end) return false;
    if (!mem_find(address, &area)) return false;  // a fault
    if (area.flags & MAP_SHARED) return true;
    w->private_start = area.start;
    w->private_end = area.end;
    return false;
}

// The bytes that an access may touch; of a load, all that it could be.
static unsigned reach(unsigned code) {
    switch (code) {
    case UOP_st8: return 1;
    case UOP_st16: return 2;
    case UOP_st32: return 4;
    case UOP_zero64: return 64;
    case UOP_cas128: return 16;
    default: return 8;
    }
}

static uint64_t place(const struct cpu *cpu, const struct cell *u, unsigned code) {
    uint64_t at = cpu->slot[u->b];
    if (cell_format(code) == UOP_FORMAT_AMO) return at & ~UINT64_C(7);  // a word beside a narrow one does no harm
    return code == UOP_zero64 ? at & ~UINT64_C(63) : at + (uint64_t)(int64_t)u->imm;
}

// Notes what is at a place, in pieces, before it is stored to. Places that cannot be read are none: the access will fault, or leave them alone.
static void prepare(struct walk *w, uint64_t at, unsigned size) {
    struct cosim_trace *t = w->trace;
    for (unsigned done = 0; done < size; done += 8) {
        unsigned left = size - done;
        struct cosim_store *store = &t->store[t->stores];
        *store = (struct cosim_store){.address = at + done, .size = left < 8 ? left : 8};
        if (mem_copy_in(&store->before, store->address, store->size) < 0) continue;
        store->after = store->before;
        t->stores++;
    }
}

// After the access, or what was made of it before it faulted.
static void note_stored(struct walk *w) {
    struct cosim_trace *t = w->trace;
    for (; w->under_way < t->stores; w->under_way++) {
        struct cosim_store *store = &t->store[w->under_way];
        mem_copy_in(&store->after, store->address, store->size);
    }
}

static void keep_versions(struct walk *w) {
    if (!w->atomics) memcpy(w->version, atomic_version, sizeof w->version);
    w->atomics = true;
}

static bool make_access(struct walk *w, struct cpu *cpu, const struct cell *u, unsigned code) {
    if (interp_body[code](cpu, u)) return note_trap(w, cpu);
    note_stored(w);
    return true;
}

static bool access(struct walk *w, struct cpu *cpu, const struct cell *u, unsigned code) {
    struct cosim_trace *t = w->trace;
    unsigned size = reach(code);
    uint64_t at = place(cpu, u, code);
    if (is_shared(w, at) || is_shared(w, at + size - 1)) return stop(w, COSIM_UNSTEADY);
    if (t->stores + 64 / 8 > COSIM_STORES) return stop(w, COSIM_LONG);
    if (cell_format(code) == UOP_FORMAT_AMO) keep_versions(w);
    if (uop_stores(code)) prepare(w, at, size);
    return make_access(w, cpu, u, code);
}

struct vector_access {
    struct walk *walk;
    bool stores, shared;
};

static void look_at_place(void *data, uint64_t address, unsigned size) {
    struct vector_access *access = data;
    access->shared = access->shared || is_shared(access->walk, address) || is_shared(access->walk, address + size - 1);
    if (access->stores) prepare(access->walk, address, size);
}

static bool access_vector(struct walk *w, struct cpu *cpu, const struct cell *u, unsigned code) {
    struct vector_access access = {.walk = w, .stores = code == UOP_vectorstore};
    uint32_t instruction;
    if (w->trace->stores + COSIM_VECTOR_PLACES > COSIM_STORES) return stop(w, COSIM_LONG);
    if (mem_copy_in(&instruction, w->at, sizeof instruction) < 0) return stop(w, COSIM_UNSTEADY);
    cosim__vector_places(cpu, instruction, look_at_place, &access);
    return access.shared ? stop(w, COSIM_UNSTEADY) : make_access(w, cpu, u, code);
}

static void rewind_stores(const struct cosim_trace *t) {
    for (unsigned i = t->stores; i-- > 0;) mem_copy_out(t->store[i].address, &t->store[i].before, t->store[i].size);
}

// Puts memory into the state for a moment: what is expected in a place is the last that was stored there before.
void cosim__look_at_memory(struct cosim_trace *t, const struct cosim_state *state) {
    struct cosim_store *store = t->store;
    for (unsigned i = 0; i < t->stores; i++) mem_copy_in(&store[i].native, store[i].address, store[i].size);
    rewind_stores(t);
    for (unsigned i = 0; i < state->stores; i++) mem_copy_out(store[i].address, &store[i].after, store[i].size);
    for (unsigned i = 0; i < t->stores; i++) mem_copy_in(&store[i].expected, store[i].address, store[i].size);
    for (unsigned i = 0; i < t->stores; i++) mem_copy_out(store[i].address, &store[i].native, store[i].size);
}

// ---- code

static bool is_unsteady(unsigned code) {
    return code == UOP_rdtime || code == UOP_rdcycle || code == UOP_waitreserved;
}

// A cell that goes on to the next. False: it does not.
static bool step(struct walk *w, struct cpu *cpu, const struct cell *u, unsigned code) {
    if (code == CELL_li64) cpu->slot[u->a] = cell_wide(u + 1);
    if (code >= UOP_COUNT_OF_CODES) return true;
    if (is_unsteady(code)) return stop(w, COSIM_UNSTEADY);
    if (code == UOP_vector) return make_access(w, cpu, u, code);
    if (code == UOP_vectorload || code == UOP_vectorstore) return access_vector(w, cpu, u, code);
    if (cell_has_place(code)) return access(w, cpu, u, code);
    interp_body[code](cpu, u);
    return true;
}

// False if it is not left for another one.
static bool carry_out(struct walk *w, struct cpu *cpu, const struct block *block) {
    const uint16_t *codes = block->code->about->cell_code;
    struct cosim_state *here = &w->trace->state[w->trace->states - 1];
    unsigned exits = 0;
    for (unsigned i = 0; i < block->count; i += cell_width(codes[2 * i])) {
        const struct cell *u = &block->code->cell[i];
        unsigned code = codes[2 * i];
        here->last = block->code->about->offset[2 * i];
        w->at = block->pc + here->last;
        switch (cell_format(code)) {
        case UOP_FORMAT_BRANCH:
        case UOP_FORMAT_JUMP:
            w->pc = block->exit[exits++].pc;
            if (code == UOP_jump || interp_body[code](cpu, u)) return true;
            break;
        case UOP_FORMAT_INDIRECT: w->pc = (cpu->slot[u->b] + (uint64_t)(int64_t)u->imm) & ~UINT64_C(1); return true;
        case UOP_FORMAT_EXIT: interp_body[code](cpu, u); return note_trap(w, cpu);
        default:
            if (!step(w, cpu, u, code)) return false;
        }
    }
    return false;
}

static const struct block *block_at(const struct cosim_trace *t, uint64_t pc) {
    for (unsigned i = 0; i < t->blocks; i++) {
        if (t->block[i]->pc == pc) return t->block[i];
    }
    return NULL;
}

static void walk(struct cpu *cpu, void *data) {
    struct walk *w = data;
    while (note(w, cpu, w->pc, TRAP_NONE)) {
        uint64_t from = w->pc;
        const struct block *block = block_at(w->trace, from);
        if (!block || !w->rounds || !carry_out(w, cpu, block)) return;
        if (w->pc <= from) w->rounds--;
    }
}

static void put_back(struct cpu *cpu, const struct walk *w, const struct cosim_state *state) {
    rewind_stores(w->trace);
    memcpy(cpu->slot, state->slot, sizeof state->slot);
    fp_rounding_write(cpu, state->fcsr >> 5);
    fp_flags_write(cpu, state->fcsr & 31);
    cpu->vector = state->vector;
    if (w->atomics) memcpy(atomic_version, w->version, sizeof w->version);
}

void cosim__run(struct cpu *cpu, struct cosim_trace *trace, uint64_t pc, unsigned rounds) {
    static struct walk w;
    w.trace = trace;
    w.pc = pc;
    w.rounds = rounds;
    w.under_way = 0;
    w.private_start = w.private_end = 0;
    w.atomics = false;
    uint64_t pc_before = cpu->pc, reserved_address = cpu->reserved_address, reserved_value = cpu->reserved_value;
    uint32_t reserved_version = cpu->reserved_version;
    struct trap trap = cpu->trap;
    trace->states = trace->stores = 0;
    trace->end = COSIM_WHOLE;
    if (!cosim__guard(cpu, walk, &w)) {
        note_stored(&w);
        note_trap(&w, cpu);
    }
    put_back(cpu, &w, &trace->state[0]);
    cpu->pc = pc_before;
    cpu->trap = trap;
    cpu->reserved_address = reserved_address;
    cpu->reserved_value = reserved_value;
    cpu->reserved_version = reserved_version;
}
