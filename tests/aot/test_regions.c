// Regions that nobody asked for (aot/regions.h): which are decided from what is known of pages, what comes of them, and what nonsense does to that.
#include "tests/cache/store_files.h"
#include "aot/regions.h"
#include "cache/record.h"
#include <math.h>
#include <sys/mman.h>

enum {
    ARENA_BYTES = 8 << 20,
    WARM = CHANNEL_WARM,
    HOT = CHANNEL_WARM | CHANNEL_HOT,
    A0 = 10,
    A1,
    A2,
    COUNT_A0 = 0xfff50513,  // addi a0, a0, -1
    COUNT_A1 = 0xfff58593,
    COUNT_A2 = 0xfff60613,
    ADD = 0x00a585b3,  // add a1, a1, a0
    STORE = 0x00a13023,  // sd a0, 0(sp)
    JUMP_A5 = 0x00078067,  // jr a5
    RETURN = 0x00008067,
    CALL = 0x80,  // with ra, of a jump
    MOST_GIVEN = 64,
    ROUNDS_OF_NONSENSE = 60,
};

static struct compiler *compiler;
static uint8_t *arena;
static struct writer *writer;  // or NULL

// What was given, in order.
static struct given {
    struct store_key module;
    char name[16];
    uint32_t kind, count, entries[CHANNEL_BLOCKS];
    struct record record;  // of a copy
    uint8_t *bytes;
} given[MOST_GIVEN];
static unsigned gifts;

static void forget_gifts(void) {
    while (gifts) free(given[--gifts].bytes);
}

static bool begins_block(const struct record *record, uint32_t at) {
    for (unsigned i = 0; i < record->blocks; i++) {
        if (record->block[i].at == at && record->block[i].entry != RECORD_NO_ENTRY) return true;
    }
    return false;
}

static void give(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    (void)data;
    struct given *g = &given[gifts++];
    assert_true(gifts <= MOST_GIVEN);
    *g = (struct given){.module = *module, .kind = record->kind, .count = record->count, .bytes = malloc(record->size)};
    assert_non_null(g->bytes);
    snprintf(g->name, sizeof g->name, "%s", name);
    memcpy(g->bytes, record->bytes, record->size);
    memcpy(g->entries, record->entries, record->count * sizeof *record->entries);
    assert_true(record_read(g->bytes, record->size, &g->record));
    assert_true(g->count > 0);
    for (unsigned i = 0; i < g->count; i++) assert_true(begins_block(&g->record, g->entries[i]));
    if (writer) assert_true(writer_add(writer, module, name, record));
}

// ---- pages

static struct pages *of(const struct store_key *module) {
    return pages_of(module, module == &module_a ? "a" : "b", 0);
}

// A block at this place of module A.
static void add(uint64_t at, unsigned marks, const uint32_t *words, unsigned count) {
    pages_add(of(&module_a), at, (const uint8_t *)words, 4 * count);
    pages_mark(of(&module_a), at, (uint8_t)marks);
}

#define BLOCK(at, marks, ...) \
    add(at, marks, (const uint32_t[]){__VA_ARGS__}, (unsigned)(sizeof(uint32_t[]){__VA_ARGS__} / sizeof(uint32_t)))

// Branches and jumps by their distance, in the manual's order of bits.
static uint32_t branch(unsigned funct3, unsigned reg, int by) {
    uint32_t d = (uint32_t)by;
    return (d >> 12 & 1) << 31 | (d >> 5 & 63) << 25 | reg << 15 | funct3 << 12 | (d >> 1 & 15) << 8 | (d >> 11 & 1) << 7 | 0x63;
}

static uint32_t beqz(unsigned reg, int by) {
    return branch(0, reg, by);
}

static uint32_t bnez(unsigned reg, int by) {
    return branch(1, reg, by);
}

static uint32_t jump(int by) {
    uint32_t d = (uint32_t)by;
    return (d >> 20 & 1) << 31 | (d >> 1 & 1023) << 21 | (d >> 11 & 1) << 20 | (d >> 12 & 255) << 12 | 0x6f;
}

// do a1 += a0; while (--a0);
static void add_loop(uint64_t at, unsigned marks) {
    BLOCK(at, marks, ADD, COUNT_A0, bnez(A0, -8));
}

static void add_larger_loop(uint64_t at, unsigned marks) {
    BLOCK(at, marks, ADD, ADD, ADD, ADD, ADD, ADD, ADD, ADD, COUNT_A0, bnez(A0, -36));
}

static unsigned marks_at(uint64_t at) {
    const struct page *page = pages_look(of(&module_a), at);
    assert_non_null(page);
    return page->marks[at % SHEET_PAGE];
}

