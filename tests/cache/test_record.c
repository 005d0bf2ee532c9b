// Records of regions, and the store's key: what was written is read again with distances from modules; what cannot be kept is not; of nonsense nothing is
// believed that leads outside; and whatever code depends on is in the key.
#include "tests/tools/cmocka.h"
#include "tests/tools/random.h"
#include "cache/key.h"
#include "tests/cache/record_example.h"
#include <stdlib.h>
#include <string.h>

static void round_trip(void **state) {
    (void)state;
    struct record r;
    make_request();
    size_t size = write_it();
    assert_true(size > CODE_BYTES && size % 8 == 0);
    assert_true(record_read(written, size, &r));
    assert_int_equal(r.modules, 2);
    assert_int_equal(r.module[1].byte[0], 2);
    assert_int_equal(r.blocks, 3);
    assert_int_equal(r.block[0].at, 0x100);
    assert_int_equal(r.block[0].entry, 0);
    assert_int_equal(r.block[1].at, 0x40);
    assert_int_equal(r.block[1].module, 1);
    assert_true(r.block[1].entry == RECORD_NO_ENTRY);
    assert_int_equal(r.block[2].entry, 512);
    assert_true(r.exit[0].at == (uint64_t)-8 && r.exit[1].at == 0x46 && r.exit[1].module == 1);
    assert_true(r.image.hole[0].value == 7 && r.image.hole[1].value == 0x123456 && r.image.hole[2].value == (uint64_t)-16);
    assert_int_equal(r.image.hole[3].value, 1);
    assert_int_equal(r.instructions, 9);
    assert_memory_equal(r.code, code, CODE_BYTES);
    assert_int_equal(r.guest_bytes, request.bytes);
    assert_memory_equal(r.guest, request.byte, request.bytes);
    assert_int_equal(r.ways, 2);
    assert_int_equal(r.way[1].to, 2);
}

// What a record says that it was made of makes the same record.
static void the_way_back(void **state) {
    (void)state;
    static _Alignas(16) uint8_t first[RECORD_MAX_BYTES];
    static struct channel_request asked;
    struct image_hole placed[sizeof hole / sizeof *hole];
    struct record r;
    make_request();
    request.exact = 1;
    request.mode = MODE_RM_AWAY;
    size_t size = write_it();
    memcpy(first, written, size);
    assert_true(record_read(first, size, &r));
    assert_true(record_request(&r, record_kind(MODE_RM_AWAY, true), &asked));
    assert_true(asked.exact == 1 && asked.mode == MODE_RM_AWAY && !asked.stepwise && asked.block[0].entry && !asked.block[1].entry);
    memcpy(placed, hole, sizeof placed);
    for (unsigned i = 1; i < 3; i++)
        placed[i].value += asked.module[placed[i].module].start - request.module[placed[i].module].start;
    assert_int_equal(record_write(written, &asked, &result, code, placed), size);
    assert_memory_equal(first, written, size);
    for (unsigned bit = 0; bit < 32; bit++) {
        bool known = bit < 3 || bit == 16;
        assert_int_equal(record_request(&r, UINT32_C(1) << bit, &asked), known);
    }
}

static void the_same_elsewhere(void **state) {
    (void)state;
    static uint8_t first[RECORD_MAX_BYTES];
    struct image_hole moved[4];
    make_request();
    size_t size = write_it();
    memcpy(first, written, size);
    memcpy(moved, hole, sizeof moved);
    const uint64_t by[] = {0x1234000, 0x5000};  // each module by another distance
    for (unsigned i = 0; i < 2; i++) request.module[i].start += by[i], request.exit[i] += by[i];
    for (unsigned i = 0; i < 3; i++) request.block[i].pc += by[request.block[i].module];
    for (unsigned i = 1; i < 3; i++) moved[i].value += by[moved[i].module];
    assert_int_equal(record_write(written, &request, &result, code, moved), size);
    assert_memory_equal(first, written, size);
}

static void what_is_not_kept(void **state) {
    (void)state;
    make_request();
    request.modules = 0;
    assert_int_equal(write_it(), 0);
    make_request();
    request.stepwise = 1;
    assert_int_equal(write_it(), 0);
    make_request();
    request.block[1].module = 2;
    assert_int_equal(write_it(), 0);
    make_request();
    request.block[0].pc = START - 4;
    assert_int_equal(write_it(), 0);
    make_request();
    request.block[2].pc += 2;  // half of it lies behind the module
    assert_int_equal(write_it(), 0);
    make_request();
    request.exit_module[0] = UINT8_MAX;
    assert_int_equal(write_it(), 0);
    make_request();
    request.block[1].at = 0;  // bytes that are not one behind the other
    assert_int_equal(write_it(), 0);
    make_request();
    request.blocks = UINT32_MAX;
    assert_int_equal(write_it(), 0);
    make_request();
    result.bytes = IMAGE_MAX_BYTES + 1;
    assert_int_equal(write_it(), 0);
}

static uint64_t seed = 1;

// Everything that record_read lets by is within bounds. Copies have the heap's guards around them under the address sanitizer.
static void nonsense(void **state) {
    (void)state;
    make_request();
    size_t size = write_it(), good = 0;
    for (unsigned n = 0; n < 20000; n++) {
        size_t left = n % 2 ? size : random_below(&seed, (uint32_t)size);
        uint8_t *copy = malloc(left ? left : 1);
        assert_non_null(copy);
        memcpy(copy, written, left);
        for (unsigned i = 0; i < 1 + n % 4 && left; i++)
            copy[random_below(&seed, (uint32_t)(left < 200 ? left : 200))] = (uint8_t)random_below(&seed, 256);
        bool read;
        const char *wrong = look_at_record(copy, left, &read);
        if (wrong) fail_msg("%s", wrong);
        good += read;
        free(copy);
    }
    assert_true(good > 100);
}

static void kinds(void **state) {
    (void)state;
    assert_true(record_kind(0, false) != record_kind(0, true));
    assert_true(record_kind(MODE_COUNT, false) != record_kind(0, false));
}

static void every_part_of_the_key(void **state) {
    (void)state;
    static const uint8_t pins[] = {1, 2, 0}, others[] = {1, 3, 0};
    const struct key_parts parts = {.build = key_build, .guest = "riscv64", .guest_features = 5, .pins = pins};
    struct store_key key, other;
    key_make(&parts, &key);
    key_make(&parts, &other);
    assert_memory_equal(&key, &other, sizeof key);
    assert_true(strlen(key_build) == 64);
    for (unsigned part = 0; part < 4 + KEY_HOST_WORDS; part++) {
        struct key_parts changed = parts;
        if (part == 0) changed.build = "another version of Ferry or of LLVM";
        if (part == 1) changed.guest = "riscv6";
        if (part == 2) changed.guest_features ^= 1;
        if (part == 3) changed.pins = others;
        if (part >= 4) changed.host[part - 4] ^= 0x80;
        key_make(&changed, &other);
        assert_memory_not_equal(&key, &other, sizeof key);
        enum key_part differs = part == 0 ? KEY_FERRY : part < 4 ? KEY_GUEST : KEY_HOST;
        for (enum key_part i = 0; i < KEY_PARTS; i++) assert_int_equal(key_agrees(&key, &other, i), i != differs);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),           cmocka_unit_test(the_same_elsewhere), cmocka_unit_test(the_way_back),
        cmocka_unit_test(what_is_not_kept),     cmocka_unit_test(nonsense),           cmocka_unit_test(kinds),
        cmocka_unit_test(every_part_of_the_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
