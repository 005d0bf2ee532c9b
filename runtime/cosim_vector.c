// Places that vector loads and stores touch: see cosim_vector.h. The one piece of riscv64 in the runtime, taken from the encoding (manual of "V", "Vector
// Load/Store Instruction Encoding") and not from what carries instructions out, which it is there to check.
#include "runtime/cosim_vector.h"
#include <string.h>

enum { UNIT_STRIDE = 0, STRIDED = 2 };  // mop
enum { WHOLE_REGISTERS = 8, MASK = 11 };  // lumop and sumop

static unsigned bits(uint32_t instruction, unsigned from, unsigned count) {
    return instruction >> from & ((1u << count) - 1);
}

// log2 of the bytes of an element, or of an index.
static unsigned encoded_width(uint32_t instruction) {
    unsigned width = bits(instruction, 12, 3);  // 0, 5, 6, 7
    return width ? width & 3 : 0;
}

static uint64_t scalar(const struct cpu *cpu, uint32_t instruction, unsigned from) {
    return cpu->slot[bits(instruction, from, 5)];
}

static void look_at_unit_stride(const struct cpu *cpu, uint32_t instruction, cosim_place_function *look, void *data) {
    uint64_t fields = bits(instruction, 29, 3) + 1, size = fields << encoded_width(instruction), count = cpu->vector.length;
    switch (bits(instruction, 20, 5)) {
    case WHOLE_REGISTERS:
        count = fields * CPU_VECTOR_BYTES >> encoded_width(instruction);
        size = UINT64_C(1) << encoded_width(instruction);
        break;
    case MASK: count = (count + 7) / 8; break;
    default: break;
    }
    uint64_t start = cpu->vector.start;
    if (start < count) look(data, scalar(cpu, instruction, 15) + start * size, (unsigned)((count - start) * size));
}

// Unsigned. A group that begins too high in the registers ends with them: the instruction is illegal.
static uint64_t index_of(const struct cpu *cpu, uint32_t instruction, uint64_t i) {
    uint64_t size = UINT64_C(1) << encoded_width(instruction), index = 0;
    uint64_t at = bits(instruction, 20, 5) * (uint64_t)CPU_VECTOR_BYTES + i * size;
    if (at + size <= sizeof cpu->vector.reg) memcpy(&index, &cpu->vector.reg[0][0] + at, size);
    return index;
}

void cosim__vector_places(const struct cpu *cpu, uint32_t instruction, cosim_place_function *look, void *data) {
    unsigned mode = bits(instruction, 26, 2), fields = bits(instruction, 29, 3) + 1;
    if (mode == UNIT_STRIDE) {
        look_at_unit_stride(cpu, instruction, look, data);
        return;
    }
    unsigned size = mode == STRIDED ? 1u << encoded_width(instruction) : 1u << (cpu->vector.type >> 3 & 3);
    uint64_t base = scalar(cpu, instruction, 15), stride = scalar(cpu, instruction, 20);
    for (uint64_t i = cpu->vector.start; i < cpu->vector.length; i++) {
        uint64_t at = base + (mode == STRIDED ? i * stride : index_of(cpu, instruction, i));
        for (unsigned field = 0; field < fields; field++) look(data, at + (uint64_t)field * size, size);
    }
}
