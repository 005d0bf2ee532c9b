// Images: holes and exits are filled with what belongs there, at any address; of nonsense nothing comes to be written outside of the code.
#include "tests/tools/cmocka.h"
#include "runtime/base/arena.h"
#include "translator/guest/guest.h"
#include "translator/quick/image.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CODE_BYTES = 1 << 16, GUARD = 64, EXITS = 4 };
static uint8_t *memory;
static struct quick_exit *own;

static uint64_t word_at(const uint8_t *code, uint32_t at) {
    uint64_t word;
    memcpy(&word, code + at, sizeof word);
    return word;
}

static void test_holes(void **state) {
    (void)state;
    static const struct image_hole hole[] = {{5, IMAGE_VALUE, 0}, {0x1234, IMAGE_PC, 0},  {0, IMAGE_LEAVE, 0},
                                             {0, IMAGE_STOP, 0},  {0, IMAGE_INDIRECT, 0}, {UOP_add, IMAGE_BODY, 0},
                                             {2, IMAGE_TARGET, 0}};
    const struct image image = {.bytes = 512, .holes_at = 64, .exits_at = 256, .holes = 7, .exits = EXITS, .hole = hole};
    uint8_t *code = memory + QUICK_STUBS_BYTES;
    assert_true(image_fill(&image, code, (uintptr_t)code, own));
    const uint64_t wanted[] = {5,
                               0x1234,
                               (uintptr_t)quick_stubs.leave,
                               (uintptr_t)quick_stubs.stop,
                               (uintptr_t)quick_stubs.indirect,
                               (uintptr_t)interp_body[UOP_add],
                               (uintptr_t)&own[2].out.target};
    for (unsigned i = 0; i < 7; i++) assert_int_equal(word_at(code, 64 + 8 * i), wanted[i]);
    for (unsigned i = 0; i < EXITS; i++) {
        const uint8_t *site = code + 256 + i * IMAGE_EXIT_BYTES;
        assert_true(own[i].site >= site && own[i].site < site + IMAGE_EXIT_BYTES);
    }
}

static uint64_t seed = 1;

static uint32_t random_below(uint64_t limit) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 32) % limit);
}

static uint32_t some_place(void) {
    return random_below(4) ? random_below(2 * CODE_BYTES) : random_below(UINT64_C(1) << 32);
}

static void test_nonsense(void **state) {
    (void)state;
    static struct image_hole hole[IMAGE_MAX_HOLES];
    uint8_t *code = malloc(CODE_BYTES + GUARD);
    unsigned filled = 0;
    assert_non_null(code);
    for (unsigned n = 0; n < 20000; n++) {
        struct image image = {.bytes = random_below(CODE_BYTES),
                              .holes_at = some_place(),
                              .exits_at = some_place(),
                              .holes = random_below(8),
                              .exits = random_below(EXITS + 1),
                              .hole = hole};
        for (unsigned i = 0; i < image.holes; i++)
            hole[i] = (struct image_hole){random_below(8) ? random_below(8) : UINT64_MAX - random_below(64),
                                          random_below(IMAGE_HOLE_KINDS + (random_below(8) == 0)), 0};
        memset(code + image.bytes, 0xa5, GUARD);
        filled += image_fill(&image, code, (uintptr_t)memory + QUICK_STUBS_BYTES, own);
        for (unsigned i = 0; i < GUARD; i++) assert_int_equal(code[image.bytes + i], 0xa5);
    }
    assert_in_range(filled, 100, 19000);
    free(code);
}

static int set_up(void **state) {
    static struct arena arena;
    (void)state;
    memory = mmap(NULL, CODE_BYTES + QUICK_STUBS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -1;
    quick_make_stubs(memory, (uintptr_t)memory, guest_riscv64.pins);
    own = arena_alloc(&arena, EXITS * sizeof *own, 8);
    for (unsigned i = 0; i < EXITS; i++) quick_exit_init(&own[i], 0x1000 + i);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_holes), cmocka_unit_test(test_nonsense)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
