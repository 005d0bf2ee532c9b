// The estimates of vfrsqrt7.v and vfrec7.v, of seven bits: what they are for each number is laid down (manual, "Vector Floating-Point Reciprocal Square-Root Estimate
// Instruction", "Vector Floating-Point Reciprocal Estimate Instruction").
#pragma once
#include "translator/ir/cpu.h"

// Bits of a number of single or double precision in and out; flags are raised in the cpu.
uint64_t vector_reciprocal_root(struct cpu *cpu, uint64_t a, bool is_double);
uint64_t vector_reciprocal(struct cpu *cpu, uint64_t a, bool is_double);
