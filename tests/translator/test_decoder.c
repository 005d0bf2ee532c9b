// The decoder and the disassembler against LLVM's: every row of insns.def with random operands must read the same, all
// halfwords and many random words must be legal or illegal alike. Where the two may differ is listed here, with the reason.
#include "tests/tools/cmocka.h"
#include "translator/guest/riscv64/insn_table.h"
#include <ctype.h>
#include <llvm-c/Disassembler.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm/Config/llvm-config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if LLVM_VERSION_MAJOR < 20
#define ZACAS "+experimental-zacas"
#else
#define ZACAS "+zacas"
#endif

static const char llvm_features[] = "+m,+a,+f,+d,+c,+zicsr,+zifencei,+zicntr,+zihpm,+zba,+zbb,+zbs,+zicbom,+zicbop,+zicboz,+zfhmin,"
                                    "+zicond,+zcb,+zfa,+zawrs," ZACAS ",+zihintpause,+zihintntl,"
                                    "+v,+zvbb,+zvbc,+zvkb,+zvkg,+zvkned,+zvknha,+zvknhb,+zvksed,+zvksh";

// Encodings that the two see differently, as patterns.
static const struct {
    uint32_t mask, match;
    bool ours_legal;
    const char *why;
} exceptions[] = {
    {0x0000707f, 0x0000000f, true, "fence with reserved fields: the manual asks to take it for an ordinary fence"},
    {0x0000707f, 0x0000100f, true, "fence.i with reserved fields: the manual asks to ignore them"},
    {0xffffffff, 0x10200073, false, "sret: privileged"},
    {0xffffffff, 0x30200073, false, "mret: privileged"},
    {0xffffffff, 0x70200073, false, "mnret: privileged"},
    {0xffffffff, 0x7b200073, false, "dret: privileged"},
    {0xffffffff, 0x10500073, false, "wfi: privileged"},
    {0xfe007fff, 0x12000073, false, "sfence.vma: privileged"},
    {0xfff0007f, 0xc2800053, false, "fcvtmod.w.d with another rounding mode than rtz: reserved"},
    {0x0000f07f, 0x00006001, false, "c.lui with a zero immediate: reserved"},
    {0xffffffff, 0x00000000, false, "c.unimp: LLVM's name for what the manual defines to be illegal"},
};

// c.lui zero with a negative immediate, a hint: LLVM prints the number of that one with a sign.
enum { TEXT_DIFFERS_MASK = 0xff83, TEXT_DIFFERS_MATCH = 0x7001 };

// LLVM prints these by the name of the instruction whose encoding they borrow.
static const struct {
    const char *ours, *llvm;
} aliases[] = {
    {"pause", "fence w, 0"},          {"ntl.p1", "add zero, zero, sp"},  {"ntl.pall", "add zero, zero, gp"},
    {"ntl.s1", "add zero, zero, tp"}, {"ntl.all", "add zero, zero, t0"}, {"c.ntl.p1", "c.add zero, sp"},
    {"c.ntl.pall", "c.add zero, gp"}, {"c.ntl.s1", "c.add zero, tp"},    {"c.ntl.all", "c.add zero, t0"},
};

static LLVMDisasmContextRef llvm;
static uint64_t random_state;

