// Which loads are joined, and across what (translator/ir/pieces.h).
#include "translator/ir/pieces.h"
#include "tests/tools/cmocka.h"

enum { BASE = 10, OTHER = 11, RESULT = 12 };

// Wholes, as found.
static struct {
    unsigned parts, bytes, earliest, first;
} whole[8];
static unsigned wholes;
static struct pieces pieces;
static unsigned at;

static bool note(void *user, const struct piece *const *part, unsigned parts, unsigned bytes, unsigned earliest) {
    (void)user;
    whole[wholes].parts = parts;
    whole[wholes].bytes = bytes;
    whole[wholes].earliest = earliest;
    whole[wholes++].first = part[0]->at;
    return true;
}

static void begin(unsigned least_bytes) {
    pieces = (struct pieces){.join = note, .least_bytes = least_bytes};
    at = wholes = 0;
}

static void load(unsigned base, unsigned bytes, int64_t imm) {
    const struct uop u = {.a = RESULT, .b = (uint8_t)base, .imm = imm};
    pieces_add(&pieces, at++, UOP_FORMAT_LOAD, &u, bytes);
}

static void other(unsigned code, unsigned a) {
    const struct uop u = {.code = (uint16_t)code, .a = (uint8_t)a, .b = OTHER, .c = OTHER};
    pieces_add(&pieces, at++, uop_info[code].format, &u, 0);
}

static void bytes_in_any_order(void **state) {
    (void)state;
    begin(4);
    static const int8_t order[] = {3, 7, -1, 0, 2, 1, 6, 5, 4};
    for (unsigned i = 0; i < sizeof order; i++) load(BASE, 1, order[i]);
    pieces_close(&pieces);
    assert_int_equal(wholes, 1);  // from -1 on, which was loaded before 0
    assert_int_equal(whole[0].bytes, 8);
    assert_int_equal(whole[0].parts, 8);
    assert_int_equal(whole[0].first, 2);
    assert_int_equal(whole[0].earliest, 0);
}

static void pieces_of_different_sizes(void **state) {
    (void)state;
    begin(2);
    load(BASE, 4, 100), load(BASE, 1, 104), load(BASE, 1, 105), load(BASE, 2, 106);
    load(BASE, 1, 200), load(BASE, 1, 201);
    load(BASE, 4, 300), load(OTHER, 4, 304);
    pieces_close(&pieces);
    assert_int_equal(wholes, 2);
    assert_int_equal(whole[0].bytes, 8);
    assert_int_equal(whole[0].parts, 4);
    assert_int_equal(whole[1].bytes, 2);
    assert_int_equal(whole[1].first, 4);
}

static unsigned joined_across(unsigned code, unsigned a) {
    begin(2);
    load(BASE, 1, 0);
    other(code, a);
    load(BASE, 1, 1);
    pieces_close(&pieces);
    return wholes;
}

static void what_they_are_joined_across(void **state) {
    (void)state;
    assert_int_equal(joined_across(UOP_add, OTHER), 1);
    assert_int_equal(joined_across(UOP_add, BASE), 0);
    assert_int_equal(joined_across(UOP_li, BASE), 0);
    assert_int_equal(joined_across(UOP_ld64, OTHER), 1);
    assert_int_equal(joined_across(UOP_ld64, BASE), 0);
    assert_int_equal(joined_across(UOP_st8, OTHER), 0);
    assert_int_equal(joined_across(UOP_fence, 0), 0);
    assert_int_equal(joined_across(UOP_fencelight, 0), 0);
    assert_int_equal(joined_across(UOP_beq, 0), 0);
    assert_int_equal(joined_across(UOP_lr32, OTHER), 0);
}

static void more_than_the_window(void **state) {
    (void)state;
    begin(2);
    load(BASE, 1, 0);
    for (int64_t i = 1; i < 4 * PIECES_WINDOW; i++) load(BASE, 1, 16 * i);
    load(BASE, 1, 1);
    load(BASE, 1, 2);
    pieces_close(&pieces);
    assert_int_equal(wholes, 1);
    assert_int_equal(whole[0].first, 4 * PIECES_WINDOW);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_in_any_order), cmocka_unit_test(pieces_of_different_sizes),
                                       cmocka_unit_test(what_they_are_joined_across), cmocka_unit_test(more_than_the_window)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
