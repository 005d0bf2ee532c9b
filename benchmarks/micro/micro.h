// What the files of micro benchmarks share: their registration, guest code by hand, and a guest cpu to run it on.
#pragma once
#include "benchmarks/shim.h"
#include "runtime/cpu_loop.h"
#include "runtime/options.h"
#include <stddef.h>
#include <stdint.h>

// Each file registers its own: what makes code or none, and once for each tier, what runs guest code.
void micro_translate_register(void);
void micro_memory_register(void);
void micro_run_register(void);
void micro_call_register(void);
void micro_os_register(void);
// bench_register, with the tier's name before this one.
void micro_register(const char *name, bench_function *function, const void *data);

// ---- riscv64 instructions as words (the formats of the unprivileged manual, chapter 2)

// clang-format off
enum { X0, RA, SP, GP, TP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5, A6, A7, S2, S3, S4, S5, S6, S7, S8, S9, S10, S11, T3, T4, T5, T6 };
// clang-format on

#define RV_R(opcode, funct3, funct7, rd, rs1, rs2)                                                                               \
    ((uint32_t)(funct7) << 25 | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 | (uint32_t)(funct3) << 12 | (uint32_t)(rd) << 7 | \
     (opcode))
#define RV_I(opcode, funct3, rd, rs1, imm) \
    (((uint32_t)(imm) & 0xfff) << 20 | (uint32_t)(rs1) << 15 | (uint32_t)(funct3) << 12 | (uint32_t)(rd) << 7 | (opcode))
#define RV_S(opcode, funct3, rs1, rs2, imm)                                                                           \
    (((uint32_t)(imm) >> 5 & 0x7f) << 25 | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 | (uint32_t)(funct3) << 12 | \
     ((uint32_t)(imm) & 0x1f) << 7 | (opcode))
#define RV_B(funct3, rs1, rs2, imm)                                                                                            \
    (((uint32_t)(imm) >> 12 & 1) << 31 | ((uint32_t)(imm) >> 5 & 0x3f) << 25 | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 | \
     (uint32_t)(funct3) << 12 | ((uint32_t)(imm) >> 1 & 0xf) << 8 | ((uint32_t)(imm) >> 11 & 1) << 7 | 0x63)
#define ADDI(rd, rs1, imm) RV_I(0x13, 0, rd, rs1, imm)
#define ANDI(rd, rs1, imm) RV_I(0x13, 7, rd, rs1, imm)
#define SLLI(rd, rs1, by) RV_I(0x13, 1, rd, rs1, by)
#define SRLI(rd, rs1, by) RV_I(0x13, 5, rd, rs1, by)
#define ADD(rd, rs1, rs2) RV_R(0x33, 0, 0, rd, rs1, rs2)
#define SUB(rd, rs1, rs2) RV_R(0x33, 0, 0x20, rd, rs1, rs2)
#define XOR(rd, rs1, rs2) RV_R(0x33, 4, 0, rd, rs1, rs2)
#define MUL(rd, rs1, rs2) RV_R(0x33, 0, 1, rd, rs1, rs2)
#define LD(rd, imm, rs1) RV_I(0x03, 3, rd, rs1, imm)
#define LW(rd, imm, rs1) RV_I(0x03, 2, rd, rs1, imm)
#define SD(rs2, imm, rs1) RV_S(0x23, 3, rs1, rs2, imm)
#define BEQ(rs1, rs2, imm) RV_B(0, rs1, rs2, imm)
#define BNE(rs1, rs2, imm) RV_B(1, rs1, rs2, imm)
#define JALR(rd, rs1, imm) RV_I(0x67, 0, rd, rs1, imm)
#define JAL(rd, imm)                                                                                                \
    (((uint32_t)(imm) >> 20 & 1) << 31 | ((uint32_t)(imm) >> 1 & 0x3ff) << 21 | ((uint32_t)(imm) >> 11 & 1) << 20 | \
     ((uint32_t)(imm) >> 12 & 0xff) << 12 | (uint32_t)(rd) << 7 | 0x6f)
#define RET JALR(X0, RA, 0)
#define ECALL UINT32_C(0x73)
#define EBREAK UINT32_C(0x100073)
#define FADD_D(rd, rs1, rs2) RV_R(0x53, 7, 0x01, rd, rs1, rs2)
#define FMUL_D(rd, rs1, rs2) RV_R(0x53, 7, 0x09, rd, rs1, rs2)
#define FDIV_D(rd, rs1, rs2) RV_R(0x53, 7, 0x0d, rd, rs1, rs2)
#define FMADD_D(rd, rs1, rs2, rs3) ((uint32_t)(rs3) << 27 | RV_R(0x43, 7, 1, rd, rs1, rs2))
#define AMOADD_D(rd, rs2, rs1) RV_R(0x2f, 3, 0, rd, rs1, rs2)
#define LR_D(rd, rs1) RV_R(0x2f, 3, 0x08, rd, rs1, 0)
#define SC_D(rd, rs2, rs1) RV_R(0x2f, 3, 0x0c, rd, rs1, rs2)

// ---- a guest

enum {
    MICRO_CODE = 0x100000,  // guest address of the code
    MICRO_DATA = 0x200000,  // 64 KB to read and write; s0 points here
    MICRO_STACK = 0x300000, // sp
    MICRO_PASSES = 1000,    // what s1 counts down from
};

// One set-up of memory, code table and cpu for the whole program.
struct cpu *micro_cpu(void);
// Puts `count` words at guest address `at`; what ran there before is forgotten.
void micro_put(uint64_t at, const uint32_t *code, size_t count);
// Runs from MICRO_CODE until the code executes ebreak.
void micro_go(struct cpu *cpu);
// The same until all code is there that the tier makes; before time is taken.
void micro_warm_up(struct cpu *cpu);
// Runs from `pc`, with s1 as given, until the code executes ebreak.
void micro_go_from(struct cpu *cpu, uint64_t pc, uint64_t s1);
