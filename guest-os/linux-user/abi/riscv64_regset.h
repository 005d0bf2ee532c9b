// riscv64's register sets for debuggers.
#pragma once
#include "guest-os/linux-user/abi.h"

// See struct guest_abi.
size_t riscv64_regset_get(uint64_t type, const struct guest_registers *from, void *set, size_t *item);
long riscv64_regset_set(uint64_t type, struct guest_registers *to, const void *set);
