// What floating-point uops mean, as LLVM IR. The host computes in the guest's rounding mode, and its flags are the guest's. NaNs that come out of
// arithmetic become the canonical one once their bits can be seen. What is rare or not alike on all hosts is left to the C bodies.
#include "translator/ir/fp.h"
#include "translator/llvm/build.h"
#include <string.h>

#define GET(slot) build_get(b, slot)
#define SET(value) build_set(b, u->a, value)
#define K(value) build_constant(b, value)
#define INTRINSIC(name) "llvm.experimental.constrained." name

enum { RTZ = 1 };  // of the rounding modes, the guest's numbering

static LLVMValueRef metadata(struct build *b, const char *text) {
    return LLVMMetadataAsValue(b->context, LLVMMDStringInContext2(b->context, text, strlen(text)));
}

static LLVMValueRef call(struct build *b, const char *name, LLVMTypeRef *types, unsigned type_count, LLVMValueRef *arguments,
                         unsigned count) {
    LLVMValueRef made = build_intrinsic(b, name, types, type_count, arguments, count);
    unsigned strict = LLVMGetEnumAttributeKindForName("strictfp", 8);
    LLVMAddCallSiteAttribute(made, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(b->context, strict, 0));
    return made;
}

static LLVMValueRef arithmetic(struct build *b, const char *name, LLVMValueRef *operands, unsigned count) {
    LLVMTypeRef type = LLVMTypeOf(operands[0]);
    LLVMValueRef arguments[5];
    memcpy(arguments, operands, count * sizeof *operands);
    arguments[count] = metadata(b, "round.dynamic");
    arguments[count + 1] = metadata(b, "fpexcept.strict");
    return call(b, name, &type, 1, arguments, count + 2);
}

static LLVMValueRef compare(struct build *b, bool signals, const char *predicate, LLVMValueRef x, LLVMValueRef y) {
    LLVMTypeRef type = LLVMTypeOf(x);
    LLVMValueRef arguments[] = {x, y, metadata(b, predicate), metadata(b, "fpexcept.strict")};
    return call(b, signals ? INTRINSIC("fcmps") : INTRINSIC("fcmp"), &type, 1, arguments, 4);
}

// Between types; those that may round have a rounding mode.
static LLVMValueRef convert(struct build *b, const char *name, LLVMTypeRef to, LLVMValueRef value, bool rounds) {
    LLVMTypeRef types[] = {to, LLVMTypeOf(value)};
    LLVMValueRef strict = metadata(b, "fpexcept.strict");
    LLVMValueRef arguments[] = {value, rounds ? metadata(b, "round.dynamic") : strict, strict};
    return call(b, name, types, 2, arguments, rounds ? 3 : 2);
}

static LLVMValueRef is_nan(struct build *b, LLVMValueRef value) {
    return compare(b, false, "uno", value, value);
}

static LLVMValueRef canonical_nan(struct build *b, LLVMTypeRef type) {
    LLVMValueRef bits = type == b->f32 ? LLVMConstInt(b->i32, (uint32_t)FP_NAN_S, 0) : K(FP_NAN_D);
    return LLVMConstBitCast(bits, type);
}

LLVMValueRef build_canonical(struct build *b, LLVMValueRef value) {
    LLVMValueRef values[] = {value, canonical_nan(b, LLVMTypeOf(value))};
    LLVMBasicBlockRef from[] = {LLVMGetInsertBlock(b->ir), NULL}, join = build_seldom(b, is_nan(b, value));
    from[1] = LLVMGetInsertBlock(b->ir);
    LLVMBuildBr(b->ir, join);
    LLVMPositionBuilderAtEnd(b->ir, join);
    LLVMValueRef result = LLVMBuildPhi(b->ir, LLVMTypeOf(value), "");
    LLVMAddIncoming(result, values, from, 2);
    return result;
}

// ---- operands of either width: single ones stand in the low half, below ones; anything else is a NaN

