// "F", "D", "Zfhmin" and "Zfa": floating point.
//
// Rounding: while guest code runs the host's FPU rounds as frm says, so instructions with the dynamic mode are one uop.
// Arithmetic with a static mode is put between setrm and restorerm; ties away from zero (RMM), which the host's FPU lacks,
// takes the "away" twin of the uop. Conversions to narrower types have their mode in the uop. If frm has a reserved value,
// every instruction with the dynamic mode is illegal, those included that never round (manual, "Floating-Point Control and Status Register").
#include "translator/guest/riscv64/lift.h"
#include "translator/ir/fp.h"

static unsigned f(unsigned reg) {
    return SLOT_F + reg;
}

// ---- loads, stores, moves

LIFT(flh) {
    lift_emit(l, UOP_ld16f, f(i->rd), i->rs1, 0, i->imm);
}

LIFT(flw) {
    lift_emit(l, UOP_ld32f, f(i->rd), i->rs1, 0, i->imm);
}

LIFT(fld) {
    lift_emit(l, UOP_ld64, f(i->rd), i->rs1, 0, i->imm);
}

LIFT(fsh) {
    lift_emit(l, UOP_st16, 0, i->rs1, f(i->rs2), i->imm);
}

LIFT(fsw) {
    lift_emit(l, UOP_st32, 0, i->rs1, f(i->rs2), i->imm);
}

LIFT(fsd) {
    lift_emit(l, UOP_st64, 0, i->rs1, f(i->rs2), i->imm);
}

