// "CMO": cache-block management. Guest memory is the host's, which is coherent, so all that is left of clean, flush and
// inval (which may be done as a flush) is that the block must be there: they read a byte of it.
#include "translator/guest/riscv64/lift.h"

LIFT(cbo_touch) {
    lift_emit(l, UOP_ld8u, SLOT_SINK, i->rs1, 0, 0);
}

LIFT(cbo_zero) {
    lift_emit(l, UOP_zero64, 0, i->rs1, SLOT_ZERO, 0);
}
