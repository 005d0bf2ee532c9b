// "V" and its companions: each instruction is one uop, which names it and its registers (vector.c carries it out). Whether it is legal depends on vtype,
// and so shows only then.
#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/vector.h"

enum { IMMEDIATE = SLOT_TEMP };

static void vector(struct lift *l, const struct insn *i, unsigned code, unsigned a, unsigned b, unsigned c) {
    int64_t what = (int64_t)vector_what(i);
    lift_emit(l, code, a, b, c, what);
}

LIFT(vector) {
    vector(l, i, UOP_vector, SLOT_SINK, 0, 0);
}

// Those whose immediate is longer than a register's number.
LIFT(vector_i) {
    lift_emit(l, UOP_li, IMMEDIATE, 0, 0, i->imm);
    vector(l, i, UOP_vector, SLOT_SINK, 0, IMMEDIATE);
}

LIFT(vector_x) {
    vector(l, i, UOP_vector, SLOT_SINK, i->rs1, 0);
}

LIFT(vector_f) {
    vector(l, i, UOP_vector, SLOT_SINK, SLOT_F + i->rs1, 0);
}

LIFT(vector_to_x) {
    vector(l, i, UOP_vector, lift_destination(i->rd), 0, 0);
}

LIFT(vector_to_f) {
    vector(l, i, UOP_vector, SLOT_F + i->rd, 0, 0);
}

LIFT(vector_set) {
    bool immediate = i->op != INSN_vsetvl;
    if (immediate) lift_emit(l, UOP_li, IMMEDIATE, 0, 0, i->imm);
    vector(l, i, UOP_vector, lift_destination(i->rd), i->op == INSN_vsetivli ? 0 : i->rs1,
           immediate ? (unsigned)IMMEDIATE : i->rs2);
}

LIFT(vector_load) {
    vector(l, i, UOP_vectorload, SLOT_SINK, i->rs1, 0);
}

LIFT(vector_load_strided) {
    vector(l, i, UOP_vectorload, SLOT_SINK, i->rs1, i->rs2);
}

LIFT(vector_store) {
    vector(l, i, UOP_vectorstore, SLOT_SINK, i->rs1, 0);
}

LIFT(vector_store_strided) {
    vector(l, i, UOP_vectorstore, SLOT_SINK, i->rs1, i->rs2);
}
