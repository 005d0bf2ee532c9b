// "V", vectors: between the lift functions, the dispatcher (vector.c) and the instructions' bodies (vector_*.c, one file per chapter of the
// manual). A vector instruction is one uop, whose meaning is a C function of the instruction's name, riscv64_vector_NAME. VLEN is 128.
//
// What the manual leaves open: tails and masked-off elements are left as they are whatever vta and vma say; reserved vtype settings
// set vill; reserved register groups and overlaps are illegal instructions, as with qemu.
#pragma once
#include "translator/guest/riscv64/decode.h"
#include "translator/ir/cpu.h"
#include <string.h>

enum { VECTOR_VLENB = CPU_VECTOR_BYTES, VECTOR_VLEN = 8 * VECTOR_VLENB };

// Operands. Integer immediates stand in vs1, as 5 bits.
struct vector_call {
    uint64_t *result;  // x[rd] or f[rd] where the instruction writes one; never NULL
    uint64_t x;  // x[rs1] or f[rs1] (raw slot bits), 0 where it has none
    uint64_t y;  // x[rs2], 0 where it has none
    uint8_t vd, vs1, vs2;  // fields rd, rs1, rs2 of the encoding
    bool masked;  // vm is 0: v0 says which elements are active
};

// Carries the instruction out. False: it is illegal, and nothing has been changed. The dispatcher has seen to it that vtype is valid (but for
// vset*, whole register moves, loads and stores, which work without), and sets vstart to 0 behind it.
typedef bool vector_function(struct cpu *cpu, const struct vector_call *v);

// By enum insn_op - INSN_VECTOR_FIRST.
#define INSN(name, needs, bits, assembly, lift) vector_function riscv64_vector_##name;
#include "translator/guest/riscv64/vector.def"
#undef INSN

#define VECTOR_INLINE static inline __attribute__((always_inline))
#define VECTOR(name) bool riscv64_vector_##name(struct cpu *cpu, const struct vector_call *v)

// ---- vtype and vl (manual, "Vector Type Register, vtype")

enum { VTYPE_VILL_BIT = 63 };

VECTOR_INLINE unsigned vector_sew(const struct cpu *cpu) {  // log2 of the bytes of an element: 0 to 3
    return cpu->vector.type >> 3 & 7;
}

VECTOR_INLINE int vector_lmul(const struct cpu *cpu) {  // log2: -3 to 3
    return (int)((cpu->vector.type & 7) ^ 4) - 4;
}

VECTOR_INLINE bool vector_is_valid(const struct cpu *cpu) {
    return !(cpu->vector.type >> VTYPE_VILL_BIT);
}

// VLMAX of elements of 1 << sew bytes in groups of 2 to the power of lmul registers; less than 1 if there is none.
VECTOR_INLINE unsigned vector_max(unsigned sew, int lmul) {
    int log = 4 + lmul - (int)sew;
    return log < 0 ? 0 : 1u << log;
}

VECTOR_INLINE unsigned vector_vlmax(const struct cpu *cpu) {
    return vector_max(vector_sew(cpu), vector_lmul(cpu));
}

// An instruction and its registers, as its uop's immediate has them.
VECTOR_INLINE uint32_t vector_what(const struct insn *i) {
    uint32_t masked = !(i->bits >> 25 & 1);
    return (uint32_t)(i->op - INSN_VECTOR_FIRST) << 16 | masked << 15 | (i->bits >> 20 & 31) << 10 | (i->bits >> 15 & 31) << 5 |
           (i->bits >> 7 & 31);
}

// The same taken apart again.
struct vector_operands {
    unsigned op;  // enum insn_op
    unsigned vd, vs1, vs2;
    bool masked;
};

VECTOR_INLINE struct vector_operands vector_operands(uint32_t what) {
    return (struct vector_operands){.op = (what >> 16) + INSN_VECTOR_FIRST,
                                    .vd = what & 31,
                                    .vs1 = what >> 5 & 31,
                                    .vs2 = what >> 10 & 31,
                                    .masked = what >> 15 & 1};
}

// Of a load or store of elements side by side: log2 of their bytes. -1 of all other instructions.
VECTOR_INLINE int vector_side_by_side(unsigned op) {
    switch (op) {
    case INSN_vle8_v:
    case INSN_vse8_v: return 0;
    case INSN_vle16_v:
    case INSN_vse16_v: return 1;
    case INSN_vle32_v:
    case INSN_vse32_v: return 2;
    case INSN_vle64_v:
    case INSN_vse64_v: return 3;
    default: return -1;
    }
}

// Derives cpu->vector.shape from the rest; for whoever changes vl, vtype or vstart.
void riscv64_vector_reshape(struct cpu *cpu);

// What stands in cpu->vector.shape: groups of whole registers (2 to the power of lmul, 0 to 3), all of whose elements of 1 << sew bytes are
// in the vector, from the first one on. Other states have 0.
#define VECTOR_SHAPE(sew, lmul) (16u | (unsigned)(lmul) << 2 | (sew))

