// "M": multiplication and division. Division by zero and overflow do not trap; the uops give the manual's results.
#include "translator/guest/riscv64/lift.h"

LIFT_DSS(mul, mul)
LIFT_DSS(mulh, mulh)
LIFT_DSS(mulhsu, mulhsu)
LIFT_DSS(mulhu, mulhu)
LIFT_DSS(div, div)
LIFT_DSS(divu, divu)
LIFT_DSS(rem, rem)
LIFT_DSS(remu, remu)
LIFT_DSS(mulw, mulw)
LIFT_DSS(divw, divw)
LIFT_DSS(divuw, divuw)
LIFT_DSS(remw, remw)
LIFT_DSS(remuw, remuw)