#define LIFT_TO_X(name, code)                                        \
    LIFT(name) {                                                     \
        if (i->rd) lift_emit(l, UOP_##code, i->rd, f(i->rs1), 0, 0); \
    }
#define LIFT_FROM_X(name, code)                           \
    LIFT(name) {                                          \
        lift_emit(l, UOP_##code, f(i->rd), i->rs1, 0, 0); \
    }
LIFT_TO_X(fmv_x_h, sexth)
LIFT_TO_X(fmv_x_w, sextw)
LIFT_TO_X(fmv_x_d, mov)
LIFT_TO_X(fclass_s, fclass_s)
LIFT_TO_X(fclass_d, fclass_d)
LIFT_FROM_X(fmv_h_x, fbox16)
LIFT_FROM_X(fmv_w_x, fbox32)
LIFT_FROM_X(fmv_d_x, mov)

// ---- two operands, no rounding

#define LIFT_FFF(name)                                               \
    LIFT(name) {                                                     \
        lift_emit(l, UOP_##name, f(i->rd), f(i->rs1), f(i->rs2), 0); \
    }
LIFT_FFF(fsgnj_s)
LIFT_FFF(fsgnjn_s)
LIFT_FFF(fsgnjx_s)
LIFT_FFF(fsgnjn_d)
LIFT_FFF(fsgnjx_d)
LIFT_FFF(fmin_s)
LIFT_FFF(fmax_s)
LIFT_FFF(fmin_d)
LIFT_FFF(fmax_d)
LIFT_FFF(fminm_s)
LIFT_FFF(fmaxm_s)
LIFT_FFF(fminm_d)
LIFT_FFF(fmaxm_d)

// fmv.d is fsgnj.d with one source
LIFT(fsgnj_d) {
    if (i->rs1 == i->rs2) lift_emit(l, UOP_mov, f(i->rd), f(i->rs1), 0, 0);
    else lift_emit(l, UOP_fsgnj_d, f(i->rd), f(i->rs1), f(i->rs2), 0);
}

#define LIFT_COMPARE(name)                                                          \
    LIFT(name) {                                                                    \
        lift_emit(l, UOP_##name, lift_destination(i->rd), f(i->rs1), f(i->rs2), 0); \
    }
LIFT_COMPARE(feq_s)
LIFT_COMPARE(flt_s)
LIFT_COMPARE(fle_s)
LIFT_COMPARE(feq_d)
LIFT_COMPARE(flt_d)
LIFT_COMPARE(fle_d)
LIFT_COMPARE(fltq_s)
LIFT_COMPARE(fleq_s)
LIFT_COMPARE(fltq_d)
LIFT_COMPARE(fleq_d)

// ---- arithmetic

// Whether rm asks for a dynamic mode that is not one; then the instruction has been lifted as illegal.
static bool rounding_is_bad(struct lift *l, const struct insn *i) {
    bool bad = i->rm == FP_DYN && l->mode & MODE_RM_BAD;
    if (bad) lift_illegal(l, i);
    return bad;
}

static bool rounds_away(const struct lift *l, const struct insn *i) {
    return i->rm == FP_RMM || (i->rm == FP_DYN && l->mode & MODE_RM_AWAY);
}

static void arithmetic(struct lift *l, const struct insn *i, unsigned code, unsigned away_code) {
    if (rounding_is_bad(l, i)) return;
    bool away = rounds_away(l, i), fixed = !away && i->rm != FP_DYN;
    enum uop_format format = uop_info[code].format;
    if (fixed) lift_emit(l, UOP_setrm, 0, 0, 0, i->rm);
    struct uop *uop = lift_emit(l, away ? away_code : code, f(i->rd), f(i->rs1), format == UOP_FORMAT_DS ? 0 : f(i->rs2), 0);
    if (format == UOP_FORMAT_DSSS) uop->d = (uint8_t)f(i->rs3);
    if (fixed) lift_emit(l, UOP_restorerm, 0, 0, 0, 0);
}

#define LIFT_ARITHMETIC(name, suffix)                                       \
    LIFT(name##_##suffix) {                                                 \
        arithmetic(l, i, UOP_##name##_##suffix, UOP_##name##away_##suffix); \
    }
LIFT_ARITHMETIC(fadd, s)
LIFT_ARITHMETIC(fsub, s)
LIFT_ARITHMETIC(fmul, s)
LIFT_ARITHMETIC(fdiv, s)
LIFT_ARITHMETIC(fsqrt, s)
LIFT_ARITHMETIC(fmadd, s)
LIFT_ARITHMETIC(fmsub, s)
LIFT_ARITHMETIC(fnmsub, s)
LIFT_ARITHMETIC(fnmadd, s)
LIFT_ARITHMETIC(fadd, d)
LIFT_ARITHMETIC(fsub, d)
LIFT_ARITHMETIC(fmul, d)
LIFT_ARITHMETIC(fdiv, d)
LIFT_ARITHMETIC(fsqrt, d)
LIFT_ARITHMETIC(fmadd, d)
LIFT_ARITHMETIC(fmsub, d)
LIFT_ARITHMETIC(fnmsub, d)
LIFT_ARITHMETIC(fnmadd, d)

// ---- conversions, and Zfa's roundings to integral values

static void convert(struct lift *l, const struct insn *i, unsigned code, unsigned to, unsigned from) {
    if (rounding_is_bad(l, i)) return;
    bool takes_mode = uop_info[code].format == UOP_FORMAT_DSI;
    lift_emit(l, code, to, from, 0, !takes_mode ? 0 : rounds_away(l, i) ? FP_RMM : i->rm);
}

#define LIFT_CONVERT_TO_X(name)                                        \
    LIFT(name) {                                                       \
        convert(l, i, UOP_##name, lift_destination(i->rd), f(i->rs1)); \
    }
#define LIFT_CONVERT_FROM_X(name)                    \
    LIFT(name) {                                     \
        convert(l, i, UOP_##name, f(i->rd), i->rs1); \
    }
#define LIFT_CONVERT(name)                              \
    LIFT(name) {                                        \
        convert(l, i, UOP_##name, f(i->rd), f(i->rs1)); \
    }
LIFT_CONVERT_TO_X(fcvt_w_s)
LIFT_CONVERT_TO_X(fcvt_wu_s)
LIFT_CONVERT_TO_X(fcvt_l_s)
LIFT_CONVERT_TO_X(fcvt_lu_s)
LIFT_CONVERT_TO_X(fcvt_w_d)
LIFT_CONVERT_TO_X(fcvt_wu_d)
LIFT_CONVERT_TO_X(fcvt_l_d)
LIFT_CONVERT_TO_X(fcvt_lu_d)
LIFT_CONVERT_FROM_X(fcvt_s_w)
LIFT_CONVERT_FROM_X(fcvt_s_wu)
LIFT_CONVERT_FROM_X(fcvt_s_l)
LIFT_CONVERT_FROM_X(fcvt_s_lu)
LIFT_CONVERT_FROM_X(fcvt_d_w)
LIFT_CONVERT_FROM_X(fcvt_d_wu)
LIFT_CONVERT_FROM_X(fcvt_d_l)
LIFT_CONVERT_FROM_X(fcvt_d_lu)
LIFT_CONVERT(fcvt_s_d)
LIFT_CONVERT(fcvt_d_s)
LIFT_CONVERT(fcvt_s_h)
LIFT_CONVERT(fcvt_h_s)
LIFT_CONVERT(fcvt_d_h)
LIFT_CONVERT(fcvt_h_d)
LIFT_CONVERT(fround_s)
LIFT_CONVERT(froundnx_s)
LIFT_CONVERT(fround_d)
LIFT_CONVERT(froundnx_d)

// Its rounding mode is part of the encoding and always towards zero.
LIFT(fcvtmod_w_d) {
    lift_emit(l, UOP_fcvtmod_w_d, lift_destination(i->rd), f(i->rs1), 0, 0);
}

// ---- Zfa: constants (manual, table "Immediate values loaded by the FLI instructions")

static const uint32_t fli_single[32] = {
    0xbf800000, 0x00800000, 0x37800000, 0x38000000, 0x3b800000, 0x3c000000, 0x3d800000, 0x3e000000,  // -1, min, 2^-16, 2^-15 …
    0x3e800000, 0x3ea00000, 0x3ec00000, 0x3ee00000, 0x3f000000, 0x3f200000, 0x3f400000, 0x3f600000,  // 0.25, 0.3125 … 0.875
    0x3f800000, 0x3fa00000, 0x3fc00000, 0x3fe00000, 0x40000000, 0x40200000, 0x40400000, 0x40800000,  // 1, 1.25 … 2, 2.5, 3, 4
    0x41000000, 0x41800000, 0x43000000, 0x43800000, 0x47000000, 0x47800000, 0x7f800000, 0x7fc00000,  // 8, 16, 128, 256 … inf, nan
};

// The same value in double precision, except for "min", which is each format's own smallest normal number.
static uint64_t fli_double(unsigned index) {
    uint64_t single = fli_single[index], sign = single >> 31 << 63, exponent = single >> 23 & 0xff,
             fraction = (single & 0x7fffff) << 29;
    if (index == 1) return UINT64_C(1) << 52;
    if (exponent == 0xff) return UINT64_C(0x7ff) << 52 | fraction;
    return sign | (exponent - 127 + 1023) << 52 | fraction;
}

LIFT(fli_s) {
    lift_emit(l, UOP_li, f(i->rd), 0, 0, (int64_t)(UINT64_C(0xffffffff00000000) | fli_single[i->rs1]));
}

LIFT(fli_d) {
    lift_emit(l, UOP_li, f(i->rd), 0, 0, (int64_t)fli_double(i->rs1));
}
