// "V": instructions that move elements to other places (manual, "Vector Permutation Instructions"), those of floating-point
// scalars aside. Slides are copies of a run of elements with something at its end; gathers look each element up; vcompress walks
// over a mask's bits.
#include "translator/guest/riscv64/vector.h"

static bool is_group(const struct cpu *cpu, unsigned reg) {
    return vector_is_group(reg, vector_lmul(cpu));
}

// ---- "Integer Scalar Move Instructions": element 0 of any register, and of no group

VECTOR(vmv_x_s) {
    unsigned unused = 64 - (8u << vector_sew(cpu));
    *v->result = (uint64_t)((int64_t)(vector_get(cpu, v->vs2, 0, vector_sew(cpu)) << unused) >> unused);
    return true;
}

VECTOR(vmv_s_x) {
    if (cpu->vector.start < cpu->vector.length) vector_put(cpu, v->vd, 0, vector_sew(cpu), v->x);
    return true;
}

// ---- runs of elements

// The active ones of vd's elements first to last - 1 become those at `from`, which may lie further up in vd's own group.
static void copy(struct cpu *cpu, const struct vector_call *v, unsigned first, unsigned last, const uint8_t *from) {
    if (first >= last) return;
    if (!v->masked) {
        unsigned sew = vector_sew(cpu);
        memmove(vector_at(cpu, v->vd) + ((size_t)first << sew), from, (size_t)(last - first) << sew);
        return;
    }
#define WIDTH(bits)                                             \
    {                                                           \
        uint##bits##_t *to = vector_elements(cpu, v->vd);       \
        const uint##bits##_t *each = (const void *)from;        \
        for (unsigned i = first; i < last; i++) {               \
            if (vector_bit(cpu, 0, i)) to[i] = each[i - first]; \
        }                                                       \
    }
    VECTOR_BY_WIDTH(cpu, WIDTH)
#undef WIDTH
}

