// Lifting as a whole: what must hold of every block (check_block.h), for blocks of random instructions; limits; and the shapes
// that matter for speed or for the runtime.
#include "tests/tools/cmocka.h"
#include "tests/translator/check_block.h"
#include "translator/guest/riscv64/insn_table.h"
#include <stdio.h>

static struct ir_block block;
static uint64_t random_state = 0x853c49e6748fea9b;

static uint64_t next_random(void) {  // xorshift64*
    random_state ^= random_state >> 12, random_state ^= random_state << 25, random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static void lift(const void *code, size_t size, uint32_t mode, unsigned max_instructions) {
    guest_riscv64.lift(code, size, mode, RV_ALL, max_instructions, &block);
    const char *wrong = check_block(&block, size, max_instructions);
    if (wrong) fail_msg("the block %s", wrong);
}

// Random instructions, few of which end a block.
static size_t random_code(uint8_t *code, size_t size) {
    size_t length = 0;
    while (length + 4 <= size) {
        const struct insn_row *row = &riscv64_insn_table[1 + next_random() % (INSN_COUNT - 1)];
        uint32_t word = ((uint32_t)next_random() & ~row->mask) | row->match;
        struct insn insn;
        riscv64_decode_word(word, RV_ALL, &insn);
        if (insn.op == INSN_ILLEGAL && next_random() % 16) continue;
        memcpy(code + length, &word, insn.length);
        length += insn.length;
    }
    return length;
}

static void test_random_blocks(void **state) {
    (void)state;
    static uint8_t code[2048];
    for (int i = 0; i < 20000; i++) {
        size_t size = 1 + next_random() % sizeof code;
        random_code(code, sizeof code);
        lift(code, size, (uint32_t)next_random() & 7, next_random() % 4 ? 1000 : (unsigned)next_random() % 8);
    }
}

static void test_limits(void **state) {
    (void)state;
    static uint16_t nops[4096];
    for (unsigned i = 0; i < 4096; i++) nops[i] = 0x0001;
    lift(nops, sizeof nops, 0, 100000);
    assert_int_equal(block.bytes, BLOCK_MAX_BYTES);
    assert_int_equal(block.count, 1);
    assert_int_equal(block.uop[0].code, UOP_jump);
    assert_int_equal(block.uop[0].imm, BLOCK_MAX_BYTES);
    lift(nops, sizeof nops, 0, 7);
    assert_int_equal(block.instructions, 7);
    assert_int_equal(block.bytes, 14);
    lift(nops, 5, 0, 100);
    assert_int_equal(block.bytes, 4);
    lift(nops, 1, 0, 100);
    assert_int_equal(block.count, 0);
    static uint32_t divisions[1024];  // fdiv.d with a static rounding mode: three uops each
    for (unsigned i = 0; i < 1024; i++) divisions[i] = 0x1ac58553;
    lift(divisions, sizeof divisions, 0, 100000);
    assert_in_range(block.count, BLOCK_MAX_UOPS - 32, BLOCK_MAX_UOPS);
}

static void test_cut_instruction(void **state) {
    (void)state;
    static const uint8_t code[] = {0x01, 0x00, 0x13, 0x05, 0x15, 0x00};  // c.nop; addi a0, a0, 1
    lift(code, 5, 0, 100);
    assert_int_equal(block.instructions, 1);
    lift(code + 2, 3, 0, 100);
    assert_int_equal(block.count, 0);
    lift(code + 2, 4, 0, 100);
    assert_int_equal(block.instructions, 1);
}

static void expect(unsigned at, unsigned code, int64_t imm) {
    assert_true(at < block.count);
    assert_string_equal(uop_info[block.uop[at].code].name, uop_info[code].name);
    assert_int_equal(block.uop[at].imm, imm);
}

static void test_call_is_a_jump(void **state) {
    (void)state;
    static const uint32_t call[] = {0x00001097, 0x7ff080e7};  // auipc ra, 1; jalr ra, 2047(ra)
    lift(call, sizeof call, 0, 100);
    assert_int_equal(block.count, 3);
    expect(1, UOP_lipc, 8);
    expect(2, UOP_jump, 4096 + 2046);
}

static void test_branch_goes_on(void **state) {
    (void)state;
    static const uint32_t code[] = {0x00b50463, 0x00150513, 0x00000073};  // beq a0, a1, 8; addi a0, a0, 1; ecall
    lift(code, sizeof code, 0, 100);
    assert_int_equal(block.instructions, 3);
    expect(0, UOP_beq, 8);
    expect(1, UOP_addi, 1);
    expect(2, UOP_syscall, 4);
}

// As libgcc looks for the highest byte; counted, each round is to be seen.
static void test_scan(void **state) {
    (void)state;
    static const uint32_t code[] = {0x03800793, 0x00f55733, 0x0ff77693,
                                    0x00069a63,  // li a5, 56; srl a4, a0, a5; andi a3, a4, 255; bnez a3
                                    0xff878793, 0xfe0798e3, 0x00008067};  // addi a5, a5, -8; bnez a5, to the srl; ret
    lift(code, sizeof code, 0, 100);
    assert_int_equal(block.instructions, 7);
    expect(1, UOP_topbyte, 0);
    expect(2, UOP_srl, 0);
    lift(code + 1, sizeof code - 4, 0, 100);
    expect(0, UOP_topbyte, 0);
    lift(code + 1, 4 * 4, 0, 100);
    expect(0, UOP_srl, 0);
    lift(code, sizeof code, MODE_COUNT, 100);
    expect(1, UOP_srl, 0);
    uint32_t other[7];
    for (unsigned i = 1; i < 6; i++) {
        memcpy(other, code, sizeof other);
        other[i] ^= 1u << (i == 3 ? 15 : i == 5 ? 10 : 21);  // another register, number or place
        lift(other, sizeof other, 0, 100);
        expect(1, UOP_srl, 0);
    }
}

static void test_rounding(void **state) {
    (void)state;
    static const uint32_t dynamic[] = {0x02c5f553}, up[] = {0x02c5b553}, away[] = {0x02c5c553};  // fadd.d fa0, fa1, fa2
    lift(dynamic, 4, 0, 1);
    expect(0, UOP_fadd_d, 0);
    lift(dynamic, 4, MODE_RM_AWAY, 1);
    expect(0, UOP_faddaway_d, 0);
    lift(dynamic, 4, MODE_RM_BAD, 1);
    expect(0, UOP_illegal, 4);
    lift(up, 4, MODE_RM_BAD, 1);
    expect(0, UOP_setrm, 3);
    expect(1, UOP_fadd_d, 0);
    expect(2, UOP_restorerm, 0);
    lift(away, 4, 0, 1);
    expect(0, UOP_faddaway_d, 0);
}

static void test_text_of_uops(void **state) {
    (void)state;
    static const uint32_t code[] = {0x00813503, 0xfea53c23, 0x00b57463, 0x10a5f62f};
    static const char *const texts[] = {"ld64       a0, [sp+8]", "st64       [a0-8], a0", "bgeu       a0, a1, pc+16", "illegal"};
    char text[64];
    lift(code, sizeof code, 0, 100);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(uop_print(text, sizeof text, &block.uop[i], guest_riscv64.slot_name), (int)strlen(texts[i]));
        assert_string_equal(text, texts[i]);
    }
    assert_int_equal(uop_print(text, 5, &block.uop[0], NULL), (int)strlen("ld64       s10, [s2+8]"));
    assert_string_equal(text, "ld64");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_blocks),  cmocka_unit_test(test_limits),         cmocka_unit_test(test_cut_instruction),
        cmocka_unit_test(test_call_is_a_jump), cmocka_unit_test(test_branch_goes_on), cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_text_of_uops),   cmocka_unit_test(test_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
