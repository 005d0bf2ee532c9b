// Profiles (aot/profile.h): what runs found out is read again, with what earlier ones did; records that are nonsense are refused, or say something that could be.
#include "tests/cache/store_files.h"
#include "tests/aot/profile_look.h"

enum { LINE = 16, HEADER = 12, BLOCK = 8, LEAD = 8, MUTATIONS = 3000 };
static const char file_of_profile[] = "profile/0a030000000000000000000000000000.db";

static const uint8_t code[BLOCK_MAX_BYTES];
static struct profile profile;
static unsigned given;

static int finish(void **unused) {
    pages_end();
    return end(unused);
}

static struct pages *of(const struct store_key *module, uint32_t mode) {
    return pages_of(module, "program", mode);
}

static void add(uint64_t at, uint8_t marks) {
    pages_add(of(&module_a, 0), at, code, LINE);
    pages_mark(of(&module_a, 0), at, marks);
}

static void give(void *writer, const struct store_key *module, const char *name, const struct writer_record *record) {
    given++;
    if (writer) assert_true(writer_add_profile(writer, module, name, record));
}

// As another process would find things. How many records there were.
static unsigned write_all(void) {
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    given = 0;
    profile_make(give, writer);
    writer_close(writer);
    pages_end();
    start_store();
    return given;
}

static bool find(const struct store_key *module, uint32_t page, uint32_t mode) {
    struct store_record record;
    struct store_module *store = store_open_profile(module);
    bool found = store && store_find(store, page, profile_kind(mode), &record);
    if (found) assert_true(profile_read(record.bytes, record.size, &profile));
    if (store) store_close(store);
    return found;
}

static unsigned count_blocks(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < SHEET_PAGE; i++) count += profile.size[i] != 0;
    return count;
}

static void want_block(unsigned at, unsigned size, unsigned marks) {
    assert_int_equal(profile.size[at], size);
    assert_int_equal(profile.marks[at], marks);
}

static bool leads(unsigned at, uint32_t target) {
    return look_has_lead(&profile, &(struct lead){target, (uint16_t)at});
}

// ---- what is kept

static void read_again(void **unused) {
    (void)unused;
    add(2, CHANNEL_WARM);
    add(SHEET_PAGE - 2, CHANNEL_WARM | CHANNEL_HOT | CHANNEL_LONG);
    add(5 * SHEET_PAGE, 0);
    pages_lead(of(&module_a, 0), 2, 0xfffffffe);
    pages_lead(of(&module_a, 0), 2, 40);
    pages_add(of(&module_b, 0), 0, code, BLOCK_MAX_BYTES);
    assert_int_equal(write_all(), 3);
    assert_true(find(&module_a, 0, 0));
    assert_int_equal(count_blocks(), 2);
    want_block(2, LINE, CHANNEL_WARM);
    want_block(SHEET_PAGE - 2, LINE, CHANNEL_WARM | CHANNEL_HOT | CHANNEL_LONG);
    assert_int_equal(profile.leads, 2);
    assert_true(leads(2, 0xfffffffe) && leads(2, 40));
    assert_false(find(&module_a, SHEET_PAGE, 0));
    assert_true(find(&module_a, 5 * SHEET_PAGE, 0));
    want_block(0, LINE, 0);
    assert_true(find(&module_b, 0, 0));
    want_block(0, BLOCK_MAX_BYTES, 0);
}

static void outlives_code(void **unused) {
    (void)unused;
    add(2, CHANNEL_HOT);
    write_all();
    assert_int_equal(access(below(file_of_profile), R_OK), 0);
    store_start(&(struct store_settings){.directory = root, .system = ""}, &build_b);
    assert_true(find(&module_a, 0, 0));
}

static void earlier_ones_stay(void **unused) {
    (void)unused;
    add(0, CHANNEL_WARM);
    add(32, CHANNEL_HOT);
    pages_lead(of(&module_a, 0), 32, 100);
    write_all();
    add(0, CHANNEL_PLAIN);
    add(64, CHANNEL_WARM);
    add(32, 0);
    pages_lead(of(&module_a, 0), 32, 200);
    pages_lead(of(&module_a, 0), 32, 100);
    assert_int_equal(write_all(), 1);
    assert_true(find(&module_a, 0, 0));
    assert_int_equal(count_blocks(), 3);
    want_block(0, LINE, CHANNEL_WARM | CHANNEL_PLAIN);
    want_block(32, LINE, CHANNEL_HOT);
    want_block(64, LINE, CHANNEL_WARM);
    assert_int_equal(profile.leads, 2);
    assert_true(leads(32, 100) && leads(32, 200));
}

