// The quick tier's emitters for x86-64 hosts: integers. What distinguishes the uops that share an emitter comes as `x`.
#ifdef __x86_64__
#include "translator/quick/emit_x86_64.h"

EMITTER(mov) {
    if (is_pinned(u->a)) get(e, quick_host.pin_of[u->a], u->b);
    else put(e, u->a, in_register(e, u->b));
}

EMITTER(li) {
    put_constant(e, u->a, (uint64_t)(int64_t)u->imm);
}

// x: the opcode with a register as destination
EMITTER(alu) {
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
        lock_slot(e, c);
        to = destination_with(e, a, b);
        with_slot(e, WIDE | x, to, c);
    }
    put(e, a, to);
}

// x: the opcode; the low halves
EMITTER(alu32) {
    lock_slot(e, u->c);
    unsigned to = fresh(e);
    get32(e, to, u->b);
    with_slot(e, x, to, u->c);
    put_extended(e, u->a, to);
}

// x: the digit of the arithmetic operation
EMITTER(alu_immediate) {
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

EMITTER(addiw) {
    unsigned in_b = lock_slot(e, u->b);
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
EMITTER(alu_not) {
    lock_slot(e, u->b);
    unsigned to = fresh(e);
    get(e, to, u->c);
    if (x & 1) asm_rr(A, WIDE | 0xf7, 2, to);
    with_slot(e, WIDE | x >> 8, to, u->b);
    if (x & 2) asm_rr(A, WIDE | 0xf7, 2, to);
    put(e, u->a, to);
}

// x: the digit of the shift
EMITTER(shift_immediate) {
    unsigned to = destination_with(e, u->a, u->b);
    if (u->imm & 63) shift_by(e, WIDE, x, to, u->imm & 63);
    put(e, u->a, to);
}

EMITTER(shift32_immediate) {
    unsigned count = u->imm & 31;
    lock_slot(e, u->b);
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
    if (quick_host.bmi2 && digit >= SHL) {
        unsigned by = in_register(e, count), in = lock_slot(e, from);
        unsigned to = destination(e, slot);
        if (in != NO_REGISTER) asm_vex_rr(A, shift_prefix(digit), wide, 0xf7, to, by, in);
        else asm_vex_rm(A, shift_prefix(digit), wide, 0xf7, to, by, CPU, place_of_slot(from));
        return to;
    }
    unsigned to = fresh(e), kept = fresh(e), by = fresh(e);
    get(e, to, from);
    get(e, by, count);
    move(e, kept, RCX);
    move(e, RCX, by);
    asm_rr(A, (wide ? WIDE : 0) | 0xd3, digit, to);
    move(e, RCX, kept);
    return to;
}

EMITTER(shift) {
    put(e, u->a, shift_variable(e, true, x, u->a, u->b, u->c));
}

EMITTER(shift32) {
    put_extended(e, u->a, shift_variable(e, false, x, u->a, u->b, u->c));
}

// x: the condition
EMITTER(set) {
    compare(e, u->b, u->c);
    put_condition(e, u->a, x);
}

EMITTER(set_immediate) {
    immediate_with_slot(e, WIDE, 7, u->b, u->imm);
    put_condition(e, u->a, x);
}

// x: the digit of the one-operand form: 4 mul, 5 imul
EMITTER(multiply_high) {
    claim(e, RAX), claim(e, RBX);
    get(e, RAX, u->b);
    move(e, RBX, RDX);
    with_slot(e, WIDE | 0xf7, x, u->c);
    move(e, RAX, RDX);
    move(e, RDX, RBX);
    put(e, u->a, RAX);
}

// x: WIDE, | 1 for the remainder, | 2 for signed operands. Divisors 0 and, where signed, -1 are the body's.
EMITTER(divide) {
    unsigned wide = x & WIDE;
    claim(e, RAX), claim(e, RBX), claim(e, RBP);
    if (wide) get(e, RBX, u->c);
    else get32(e, RBX, u->c);
    struct cold *c;
    if (x & 2) {
        asm_rm(A, wide | 0x8d, RBP, RBX, 1);
        asm_arithmetic_immediate(A, wide, 7, RBP, 1);
        c = body_if(e, CC_BE, u, code);
    } else {
        asm_rr(A, wide | 0x85, RBX, RBX);
        c = body_if(e, CC_E, u, code);
    }
    if (wide) get(e, RAX, u->b);
    else get32(e, RAX, u->b);
    move(e, RBP, RDX);
    if (x & 2) {
        if (wide) asm_byte(A, 0x48);
        asm_byte(A, 0x99);  // cqo, cdq
    } else {
        asm_rr(A, 0x31, RDX, RDX);
    }
    asm_rr(A, wide | 0xf7, x & 2 ? 7 : 6, RBX);
    if (x & 1) move(e, RAX, RDX);
    move(e, RDX, RBP);
    if (wide) put(e, u->a, RAX);
    else put_extended(e, u->a, RAX);
    come_back(e, c);
}

// x: the condition under which c is taken
EMITTER(minimum) {
    unsigned c = in_register(e, u->c), to = fresh(e);
    get(e, to, u->b);
    asm_rr(A, WIDE | CMP, to, c);
    asm_rr(A, WIDE | 0x0f40 | x, to, c);
    put(e, u->a, to);
}

// x: log2 of the factor, | 4 if b is a 32-bit unsigned value
EMITTER(shift_add) {
    unsigned b, c = in_register(e, u->c);
    if (x & 4) {
        b = fresh(e);
        get32(e, b, u->b);
    } else {
        b = in_register(e, u->b);
    }
    unsigned to = is_pinned(u->a) ? quick_host.pin_of[u->a] : x & 4 ? b : fresh(e);
    asm_rx(A, WIDE | 0x8d, to, c, b, 1u << (x & 3), 0);
    put(e, u->a, to);
}

EMITTER(slliuw) {
    unsigned to = destination(e, u->a);
    get32(e, to, u->b);
    if (u->imm) shift_by(e, WIDE, SHL, to, u->imm);
    put(e, u->a, to);
}

// x: the opcode that extends
EMITTER(extend) {
    unsigned to = destination(e, u->a);
    with_slot(e, x, to, u->b);
    put(e, u->a, to);
}

// x: the opcode of a host instruction of one operand, which not every host has
EMITTER(count) {
    bool has = (x & 0xff) == 0xbd ? quick_host.lzcnt : (x & 0xff) == 0xbc ? quick_host.bmi1 : quick_host.popcnt;
    if (!has) {
        call_body(e, u, code);
        return;
    }
    unsigned in_b = lock_slot(e, u->b);
    unsigned to = destination(e, u->a);
    if (to != in_b) asm_rr(A, 0x31, to, to);  // these wait for the destination on some processors
    with_slot(e, x, to, u->b);
    put(e, u->a, to);
}

EMITTER(topbyte) {
    if (!quick_host.bmi2) {
        call_body(e, u, code);
        return;
    }
    unsigned value = in_register(e, u->b), shift = in_register(e, u->c), to = fresh(e);
    asm_rm(A, WIDE | 0x8d, to, shift, -8);
    shift_by(e, WIDE, ROR, to, 3);
    asm_arithmetic_immediate(A, WIDE, 7, to, 6);  // cmp
    struct cold *c = body_if(e, CC_A, u, code);
    asm_rm(A, WIDE | 0x8d, to, shift, 8);
    asm_vex_rr(A, 0, true, 0xf5, to, to, value);  // bzhi
    asm_arithmetic_immediate(A, WIDE, 1, to, 256);  // or
    asm_rr(A, WIDE | 0x0fbd, to, to);  // bsr
    asm_arithmetic_immediate(A, 0, 4, to, 56);  // and
    put(e, u->a, to);
    come_back(e, c);
}

EMITTER(rev8) {
    unsigned to = destination_with(e, u->a, u->b);
    reverse_bytes(e, to);
    put(e, u->a, to);
}

// x: bts, btr, btc with a register as the bit's number
EMITTER(bit) {
    unsigned bit = in_register(e, u->c), to = fresh(e);
    get(e, to, u->b);
    asm_rr(A, WIDE | x, bit, to);
    put(e, u->a, to);
}

EMITTER(bext) {
    unsigned bit = in_register(e, u->c), from = in_register(e, u->b);
    asm_rr(A, WIDE | 0x0fa3, bit, from);
    put_condition(e, u->a, CC_B);
}

EMITTER(bexti) {
    unsigned to = destination_with(e, u->a, u->b);
    if (u->imm & 63) shift_by(e, WIDE, SHR, to, u->imm & 63);
    asm_arithmetic_immediate(A, 0, 4, to, 1);
    put(e, u->a, to);
}

// x: the condition, after a test of c, under which the result is 0
EMITTER(czero) {
    lock_slot(e, u->c);
    unsigned zero = fresh(e), to = fresh(e);
    asm_rr(A, 0x31, zero, zero);
    get(e, to, u->b);
    immediate_with_slot(e, WIDE, 7, u->c, 0);
    asm_rr(A, WIDE | 0x0f40 | x, to, zero);
    put(e, u->a, to);
}
#endif