// They all become the same.
static void fill(struct cpu *cpu, const struct vector_call *v, unsigned first, unsigned last, uint64_t value) {
#define WIDTH(bits)                                                                \
    {                                                                              \
        uint##bits##_t *to = vector_elements(cpu, v->vd);                          \
        if (!v->masked) {                                                          \
            for (unsigned i = first; i < last; i++) to[i] = (uint##bits##_t)value; \
        } else {                                                                   \
            for (unsigned i = first; i < last; i++) {                              \
                if (vector_bit(cpu, 0, i)) to[i] = (uint##bits##_t)value;          \
            }                                                                      \
        }                                                                          \
    }
    VECTOR_BY_WIDTH(cpu, WIDTH)
#undef WIDTH
}

static const uint8_t *source_at(struct cpu *cpu, const struct vector_call *v, uint64_t element) {
    return vector_at(cpu, v->vs2) + (element << vector_sew(cpu));
}

// ---- "Vector Slide Instructions"

static bool may_move(const struct cpu *cpu, const struct vector_call *v) {
    return is_group(cpu, v->vd) && is_group(cpu, v->vs2) && vector_spares_mask(v) && vector_is_no_mask(v, v->vs2);
}

// Upward, and for gathers and vcompress, vd may not be vs2.
static bool may_move_apart(const struct cpu *cpu, const struct vector_call *v) {
    return may_move(cpu, v) && v->vd != v->vs2;
}

// Elements below the offset are not touched.
static bool slide_up(struct cpu *cpu, const struct vector_call *v, uint64_t offset) {
    if (!may_move_apart(cpu, v)) return false;
    uint64_t first = cpu->vector.start > offset ? cpu->vector.start : offset, length = cpu->vector.length;
    if (first < length) copy(cpu, v, (unsigned)first, (unsigned)length, source_at(cpu, v, first - offset));
    return true;
}

// What comes from beyond VLMAX is 0.
static bool slide_down(struct cpu *cpu, const struct vector_call *v, uint64_t offset) {
    if (!may_move(cpu, v)) return false;
    unsigned start = (unsigned)cpu->vector.start, length = (unsigned)cpu->vector.length, most = vector_vlmax(cpu);
    unsigned there = offset < most ? most - (unsigned)offset : 0;  // so many elements from the offset up
    unsigned end = there < length ? there : length;
    if (start < end) copy(cpu, v, start, end, source_at(cpu, v, start + offset));
    fill(cpu, v, start < end ? end : start, length, 0);
    return true;
}

VECTOR(vslideup_vx) {
    return slide_up(cpu, v, v->x);
}

VECTOR(vslideup_vi) {
    return slide_up(cpu, v, v->vs1);
}

VECTOR(vslidedown_vx) {
    return slide_down(cpu, v, v->x);
}

VECTOR(vslidedown_vi) {
    return slide_down(cpu, v, v->vs1);
}

VECTOR(vslide1up_vx) {
    if (!may_move_apart(cpu, v)) return false;
    unsigned start = (unsigned)cpu->vector.start, length = (unsigned)cpu->vector.length, first = start ? start : 1;
    copy(cpu, v, first, length, source_at(cpu, v, first - 1));
    if (!start && length) fill(cpu, v, 0, 1, v->x);
    return true;
}

VECTOR(vslide1down_vx) {
    if (!may_move(cpu, v)) return false;
    unsigned start = (unsigned)cpu->vector.start, length = (unsigned)cpu->vector.length;
    if (start >= length) return true;
    copy(cpu, v, start, length - 1, source_at(cpu, v, start + 1));
    fill(cpu, v, length - 1, length, v->x);
    return true;
}

// ---- "Vector Register Gather Instructions": what is beyond VLMAX is 0

// Element `index` of `each`, without a branch: VLMAX is a power of 2, and so the index is brought below it whatever it is.
#define LOOK_UP(type, each, index, most) ((type)((each)[(index) & ((most) - 1)] & (type) - (type)((index) < (most))))

#define GATHER(bits, index_bits)                                                                            \
    {                                                                                                       \
        const uint##bits##_t *each = vector_elements(cpu, v->vs2);                                          \
        const uint##index_bits##_t *index = vector_elements(cpu, v->vs1);                                   \
        uint##bits##_t *to = vector_elements(cpu, v->vd);                                                   \
        for (unsigned i = start; i < length; i++) {                                                         \
            if (!v->masked || vector_bit(cpu, 0, i)) to[i] = LOOK_UP(uint##bits##_t, each, index[i], most); \
        }                                                                                                   \
    }

// Both sources are apart from vd, so that it can be written while they are read.
VECTOR(vrgather_vv) {
    if (!may_move_apart(cpu, v) || !is_group(cpu, v->vs1) || v->vd == v->vs1 || !vector_is_no_mask(v, v->vs1)) return false;
    const unsigned start = (unsigned)cpu->vector.start, length = (unsigned)cpu->vector.length, most = vector_vlmax(cpu);
#define WIDTH(bits) GATHER(bits, bits)
    VECTOR_BY_WIDTH(cpu, WIDTH)
#undef WIDTH
    return true;
}

VECTOR(vrgatherei16_vv) {
    int lmul = vector_lmul(cpu), index_emul = 1 - (int)vector_sew(cpu) + lmul;
    if (!may_move_apart(cpu, v) || !vector_is_group(v->vs1, index_emul)) return false;
    if (vector_overlap(v->vd, vector_registers(lmul), v->vs1, vector_registers(index_emul)) || !vector_is_no_mask(v, v->vs1))
        return false;
    bool shared = vector_overlap(v->vs2, vector_registers(lmul), v->vs1, vector_registers(index_emul));
    if (shared && vector_sew(cpu) != 1) return false;  // read at two widths
    const unsigned start = (unsigned)cpu->vector.start, length = (unsigned)cpu->vector.length, most = vector_vlmax(cpu);
#define WIDTH(bits) GATHER(bits, 16)
    VECTOR_BY_WIDTH(cpu, WIDTH)
#undef WIDTH
    return true;
}

static bool gather_one(struct cpu *cpu, const struct vector_call *v, uint64_t index) {
    if (!may_move_apart(cpu, v)) return false;
    uint64_t value = index < vector_vlmax(cpu) ? vector_get(cpu, v->vs2, (unsigned)index, vector_sew(cpu)) : 0;
    fill(cpu, v, (unsigned)cpu->vector.start, (unsigned)cpu->vector.length, value);
    return true;
}

VECTOR(vrgather_vx) {
    return gather_one(cpu, v, v->x);
}

VECTOR(vrgather_vi) {
    return gather_one(cpu, v, v->vs1);
}

// ---- "Vector Compress Instruction"

// vs1 is the mask; vd may overlap neither it nor vs2.
VECTOR(vcompress_vm) {
    if (cpu->vector.start || !may_move_apart(cpu, v)) return false;
    if (vector_overlap(v->vd, vector_registers(vector_lmul(cpu)), v->vs1, 1)) return false;
    const unsigned length = (unsigned)cpu->vector.length;
    unsigned count = 0;
#define WIDTH(bits)                                                                                 \
    {                                                                                               \
        const uint##bits##_t *each = vector_elements(cpu, v->vs2);                                  \
        uint##bits##_t *to = vector_elements(cpu, v->vd);                                           \
        for (unsigned i = 0; i < length; i += 64) {                                                 \
            uint64_t rest = vector_get(cpu, v->vs1, i / 64, 3);                                     \
            if (length - i < 64) rest &= (UINT64_C(1) << (length - i)) - 1;                         \
            for (; rest; rest &= rest - 1) to[count++] = each[i + (unsigned)__builtin_ctzll(rest)]; \
        }                                                                                           \
    }
    VECTOR_BY_WIDTH(cpu, WIDTH)
#undef WIDTH
    return true;
}

// ---- "Whole Vector Register Move": of so many registers as elements of SEW, whatever vl is; from vstart up

VECTOR_INLINE bool move_whole(struct cpu *cpu, const struct vector_call *v, unsigned registers) {
    size_t bytes = (size_t)registers * VECTOR_VLENB, start = (size_t)cpu->vector.start << vector_sew(cpu);
    if (v->vd % registers || v->vs2 % registers) return false;
    if (!start) memmove(vector_at(cpu, v->vd), vector_at(cpu, v->vs2), bytes);  // of constant size: no call
    else if (start < bytes) memmove(vector_at(cpu, v->vd) + start, vector_at(cpu, v->vs2) + start, bytes - start);
    return true;
}

VECTOR(vmv1r_v) {
    return move_whole(cpu, v, 1);
}

VECTOR(vmv2r_v) {
    return move_whole(cpu, v, 2);
}

VECTOR(vmv4r_v) {
    return move_whole(cpu, v, 4);
}

VECTOR(vmv8r_v) {
    return move_whole(cpu, v, 8);
}
