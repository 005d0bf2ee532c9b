// "A": load-reserved, store-conditional and read-modify-write; compare-and-swap (Zacas); waiting on a reservation (Zawrs).
// aq and rl need nothing: the uops are sequentially consistent.
#include "translator/guest/riscv64/lift.h"

#define LIFT_AMO(name, code)                                                  \
    LIFT(name) {                                                              \
        lift_emit(l, UOP_##code, lift_destination(i->rd), i->rs1, i->rs2, 0); \
    }
LIFT_AMO(lr_w, lr32)
LIFT_AMO(lr_d, lr64)
LIFT_AMO(sc_w, sc32)
LIFT_AMO(sc_d, sc64)
LIFT_AMO(amoswap_w, swap32)
LIFT_AMO(amoswap_d, swap64)
LIFT_AMO(amoadd_w, fetchadd32)
LIFT_AMO(amoadd_d, fetchadd64)
LIFT_AMO(amoxor_w, fetchxor32)
LIFT_AMO(amoxor_d, fetchxor64)
LIFT_AMO(amoand_w, fetchand32)
LIFT_AMO(amoand_d, fetchand64)
LIFT_AMO(amoor_w, fetchor32)
LIFT_AMO(amoor_d, fetchor64)
LIFT_AMO(amomin_w, fetchmin32)
LIFT_AMO(amomin_d, fetchmin64)
LIFT_AMO(amomax_w, fetchmax32)
LIFT_AMO(amomax_d, fetchmax64)
LIFT_AMO(amominu_w, fetchminu32)
LIFT_AMO(amominu_d, fetchminu64)
LIFT_AMO(amomaxu_w, fetchmaxu32)
LIFT_AMO(amomaxu_d, fetchmaxu64)

// The comparand is the old value of rd; as x0 it is 0 and its new value is dropped.
static void compare_and_swap(struct lift *l, const struct insn *i, unsigned code) {
    unsigned comparand = i->rd;
    if (!comparand) lift_emit(l, UOP_li, comparand = SLOT_TEMP, 0, 0, 0);
    lift_emit(l, code, comparand, i->rs1, i->rs2, 0);
}

LIFT(amocas_w) {
    compare_and_swap(l, i, UOP_cas32);
}

LIFT(amocas_d) {
    compare_and_swap(l, i, UOP_cas64);
}

// The uop itself takes SLOT_ZERO for a pair of zeroes.
LIFT(amocas_q) {
    lift_emit(l, UOP_cas128, i->rd, i->rs1, i->rs2, 0);
}

LIFT(wrs) {
    (void)i;
    lift_emit(l, UOP_waitreserved, 0, 0, 0, 0);
}
