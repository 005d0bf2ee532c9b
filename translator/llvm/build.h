// Between the region's frame (region.c) and the meaning of uops (uops.c).
#pragma once
#include "translator/llvm/region.h"

struct build {
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef ir;
    LLVMTypeRef i1, i8, i16, i32, i64, i128, f64, pointer;
    LLVMTypeRef convention;  // of native code
    LLVMValueRef function, cpu;
    LLVMValueRef slot[CPU_SLOTS];  // allocas of the slots that the region touches
    bool written[CPU_SLOTS];
    const struct region *region;
    const struct region_block *block;  // under way
    bool failed;
};

LLVMValueRef build_get(struct build *b, unsigned slot);
void build_set(struct build *b, unsigned slot, LLVMValueRef value);
LLVMValueRef build_constant(struct build *b, uint64_t value);
// The address of something in struct cpu.
LLVMValueRef build_cpu_field(struct build *b, size_t offset);
// Code for a uop that neither branches nor leaves. False if there is none: then its C body has to be called.
bool build_uop(struct build *b, const struct uop *uop);
// The condition of a branch.
LLVMValueRef build_condition(struct build *b, const struct uop *uop);
