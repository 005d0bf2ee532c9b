// Records of sheets: what was written is read again, and filled for any module; a record that was cut or changed is refused, or leads nowhere outside.
#include "tests/tools/cmocka.h"
#include "tests/tools/random.h"
#include "cache/record.h"
#include "tests/cache/sheet_example.h"

enum { BLOCKS = sizeof example_blocks / sizeof *example_blocks, HEADER_WORDS = 12 };

static struct sheet made;
static size_t size;
static uint8_t right[SHEET_RECORD_MAX_BYTES];  // the example's record

static int prepare(void **state) {
    (void)state;
    example_begin();
    size = example_write(&made);
    memcpy(right, example_written, size);
    return 0;
}

static void round_trip(void **state) {
    (void)state;
    struct sheet read;
    if (!size) skip();
    assert_int_equal(size % 8, 0);
    assert_true(sheet_read(example_written, size, &read));
    assert_int_equal(read.page, EXAMPLE_PAGE);
    assert_int_equal(read.instructions, made.instructions);
    assert_int_equal(read.blocks, BLOCKS);
    assert_int_equal(read.accesses, made.accesses);
    assert_int_equal(read.guest_bytes, 0xff0);
    assert_int_equal(read.image.bytes, made.image.bytes);
    assert_int_equal(read.image.holes, made.image.holes);
    assert_int_equal(read.image.holes_at, made.image.holes_at);
    assert_int_equal(read.image.exits, made.image.exits);
    assert_int_equal(read.image.exits_at, made.image.exits_at);
    assert_memory_equal(read.block, made.block, made.blocks * sizeof *made.block);
    assert_memory_equal(read.access, made.access, made.accesses * sizeof *made.access);
    assert_memory_equal(read.owed, made.owed, made.oweds * sizeof *made.owed);
    assert_memory_equal(read.count, made.count, made.counts * sizeof *made.count);
    assert_memory_equal(read.exit, made.exit, made.image.exits * sizeof *made.exit);
    assert_memory_equal(read.hole, made.hole, made.image.holes * sizeof *made.hole);
    assert_memory_equal(read.guest, made.guest, made.guest_bytes);
    assert_memory_equal(read.code, made.code, made.image.bytes);
    assert_int_equal(sheet_write(example_written, &read), size);
    assert_memory_equal(example_written, right, size);
}

static void what_the_example_has(void **state) {
    (void)state;
    if (!size) skip();
    for (unsigned i = 0; i < BLOCKS; i++) {
        assert_int_equal(made.block[i].at, example_blocks[i].at);
        assert_int_equal(made.block[i].bytes, 4 * example_blocks[i].count);
        assert_int_equal(made.block[i].plain, example_blocks[i].plain);
    }
    assert_true(made.block[0].start != SHEET_NO_START);  // a loop
    assert_true(made.block[3].start == SHEET_NO_START);  // one that nothing better is wanted for
    assert_int_equal(made.accesses, 5);  // the atomic one is a C body's
    for (unsigned i = 1; i < made.accesses; i++) assert_true(made.access[i].at > made.access[i - 1].at);
    assert_int_equal(made.access[0].place, 0x10);
    assert_int_equal(made.access[0].imm, 4);
    assert_int_equal(made.access[0].base, 10);
    assert_false(made.access[0].writes);
    assert_true(made.image.exits >= 2);
    assert_int_equal(made.counts, 1);  // the other loop is plain
    assert_int_equal(made.count[0].block, 0);
    assert_int_equal(made.oweds, 2);
    assert_int_equal(made.access[made.accesses - 1].owed, 1);
    unsigned owes = 0;
    for (unsigned i = 0; i < QUICK_OWING; i++) owes += made.owed[1][i] == 22;
    assert_int_equal(owes, 1);
}

