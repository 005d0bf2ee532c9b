// The riscv64 guest, as the rest of Ferry sees it.
#include "translator/guest/riscv64/disasm.h"
#include "translator/guest/riscv64/lift.h"

enum { ELF_MACHINE_RISCV = 243 };  // ELF specification of RISC-V, "File Header"

// The registers that compressed instructions reach (C extension, "registers rvc": x8 to x15), stack pointer, return address, then what
// leaf functions take next.
static const uint8_t pins[] = {10, 15, 14, 2, 8, 13, 12, 11, 9, 1, 16, 17, 18, 0};

// Unprivileged manual, "Unconditional Jumps": x1 and, for millicode, x5.
static const uint8_t links[] = {1, 5, 0};

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
    .parse_cpu = riscv64_parse_cpu,
    .isa_string = riscv64_isa_string,
    .default_features = RV_ALL,
};
