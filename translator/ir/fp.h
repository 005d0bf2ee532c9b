// Floating point as the uops define it: IEEE 754 with the guest-visible choices of the RISC-V manual (canonical NaN
// results, NaN boxing of narrow values, tininess after rounding, saturating conversions), on the host's FPU wherever it
// gives the same bits and flags, in integer code where not. Sticky flags go to the host's FPU where it raises them itself,
// else to cpu->fp_flags. Callers: bodies in uops.def. All values are raw bits.
#pragma once
#include "translator/ir/cpu.h"
#include <stdint.h>

// RISC-V unprivileged manual, "Floating-Point Control and Status Register": fflags bits and rounding modes.
enum { FP_NX = 1, FP_UF = 2, FP_OF = 4, FP_DZ = 8, FP_NV = 16 };
enum { FP_RNE, FP_RTZ, FP_RDN, FP_RUP, FP_RMM, FP_DYN = 7 };

#define FP_DECLARE(s)                                                                                                                \
    uint64_t fp_add_##s(struct cpu *, uint64_t, uint64_t), fp_sub_##s(struct cpu *, uint64_t, uint64_t);                             \
    uint64_t fp_mul_##s(struct cpu *, uint64_t, uint64_t), fp_div_##s(struct cpu *, uint64_t, uint64_t);
// …the implementer completes these: names and arguments as uops_fp.def calls them. Hot ones are static inline here.
#undef FP_DECLARE