// Guest addresses move with the module; nothing else does.
static void filled_for_any_module(void **state) {
    (void)state;
    enum { BY = 0x7654000 };
    struct sheet read;
    const uint8_t **word;
    if (!size) skip();
    assert_true(sheet_read(example_written, size, &read));
    const uint8_t *code = example_fill(&read, EXAMPLE_MODULE, &word);
    assert_non_null(code);
    assert_null(example_bad_code(&read, code, word));
    uint8_t *first = malloc(read.image.bytes);
    assert_non_null(first);
    memcpy(first, code, read.image.bytes);
    assert_non_null(example_fill(&read, EXAMPLE_MODULE + BY, &word));
    assert_memory_equal(first, code, read.image.holes_at);
    unsigned moved = 0;
    for (uint32_t i = 0; i < read.image.holes; i++) {
        uint64_t before, now;
        memcpy(&before, first + read.image.holes_at + 8 * i, 8);
        memcpy(&now, code + read.image.holes_at + 8 * i, 8);
        bool is_pc = read.hole[i] % 32 == IMAGE_PC;
        assert_true(now - before == (is_pc ? BY : 0));
        moved += is_pc;
    }
    assert_true(moved > 0);
    free(first);
}

static void set_hole(uint8_t *record, unsigned kind, uint64_t value) {
    uint64_t word = value << 5 | kind;
    memcpy(record + HEADER_WORDS * sizeof(uint32_t), &word, sizeof word);
}

static enum example_outcome outcome_with(unsigned kind, uint64_t value) {
    enum example_outcome outcome;
    memcpy(example_written, right, size);
    set_hole(example_written, kind, value);
    assert_null(example_look(example_written, size, &outcome));
    return outcome;
}

static void holes_that_lead_nowhere(void **state) {
    (void)state;
    if (!size) skip();
    assert_int_equal(outcome_with(IMAGE_TARGET, 0), EXAMPLE_READ);
    assert_int_equal(outcome_with(IMAGE_TARGET, UINT64_MAX), EXAMPLE_READ);
    assert_int_equal(outcome_with(IMAGE_BODY, UOP_COUNT_OF_CODES - 1), EXAMPLE_FILLED);
    assert_int_equal(outcome_with(IMAGE_BODY, UOP_COUNT_OF_CODES), EXAMPLE_READ);
    assert_int_equal(outcome_with(IMAGE_HOLE_KINDS, 0), EXAMPLE_READ);
    assert_int_equal(outcome_with(UINT8_MAX, 0), EXAMPLE_READ);
    assert_int_equal(outcome_with(IMAGE_PC, UINT64_MAX), EXAMPLE_FILLED);
    memcpy(example_written, right, size);
}

// Whether a sheet like the example, with this about it, is read.
static bool is_read(const struct sheet *sheet) {
    struct sheet read;
    size_t written = sheet_write(example_written, sheet);
    assert_true(written > 0);
    return sheet_read(example_written, written, &read);
}

static bool is_read_with_block(struct sheet_block block) {
    struct sheet_block all[BLOCKS];
    struct sheet sheet = made;
    memcpy(all, made.block, sizeof all);
    all[BLOCKS - 1] = block;
    sheet.block = all;
    return is_read(&sheet);
}

static bool is_read_with_site(uint32_t site) {
    struct sheet_exit all[EXAMPLE_MAX_EXITS];
    struct sheet sheet = made;
    memcpy(all, made.exit, made.image.exits * sizeof *all);
    all[made.image.exits - 1].site = site;
    sheet.exit = all;
    return is_read(&sheet);
}

static bool is_read_with_count(uint32_t at, uint32_t block) {
    const struct sheet_count count = {.at = at & SHEET_NO_START, .block = block & 0xfff};
    struct sheet sheet = made;
    sheet.count = &count;
    sheet.counts = 1;
    return is_read(&sheet);
}

static bool is_read_with_exits_at(uint32_t at) {
    struct sheet sheet = made;
    sheet.image.exits_at = at;
    return is_read(&sheet);
}

static bool is_read_with_guest(uint32_t bytes) {
    static const uint8_t guest[SHEET_MAX_GUEST + 1];
    struct sheet sheet = made;
    sheet.guest = guest;
    sheet.guest_bytes = bytes;
    return is_read(&sheet);
}

static bool is_read_with_code(uint32_t bytes) {
    static const uint8_t code[IMAGE_MAX_BYTES + 1];
    struct sheet sheet = made;
    sheet.code = code;
    sheet.image.bytes = bytes;
    return is_read(&sheet);
}

static bool is_read_with_holes(uint32_t holes) {
    static const uint64_t hole[IMAGE_MAX_HOLES + 1];
    struct sheet sheet = made;
    sheet.hole = hole;
    sheet.image.holes = holes;
    return is_read(&sheet);
}