// ---- regions

static unsigned decide(bool exact) {
    return regions_decide(&guest_riscv64, guest_riscv64.default_features, exact);
}

static void compile_all(void) {
    forget_gifts();
    regions_compile(compiler, arena, HUGE_VAL, give, NULL);
}

static unsigned make(bool exact) {
    unsigned count = decide(exact);
    compile_all();
    return count;
}

static bool has_block(const struct given *g, uint32_t at) {
    for (unsigned i = 0; i < g->record.blocks; i++) {
        if (g->record.block[i].at == at) return true;
    }
    return false;
}

static bool has_entry(const struct given *g, uint32_t at) {
    for (unsigned i = 0; i < g->count; i++) {
        if (g->entries[i] == at) return true;
    }
    return false;
}

static int finish(void **unused) {
    forget_gifts();
    pages_end();
    return end(unused);
}

// ---- what becomes one

static void a_loop(void **unused) {
    (void)unused;
    add_loop(0x100, HOT);
    assert_int_equal(make(false), 1);
    assert_int_equal(gifts, 1);
    assert_int_equal(given->kind, record_kind(0, false));
    assert_memory_equal(&given->module, &module_a, sizeof module_a);
    assert_string_equal(given->name, "a");
    assert_int_equal(given->count, 1);
    assert_int_equal(given->entries[0], 0x100);
    assert_int_equal(given->record.blocks, 1);
    assert_int_equal(given->record.block->bytes, 12);
    assert_int_equal(given->record.modules, 1);
    assert_memory_equal(given->record.module, &module_a, sizeof module_a);
    assert_int_equal(marks_at(0x100), HOT);
}

static void the_same_bytes_again(void **unused) {
    (void)unused;
    uint8_t *first = NULL;
    uint32_t size = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        add_loop(0x100, HOT);
        if (pass) add_larger_loop(0x5100, WARM);  // of no concern
        assert_int_equal(make(false), 1);
        if (pass) assert_memory_equal(given->record.code, first, size);
        else first = malloc(size = given->record.image.bytes), memcpy(first, given->record.code, size);
        pages_end();
    }
    free(first);
}

static void a_loop_over_two_pages(void **unused) {
    (void)unused;
    BLOCK(SHEET_PAGE - 4, HOT, jump(4));
    BLOCK(SHEET_PAGE, WARM, COUNT_A0, bnez(A0, -8));
    assert_int_equal(make(false), 1);
    assert_int_equal(gifts, 1);
    assert_int_equal(given->record.blocks, 2);
    pages_end();
    BLOCK(SHEET_PAGE - 10, HOT, ADD, COUNT_A0);
    BLOCK(SHEET_PAGE - 2, WARM, bnez(A0, -8));  // nothing is known of the next page
    assert_int_equal(make(false), 1);
    assert_int_equal(gifts, 1);
    assert_int_equal(given->record.blocks, 2);
}

static void only_what_is_warm(void **unused) {
    (void)unused;
    BLOCK(0x300, HOT, beqz(A2, 0x20));
    BLOCK(0x304, WARM, COUNT_A0, jump(-8));
    BLOCK(0x320, 0, COUNT_A1, jump(-0x24));
    assert_int_equal(make(false), 1);
    assert_int_equal(given->record.blocks, 2);
    assert_true(has_block(given, 0x300) && has_block(given, 0x304));
    pages_mark(of(&module_a), 0x320, WARM);
    assert_int_equal(make(false), 1);
    assert_int_equal(given->record.blocks, 3);
    assert_true(has_entry(given, 0x300) && given->count == 1);
}

// do do …; while (--a2); while (--a1);
static void add_nested(unsigned marks_of_inner) {
    BLOCK(0x400, HOT, ADD, jump(4));
    BLOCK(0x408, marks_of_inner, ADD, COUNT_A2, bnez(A2, -8));
    BLOCK(0x414, WARM, COUNT_A1, bnez(A1, -0x18));
}

static void an_inner_loop_is_an_entry(void **unused) {
    (void)unused;
    add_nested(HOT);
    assert_int_equal(make(false), 1);
    assert_int_equal(gifts, 1);
    assert_int_equal(given->record.blocks, 3);
    assert_int_equal(given->count, 2);
    assert_true(has_entry(given, 0x400) && has_entry(given, 0x408));
}

static void an_inner_loop_that_is_not_hot(void **unused) {
    (void)unused;
    add_nested(WARM);
    assert_int_equal(make(false), 1);
    assert_int_equal(given->count, 1);
    assert_true(has_entry(given, 0x400));
}

