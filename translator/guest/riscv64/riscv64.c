// The riscv64 guest, as the rest of Ferry sees it.
#include "translator/guest/riscv64/disasm.h"
#include "translator/guest/riscv64/lift.h"

enum { ELF_MACHINE_RISCV = 243 };  // ELF specification of RISC-V, "File Header"

// The registers that compressed instructions reach (C extension, "registers rvc": x8 to x15), stack pointer, return address, then what
// leaf functions take next.
static const uint8_t pins[] = {10, 15, 14, 2, 8, 13, 12, 11, 9, 1, 16, 17, 18, 0};

// Unprivileged ISA, "Unconditional Jumps": the hints for return-address stacks.
static const uint8_t links[] = {1, 5, 0};

// RISC-V ELF psABI, "Integer Register Convention".
static const uint8_t kept[] = {2, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 0};
enum { GP = 3 };

const struct guest_isa guest_riscv64 = {
    .name = "riscv64",
    .elf_machine = ELF_MACHINE_RISCV,
    .min_instruction = 2,
    .max_instruction = 4,
    .lift = riscv64_lift,
    .disassemble = riscv64_disassemble,
    .slot_name = riscv64_slot_name,
    .pins = pins,
    .links = links,
    .kept = kept,
    .global = GP,
    .parse_cpu = riscv64_parse_cpu,
    .isa_string = riscv64_isa_string,
    .default_features = RV_ALL,
};
