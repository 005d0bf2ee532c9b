// Writes x86-64 instructions (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, "Instruction Format").
#pragma once
#include "translator/ir/cpu.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum host_register { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_REGISTER };
enum { CPU = R13 };  // holds CPU_BASE of the cpu wherever native code runs

// Condition codes as jcc, setcc and cmovcc have them; the opposite one differs in the lowest bit.
enum condition { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

// Opcodes are numbers: the last byte, 0x0f00 where it stands in the second map, a mandatory prefix at 16, and these.
enum {
    WIDE = 1 << 24,      // 64-bit operands
    BYTE_REG = 1 << 25,  // the register operand is a byte: sil, dil and so on need a REX prefix
    BYTE_RM = 1 << 26,   // the other operand is one
};

struct assembler {
    uint8_t *at, *start, *limit;  // never writes past the limit
    uintptr_t address;            // of start, when the code runs
    bool failed;                  // the limit was reached, or something is out of reach
};

static inline void asm_byte(struct assembler *a, unsigned byte) {
    if (a->at < a->limit) *a->at++ = (uint8_t)byte;
    else a->failed = true;
}

static inline void asm_bytes(struct assembler *a, const void *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) asm_byte(a, ((const uint8_t *)bytes)[i]);
}

static inline void asm_32(struct assembler *a, int32_t value) {
    asm_bytes(a, &value, sizeof value);
}

static inline uint32_t asm_offset(const struct assembler *a) {
    return (uint32_t)(a->at - a->start);
}

static inline void asm_opcode(struct assembler *a, unsigned opcode, unsigned reg, unsigned rm, bool rm_is_register) {
    if (opcode >> 16 & 0xff) asm_byte(a, opcode >> 16 & 0xff);
    unsigned rex = (opcode & WIDE ? 8u : 0u) | (reg >> 3) << 2 | rm >> 3;
    bool byte = (opcode & BYTE_REG && reg >= RSP) || (opcode & BYTE_RM && rm_is_register && rm >= RSP);
    if (rex || byte) asm_byte(a, 0x40 | rex);
    if (opcode & 0xff00) asm_byte(a, 0x0f);
    asm_byte(a, opcode & 0xff);
}