static void newer_sizes_win(void **unused) {
    (void)unused;
    add(0, CHANNEL_WARM);
    write_all();
    pages_add(of(&module_a, 0), 0, code, 4);
    write_all();
    assert_true(find(&module_a, 0, 0));
    want_block(0, 4, CHANNEL_WARM);
}

static void no_news(void **unused) {
    (void)unused;
    add(0, CHANNEL_WARM);
    add(32, CHANNEL_HOT);
    pages_lead(of(&module_a, 0), 32, 100);
    given = 0;
    profile_make(give, NULL);
    assert_int_equal(given, 1);
    profile_make(give, NULL);
    assert_int_equal(given, 1);
    pages_mark(of(&module_a, 0), 0, CHANNEL_WARM);
    pages_lead(of(&module_a, 0), 32, 100);
    profile_make(give, NULL);
    assert_int_equal(given, 1);
    pages_mark(of(&module_a, 0), 0, CHANNEL_HOT);
    assert_int_equal(write_all(), 1);
    add(32, CHANNEL_HOT);  // part of what is there
    add(0, 0);
    pages_lead(of(&module_a, 0), 32, 100);
    assert_int_equal(write_all(), 0);
    add(0, CHANNEL_LONG);
    assert_int_equal(write_all(), 1);
}

static void counting_or_not(void **unused) {
    (void)unused;
    pages_add(of(&module_a, MODE_COUNT), 0, code, LINE);
    pages_mark(of(&module_a, MODE_COUNT), 0, CHANNEL_HOT);
    assert_int_equal(write_all(), 1);
    add(0, CHANNEL_WARM);
    add(32, 0);
    assert_int_equal(write_all(), 1);
    assert_true(find(&module_a, 0, MODE_COUNT) && find(&module_a, 0, 0));
    want_block(0, LINE, CHANNEL_HOT | CHANNEL_WARM);
    want_block(32, LINE, 0);
    pages_add(of(&module_a, MODE_COUNT), 32, code, LINE);
    assert_int_equal(write_all(), 0);
    pages_add(of(&module_a, 2), 48, code, LINE);  // that is another one
    assert_int_equal(write_all(), 1);
    assert_true(find(&module_a, 0, 2));
    assert_int_equal(count_blocks(), 1);
}

static void nothing_is_known_of_no_block(void **unused) {
    (void)unused;
    struct pages *pages = of(&module_a, 0);
    pages_mark(pages, 0, CHANNEL_HOT);
    pages_lead(pages, 0, 8);
    pages_mark(pages, UINT64_MAX, CHANNEL_HOT);
    pages_lead(pages, UINT64_MAX, 8);
    pages_add(pages, 0, code, BLOCK_MAX_BYTES + 1);
    pages_add(pages, UINT64_C(1) << 32, code, LINE);
    assert_int_equal(write_all(), 0);
}

static void other_bytes_are_another_page(void **unused) {
    (void)unused;
    static const uint8_t other[LINE] = {1};
    add(0, CHANNEL_HOT);
    pages_lead(of(&module_a, 0), 0, 8);
    pages_add(of(&module_a, 0), 0, other, LINE);
    write_all();
    assert_true(find(&module_a, 0, 0));
    want_block(0, LINE, 0);
    assert_int_equal(profile.leads, 0);
}

static void as_many_as_there_may_be(void **unused) {
    (void)unused;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned at = 0; at < SHEET_PAGE; at += 2) {
            pages_add(of(&module_a, 0), at, code, 4);
            pages_lead(of(&module_a, 0), at, 2 * at + pass);
            pages_lead(of(&module_a, 0), at, 2 * at + 2 + pass);
        }
        write_all();
    }
    assert_true(find(&module_a, 0, 0));
    assert_int_equal(count_blocks(), SHEET_PAGE / 2);
    assert_int_equal(profile.leads, PAGES_MOST_LEADS);
    assert_true(leads(0, 0) && !leads(0, 1));  // those that were there first
}

// ---- nonsense

static uint8_t right[HEADER + 2 * BLOCK + 2 * LEAD];

static void put16(size_t at, unsigned value) {
    memcpy(right + at, &(uint16_t){(uint16_t)value}, sizeof(uint16_t));
}

static void put32(size_t at, uint32_t value) {
    memcpy(right + at, &value, sizeof value);
}

// As aot/profile.c has it.
static void make_right(void) {
    memset(right, 0, sizeof right);
    put32(0, 1);
    put32(4, 2);
    put32(8, 2);
    put16(HEADER, 8);
    put16(HEADER + 2, LINE);
    put16(HEADER + 4, CHANNEL_HOT);
    put16(HEADER + BLOCK, SHEET_PAGE - 2);
    put16(HEADER + BLOCK + 2, BLOCK_MAX_BYTES);
    put32(HEADER + 2 * BLOCK, 1234);
    put16(HEADER + 2 * BLOCK + 4, 8);
    put32(HEADER + 2 * BLOCK + LEAD, 0xffffffff);
    put16(HEADER + 2 * BLOCK + LEAD + 4, SHEET_PAGE - 2);
}

