// Vector instructions (riscv64's V) as LLVM's vectors. A region's blocks are built twice if most vector instructions in it have code here: once for vectors of
// the shape that they are most likely about, whose registers then are LLVM's values, and once for all others, where each instruction is its C body.
// The shape is looked at where the region is entered, and at vset*: where it turns out to be another one, the other copy goes on.
#include "translator/llvm/build.h"
#include "translator/guest/riscv64/insn_table.h"
#include "translator/guest/riscv64/vector.h"
#include <llvm-c/TargetMachine.h>
#include <string.h>

#define K(value) build_constant(b, value)

static struct vector_operands operands_of(const struct uop *u) {
    return vector_operands((uint32_t)u->imm);
}

static bool is_vector(const struct uop *u) {
    return uop_is_vector(u->code);
}

// ---- registers

static LLVMTypeRef bytes_type(struct build *b) {
    return LLVMVectorType(b->i8, CPU_VECTOR_BYTES);
}

static LLVMTypeRef element_type(struct build *b) {
    const LLVMTypeRef types[] = {b->i8, b->i16, b->i32, b->i64};
    return types[b->vectors.sew];
}

static unsigned elements(const struct build *b) {
    return CPU_VECTOR_BYTES >> b->vectors.sew;
}

static LLVMTypeRef vector_type(struct build *b) {
    return LLVMVectorType(element_type(b), elements(b));
}

static LLVMValueRef bytes_of(struct build *b, unsigned reg) {
    return LLVMBuildLoad2(b->ir, bytes_type(b), b->vectors.reg[reg], "");
}

static LLVMValueRef get(struct build *b, unsigned reg) {
    return LLVMBuildBitCast(b->ir, bytes_of(b, reg), vector_type(b), "");
}

static void put(struct build *b, unsigned reg, LLVMValueRef value) {
    LLVMBuildStore(b->ir, LLVMBuildBitCast(b->ir, value, bytes_type(b), ""), b->vectors.reg[reg]);
}

static LLVMValueRef in_cpu(struct build *b, unsigned reg) {
    return build_cpu_field(b, offsetof(struct cpu, vector.reg) + (size_t)reg * CPU_VECTOR_BYTES);
}

void build_reload_vectors(struct build *b) {
    for (unsigned i = 0; i < CPU_VECTORS; i++) {
        if (!(b->vectors.used >> i & 1)) continue;
        LLVMValueRef value = LLVMBuildLoad2(b->ir, bytes_type(b), in_cpu(b, i), "");
        LLVMSetAlignment(value, CPU_VECTOR_BYTES);
        build_mark(b, value, b->of_cpu);
        LLVMBuildStore(b->ir, value, b->vectors.reg[i]);
    }
}

void build_store_vectors(struct build *b) {
    for (unsigned i = 0; i < CPU_VECTORS; i++) {
        if (!(b->vectors.written >> i & 1)) continue;
        LLVMValueRef store = LLVMBuildStore(b->ir, bytes_of(b, i), in_cpu(b, i));
        LLVMSetAlignment(store, CPU_VECTOR_BYTES);
        build_mark(b, store, b->of_cpu);
    }
}

// ---- operations on one register each

static LLVMValueRef splat(struct build *b, LLVMValueRef scalar) {
    LLVMValueRef element = b->vectors.sew == 3 ? scalar : LLVMBuildTrunc(b->ir, scalar, element_type(b), "");
    return build_splat(b, element, elements(b));
}

static LLVMValueRef signed_splat(struct build *b, unsigned immediate) {
    return splat(b, K((uint64_t)vector_signed(immediate)));
}

static LLVMValueRef intrinsic(struct build *b, const char *name, bool overloaded, LLVMValueRef *arguments, unsigned count) {
    LLVMTypeRef type = LLVMTypeOf(arguments[0]);
    return build_intrinsic(b, name, &type, overloaded, arguments, count);
}

static LLVMValueRef shift_count(struct build *b, LLVMValueRef count) {
    return LLVMBuildAnd(b->ir, count, splat(b, K((8u << b->vectors.sew) - 1)), "");
}

static LLVMValueRef shuffled(struct build *b, LLVMValueRef x, LLVMValueRef y, const unsigned *from, unsigned count) {
    LLVMValueRef mask[CPU_VECTOR_BYTES];
    for (unsigned i = 0; i < count; i++) mask[i] = LLVMConstInt(b->i32, from[i], 0);
    return LLVMBuildShuffleVector(b->ir, x, y, LLVMConstVector(mask, count), "");
}

