// Pages of blocks (aot/sheets.h): what is added is in the store then, with what was there before; contradictions, what is nothing new, and what is too much.
#include "tests/cache/store_files.h"
#include "aot/pages.h"
#include "aot/sheets.h"
#include "cache/sheet_record.h"

enum { LINE = 16 };  // bytes of code between two returns

static const uint8_t line_of_code[LINE] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0x82, 0x80};  // c.nop, …, c.jr ra
static uint8_t code[64 * SHEET_PAGE];

static void fill_code(void) {
    for (size_t i = 0; i < sizeof code; i += LINE) memcpy(code + i, line_of_code, LINE);
}

static int prepare(void **unused) {
    if (begin_started(unused)) return 1;
    fill_code();
    sheet_begin(&guest_riscv64, guest_riscv64.default_features);
    return 0;
}

static int finish(void **unused) {
    pages_end();
    return end(unused);
}

static void add(const struct store_key *module, uint64_t at) {
    pages_add(pages_of(module, "program", 0), at, code + at, LINE - at % LINE);
}

// As another process would find things.
static void write_all(void) {
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    sheets_write(writer);
    writer_close(writer);
    pages_end();
    start_store();
}

static unsigned given;
static void count_given(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    (void)data, (void)module, (void)name, (void)record;
    given++;
}

static unsigned made(void) {
    given = 0;
    sheets_make(count_given, NULL);
    return given;
}

// The places of a page's blocks in the store, ended by -1; their bytes are as the code has them.
static void want_blocks(const struct store_key *module, uint32_t page, uint32_t mode, const int *places) {
    struct store_module *store = store_open(module);
    struct store_record record;
    struct sheet sheet;
    assert_non_null(store);
    assert_true(store_find(store, page, sheet_kind(mode, false), &record));
    assert_true(sheet_read(record.bytes, record.size, &sheet));
    assert_int_equal(sheet.page, page);
    unsigned count = 0;
    while (places[count] >= 0) count++;
    assert_int_equal(sheet.blocks, count);
    for (unsigned i = 0; i < count; i++) assert_int_equal(sheet.block[i].at, places[i]);
    assert_true(sheet_fits(&sheet, code + page + sheet.block[0].at));
    store_close(store);
}

#define WANT(module, page, ...) want_blocks(module, page, 0, (const int[]){__VA_ARGS__, -1})

// ---- what is kept

static void blocks_come_to_the_store(void **unused) {
    (void)unused;
    add(&module_a, 2 * SHEET_PAGE + 32);
    add(&module_a, 4);
    add(&module_a, 2 * SHEET_PAGE);
    add(&module_b, 6);
    add(&module_a, 4);
    write_all();
    WANT(&module_a, 0, 4);
    WANT(&module_a, 2 * SHEET_PAGE, 0, 32);
    WANT(&module_b, 0, 6);
}

static void modes_are_apart(void **unused) {
    (void)unused;
    pages_add(pages_of(&module_a, "program", 1), 16, code + 16, LINE);
    add(&module_a, 32);
    write_all();
    WANT(&module_a, 0, 32);
    want_blocks(&module_a, 0, 1, (const int[]){16, -1});
}

static void pages_grow(void **unused) {
    (void)unused;
    add(&module_a, 16);
    write_all();
    add(&module_a, 32);
    add(&module_a, 8);
    write_all();
    WANT(&module_a, 0, 8, 16, 32);
}

static void what_waits_for_the_writer_is_known(void **unused) {
    (void)unused;
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    add(&module_a, 16);
    sheets_write(writer);
    add(&module_a, 32);
    sheets_write(writer);
    writer_close(writer);
    start_store();
    WANT(&module_a, 0, 16, 32);
}

static void another_writer_is_heard(void **unused) {
    (void)unused;
    add(&module_a, 16);
    assert_int_equal(made(), 1);
    if (!fork()) {
        pages_end();
        add(&module_a, 48);
        write_all();
        _exit(0);
    }
    wait(NULL);
    start_store();
    add(&module_a, 32);
    write_all();
    WANT(&module_a, 0, 16, 32, 48);
}

static void a_block_reaches_into_the_next_page(void **unused) {
    (void)unused;
    uint64_t at = SHEET_PAGE - 2;
    memcpy(code + at, "\x13\0\0", 4);  // nop, as a block of its own
    pages_add(pages_of(&module_a, "program", 0), at, code + at, 4);
    write_all();
    WANT(&module_a, 0, SHEET_PAGE - 2);
    fill_code();
}

// ---- what is nothing new

static void the_same_is_not_written_again(void **unused) {
    (void)unused;
    add(&module_a, 16);
    add(&module_a, 32);
    add(&module_a, SHEET_PAGE);
    assert_int_equal(made(), 2);
    assert_int_equal(made(), 0);
    add(&module_a, 16);
    assert_int_equal(made(), 0);
    pages_end();
    add(&module_a, 16);
    add(&module_a, 32);
    write_all();
    add(&module_a, 32);
    assert_int_equal(made(), 0);
    add(&module_a, SHEET_PAGE);
    assert_int_equal(made(), 1);
}