// The shape of vectors of this vtype that have VLMAX elements, or 0.
VECTOR_INLINE unsigned vector_shape_of(uint64_t type) {
    unsigned sew = type >> 3 & 7, lmul = type & 7;
    return type <= 255 && sew <= 3 && lmul <= 3 ? VECTOR_SHAPE(sew, lmul) : 0;
}

// ---- elements

VECTOR_INLINE uint8_t *vector_at(struct cpu *cpu, unsigned reg) {
    return cpu->vector.reg[reg];
}

// The same, for loops over elements of one type.
VECTOR_INLINE void *vector_elements(struct cpu *cpu, unsigned reg) {
    return cpu->vector.reg[reg];
}

// The bit of a mask register for element i.
VECTOR_INLINE bool vector_bit(const struct cpu *cpu, unsigned reg, unsigned i) {
    return cpu->vector.reg[reg][i / 8] >> (i % 8) & 1;
}

VECTOR_INLINE bool vector_is_active(const struct cpu *cpu, const struct vector_call *v, unsigned i) {
    return !v->masked || vector_bit(cpu, 0, i);
}

// Element i of a group, of 1 << sew bytes, zero-extended; for code that is not in a hurry.
VECTOR_INLINE uint64_t vector_get(const struct cpu *cpu, unsigned reg, unsigned i, unsigned sew) {
    uint64_t value = 0;
    memcpy(&value, (const uint8_t *)cpu->vector.reg + reg * VECTOR_VLENB + ((size_t)i << sew), (size_t)1 << sew);
    return value;
}

VECTOR_INLINE void vector_put(struct cpu *cpu, unsigned reg, unsigned i, unsigned sew, uint64_t value) {
    memcpy((uint8_t *)cpu->vector.reg + reg * VECTOR_VLENB + ((size_t)i << sew), &value, (size_t)1 << sew);
}

// The immediate of .vi, sign-extended: of the five bits where vs1 stands.
VECTOR_INLINE int64_t vector_signed(unsigned bits) {
    return (int64_t)(bits ^ 16) - 16;
}

VECTOR_INLINE int64_t vector_simm(const struct vector_call *v) {
    return vector_signed(v->vs1);
}

// Runs WIDTH(bits of an element) for the vtype's.
#define VECTOR_BY_WIDTH(cpu, WIDTH) \
    switch (vector_sew(cpu)) {      \
    case 0: WIDTH(8) break;         \
    case 1: WIDTH(16) break;        \
    case 2: WIDTH(32) break;        \
    default: WIDTH(64)              \
    }

// A count for shifts to the left in loops. Where the host's vectors have no such shift by different counts, compilers take floating-point conversions for it, which
// raise the guest's flags: they must not see through this.
VECTOR_INLINE unsigned vector_count(unsigned count) {
    __asm__("" : "+r"(count));
    return count;
}

// ---- what is reserved (manual, "Mapping of Vector Elements to Vector Register State", "Vector Operands", "Vector Masking")

VECTOR_INLINE unsigned vector_registers(int emul) {  // of a group
    return emul <= 0 ? 1 : 1u << (unsigned)emul % 32;
}

// Whether a group may begin at this register, and be of this size.
VECTOR_INLINE bool vector_is_group(unsigned reg, int emul) {
    return emul >= -3 && emul <= 3 && reg % vector_registers(emul) == 0;
}

VECTOR_INLINE bool vector_overlap(unsigned a, unsigned a_registers, unsigned b, unsigned b_registers) {
    return a < b + b_registers && b < a + a_registers;
}

// Whether a destination of elements of 1 << sew bytes may overlap this source as it does ("Vector Operands"): widths are equal; or the destination's are
// smaller and the overlap is at the source's lowest registers; or greater, and it is at the destination's highest ones, the source being at least one
// whole register.
VECTOR_INLINE bool vector_may_overlap(unsigned vd, int vd_emul, unsigned vd_sew, unsigned vs, int vs_emul, unsigned vs_sew) {
    unsigned to = vector_registers(vd_emul), from = vector_registers(vs_emul);
    if (!vector_overlap(vd, to, vs, from) || vd_sew == vs_sew) return true;
    if (vd_sew < vs_sew) return vd == vs;
    return vs_emul >= 0 && vs + from == vd + to;
}

// Whether a group may be read beside v0 as a mask: no register may be read at two widths, and a mask's is one bit.
VECTOR_INLINE bool vector_is_no_mask(const struct vector_call *v, unsigned reg) {
    return !v->masked || reg != 0;
}

// A masked instruction may not write v0, unless it writes a mask or a reduction's scalar.
VECTOR_INLINE bool vector_spares_mask(const struct vector_call *v) {
    return !v->masked || v->vd != 0;
}