static bool is_read_with_blocks(uint32_t blocks) {
    static struct sheet_block all[SHEET_MAX_BLOCKS + 1];
    static const uint8_t guest[SHEET_MAX_GUEST];
    struct sheet sheet = made;
    for (uint32_t i = 0; i < blocks; i++) all[i] = (struct sheet_block){.at = i & 0xfff, .bytes = 1, .start = SHEET_NO_START};
    sheet.block = all;
    sheet.blocks = blocks;
    sheet.guest = guest;
    sheet.guest_bytes = SHEET_MAX_GUEST;
    return is_read(&sheet);
}

static void what_is_just_inside(void **state) {
    (void)state;
    struct sheet read;
    if (!size) skip();
    const uint32_t bytes = made.image.bytes;
    const struct sheet_block last = made.block[BLOCKS - 1];
    struct sheet_block block = last;
    for (block.start = bytes - QUICK_SWITCH_BYTES - 1; block.start <= bytes; block.start++)
        assert_int_equal(is_read_with_block(block), (uint32_t)block.start + QUICK_SWITCH_BYTES <= bytes);
    block = last;
    for (block.entry = bytes - 2; block.entry <= bytes; block.entry++)
        assert_int_equal(is_read_with_block(block), block.entry < bytes);
    block = last;
    for (block.bytes = 0; block.bytes <= last.bytes + 1u; block.bytes++)
        assert_int_equal(is_read_with_block(block), block.bytes && block.bytes <= last.bytes);
    for (uint32_t site = bytes - 6; site <= bytes; site++) assert_int_equal(is_read_with_site(site), site + 4 <= bytes);
    for (uint32_t at = bytes - 6; at <= bytes; at++) assert_int_equal(is_read_with_count(at, 0), at + 4 <= bytes);
    assert_true(is_read_with_count(0, BLOCKS - 1) && !is_read_with_count(0, BLOCKS));
    const uint32_t room = made.image.exits * SHEET_EXIT_BYTES;
    assert_true(is_read_with_exits_at(bytes - room) && !is_read_with_exits_at(bytes - room + 1));
    assert_false(is_read_with_exits_at(bytes + 1));
    assert_true(is_read_with_guest(made.guest_bytes) && is_read_with_guest(SHEET_MAX_GUEST));
    assert_false(is_read_with_guest(made.guest_bytes - 1) || is_read_with_guest(SHEET_MAX_GUEST + 1));
    assert_true(is_read_with_code(IMAGE_MAX_BYTES) && !is_read_with_code(IMAGE_MAX_BYTES + 1));
    assert_true(is_read_with_holes(IMAGE_MAX_HOLES) && !is_read_with_holes(IMAGE_MAX_HOLES + 1));
    assert_true(is_read_with_blocks(SHEET_MAX_BLOCKS) && !is_read_with_blocks(SHEET_MAX_BLOCKS + 1) && !is_read_with_blocks(0));
    memcpy(example_written, right, size);
    memset(example_written + size, 0, 8);
    assert_false(sheet_read(example_written, size + 8, &read));  // more behind it
}

static void cut_anywhere(void **state) {
    (void)state;
    if (!size) skip();
    const size_t whole = HEADER_WORDS * sizeof(uint32_t) + made.image.holes * sizeof *made.hole +
                         made.image.exits * sizeof *made.exit + made.blocks * sizeof *made.block +
                         made.accesses * sizeof *made.access + made.oweds * sizeof *made.owed + made.counts * sizeof *made.count +
                         made.guest_bytes + made.image.bytes;
    for (size_t left = 0; left <= size; left++) {
        enum example_outcome outcome;
        assert_null(example_look(right, left, &outcome));
        assert_int_equal(outcome, left < whole ? EXAMPLE_REFUSED : EXAMPLE_FILLED);  // only zeros are behind
    }
    struct sheet read;
    memmove(example_written + 4, right, size);
    assert_false(sheet_read(example_written + 4, size, &read));  // not aligned
    memcpy(example_written, right, size);
}

static uint64_t seed = 1;

static void want_all_three(const unsigned count[3]) {
    assert_true(count[EXAMPLE_REFUSED] > 100);
    assert_true(count[EXAMPLE_READ] > 100);
    assert_true(count[EXAMPLE_FILLED] > 100);
}