static uint64_t next_random(void) {  // xorshift64*
    random_state ^= random_state >> 12, random_state ^= random_state << 25, random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static int set_up(void **state) {
    (void)state;
    static const char *const arguments[] = {"test_decoder", "-riscv-no-aliases"};
    LLVMInitializeRISCVTargetInfo();
    LLVMInitializeRISCVTargetMC();
    LLVMInitializeRISCVDisassembler();
    LLVMParseCommandLineOptions(2, arguments, NULL);
    llvm = LLVMCreateDisasmCPUFeatures("riscv64-unknown-linux-gnu", "generic-rv64", llvm_features, NULL, 0, NULL, NULL);
    random_state = 0x9e3779b97f4a7c15;
    return llvm ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    LLVMDisasmDispose(llvm);
    return 0;
}

// ---- both texts in one form: words with single blanks between, numbers in decimal

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

static void normalise(const char *text, char *out, size_t size) {
    size_t length = 0;
    out[0] = 0;
    while (*text) {
        char word[64];
        size_t n = 0;
        while (*text && !is_word(*text)) text++;
        while (is_word(*text) && n + 1 < sizeof word) word[n++] = *text++;
        word[n] = 0;
        if (!n || !strcmp(word, "dyn")) continue;
        char *end;
        long long number = *word == '-' ? strtoll(word, &end, 0) : (long long)strtoull(word, &end, 0);
        if (*end == 0) length += (size_t)snprintf(out + length, size - length, "%lld ", number);
        else length += (size_t)snprintf(out + length, size - length, "%s ", word);
        assert_true(length < size);
    }
}

static bool same_text(const char *ours, const char *theirs) {
    char a[128], b[128];
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(ours, aliases[i].ours) == 0) ours = aliases[i].llvm;
    }
    normalise(ours, a, sizeof a);
    normalise(theirs, b, sizeof b);
    return strcmp(a, b) == 0;
}

static unsigned ask_llvm(uint32_t word, char *text, size_t size) {
    return (unsigned)LLVMDisasmInstruction(llvm, (uint8_t *)&word, 4, 0, text, size);
}

static unsigned ask_ours(uint32_t word, char *text, size_t size) {
    return guest_riscv64.disassemble((const uint8_t *)&word, 4, 0, RV_ALL, text, size);
}

// CSRs are compared by name only where we have one.
static bool names_other_csr(const struct insn *insn) {
    const struct insn_row *row = &riscv64_insn_table[insn->op];
    bool named = (insn->csr >= 1 && insn->csr <= 3) || (insn->csr >= 8 && insn->csr <= 10) || insn->csr == 15 ||
                 (insn->csr >= 0xc00 && insn->csr <= 0xc22);
    return strchr(row->assembly, 'c') && !named;
}

static bool is_exception(uint32_t word, bool ours_legal) {
    if ((word & 3) != 3) word &= 0xffff;
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        if ((word & exceptions[i].mask) == exceptions[i].match && exceptions[i].ours_legal == ours_legal) return true;
    }
    return false;
}

// Whole registers that are no group: illegal for LLVM's decoder, for ours only when they are carried out.
static bool is_no_group(const struct insn *insn) {
    const char *name = riscv64_insn_table[insn->op].name;
    unsigned registers = 0;
    bool move = sscanf(name, "vmv%ur", &registers) == 1;
    if (!move && sscanf(name, "vl%ur", &registers) != 1 && sscanf(name, "vs%ur", &registers) != 1) return false;
    return registers && (insn->rd % registers || (move && insn->rs2 % registers));
}

static unsigned failures;

static void complain(uint32_t word, const char *ours, const char *theirs) {
    if (failures++ < 40) print_error("%08x: ours \"%s\", LLVM's \"%s\"\n", word, ours, theirs);
}

// Complains if the two do not agree about `word`.
static void compare(uint32_t word) {
    char ours[128], theirs[128] = "illegal";
    struct insn insn;
    riscv64_decode_word(word, RV_ALL, &insn);
    bool legal = insn.op != INSN_ILLEGAL;
    unsigned length = ask_ours(word, ours, sizeof ours), their_length = ask_llvm(word, theirs, sizeof theirs);
    if (is_exception(word, legal) || (legal && is_no_group(&insn))) return;
    if (legal != (their_length != 0)) complain(word, ours, theirs);
    else if (legal && length != their_length) complain(word, "length", "length");
    else if (legal && !names_other_csr(&insn) && (insn.bits & TEXT_DIFFERS_MASK) != TEXT_DIFFERS_MATCH && !same_text(ours, theirs))
        complain(word, ours, theirs);
}