// `reg` may also be the digit that extends an opcode.
static inline void asm_rr(struct assembler *a, unsigned opcode, unsigned reg, unsigned rm) {
    asm_opcode(a, opcode, reg, rm, true);
    asm_byte(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

// Displacements from the cpu are given as those from its start.
static inline int32_t asm_from(unsigned base, int32_t displacement) {
    return base == CPU ? displacement - CPU_BASE : displacement;
}

static inline void asm_memory_operand(struct assembler *a, unsigned reg, unsigned base, int32_t from) {
    int32_t displacement = asm_from(base, from);
    bool none = displacement == 0 && (base & 7) != RBP, small = displacement == (int8_t)displacement;
    asm_byte(a, (none ? 0u : small ? 0x40u : 0x80u) | (reg & 7) << 3 | (base & 7));
    if ((base & 7) == RSP) asm_byte(a, 0x24);
    if (none) return;
    if (small) asm_byte(a, (uint8_t)displacement);
    else asm_32(a, displacement);
}

static inline void asm_rm(struct assembler *a, unsigned opcode, unsigned reg, unsigned base, int32_t displacement) {
    asm_opcode(a, opcode, reg, base, false);
    asm_memory_operand(a, reg, base, displacement);
}

// [base + index * scale + displacement]; the index is not RSP.
static inline void asm_rx(struct assembler *a, unsigned opcode, unsigned reg, unsigned base, unsigned index, unsigned scale,
                          int32_t from) {
    int32_t displacement = asm_from(base, from);
    unsigned rex = (opcode & WIDE ? 8u : 0u) | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
    if (rex) asm_byte(a, 0x40 | rex);
    asm_byte(a, opcode & 0xff);
    bool none = displacement == 0 && (base & 7) != RBP;
    asm_byte(a, (none ? 0u : 0x80u) | (reg & 7) << 3 | 4);
    asm_byte(a, (scale == 8 ? 3u : scale == 4 ? 2u : scale == 2 ? 1u : 0u) << 6 | (index & 7) << 3 | (base & 7));
    if (!none) asm_32(a, displacement);
}

// The VEX forms with three operands: reg, second (VEX.vvvv), register or memory. `prefix` is 0 none, 1 66, 2 F3, 3 F2; map 2 is 0F38.
static inline void asm_vex(struct assembler *a, unsigned prefix, bool wide, unsigned opcode, unsigned reg, unsigned second,
                           unsigned rm) {
    asm_byte(a, 0xc4);
    asm_byte(a, (reg < 8 ? 0x80u : 0u) | 0x40 | (rm < 8 ? 0x20u : 0u) | 2);
    asm_byte(a, (wide ? 0x80u : 0u) | (~second & 15) << 3 | prefix);
    asm_byte(a, opcode);
}

static inline void asm_vex_rr(struct assembler *a, unsigned prefix, bool wide, unsigned opcode, unsigned reg, unsigned second,
                              unsigned rm) {
    asm_vex(a, prefix, wide, opcode, reg, second, rm);
    asm_byte(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void asm_vex_rm(struct assembler *a, unsigned prefix, bool wide, unsigned opcode, unsigned reg, unsigned second,
                              unsigned base, int32_t displacement) {
    asm_vex(a, prefix, wide, opcode, reg, second, base);
    asm_memory_operand(a, reg, base, displacement);
}

// From behind the four bytes that hold it.
static inline void asm_distance(struct assembler *a, const void *target) {
    int64_t distance = (int64_t)((uintptr_t)target - (a->address + asm_offset(a) + 4));
    if (distance != (int32_t)distance) a->failed = true;
    asm_32(a, (int32_t)distance);
}

// [rip + distance to `target`]; nothing may follow in the instruction.
static inline void asm_near(struct assembler *a, unsigned opcode, unsigned reg, const void *target) {
    asm_opcode(a, opcode, reg, 0, false);
    asm_byte(a, (reg & 7) << 3 | 5);
    asm_distance(a, target);
}

// add, or, adc, sbb, and, sub, xor, cmp by digit, with an immediate in one byte where that will do
static inline unsigned asm_arithmetic(int32_t value) {
    return value == (int8_t)value ? 0x83 : 0x81;
}

static inline void asm_immediate(struct assembler *a, int32_t value) {
    if (value == (int8_t)value) asm_byte(a, (uint8_t)value);
    else asm_32(a, value);
}

static inline void asm_arithmetic_immediate(struct assembler *a, unsigned wide, unsigned digit, unsigned rm, int32_t value) {
    asm_rr(a, wide | asm_arithmetic(value), digit, rm);
    asm_immediate(a, value);
}

static inline void asm_arithmetic_immediate_memory(struct assembler *a, unsigned wide, unsigned digit, unsigned base,
                                                   int32_t displacement, int32_t value) {
    asm_rm(a, wide | asm_arithmetic(value), digit, base, displacement);
    asm_immediate(a, value);
}

static inline void asm_constant(struct assembler *a, unsigned reg, uint64_t value) {
    if (value == 0) {
        asm_rr(a, 0x31, reg, reg);
    } else if (value == (uint32_t)value) {
        asm_opcode(a, 0xb8 | (reg & 7), 0, reg, false);
        asm_32(a, (int32_t)(uint32_t)value);
    } else if ((int64_t)value == (int32_t)value) {
        asm_rr(a, WIDE | 0xc7, 0, reg);
        asm_32(a, (int32_t)value);
    } else {
        asm_opcode(a, WIDE | 0xb8 | (reg & 7), 0, reg, false);
        asm_bytes(a, &value, sizeof value);
    }
}

// Jumps and calls to an address, and jumps whose target is filled in later.
static inline void asm_jump(struct assembler *a, const void *target) {
    asm_byte(a, 0xe9);
    asm_distance(a, target);
}

static inline void asm_call(struct assembler *a, const void *target) {
    asm_byte(a, 0xe8);
    asm_distance(a, target);
}

// Both return where the distance goes, for asm_land.
static inline uint32_t asm_jump_later(struct assembler *a) {
    asm_byte(a, 0xe9);
    asm_32(a, 0);
    return asm_offset(a) - 4;
}

static inline uint32_t asm_branch_later(struct assembler *a, enum condition condition) {
    asm_byte(a, 0x0f);
    asm_byte(a, 0x80 | condition);
    asm_32(a, 0);
    return asm_offset(a) - 4;
}

static inline void asm_land_at(struct assembler *a, uint32_t later, uint32_t target) {
    int32_t distance = (int32_t)(target - (later + 4));
    if (!a->failed) memcpy(a->start + later, &distance, sizeof distance);
}

static inline void asm_land(struct assembler *a, uint32_t later) {
    asm_land_at(a, later, asm_offset(a));
}
