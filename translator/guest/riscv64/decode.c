// The decoder around the switch trees that make_decoder.c makes of insns.def.
#include "translator/guest/riscv64/decode.h"
#include <string.h>

static inline int32_t sign_extend(uint32_t value, unsigned bits) {
    return (int32_t)(value << (32 - bits)) >> (32 - bits);
}

#include "riscv64_decode.inc"

void riscv64_decode_word(uint32_t word, guest_features features, struct insn *insn) {
    bool compressed = (word & 3) != 3;
    if (compressed) word &= 0xffff;
    *insn = (struct insn){.length = compressed ? 2 : 4, .bits = word};
    if (compressed ? decode_16(word, features, insn) : decode_32(word, features, insn)) return;
    *insn = (struct insn){.length = compressed ? 2 : 4, .bits = word};
}

unsigned riscv64_decode(const uint8_t *bytes, size_t size, guest_features features, struct insn *insn) {
    if (size < 2) return 0;
    uint32_t word = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
    if ((word & 3) == 3) {
        if (size < 4) return 0;
        word |= (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    }
    riscv64_decode_word(word, features, insn);
    return insn->length;
}