// The mask register's bits for the elements of register `at` of a group.
static LLVMValueRef mask_bits(struct build *b, unsigned at) {
    unsigned n = elements(b);
    LLVMTypeRef whole = LLVMIntTypeInContext(b->context, 8 * CPU_VECTOR_BYTES), bits = LLVMIntTypeInContext(b->context, n);
    LLVMValueRef all = LLVMBuildBitCast(b->ir, bytes_of(b, 0), whole, "");
    if (at) all = LLVMBuildLShr(b->ir, all, LLVMConstInt(whole, (uint64_t)at * n, 0), "");
    return LLVMBuildBitCast(b->ir, LLVMBuildTrunc(b->ir, all, bits, ""), LLVMVectorType(b->i1, n), "");
}

static LLVMValueRef reversed_bytes(struct build *b, LLVMValueRef value) {
    if (b->vectors.sew == 0) return value;
    return intrinsic(b, "llvm.bswap", true, &value, 1);
}

static LLVMValueRef rotated_right(struct build *b, LLVMValueRef value, LLVMValueRef count) {
    LLVMValueRef arguments[] = {value, value, count};
    return intrinsic(b, "llvm.fshr", true, arguments, 3);
}

#ifdef __x86_64__
// Two rounds of SHA-256, with the lower or the higher two words: the state is laid out as the host's instruction has it.
static LLVMValueRef sha_rounds(struct build *b, const struct vector_operands *o, bool high) {
    static const unsigned upper[] = {2, 3, 2, 3};
    LLVMValueRef words = get(b, o->vs1);
    LLVMValueRef arguments[] = {get(b, o->vd), get(b, o->vs2), high ? shuffled(b, words, words, upper, 4) : words};
    return intrinsic(b, "llvm.x86.sha256rnds2", false, arguments, 3);
}

// Words 16 to 19 of the schedule: vd is words 0 to 3, vs2 words 4 and 9 to 11, vs1 words 12 to 15.
static LLVMValueRef sha_schedule(struct build *b, const struct vector_operands *o) {
    static const unsigned nine_to_twelve[] = {1, 2, 3, 4};
    LLVMValueRef first[] = {get(b, o->vd), get(b, o->vs2)};
    LLVMValueRef sum = intrinsic(b, "llvm.x86.sha256msg1", false, first, 2);
    sum = LLVMBuildAdd(b->ir, sum, shuffled(b, get(b, o->vs2), get(b, o->vs1), nine_to_twelve, 4), "");
    LLVMValueRef second[] = {sum, get(b, o->vs1)};
    return intrinsic(b, "llvm.x86.sha256msg2", false, second, 2);
}
#endif

// What an instruction does to the registers `at` of its groups, of those that do the same to all elements. NULL: it has no code here.
static LLVMValueRef result_of(struct build *b, const struct uop *u, const struct vector_operands *o, unsigned at) {
#define X get(b, o->vs2 + at)
#define Y get(b, o->vs1 + at)
#define SCALAR splat(b, build_get(b, u->b))
#define SIGNED signed_splat(b, o->vs1)
#define COUNT splat(b, K(o->vs1))
#define BINARY(name, opcode)                                               \
    case INSN_##name##_vv: return LLVMBuildBinOp(b->ir, opcode, X, Y, ""); \
    case INSN_##name##_vx: return LLVMBuildBinOp(b->ir, opcode, X, SCALAR, "");
#define LOGICAL(name, opcode) \
    BINARY(name, opcode)      \
    case INSN_##name##_vi: return LLVMBuildBinOp(b->ir, opcode, X, SIGNED, "");
#define SHIFT(name, opcode)                                                                     \
    case INSN_##name##_vv: return LLVMBuildBinOp(b->ir, opcode, X, shift_count(b, Y), "");      \
    case INSN_##name##_vx: return LLVMBuildBinOp(b->ir, opcode, X, shift_count(b, SCALAR), ""); \
    case INSN_##name##_vi: return LLVMBuildBinOp(b->ir, opcode, X, shift_count(b, COUNT), "");
    // clang-format off: a table
    switch (o->op) {
    LOGICAL(vadd, LLVMAdd)
    LOGICAL(vand, LLVMAnd)
    LOGICAL(vor, LLVMOr)
    LOGICAL(vxor, LLVMXor)
    BINARY(vsub, LLVMSub)
    BINARY(vmul, LLVMMul)
    SHIFT(vsll, LLVMShl)
    SHIFT(vsrl, LLVMLShr)
    SHIFT(vsra, LLVMAShr)
    case INSN_vrsub_vx: return LLVMBuildSub(b->ir, SCALAR, X, "");
    case INSN_vrsub_vi: return LLVMBuildSub(b->ir, SIGNED, X, "");
    case INSN_vmv_v_v: return Y;
    case INSN_vmv_v_x: return SCALAR;
    case INSN_vmv_v_i: return SIGNED;
    case INSN_vrev8_v: return reversed_bytes(b, X);
    case INSN_vror_vv: return rotated_right(b, X, Y);
    case INSN_vror_vx: return rotated_right(b, X, SCALAR);
    case INSN_vror_vi: return rotated_right(b, X, splat(b, build_get(b, u->c)));
    default: return NULL;
    }
    // clang-format on
}

