// What holds of every block that lifting makes, whatever the bytes: for the unit test and the fuzzer, which give `fail` a message.
#pragma once
#include "translator/guest/guest.h"
#include "translator/ir/cpu.h"
#include <stdio.h>
#include <string.h>

static inline bool uop_ends_block(const struct uop *uop) {
    enum uop_format format = uop_info[uop->code].format;
    return format == UOP_FORMAT_JUMP || format == UOP_FORMAT_INDIRECT || format == UOP_FORMAT_EXIT;
}

static inline bool uop_writes(enum uop_format format) {
    switch (format) {
    case UOP_FORMAT_NONE:
    case UOP_FORMAT_S:
    case UOP_FORMAT_I:
    case UOP_FORMAT_SI:
    case UOP_FORMAT_STORE:
    case UOP_FORMAT_BRANCH:
    case UOP_FORMAT_JUMP:
    case UOP_FORMAT_INDIRECT:
    case UOP_FORMAT_EXIT: return false;
    default: return true;
    }
}

// A slot that a riscv64 block may name: registers, a few temporaries, the sink.
static inline bool slot_is_valid(unsigned slot) {
    return slot < SLOT_TEMP + 4 || slot == SLOT_SINK;
}

// NULL, or what is wrong with one uop.
static inline const char *check_uop(const struct uop *uop, const struct ir_block *block, bool last) {
    if (uop->code >= UOP_COUNT_OF_CODES) return "no such uop";
    enum uop_format format = uop_info[uop->code].format;
    if (uop->offset >= block->bytes) return "offset behind the block";
    if (uop_ends_block(uop) != last) return "does not end where its last uop is";
    if (!slot_is_valid(uop->a) || !slot_is_valid(uop->b) || !slot_is_valid(uop->c) || !slot_is_valid(uop->d)) return "bad slot";
    if (uop->b == SLOT_SINK || uop->c == SLOT_SINK || uop->d == SLOT_SINK) return "reads the sink";
    if (uop_writes(format) && uop->a == SLOT_ZERO && uop->code != UOP_cas128) return "writes SLOT_ZERO";
    bool wide = format == UOP_FORMAT_DI || format == UOP_FORMAT_LINK || format == UOP_FORMAT_JUMP;
    if (!wide && uop->imm != (int32_t)uop->imm) return "immediate is too wide";
    if ((format == UOP_FORMAT_BRANCH || format == UOP_FORMAT_JUMP) && uop->imm & 1) return "odd target";
    return NULL;
}

// NULL, or what is wrong with the block.
static inline const char *check_block(const struct ir_block *block, size_t size, unsigned max_instructions) {
    if (block->count == 0) return block->bytes || block->instructions ? "empty, yet covers something" : NULL;
    if (block->count > BLOCK_MAX_UOPS || block->bytes > BLOCK_MAX_BYTES || block->bytes > size) return "over its limits";
    if (block->instructions == 0 || block->instructions > max_instructions || block->instructions * 2 > block->bytes)
        return "instructions do not add up";
    for (unsigned i = 0; i < block->count; i++) {
        const char *wrong = check_uop(&block->uop[i], block, i + 1 == block->count);
        if (wrong) return wrong;
        if (i && block->uop[i].offset < block->uop[i - 1].offset) return "offsets go back";
    }
    return NULL;
}