// do function(); while (--a1); where the function is a loop of so many instructions.
static void add_calls(unsigned size) {
    uint32_t words[32];
    BLOCK(0x400, HOT, ADD, ADD, ADD, CALL | jump(0x34));
    BLOCK(0x410, WARM, ADD, ADD, COUNT_A1, bnez(A1, -0x1c));
    for (unsigned i = 0; i < size - 2; i++) words[i] = ADD;
    words[size - 2] = COUNT_A2;
    words[size - 1] = bnez(A2, -4 * (int)(size - 1));
    add(0x440, HOT, words, size);
    BLOCK(0x440 + 4 * size, WARM, RETURN);
}

static void the_loop_of_a_function(void **unused) {
    (void)unused;
    add_calls(30);
    assert_int_equal(make(false), 1);
    assert_int_equal(given->record.blocks, 4);
    assert_int_equal(given->count, 2);
    assert_true(has_entry(given, 0x400) && has_entry(given, 0x440));
}

static void the_small_loop_of_a_function(void **unused) {
    (void)unused;
    add_calls(2);
    assert_int_equal(make(false), 2);
    assert_int_equal(gifts, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(given[i].count, 1);
        assert_int_equal(given[i].record.blocks, has_entry(&given[i], 0x400) ? 4 : 1);
    }
    assert_int_not_equal(given[0].entries[0], given[1].entries[0]);
}

static void modules_are_apart(void **unused) {
    (void)unused;
    add_loop(0x100, HOT);
    const uint32_t loop[] = {ADD, COUNT_A0, bnez(A0, -8)};
    pages_add(of(&module_b), 0x100, (const uint8_t *)loop, sizeof loop);
    pages_mark(of(&module_b), 0x100, HOT);
    assert_int_equal(make(false), 2);
    assert_int_equal(gifts, 2);
    assert_memory_not_equal(&given[0].module, &given[1].module, sizeof module_a);
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(given[i].name, memcmp(&given[i].module, &module_a, sizeof module_a) ? "b" : "a");
        assert_memory_equal(given[i].record.module, &given[i].module, sizeof module_a);
    }
}

// ---- what becomes none

static void what_is_no_loop_is_plain(void **unused) {
    (void)unused;
    BLOCK(0x100, HOT, ADD, RETURN);
    BLOCK(0x200, HOT, ADD, jump(0x40));  // to what is not known
    BLOCK(0x300, WARM, ADD, RETURN);
    of(&module_a)->fresh = pages_look(of(&module_a), 0)->news = false;
    assert_int_equal(make(false), 0);
    assert_int_equal(gifts, 0);
    assert_int_equal(marks_at(0x100), HOT | CHANNEL_PLAIN);
    assert_int_equal(marks_at(0x200), HOT | CHANNEL_PLAIN);
    assert_int_equal(marks_at(0x300), WARM);
    assert_true(of(&module_a)->fresh && pages_look(of(&module_a), 0)->news);  // sheets and profiles say that
}

static void what_is_plain_stays_so(void **unused) {
    (void)unused;
    add_loop(0x100, HOT | CHANNEL_PLAIN);
    add_loop(0x200, WARM);
    assert_int_equal(make(false), 0);
    assert_int_equal(marks_at(0x200), WARM);
}

static void exactness_costs_too_much(void **unused) {
    (void)unused;
    BLOCK(0x100, HOT, STORE, STORE, STORE, COUNT_A0, bnez(A0, -16));
    assert_int_equal(make(false), 1);
    assert_int_equal(make(true), 0);
    assert_int_equal(marks_at(0x100), HOT | CHANNEL_PLAIN);
    add_loop(0x200, HOT);
    assert_int_equal(make(true), 1);
    assert_int_equal(given->kind, record_kind(0, true));
}

static void what_the_store_has(void **unused) {
    (void)unused;
    add_nested(HOT);
    writer = writer_open(root, &build_a, WRITER_LIMIT);
    assert_int_equal(make(false), 1);
    writer_close(writer);
    writer = NULL;
    start_store();
    assert_int_equal(make(false), 0);
    assert_int_equal(marks_at(0x400), HOT);
    assert_int_equal(make(true), 1);  // that is another one
    add_loop(0x800, HOT);
    assert_int_equal(make(false), 1);
    assert_true(has_entry(given, 0x800));
}

// ---- leads

