// Control and status registers that user mode can see (unprivileged manual, "Zicsr", "F", "Zicntr and Zihpm").
#pragma once
#include "translator/guest/riscv64/features.h"

enum {
    CSR_FFLAGS = 0x001,
    CSR_FRM = 0x002,
    CSR_FCSR = 0x003,
    CSR_CYCLE = 0xc00,
    CSR_TIME = 0xc01,
    CSR_INSTRET = 0xc02,
    CSR_HPMCOUNTER3 = 0xc03,
    CSR_HPMCOUNTER31 = 0xc1f,
};