static LLVMValueRef unboxed(struct build *b, LLVMValueRef bits) {
    LLVMValueRef high = LLVMBuildLShr(b->ir, bits, K(32), "");
    LLVMValueRef boxed = LLVMBuildICmp(b->ir, LLVMIntEQ, high, K(UINT32_MAX), "");
    LLVMValueRef low = LLVMBuildTrunc(b->ir, bits, b->i32, "");
    return LLVMBuildSelect(b->ir, boxed, low, LLVMConstInt(b->i32, (uint32_t)FP_NAN_S, 0), "");
}

static LLVMValueRef get(struct build *b, unsigned slot, bool single) {
    if (!single) return build_get_double(b, slot);
    return LLVMBuildBitCast(b->ir, unboxed(b, GET(slot)), b->f32, "");
}

static void set_single_bits(struct build *b, const struct uop *u, LLVMValueRef bits) {
    SET(LLVMBuildOr(b->ir, LLVMBuildZExt(b->ir, bits, b->i64, ""), K(FP_BOX_S), ""));
}

static void set(struct build *b, const struct uop *u, LLVMValueRef value, bool canonical) {
    if (LLVMTypeOf(value) == b->f64) {
        build_set_double(b, u->a, value, canonical ? NANS_CANONICAL : NANS_RAW);
        return;
    }
    if (!canonical) value = build_canonical(b, value);
    set_single_bits(b, u, LLVMBuildBitCast(b->ir, value, b->i32, ""));
}

static bool rounds_as_host(const struct build *b, const struct uop *u) {
    return u->imm == FP_DYN && !(b->region->mode & (MODE_RM_AWAY | MODE_RM_BAD));
}

// ---- kinds of uops

static void build_arithmetic(struct build *b, const struct uop *u, bool single, const char *name, unsigned count) {
    LLVMValueRef operands[] = {get(b, u->b, single), count > 1 ? get(b, u->c, single) : NULL};
    set(b, u, arithmetic(b, name, operands, count), false);
}

static LLVMValueRef negated(struct build *b, LLVMValueRef value, bool negate) {
    return negate ? LLVMBuildFNeg(b->ir, value, "") : value;
}

// Which NaNs are invalid differs between hosts. Where the result is none, no operand is one; the body made them canonical.
static bool build_fused(struct build *b, const struct uop *u, bool single, bool minus_product, bool minus_addend) {
    if (!fp_host_has_fma) return false;
    LLVMValueRef operands[] = {negated(b, get(b, u->b, single), minus_product), get(b, u->c, single),
                               negated(b, get(b, u->d, single), minus_addend)};
    LLVMValueRef value = arithmetic(b, INTRINSIC("fma"), operands, 3);
    LLVMBasicBlockRef join = build_body_if(b, u, is_nan(b, value));
    build_note_settled(b, u->b), build_note_settled(b, u->c), build_note_settled(b, u->d);
    set(b, u, value, true);
    build_body_end(b, join);
    return true;
}

static void set_comparison(struct build *b, const struct uop *u, bool signals, const char *predicate, LLVMValueRef x,
                           LLVMValueRef y) {
    SET(LLVMBuildZExt(b->ir, compare(b, signals, predicate, x, y), b->i64, ""));
}

static void build_comparison(struct build *b, const struct uop *u, bool single, bool signals, const char *predicate) {
    set_comparison(b, u, signals, predicate, get(b, u->b, single), get(b, u->c, single));
}

static LLVMValueRef has_bits_of_nan(struct build *b, LLVMValueRef value) {
    bool single = LLVMTypeOf(value) == b->f32;
    LLVMTypeRef type = single ? b->i32 : b->i64;
    LLVMValueRef rest = LLVMConstInt(type, single ? INT32_MAX : INT64_MAX, 0);
    LLVMValueRef bits = LLVMBuildAnd(b->ir, LLVMBuildBitCast(b->ir, value, type, ""), rest, "");
    return LLVMBuildICmp(b->ir, LLVMIntUGT, bits, LLVMConstInt(type, single ? FP_INFINITY_s : FP_INFINITY_d, 0), "");
}

// The host's comparison raises nothing unless a NaN signals, and another one compares the same.
static LLVMValueRef get_quiet(struct build *b, unsigned slot, bool single) {
    LLVMValueRef value = get(b, slot, single);
    if (!single && build_is_quiet(b, slot)) return value;
    return LLVMBuildSelect(b->ir, has_bits_of_nan(b, value), canonical_nan(b, LLVMTypeOf(value)), value, "");
}

