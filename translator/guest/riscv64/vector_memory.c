// "V": loads and stores (manual, "Vector Loads and Stores"). A guest address is a host address, and a fault is a host signal,
// behind which nothing here is come back to: only functions marked WORKER touch guest memory, and these call nothing. What a
// fault leaves is right for the instruction to be begun again: segment by segment, vstart is set before the access; elements that
// stand side by side in a single field are copied at once, which does no harm when it is done twice.
//
// Segments are the manual's: `fields` elements side by side in memory, which go to as many groups of registers. What is no
// segment instruction has one field.
#include "translator/guest/riscv64/vector.h"
#include "translator/interp/section.h"

#define INLINE static inline __attribute__((always_inline)) INTERP_UNCHECKED
#define WORKER static __attribute__((noinline)) INTERP_SECTION INTERP_UNCHECKED
#define GUEST(type, address) \
    (((volatile struct { type element; } __attribute__((packed, may_alias)) *)(uintptr_t)(address))->element)

typedef uint8_t uint8x16 __attribute__((vector_size(16)));

enum direction { LOAD, STORE };

// ---- elements that stand side by side

// Between the guest's memory and registers, either way.
WORKER void copy(uint64_t to, uint64_t from, uint64_t bytes) {
#define PIECE(type) GUEST(type, to) = GUEST(type, from), to += sizeof(type), from += sizeof(type)
    for (; bytes >= 16; bytes -= 16) PIECE(uint8x16);
    if (bytes & 8) PIECE(uint64_t);
    if (bytes & 4) PIECE(uint32_t);
    if (bytes & 2) PIECE(uint16_t);
    if (bytes & 1) PIECE(uint8_t);
#undef PIECE
}

// Elements of 1 << width bytes from vstart up to `end`.
static bool move(struct cpu *cpu, const struct vector_call *v, enum direction direction, unsigned width, uint64_t end) {
    if (cpu->vector.start >= end) return true;
    uint64_t done = cpu->vector.start << width, bytes = (end << width) - done;
    uint64_t reg = (uintptr_t)vector_at(cpu, v->vd) + done, memory = v->x + done;
    if (direction == LOAD) copy(reg, memory, bytes);
    else copy(memory, reg, bytes);
    return true;
}

// ---- segments

struct segments {
    uint64_t base, stride;  // segment i is at base + i * stride; if there are indices, at base + index i
    const void *index;  // NULL if there are none
    unsigned index_width;  // log2 of bytes, as all widths
    const uint8_t *mask;  // NULL: all are active
    uint64_t end;  // from vstart up to this one
    uint8_t *reg;  // of the first field
    size_t step;  // bytes from a field's group of registers to the next one's
    unsigned fields;
};

INLINE bool is_active(const struct segments *s, uint64_t i) {
    return !s->mask || (s->mask[i / 8] >> (i % 8) & 1);
}

INLINE uint64_t index_of(const struct segments *s, uint64_t i) {
    switch (s->index_width) {
    case 0: return ((const uint8_t *)s->index)[i];
    case 1: return ((const uint16_t *)s->index)[i];
    case 2: return ((const uint32_t *)s->index)[i];
    default: return ((const uint64_t *)s->index)[i];
    }
}

// The segment's address. Accesses may fault from now on: the compiler must have stored vstart, and what went to registers before.
INLINE uint64_t begin(struct cpu *cpu, const struct segments *s, uint64_t i) {
    cpu->vector.start = i;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return s->base + (s->index ? index_of(s, i) : i * s->stride);
}

// `s` is a copy, which fences leave in registers. An element is *(type *)at in its register, and GUEST(type, address) in memory.
// clang-format off: tables
#define SEGMENTS(name, type, access)                                                             \
    WORKER void name##_##type(struct cpu *cpu, const struct segments *from) {                    \
        const struct segments s = *from;                                                         \
        for (uint64_t i = cpu->vector.start; i < s.end; i++) {                                   \
            if (!is_active(&s, i)) continue;                                                     \
            uint64_t address = begin(cpu, &s, i);                                                \
            uint8_t *at = s.reg + i * sizeof(type);                                              \
            unsigned left = s.fields;                                                            \
            do access(type), at += s.step, address += sizeof(type);                              \
            while (--left);                                                                      \
        }                                                                                        \
    }
