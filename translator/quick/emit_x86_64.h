// What the quick tier's emitters for x86-64 hosts are made with. r13 holds the cpu; most other general registers but rsp hold the pinned slots,
// the rest is free for what uops need. A slot that is not pinned is up to date in memory where a block is left; before that a free register may have its only
// value, which faults find there (quick_access), or a copy. A pinned one is up to date in memory only while no native code runs.
#pragma once
#include "translator/interp/cells.h"
#include "translator/quick/assembler_x86_64.h"
#include "translator/quick/join.h"
#include "translator/quick/quick.h"
#include "translator/quick/sheet.h"

// From a block's first cell to its native entry.
enum { NATIVE = (int)offsetof(struct threaded, native) - (int)offsetof(struct threaded, cell) };
_Static_assert(NATIVE == (int)offsetof(struct native_exit, native) - (int)offsetof(struct native_exit, link),
               "a link is a target like others");

// As an address r12 takes a byte more than others, so that the last one is for what is hardly ever one.
static const uint8_t pin_register[] = {R14, R15, RDI, RSI, RDX, RCX, R8, R9, R11, R12};
enum { PINS = sizeof pin_register };
static const uint8_t free_register[] = {RAX, RBX, RBP, R10};
enum { FREE_REGISTERS = sizeof free_register };
_Static_assert(0 + FREE_REGISTERS == 0 + QUICK_OWING, "each may owe");
_Static_assert(SLOT_ZERO == 0, "is no register's to owe");

// What quick_make_stubs found and made.
struct quick_host {
    uint8_t pin_of[CPU_SLOTS];  // host register of a slot, or NO_REGISTER
    bool bmi2, lzcnt, bmi1, popcnt, fma;
};
extern struct quick_host quick_host;

enum { MAX_LATER = 8192, MAX_ACCESSES = 4096 };
enum { UNIT_BLOCKS = SHEET_MAX_BLOCKS };
_Static_assert(0 + UNIT_BLOCKS >= 0 + QUICK_MAX_BLOCKS, "there is room for both");

// What only sheets have.
struct sheet_parts {
    unsigned exits, holes, fixes;
    struct sheet_exit exit[MAX_LATER];
    struct sheet_access access[MAX_ACCESSES];
    unsigned oweds, counts;
    struct sheet_count count[MAX_LATER];
    uint8_t owed[SHEET_MAX_OWED][QUICK_OWING];
    struct image_hole hole[IMAGE_MAX_HOLES];
    uint16_t known[2 * IMAGE_MAX_HOLES];  // by hash: number of a hole, from 1
    struct fix {
        uint32_t at, hole;  // the distance there is that to a hole
    } fix[4 * MAX_LATER];
};

// The unit under way, or sheet; there is one at a time.
struct unit {
    struct assembler a;
    struct sheet_parts *sheet;  // NULL: a unit
    struct block *const *block;
    unsigned count, block_at;  // the block under way, an index
    unsigned exits, accesses, laters, colds;
    struct quick_exit *exit;  // of the unit
    unsigned own_exit;  // of the block under way: the next one of block->exit
    bool falls;  // the block before goes on in the next one without a jump
    bool loops, counts;  // it jumps back to some block; passes are counted, there or else at entries
    bool loop[UNIT_BLOCKS], apart[UNIT_BLOCKS];  // blocks that it jumps back to; those whose entry from outside is apart from them
    uint8_t holds[FREE_REGISTERS];  // the slot whose value is there as well, or SLOT_SINK
    uint32_t since[FREE_REGISTERS], clock;  // when it came there
    bool owes[FREE_REGISTERS];  // the slot in memory is not up to date
    unsigned vector_shape;  // that vectors probably are of, as cpu->vector.shape has it, or 0
    struct join join[INTERP_MAX_CELLS];  // of the block under way
    uint32_t locked;  // registers that the uop under way uses
    struct quick_unit *unit;
    uint32_t entry[UNIT_BLOCKS], outer[UNIT_BLOCKS],
        start[UNIT_BLOCKS];  // where blocks begin; the last two as in struct quick_unit
    struct quick_access access[MAX_ACCESSES];
    struct later {
        uint32_t at;
        uint16_t block;  // whose entry this goes to
    } later[MAX_LATER];
    // What is seldom executed stands behind everything else.
    struct cold {
        uint32_t from, back;  // jumps here; goes on there
        enum { COLD_EXIT, COLD_BODY, COLD_INTERRUPT, COLD_INTERRUPT_AT_EXIT, COLD_HOT, COLD_INDIRECT, COLD_NAN } kind;
        const void *what;  // of units: quick_exit, cell, first cell
        uint64_t pc;  // where to go on
        unsigned code, slot;  // of COLD_INDIRECT: a register
        unsigned block_at;
        bool direct;  // of COLD_EXIT: what is there goes by way of the exit's word
    } cold[MAX_LATER];
};

