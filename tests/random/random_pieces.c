// See the header.
#include "tests/random/random_pieces.h"
#include "tests/random/random_code.h"

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
        if (i) emit(0x33 | number << 7 | 6 << 12 | number << 15 | part << 20, 4);  // or
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

void emit_pieces(uint32_t from, uint32_t to) {
    if (below(2)) emit_number(from);
    else emit_copy(from, to);
}
