// The bits of guest_features for riscv64 guests, from features.def.
#pragma once
#include "translator/guest/guest.h"
#include <stdbool.h>

enum riscv64_feature {
#define FEATURE(name, text, needs, processors) RV_BIT_##name,
#include "translator/guest/riscv64/features.def"
#undef FEATURE
    RV_FEATURES
};

// RV(ZBA): the bit of an extension.
#define RV(name) (UINT64_C(1) << RV_BIT_##name)

// Everything that can be offered.
#define RV_ALL ((UINT64_C(1) << RV_FEATURES) - 1)

// Whether all of `needs` is offered.
static inline bool riscv64_has(guest_features features, guest_features needs) {
    return (features & needs) == needs;
}

// struct guest_isa's parse_cpu and isa_string.
int riscv64_parse_cpu(const char *text, guest_features *features, char *why, size_t why_size);
void riscv64_isa_string(guest_features features, char *at, size_t size);