#define A (&e->a)

// ---- operands

static inline bool is_pinned(unsigned slot) {
    return quick_host.pin_of[slot] != NO_REGISTER;
}

static inline int32_t place_of_slot(unsigned slot) {
    return (int32_t)(offsetof(struct cpu, slot) + 8 * slot);
}

static inline void drop(struct unit *e, unsigned i) {
    e->holds[i] = SLOT_SINK;
    e->owes[i] = false;
}

static inline void forget_all(struct unit *e) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) drop(e, i);
}

static inline void forget(struct unit *e, unsigned slot) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (e->holds[i] == slot) drop(e, i);
    }
}

// Stores change no flags.
static inline void pay(struct unit *e, unsigned i) {
    if (e->owes[i]) asm_rm(A, WIDE | 0x89, free_register[i], CPU, place_of_slot(e->holds[i]));
    e->owes[i] = false;
}

// The slots that free registers owe and that faults look at: the guest's, and the one that the address is computed from.
static inline void list_owed(const struct unit *e, unsigned base, uint8_t owed[QUICK_OWING]) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        bool seen = e->owes[i] && (e->holds[i] < SLOT_TEMP || e->holds[i] == base);
        owed[i] = seen ? e->holds[i] : SLOT_ZERO;
    }
}

// Before the block is left: guest registers have their values in memory, what is the block's own need not.
static inline void pay_guest(struct unit *e) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (e->holds[i] < SLOT_TEMP) pay(e, i);
    }
}

static inline void pay_all(struct unit *e) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) pay(e, i);
}

// Where a slot's value is in memory, now at the latest, if it is not pinned.
static inline int32_t memory_of(struct unit *e, unsigned slot) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (e->holds[i] == slot) pay(e, i);
    }
    return place_of_slot(slot);
}

// The register that has a slot's value, or NO_REGISTER.
static inline unsigned register_of(const struct unit *e, unsigned slot) {
    if (is_pinned(slot)) return quick_host.pin_of[slot];
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (e->holds[i] == slot && slot != SLOT_SINK) return free_register[i];
    }
    return NO_REGISTER;
}

static inline void lock(struct unit *e, unsigned reg) {
    e->locked |= 1u << reg;
}

// The same, which stays there for this uop.
static inline unsigned lock_slot(struct unit *e, unsigned slot) {
    unsigned reg = register_of(e, slot);
    if (reg != NO_REGISTER) lock(e, reg);
    return reg;
}

// For this uop's own use.
static inline void claim(struct unit *e, unsigned reg) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (free_register[i] != reg) continue;
        pay(e, i);
        drop(e, i);
    }
    lock(e, reg);
}

// One that holds nothing, or what was put there longest ago.
static inline unsigned fresh(struct unit *e) {
    unsigned best = FREE_REGISTERS;
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (e->locked >> free_register[i] & 1) continue;
        if (best == FREE_REGISTERS || (e->holds[best] != SLOT_SINK && (e->holds[i] == SLOT_SINK || e->since[i] < e->since[best])))
            best = i;
    }
    if (best == FREE_REGISTERS) {  // no uop needs more than there are
        A->failed = true;
        return RAX;
    }
    claim(e, free_register[best]);
    return free_register[best];
}

static inline void holds(struct unit *e, unsigned reg, unsigned slot) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (free_register[i] == reg) e->holds[i] = (uint8_t)slot, e->since[i] = ++e->clock;
    }
}

// An instruction with a register and a slot.
static inline void with_slot(struct unit *e, unsigned opcode, unsigned reg, unsigned slot) {
    unsigned has = register_of(e, slot);
    if (has != NO_REGISTER) asm_rr(A, opcode, reg, has);
    else asm_rm(A, opcode, reg, CPU, place_of_slot(slot));
}

static inline void immediate_with_slot(struct unit *e, unsigned wide, unsigned digit, unsigned slot, int32_t value) {
    unsigned has = register_of(e, slot);
    if (has != NO_REGISTER) asm_arithmetic_immediate(A, wide, digit, has, value);
    else asm_arithmetic_immediate_memory(A, wide, digit, CPU, place_of_slot(slot), value);
}

static inline void move(struct unit *e, unsigned to, unsigned from) {
    if (to != from) asm_rr(A, WIDE | 0x8b, to, from);
}