static void add_switch(unsigned cases) {
    BLOCK(0x200, HOT | CHANNEL_LEADS, COUNT_A0, JUMP_A5);
    for (unsigned i = 0; i < cases; i++) {
        BLOCK(0x210 + 0x10 * i, WARM, ADD, jump(-0x14 - 0x10 * (int)i));
        pages_lead(of(&module_a), 0x200, 0x210 + 0x10 * i);
    }
}

static void leads_are_ways(void **unused) {
    (void)unused;
    add_switch(3);
    assert_int_equal(make(false), 1);
    assert_int_equal(given->record.blocks, 4);
    assert_int_equal(given->record.ways, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(given->record.block[given->record.way[i].from].at, 0x200);
        assert_int_equal(given->record.block[given->record.way[i].to].at, 0x210 + 0x10 * i);
    }
}

static void without_leads_there_is_no_loop(void **unused) {
    (void)unused;
    add_switch(0);
    BLOCK(0x210, WARM, ADD, jump(-0x14));
    assert_int_equal(make(false), 0);
    assert_int_equal(marks_at(0x200) & CHANNEL_PLAIN, CHANNEL_PLAIN);
}

static void too_many_leads_end_a_loop(void **unused) {
    (void)unused;
    add_switch(5);
    assert_int_equal(make(false), 0);
    assert_int_equal(marks_at(0x200) & CHANNEL_PLAIN, CHANNEL_PLAIN);
}

static void leads_to_nowhere(void **unused) {
    (void)unused;
    static const uint32_t to[] = {0x211, UINT32_MAX, 0x7000000};
    add_switch(1);
    for (unsigned i = 0; i < sizeof to / sizeof *to; i++) pages_lead(of(&module_a), 0x200, to[i]);
    assert_int_equal(make(false), 1);
    assert_int_equal(given->record.blocks, 2);
    assert_int_equal(given->record.ways, 1);
}

static void leads_without_end(void **unused) {
    (void)unused;
    add_switch(1);
    for (uint32_t i = 0; i < 2 * PAGES_MOST_LEADS; i++) pages_lead(of(&module_a), 0x200, i * 2654435761U);
    assert_int_equal(pages_look(of(&module_a), 0)->leads, PAGES_MOST_LEADS);
    assert_int_equal(make(false), 0);
}

// ---- order, shares, time

static void longest_first(void **unused) {
    (void)unused;
    add_loop(0x100, HOT);
    add_larger_loop(0x200, HOT);
    add_loop(0x300, HOT | CHANNEL_LONG);
    add_larger_loop(0x400, HOT | CHANNEL_LONG);
    assert_int_equal(make(false), 4);
    assert_int_equal(gifts, 4);
    static const uint32_t order[] = {0x300, 0x400, 0x100, 0x200};  // and the smaller ones of these
    for (unsigned i = 0; i < 4; i++) assert_int_equal(given[i].entries[0], order[i]);
}

static void shared_without_loss(void **unused) {
    (void)unused;
    enum { LOOPS = 7 };
    for (unsigned parts = 1; parts < LOOPS + 3; parts += 3) {
        unsigned seen[LOOPS] = {0}, all = 0;
        for (unsigned part = 0; part < parts; part++) {
            for (unsigned i = 0; i < LOOPS; i++) add_loop(0x100 * (i + 1), i % 2 ? HOT : HOT | CHANNEL_LONG);
            assert_int_equal(decide(false), LOOPS);
            regions_share(part, parts);
            compile_all();
            for (unsigned i = 0; i < gifts; i++) seen[given[i].entries[0] / 0x100 - 1]++;
            all += gifts;
            pages_end();
        }
        assert_int_equal(all, LOOPS);
        for (unsigned i = 0; i < LOOPS; i++) assert_int_equal(seen[i], 1);
    }
}

static void no_time(void **unused) {
    (void)unused;
    add_loop(0x100, HOT);
    assert_int_equal(decide(false), 1);
    forget_gifts();
    regions_compile(compiler, arena, 0, give, NULL);
    assert_int_equal(gifts, 0);
    assert_int_equal(make(false), 1);  // another time
    assert_int_equal(gifts, 1);
}

static void nothing(void **unused) {
    (void)unused;
    assert_int_equal(make(false), 0);
    of(&module_a);
    assert_int_equal(make(false), 0);
    regions_share(0, 2);
    compile_all();
    assert_int_equal(gifts, 0);
}

// ---- nonsense

static void what_cannot_be_lifted(void **unused) {
    (void)unused;
    BLOCK(0x100, HOT, UINT32_MAX);
    BLOCK(0x200, HOT, ADD, jump(-4), ADD);  // more than a block
    BLOCK(0x301, HOT, ADD, COUNT_A0, bnez(A0, -8));  // an odd place
    pages_add(of(&module_a), 0x400, (const uint8_t *)"\x13", 1);
    pages_mark(of(&module_a), 0x400, HOT);
    assert_int_equal(make(false), 0);
    add_loop(UINT32_MAX - 11, HOT);
    assert_int_equal(make(false), 1);
}

