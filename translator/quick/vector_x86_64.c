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

struct operation {
    uint16_t vv, vx, vi;  // enum insn_op of its forms; 0 if it has none
    uint8_t opcode[4];  // behind 66 0f, by elements' width; 0 if there is none
};

// The last one moves: its operand is the result.
static const struct operation operations[] = {
    {INSN_vadd_vv, INSN_vadd_vx, INSN_vadd_vi, {0xfc, 0xfd, 0xfe, 0xd4}},
    {INSN_vsub_vv, INSN_vsub_vx, 0, {0xf8, 0xf9, 0xfa, 0xfb}},
    {INSN_vand_vv, INSN_vand_vx, INSN_vand_vi, {0xdb, 0xdb, 0xdb, 0xdb}},
    {INSN_vor_vv, INSN_vor_vx, INSN_vor_vi, {0xeb, 0xeb, 0xeb, 0xeb}},
    {INSN_vxor_vv, INSN_vxor_vx, INSN_vxor_vi, {0xef, 0xef, 0xef, 0xef}},
    {INSN_vminu_vv, INSN_vminu_vx, 0, {0xda, 0, 0, 0}},
    {INSN_vmaxu_vv, INSN_vmaxu_vx, 0, {0xde, 0, 0, 0}},
    {INSN_vmul_vv, INSN_vmul_vx, 0, {0, 0xd5, 0, 0}},
    {INSN_vmv_v_v, INSN_vmv_v_x, INSN_vmv_v_i, {0}},
};

static const struct operation *find_operation(unsigned op) {
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++) {
        const struct operation *operation = &operations[i];
        if (op == operation->vv || op == operation->vx || (operation->vi && op == operation->vi)) return operation;
    }
    return NULL;
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
        asm_constant(A, reg, (uint64_t)vector_signed(o->vs1));
    } else {
        reg = in_register(e, u->b);
    }
    asm_rr(A, WIDE | MOVD, 1, reg);
    spread(e);
}

static void set(struct unit *e, const struct cell *u, const struct vector_operands *o, unsigned code);

EMITTER(vector) {
    const struct vector_operands o = operands_of(u);
    if (o.op == INSN_vsetvli || o.op == INSN_vsetivli) {
        set(e, u, &o, code);
        return;
    }
    const struct operation *operation = find_operation(o.op);
    bool moves = operation && operation->vv == INSN_vmv_v_v, known = operation && e->vector_shape && !o.masked;
    unsigned opcode = known ? operation->opcode[width(e)] : 0;
    enum operand operand = !known                  ? OPERAND_VECTOR
                           : o.op == operation->vv ? OPERAND_VECTOR
                           : o.op == operation->vx ? OPERAND_SCALAR
                                                   : OPERAND_IMMEDIATE;
    bool groups = are_groups(e, o.vd, moves ? 0 : o.vs2, operand == OPERAND_VECTOR ? o.vs1 : 0);
    if (!known || !(moves || opcode) || !groups) {
        call_body(e, u, code);
        return;
    }
    if (operand != OPERAND_VECTOR) get_scalar(e, u, &o, operand);
    struct cold *c = check_shape(e, u, code);
    for (unsigned i = 0; i < registers(e); i++) {
        if (operand == OPERAND_VECTOR) asm_rm(A, MOVDQA_LOAD, 1, CPU, place_of(o.vs1 + i));
        if (!moves) asm_rm(A, MOVDQA_LOAD, 0, CPU, place_of(o.vs2 + i));
        if (!moves) asm_rr(A, 0x660f00 | opcode, 0, 1);
        asm_rm(A, MOVDQA_STORE, moves ? 1 : 0, CPU, place_of(o.vd + i));
    }
    come_back(e, c);
}

// ---- vsetvli, vsetivli: at least VLMAX elements are left, or it is the body's

// `wide`: WIDE or 0
static void store_field(struct unit *e, unsigned wide, size_t field, unsigned value) {
    asm_rm(A, wide | 0xc7, 0, CPU, (int32_t)field);
    asm_32(A, (int32_t)value);
}

static void set(struct unit *e, const struct cell *u, const struct vector_operands *o, unsigned code) {
    // The constant that is its type is in the cell before: lift_vector.c.
    const struct cell *before = u - 1;
    uint32_t type = before->handler == cell_handler[UOP_li] && before->a == u->c ? (uint32_t)before->imm : UINT32_MAX;
    bool immediate = o->op == INSN_vsetivli, keeps = !immediate && u->b == SLOT_ZERO && u->a == SLOT_SINK;
    e->vector_shape = vector_shape_of(type);
    unsigned most = vector_max(width(e), (int)(type & 7));
    if (!e->vector_shape || keeps || (immediate && o->vs1 < most)) {
        call_body(e, u, code);
        return;
    }
    struct cold *c = NULL;
    if (!immediate && u->b != SLOT_ZERO) {
        immediate_with_slot(e, WIDE, 7, u->b, (int32_t)most);
        c = body_if(e, CC_B, u, code);
    }
    store_field(e, WIDE, offsetof(struct cpu, vector.length), most);
    store_field(e, WIDE, offsetof(struct cpu, vector.type), type);
    store_field(e, WIDE, offsetof(struct cpu, vector.start), 0);
    store_field(e, 0, offsetof(struct cpu, vector.shape), e->vector_shape);
    store_field(e, 0, offsetof(struct cpu, vector.used), 1);
    if (u->a != SLOT_SINK) {
        unsigned to = destination(e, u->a);
        asm_constant(A, to, most);
        put(e, u->a, to);
    }
    if (c) come_back(e, c);
}
#endif