static inline void get(struct unit *e, unsigned reg, unsigned slot) {
    if (slot == SLOT_ZERO) asm_rr(A, 0x31, reg, reg);
    else if (register_of(e, slot) != reg) with_slot(e, WIDE | 0x8b, reg, slot);
}

// The low half, zero-extended.
static inline void get32(struct unit *e, unsigned reg, unsigned slot) {
    if (slot == SLOT_ZERO) asm_rr(A, 0x31, reg, reg);
    else with_slot(e, 0x8b, reg, slot);
}

static inline unsigned in_register(struct unit *e, unsigned slot) {
    unsigned reg = register_of(e, slot);
    if (reg == NO_REGISTER) {
        reg = fresh(e);
        get(e, reg, slot);
        holds(e, reg, slot);
    }
    lock(e, reg);
    return reg;
}

// Where to make a slot's value, which put then stores.
static inline unsigned destination(struct unit *e, unsigned slot) {
    return is_pinned(slot) ? quick_host.pin_of[slot] : fresh(e);
}

// The same with the value of another slot in it, or of this one itself. What is in its place now is not to be a later operand.
static inline unsigned destination_with(struct unit *e, unsigned slot, unsigned other) {
    unsigned has = slot == other ? register_of(e, slot) : NO_REGISTER;
    unsigned to = has != NO_REGISTER ? has : destination(e, slot);
    get(e, to, other);
    lock(e, to);
    return to;
}

// The register has the slot's new value, and what it had before is in memory or not wanted.
static inline void owe(struct unit *e, unsigned reg, unsigned slot) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (free_register[i] != reg) continue;
        pay(e, i);
        holds(e, reg, slot);
        e->owes[i] = true;
        return;
    }
    asm_rm(A, WIDE | 0x89, reg, CPU, place_of_slot(slot));
}

static inline void put(struct unit *e, unsigned slot, unsigned reg) {
    if (is_pinned(slot)) {
        move(e, quick_host.pin_of[slot], reg);
    } else if (slot != SLOT_SINK) {
        forget(e, slot);
        owe(e, reg, slot);
    } else {
        claim(e, reg);
    }
}

// Of a 32-bit result, in a register of this uop's own.
static inline void put_extended(struct unit *e, unsigned slot, unsigned reg) {
    unsigned to = is_pinned(slot) ? quick_host.pin_of[slot] : reg;
    asm_rr(A, WIDE | 0x63, to, reg);  // movsxd
    put(e, slot, to);
}

// ---- ways out

static inline struct cold *cold(struct unit *e, uint32_t from, unsigned kind, const void *what) {
    static struct cold surplus;
    if (e->colds == MAX_LATER) {
        A->failed = true;
        return &surplus;
    }
    struct cold *c = &e->cold[e->colds++];
    *c = (struct cold){.from = from, .kind = kind, .what = what, .block_at = e->block_at};
    return c;
}

// ---- what depends on the process: in units it is known, in sheets it stands in holes

void quick_sheet_begin(struct sheet_parts *parts);
// An instruction whose operand in memory is the hole.
void quick_emit_hole(struct unit *e, unsigned opcode, unsigned reg, enum image_hole_kind kind, uint64_t value);
void quick_emit_sheet_body(struct unit *e, const struct cell *u, unsigned code);
// The number of such a row in the sheet's table, where 0 owes nothing, or -1 if there is no room for it.
int quick_sheet_owed(struct unit *e, const uint8_t owed[QUICK_OWING]);
// One pass of the block less, with the flags that it leaves.
void quick_emit_sheet_count(struct unit *e, unsigned block);
void quick_emit_sheet_access(struct unit *e, const struct cell *u, unsigned owed, bool joined);

static inline void get_pc(struct unit *e, unsigned reg, uint64_t pc) {
    if (e->sheet) quick_emit_hole(e, WIDE | 0x8b, reg, IMAGE_PC, pc);
    else asm_constant(A, reg, pc);
}

static inline void jump_to_stub(struct unit *e, enum image_hole_kind kind, const void *stub) {
    if (e->sheet) quick_emit_hole(e, 0xff, 4, kind, 0);
    else asm_jump(A, stub);
}

static inline void call_body(struct unit *e, const struct cell *u, unsigned code) {
    pay_all(e);
    if (e->sheet) {
        quick_emit_sheet_body(e, u, code);
    } else {
        asm_constant(A, RAX, (uintptr_t)u);
        asm_constant(A, RBX, (uintptr_t)interp_body[code]);
        asm_call(A, quick_stubs.body);
    }
    forget_all(e);
}