// ---- the tests

static void test_every_row(void **state) {
    (void)state;
    failures = 0;
    for (unsigned op = 1; op < INSN_COUNT; op++) {
        const struct insn_row *row = &riscv64_insn_table[op];
        unsigned hits = 0;
        for (int i = 0; i < 20000 && hits < 300; i++) {
            uint32_t word = ((uint32_t)next_random() & ~row->mask) | row->match;
            if (row->length == 2) word &= 0xffff;
            struct insn insn;
            riscv64_decode_word(word, RV_ALL, &insn);
            if (insn.op != op) continue;
            assert_int_equal(insn.length, row->length);
            hits++;
            compare(word);
        }
        if (!hits) print_error("%s: no random operands were decoded as it\n", row->name), failures++;
    }
    assert_int_equal(failures, 0);
}

static void test_every_halfword(void **state) {
    (void)state;
    failures = 0;
    for (uint32_t word = 0; word < 0x10000; word++) {
        if ((word & 3) != 3) compare(word);
    }
    assert_int_equal(failures, 0);
}

static void test_random_words(void **state) {
    (void)state;
    failures = 0;
    for (int i = 0; i < 1000000; i++) compare((uint32_t)next_random() | 3);
    // near misses: an instruction with up to three of its fixed bits turned over
    for (int i = 0; i < 1000000; i++) {
        const struct insn_row *row = &riscv64_insn_table[1 + next_random() % (INSN_COUNT - 1)];
        if (row->length != 4) continue;
        uint32_t word = ((uint32_t)next_random() & ~row->mask) | row->match;
        for (unsigned k = next_random() % 4; k--;) word ^= UINT32_C(4) << next_random() % 30;
        compare(word);
    }
    assert_int_equal(failures, 0);
}

static void test_extension_off(void **state) {
    (void)state;
    for (unsigned op = 1; op < INSN_COUNT; op++) {
        const struct insn_row *row = &riscv64_insn_table[op];
        for (int i = 0; i < 100; i++) {
            uint32_t word = ((uint32_t)next_random() & ~row->mask) | row->match;
            for (unsigned bit = 1; bit < RV_FEATURES; bit++) {
                if (!(row->needs >> bit & 1)) continue;
                struct insn insn;
                riscv64_decode_word(word, RV_ALL & ~(UINT64_C(1) << bit), &insn);
                assert_int_not_equal(insn.op, op);
                assert_false(riscv64_insn_table[insn.op].needs >> bit & 1);
            }
        }
    }
}

static void test_lengths(void **state) {
    (void)state;
    static const uint8_t add[4] = {0x33, 0x85, 0xc5, 0x00}, nop[2] = {0x01, 0x00};
    static const uint8_t wide[8] = {0x1f, 0, 0, 0, 0, 0, 0, 0}, wider[8] = {0x3f, 0, 0, 0, 0, 0, 0, 0};
    struct insn insn;
    char text[64];
    assert_int_equal(riscv64_decode(add, 4, RV_ALL, &insn), 4);
    assert_int_equal(riscv64_decode(add, 3, RV_ALL, &insn), 0);
    assert_int_equal(riscv64_decode(add, 2, RV_ALL, &insn), 0);
    assert_int_equal(riscv64_decode(nop, 2, RV_ALL, &insn), 2);
    assert_int_equal(riscv64_decode(nop, 1, RV_ALL, &insn), 0);
    assert_int_equal(guest_riscv64.disassemble(wide, 8, 0, RV_ALL, text, sizeof text), 6);
    assert_int_equal(guest_riscv64.disassemble(wide, 5, 0, RV_ALL, text, sizeof text), 0);
    assert_int_equal(guest_riscv64.disassemble(wider, 8, 0, RV_ALL, text, sizeof text), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),     cmocka_unit_test(test_every_halfword), cmocka_unit_test(test_random_words),
        cmocka_unit_test(test_extension_off), cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