static void build_quiet_comparison(struct build *b, const struct uop *u, bool single, const char *predicate) {
    set_comparison(b, u, false, predicate, get_quiet(b, u->b, single), get_quiet(b, u->c, single));
}

// Zeroes and NaNs are left to the body.
static void build_choice(struct build *b, const struct uop *u, bool single, bool larger) {
    LLVMValueRef x = get(b, u->b, single), y = get(b, u->c, single);
    LLVMValueRef less = compare(b, false, "olt", x, y), more = compare(b, false, "olt", y, x);
    LLVMBasicBlockRef join = build_body_if(b, u, LLVMBuildNot(b->ir, LLVMBuildOr(b->ir, less, more, ""), ""));
    set(b, u, LLVMBuildSelect(b->ir, larger ? more : less, x, y, ""), true);
    build_body_end(b, join);
}

enum sign { SIGN_COPY, SIGN_NEGATE, SIGN_XOR };

static void build_sign(struct build *b, const struct uop *u, bool single, enum sign sign) {
    LLVMTypeRef type = single ? b->i32 : b->i64;
    LLVMValueRef x = single ? unboxed(b, GET(u->b)) : GET(u->b), y = single ? unboxed(b, GET(u->c)) : GET(u->c);
    LLVMValueRef top = LLVMConstInt(type, single ? UINT64_C(1) << 31 : UINT64_C(1) << 63, 0);
    if (sign == SIGN_NEGATE) y = LLVMBuildNot(b->ir, y, "");
    y = LLVMBuildAnd(b->ir, y, top, "");
    LLVMValueRef bits =
        sign == SIGN_XOR ? LLVMBuildXor(b->ir, x, y, "") : LLVMBuildOr(b->ir, LLVMBuildAnd(b->ir, x, LLVMConstNot(top), ""), y, "");
    if (single) set_single_bits(b, u, bits);
    else build_set_double(b, u->a, LLVMBuildBitCast(b->ir, bits, b->f64, ""), NANS_KEPT);
}

static bool build_from_integer(struct build *b, const struct uop *u, bool single, bool word) {
    bool exact = word && !single;
    if (!exact && !rounds_as_host(b, u)) return false;
    LLVMValueRef value = word ? LLVMBuildTrunc(b->ir, GET(u->b), b->i32, "") : GET(u->b);
    set(b, u, convert(b, INTRINSIC("sitofp"), single ? b->f32 : b->f64, value, true), true);
    return true;
}

// Truncation of what surely fits; the rest, with its flags, is left to the body.
static bool build_to_integer(struct build *b, const struct uop *u, bool single, bool word) {
    if (u->imm != RTZ) return false;
    LLVMValueRef value = get(b, u->b, single);
    LLVMTypeRef type = LLVMTypeOf(value);
    LLVMValueRef most = LLVMConstReal(type, word ? 0x7fffff80.0p0 : 0x7fffff8000000000.0p0),
                 least = LLVMConstReal(type, word ? -0x1p31 : -0x1p63);
    LLVMValueRef fits = LLVMBuildAnd(b->ir, compare(b, false, "oge", value, least), compare(b, false, "ole", value, most), "");
    LLVMBasicBlockRef join = build_body_if(b, u, LLVMBuildNot(b->ir, fits, ""));
    LLVMValueRef integer = convert(b, INTRINSIC("fptosi"), word ? b->i32 : b->i64, value, false);
    SET(word ? LLVMBuildSExt(b->ir, integer, b->i64, "") : integer);
    build_body_end(b, join);
    return true;
}

static bool build_narrow(struct build *b, const struct uop *u) {
    if (!rounds_as_host(b, u)) return false;
    set(b, u, convert(b, INTRINSIC("fptrunc"), b->f32, get(b, u->b, false), true), false);
    return true;
}

