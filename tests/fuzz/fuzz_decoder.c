// libFuzzer target: decodes, lifts, prints and disassembles any bytes under any mode and any extensions, and checks what must
// hold of the results. Input: mode, maximum of instructions, 4 bytes of extensions switched off, then guest code.
#include "tests/fuzz/fuzz.h"
#include "runtime/base/arena.h"
#include "tests/translator/check_block.h"
#include "translator/guest/riscv64/decode.h"
#include "translator/interp/interp.h"

#define REQUIRE(condition) require(condition, #condition)

static struct ir_block block, again;

static void check_lift(const uint8_t *code, size_t size, uint32_t mode, guest_features features, unsigned max_instructions) {
    struct insn insn;
    guest_riscv64.lift(code, size, mode, features, max_instructions, &block);
    const char *wrong = check_block(&block, size, max_instructions);
    if (wrong) fprintf(stderr, "the block %s\n", wrong);
    REQUIRE(!wrong);
    REQUIRE((block.count == 0) == (max_instructions == 0 || riscv64_decode(code, size, features, &insn) == 0));
    // a pure function, and of no more bytes than it says
    guest_riscv64.lift(code, block.bytes, mode, features, block.instructions, &again);
    REQUIRE(again.count == block.count && again.bytes == block.bytes);
    REQUIRE(memcmp(again.uop, block.uop, block.count * sizeof *block.uop) == 0);
}

static void check_lowering(uint32_t mode) {
    static struct arena arena;
    struct block *lowered = block.count ? interp_block_build(&arena, &block, 0x10000, mode) : NULL;
    REQUIRE(!lowered || (lowered->count && lowered->bytes == block.bytes));
    if (lowered) interp_block_fuse(&arena, &arena, lowered);
    arena_free(&arena);
}

static void check_text(const uint8_t *code, size_t size, guest_features features) {
    char text[128];
    for (size_t at = 0; at < size;) {
        struct insn insn;
        unsigned decoded = riscv64_decode(code + at, size - at, features, &insn);
        unsigned length = guest_riscv64.disassemble(code + at, size - at, at, features, text, sizeof text);
        REQUIRE(length <= size - at && length % 2 == 0);
        if (!length) break;
        REQUIRE(length >= decoded && strlen(text) > 0 && strlen(text) < sizeof text - 1);
        REQUIRE(guest_riscv64.disassemble(code + at, size - at, at, features, text, 5) == length && strlen(text) < 5);
        at += length;
    }
    for (unsigned i = 0; i < block.count; i++) {
        int length = uop_print(text, sizeof text, &block.uop[i], guest_riscv64.slot_name);
        REQUIRE(length > 0 && (size_t)length < sizeof text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 6) return 0;
    uint32_t mode = data[0] & (MODE_COUNT | MODE_RM_AWAY | MODE_RM_BAD), off;
    memcpy(&off, data + 2, sizeof off);
    guest_features features = RV_ALL & ~((guest_features)off & ~RV(I));
    // exact copy: a read behind the end is one that the address sanitizer sees
    uint8_t *code = malloc(size - 6 ? size - 6 : 1);
    REQUIRE(code);
    memcpy(code, data + 6, size - 6);
    check_lift(code, size - 6, mode, features, data[1]);
    check_lowering(mode);
    check_text(code, size - 6, features);
    free(code);
    return 0;
}
