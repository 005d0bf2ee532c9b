// Between the lift functions (lift_*.c, one file per chapter of the manual) and the loop around them (lift.c): the state of
// a lift, and helpers that append uops. There is one lift function per instruction, named as insns.def names it.
//
// x0 as a destination: the helpers for plain computation emit nothing, those with an effect beside the result (loads, atomics,
// anything that raises FP flags) write SLOT_SINK.
#pragma once
#include "translator/guest/riscv64/decode.h"
#include "translator/ir/cpu.h"
#include "translator/ir/uop.h"

enum {
    LIFT_MAX_UOPS = 16,  // that one instruction may take, with the jump that ends a block
    SLOT_F = 32,         // f0
};

struct lift {
    struct ir_block *block;
    uint32_t mode;
    guest_features features;
    unsigned offset;  // of the instruction under way, bytes from the block's start
    bool ended;       // the last uop was one that ends a block
};

// Appends a uop of any format; unused slots are 0.
static inline struct uop *lift_emit(struct lift *l, unsigned code, unsigned a, unsigned b, unsigned c, int64_t imm) {
    struct uop *uop = &l->block->uop[l->block->count++];
    *uop = (struct uop){
        .code = (uint16_t)code, .a = (uint8_t)a, .b = (uint8_t)b, .c = (uint8_t)c, .offset = (uint16_t)l->offset, .imm = imm};
    return uop;
}

// The last uop emitted, NULL at a block's start.
static inline struct uop *lift_last(struct lift *l) {
    return l->block->count ? &l->block->uop[l->block->count - 1] : NULL;
}

// An integer destination of an instruction with effects.
static inline unsigned lift_destination(unsigned rd) {
    return rd ? rd : SLOT_SINK;
}

static inline void lift_end(struct lift *l, unsigned code, unsigned b, int64_t imm) {
    lift_emit(l, code, 0, b, 0, imm);
    l->ended = true;
}

static inline void lift_illegal(struct lift *l, const struct insn *i) {
    lift_end(l, UOP_illegal, 0, i->length);
}

// The functions of insns.def.
#define LIFT(name) void riscv64_lift_##name(struct lift *l, const struct insn *i)
#define LIFT_UNUSED (void)l, (void)i
#define INSN(name, needs, bits, assembly, lift) LIFT(lift);
#include "translator/guest/riscv64/insns.def"
#undef INSN

// Plain computations, by the operands of their uop.
#define LIFT_DSS(name, code)                                           \
    LIFT(name) {                                                       \
        if (i->rd) lift_emit(l, UOP_##code, i->rd, i->rs1, i->rs2, 0); \
    }
#define LIFT_DSI(name, code)                                           \
    LIFT(name) {                                                       \
        if (i->rd) lift_emit(l, UOP_##code, i->rd, i->rs1, 0, i->imm); \
    }
#define LIFT_DS(name, code)                                       \
    LIFT(name) {                                                  \
        if (i->rd) lift_emit(l, UOP_##code, i->rd, i->rs1, 0, 0); \
    }

// struct guest_isa's lift.
void riscv64_lift(const uint8_t *bytes, size_t size, uint32_t mode, guest_features features, unsigned max_instructions,
                  struct ir_block *block);