static void what_cannot_be_lifted_is_nothing(void **unused) {
    (void)unused;
    static const uint8_t half[2] = {0x13, 0};
    pages_add(pages_of(&module_a, "program", 0), SHEET_PAGE, half, 2);
    assert_int_equal(made(), 0);
    add(&module_a, SHEET_PAGE + 16);
    pages_add(pages_of(&module_a, "program", 0), SHEET_PAGE, half, 2);
    write_all();
    WANT(&module_a, SHEET_PAGE, 16);
    pages_add(pages_of(&module_a, "program", 0), SHEET_PAGE, half, 2);
    assert_int_equal(made(), 0);
}

static void nonsense_is_nothing(void **unused) {
    (void)unused;
    pages_add(pages_of(&module_a, "program", 0), 0, code, 0);
    pages_add(pages_of(&module_a, "program", 0), 0, code, BLOCK_MAX_BYTES + 1);
    pages_add(pages_of(&module_a, "program", 0), UINT64_C(1) << 32, code, LINE);
    assert_int_equal(made(), 0);
}

// ---- contradictions

static void newer_bytes_win(void **unused) {
    (void)unused;
    add(&module_a, 16);
    add(&module_a, 32);
    write_all();
    code[20] = 5;  // another instruction
    add(&module_a, 18);
    write_all();
    WANT(&module_a, 0, 18);
    add(&module_a, 32);
    write_all();
    WANT(&module_a, 0, 18, 32);
    fill_code();
}

static void newer_bytes_win_among_new_ones(void **unused) {
    (void)unused;
    add(&module_a, 16);
    code[20] = 5;
    add(&module_a, 18);
    write_all();
    WANT(&module_a, 0, 18);
    fill_code();
}

static void longer_and_shorter_blocks(void **unused) {
    (void)unused;
    for (unsigned size = 8; size <= LINE; size += 4) {
        pages_add(pages_of(&module_a, "program", 0), 16, code + 16, size);
        assert_int_equal(made(), 1);
        assert_int_equal(made(), 0);
    }
    pages_add(pages_of(&module_a, "program", 0), 16, code + 16, 8);
    assert_int_equal(made(), 1);
}

// ---- what is too much

static void a_page_that_is_too_big_keeps_what_is_new(void **unused) {
    (void)unused;
    uint8_t loads[SHEET_PAGE + BLOCK_MAX_BYTES];
    for (size_t i = 0; i < sizeof loads; i += 2) memcpy(loads + i, "\0\x60", 2);  // c.ld s0, 0(s0)
    add(&module_a, 3 * SHEET_PAGE);
    for (unsigned at = 0; at < SHEET_PAGE - 128; at += 2) pages_add(pages_of(&module_a, "program", 0), at, loads + at, 128);
    write_all();
    pages_add(pages_of(&module_a, "program", 0), 2, loads + 2, 100);
    write_all();
    WANT(&module_a, 3 * SHEET_PAGE, 0);
    struct store_module *store = store_open(&module_a);
    struct store_record record;
    struct sheet sheet;
    assert_true(store_find(store, 0, sheet_kind(0, false), &record));
    assert_true(sheet_read(record.bytes, record.size, &sheet));
    int number = sheet_block_at(&sheet, 2);
    assert_true(number >= 0 && sheet.block[number].bytes == 100);
    assert_true(sheet.blocks > 30);
    store_close(store);
}

static void many(void **unused) {
    (void)unused;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned module = 1; module < 8; module++) {
            struct store_key key = {{(uint8_t)module}};
            for (uint64_t at = pass * 8; at < sizeof code; at += LINE) add(&key, at);
        }
        write_all();
    }
    struct store_key key = {{3}};
    int places[SHEET_PAGE / 8 + 1];
    for (int i = 0; i < SHEET_PAGE / 8; i++) places[i] = 8 * i;
    places[SHEET_PAGE / 8] = -1;
    want_blocks(&key, 63 * SHEET_PAGE, 0, places);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, prepare, finish)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(blocks_come_to_the_store),
        TEST(modes_are_apart),
        TEST(pages_grow),
        TEST(what_waits_for_the_writer_is_known),
        TEST(another_writer_is_heard),
        TEST(a_block_reaches_into_the_next_page),
        TEST(the_same_is_not_written_again),
        TEST(what_cannot_be_lifted_is_nothing),
        TEST(nonsense_is_nothing),
        TEST(newer_bytes_win),
        TEST(newer_bytes_win_among_new_ones),
        TEST(longer_and_shorter_blocks),
        TEST(a_page_that_is_too_big_keeps_what_is_new),
        TEST(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