// clang-format off: tables
#define CASE(name, ...) case UOP_##name: __VA_ARGS__; return true;
#define TRY(name, ...) case UOP_##name: return __VA_ARGS__;
#define BOTH(s, single)                                                            \
    CASE(fadd_##s, build_arithmetic(b, u, single, INTRINSIC("fadd"), 2))           \
    CASE(fsub_##s, build_arithmetic(b, u, single, INTRINSIC("fsub"), 2))           \
    CASE(fmul_##s, build_arithmetic(b, u, single, INTRINSIC("fmul"), 2))           \
    CASE(fdiv_##s, build_arithmetic(b, u, single, INTRINSIC("fdiv"), 2))           \
    CASE(fsqrt_##s, build_arithmetic(b, u, single, INTRINSIC("sqrt"), 1))          \
    TRY(fmadd_##s, build_fused(b, u, single, false, false))                        \
    TRY(fmsub_##s, build_fused(b, u, single, false, true))                         \
    TRY(fnmsub_##s, build_fused(b, u, single, true, false))                        \
    TRY(fnmadd_##s, build_fused(b, u, single, true, true))                         \
    CASE(fmin_##s, build_choice(b, u, single, false))                              \
    CASE(fmax_##s, build_choice(b, u, single, true))                               \
    CASE(feq_##s, build_comparison(b, u, single, false, "oeq"))                    \
    CASE(flt_##s, build_comparison(b, u, single, true, "olt"))                     \
    CASE(fle_##s, build_comparison(b, u, single, true, "ole"))                     \
    CASE(fltq_##s, build_comparison(b, u, single, false, "olt"))                   \
    CASE(fleq_##s, build_comparison(b, u, single, false, "ole"))                   \
    CASE(fltn_##s, build_quiet_comparison(b, u, single, "olt"))                    \
    CASE(flen_##s, build_quiet_comparison(b, u, single, "ole"))                    \
    CASE(fsgnj_##s, build_sign(b, u, single, SIGN_COPY))                           \
    CASE(fsgnjn_##s, build_sign(b, u, single, SIGN_NEGATE))                        \
    CASE(fsgnjx_##s, build_sign(b, u, single, SIGN_XOR))                           \
    TRY(fcvt_##s##_w, build_from_integer(b, u, single, true))                      \
    TRY(fcvt_##s##_l, build_from_integer(b, u, single, false))                     \
    TRY(fcvt_w_##s, build_to_integer(b, u, single, true))                          \
    TRY(fcvt_l_##s, build_to_integer(b, u, single, false))
bool build_fp_uop(struct build *b, const struct uop *u) {
    switch (u->code) {
    BOTH(d, false)
    BOTH(s, true)
    CASE(fcvt_d_s, set(b, u, convert(b, INTRINSIC("fpext"), b->f64, get(b, u->b, true), false), false))
    TRY(fcvt_s_d, build_narrow(b, u))
    CASE(fbox32, SET(LLVMBuildOr(b->ir, GET(u->b), K(FP_BOX_S), "")))
    CASE(fbox16, SET(LLVMBuildOr(b->ir, GET(u->b), K(FP_BOX_H), "")))
    case UOP_fflagsread: return build_flags_read(b, u);
    case UOP_fflagswrite: return build_flags_write(b, u);
    default: return false;
    }
}

unsigned build_double_operands(const struct uop *u) {
    enum { A = 1, B = 2, C = 4, D = 8 };
    switch (u->code) {
    case UOP_fadd_d: case UOP_fsub_d: case UOP_fmul_d: case UOP_fdiv_d: case UOP_fmin_d: case UOP_fmax_d: return A | B | C;
    case UOP_fsqrt_d: return A | B;
    case UOP_fmadd_d: case UOP_fmsub_d: case UOP_fnmsub_d: case UOP_fnmadd_d: return A | B | C | D;
    case UOP_feq_d: case UOP_flt_d: case UOP_fle_d: case UOP_fltq_d: case UOP_fleq_d: case UOP_fltn_d: case UOP_flen_d: return B | C;
    case UOP_fcvt_d_w: case UOP_fcvt_d_l: case UOP_fcvt_d_s: return A;
    case UOP_fcvt_w_d: case UOP_fcvt_l_d: case UOP_fcvt_s_d: return B;
    default: return 0;
    }
}
// clang-format on
