// What a guest ISA offers to the rest of Ferry: one struct per ISA, in guest/<isa>/<isa>.c. Everything here is a pure
// function of its arguments.
#pragma once
#include "translator/ir/cpu.h"
#include "translator/ir/uop.h"

// Extensions and behaviours shown to the guest, one bit each; the ISA's own header names the bits.
typedef uint64_t guest_features;  // NOLINT: a plain integer with a telling name

struct guest_isa {
    const char *name;         // "riscv64"
    unsigned elf_machine;     // EM_RISCV
    unsigned min_instruction; // bytes: shortest instruction, and alignment of pc
    unsigned max_instruction; // bytes

    // Decodes and lifts guest code from `bytes` (`size` of them readable, at least 1) into `block` until a jump or exit, or until
    // BLOCK_MAX_* or `max_instructions` is reached, or an instruction does not lie wholly in `size` bytes. If not even the first
    // one does, block->count is 0. Illegal instructions become UOP_ILLEGAL exits: lifting never fails.
    void (*lift)(const uint8_t *bytes, size_t size, uint32_t mode, guest_features features, unsigned max_instructions,
                 struct ir_block *block);
    // Disassembles one instruction at `pc` into `text`. Returns its length in bytes, or 0 when `size` does not hold it; what
    // cannot be decoded is printed as data with the length that its encoding announces.
    unsigned (*disassemble)(const uint8_t *bytes, size_t size, uint64_t pc, guest_features features, char *text, size_t text_size);
    const char *(*slot_name)(unsigned slot);
    // The slots that code uses most, ended by 0: worth a host register for good, as many as there are.
    const uint8_t *pins;
    // Those that calls leave the address to return to in, ended by 0.
    const uint8_t *links;
    // Those that functions leave as they found them, ended by 0: by the calling convention, so a hint about code of compilers, never a promise.
    const uint8_t *kept;
    unsigned global;  // the slot that programs set once, at their start, to reach their data by; 0 where there is none

    // -cpu NAME[,ext=true|false|on|off…] into features. 0, or -1 with a message of what is wrong in `why`.
    int (*parse_cpu)(const char *text, guest_features *features, char *why, size_t why_size);
    // The ISA string of /proc/cpuinfo for `features` ("rv64imafdc_zicsr…").
    void (*isa_string)(guest_features features, char *text, size_t text_size);
    guest_features default_features;
};

extern const struct guest_isa guest_riscv64;

// How guest code is cut into blocks, whoever does it: a block ends with its page, so that most lie in one, or after so many instructions.
enum { GUEST_PAGE = 4096, GUEST_BLOCK_INSTRUCTIONS = 64 };

// Lifts the block at `pc`, whose bytes these are. An instruction across the border of two pages makes a block of its own. As with lift,
// block->count is 0 if not even the first instruction lies in `size` bytes.
void guest_lift_block(const struct guest_isa *isa, const uint8_t *bytes, size_t size, uint64_t pc, uint32_t mode,
                      guest_features features, unsigned max_instructions, struct ir_block *block);

// By ELF machine or by name; NULL where there is none.
const struct guest_isa *guest_by_machine(unsigned elf_machine);
const struct guest_isa *guest_by_name(const char *name);