// Up to four bytes of the tables, the code, or all.
static void changed_bytes(void **state) {
    (void)state;
    unsigned count[3] = {0};
    if (!size) skip();
    for (unsigned n = 0; n < 20000; n++) {
        enum example_outcome outcome;
        uint32_t part = n % 3 == 0 ? HEADER_WORDS * 4 : n % 3 == 1 ? 600 : (uint32_t)size;
        memcpy(example_written, right, size);
        for (unsigned i = 0; i < 1 + n % 4; i++)
            example_written[random_below(&seed, part)] ^= (uint8_t)(1 << random_below(&seed, 8));
        assert_null(example_look(example_written, size, &outcome));
        count[outcome]++;
    }
    want_all_three(count);
    memcpy(example_written, right, size);
}

// The header's numbers, changed to what is at some border or anything.
static void changed_sizes(void **state) {
    (void)state;
    static const uint32_t borders[] = {0,
                                       1,
                                       2,
                                       SHEET_PAGE,
                                       SHEET_MAX_BLOCKS,
                                       SHEET_MAX_BLOCKS + 1,
                                       SHEET_MAX_GUEST,
                                       SHEET_MAX_GUEST + 1,
                                       IMAGE_MAX_BYTES,
                                       IMAGE_MAX_BYTES + 1,
                                       IMAGE_MAX_HOLES,
                                       IMAGE_MAX_HOLES + 1,
                                       INT32_MAX,
                                       UINT32_MAX - 7,
                                       UINT32_MAX};
    enum { BORDERS = sizeof borders / sizeof *borders };
    unsigned count[3] = {0};
    if (!size) skip();
    for (unsigned n = 0; n < 20000; n++) {
        enum example_outcome outcome;
        memcpy(example_written, right, size);
        for (unsigned i = 0; i < 1 + n % 3; i++) {
            uint32_t at = random_below(&seed, HEADER_WORDS) * 4, value;
            memcpy(&value, right + at, sizeof value);
            value = n % 2 ? borders[random_below(&seed, BORDERS)] : value + random_below(&seed, 33) - 16;
            memcpy(example_written + at, &value, sizeof value);
        }
        assert_null(example_look(example_written, n % 5 ? size : random_below(&seed, (uint32_t)size + 1), &outcome));
        count[outcome]++;
    }
    want_all_three(count);
    memcpy(example_written, right, size);
}

static void noise(void **state) {
    (void)state;
    static uint8_t bytes[4096];
    for (unsigned n = 0; n < 5000; n++) {
        enum example_outcome outcome;
        uint32_t left = random_below(&seed, sizeof bytes);
        for (uint32_t i = 0; i < left; i++) bytes[i] = (uint8_t)(n % 3 == 0 ? 0 : n % 3 == 1 ? 0xff : random_below(&seed, 256));
        for (uint32_t i = 0; i < left && i < 40; i += 4) bytes[i] = (uint8_t)random_below(&seed, 4);
        assert_null(example_look(bytes, left, &outcome));
    }
}

static void what_is_too_big_is_not_written(void **state) {
    (void)state;
    struct sheet big = made;
    if (!size) skip();
    big.accesses = SHEET_RECORD_MAX_BYTES / sizeof *big.access;
    assert_int_equal(sheet_write(example_written, &big), 0);
    memcpy(example_written, right, size);
}

static void kinds(void **state) {
    (void)state;
    assert_true(sheet_kind(0, false) != sheet_kind(MODE_COUNT, false) && sheet_kind(0, false) != sheet_kind(0, true));
    for (uint32_t mode = 0; mode < 8; mode++)
        assert_true(sheet_kind(0, false) != record_kind(mode, false) && sheet_kind(0, false) != record_kind(mode, true));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip),
                                       cmocka_unit_test(what_the_example_has),
                                       cmocka_unit_test(filled_for_any_module),
                                       cmocka_unit_test(holes_that_lead_nowhere),
                                       cmocka_unit_test(what_is_just_inside),
                                       cmocka_unit_test(cut_anywhere),
                                       cmocka_unit_test(changed_bytes),
                                       cmocka_unit_test(changed_sizes),
                                       cmocka_unit_test(noise),
                                       cmocka_unit_test(what_is_too_big_is_not_written),
                                       cmocka_unit_test(kinds)};
    return cmocka_run_group_tests(tests, prepare, NULL);
}
