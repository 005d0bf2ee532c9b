// Text of instructions, for `ferry dump`, logs and crash reports.
#pragma once
#include "translator/guest/guest.h"

// struct guest_isa's disassemble and slot_name.
unsigned riscv64_disassemble(const uint8_t *bytes, size_t size, uint64_t pc, guest_features features, char *at, size_t text_size);
const char *riscv64_slot_name(unsigned slot);
