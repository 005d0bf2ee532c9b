// What uops mean, as LLVM IR. Those that have no case here are carried out by their C body, as in the other tiers.
#include "translator/llvm/build.h"
#include "translator/ir/fp.h"
#include <string.h>

#define GET(slot) build_get(b, slot)
#define SET(value) build_set(b, u->a, value)
#define B GET(u->b)
#define C GET(u->c)
#define IMM build_constant(b, (uint64_t)u->imm)
#define K(value) build_constant(b, value)

static LLVMValueRef binary(struct build *b, LLVMOpcode opcode, LLVMValueRef x, LLVMValueRef y) {
    return LLVMBuildBinOp(b->ir, opcode, x, y, "");
}

static LLVMValueRef low32(struct build *b, LLVMValueRef value) {
    return LLVMBuildTrunc(b->ir, value, b->i32, "");
}

static LLVMValueRef extended(struct build *b, LLVMValueRef value) {
    return LLVMBuildSExt(b->ir, value, b->i64, "");
}

static LLVMValueRef zero_extended(struct build *b, LLVMValueRef value) {
    return LLVMBuildZExt(b->ir, value, b->i64, "");
}

static LLVMValueRef call_intrinsic(struct build *b, const char *name, LLVMTypeRef type, LLVMValueRef *arguments, unsigned count) {
    return build_intrinsic(b, name, &type, 1, arguments, count);
}

static LLVMValueRef not_bits(struct build *b, LLVMValueRef value) {
    return LLVMBuildNot(b->ir, value, "");
}

static LLVMValueRef masked(struct build *b, LLVMValueRef count, uint64_t mask) {
    return binary(b, LLVMAnd, count, build_constant_of(LLVMTypeOf(count), mask));
}

static LLVMValueRef compare(struct build *b, LLVMIntPredicate predicate, LLVMValueRef x, LLVMValueRef y) {
    return LLVMBuildICmp(b->ir, predicate, x, y, "");
}

static LLVMValueRef select_of(struct build *b, LLVMValueRef condition, LLVMValueRef yes, LLVMValueRef no) {
    return LLVMBuildSelect(b->ir, condition, yes, no, "");
}

static LLVMValueRef high_product(struct build *b, LLVMValueRef x, LLVMValueRef y, bool x_signed, bool y_signed) {
    LLVMValueRef wide_x = x_signed ? LLVMBuildSExt(b->ir, x, b->i128, "") : LLVMBuildZExt(b->ir, x, b->i128, "");
    LLVMValueRef wide_y = y_signed ? LLVMBuildSExt(b->ir, y, b->i128, "") : LLVMBuildZExt(b->ir, y, b->i128, "");
    LLVMValueRef product = binary(b, LLVMMul, wide_x, wide_y);
    return LLVMBuildTrunc(b->ir, binary(b, LLVMLShr, product, LLVMConstInt(b->i128, 64, 0)), b->i64, "");
}

// Divisors 0 and, of signed divisions, -1 have results of their own.
static LLVMValueRef division(struct build *b, LLVMValueRef x, LLVMValueRef y, bool is_signed, bool remainder) {
    LLVMTypeRef type = LLVMTypeOf(x);
    LLVMValueRef zero = LLVMConstInt(type, 0, 0), ones = LLVMConstAllOnes(type), one = LLVMConstInt(type, 1, 0);
    LLVMValueRef by_zero = compare(b, LLVMIntEQ, y, zero), by_minus = is_signed ? compare(b, LLVMIntEQ, y, ones) : NULL;
    LLVMValueRef divisor = select_of(b, by_zero, one, y);
    if (is_signed) divisor = select_of(b, by_minus, one, divisor);
    LLVMOpcode opcode = remainder ? is_signed ? LLVMSRem : LLVMURem : is_signed ? LLVMSDiv : LLVMUDiv;
    LLVMValueRef result = binary(b, opcode, x, divisor);
    if (is_signed) result = select_of(b, by_minus, remainder ? zero : LLVMBuildNeg(b->ir, x, ""), result);
    return select_of(b, by_zero, remainder ? x : ones, result);
}

static LLVMValueRef rotate(struct build *b, LLVMValueRef value, LLVMValueRef count, bool right) {
    LLVMValueRef arguments[] = {value, value, count};
    return call_intrinsic(b, right ? "llvm.fshr" : "llvm.fshl", LLVMTypeOf(value), arguments, 3);
}

static LLVMValueRef count_zeros(struct build *b, const char *name, LLVMValueRef value) {
    LLVMValueRef arguments[] = {value, LLVMConstInt(b->i1, 0, 0)};
    return call_intrinsic(b, name, LLVMTypeOf(value), arguments, 2);
}

