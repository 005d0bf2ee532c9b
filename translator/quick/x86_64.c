// The quick tier's emitter for x86-64 hosts. r12 holds the cpu; most other general registers but rsp hold the pinned slots, the rest is free
// for what uops need. A slot that is not pinned is always up to date in memory, so that a fault finds it there; within a block a free
// register may have its value as well. A pinned one is up to date in memory only while no native code runs.
#ifdef __x86_64__
#include "runtime/base/arena.h"
#include "translator/interp/cells.h"
#include "translator/quick/assembler_x86_64.h"
#include "translator/ir/fp.h"
#include "translator/quick/quick.h"
#include <cpuid.h>

enum { CPU = R12 };
// From a block's first cell to its native entry and its pc.
enum {
    NATIVE = (int)offsetof(struct threaded, native) - (int)offsetof(struct threaded, cell),
    THREADED_PC = (int)offsetof(struct threaded, pc) - (int)offsetof(struct threaded, cell),
};
_Static_assert(NATIVE == (int)offsetof(struct native_exit, native) - (int)offsetof(struct native_exit, link), "a link is a target like others");

static const uint8_t pin_register[] = {RBX, RBP, R14, R15, R13, RSI, RDI, R8, R9, R10, R11};
enum { PINS = sizeof pin_register };
static const uint8_t free_register[] = {RAX, RCX, RDX};
enum { FREE_REGISTERS = sizeof free_register };

static uint8_t pin_of[CPU_SLOTS];  // host register of a slot, or NO_REGISTER
static uint8_t pinned[PINS];
static unsigned pin_count;
static struct quick_stubs stubs;
static struct {
    bool bmi2, lzcnt, bmi1, popcnt, fma;
} host;

enum { MAX_LATER = 4096, MAX_ACCESSES = 4096 };

// The unit under way; there is one at a time.
struct unit {
    struct assembler a;
    struct block *const *block;
    unsigned count, block_at;  // the block under way, an index
    unsigned exits, accesses, laters, colds;
    struct native_exit *exit;  // of the unit
    unsigned own_exit;         // of the block under way: the next one of block->exit
    uint8_t holds[FREE_REGISTERS];  // the slot whose value is there as well, or SLOT_SINK
    uint32_t since[FREE_REGISTERS], clock;  // when it came there
    uint32_t locked;           // registers that the uop under way uses
    const struct cell **own;
    uint32_t entry[QUICK_MAX_BLOCKS];
    struct quick_access access[MAX_ACCESSES];
    struct later {
        uint32_t at;
        uint16_t block;  // whose entry this goes to
    } later[MAX_LATER];
    // What is seldom executed stands behind everything else.
    struct cold {
        uint32_t from, back;  // jumps here; goes on there
        enum { COLD_EXIT, COLD_BODY, COLD_INTERRUPT, COLD_INTERRUPT_AT_EXIT, COLD_INDIRECT, COLD_NAN } kind;
        const void *what;     // native_exit, cell, first cell
        unsigned code, slot;
    } cold[MAX_LATER];
};

#define A (&e->a)

// ---- operands

static bool is_pinned(unsigned slot) {
    return pin_of[slot] != NO_REGISTER;
}

static int32_t place_of_slot(unsigned slot) {
    return (int32_t)(offsetof(struct cpu, slot) + 8 * slot);
}

static void forget_all(struct unit *e) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) e->holds[i] = SLOT_SINK;
}

static void forget(struct unit *e, unsigned slot) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (e->holds[i] == slot) e->holds[i] = SLOT_SINK;
    }
}

// The register that has a slot's value, or NO_REGISTER.
static unsigned register_of(const struct unit *e, unsigned slot) {
    if (is_pinned(slot)) return pin_of[slot];
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (e->holds[i] == slot && slot != SLOT_SINK) return free_register[i];
    }
    return NO_REGISTER;
}

static void lock(struct unit *e, unsigned reg) {
    e->locked |= 1u << reg;
}

// For this uop's own use.
static void claim(struct unit *e, unsigned reg) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (free_register[i] == reg) e->holds[i] = SLOT_SINK;
    }
    lock(e, reg);
}

// One that holds nothing, or what was put there longest ago.
static unsigned fresh(struct unit *e) {
    unsigned best = FREE_REGISTERS;
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (e->locked >> free_register[i] & 1) continue;
        if (best == FREE_REGISTERS || (e->holds[best] != SLOT_SINK && (e->holds[i] == SLOT_SINK || e->since[i] < e->since[best])))
            best = i;
    }
    claim(e, free_register[best]);  // no uop needs more than there are
    return free_register[best];
}

static void holds(struct unit *e, unsigned reg, unsigned slot) {
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (free_register[i] == reg) e->holds[i] = (uint8_t)slot, e->since[i] = ++e->clock;
    }
}

// An instruction with a register and a slot.
static void with_slot(struct unit *e, unsigned opcode, unsigned reg, unsigned slot) {
    unsigned has = register_of(e, slot);
    if (has != NO_REGISTER) asm_rr(A, opcode, reg, has);
    else asm_rm(A, opcode, reg, CPU, place_of_slot(slot));
}

static void immediate_with_slot(struct unit *e, unsigned wide, unsigned digit, unsigned slot, int32_t value) {
    unsigned has = register_of(e, slot);
    if (has != NO_REGISTER) asm_arithmetic_immediate(A, wide, digit, has, value);
    else asm_arithmetic_immediate_memory(A, wide, digit, CPU, place_of_slot(slot), value);
}

static void move(struct unit *e, unsigned to, unsigned from) {
    if (to != from) asm_rr(A, WIDE | 0x8b, to, from);
}

static void get(struct unit *e, unsigned reg, unsigned slot) {
    if (slot == SLOT_ZERO) asm_rr(A, 0x31, reg, reg);
    else if (register_of(e, slot) != reg) with_slot(e, WIDE | 0x8b, reg, slot);
}

// The low half, zero-extended.
static void get32(struct unit *e, unsigned reg, unsigned slot) {
    if (slot == SLOT_ZERO) asm_rr(A, 0x31, reg, reg);
    else with_slot(e, 0x8b, reg, slot);
}

