// Which places a vector instruction of riscv64 loads or stores, for cosim_trace.c alone.
#pragma once
#include "translator/ir/cpu.h"

// At most so many pieces of eight bytes or less.
enum { COSIM_VECTOR_PLACES = 1024 };

typedef void cosim_place_function(void *data, uint64_t address, unsigned size);

// Calls `look` for all places that this load or store may touch before the cpu carries it out. Those of inactive elements may be among them, and none need be
// accessible.
void cosim__vector_places(const struct cpu *cpu, uint32_t instruction, cosim_place_function *look, void *data);