#define LOAD_ELEMENT(type) *(type *)at = GUEST(type, address)
#define STORE_ELEMENT(type) GUEST(type, address) = *(const type *)at
SEGMENTS(load, uint8_t, LOAD_ELEMENT)
SEGMENTS(load, uint16_t, LOAD_ELEMENT)
SEGMENTS(load, uint32_t, LOAD_ELEMENT)
SEGMENTS(load, uint64_t, LOAD_ELEMENT)
SEGMENTS(store, uint8_t, STORE_ELEMENT)
SEGMENTS(store, uint16_t, STORE_ELEMENT)
SEGMENTS(store, uint32_t, STORE_ELEMENT)
SEGMENTS(store, uint64_t, STORE_ELEMENT)
#undef SEGMENTS
// clang-format on

// By direction and elements' width.
static void (*const worker[][4])(struct cpu *cpu, const struct segments *from) = {
    [LOAD] = {load_uint8_t, load_uint16_t, load_uint32_t, load_uint64_t},
    [STORE] = {store_uint8_t, store_uint16_t, store_uint32_t, store_uint64_t},
};

static struct segments segments_of(struct cpu *cpu, const struct vector_call *v, unsigned fields, int emul) {
    return (struct segments){.base = v->x,
                             .mask = v->masked ? vector_at(cpu, 0) : NULL,
                             .end = cpu->vector.length,
                             .reg = vector_at(cpu, v->vd),
                             .step = (size_t)vector_registers(emul) * VECTOR_VLENB,
                             .fields = fields};
}

// The shape does not hold where a fault leaves vstart in the middle.
static bool move_segments(struct cpu *cpu, const struct segments *s, enum direction direction, unsigned width) {
    cpu->vector.shape = 0;
    worker[direction][width](cpu, s);
    cpu->vector.start = 0;
    riscv64_vector_reshape(cpu);
    return true;
}

// ---- what is reserved

// EMUL of elements of 1 << width bytes, as many as there are of SEW.
static int emul_of(const struct cpu *cpu, unsigned width) {
    return (int)width - (int)vector_sew(cpu) + vector_lmul(cpu);
}

// NFIELDS groups take no more than eight registers, and do not end behind the last one; a masked load leaves its mask alone.
static bool is_allowed(const struct vector_call *v, enum direction direction, unsigned fields, int emul) {
    if (!vector_is_group(v->vd, emul) || (direction == LOAD && !vector_spares_mask(v))) return false;
    unsigned registers = fields * vector_registers(emul);
    return registers <= 8 && v->vd + registers <= 32;
}

// Fields may not overlap the indices at all; a load that has only one may, as other instructions.
static bool spares_index(const struct cpu *cpu, const struct vector_call *v, unsigned fields, unsigned index_width) {
    int lmul = vector_lmul(cpu), emul = emul_of(cpu, index_width);
    if (fields == 1) return vector_may_overlap(v->vd, lmul, vector_sew(cpu), v->vs2, emul, index_width);
    return !vector_overlap(v->vd, fields * vector_registers(lmul), v->vs2, vector_registers(emul));
}

// What is stored is read as well: at the same width as the indices, or from other registers, and not from the mask. (Of segments qemu asks that of the
// first field only.)
static bool agrees_with_index(const struct cpu *cpu, const struct vector_call *v, unsigned index_width) {
    int lmul = vector_lmul(cpu), emul = emul_of(cpu, index_width);
    bool overlap = vector_overlap(v->vd, vector_registers(lmul), v->vs2, vector_registers(emul));
    return vector_is_no_mask(v, v->vd) && (index_width == vector_sew(cpu) || !overlap);
}

// ---- instructions

static bool strided(struct cpu *cpu, const struct vector_call *v, enum direction direction, unsigned fields, unsigned width) {
    int emul = emul_of(cpu, width);
    if (!is_allowed(v, direction, fields, emul)) return false;
    struct segments s = segments_of(cpu, v, fields, emul);
    s.stride = v->y;
    return move_segments(cpu, &s, direction, width);
}

static bool unit(struct cpu *cpu, const struct vector_call *v, enum direction direction, unsigned fields, unsigned width) {
    int emul = emul_of(cpu, width);
    if (!is_allowed(v, direction, fields, emul)) return false;
    if (fields == 1 && !v->masked) return move(cpu, v, direction, width, cpu->vector.length);
    struct segments s = segments_of(cpu, v, fields, emul);
    s.stride = (uint64_t)fields << width;
    return move_segments(cpu, &s, direction, width);
}

static bool indexed(struct cpu *cpu, const struct vector_call *v, enum direction direction, unsigned fields, unsigned width) {
    int lmul = vector_lmul(cpu);
    if (!is_allowed(v, direction, fields, lmul) || !vector_is_group(v->vs2, emul_of(cpu, width))) return false;
    if (!vector_is_no_mask(v, v->vs2)) return false;
    bool legal = direction == LOAD ? spares_index(cpu, v, fields, width) : agrees_with_index(cpu, v, width);
    if (!legal) return false;
    struct segments s = segments_of(cpu, v, fields, lmul);
    s.index = vector_at(cpu, v->vs2);
    s.index_width = width;
    return move_segments(cpu, &s, direction, vector_sew(cpu));
}