// The uop's body instead, if the flags say so.
static inline struct cold *body_if(struct unit *e, enum condition condition, const struct cell *u, unsigned code) {
    pay_all(e);
    struct cold *c = cold(e, asm_branch_later(A, condition), COLD_BODY, u);
    c->code = code;
    return c;
}

static inline void come_back(struct unit *e, struct cold *c) {
    if (c->kind == COLD_BODY) pay_all(e);
    c->back = asm_offset(A);
    if (c->kind == COLD_BODY) forget_all(e);
}

static inline void note_access_as(struct unit *e, const struct cell *u, bool joined) {
    uint8_t owed[QUICK_OWING];
    list_owed(e, u->b, owed);
    if (e->accesses == MAX_ACCESSES) {
        A->failed = true;
    } else if (e->sheet) {
        int number = quick_sheet_owed(e, owed);
        if (number < 0) pay_all(e);
        quick_emit_sheet_access(e, u, number < 0 ? 0 : (unsigned)number, joined);
    } else {
        struct quick_access *access = &e->access[e->accesses++];
        *access = (struct quick_access){.at = asm_offset(A), .block = (uint16_t)e->block_at, .place = u->d, .joined = joined};
        memcpy(access->owed, owed, sizeof owed);
    }
}

static inline void note_access(struct unit *e, const struct cell *u) {
    note_access_as(e, u, false);
}

// One that stands for several cells', of which `u` is the first.
static inline void note_joined_access(struct unit *e, const struct cell *u) {
    note_access_as(e, u, true);
}

// The condition under which the unit is to be left.
static inline enum condition poll(struct unit *e) {
    if (quick_stepwise) asm_arithmetic_immediate_memory(A, 0, 5, CPU, offsetof(struct cpu, rounds), 1);  // sub
    else asm_arithmetic_immediate_memory(A, 0, 7, CPU, offsetof(struct cpu, pending), 0);  // cmp
    return quick_stepwise ? CC_E : CC_NE;
}

static inline int block_with(const struct unit *e, uint64_t pc) {
    for (unsigned low = 0, high = e->count; e->sheet;) {  // sorted
        if (low == high) return -1;
        unsigned middle = (low + high) / 2;
        if (e->block[middle]->pc == pc) return (int)middle;
        if (e->block[middle]->pc < pc) low = middle + 1;
        else high = middle;
    }
    for (unsigned i = 0; i < e->count; i++) {
        if (e->block[i]->pc == pc) return (int)i;
    }
    return -1;
}

static inline void later(struct unit *e, uint32_t at, unsigned block) {
    if (e->laters == MAX_LATER) A->failed = true;
    else e->later[e->laters++] = (struct later){at, (uint16_t)block};
}

// For another block, which is not of this unit.
static inline struct quick_exit *new_exit(struct unit *e, uint64_t pc) {
    if (e->sheet) return NULL;
    struct quick_exit *exit = &e->exit[e->exits++];  // there are as many as the blocks have
    quick_exit_init(exit, pc);
    return exit;
}

static inline struct cold *leave_by_exit(struct unit *e, uint32_t from, struct quick_exit *exit, uint64_t pc) {
    struct cold *c = cold(e, from, COLD_EXIT, exit);
    c->pc = pc;
    return c;
}

// In sheets a jump by way of the exit's word, in units one that is changed itself.
static inline void jump_to_exit(struct unit *e, struct quick_exit *exit, uint64_t pc) {
    if (!e->sheet) {
        leave_by_exit(e, asm_jump_later(A), exit, pc);
        return;
    }
    asm_byte(A, 0xff);  // jmp [rip + distance]
    asm_byte(A, 0x25);
    asm_32(A, 0);
    leave_by_exit(e, asm_offset(A) - 4, exit, pc)->direct = true;
}

static inline void count_pass(struct unit *e, unsigned block) {
    if (!e->counts) return;
    if (e->sheet) {
        quick_emit_sheet_count(e, block);
    } else {
        asm_near(A, 0xff, 1, e->unit->passes);
    }
    cold(e, asm_branch_later(A, CC_S), COLD_HOT, e->block[block]->code->cell)->pc = e->block[block]->pc;
}

