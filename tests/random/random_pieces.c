// See the header.
#include "tests/random/random_pieces.h"
#include "tests/random/random_code.h"
#include <stdlib.h>

// A register that may be written and is none of `taken`, by bit, to which it is added.
static unsigned another_register(uint32_t *taken) {
    unsigned reg;
    do reg = free_register();
    while (*taken >> reg & 1);
    *taken |= 1U << reg;
    return reg;
}

static void emit_byte(unsigned rd, unsigned base, unsigned at, bool is_signed) {
    emit(i_type(0x03, is_signed ? 0 : 4, rd, base, (int32_t)at), 4);  // lb, lbu
}

// Little or big endian, the highest byte with or without its sign, now and then not in order.
static void emit_number(uint32_t from) {
    uint32_t taken = 0;
    unsigned base = another_register(&taken), number = another_register(&taken), part = another_register(&taken);
    unsigned count = 2U << below(3), first = below(4) ? 0 : below(count);
    bool big_endian = below(2), is_signed = below(3) == 0;
    emit_constant(base, from);
    for (unsigned i = 0; i < count; i++) {
        unsigned at = (first + i) % count, place = big_endian ? count - 1 - at : at, reg = i ? part : number;
        emit_byte(reg, base, at, is_signed && place == count - 1);
        if (place) emit(i_type(0x13, 1, reg, reg, (int32_t)place * 8), 4);  // slli
        if (i) emit(r_type(0x33, 6, 0, number, number, part), 4);  // or
    }
}

static void emit_copy(uint32_t from, uint32_t to) {
    uint32_t taken = 0;
    unsigned source = another_register(&taken), target = another_register(&taken), part = another_register(&taken);
    unsigned count = 2 + below(PIECES_BYTES - 1);
    emit_constant(source, from);
    emit_constant(target, to);
    for (unsigned i = 0; i < count; i++) {
        emit_byte(part, source, i, false);
        emit(s_type(0x23, 0, part, target, i), 4);  // sb
    }
}

enum { MOST_TIMES = 40 };

static unsigned one_of(const unsigned *reg, unsigned count) {
    return reg[below(count)];
}

static void emit_arithmetic(unsigned rd, unsigned rs1, unsigned rs2) {
    static const struct {
        uint8_t opcode, funct3, funct7;
    } kinds[] = {
        {0x33, 0, 0}, {0x33, 0, 0x20}, {0x33, 1, 0}, {0x33, 2, 0}, {0x33, 3, 0}, {0x33, 4, 0},
        {0x33, 5, 0}, {0x33, 6, 0},    {0x33, 7, 0}, {0x3b, 0, 0}, {0x3b, 0, 1}, {0x3b, 0, 0x20},  // mulw, subw
    };
    static const uint8_t shifts[] = {0x13, 0x1b};
    if (below(3) == 0) {
        emit(i_type(shifts[below(2)], below(2) ? 1 : 5, rd, rs1, (int32_t)below(32)), 4);
        return;
    }
    unsigned kind = below(sizeof kinds / sizeof *kinds);
    emit(r_type(kinds[kind].opcode, kinds[kind].funct3, kinds[kind].funct7, rd, rs1, rs2), 4);
}

static void emit_sum(unsigned sum, unsigned more) {
    static const uint8_t kinds[][2] = {{0x33, 0}, {0x3b, 0}, {0x33, 4}, {0x33, 6}};  // add, addw, xor, or
    const uint8_t *kind = kinds[below(4)];
    if (below(2)) emit(r_type(kind[0], kind[1], 0, sum, sum, more), 4);
    else emit(r_type(kind[0], kind[1], 0, sum, more, sum), 4);
}

// As wide as the step at most, so that places may lie side by side.
static void emit_load_of_step(unsigned rd, unsigned base, int32_t step, unsigned widest) {
    unsigned width = 0;
    while (width < widest && 1 << (width + 1) <= abs(step)) width++;
    emit(i_type(0x03, width == 3 ? 3 : width + 4 * below(2), rd, base, (int32_t)below(9)), 4);
}

// A loop that counts, and loads from one or two places on the way; now and then it depends on rounds before.
static void emit_rounds(void) {
    static const int8_t steps[] = {1, 2, 4, 8, 1, 2, 4, 8, -1, -2, -4, -8, 3, 24, -16};
    uint32_t taken = 0, room = MOST_TIMES * 24;
    unsigned place[2] = {another_register(&taken), another_register(&taken)}, sum = another_register(&taken),
             bound = another_register(&taken);
    const unsigned own[] = {another_register(&taken), another_register(&taken), another_register(&taken)};
    const unsigned any[] = {own[0], own[1], own[2], place[0], own[0], own[1], bound, 1 + below(31)};
    uint32_t times = 1 + below(MOST_TIMES), from = area() + room + below(AREA_SIZE - 4 * room);
    int32_t step[2] = {steps[below(sizeof steps)], steps[below(sizeof steps)]};
    unsigned widest = below(3) ? 3 : 0;
    bool counts_down = below(2);
    emit_constant(place[0], from);
    emit_constant(place[1], below(2) ? from + below(room / 4) : area() + room + below(AREA_SIZE - 4 * room));
    emit_constant(bound, counts_down ? times : from + times * (uint32_t)step[0]);
    size_t start = code_size;
    emit_load_of_step(own[0], place[0], step[0], widest);
    if (below(2)) emit_load_of_step(own[1], place[1], step[1], widest);
    for (unsigned count = below(5); count-- > 0;) emit_arithmetic(own[below(3)], one_of(any, below(4) ? 3 : 8), one_of(any, 8));
    emit_sum(sum, one_of(any, 4));
    for (unsigned i = 0; i < 2; i++) emit_addi(place[i], place[i], step[i]);
    if (counts_down) emit(i_type(below(2) ? 0x13 : 0x1b, 0, bound, bound, -1), 4);
    const struct insn_row *bne = &riscv64_insn_table[INSN_bne];
    uint32_t registers = counts_down ? bound << 15 : place[0] << 15 | bound << 20;
    emit(with_immediate(bne, bne->match | registers, (int32_t)(start - code_size)), 4);
}

void emit_pieces(uint32_t from, uint32_t to) {
    switch (below(3)) {
    case 0: emit_number(from); break;
    case 1: emit_copy(from, to); break;
    default: emit_rounds();
    }
}