// Cuts vl before the first active segment that cannot be read. Segment 0 is loaded instead: its fault is one.
static void cut_length(struct cpu *cpu, const struct vector_call *v, unsigned fields, unsigned width) {
    uint64_t i = cpu->vector.start, size = (uint64_t)fields << width;
    if (i == 0) {
        struct segments first = segments_of(cpu, v, fields, emul_of(cpu, width));
        first.end = ++i;
        move_segments(cpu, &first, LOAD, width);
    }
    for (; i < cpu->vector.length; i++) {
        if (!vector_is_active(cpu, v, (unsigned)i) || cpu->readable(v->x + i * size, size)) continue;
        cpu->vector.length = i;
        riscv64_vector_reshape(cpu);
    }
}

static bool first(struct cpu *cpu, const struct vector_call *v, enum direction direction, unsigned fields, unsigned width) {
    if (!is_allowed(v, direction, fields, emul_of(cpu, width))) return false;
    uint64_t start = cpu->vector.start, length = cpu->vector.length, size = (uint64_t)fields << width;
    if (start >= length) return true;
    if (!cpu->readable(v->x + start * size, (length - start) * size)) cut_length(cpu, v, fields, width);
    return unit(cpu, v, direction, fields, width);
}

// Whatever vtype and vl are.
static bool whole(struct cpu *cpu, const struct vector_call *v, enum direction direction, unsigned registers, unsigned width) {
    if (v->vd % registers) return false;
    return move(cpu, v, direction, width, registers * VECTOR_VLENB >> width);
}

// Masks are moved as bytes, as many as vl bits take.
static bool mask(struct cpu *cpu, const struct vector_call *v, enum direction direction) {
    return move(cpu, v, direction, 0, (cpu->vector.length + 7) / 8);
}

// clang-format off: tables
#define WIDTHS(name, suffix, family, direction, fields)                                                  \
    VECTOR(name##8##suffix) { return family(cpu, v, direction, fields, 0); }                             \
    VECTOR(name##16##suffix) { return family(cpu, v, direction, fields, 1); }                            \
    VECTOR(name##32##suffix) { return family(cpu, v, direction, fields, 2); }                            \
    VECTOR(name##64##suffix) { return family(cpu, v, direction, fields, 3); }

WIDTHS(vle, _v, unit, LOAD, 1)
WIDTHS(vle, ff_v, first, LOAD, 1)
WIDTHS(vlse, _v, strided, LOAD, 1)
WIDTHS(vluxei, _v, indexed, LOAD, 1)
WIDTHS(vloxei, _v, indexed, LOAD, 1)
WIDTHS(vse, _v, unit, STORE, 1)
WIDTHS(vsse, _v, strided, STORE, 1)
WIDTHS(vsuxei, _v, indexed, STORE, 1)
WIDTHS(vsoxei, _v, indexed, STORE, 1)

VECTOR(vlm_v) { return mask(cpu, v, LOAD); }
VECTOR(vsm_v) { return mask(cpu, v, STORE); }

#define FIELDS(n)                                    \
    WIDTHS(vlseg##n##e, _v, unit, LOAD, n)           \
    WIDTHS(vlseg##n##e, ff_v, first, LOAD, n)        \
    WIDTHS(vlsseg##n##e, _v, strided, LOAD, n)       \
    WIDTHS(vluxseg##n##ei, _v, indexed, LOAD, n)     \
    WIDTHS(vloxseg##n##ei, _v, indexed, LOAD, n)     \
    WIDTHS(vsseg##n##e, _v, unit, STORE, n)          \
    WIDTHS(vssseg##n##e, _v, strided, STORE, n)      \
    WIDTHS(vsuxseg##n##ei, _v, indexed, STORE, n)    \
    WIDTHS(vsoxseg##n##ei, _v, indexed, STORE, n)
FIELDS(2) FIELDS(3) FIELDS(4) FIELDS(5) FIELDS(6) FIELDS(7) FIELDS(8)

#define REGISTERS(n)                                             \
    WIDTHS(vl##n##re, _v, whole, LOAD, n)                        \
    VECTOR(vs##n##r_v) { return whole(cpu, v, STORE, n, 0); }
REGISTERS(1) REGISTERS(2) REGISTERS(4) REGISTERS(8)