static LLVMValueRef merged(struct build *b, const struct uop *u, const struct vector_operands *o, unsigned at) {
    LLVMValueRef other;
    switch (o->op) {
    case INSN_vmerge_vvm: other = Y; break;
    case INSN_vmerge_vxm: other = SCALAR; break;
    case INSN_vmerge_vim: other = SIGNED; break;
    default: return NULL;
    }
    return LLVMBuildSelect(b->ir, mask_bits(b, at), other, X, "");
}

// Those of one element group, which is the only one.
static LLVMValueRef group_result(struct build *b, const struct vector_operands *o) {
    switch (o->op) {
#ifdef __x86_64__
    case INSN_vsha2cl_vv: return sha_rounds(b, o, false);
    case INSN_vsha2ch_vv: return sha_rounds(b, o, true);
    case INSN_vsha2ms_vv: return sha_schedule(b, o);
#endif
    default: return NULL;
    }
}

// ---- loads and stores

static void build_access(struct build *b, const struct uop *u, const struct vector_operands *o) {
    for (unsigned i = 0; i < 1u << b->vectors.lmul; i++) {
        struct uop part = *u;
        part.imm = (int64_t)i * CPU_VECTOR_BYTES;
        if (u->code == UOP_vectorload) put(b, o->vd + i, build_wide_load(b, part.b, part.imm, bytes_type(b)));
        else build_store(b, &part, bytes_of(b, o->vd + i));
    }
}

// ---- which