static void results_that_are_none(void **unused) {
    (void)unused;
    static struct channel_request request;
    struct channel_result result = {.outcome = CHANNEL_FAILED};
    forget_gifts();
    regions_give(&request, &result, arena, "", give, NULL);
    request.modules = 1;
    regions_give(&request, &result, arena, "", give, NULL);
    result.outcome = CHANNEL_MADE;  // of nothing
    regions_give(&request, &result, arena, "", give, NULL);
    assert_int_equal(gifts, 0);
}

static uint32_t some_word(uint64_t *state) {
    int by = (int)random_below(state, 256) * 2 - 256;
    switch (random_below(state, 10)) {
    case 0: return JUMP_A5;
    case 1: return RETURN;
    case 2: return beqz(A0, by);
    case 3: return bnez(A1, by);
    case 4: return jump(by);
    case 5: return CALL | jump(by);
    case 6: return random_below(state, 4) ? COUNT_A1 : (uint32_t)random_next(state);
    case 7: return STORE;
    case 8: return COUNT_A0;
    default: return ADD;
    }
}

// Blocks that may be whole, in 600 bytes at the end of a page.
static void add_some(uint64_t *state) {
    static uint8_t code[1024];
    enum { WORDS = 150, START = SHEET_PAGE - 4 * WORDS };
    static struct ir_block ir;
    for (unsigned i = 0; i < sizeof code; i += 4) memcpy(code + i, &(uint32_t){some_word(state)}, 4);
    for (unsigned i = 0; i < WORDS; i++) {
        unsigned at = i * 4 + (random_below(state, 20) ? 0 : random_below(state, 4));
        guest_lift_block(&guest_riscv64, code + at, sizeof code - at, START + at, 0, guest_riscv64.default_features, 20, &ir);
        unsigned size = random_below(state, 20) ? ir.bytes : random_below(state, 300);
        pages_add(of(&module_a), START + at, code + at, size);
        pages_mark(of(&module_a), START + at, (uint8_t)(random_below(state, 5) ? HOT : random_next(state)));
        for (unsigned n = random_below(state, 4); n > 0; n--) {
            uint32_t to = random_below(state, 3) ? START + random_below(state, WORDS) * 4 : (uint32_t)random_next(state);
            pages_lead(of(&module_a), START + at, to);
        }
    }
}

static void anything(void **unused) {
    (void)unused;
    uint64_t state = 7;
    unsigned decided = 0, made = 0;
    for (unsigned i = 0; i < ROUNDS_OF_NONSENSE; i++) {
        add_some(&state);
        decided += decide(i % 4 == 0);
        regions_share(0, 8);  // some are enough
        compile_all();
        made += gifts;
        pages_end();
    }
    assert_true(decided > ROUNDS_OF_NONSENSE / 4 && made > ROUNDS_OF_NONSENSE / 4);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin_started, finish)

static int set_up(void **unused) {
    (void)unused;
    const char *why = "no memory";
    void *mapped = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    arena = mapped;
    sheet_begin(&guest_riscv64, guest_riscv64.default_features);
    compiler =
        mapped == MAP_FAILED ? NULL : compile_begin(&guest_riscv64, guest_riscv64.default_features, arena, ARENA_BYTES, &why);
    if (!compiler) print_error("%s\n", why);
    return compiler ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_loop),
        TEST(the_same_bytes_again),
        TEST(a_loop_over_two_pages),
        TEST(only_what_is_warm),
        TEST(an_inner_loop_is_an_entry),
        TEST(an_inner_loop_that_is_not_hot),
        TEST(the_loop_of_a_function),
        TEST(the_small_loop_of_a_function),
        TEST(modules_are_apart),
        TEST(what_is_no_loop_is_plain),
        TEST(what_is_plain_stays_so),
        TEST(exactness_costs_too_much),
        TEST(what_the_store_has),
        TEST(leads_are_ways),
        TEST(without_leads_there_is_no_loop),
        TEST(too_many_leads_end_a_loop),
        TEST(leads_to_nowhere),
        TEST(leads_without_end),
        TEST(longest_first),
        TEST(shared_without_loss),
        TEST(no_time),
        TEST(nothing),
        TEST(what_cannot_be_lifted),
        TEST(results_that_are_none),
        TEST(anything),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
