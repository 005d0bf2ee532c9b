// The quick tier's emitters for x86-64 hosts: vector instructions of the riscv64 guest, for vectors of whole registers of the shape that the last vset*, load or
// store before them lets expect (VECTOR_SHAPE). All else, vectors of other shapes among it, is the body's.
#ifdef __x86_64__
#include "translator/guest/riscv64/vector.h"
#include "translator/quick/emit_x86_64.h"

enum { MOVDQU_LOAD = 0xf30f6f, MOVDQU_STORE = 0xf30f7f, MOVDQA_LOAD = 0x660f6f, MOVDQA_STORE = 0x660f7f, MOVD = 0x660f6e };

static struct vector_operands operands_of(const struct cell *u) {
    return vector_operands((uint32_t)u->imm);
}

static int32_t place_of(unsigned reg) {
    return (int32_t)(offsetof(struct cpu, vector.reg) + (size_t)reg * CPU_VECTOR_BYTES);
}

static unsigned registers(const struct unit *e) {
    return 1u << (e->vector_shape >> 2 & 3);
}

static unsigned width(const struct unit *e) {
    return e->vector_shape & 3;
}

static bool are_groups(const struct unit *e, unsigned a, unsigned b, unsigned c) {
    return (a | b | c) % registers(e) == 0;
}

// The body instead, unless the vector is of the shape that is expected.
static struct cold *check_shape(struct unit *e, const struct cell *u, unsigned code) {
    asm_arithmetic_immediate_memory(A, 0, 7, CPU, offsetof(struct cpu, vector.shape), (int32_t)e->vector_shape);
    return body_if(e, CC_NE, u, code);
}

// ---- loads and stores

EMITTER(vector_access) {
    const struct vector_operands o = operands_of(u);
    int bytes = vector_side_by_side(o.op);
    if (bytes >= 0 && (!e->vector_shape || (unsigned)bytes != width(e))) e->vector_shape = VECTOR_SHAPE((unsigned)bytes, 0);
    if (bytes < 0 || o.masked || !are_groups(e, o.vd, 0, 0)) {
        call_body(e, u, code);
        return;
    }
    unsigned base = in_register(e, u->b);
    struct cold *c = check_shape(e, u, code);
    for (unsigned i = 0; i < registers(e); i++) {
        int32_t offset = (int32_t)(i * CPU_VECTOR_BYTES);
        if (code == UOP_vectorstore) asm_rm(A, MOVDQA_LOAD, 0, CPU, place_of(o.vd + i));
        note_access(e, u);
        asm_rm(A, code == UOP_vectorstore ? MOVDQU_STORE : MOVDQU_LOAD, 0, base, offset);
        if (code == UOP_vectorload) asm_rm(A, MOVDQA_STORE, 0, CPU, place_of(o.vd + i));
    }
    come_back(e, c);
}

// ---- operations

enum operand { OPERAND_VECTOR, OPERAND_SCALAR, OPERAND_IMMEDIATE };

// By the names of .vv, .vx and .vi.
static bool find_operation(unsigned op, unsigned sew, unsigned *opcode, enum operand *operand) {
    static const struct {
        uint16_t vv, vx, vi;
        uint8_t opcode[4];
    } operations[] = {
        {INSN_vadd_vv, INSN_vadd_vx, INSN_vadd_vi, {0xfc, 0xfd, 0xfe, 0xd4}},
        {INSN_vsub_vv, INSN_vsub_vx, 0, {0xf8, 0xf9, 0xfa, 0xfb}},
        {INSN_vand_vv, INSN_vand_vx, INSN_vand_vi, {0xdb, 0xdb, 0xdb, 0xdb}},
        {INSN_vor_vv, INSN_vor_vx, INSN_vor_vi, {0xeb, 0xeb, 0xeb, 0xeb}},
        {INSN_vxor_vv, INSN_vxor_vx, INSN_vxor_vi, {0xef, 0xef, 0xef, 0xef}},
        {INSN_vminu_vv, INSN_vminu_vx, 0, {0xda, 0, 0, 0}},
        {INSN_vmaxu_vv, INSN_vmaxu_vx, 0, {0xde, 0, 0, 0}},
        {INSN_vmul_vv, INSN_vmul_vx, 0, {0, 0xd5, 0, 0}},
    };
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++) {
        bool vector = op == operations[i].vv, scalar = op == operations[i].vx,
             immediate = operations[i].vi && op == operations[i].vi;
        if (!vector && !scalar && !immediate) continue;
        *operand = vector ? OPERAND_VECTOR : scalar ? OPERAND_SCALAR : OPERAND_IMMEDIATE;
        *opcode = operations[i].opcode[sew] ? 0x660f00u | operations[i].opcode[sew] : 0;
        return true;
    }
    return false;
}

// All elements of xmm1 become its lowest one.
static void spread(struct unit *e) {
    if (width(e) == 0) asm_rr(A, 0x660f60, 1, 1);  // punpcklbw
    if (width(e) <= 1) asm_rr(A, 0x660f61, 1, 1);  // punpcklwd
    asm_rr(A, 0x660f70, 1, 1);  // pshufd
    asm_byte(A, width(e) == 3 ? 0x44 : 0);
}

