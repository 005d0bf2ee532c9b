// Loops that look for a byte: see scan.h.
#include "translator/ir/scan.h"
#include <string.h>

enum { ROUND = 5 };

// again: rest = value >> shift; byte = rest & 255; if (byte) leave; shift -= 8; if (shift) go to again
static bool is_scan(const struct uop *u) {
    unsigned rest = u[0].a, value = u[0].b, shift = u[0].c, byte = u[1].a;
    bool codes =
        u[0].code == UOP_srl && u[1].code == UOP_andi && u[2].code == UOP_bne && u[3].code == UOP_addi && u[4].code == UOP_bne;
    if (!codes || u[1].b != rest || u[1].imm != 255 || u[2].b != byte || u[2].c || u[3].a != shift || u[3].b != shift) return false;
    if (u[3].imm != -8 || u[4].b != shift || u[4].c || u[4].imm != u[0].offset) return false;
    return shift && value != shift && rest != shift && byte != shift && rest != value && byte != value && rest && byte;
}

void ir_shorten_scans(struct ir_block *block) {
    for (unsigned i = 0; i + ROUND <= block->count && block->count < BLOCK_MAX_UOPS; i++) {
        struct uop *u = &block->uop[i];
        if (!is_scan(u)) continue;
        memmove(u + 1, u, (block->count++ - i) * sizeof *u);
        *u = (struct uop){.code = UOP_topbyte, .a = u->c, .b = u->b, .c = u->c, .offset = u->offset};
        i += ROUND;
    }
}