// See uop_top_byte.
static LLVMValueRef top_byte(struct build *b, LLVMValueRef value, LLVMValueRef shift) {
    LLVMValueRef rounds = rotate(b, binary(b, LLVMSub, shift, K(8)), K(3), true);
    LLVMValueRef mask = binary(b, LLVMLShr, K(UINT64_MAX), masked(b, binary(b, LLVMSub, K(56), shift), 63));
    LLVMValueRef below = binary(b, LLVMOr, binary(b, LLVMAnd, value, mask), K(256));
    LLVMValueRef top = masked(b, binary(b, LLVMSub, K(63), count_zeros(b, "llvm.ctlz", below)), 56);
    return select_of(b, compare(b, LLVMIntULE, rounds, K(6)), top, shift);
}

static LLVMValueRef unary(struct build *b, const char *name, LLVMValueRef value) {
    return call_intrinsic(b, name, LLVMTypeOf(value), &value, 1);
}

static LLVMValueRef one_bit(struct build *b, LLVMValueRef count) {
    return binary(b, LLVMShl, K(1), masked(b, count, 63));
}

// ---- memory: in the guest's order, never doubled, dropped or invented

static LLVMValueRef address_of(struct build *b, unsigned base, int64_t imm) {
    return imm ? binary(b, LLVMAdd, GET(base), K((uint64_t)imm)) : GET(base);
}

static LLVMValueRef at_address(struct build *b, LLVMValueRef address) {
    return LLVMBuildIntToPtr(b->ir, address, b->pointer, "");
}

static void mark_access(struct build *b, LLVMValueRef access) {
    LLVMSetVolatile(access, 1);
    LLVMSetAlignment(access, 1);
    build_mark(b, access, b->of_guest);
}

LLVMValueRef build_load_from(struct build *b, LLVMValueRef address, LLVMTypeRef type) {
    LLVMValueRef value = LLVMBuildLoad2(b->ir, type, at_address(b, address), "");
    mark_access(b, value);
    return value;
}

LLVMValueRef build_wide_load(struct build *b, unsigned base, int64_t imm, LLVMTypeRef type) {
    return build_load_from(b, address_of(b, base, imm), type);
}

LLVMValueRef build_load(struct build *b, const struct uop *u, LLVMTypeRef type) {
    if (b->lanes) return b->loaded[u - b->block->ir->uop];
    if (b->joined[u - b->block->ir->uop].bytes) return build_joined_load(b, u, type);
    return build_wide_load(b, u->b, u->imm, type);
}

void build_store(struct build *b, const struct uop *u, LLVMValueRef value) {
    LLVMValueRef made = LLVMBuildStore(b->ir, value, at_address(b, address_of(b, u->b, u->imm)));
    mark_access(b, made);
}

static void store_low(struct build *b, const struct uop *u, LLVMTypeRef type) {
    build_store(b, u, LLVMBuildTrunc(b->ir, C, type, ""));
}

// A double goes between memory and its register without a detour.
static void load64(struct build *b, const struct uop *u) {
    if (b->is_double[u->a]) build_set_double(b, u->a, build_load(b, u, b->f64), NANS_KEPT);
    else SET(build_load(b, u, b->i64));
}

static void store64(struct build *b, const struct uop *u) {
    LLVMValueRef bits = C;  // settles it
    build_store(b, u, b->is_double[u->c] ? build_get_double(b, u->c) : bits);
}

static void move(struct build *b, const struct uop *u) {
    LLVMValueRef bits = B;
    if (b->is_double[u->b]) build_set_double(b, u->a, build_get_double(b, u->b), NANS_KEPT);
    else SET(bits);
}

static void set_flag(struct build *b, const struct uop *u, LLVMValueRef flag) {
    SET(zero_extended(b, flag));
}

LLVMValueRef build_condition(struct build *b, const struct uop *u) {
    static const LLVMIntPredicate predicate[] = {
        [UOP_beq] = LLVMIntEQ,  [UOP_bne] = LLVMIntNE,   [UOP_blt] = LLVMIntSLT,
        [UOP_bge] = LLVMIntSGE, [UOP_bltu] = LLVMIntULT, [UOP_bgeu] = LLVMIntUGE,
    };
    return compare(b, predicate[u->code], B, C);
}