static unsigned in_register(struct unit *e, unsigned slot) {
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
static unsigned destination(struct unit *e, unsigned slot) {
    return is_pinned(slot) ? pin_of[slot] : fresh(e);
}

// The same with the value of another slot in it, or of this one itself. What is in its place now is not to be a later operand.
static unsigned destination_with(struct unit *e, unsigned slot, unsigned other) {
    unsigned has = slot == other ? register_of(e, slot) : NO_REGISTER;
    unsigned to = has != NO_REGISTER ? has : destination(e, slot);
    get(e, to, other);
    lock(e, to);
    return to;
}

static void put(struct unit *e, unsigned slot, unsigned reg) {
    if (is_pinned(slot)) {
        move(e, pin_of[slot], reg);
    } else if (slot != SLOT_SINK) {
        asm_rm(A, WIDE | 0x89, reg, CPU, place_of_slot(slot));
        forget(e, slot);
        holds(e, reg, slot);
    } else {
        claim(e, reg);
    }
}

// Of a 32-bit result, in a register of this uop's own.
static void put_extended(struct unit *e, unsigned slot, unsigned reg) {
    unsigned to = is_pinned(slot) ? pin_of[slot] : reg;
    asm_rr(A, WIDE | 0x63, to, reg);  // movsxd
    put(e, slot, to);
}

// ---- ways out

static struct cold *cold(struct unit *e, uint32_t from, unsigned kind, const void *what) {
    static struct cold surplus;
    if (e->colds == MAX_LATER) {
        A->failed = true;
        return &surplus;
    }
    struct cold *c = &e->cold[e->colds++];
    *c = (struct cold){.from = from, .kind = kind, .what = what};
    return c;
}

static void call_body(struct unit *e, const struct cell *u, unsigned code) {
    asm_constant(A, RAX, (uintptr_t)u);
    asm_constant(A, RDX, (uintptr_t)interp_body[code]);
    asm_call(A, stubs.body);
    forget_all(e);
}

// The uop's body instead, if the flags say so.
static struct cold *body_if(struct unit *e, enum condition condition, const struct cell *u, unsigned code) {
    struct cold *c = cold(e, asm_branch_later(A, condition), COLD_BODY, u);
    c->code = code;
    return c;
}

static void come_back(struct unit *e, struct cold *c) {
    c->back = asm_offset(A);
    if (c->kind == COLD_BODY) forget_all(e);
}

static void note_access(struct unit *e, const struct cell *u) {
    if (e->accesses == MAX_ACCESSES) A->failed = true;
    else e->access[e->accesses++] = (struct quick_access){asm_offset(A), (uint16_t)e->block_at, u->d};
}

static void poll(struct unit *e) {
    asm_rm(A, 0x83, 7, CPU, offsetof(struct cpu, pending));  // cmp dword
    asm_byte(A, 0);
}

static int block_with(const struct unit *e, uint64_t pc) {
    for (unsigned i = 0; i < e->count; i++) {
        if (e->block[i]->pc == pc) return (int)i;
    }
    return -1;
}

static void later(struct unit *e, uint32_t at, unsigned block) {
    if (e->laters == MAX_LATER) A->failed = true;
    else e->later[e->laters++] = (struct later){at, (uint16_t)block};
}

static struct native_exit *new_exit(struct unit *e, uint64_t pc) {
    struct native_exit *exit = &e->exit[e->exits++];  // there are as many as the blocks have
    *exit = (struct native_exit){.pc = pc, .native = stubs.leave, .link = {.handler = cell_handler_native_link}};
    exit->target = &exit->link;
    return exit;
}

static void go_to_exit(struct unit *e, const struct native_exit *exit) {
    asm_near(A, WIDE | 0x8b, RCX, &exit->target);
    asm_rm(A, 0xff, 4, RCX, NATIVE);  // jmp
}

// Goes to the block's next exit. Jumps back look for interrupts: every loop has one, since a block's end lies behind its start.
static void leave_block(struct unit *e) {
    const struct block *block = e->block[e->block_at];
    uint64_t pc = block->exit[e->own_exit++].pc;
    int inside = block_with(e, pc);
    struct native_exit *exit = inside < 0 ? new_exit(e, pc) : NULL;
    if (pc <= block->pc) {
        poll(e);
        uint32_t raised = asm_branch_later(A, CC_NE);
        if (exit) cold(e, raised, COLD_INTERRUPT_AT_EXIT, exit);
        else cold(e, raised, COLD_INTERRUPT, e->own[inside]);
    }
    if (exit) go_to_exit(e, exit);
    else later(e, asm_jump_later(A), (unsigned)inside);
}

// ---- uops: functions that some of them share, with what distinguishes them as `x`

typedef void emitter(struct unit *e, const struct cell *u, unsigned code, unsigned x);

static void emit_mov(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    if (is_pinned(u->a)) get(e, pin_of[u->a], u->b);
    else put(e, u->a, in_register(e, u->b));
}

static void emit_constant(struct unit *e, unsigned slot, uint64_t value) {
    unsigned to = destination(e, slot);
    asm_constant(A, to, value);
    put(e, slot, to);
}

static void emit_li(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    emit_constant(e, u->a, (uint64_t)(int64_t)u->imm);
}

enum { ADD = 0x03, OR = 0x0b, AND = 0x23, SUB = 0x2b, XOR = 0x33, CMP = 0x3b };

// x: the opcode with a register as destination
static void emit_alu(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned a = u->a, b = u->b, c = u->c;
    if (x != SUB && c == a) b = u->c, c = u->b;
    unsigned in_b = register_of(e, b), in_c = register_of(e, c), to;
    if (x == ADD && a != b && in_b != NO_REGISTER && in_c != NO_REGISTER) {
        lock(e, in_b), lock(e, in_c);
        to = destination(e, a);
        asm_rx(A, WIDE | 0x8d, to, in_b, in_c, 1, 0);
    } else if (c == a && a != b && is_pinned(a)) {  // the destination is the second source
        to = fresh(e);
        get(e, to, b);
        with_slot(e, WIDE | x, to, c);
    } else {
        if (in_c != NO_REGISTER) lock(e, in_c);
        to = destination_with(e, a, b);
        with_slot(e, WIDE | x, to, c);
    }
    put(e, a, to);
}

// x: the opcode; the low halves
static void emit_alu32(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned in_c = register_of(e, u->c);
    if (in_c != NO_REGISTER) lock(e, in_c);
    unsigned to = fresh(e);
    get32(e, to, u->b);
    with_slot(e, x, to, u->c);
    put_extended(e, u->a, to);
}

// x: the digit of the arithmetic operation
static void emit_alu_immediate(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned in_b = register_of(e, u->b), to;
    if (x == 0 && in_b != NO_REGISTER && u->a != u->b) {
        lock(e, in_b);
        to = destination(e, u->a);
        asm_rm(A, WIDE | 0x8d, to, in_b, u->imm);
    } else {
        to = destination_with(e, u->a, u->b);
        asm_arithmetic_immediate(A, WIDE, x, to, u->imm);
    }
    put(e, u->a, to);
}

static void emit_addiw(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    unsigned in_b = register_of(e, u->b);
    if (in_b != NO_REGISTER) lock(e, in_b);
    if (u->imm == 0) {
        unsigned to = destination(e, u->a);
        with_slot(e, WIDE | 0x63, to, u->b);
        put(e, u->a, to);
        return;
    }
    unsigned to = fresh(e);
    if (in_b != NO_REGISTER) {
        asm_rm(A, 0x8d, to, in_b, u->imm);
    } else {
        get32(e, to, u->b);
        asm_arithmetic_immediate(A, 0, 0, to, u->imm);
    }
    put_extended(e, u->a, to);
}

// x: 1 to complement c before, | 2 to complement the result; the opcode << 8
static void emit_alu_not(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned in_b = register_of(e, u->b);
    if (in_b != NO_REGISTER) lock(e, in_b);
    unsigned to = fresh(e);
    get(e, to, u->c);
    if (x & 1) asm_rr(A, WIDE | 0xf7, 2, to);
    with_slot(e, WIDE | x >> 8, to, u->b);
    if (x & 2) asm_rr(A, WIDE | 0xf7, 2, to);
    put(e, u->a, to);
}

enum { SHL = 4, SHR = 5, SAR = 7, ROL = 0, ROR = 1 };

static void shift_by(struct unit *e, unsigned wide, unsigned digit, unsigned reg, int32_t count) {
    asm_rr(A, wide | 0xc1, digit, reg);
    asm_byte(A, (uint8_t)count);
}

// x: the digit of the shift
static void emit_shift_immediate(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned to = destination_with(e, u->a, u->b);
    if (u->imm & 63) shift_by(e, WIDE, x, to, u->imm & 63);
    put(e, u->a, to);
}

static void emit_shift32_immediate(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned count = u->imm & 31, in_b = register_of(e, u->b);
    if (in_b != NO_REGISTER) lock(e, in_b);
    if (x == SHR && count) {  // the result's sign is known
        unsigned to = destination(e, u->a);
        get32(e, to, u->b);
        shift_by(e, 0, x, to, (int32_t)count);
        put(e, u->a, to);
        return;
    }
    unsigned to = fresh(e);
    get32(e, to, u->b);
    if (count) shift_by(e, 0, x, to, (int32_t)count);
    put_extended(e, u->a, to);
}

static unsigned shift_prefix(unsigned digit) {  // of the BMI2 instructions
    return digit == SHL ? 1 : digit == SHR ? 3 : 2;
}

// x: the digit of the shift; the result is in a register of this uop's own, or in the place of `slot` if that is pinned
static unsigned shift_variable(struct unit *e, bool wide, unsigned digit, unsigned slot, unsigned from, unsigned count) {
    if (host.bmi2 && digit >= SHL) {
        unsigned by = in_register(e, count), in = register_of(e, from);
        if (in != NO_REGISTER) lock(e, in);
        unsigned to = destination(e, slot);
        if (in != NO_REGISTER) asm_vex_rr(A, shift_prefix(digit), wide, 0xf7, to, by, in);
        else asm_vex_rm(A, shift_prefix(digit), wide, 0xf7, to, by, CPU, place_of_slot(from));
        return to;
    }
    claim(e, RCX);
    get(e, RCX, count);
    unsigned to = fresh(e);
    get(e, to, from);
    asm_rr(A, (wide ? WIDE : 0) | 0xd3, digit, to);
    return to;
}

static void emit_shift(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    put(e, u->a, shift_variable(e, true, x, u->a, u->b, u->c));
}

static void emit_shift32(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    put_extended(e, u->a, shift_variable(e, false, x, u->a, u->b, u->c));
}

static void emit_roriw(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    unsigned to = fresh(e);
    get32(e, to, u->b);
    if (u->imm & 31) shift_by(e, 0, ROR, to, u->imm & 31);
    put_extended(e, u->a, to);
}

static void put_condition(struct unit *e, unsigned slot, enum condition condition) {
    unsigned to = fresh(e);
    asm_rr(A, BYTE_RM | 0x0f90 | condition, 0, to);
    unsigned last = is_pinned(slot) ? pin_of[slot] : to;
    asm_rr(A, BYTE_RM | 0x0fb6, last, to);
    put(e, slot, last);
}

static void compare(struct unit *e, unsigned b, unsigned c) {
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

// x: the condition
static void emit_set(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    compare(e, u->b, u->c);
    put_condition(e, u->a, x);
}

static void emit_set_immediate(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    immediate_with_slot(e, WIDE, 7, u->b, u->imm);
    put_condition(e, u->a, x);
}

// x: WIDE or 0
static void emit_multiply(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned in_c = register_of(e, u->c);
    if (in_c != NO_REGISTER) lock(e, in_c);
    unsigned to = fresh(e);
    get(e, to, u->b);
    with_slot(e, x | 0x0faf, to, u->c);
    if (x) put(e, u->a, to);
    else put_extended(e, u->a, to);
}

// x: the digit of the one-operand form: 4 mul, 5 imul
static void emit_multiply_high(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    claim(e, RAX), claim(e, RDX);
    get(e, RAX, u->b);
    with_slot(e, WIDE | 0xf7, x, u->c);
    put(e, u->a, RDX);
}

// x: WIDE, | 1 for the remainder, | 2 for signed operands. Divisors 0 and, where signed, -1 are the body's.
static void emit_divide(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    unsigned wide = x & WIDE;
    claim(e, RAX), claim(e, RCX), claim(e, RDX);
    if (wide) get(e, RCX, u->c);
    else get32(e, RCX, u->c);
    struct cold *c;
    if (x & 2) {
        asm_rm(A, wide | 0x8d, RDX, RCX, 1);
        asm_arithmetic_immediate(A, wide, 7, RDX, 1);
        c = body_if(e, CC_BE, u, code);
    } else {
        asm_rr(A, wide | 0x85, RCX, RCX);
        c = body_if(e, CC_E, u, code);
    }
    if (wide) get(e, RAX, u->b);
    else get32(e, RAX, u->b);
    if (x & 2) {
        if (wide) asm_byte(A, 0x48);
        asm_byte(A, 0x99);  // cqo, cdq
    } else {
        asm_rr(A, 0x31, RDX, RDX);
    }
    asm_rr(A, wide | 0xf7, x & 2 ? 7 : 6, RCX);
    unsigned result = x & 1 ? RDX : RAX;
    if (wide) put(e, u->a, result);
    else put_extended(e, u->a, result);
    come_back(e, c);
}

// x: the condition under which c is taken
static void emit_minimum(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned c = in_register(e, u->c), to = fresh(e);
    get(e, to, u->b);
    asm_rr(A, WIDE | CMP, to, c);
    asm_rr(A, WIDE | 0x0f40 | x, to, c);
    put(e, u->a, to);
}

// x: log2 of the factor, | 4 if b is a 32-bit unsigned value
static void emit_shift_add(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned b, c = in_register(e, u->c);
    if (x & 4) {
        b = fresh(e);
        get32(e, b, u->b);
    } else {
        b = in_register(e, u->b);
    }
    unsigned to = is_pinned(u->a) ? pin_of[u->a] : x & 4 ? b : fresh(e);
    asm_rx(A, WIDE | 0x8d, to, c, b, 1u << (x & 3), 0);
    put(e, u->a, to);
}

static void emit_slliuw(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    unsigned to = destination(e, u->a);
    get32(e, to, u->b);
    if (u->imm) shift_by(e, WIDE, SHL, to, u->imm);
    put(e, u->a, to);
}

// x: the opcode that extends
static void emit_extend(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned to = destination(e, u->a);
    with_slot(e, x, to, u->b);
    put(e, u->a, to);
}

// x: the opcode of a host instruction of one operand, which not every host has
static void emit_count(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    bool has = (x & 0xff) == 0xbd ? host.lzcnt : (x & 0xff) == 0xbc ? host.bmi1 : host.popcnt;
    if (!has) {
        call_body(e, u, code);
        return;
    }
    unsigned in_b = register_of(e, u->b);
    if (in_b != NO_REGISTER) lock(e, in_b);
    unsigned to = destination(e, u->a);
    if (to != in_b) asm_rr(A, 0x31, to, to);  // these wait for the destination on some processors
    with_slot(e, x, to, u->b);
    put(e, u->a, to);
}

static void emit_rev8(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    unsigned to = destination_with(e, u->a, u->b);
    asm_opcode(A, WIDE | 0x0fc8 | (to & 7), 0, to, true);
    put(e, u->a, to);
}

// x: bts, btr, btc with a register as the bit's number
static void emit_bit(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned bit = in_register(e, u->c), to = fresh(e);
    get(e, to, u->b);
    asm_rr(A, WIDE | x, bit, to);
    put(e, u->a, to);
}

static void emit_bext(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    unsigned bit = in_register(e, u->c), from = in_register(e, u->b);
    asm_rr(A, WIDE | 0x0fa3, bit, from);
    put_condition(e, u->a, CC_B);
}

static void emit_bexti(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    unsigned to = destination_with(e, u->a, u->b);
    if (u->imm & 63) shift_by(e, WIDE, SHR, to, u->imm & 63);
    asm_arithmetic_immediate(A, 0, 4, to, 1);
    put(e, u->a, to);
}

// x: the condition, after a test of c, under which the result is 0
static void emit_czero(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned in_c = register_of(e, u->c);
    if (in_c != NO_REGISTER) lock(e, in_c);
    unsigned zero = fresh(e), to = fresh(e);
    asm_rr(A, 0x31, zero, zero);
    get(e, to, u->b);
    immediate_with_slot(e, WIDE, 7, u->c, 0);
    asm_rr(A, WIDE | 0x0f40 | x, to, zero);
    put(e, u->a, to);
}

// x: the opcode that loads
static void emit_load(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned base = in_register(e, u->b), to = destination(e, u->a);
    note_access(e, u);
    asm_rm(A, x, to, base, u->imm);
    put(e, u->a, to);
}

// x: how many low bits are loaded, 16 or 32; the rest is ones
static void emit_load_boxed(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned base = in_register(e, u->b), to = fresh(e), ones = fresh(e);
    note_access(e, u);
    asm_rm(A, x == 16 ? 0x0fb7 : 0x8b, to, base, u->imm);
    asm_constant(A, ones, ~UINT64_C(0) << x);
    asm_rr(A, WIDE | 0x09, ones, to);
    put(e, u->a, to);
}

static void emit_box(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned in_b = register_of(e, u->b);
    if (in_b != NO_REGISTER) lock(e, in_b);
    unsigned to = fresh(e);
    asm_constant(A, to, ~UINT64_C(0) << x);
    with_slot(e, WIDE | OR, to, u->b);
    put(e, u->a, to);
}

// x: the opcode that stores a register
static void emit_store(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    unsigned base = in_register(e, u->b);
    if (u->c == SLOT_ZERO && (x & 0xff0000) == 0) {  // 16 bits have an immediate of another length
        note_access(e, u);
        asm_rm(A, (x & WIDE) | ((x & 0xff) == 0x88 ? 0xc6 : 0xc7), 0, base, u->imm);
        if ((x & 0xff) == 0x88) asm_byte(A, 0);
        else asm_32(A, 0);
        return;
    }
    unsigned value = in_register(e, u->c);
    note_access(e, u);
    asm_rm(A, x, value, base, u->imm);
}

// x: the condition under which it is taken. What is taken goes on behind the rest unless it is a loop.
static void emit_branch(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    const struct block *block = e->block[e->block_at];
    compare(e, u->b, u->c);
    uint64_t pc = block->exit[e->own_exit].pc;
    int inside = block_with(e, pc);
    if (pc <= block->pc) {  // a loop, for all that matters
        uint32_t past = asm_branch_later(A, x ^ 1);
        leave_block(e);
        asm_land(A, past);
        return;
    }
    uint32_t taken = asm_branch_later(A, x);
    e->own_exit++;
    if (inside >= 0) later(e, taken, (unsigned)inside);
    else cold(e, taken, COLD_EXIT, new_exit(e, pc));
}

static void emit_jump(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)u, (void)code, (void)x;
    leave_block(e);
}

static void emit_indirect(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    unsigned in_b = register_of(e, u->b);
    if (in_b != NO_REGISTER) {
        asm_rm(A, WIDE | 0x8d, RAX, in_b, u->imm);
    } else {
        get(e, RAX, u->b);
        if (u->imm) asm_arithmetic_immediate(A, WIDE, 0, RAX, u->imm);
    }
    asm_arithmetic_immediate(A, WIDE, 4, RAX, -2);
    move(e, RDX, RAX);
    poll(e);
    cold(e, asm_branch_later(A, CC_NE), COLD_INDIRECT, NULL);
    shift_by(e, 0, SHR, RDX, 1);
    asm_rr(A, 0x81, 4, RDX);
    asm_32(A, CPU_JUMPS - 1);
    asm_rx(A, WIDE | 0x8b, RCX, CPU, RDX, 8, offsetof(struct cpu, jump));
    asm_rr(A, WIDE | 0x85, RCX, RCX);
    cold(e, asm_branch_later(A, CC_E), COLD_INDIRECT, NULL);
    asm_rm(A, WIDE | CMP, RAX, RCX, THREADED_PC);
    cold(e, asm_branch_later(A, CC_NE), COLD_INDIRECT, NULL);
    asm_rm(A, 0xff, 4, RCX, NATIVE);
}

// ---- floating point: double precision in the host's current rounding mode, whose flags are the guest's. NaN results are the canonical one.

enum { LOAD_D = 0xf20f10, STORE_D = 0xf20f11, COMPARE_QUIET_D = 0x660f2e, COMPARE_D = 0x660f2f };

static void put_double(struct unit *e, unsigned slot) {
    asm_rm(A, STORE_D, 0, CPU, place_of_slot(slot));
    forget(e, slot);
}

static void check_nan(struct unit *e, unsigned slot) {
    asm_rr(A, COMPARE_QUIET_D, 0, 0);
    struct cold *c = cold(e, asm_branch_later(A, CC_P), COLD_NAN, NULL);
    c->slot = slot;
    put_double(e, slot);
    come_back(e, c);
}

// x: the opcode
static void emit_double(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    asm_rm(A, LOAD_D, 0, CPU, place_of_slot(u->b));
    asm_rm(A, x, 0, CPU, place_of_slot(u->c));
    check_nan(e, u->a);
}

static void emit_sqrt(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    asm_rr(A, 0x0f57, 0, 0);  // xorps: sqrtsd keeps the upper half
    asm_rm(A, x, 0, CPU, place_of_slot(u->b));
    check_nan(e, u->a);
}

// x: the opcode of the fused form 231
static void emit_multiply_add(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    if (!host.fma) {
        call_body(e, u, code);
        return;
    }
    asm_rm(A, LOAD_D, 0, CPU, place_of_slot(u->d));
    asm_rm(A, LOAD_D, 1, CPU, place_of_slot(u->b));
    asm_vex_rm(A, 1, true, x, 0, 1, CPU, place_of_slot(u->c));
    asm_rr(A, COMPARE_QUIET_D, 0, 0);
    struct cold *c = body_if(e, CC_P, u, code);
    put_double(e, u->a);
    come_back(e, c);
}

static void emit_equal(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code, (void)x;
    unsigned ordered = fresh(e), to = fresh(e);
    asm_rm(A, LOAD_D, 0, CPU, place_of_slot(u->b));
    asm_rm(A, COMPARE_QUIET_D, 0, CPU, place_of_slot(u->c));
    asm_rr(A, BYTE_RM | 0x0f90 | CC_NP, 0, ordered);
    asm_rr(A, BYTE_RM | 0x0f90 | CC_E, 0, to);
    asm_rr(A, 0x21, ordered, to);
    asm_rr(A, BYTE_RM | 0x0fb6, to, to);
    put(e, u->a, to);
}

// b < c: c is above b. x: the condition, | 256 if quiet
static void emit_less(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    (void)code;
    asm_rm(A, LOAD_D, 0, CPU, place_of_slot(u->c));
    asm_rm(A, x >> 8 ? COMPARE_QUIET_D : COMPARE_D, 0, CPU, place_of_slot(u->b));
    put_condition(e, u->a, x & 15);
}

// x: what makes the sign of a double that gets it from itself: the digit of bt with an immediate, or 0 to leave it
static void emit_sign(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    if (u->b != u->c) {
        call_body(e, u, code);
        return;
    }
    unsigned to = destination_with(e, u->a, u->b);
    if (x) {
        asm_rr(A, WIDE | 0x0fba, x, to);
        asm_byte(A, 63);
    }
    put(e, u->a, to);
}

// x: WIDE or 0: the integer's width; exact, or rounded by the host's mode
static void emit_from_integer(struct unit *e, const struct cell *u, unsigned code, unsigned x) {
    const struct block *block = e->block[e->block_at];
    if (x && (u->imm != FP_DYN || block->mode & (MODE_RM_AWAY | MODE_RM_BAD))) {
        call_body(e, u, code);
        return;
    }
    asm_rr(A, 0x0f57, 0, 0);
    with_slot(e, x | 0xf20f2a, 0, u->b);
    put_double(e, u->a);
}

static const struct {
    emitter *emit;
    unsigned x;
} emitters[UOP_COUNT_OF_CODES] = {
    [UOP_mov] = {emit_mov, 0},
    [UOP_li] = {emit_li, 0},
    [UOP_add] = {emit_alu, ADD},
    [UOP_sub] = {emit_alu, SUB},
    [UOP_and] = {emit_alu, AND},
    [UOP_or] = {emit_alu, OR},
    [UOP_xor] = {emit_alu, XOR},
    [UOP_andn] = {emit_alu_not, AND << 8 | 1},
    [UOP_orn] = {emit_alu_not, OR << 8 | 1},
    [UOP_xnor] = {emit_alu_not, XOR << 8 | 2},
    [UOP_sll] = {emit_shift, SHL},
    [UOP_srl] = {emit_shift, SHR},
    [UOP_sra] = {emit_shift, SAR},
    [UOP_rol] = {emit_shift, ROL},
    [UOP_ror] = {emit_shift, ROR},
    [UOP_slt] = {emit_set, CC_L},
    [UOP_sltu] = {emit_set, CC_B},
    [UOP_addi] = {emit_alu_immediate, 0},
    [UOP_ori] = {emit_alu_immediate, 1},
    [UOP_andi] = {emit_alu_immediate, 4},
    [UOP_xori] = {emit_alu_immediate, 6},
    [UOP_slli] = {emit_shift_immediate, SHL},
    [UOP_srli] = {emit_shift_immediate, SHR},
    [UOP_srai] = {emit_shift_immediate, SAR},
    [UOP_rori] = {emit_shift_immediate, ROR},
    [UOP_slti] = {emit_set_immediate, CC_L},
    [UOP_sltiu] = {emit_set_immediate, CC_B},
    [UOP_mul] = {emit_multiply, WIDE},
    [UOP_mulw] = {emit_multiply, 0},
    [UOP_mulh] = {emit_multiply_high, 5},
    [UOP_mulhu] = {emit_multiply_high, 4},
    [UOP_div] = {emit_divide, WIDE | 2},
    [UOP_divu] = {emit_divide, WIDE},
    [UOP_rem] = {emit_divide, WIDE | 2 | 1},
    [UOP_remu] = {emit_divide, WIDE | 1},
    [UOP_divw] = {emit_divide, 2},
    [UOP_divuw] = {emit_divide, 0},
    [UOP_remw] = {emit_divide, 2 | 1},
    [UOP_remuw] = {emit_divide, 1},
    [UOP_min] = {emit_minimum, CC_G},
    [UOP_max] = {emit_minimum, CC_L},
    [UOP_minu] = {emit_minimum, CC_A},
    [UOP_maxu] = {emit_minimum, CC_B},
    [UOP_clz] = {emit_count, WIDE | 0xf30fbd},
    [UOP_ctz] = {emit_count, WIDE | 0xf30fbc},
    [UOP_cpop] = {emit_count, WIDE | 0xf30fb8},
    [UOP_clzw] = {emit_count, 0xf30fbd},
    [UOP_ctzw] = {emit_count, 0xf30fbc},
    [UOP_cpopw] = {emit_count, 0xf30fb8},
    [UOP_rev8] = {emit_rev8, 0},
    [UOP_bset] = {emit_bit, 0x0fab},
    [UOP_bclr] = {emit_bit, 0x0fb3},
    [UOP_binv] = {emit_bit, 0x0fbb},
    [UOP_bext] = {emit_bext, 0},
    [UOP_bexti] = {emit_bexti, 0},
    [UOP_sh1add] = {emit_shift_add, 1},
    [UOP_sh2add] = {emit_shift_add, 2},
    [UOP_sh3add] = {emit_shift_add, 3},
    [UOP_adduw] = {emit_shift_add, 4},
    [UOP_sh1adduw] = {emit_shift_add, 4 | 1},
    [UOP_sh2adduw] = {emit_shift_add, 4 | 2},
    [UOP_sh3adduw] = {emit_shift_add, 4 | 3},
    [UOP_slliuw] = {emit_slliuw, 0},
    [UOP_czeroeqz] = {emit_czero, CC_E},
    [UOP_czeronez] = {emit_czero, CC_NE},
    [UOP_addw] = {emit_alu32, ADD},
    [UOP_subw] = {emit_alu32, SUB},
    [UOP_addiw] = {emit_addiw, 0},
    [UOP_sllw] = {emit_shift32, SHL},
    [UOP_srlw] = {emit_shift32, SHR},
    [UOP_sraw] = {emit_shift32, SAR},
    [UOP_rolw] = {emit_shift32, ROL},
    [UOP_rorw] = {emit_shift32, ROR},
    [UOP_slliw] = {emit_shift32_immediate, SHL},
    [UOP_srliw] = {emit_shift32_immediate, SHR},
    [UOP_sraiw] = {emit_shift32_immediate, SAR},
    [UOP_roriw] = {emit_roriw, 0},
    [UOP_sextb] = {emit_extend, WIDE | BYTE_RM | 0x0fbe},
    [UOP_sexth] = {emit_extend, WIDE | 0x0fbf},
    [UOP_sextw] = {emit_extend, WIDE | 0x63},
    [UOP_zextb] = {emit_extend, BYTE_RM | 0x0fb6},
    [UOP_zexth] = {emit_extend, 0x0fb7},
    [UOP_zextw] = {emit_extend, 0x8b},
    [UOP_ld8s] = {emit_load, WIDE | 0x0fbe},
    [UOP_ld8u] = {emit_load, 0x0fb6},
    [UOP_ld16s] = {emit_load, WIDE | 0x0fbf},
    [UOP_ld16u] = {emit_load, 0x0fb7},
    [UOP_ld32s] = {emit_load, WIDE | 0x63},
    [UOP_ld32u] = {emit_load, 0x8b},
    [UOP_ld64] = {emit_load, WIDE | 0x8b},
    [UOP_ld16f] = {emit_load_boxed, 16},
    [UOP_ld32f] = {emit_load_boxed, 32},
    [UOP_st8] = {emit_store, BYTE_REG | 0x88},
    [UOP_st16] = {emit_store, 0x660089},
    [UOP_st32] = {emit_store, 0x89},
    [UOP_st64] = {emit_store, WIDE | 0x89},
    [UOP_fbox16] = {emit_box, 16},
    [UOP_fbox32] = {emit_box, 32},
    [UOP_beq] = {emit_branch, CC_E},
    [UOP_bne] = {emit_branch, CC_NE},
    [UOP_blt] = {emit_branch, CC_L},
    [UOP_bge] = {emit_branch, CC_GE},
    [UOP_bltu] = {emit_branch, CC_B},
    [UOP_bgeu] = {emit_branch, CC_AE},
    [UOP_jump] = {emit_jump, 0},
    [UOP_jumpr] = {emit_indirect, 0},
    [UOP_fadd_d] = {emit_double, 0xf20f58},
    [UOP_fsub_d] = {emit_double, 0xf20f5c},
    [UOP_fmul_d] = {emit_double, 0xf20f59},
    [UOP_fdiv_d] = {emit_double, 0xf20f5e},
    [UOP_fsqrt_d] = {emit_sqrt, 0xf20f51},
    [UOP_fmadd_d] = {emit_multiply_add, 0xb9},
    [UOP_fmsub_d] = {emit_multiply_add, 0xbb},
    [UOP_fnmsub_d] = {emit_multiply_add, 0xbd},
    [UOP_fnmadd_d] = {emit_multiply_add, 0xbf},
    [UOP_feq_d] = {emit_equal, 0},
    [UOP_flt_d] = {emit_less, CC_A},
    [UOP_fle_d] = {emit_less, CC_AE},
    [UOP_fltq_d] = {emit_less, 1 << 8 | CC_A},
    [UOP_fleq_d] = {emit_less, 1 << 8 | CC_AE},
    [UOP_fsgnj_d] = {emit_sign, 0},
    [UOP_fsgnjn_d] = {emit_sign, 7},
    [UOP_fsgnjx_d] = {emit_sign, 6},
    [UOP_fcvt_d_w] = {emit_from_integer, 0},
    [UOP_fcvt_d_l] = {emit_from_integer, WIDE},
};

// ---- units

static void emit_cell(struct unit *e, const struct cell *u, unsigned code) {
    e->locked = 0;
    if (code == CELL_li64) {
        emit_constant(e, u->a, cell_wide(u + 1));
    } else if (code >= UOP_COUNT_OF_CODES) {  // of these only counts are in the list
        asm_arithmetic_immediate_memory(A, WIDE, 0, CPU, offsetof(struct cpu, native_instructions), u->imm);
    } else if (emitters[code].emit) {
        emitters[code].emit(e, u, code, emitters[code].x);
    } else {
        call_body(e, u, code);
    }
}

static void emit_block(struct unit *e, unsigned at) {
    const struct block *block = e->block[at];
    const struct layout *about = block->code->about;
    e->block_at = at;
    e->own_exit = 0;
    forget_all(e);
    e->entry[at] = asm_offset(A);
    for (unsigned i = 0, code; i < block->count; i += cell_width(code)) {
        const struct cell *u = &block->code->cell[i];
        code = about->cell_code[2 * i];
        if (code != CELL_OTHER || u->handler == cell_handler_count) emit_cell(e, u, code);  // else it is data
    }
}

static void emit_cold(struct unit *e, const struct cold *c) {
    asm_land(A, c->from);
    switch (c->kind) {
    case COLD_EXIT: go_to_exit(e, c->what); return;
    case COLD_INTERRUPT:
        asm_constant(A, RCX, (uintptr_t)c->what);
        asm_jump(A, stubs.leave);
        return;
    case COLD_INTERRUPT_AT_EXIT:
        asm_near(A, WIDE | 0x8b, RCX, &((const struct native_exit *)c->what)->target);
        asm_jump(A, stubs.leave);
        return;
    case COLD_INDIRECT: asm_jump(A, stubs.indirect); return;
    case COLD_BODY: call_body(e, c->what, c->code); break;
    case COLD_NAN:
        asm_rm(A, 0xc7, 0, CPU, place_of_slot(c->slot));  // by halves: no register is free
        asm_32(A, (int32_t)FP_NAN_D);
        asm_rm(A, 0xc7, 0, CPU, place_of_slot(c->slot) + 4);
        asm_32(A, (int32_t)(FP_NAN_D >> 32));
        break;
    }
    asm_land_at(A, asm_jump_later(A), c->back);
}

static void emit_all(struct unit *e) {
    for (unsigned i = 0; i < e->count; i++) emit_block(e, i);
    for (unsigned i = 0; i < e->laters; i++) asm_land_at(A, e->later[i].at, e->entry[e->later[i].block]);
    for (unsigned i = 0; i < e->colds; i++) emit_cold(e, &e->cold[i]);
}

static struct quick_unit *keep(const struct unit *e, struct arena *arena) {
    struct quick_unit *unit = arena_alloc(arena, sizeof *unit, 16);
    struct block **block = arena_alloc(arena, e->count * sizeof(*block), 8);
    struct quick_access *access = arena_alloc(arena, e->accesses * sizeof(*access) + 1, 8);
    memcpy(block, e->block, e->count * sizeof(*block));
    memcpy(access, e->access, e->accesses * sizeof(*access));
    *unit = (struct quick_unit){.code = (const uint8_t *)A->address,
                                .bytes = asm_offset(A),
                                .blocks = e->count,
                                .accesses = e->accesses,
                                .access = access,
                                .block = block};
    memcpy(unit->entry, e->entry, sizeof unit->entry);
    return unit;
}

struct quick_unit *quick_emit(struct arena *arena, struct block *const *blocks, unsigned count, uint8_t *buffer, size_t size,
                              uintptr_t at) {
    static struct unit unit;
    const struct cell *own[QUICK_MAX_BLOCKS];
    struct unit *e = &unit;
    unsigned exits = 0;
    for (unsigned i = 0; i < count; i++) exits += blocks[i]->exits, own[i] = blocks[i]->code->cell;
    *A = (struct assembler){.at = buffer, .start = buffer, .limit = buffer + size, .address = at};
    e->block = blocks, e->count = count, e->own = own;
    e->exits = e->accesses = e->laters = e->colds = 0;
    e->exit = arena_alloc(arena, exits * sizeof *e->exit + 1, 8);
    emit_all(e);
    return A->failed ? NULL : keep(e, arena);
}

void quick_install(struct quick_unit *unit) {
    for (unsigned i = 0; i < unit->blocks; i++) {
        struct block *block = unit->block[i];
        __atomic_store_n(&block->unit, unit, __ATOMIC_RELAXED);
        if (block->code->cell->handler != cell_handler_reheat) block->handler = block->code->cell->handler;
        __atomic_store_n(&block->code->native, unit->code + unit->entry[i], __ATOMIC_RELEASE);
        __atomic_store_n(&block->code->cell->handler, cell_handler_native, __ATOMIC_RELEASE);
    }
}

void quick_remove(struct quick_unit *unit) {
    for (unsigned i = 0; i < unit->blocks; i++) {
        struct block *block = unit->block[i];
        __atomic_store_n(&block->unit, NULL, __ATOMIC_RELAXED);
        __atomic_store_n(&block->code->cell->handler, cell_handler_reheat, __ATOMIC_RELEASE);
        __atomic_store_n(&block->code->native, stubs.leave, __ATOMIC_RELEASE);
    }
}

bool quick_find_access(const struct quick_unit *unit, struct cpu *cpu, uint64_t host_pc) {
    uint32_t at = (uint32_t)(host_pc - (uintptr_t)unit->code);
    for (uint32_t low = 0, high = unit->accesses; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        const struct quick_access *access = &unit->access[middle];
        if (access->at == at) {
            cpu->at = cell_at(unit->block[access->block]->code, access->place);
            return true;
        }
        if (access->at < at) low = middle + 1;
        else high = middle;
    }
    return false;
}

void quick_store_pins(struct cpu *cpu, uint64_t (*read)(const void *context, unsigned number), const void *context) {
    for (unsigned i = 0; i < pin_count; i++) cpu->slot[pinned[i]] = read(context, pin_register[i]);
}

// ---- stubs

static void store_pins(struct assembler *a) {
    for (unsigned i = 0; i < pin_count; i++) asm_rm(a, WIDE | 0x89, pin_register[i], CPU, place_of_slot(pinned[i]));
}

static void load_pins(struct assembler *a) {
    for (unsigned i = 0; i < pin_count; i++) asm_rm(a, WIDE | 0x8b, pin_register[i], CPU, place_of_slot(pinned[i]));
}

static const void *here(const struct assembler *a) {
    return (const void *)(a->address + asm_offset(a));
}

static const uint8_t saved[] = {RBX, RBP, R12, R13, R14, R15};  // System V ABI for x86-64, "Register Usage"

static void push_saved(struct assembler *a) {
    for (unsigned i = 0; i < sizeof saved; i++) asm_opcode(a, 0x50 | (saved[i] & 7), 0, saved[i], true);
}

static void pop_saved_and_return(struct assembler *a) {
    for (unsigned i = sizeof saved; i-- > 0;) asm_opcode(a, 0x58 | (saved[i] & 7), 0, saved[i], true);
    asm_byte(a, 0xc3);
}

// A C function: the cpu, the block's first cell.
static void make_enter(struct assembler *a) {
    stubs.enter = here(a);
    push_saved(a);
    asm_rr(a, WIDE | 0x8b, CPU, RDI);
    asm_rr(a, WIDE | 0x8b, RCX, RSI);  // in case that it has just lost its native code, and goes to `leave`
    asm_rm(a, WIDE | 0x8b, RAX, RSI, NATIVE);
    load_pins(a);
    asm_rr(a, 0xff, 4, RAX);
}

// rcx: the cell to go on at.
static void make_leave(struct assembler *a) {
    stubs.leave = here(a);
    store_pins(a);
    asm_rr(a, WIDE | 0x8b, RAX, RCX);
    pop_saved_and_return(a);
}

// rax: the cell; rdx: the body, which returns true to stop the run. The stack is aligned here, after the call that led here.
static void make_body(struct assembler *a) {
    stubs.body = here(a);
    store_pins(a);
    asm_rr(a, WIDE | 0x8b, RDI, CPU);
    asm_rr(a, WIDE | 0x8b, RSI, RAX);
    asm_rr(a, 0xff, 2, RDX);
    asm_rr(a, 0x84, RAX, RAX);
    uint32_t stopped = asm_branch_later(a, CC_NE);
    load_pins(a);
    asm_byte(a, 0xc3);
    asm_land(a, stopped);
    asm_arithmetic_immediate(a, WIDE, 0, RSP, 8);
    asm_constant(a, RAX, 0);
    pop_saved_and_return(a);
}

// rax: the guest pc.
static void make_indirect(struct assembler *a) {
    stubs.indirect = here(a);
    asm_rm(a, WIDE | 0x89, RAX, CPU, offsetof(struct cpu, pc));
    store_pins(a);
    asm_constant(a, RAX, (uintptr_t)&cell_indirect);
    pop_saved_and_return(a);
}

static void look_at_host(void) {
    unsigned a, b, c, d;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) host.bmi1 = b >> 3 & 1, host.bmi2 = b >> 8 & 1;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) host.lzcnt = c >> 5 & 1;
    if (__get_cpuid(1, &a, &b, &c, &d)) host.popcnt = c >> 23 & 1;
    host.fma = fp_host_has_fma;
    if (!fp_host_has_fma) host.bmi1 = host.bmi2 = false;  // VEX-encoded as well: the system has to support them
}

bool quick_available(void) {
    return true;
}

size_t quick_make_stubs(uint8_t *buffer, uintptr_t at, const uint8_t *pins, struct quick_stubs *made) {
    look_at_host();
    memset(pin_of, NO_REGISTER, sizeof pin_of);
    for (pin_count = 0; pin_count < PINS && pins[pin_count]; pin_count++) {
        pinned[pin_count] = pins[pin_count];
        pin_of[pins[pin_count]] = pin_register[pin_count];
    }
    struct assembler a = {.at = buffer, .start = buffer, .limit = buffer + QUICK_STUBS_BYTES, .address = at};
    make_enter(&a);
    make_leave(&a);
    make_body(&a);
    make_indirect(&a);
    *made = stubs;
    return asm_offset(&a);
}
#else
#include "translator/quick/quick.h"

bool quick_available(void) {
    return false;
}
#endif
