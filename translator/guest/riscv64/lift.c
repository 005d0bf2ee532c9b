// Lifts a stretch of riscv64 code to a block of uops: decodes instruction after instruction and calls the lift function of each,
// until one ends the block or a limit is reached. Pure: bytes, mode and features in, uops out.
#include "translator/guest/riscv64/lift.h"
#include "translator/ir/scan.h"

static LIFT(illegal) {
    lift_illegal(l, i);
}

static void (*const lift_by_op[INSN_COUNT])(struct lift *, const struct insn *) = {
    [INSN_ILLEGAL] = riscv64_lift_illegal,
#define INSN(name, needs, bits, assembly, lift) [INSN_##name] = riscv64_lift_##lift,
#include "translator/guest/riscv64/insns.def"
#undef INSN
};

void riscv64_lift(const uint8_t *bytes, size_t size, uint32_t mode, guest_features features, unsigned max_instructions,
                  struct ir_block *block) {
    struct lift l = {.block = block, .mode = mode, .features = features};
    struct insn insn;
    if (size > BLOCK_MAX_BYTES) size = BLOCK_MAX_BYTES;
    block->count = block->bytes = block->instructions = 0;
    while (!l.ended && block->instructions < max_instructions && block->count + LIFT_MAX_UOPS <= BLOCK_MAX_UOPS) {
        if (!riscv64_decode(bytes + block->bytes, size - block->bytes, features, &insn)) break;
        l.offset = block->bytes;
        lift_by_op[insn.op](&l, &insn);
        block->bytes += insn.length;
        block->instructions++;
    }
    if (!l.ended && block->instructions) lift_end(&l, UOP_jump, 0, block->bytes);
    if (!(mode & MODE_COUNT)) ir_shorten_scans(block);
}
