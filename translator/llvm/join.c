// Loads of pieces that lie side by side (pieces.h), joined into one: given one load and shifts of it, LLVM sees through them.
#include "translator/llvm/build.h"
#include "translator/ir/pieces.h"
#include <string.h>

unsigned build_loaded_bytes(enum uop_code code) {
    switch (code) {
    case UOP_ld8s:
    case UOP_ld8u: return 1;
    case UOP_ld16s:
    case UOP_ld16u: return 2;
    case UOP_ld32s:
    case UOP_ld32u: return 4;
    case UOP_ld64: return 8;
    default: return 0;
    }
}

static unsigned piece_bytes(enum uop_code code) {
    return code == UOP_ld64 ? 0 : build_loaded_bytes(code);
}

static bool join(void *user, const struct piece *const *part, unsigned parts, unsigned bytes, unsigned earliest) {
    struct build *b = user;
    for (unsigned i = 0, shift = 0; i < parts; shift += 8 * part[i++]->bytes)
        b->joined[part[i]->at] = (struct joined){earliest, bytes, shift, part[0]->imm};
    return true;
}

void build_join_loads(struct build *b) {
    const struct ir_block *ir = b->block->ir;
    struct pieces pieces = {.join = join, .user = b, .least_bytes = 2};
    memset(b->joined, 0, sizeof *b->joined * ir->count);
    for (unsigned i = 0; i < ir->count; i++) {
        const struct uop *u = &ir->uop[i];
        pieces_add(&pieces, i, uop_info[u->code].format, u, piece_bytes(u->code));
    }
    pieces_close(&pieces);
}

LLVMValueRef build_joined_load(struct build *b, const struct uop *u, LLVMTypeRef type) {
    const struct joined *joined = &b->joined[u - b->block->ir->uop];
    LLVMValueRef *whole = &b->whole[joined->first];
    if (u - b->block->ir->uop == joined->first) {
        *whole = build_wide_load(b, u->b, joined->imm, LLVMIntTypeInContext(b->context, 8 * joined->bytes));
    }
    LLVMValueRef shift = LLVMConstInt(LLVMTypeOf(*whole), joined->shift, 0);
    return LLVMBuildTrunc(b->ir, LLVMBuildLShr(b->ir, *whole, shift, ""), type, "");
}