// Goes to the block's next exit; `last`: at the block's end, so that there need be no jump to what comes next in the unit. Jumps back look for interrupts: every
// loop has one, since a block's end lies behind its start.
static inline void leave_block(struct unit *e, bool last) {
    const struct block *block = e->block[e->block_at];
    uint64_t pc = block->exit[e->own_exit++].pc;
    int inside = block_with(e, pc);
    struct quick_exit *exit = inside < 0 ? new_exit(e, pc) : NULL;
    if (pc <= block->pc) {
        uint32_t raised = asm_branch_later(A, poll(e));
        if (inside < 0) cold(e, raised, COLD_INTERRUPT_AT_EXIT, exit)->pc = pc;
        else cold(e, raised, COLD_INTERRUPT, e->block[inside]->code->cell)->pc = pc;
        if (inside >= 0 && (!e->sheet || e->loop[inside])) count_pass(e, (unsigned)inside);
    }
    e->falls = last && inside == (int)e->block_at + 1;
    if (inside < 0) jump_to_exit(e, exit, pc);
    else if (!e->falls) later(e, asm_jump_later(A), (unsigned)inside);
}

// ---- what several emitters need

// Opcodes with a register as destination; digits of shifts.
enum { ADD = 0x03, OR = 0x0b, AND = 0x23, SUB = 0x2b, XOR = 0x33, CMP = 0x3b, MULTIPLY = 0x0faf };
enum { SHL = 4, SHR = 5, SAR = 7, ROL = 0, ROR = 1 };  // digits

static inline void shift_by(struct unit *e, unsigned wide, unsigned digit, unsigned reg, int32_t count) {
    asm_rr(A, wide | 0xc1, digit, reg);
    asm_byte(A, (uint8_t)count);
}

static inline void reverse_bytes(struct unit *e, unsigned reg) {
    asm_opcode(A, WIDE | 0x0fc8 | (reg & 7), 0, reg, true);  // bswap
}

static inline void put_constant(struct unit *e, unsigned slot, uint64_t value) {
    unsigned to = destination(e, slot);
    asm_constant(A, to, value);
    put(e, slot, to);
}

static inline void put_pc(struct unit *e, unsigned slot, uint64_t pc) {
    unsigned to = destination(e, slot);
    get_pc(e, to, pc);
    put(e, slot, to);
}

static inline void put_condition(struct unit *e, unsigned slot, enum condition condition) {
    unsigned to = fresh(e);
    asm_rr(A, BYTE_RM | 0x0f90 | condition, 0, to);
    unsigned last = is_pinned(slot) ? quick_host.pin_of[slot] : to;
    asm_rr(A, BYTE_RM | 0x0fb6, last, to);
    put(e, slot, last);
}

static inline void compare(struct unit *e, unsigned b, unsigned c) {
    unsigned in_b = register_of(e, b);
    if (b == SLOT_ZERO && c != SLOT_ZERO) {
        with_slot(e, WIDE | CMP, in_register(e, SLOT_ZERO), c);
    } else if (c == SLOT_ZERO && in_b != NO_REGISTER) {
        asm_rr(A, WIDE | 0x85, in_b, in_b);
    } else if (c == SLOT_ZERO) {
        immediate_with_slot(e, WIDE, 7, b, 0);
    } else {
        with_slot(e, WIDE | CMP, in_register(e, b), c);
    }
}

// What a cell does about bytes side by side; false if that is nothing.
bool quick_emit_joined(struct unit *e, const struct cell *u, const struct join *join);

// ---- emitters: a cell's code, which is `code`. `x` is what the uop's row in uops_x86_64.def says.

#define EMITTER(name)                                                                                                           \
    void quick_emit_##name(struct unit *e, const struct cell *u __attribute__((unused)), unsigned code __attribute__((unused)), \
                           unsigned x __attribute__((unused)))
EMITTER(mov);
EMITTER(li);
EMITTER(alu);
EMITTER(alu32);
EMITTER(alu_immediate);
EMITTER(addiw);
EMITTER(alu_not);
EMITTER(shift_immediate);
EMITTER(shift32_immediate);
EMITTER(shift);
EMITTER(shift32);
EMITTER(set);
EMITTER(set_immediate);
EMITTER(multiply_high);
EMITTER(divide);
EMITTER(minimum);
EMITTER(shift_add);
EMITTER(slliuw);
EMITTER(extend);
EMITTER(count);
EMITTER(topbyte);
EMITTER(rev8);
EMITTER(bit);
EMITTER(bext);
EMITTER(bexti);
EMITTER(czero);
EMITTER(load);
EMITTER(load_boxed);
EMITTER(box);
EMITTER(store);
EMITTER(fence);
EMITTER(branch);
EMITTER(jump);
EMITTER(indirect);
EMITTER(double);
EMITTER(sqrt);
EMITTER(multiply_add);
EMITTER(equal);
EMITTER(less);
EMITTER(sign);
EMITTER(from_integer);
EMITTER(vector);
EMITTER(vector_access);