// Whether it is read. Nothing may be wrong then.
static bool is_read(const uint8_t *bytes, size_t size) {
    bool read;
    const char *wrong = look(bytes, size, &read);
    if (wrong) fail_msg("%s", wrong);
    return read;
}

static void as_it_is_written_down(void **unused) {
    (void)unused;
    make_right();
    assert_true(is_read(right, sizeof right));
    assert_true(profile_read(right, sizeof right, &profile));
    want_block(8, LINE, CHANNEL_HOT);
    want_block(SHEET_PAGE - 2, BLOCK_MAX_BYTES, 0);
    assert_int_equal(profile.leads, 2);
    assert_true(leads(8, 1234) && leads(SHEET_PAGE - 2, 0xffffffff));
}

static void of_another_size(void **unused) {
    (void)unused;
    uint8_t longer[sizeof right + BLOCK] = {0};
    make_right();
    memcpy(longer, right, sizeof right);
    for (size_t size = 0; size <= sizeof longer; size++) assert_int_equal(is_read(longer, size), size == sizeof right);
}

static void too_many(void **unused) {
    (void)unused;
    static const uint32_t many[] = {3, SHEET_PAGE + 1, PAGES_MOST_LEADS + 1, 0x20000002, 0x80000002, UINT32_MAX};
    for (unsigned i = 0; i < sizeof many / sizeof *many; i++) {
        for (unsigned at = 0; at < HEADER; at += 4) {
            make_right();
            put32(at, many[i]);
            assert_false(is_read(right, sizeof right));
        }
    }
    make_right();  // as many bytes as before
    put32(4, 3);
    put32(8, 1);
    put16(HEADER + 2 * BLOCK + 2, BLOCK_MAX_BYTES + 1);
    assert_false(is_read(right, sizeof right));
}

static void refused(size_t at, unsigned value) {
    make_right();
    put16(at, value);
    assert_false(is_read(right, sizeof right));
}

static void outside(void **unused) {
    (void)unused;
    refused(HEADER, SHEET_PAGE);
    refused(HEADER, UINT16_MAX);
    refused(HEADER + 2, BLOCK_MAX_BYTES + 1);
    refused(HEADER + 2, UINT16_MAX);
    refused(HEADER + 2, 0);
    refused(HEADER + 2 * BLOCK + 4, SHEET_PAGE);
    refused(HEADER + 2 * BLOCK + LEAD + 4, UINT16_MAX);
}

static void mutations(void **unused) {
    (void)unused;
    uint64_t state = 20;
    unsigned taken = 0;
    for (unsigned i = 0; i < MUTATIONS; i++) {
        make_right();
        for (unsigned n = 1 + random_below(&state, 4); n > 0; n--) {
            uint8_t *byte = &right[random_below(&state, sizeof right)];
            *byte = random_below(&state, 2) ? (uint8_t)random_next(&state) : (uint8_t)(*byte ^ 1 << random_below(&state, 8));
        }
        taken += is_read(right, random_below(&state, 8) ? sizeof right : random_below(&state, sizeof right));
    }
    assert_true(taken > MUTATIONS / 20 && taken < MUTATIONS * 19 / 20);
}

// One that another program put there is replaced.
static void nonsense_in_the_store(void **unused) {
    (void)unused;
    static const uint32_t page = 0;
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    make_right();
    put16(HEADER, SHEET_PAGE);
    const struct writer_record record = {
        .kind = profile_kind(0), .count = 1, .entries = &page, .bytes = right, .size = sizeof right};
    assert_true(writer_add_profile(writer, &module_a, "program", &record));
    writer_close(writer);
    start_store();
    add(32, CHANNEL_HOT);
    assert_int_equal(write_all(), 1);
    assert_true(find(&module_a, 0, 0));
    assert_int_equal(count_blocks(), 1);
    want_block(32, LINE, CHANNEL_HOT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin_started, finish)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(read_again),
        TEST(outlives_code),
        TEST(earlier_ones_stay),
        TEST(newer_sizes_win),
        TEST(no_news),
        TEST(counting_or_not),
        TEST(nothing_is_known_of_no_block),
        TEST(other_bytes_are_another_page),
        TEST(as_many_as_there_may_be),
        TEST(as_it_is_written_down),
        TEST(of_another_size),
        TEST(too_many),
        TEST(outside),
        TEST(mutations),
        TEST(nonsense_in_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
