// The quick tier's emitters for x86-64 hosts: double precision in the host's current rounding mode, whose flags are the guest's. NaN results
// are the canonical one.
#ifdef __x86_64__
#include "translator/ir/fp.h"
#include "translator/quick/emit_x86_64.h"

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
EMITTER(double) {
    asm_rm(A, LOAD_D, 0, CPU, memory_of(e, u->b));
    asm_rm(A, x, 0, CPU, memory_of(e, u->c));
    check_nan(e, u->a);
}

EMITTER(sqrt) {
    asm_rr(A, 0x0f57, 0, 0);  // xorps: sqrtsd keeps the upper half
    asm_rm(A, x, 0, CPU, memory_of(e, u->b));
    check_nan(e, u->a);
}

// x: the opcode of the fused form 231
EMITTER(multiply_add) {
    if (!quick_host.fma) {
        call_body(e, u, code);
        return;
    }
    asm_rm(A, LOAD_D, 0, CPU, memory_of(e, u->d));
    asm_rm(A, LOAD_D, 1, CPU, memory_of(e, u->b));
    asm_vex_rm(A, 1, true, x, 0, 1, CPU, memory_of(e, u->c));
    asm_rr(A, COMPARE_QUIET_D, 0, 0);
    struct cold *c = body_if(e, CC_P, u, code);
    put_double(e, u->a);
    come_back(e, c);
}

EMITTER(equal) {
    unsigned ordered = fresh(e), to = fresh(e);
    asm_rm(A, LOAD_D, 0, CPU, memory_of(e, u->b));
    asm_rm(A, COMPARE_QUIET_D, 0, CPU, memory_of(e, u->c));
    asm_rr(A, BYTE_RM | 0x0f90 | CC_NP, 0, ordered);
    asm_rr(A, BYTE_RM | 0x0f90 | CC_E, 0, to);
    asm_rr(A, 0x21, ordered, to);
    asm_rr(A, BYTE_RM | 0x0fb6, to, to);
    put(e, u->a, to);
}

// b < c: c is above b. x: the condition, | 256 if quiet
EMITTER(less) {
    asm_rm(A, LOAD_D, 0, CPU, memory_of(e, u->c));
    asm_rm(A, x >> 8 ? COMPARE_QUIET_D : COMPARE_D, 0, CPU, memory_of(e, u->b));
    put_condition(e, u->a, x & 15);
}

// x: what makes the sign of a double that gets it from itself: the digit of bt with an immediate, or 0 to leave it
EMITTER(sign) {
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
EMITTER(from_integer) {
    const struct block *block = e->block[e->block_at];
    if (x && (u->imm != FP_DYN || block->mode & (MODE_RM_AWAY | MODE_RM_BAD))) {
        call_body(e, u, code);
        return;
    }
    asm_rr(A, 0x0f57, 0, 0);
    with_slot(e, x | 0xf20f2a, 0, u->b);
    put_double(e, u->a);
}
#endif