static bool find_feature(const char *name) {
    char *features = LLVMGetHostCPUFeatures(), *rest = NULL;  // "+sse2,-sha,+avx2"
    bool has = false;
    for (char *one = strtok_r(features, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
        has |= *one == '+' && !strcmp(one + 1, name);
    LLVMDisposeMessage(features);
    return has;
}

static bool host_has_sha(void) {
    static int has = -1;
    if (has < 0) has = find_feature("sha");
    return has;
}

// Without it LLVM makes shifts to the left by different counts out of floating-point conversions, which raise the guest's flags.
static bool host_shifts_each(void) {
    static int has = -1;
#ifdef __x86_64__
    if (has < 0) has = find_feature("avx2");
#else
    has = true;
#endif
    return has;
}

static bool is_sha(unsigned op) {
    return op == INSN_vsha2cl_vv || op == INSN_vsha2ch_vv || op == INSN_vsha2ms_vv;
}

static bool is_merge(unsigned op) {
    return op == INSN_vmerge_vvm || op == INSN_vmerge_vxm || op == INSN_vmerge_vim;
}

enum source { SOURCE_NONE, SOURCE_X = 1, SOURCE_Y = 2, SOURCE_D = 4 };

// Which of vs2, vs1 and vd are vector registers that are read, of instructions that have code here; -1 of others.
static int sources_of(unsigned op) {
#define V_X_(name)                                     \
    case INSN_##name##_vv: return SOURCE_X | SOURCE_Y; \
    case INSN_##name##_vx: return SOURCE_X;
#define V_X_I(name)                   \
    V_X_(name) case INSN_##name##_vi: \
    return SOURCE_X;
    // clang-format off: a table
    switch (op) {
    V_X_I(vadd) V_X_I(vand) V_X_I(vor) V_X_I(vxor) V_X_(vsub) V_X_(vmul) V_X_I(vsll) V_X_I(vsrl) V_X_I(vsra) V_X_I(vror)
    case INSN_vrsub_vx: case INSN_vrsub_vi: case INSN_vrev8_v: case INSN_vmerge_vxm: case INSN_vmerge_vim: return SOURCE_X;
    case INSN_vmerge_vvm: return SOURCE_X | SOURCE_Y;
    case INSN_vmv_v_v: return SOURCE_Y;
    case INSN_vmv_v_x: case INSN_vmv_v_i: return SOURCE_NONE;
    case INSN_vsha2cl_vv: case INSN_vsha2ch_vv: case INSN_vsha2ms_vv: return SOURCE_X | SOURCE_Y | SOURCE_D;
    default: return vector_side_by_side(op) >= 0 ? SOURCE_NONE : -1;
    }
    // clang-format on
}

static uint32_t group(unsigned first, unsigned registers) {
    return (uint32_t)((UINT64_C(1) << registers) - 1) << first;
}

static bool has_code(const struct build *b, const struct vector_operands *o) {
    unsigned registers = 1u << b->vectors.lmul;
    int sources = sources_of(o->op), width = vector_side_by_side(o->op);
    if (sources < 0 || o->masked != is_merge(o->op)) return false;
    if (width >= 0 && (unsigned)width != b->vectors.sew) return false;
    if (is_sha(o->op)) return b->vectors.sew == 2 && !b->vectors.lmul && host_has_sha() && o->vd != o->vs1 && o->vd != o->vs2;
    if (is_merge(o->op) && o->vd == 0) return false;
    if ((o->op == INSN_vsll_vv || o->op == INSN_vror_vv) && !host_shifts_each()) return false;
    bool aligned = o->vd % registers == 0 && (!(sources & SOURCE_X) || o->vs2 % registers == 0) &&
                   (!(sources & SOURCE_Y) || o->vs1 % registers == 0);
    return aligned;
}

static void note_registers(struct build *b, const struct uop *u, const struct vector_operands *o) {
    unsigned registers = 1u << b->vectors.lmul;
    int sources = sources_of(o->op);
    if (u->code != UOP_vectorstore) b->vectors.written |= group(o->vd, registers);
    if (sources & SOURCE_X) b->vectors.used |= group(o->vs2, registers);
    if (sources & SOURCE_Y) b->vectors.used |= group(o->vs1, registers);
    b->vectors.used |= group(o->vd, registers);
    if (is_merge(o->op)) b->vectors.used |= 1;
}

// ---- vset*, and loads that may cut vl: they leave the shape as it is, or the other copy of the block goes on from there

static bool is_set(unsigned op) {
    return op == INSN_vsetvli || op == INSN_vsetivli || op == INSN_vsetvl;
}

// Its vtype, which lift_vector.c put into a temporary just before; one that nobody sets, if it is not known.
static uint32_t type_of(const struct uop *u) {
    bool known = u[-1].code == UOP_li && u[-1].a == u->c && u[-1].imm >= 0 && u[-1].imm < 256;
    return known ? (uint32_t)u[-1].imm : UINT32_MAX;
}

static unsigned most_elements(const struct build *b) {
    return vector_max(b->vectors.sew, (int)b->vectors.lmul);
}

// Whether vectors can be of the blocks' shape behind it.
static bool may_fit(const struct build *b, const struct uop *u, const struct vector_operands *o) {
    uint32_t type = o->op == INSN_vsetvl ? UINT32_MAX : type_of(u);
    if ((type & 63) != (b->vectors.sew << 3 | b->vectors.lmul) || type > 255) return false;
    return o->op != INSN_vsetivli || o->vs1 >= most_elements(b);
}

// NULL: it fits in any case. Both x0: vl stays, and was VLMAX.
static LLVMValueRef too_few(struct build *b, const struct uop *u, const struct vector_operands *o) {
    if (o->op == INSN_vsetivli || u->b == SLOT_ZERO) return NULL;
    return LLVMBuildICmp(b->ir, LLVMIntULT, build_get(b, u->b), K(most_elements(b)), "");
}

// Those that may change the shape by the way, without a vset*.
static bool is_unsteady(unsigned op) {
    return strstr(riscv64_insn_table[op].name, "ff.v") != NULL;
}

static bool is_turn(const struct vector_operands *o) {
    return is_set(o->op) || is_unsteady(o->op);
}

// The place of the other copy's from where it goes on with an instruction that may change the shape. The same place before and when it is made.
static struct build_turn *turn_of(struct build *b, const struct uop *u) {
    struct build_turn *turn = b->vectors.turn;
    while (turn->at != u) turn++;
    return turn;
}

static void turn_slow(struct build *b, const struct uop *u) {
    build_store_slots(b, false);
    build_store_vectors(b);
    LLVMBuildBr(b->ir, turn_of(b, u)->slow);
}

static void build_turn(struct build *b, const struct uop *u, const struct vector_operands *o) {
    build_settle_all(b);
    bool fits = is_set(o->op) && may_fit(b, u, o);
    LLVMValueRef few = fits ? too_few(b, u, o) : NULL;
    if (few) {
        LLVMBasicBlockRef rest = build_seldom(b, few);
        turn_slow(b, u);
        LLVMPositionBuilderAtEnd(b->ir, rest);
    } else if (!fits) {
        turn_slow(b, u);
        LLVMPositionBuilderAtEnd(b->ir, build_block(b));  // what follows in this copy nobody comes to
        return;
    }
    build_store_field(b, offsetof(struct cpu, vector.type), K(type_of(u)));
    if (u->a != SLOT_SINK) build_set(b, u->a, K(most_elements(b)));
}

void build_turn_here(struct build *b, const struct uop *u) {
    if (!b->vectors.possible || b->vectors.now || !is_vector(u)) return;
    struct vector_operands o = operands_of(u);
    if (!is_turn(&o)) return;
    build_settle_all(b);
    LLVMBasicBlockRef here = turn_of(b, u)->slow = build_block(b);
    LLVMBuildBr(b->ir, here);
    LLVMPositionBuilderAtEnd(b->ir, here);
}

// ---- whether it is worth it

// The width that the instruction shows, or -1.
static int width_of(unsigned op) {
    return is_sha(op) ? 2 : vector_side_by_side(op);
}

typedef bool visit_function(struct build *b, const struct uop *u, const struct vector_operands *o);

static bool visit_all(struct build *b, visit_function *visit) {
    for (unsigned i = 0; i < b->region->blocks; i++) {
        const struct ir_block *ir = b->region->block[i].ir;
        for (unsigned n = 0; n < ir->count; n++) {
            struct vector_operands o = operands_of(&ir->uop[n]);
            if (is_vector(&ir->uop[n]) && !visit(b, &ir->uop[n], &o)) return false;
        }
    }
    return true;
}

// By the first instruction that tells.
static bool find_shape(struct build *b, const struct uop *u, const struct vector_operands *o) {
    uint32_t type = is_set(o->op) && o->op != INSN_vsetvl ? type_of(u) : UINT32_MAX;
    bool whole = vector_shape_of(type) != 0;
    int width = width_of(o->op);
    if (whole) b->vectors.sew = type >> 3 & 7, b->vectors.lmul = type & 7;
    else if (width >= 0) b->vectors.sew = (unsigned)width;
    b->vectors.possible = whole || width >= 0;
    return !is_set(o->op) && width < 0;
}

static bool look_at(struct build *b, const struct uop *u, const struct vector_operands *o) {
    if (is_turn(o)) {
        b->vectors.turn[b->vectors.turns++].at = u;
        return b->vectors.turns < BUILD_MAX_TURNS;
    }
    if (has_code(b, o)) note_registers(b, u, o), b->vectors.own++;
    else b->vectors.bodies++;
    return true;
}

void build_look_at_vectors(struct build *b) {
    if (b->region->exact) return;
    visit_all(b, find_shape);
    b->vectors.possible = b->vectors.possible && visit_all(b, look_at) && b->vectors.own > b->vectors.bodies;
    for (unsigned i = 0; i < CPU_VECTORS && b->vectors.possible; i++) {
        if (b->vectors.used >> i & 1) b->vectors.reg[i] = LLVMBuildAlloca(b->ir, bytes_type(b), "");
    }
}

LLVMValueRef build_vectors_fit(struct build *b) {
    LLVMValueRef shape = LLVMBuildLoad2(b->ir, b->i32, build_cpu_field(b, offsetof(struct cpu, vector.shape)), "");
    build_mark(b, shape, b->of_cpu);
    return LLVMBuildICmp(b->ir, LLVMIntEQ, shape, LLVMConstInt(b->i32, VECTOR_SHAPE(b->vectors.sew, b->vectors.lmul), 0), "");
}

bool build_is_vector(const struct build *b, const struct uop *u) {
    if (!b->vectors.now || !is_vector(u)) return false;
    struct vector_operands o = operands_of(u);
    return is_turn(&o) || has_code(b, &o);
}

bool build_vector(struct build *b, const struct uop *u) {
    if (!build_is_vector(b, u)) return false;
    struct vector_operands o = operands_of(u);
    if (is_turn(&o)) {
        build_turn(b, u, &o);
        return true;
    }
    LLVMValueRef one = group_result(b, &o);
    if (u->code != UOP_vector) build_access(b, u, &o);
    else if (one) put(b, o.vd, one);
    for (unsigned i = 0; i < 1u << b->vectors.lmul && u->code == UOP_vector && !one; i++) {
        put(b, o.vd + i, is_merge(o.op) ? merged(b, u, &o, i) : result_of(b, u, &o, i));
    }
    return true;
}
