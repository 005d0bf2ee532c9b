// The quick tier's emitters for x86-64 hosts: memory, branches and jumps.
#ifdef __x86_64__
#include "translator/quick/emit_x86_64.h"

// x: the opcode that loads
EMITTER(load) {
    unsigned base = in_register(e, u->b), to = destination(e, u->a);
    note_access(e, u);
    asm_rm(A, x, to, base, u->imm);
    put(e, u->a, to);
}

// x: how many low bits are loaded, 16 or 32; the rest is ones
EMITTER(load_boxed) {
    unsigned base = in_register(e, u->b), to = fresh(e), ones = fresh(e);
    note_access(e, u);
    asm_rm(A, x == 16 ? 0x0fb7 : 0x8b, to, base, u->imm);
    asm_constant(A, ones, ~UINT64_C(0) << x);
    asm_rr(A, WIDE | 0x09, ones, to);
    put(e, u->a, to);
}

EMITTER(box) {
    lock_slot(e, u->b);
    unsigned to = fresh(e);
    asm_constant(A, to, ~UINT64_C(0) << x);
    with_slot(e, WIDE | OR, to, u->b);
    put(e, u->a, to);
}

// x: the opcode that stores a register
EMITTER(store) {
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

// x: whether loads behind it wait for stores before it, which is all that the host does not do anyway
EMITTER(fence) {
    static const uint8_t locked_or[] = {0xf0, 0x83, 0x0c, 0x24, 0x00};  // of 0 to what is at rsp: faster than mfence
    if (x) asm_bytes(A, locked_or, sizeof locked_or);
}

// x: the condition under which it is taken. What is taken goes on behind the rest unless it is a loop.
EMITTER(branch) {
    const struct block *block = e->block[e->block_at];
    pay_guest(e);
    compare(e, u->b, u->c);
    uint64_t pc = block->exit[e->own_exit].pc;
    int inside = block_with(e, pc);
    if (pc <= block->pc) {  // a loop, for all that matters
        uint32_t past = asm_branch_later(A, x ^ 1);
        leave_block(e, false);
        asm_land(A, past);
        return;
    }
    uint32_t taken = asm_branch_later(A, x);
    e->own_exit++;
    if (inside >= 0) later(e, taken, (unsigned)inside);
    else leave_by_exit(e, taken, new_exit(e, pc), pc);
}

EMITTER(jump) {
    pay_guest(e);
    leave_block(e, true);
}

// reg: where the block's indirect jump leads.
static void note_target(struct unit *e, unsigned reg) {
    const uint64_t *targets = e->block[e->block_at]->targets;
    if (!targets || !e->counts || e->sheet) return;
    asm_rr(A, 0x8b, RBX, reg);
    asm_arithmetic_immediate(A, 0, 4, RBX, 2 * (BLOCK_TARGETS - 1));  // the lowest bit is not the pc's
    asm_near(A, WIDE | 0x8d, RBP, targets);
    asm_rx(A, WIDE | 0x89, reg, RBP, RBX, sizeof *targets / 2, 0);
}

// The register with the sum that an indirect jump leads to.
static unsigned target_of(struct unit *e, const struct cell *u) {
    unsigned in_b = register_of(e, u->b);
    bool kept = in_b != NO_REGISTER && in_b != RBX && in_b != RBP;
    if (kept && !u->imm) return in_b;
    if (in_b != NO_REGISTER) {
        asm_rm(A, WIDE | 0x8d, RAX, in_b, u->imm);
        return RAX;
    }
    get(e, RAX, u->b);
    if (u->imm) asm_arithmetic_immediate(A, WIDE, 0, RAX, u->imm);
    return RAX;
}

// The sum's lowest bit is not cleared: pcs in the cache are even.
EMITTER(indirect) {
    pay_guest(e);
    unsigned target = target_of(e, u);
    note_target(e, target);
    cold(e, asm_branch_later(A, poll(e)), COLD_INDIRECT, NULL)->slot = target;
    asm_rr(A, 0x8b, RBX, target);
    _Static_assert(sizeof(struct cpu_native_jump) == 16, "eight times the pc's bits, of which the lowest is zero");
    asm_arithmetic_immediate(A, 0, 4, RBX, 2 * (CPU_NATIVE_JUMPS - 1));
    asm_rx(A, WIDE | CMP, target, CPU, RBX, 8, offsetof(struct cpu, native_jump[0].pc));
    cold(e, asm_branch_later(A, CC_NE), COLD_INDIRECT, NULL)->slot = target;
    asm_rx(A, 0xff, 4, CPU, RBX, 8, offsetof(struct cpu, native_jump[0].native));  // jmp
}
#endif
