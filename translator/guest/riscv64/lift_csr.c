// "Zicsr", with the registers of F (fflags, frm, fcsr) and V, and the counters (Zicntr, Zihpm). CSRs that are not there, and writes to
// read-only ones, are illegal instructions. A write of the rounding mode may change the cpu's mode, so the block ends behind it.
#include "translator/guest/riscv64/csr.h"
#include "translator/guest/riscv64/lift.h"

enum { OLD = SLOT_TEMP, NEW, PART };

static bool is_vector_csr(unsigned csr) {
    return (csr >= CSR_VSTART && csr <= CSR_VXRM) || csr == CSR_VCSR || (csr >= CSR_VL && csr <= CSR_VLENB);
}

static guest_features csr_needs(unsigned csr) {
    if (csr >= CSR_FFLAGS && csr <= CSR_FCSR) return RV(F);
    if (csr >= CSR_CYCLE && csr <= CSR_INSTRET) return RV(ZICNTR);
    if (csr >= CSR_HPMCOUNTER3 && csr <= CSR_HPMCOUNTER31) return RV(ZIHPM);
    if (is_vector_csr(csr)) return RV(V);
    return UINT64_MAX;
}

static bool csr_is_read_only(unsigned csr) {
    return csr >> 10 == 3;
}

static void read_fcsr(struct lift *l, unsigned to) {
    lift_emit(l, UOP_frmread, PART, 0, 0, 0);
    lift_emit(l, UOP_slli, PART, PART, 0, 5);
    lift_emit(l, UOP_fflagsread, to, 0, 0, 0);
    lift_emit(l, UOP_or, to, to, PART, 0);
}

static void read_csr(struct lift *l, unsigned csr, unsigned to) {
    switch (csr) {
    case CSR_FFLAGS: lift_emit(l, UOP_fflagsread, to, 0, 0, 0); break;
    case CSR_FRM: lift_emit(l, UOP_frmread, to, 0, 0, 0); break;
    case CSR_FCSR: read_fcsr(l, to); break;
    case CSR_CYCLE:
    case CSR_INSTRET: lift_emit(l, UOP_rdcycle, to, 0, 0, 0); break;
    case CSR_TIME: lift_emit(l, UOP_rdtime, to, 0, 0, 0); break;
    default:
        if (is_vector_csr(csr)) lift_emit(l, UOP_vectorcsrread, to, 0, 0, csr);
        else lift_emit(l, UOP_li, to, 0, 0, 0);
    }
}

static void write_fflags(struct lift *l, unsigned from) {
    lift_emit(l, UOP_andi, PART, from, 0, 0x1f);
    lift_emit(l, UOP_fflagswrite, 0, PART, 0, 0);
}

static void write_frm(struct lift *l, unsigned from, unsigned position) {
    if (position) lift_emit(l, UOP_srli, PART, from, 0, position);
    lift_emit(l, UOP_andi, PART, position ? (unsigned)PART : from, 0, 7);
    lift_emit(l, UOP_frmwrite, 0, PART, 0, 0);
}

static void write_csr(struct lift *l, unsigned csr, unsigned from) {
    if (csr == CSR_FFLAGS || csr == CSR_FCSR) write_fflags(l, from);
    if (csr == CSR_FCSR) write_frm(l, from, 5);
    if (csr == CSR_FRM) write_frm(l, from, 0);
    if (is_vector_csr(csr)) lift_emit(l, UOP_vectorcsrwrite, 0, from, 0, csr);
}

// frflags, a comparison that raises flags, and fsflags of what was read: C's isless and its like. Of the three only the comparison's result and what was read
// remain.
static bool write_back(struct lift *l, unsigned from) {
    static const struct {
        uint16_t code, quiet;
    } comparisons[] = {{UOP_flt_d, UOP_fltn_d}, {UOP_fle_d, UOP_flen_d}, {UOP_flt_s, UOP_fltn_s}, {UOP_fle_s, UOP_flen_s}};
    if (l->block->count < 3) return false;
    struct uop *comparison = &l->block->uop[l->block->count - 1];
    bool was_read = comparison[-1].code == UOP_mov && comparison[-1].a == from && comparison[-2].code == UOP_fflagsread &&
                    comparison[-2].a == comparison[-1].b;
    if (!was_read || comparison->a == from) return false;
    for (unsigned i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
        if (comparison->code != comparisons[i].code) continue;
        comparison->code = comparisons[i].quiet;
        return true;
    }
    return false;
}

enum access { WRITE, SET, CLEAR };

// `operand` is a slot; `acts` whether set and clear write at all, which the encoding says, not the operand's value.
static void access_csr(struct lift *l, const struct insn *i, enum access access, unsigned operand, bool acts) {
    bool writes = access == WRITE || acts;
    if (!riscv64_has(l->features, csr_needs(i->csr)) || (writes && csr_is_read_only(i->csr))) {
        lift_illegal(l, i);
        return;
    }
    if (access == WRITE && i->csr == CSR_FFLAGS && !i->rd && write_back(l, operand)) return;
    if (i->rd || access != WRITE) read_csr(l, i->csr, OLD);
    if (access == SET && writes) lift_emit(l, UOP_or, NEW, OLD, operand, 0);
    if (access == CLEAR && writes) lift_emit(l, UOP_andn, NEW, OLD, operand, 0);
    if (writes) write_csr(l, i->csr, access == WRITE ? operand : (unsigned)NEW);
    if (i->rd) lift_emit(l, UOP_mov, i->rd, OLD, 0, 0);
    if (writes && i->csr != CSR_FFLAGS) lift_end(l, UOP_resume, 0, i->length);
}

static void access_by_register(struct lift *l, const struct insn *i, enum access access) {
    access_csr(l, i, access, i->rs1, i->rs1 != 0);
}

static void access_by_immediate(struct lift *l, const struct insn *i, enum access access) {
    lift_emit(l, UOP_li, NEW, 0, 0, i->imm);
    access_csr(l, i, access, NEW, i->imm != 0);
}

LIFT(csrrw) {
    access_by_register(l, i, WRITE);
}

LIFT(csrrs) {
    access_by_register(l, i, SET);
}

LIFT(csrrc) {
    access_by_register(l, i, CLEAR);
}

LIFT(csrrwi) {
    access_by_immediate(l, i, WRITE);
}

LIFT(csrrsi) {
    access_by_immediate(l, i, SET);
}

LIFT(csrrci) {
    access_by_immediate(l, i, CLEAR);
}