static void get_scalar(struct unit *e, const struct cell *u, const struct vector_operands *o, enum operand operand) {
    unsigned reg;
    if (operand == OPERAND_IMMEDIATE) {
        reg = fresh(e);
        asm_constant(A, reg, (uint64_t)((int64_t)(o->vs1 ^ 16) - 16));
    } else {
        reg = in_register(e, u->b);
    }
    asm_rr(A, WIDE | MOVD, 1, reg);
    spread(e);
}

static void move_vectors(struct unit *e, const struct cell *u, const struct vector_operands *o, unsigned code) {
    enum operand operand = o->op == INSN_vmv_v_v ? OPERAND_VECTOR : o->op == INSN_vmv_v_x ? OPERAND_SCALAR : OPERAND_IMMEDIATE;
    struct cold *c;
    if (operand != OPERAND_VECTOR) get_scalar(e, u, o, operand);
    c = check_shape(e, u, code);
    for (unsigned i = 0; i < registers(e); i++) {
        if (operand == OPERAND_VECTOR) asm_rm(A, MOVDQA_LOAD, 1, CPU, place_of(o->vs1 + i));
        asm_rm(A, MOVDQA_STORE, 1, CPU, place_of(o->vd + i));
    }
    come_back(e, c);
}

static void set(struct unit *e, const struct cell *u, const struct vector_operands *o, unsigned code);

EMITTER(vector) {
    const struct vector_operands o = operands_of(u);
    unsigned opcode = 0;
    enum operand operand;
    bool moves = o.op == INSN_vmv_v_v || o.op == INSN_vmv_v_x || o.op == INSN_vmv_v_i;
    if (o.op == INSN_vsetvli || o.op == INSN_vsetivli) {
        set(e, u, &o, code);
        return;
    }
    bool known = e->vector_shape && !o.masked && (moves || find_operation(o.op, width(e), &opcode, &operand));
    if (!known || (!moves && !opcode)) {
        call_body(e, u, code);
        return;
    }
    if (moves) {
        if (are_groups(e, o.vd, o.op == INSN_vmv_v_v ? o.vs1 : 0, 0)) move_vectors(e, u, &o, code);
        else call_body(e, u, code);
        return;
    }
    if (!are_groups(e, o.vd, o.vs2, operand == OPERAND_VECTOR ? o.vs1 : 0)) {
        call_body(e, u, code);
        return;
    }
    if (operand != OPERAND_VECTOR) get_scalar(e, u, &o, operand);
    struct cold *c = check_shape(e, u, code);
    for (unsigned i = 0; i < registers(e); i++) {
        asm_rm(A, MOVDQA_LOAD, 0, CPU, place_of(o.vs2 + i));
        if (operand == OPERAND_VECTOR) asm_rm(A, opcode, 0, CPU, place_of(o.vs1 + i));
        else asm_rr(A, opcode, 0, 1);
        asm_rm(A, MOVDQA_STORE, 0, CPU, place_of(o.vd + i));
    }
    come_back(e, c);
}

// ---- vsetvli, vsetivli: at least VLMAX elements are left, or it is the body's

static void store_32(struct unit *e, size_t field, uint32_t value) {
    asm_rm(A, 0xc7, 0, CPU, (int32_t)field);
    asm_32(A, (int32_t)value);
}

static void store_64(struct unit *e, size_t field, uint32_t value) {
    asm_rm(A, WIDE | 0xc7, 0, CPU, (int32_t)field);
    asm_32(A, (int32_t)value);
}

static void set(struct unit *e, const struct cell *u, const struct vector_operands *o, unsigned code) {
    // The constant that is its type is in the cell before: lift_vector.c.
    const struct cell *before = u - 1;
    uint32_t type = before->handler == cell_handler[UOP_li] && before->a == u->c ? (uint32_t)before->imm : UINT32_MAX;
    unsigned sew = type >> 3 & 7, lmul = type & 7, most = type > 255 ? 0 : vector_max(sew, (int)lmul);
    bool immediate = o->op == INSN_vsetivli, keeps = !immediate && u->b == SLOT_ZERO && u->a == SLOT_SINK;
    bool whole = type <= 255 && sew <= 3 && lmul <= 3;
    e->vector_shape = whole ? VECTOR_SHAPE(sew, lmul) : 0;
    if (!whole || keeps || (immediate && o->vs1 < most)) {
        call_body(e, u, code);
        return;
    }
    struct cold *c = NULL;
    if (!immediate && u->b != SLOT_ZERO) {
        immediate_with_slot(e, WIDE, 7, u->b, (int32_t)most);
        c = body_if(e, CC_B, u, code);
    }
    store_64(e, offsetof(struct cpu, vector.length), most);
    store_64(e, offsetof(struct cpu, vector.type), type);
    store_64(e, offsetof(struct cpu, vector.start), 0);
    store_32(e, offsetof(struct cpu, vector.shape), e->vector_shape);
    store_32(e, offsetof(struct cpu, vector.used), 1);
    if (u->a != SLOT_SINK) {
        unsigned to = destination(e, u->a);
        asm_constant(A, to, most);
        put(e, u->a, to);
    }
    if (c) come_back(e, c);
}
#endif
