// RV32I and RV64I base instruction sets, with the hints and fences that live in their encodings (Zifencei, Zihintpause).
//
// Two or three instructions that build a constant or an address (lui + addi, auipc + addi, auipc + jalr) come out as one: nothing
// can come between them, and every register still gets its value.
#include "translator/guest/riscv64/lift.h"

// ---- constants and addresses

static void copy(struct lift *l, unsigned to, unsigned from) {
    if (to && from == SLOT_ZERO) lift_emit(l, UOP_li, to, 0, 0, 0);
    else if (to && to != from) lift_emit(l, UOP_mov, to, from, 0, 0);
}

// The uop just before, if it put a constant (li, lipc) into `slot`; NULL otherwise.
static struct uop *constant_in(struct lift *l, unsigned code, unsigned slot) {
    struct uop *last = lift_last(l);
    return last && slot && last->code == code && last->a == slot ? last : NULL;
}

LIFT(lui) {
    if (i->rd) lift_emit(l, UOP_li, i->rd, 0, 0, i->imm);
}

LIFT(auipc) {
    if (i->rd) lift_emit(l, UOP_lipc, i->rd, 0, 0, (int64_t)l->offset + i->imm);
}

LIFT(addi) {
    if (!i->rd) return;
    struct uop *address = constant_in(l, UOP_lipc, i->rs1), *constant = constant_in(l, UOP_li, i->rs1);
    if (i->rs1 == SLOT_ZERO) lift_emit(l, UOP_li, i->rd, 0, 0, i->imm);
    else if (i->imm == 0) copy(l, i->rd, i->rs1);
    else if (address && i->rd == i->rs1) address->imm += i->imm;
    else if (constant && i->rd == i->rs1) constant->imm += i->imm;
    else lift_emit(l, UOP_addi, i->rd, i->rs1, 0, i->imm);
}

LIFT(addiw) {
    if (!i->rd) return;
    struct uop *constant = constant_in(l, UOP_li, i->rs1);
    if (i->rs1 == SLOT_ZERO) lift_emit(l, UOP_li, i->rd, 0, 0, i->imm);
    else if (constant && i->rd == i->rs1) constant->imm = (int32_t)((uint32_t)constant->imm + (uint32_t)i->imm);
    else if (i->imm == 0) lift_emit(l, UOP_sextw, i->rd, i->rs1, 0, 0);
    else lift_emit(l, UOP_addiw, i->rd, i->rs1, 0, i->imm);
}

// ---- computation

LIFT(add) {
    if (!i->rd) return;
    if (i->rs1 == SLOT_ZERO) copy(l, i->rd, i->rs2);
    else if (i->rs2 == SLOT_ZERO) copy(l, i->rd, i->rs1);
    else lift_emit(l, UOP_add, i->rd, i->rs1, i->rs2, 0);
}

LIFT_DSS(sub, sub)
LIFT_DSS(sll, sll)
LIFT_DSS(slt, slt)
LIFT_DSS(sltu, sltu)
LIFT_DSS(xor, xor)
LIFT_DSS(srl, srl)
LIFT_DSS(sra, sra)
LIFT_DSS(or, or)
LIFT_DSS(and, and)
LIFT_DSI(slti, slti)
LIFT_DSI(sltiu, sltiu)
LIFT_DSI(xori, xori)
LIFT_DSI(ori, ori)
LIFT_DSI(andi, andi)
LIFT_DSI(slli, slli)
LIFT_DSI(srli, srli)
LIFT_DSI(srai, srai)
LIFT_DSS(addw, addw)
LIFT_DSS(subw, subw)
LIFT_DSS(sllw, sllw)
LIFT_DSS(srlw, srlw)
LIFT_DSS(sraw, sraw)
LIFT_DSI(slliw, slliw)
LIFT_DSI(srliw, srliw)
LIFT_DSI(sraiw, sraiw)

// ---- loads and stores

#define LIFT_LOAD(name, code)                                                 \
    LIFT(name) {                                                              \
        lift_emit(l, UOP_##code, lift_destination(i->rd), i->rs1, 0, i->imm); \
    }
#define LIFT_STORE(name, code)                               \
    LIFT(name) {                                             \
        lift_emit(l, UOP_##code, 0, i->rs1, i->rs2, i->imm); \
    }
LIFT_LOAD(lb, ld8s)
LIFT_LOAD(lh, ld16s)
LIFT_LOAD(lw, ld32s)
LIFT_LOAD(ld, ld64)
LIFT_LOAD(lbu, ld8u)
LIFT_LOAD(lhu, ld16u)
LIFT_LOAD(lwu, ld32u)
LIFT_STORE(sb, st8)
LIFT_STORE(sh, st16)
LIFT_STORE(sw, st32)
LIFT_STORE(sd, st64)

// ---- control flow

static void link(struct lift *l, const struct insn *i) {
    if (i->rd) lift_emit(l, UOP_lipc, i->rd, 0, 0, (int64_t)l->offset + i->length);
}

LIFT(jal) {
    link(l, i);
    lift_end(l, UOP_jump, 0, (int64_t)l->offset + i->imm);
}

LIFT(jalr) {
    struct uop *address = constant_in(l, UOP_lipc, i->rs1);
    if (address) {  // call and tail of the assembler: auipc + jalr
        int64_t target = (address->imm + i->imm) & ~INT64_C(1);
        link(l, i);
        lift_end(l, UOP_jump, 0, target);
        return;
    }
    unsigned target = i->rs1;
    if (i->rd && i->rd == i->rs1) lift_emit(l, UOP_mov, target = SLOT_TEMP, i->rs1, 0, 0);
    link(l, i);
    lift_end(l, UOP_jumpr, target, i->imm);
}

#define LIFT_BRANCH(name)                                                         \
    LIFT(name) {                                                                  \
        lift_emit(l, UOP_##name, 0, i->rs1, i->rs2, (int64_t)l->offset + i->imm); \
    }
LIFT_BRANCH(beq)
LIFT_BRANCH(bne)
LIFT_BRANCH(blt)
LIFT_BRANCH(bge)
LIFT_BRANCH(bltu)
LIFT_BRANCH(bgeu)

LIFT(ecall) {
    lift_end(l, UOP_syscall, 0, i->length);
}

LIFT(ebreak) {
    lift_end(l, UOP_breakpoint, 0, i->length);
}

// ---- fences and hints

// predecessors and successors: bits for device input, device output, reads, writes
enum { FENCE_W = 1, FENCE_R = 2, FENCE_O = 4, FENCE_I = 8 };

// Only a fence of stores before loads is one that a host with x86's memory order has to do anything for.
LIFT(fence) {
    unsigned before = (unsigned)i->imm >> 4 & 15, after = (unsigned)i->imm & 15;
    bool full = before & (FENCE_W | FENCE_O) && after & (FENCE_R | FENCE_I);
    if (full) lift_emit(l, UOP_fence, 0, 0, 0, 0);
    else if (before && after) lift_emit(l, UOP_fencelight, 0, 0, 0, 0);
}

LIFT(fence_tso) {
    (void)i;
    lift_emit(l, UOP_fencelight, 0, 0, 0, 0);
}

LIFT(fence_i) {
    lift_end(l, UOP_codesync, 0, i->length);
}

LIFT(pause) {
    (void)i;
    lift_emit(l, UOP_pause, 0, 0, 0, 0);
}

LIFT(nop) {
    LIFT_UNUSED;
}
