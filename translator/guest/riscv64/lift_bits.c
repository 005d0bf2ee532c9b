// "B": address generation (Zba), basic bit manipulation (Zbb), single bits (Zbs); and conditional zero (Zicond).
#include "translator/guest/riscv64/lift.h"

// ---- Zba

LIFT(add_uw) {
    if (i->rd && i->rs2 == SLOT_ZERO) lift_emit(l, UOP_zextw, i->rd, i->rs1, 0, 0);
    else if (i->rd) lift_emit(l, UOP_adduw, i->rd, i->rs1, i->rs2, 0);
}

LIFT_DSS(sh1add, sh1add)
LIFT_DSS(sh2add, sh2add)
LIFT_DSS(sh3add, sh3add)
LIFT_DSS(sh1add_uw, sh1adduw)
LIFT_DSS(sh2add_uw, sh2adduw)
LIFT_DSS(sh3add_uw, sh3adduw)
LIFT_DSI(slli_uw, slliuw)

// ---- Zbb

LIFT_DSS(andn, andn)
LIFT_DSS(orn, orn)
LIFT_DSS(xnor, xnor)
LIFT_DS(clz, clz)
LIFT_DS(ctz, ctz)
LIFT_DS(cpop, cpop)
LIFT_DS(clzw, clzw)
LIFT_DS(ctzw, ctzw)
LIFT_DS(cpopw, cpopw)
LIFT_DS(sext_b, sextb)
LIFT_DS(sext_h, sexth)
LIFT_DS(zext_h, zexth)
LIFT_DSS(max, max)
LIFT_DSS(maxu, maxu)
LIFT_DSS(min, min)
LIFT_DSS(minu, minu)
LIFT_DSS(rol, rol)
LIFT_DSS(ror, ror)
LIFT_DSI(rori, rori)
LIFT_DSS(rolw, rolw)
LIFT_DSS(rorw, rorw)
LIFT_DSI(roriw, roriw)
LIFT_DS(orc_b, orcb)
LIFT_DS(rev8, rev8)

// ---- Zbs

LIFT_DSS(bclr, bclr)
LIFT_DSS(bext, bext)
LIFT_DSS(binv, binv)
LIFT_DSS(bset, bset)
LIFT_DSI(bexti, bexti)

// A mask that fits a uop's immediate is one; higher bits come from a temporary.
static void single_bit(struct lift *l, const struct insn *i, unsigned immediate_code, int64_t mask, unsigned register_code) {
    if (!i->rd) return;
    if (mask == (int32_t)mask) {
        lift_emit(l, immediate_code, i->rd, i->rs1, 0, mask);
        return;
    }
    lift_emit(l, UOP_li, SLOT_TEMP, 0, 0, i->imm);
    lift_emit(l, register_code, i->rd, i->rs1, SLOT_TEMP, 0);
}

LIFT(bclri) {
    single_bit(l, i, UOP_andi, (int64_t)~(UINT64_C(1) << i->imm), UOP_bclr);
}

LIFT(bseti) {
    single_bit(l, i, UOP_ori, (int64_t)(UINT64_C(1) << i->imm), UOP_bset);
}

LIFT(binvi) {
    single_bit(l, i, UOP_xori, (int64_t)(UINT64_C(1) << i->imm), UOP_binv);
}

// ---- Zicond

LIFT_DSS(czero_eqz, czeroeqz)
LIFT_DSS(czero_nez, czeronez)