// clang-format off: a table
#define CASE(name, ...) case UOP_##name: __VA_ARGS__; return true;
#define OP(name, opcode) CASE(name, SET(binary(b, opcode, B, C)))
#define OP_IMM(name, opcode) CASE(name, SET(binary(b, opcode, B, IMM)))
#define OP32(name, opcode) CASE(name, SET(extended(b, binary(b, opcode, low32(b, B), low32(b, C)))))
#define FLAG(name, predicate, x, y) CASE(name, set_flag(b, u, compare(b, predicate, x, y)))
bool build_uop(struct build *b, const struct uop *u) {
    switch (u->code) {
    CASE(mov, move(b, u))
    CASE(li, SET(IMM))
    CASE(lipc, SET(build_pc(b, b->block, b->block->pc + (uint64_t)u->imm)))
    OP(add, LLVMAdd) OP(sub, LLVMSub) OP(and, LLVMAnd) OP(or, LLVMOr) OP(xor, LLVMXor) OP(mul, LLVMMul)
    OP_IMM(addi, LLVMAdd) OP_IMM(andi, LLVMAnd) OP_IMM(ori, LLVMOr) OP_IMM(xori, LLVMXor)
    CASE(slli, SET(binary(b, LLVMShl, B, K(u->imm & 63))))
    CASE(srli, SET(binary(b, LLVMLShr, B, K(u->imm & 63))))
    CASE(srai, SET(binary(b, LLVMAShr, B, K(u->imm & 63))))
    CASE(andn, SET(binary(b, LLVMAnd, B, not_bits(b, C))))
    CASE(orn, SET(binary(b, LLVMOr, B, not_bits(b, C))))
    CASE(xnor, SET(not_bits(b, binary(b, LLVMXor, B, C))))
    CASE(sll, SET(binary(b, LLVMShl, B, masked(b, C, 63))))
    CASE(srl, SET(binary(b, LLVMLShr, B, masked(b, C, 63))))
    CASE(sra, SET(binary(b, LLVMAShr, B, masked(b, C, 63))))
    FLAG(slt, LLVMIntSLT, B, C) FLAG(sltu, LLVMIntULT, B, C) FLAG(slti, LLVMIntSLT, B, IMM) FLAG(sltiu, LLVMIntULT, B, IMM)
    CASE(mulh, SET(high_product(b, B, C, true, true)))
    CASE(mulhu, SET(high_product(b, B, C, false, false)))
    CASE(mulhsu, SET(high_product(b, B, C, true, false)))
    CASE(div, SET(division(b, B, C, true, false)))
    CASE(divu, SET(division(b, B, C, false, false)))
    CASE(rem, SET(division(b, B, C, true, true)))
    CASE(remu, SET(division(b, B, C, false, true)))
    CASE(min, SET(select_of(b, compare(b, LLVMIntSLT, B, C), B, C)))
    CASE(max, SET(select_of(b, compare(b, LLVMIntSGT, B, C), B, C)))
    CASE(minu, SET(select_of(b, compare(b, LLVMIntULT, B, C), B, C)))
    CASE(maxu, SET(select_of(b, compare(b, LLVMIntUGT, B, C), B, C)))
    CASE(rol, SET(rotate(b, B, C, false)))
    CASE(ror, SET(rotate(b, B, C, true)))
    CASE(rori, SET(rotate(b, B, IMM, true)))
    CASE(clz, SET(count_zeros(b, "llvm.ctlz", B)))
    CASE(ctz, SET(count_zeros(b, "llvm.cttz", B)))
    CASE(cpop, SET(unary(b, "llvm.ctpop", B)))
    CASE(topbyte, SET(top_byte(b, B, C)))
    CASE(rev8, SET(unary(b, "llvm.bswap", B)))
    CASE(bclr, SET(binary(b, LLVMAnd, B, not_bits(b, one_bit(b, C)))))
    CASE(bset, SET(binary(b, LLVMOr, B, one_bit(b, C))))
    CASE(binv, SET(binary(b, LLVMXor, B, one_bit(b, C))))
    CASE(bext, SET(masked(b, binary(b, LLVMLShr, B, masked(b, C, 63)), 1)))
    CASE(bexti, SET(masked(b, binary(b, LLVMLShr, B, K(u->imm & 63)), 1)))
    CASE(sh1add, SET(binary(b, LLVMAdd, binary(b, LLVMShl, B, K(1)), C)))
    CASE(sh2add, SET(binary(b, LLVMAdd, binary(b, LLVMShl, B, K(2)), C)))
    CASE(sh3add, SET(binary(b, LLVMAdd, binary(b, LLVMShl, B, K(3)), C)))
    CASE(czeroeqz, SET(select_of(b, compare(b, LLVMIntEQ, C, K(0)), K(0), B)))
    CASE(czeronez, SET(select_of(b, compare(b, LLVMIntNE, C, K(0)), K(0), B)))
    OP32(addw, LLVMAdd) OP32(subw, LLVMSub) OP32(mulw, LLVMMul)
    CASE(addiw, SET(extended(b, low32(b, binary(b, LLVMAdd, B, IMM)))))
    CASE(sllw, SET(extended(b, binary(b, LLVMShl, low32(b, B), masked(b, low32(b, C), 31)))))
    CASE(srlw, SET(extended(b, binary(b, LLVMLShr, low32(b, B), masked(b, low32(b, C), 31)))))
    CASE(sraw, SET(extended(b, binary(b, LLVMAShr, low32(b, B), masked(b, low32(b, C), 31)))))
    CASE(slliw, SET(extended(b, binary(b, LLVMShl, low32(b, B), build_constant_of(b->i32, u->imm & 31)))))
    CASE(srliw, SET(extended(b, binary(b, LLVMLShr, low32(b, B), build_constant_of(b->i32, u->imm & 31)))))
    CASE(sraiw, SET(extended(b, binary(b, LLVMAShr, low32(b, B), build_constant_of(b->i32, u->imm & 31)))))
    CASE(divw, SET(extended(b, division(b, low32(b, B), low32(b, C), true, false))))
    CASE(divuw, SET(extended(b, division(b, low32(b, B), low32(b, C), false, false))))
    CASE(remw, SET(extended(b, division(b, low32(b, B), low32(b, C), true, true))))
    CASE(remuw, SET(extended(b, division(b, low32(b, B), low32(b, C), false, true))))
    CASE(rolw, SET(extended(b, rotate(b, low32(b, B), low32(b, C), false))))
    CASE(rorw, SET(extended(b, rotate(b, low32(b, B), low32(b, C), true))))
    CASE(roriw, SET(extended(b, rotate(b, low32(b, B), build_constant_of(b->i32, u->imm & 31), true))))
    CASE(clzw, SET(zero_extended(b, count_zeros(b, "llvm.ctlz", low32(b, B)))))
    CASE(ctzw, SET(zero_extended(b, count_zeros(b, "llvm.cttz", low32(b, B)))))
    CASE(cpopw, SET(zero_extended(b, unary(b, "llvm.ctpop", low32(b, B)))))
    CASE(adduw, SET(binary(b, LLVMAdd, zero_extended(b, low32(b, B)), C)))
    CASE(sh1adduw, SET(binary(b, LLVMAdd, binary(b, LLVMShl, zero_extended(b, low32(b, B)), K(1)), C)))
    CASE(sh2adduw, SET(binary(b, LLVMAdd, binary(b, LLVMShl, zero_extended(b, low32(b, B)), K(2)), C)))
    CASE(sh3adduw, SET(binary(b, LLVMAdd, binary(b, LLVMShl, zero_extended(b, low32(b, B)), K(3)), C)))
    CASE(slliuw, SET(binary(b, LLVMShl, zero_extended(b, low32(b, B)), K(u->imm & 63))))
    CASE(sextb, SET(extended(b, LLVMBuildTrunc(b->ir, B, b->i8, ""))))
    CASE(sexth, SET(extended(b, LLVMBuildTrunc(b->ir, B, b->i16, ""))))
    CASE(sextw, SET(extended(b, low32(b, B))))
    CASE(zextb, SET(masked(b, B, 0xff)))
    CASE(zexth, SET(masked(b, B, 0xffff)))
    CASE(zextw, SET(zero_extended(b, low32(b, B))))
    CASE(ld8s, SET(extended(b, build_load(b, u, b->i8))))
    CASE(ld8u, SET(zero_extended(b, build_load(b, u, b->i8))))
    CASE(ld16s, SET(extended(b, build_load(b, u, b->i16))))
    CASE(ld16u, SET(zero_extended(b, build_load(b, u, b->i16))))
    CASE(ld32s, SET(extended(b, build_load(b, u, b->i32))))
    CASE(ld32u, SET(zero_extended(b, build_load(b, u, b->i32))))
    CASE(ld64, load64(b, u))
    CASE(ld16f, SET(binary(b, LLVMOr, zero_extended(b, build_load(b, u, b->i16)), K(FP_BOX_H))))
    CASE(ld32f, SET(binary(b, LLVMOr, zero_extended(b, build_load(b, u, b->i32)), K(FP_BOX_S))))
    CASE(st8, store_low(b, u, b->i8))
    CASE(st16, store_low(b, u, b->i16))
    CASE(st32, store_low(b, u, b->i32))
    CASE(st64, store64(b, u))
    default: return build_fp_uop(b, u);
    }
}
// clang-format on
