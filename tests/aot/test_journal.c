// The compiler program's side of the journal (aot/journal.h): what stands in it comes to sheets, profiles and regions; nonsense ends it, and what came before is
// not lost. Each journal is read by a process of its own, and lies before a page that nobody may touch.
#include "tests/tools/cmocka.h"
#include "tests/tools/random.h"
#include "aot/journal.h"
#include "aot/names.h"
#include "aot/profile.h"
#include "aot/regions.h"
#include "cache/sheet_record.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE = 16, MUTATIONS = 150, GUARD = 4096 };

static const uint8_t code[BLOCK_MAX_BYTES] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0x82, 0x80};  // c.nop, …, c.jr ra
static const uint8_t loop[] = {0x33, 0x85, 0xa5, 0, 0x7d, 0x15, 0x6d, 0xfd};  // add a0, a1, a0; c.addi a0, -1; c.bnez a0, -6

static struct channel channel;
static uint8_t *journal;
// What came of it.
static struct outcome {
    unsigned sheets, profiles, regions;
    bool all;
    struct profile profile;  // the last one
} *outcome;

// ---- writing

static void begin_journal(void) {
    static const char isa[] = "riscv64";
    memset(&channel, 0, sizeof channel);
    memcpy(channel.isa, isa, sizeof isa);
    channel.features = guest_riscv64.default_features;
    channel.journal_in = CHANNEL_MAPS_BYTES;
    channel.journal_modules = 2;
    for (unsigned i = 0; i < 2; i++)
        channel.journal_module[i] = (struct channel_module){{{(uint8_t)(i + 1)}}, (i + 1) * UINT64_C(0x100000), 0x100000};
}

static void put(const struct channel_block_note *note, const uint32_t *targets, const uint8_t *bytes) {
    uint8_t *at = journal + channel.journal_in;
    memcpy(at, note, sizeof *note);
    if (note->targets) memcpy(at + sizeof *note, targets, note->targets * sizeof *targets);
    memcpy(at + sizeof *note + note->targets * sizeof *targets, bytes, note->bytes);
    channel.journal_in += channel_note_bytes(note->targets, note->bytes);
}

static const uint32_t some_targets[CHANNEL_TARGETS] = {0x40, UINT32_MAX, 3};

static void tell(uint32_t at, unsigned size, unsigned marks, unsigned targets) {
    put(&(struct channel_block_note){.at = at, .bytes = (uint16_t)size, .marks = (uint16_t)marks, .targets = (uint16_t)targets},
        some_targets, code);
}

// ---- reading

static void put_sheet(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    (void)data, (void)module, (void)name;
    static struct sheet sheet;
    static _Alignas(16) uint8_t copy[SHEET_RECORD_MAX_BYTES];
    memcpy(copy, record->bytes, record->size);
    if (!sheet_read(copy, record->size, &sheet)) _exit(2);
    outcome->sheets++;
}

static void put_profile(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    (void)data, (void)module, (void)name;
    if (!profile_read(record->bytes, record->size, &outcome->profile)) _exit(3);
    outcome->profiles++;
}

static _Noreturn void read_alone(void) {
    store_start(&(struct store_settings){.directory = "", .system = ""}, &channel.build);
    names_begin((uint32_t)getpid(), "");
    journal_begin(&channel, journal, put_sheet, put_profile);
    outcome->all = journal_end();
    if (outcome->all) outcome->regions = regions_decide(&guest_riscv64, channel.features, false);
    _exit(0);
}

static void read_journal(void) {
    int status;
    memset(outcome, 0, sizeof *outcome);
    pid_t child = fork();
    if (!child) read_alone();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static unsigned blocks(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < SHEET_PAGE; i++) count += outcome->profile.size[i] != 0;
    return count;
}

// ---- what stands in it

static void what_is_told(void **unused) {
    (void)unused;
    begin_journal();
    tell(0x20, LINE, 0, 0);
    tell(0x80, LINE, CHANNEL_WARM, 2);
    tell(0x20, 0, CHANNEL_WARM | CHANNEL_LEADS, 3);
    read_journal();
    assert_true(outcome->all);
    assert_int_equal(outcome->sheets, 1);
    assert_int_equal(outcome->profiles, 1);
    assert_int_equal(blocks(), 2);
    assert_int_equal(outcome->profile.size[0x20], LINE);
    assert_int_equal(outcome->profile.marks[0x20], CHANNEL_WARM | CHANNEL_LEADS);
    assert_int_equal(outcome->profile.leads, 5);
}

static void in_which_module(void **unused) {
    (void)unused;
    begin_journal();
    tell(0x20, LINE, 0, 0);
    put(&(struct channel_block_note){.module = 1, .at = 0x20, .bytes = LINE}, NULL, code);
    put(&(struct channel_block_note){.module = 1, .at = 0x5020, .bytes = LINE}, NULL, code);
    read_journal();
    assert_int_equal(outcome->sheets, 3);
    assert_int_equal(outcome->profiles, 3);
}

static void a_loop_is_decided_about(void **unused) {
    (void)unused;
    begin_journal();
    put(&(struct channel_block_note){.at = 0x20, .bytes = sizeof loop, .marks = CHANNEL_WARM | CHANNEL_HOT}, NULL, loop);
    tell(0x80, LINE, CHANNEL_WARM | CHANNEL_HOT, 0);
    read_journal();
    assert_true(outcome->regions > 0);
    assert_false(outcome->profile.marks[0x20] & CHANNEL_PLAIN);
    assert_true(outcome->profile.marks[0x80] & CHANNEL_PLAIN);
}

static void nothing(void **unused) {
    (void)unused;
    begin_journal();
    read_journal();
    assert_true(outcome->all && !outcome->sheets && !outcome->profiles);
    tell(0x20, 0, CHANNEL_HOT, 3);  // of what nobody told
    read_journal();
    assert_true(outcome->all && !outcome->sheets && !outcome->profiles);
}

// ---- nonsense

static void nonsense_note(struct channel_block_note note) {
    static const uint8_t bytes[UINT16_MAX];
    static const uint32_t targets[UINT16_MAX];
    begin_journal();
    tell(0x20, LINE, 0, 0);
    put(&note, targets, bytes);
    tell(0x80, LINE, 0, 0);
    read_journal();
    assert_true(outcome->all);
    assert_int_equal(blocks(), 1);
    assert_int_equal(outcome->profile.size[0x20], LINE);
}

static void numbers_that_are_too_large(void **unused) {
    (void)unused;
    nonsense_note((struct channel_block_note){.bytes = LINE, .targets = CHANNEL_TARGETS + 1});
    nonsense_note((struct channel_block_note){.targets = UINT16_MAX});
    nonsense_note((struct channel_block_note){.bytes = BLOCK_MAX_BYTES + 1});
    nonsense_note((struct channel_block_note){.bytes = UINT16_MAX, .targets = UINT16_MAX});
    nonsense_note((struct channel_block_note){.module = 2, .bytes = LINE});
    nonsense_note((struct channel_block_note){.module = UINT32_MAX, .bytes = LINE});
}

static void what_is_cut(void **unused) {
    (void)unused;
    for (unsigned left = 1; left < channel_note_bytes(3, LINE); left += 7) {
        begin_journal();
        tell(0x20, LINE, 0, 0);
        uint32_t at = channel.journal_in;
        tell(0x80, LINE, 0, 3);
        channel.journal_in = at + left;
        read_journal();
        assert_int_equal(blocks(), 1);
    }
}

static void counts_of_all(void **unused) {
    (void)unused;
    static const uint32_t ends[] = {0, CHANNEL_MAPS_BYTES - 1, CHANNEL_JOURNAL_BYTES + 1, UINT32_MAX};
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        begin_journal();
        tell(0x20, LINE, 0, 0);
        channel.journal_in = ends[i];
        read_journal();
        assert_true(outcome->all && !outcome->profiles);
    }
    begin_journal();
    tell(0x20, LINE, 0, 0);
    channel.journal_modules = CHANNEL_JOURNAL_MODULES + 1;
    read_journal();
    assert_true(outcome->all && !outcome->profiles);
}

static void up_to_the_end(void **unused) {
    (void)unused;
    begin_journal();
    while (CHANNEL_JOURNAL_BYTES - channel.journal_in >= channel_note_bytes(CHANNEL_TARGETS, LINE))
        tell(0x20, LINE, CHANNEL_WARM, CHANNEL_TARGETS);
    uint32_t left = CHANNEL_JOURNAL_BYTES - channel.journal_in;
    const struct channel_block_note last = {.at = 0x80, .bytes = BLOCK_MAX_BYTES};
    memcpy(journal + channel.journal_in, &last, left < sizeof last ? left : sizeof last);
    channel.journal_in = CHANNEL_JOURNAL_BYTES;
    read_journal();
    assert_true(outcome->all);
    assert_int_equal(blocks(), 1);
}

static void another_guest(void **unused) {
    (void)unused;
    begin_journal();
    tell(0x20, LINE, 0, 0);
    memset(channel.isa, 'x', sizeof channel.isa);
    read_journal();
    assert_true(!outcome->all && !outcome->profiles);
}

static void anything(void **unused) {
    (void)unused;
    uint64_t state = 11;
    unsigned taken = 0;
    for (unsigned i = 0; i < MUTATIONS; i++) {
        begin_journal();
        for (unsigned n = 0; n < 20; n++) {
            tell(n * 0x30, LINE, (unsigned)random_next(&state) & 31, random_below(&state, 4));
            put(&(struct channel_block_note){.at = n * 0x1000, .bytes = sizeof loop, .marks = CHANNEL_WARM | CHANNEL_HOT}, NULL,
                loop);
        }
        uint32_t size = channel.journal_in - CHANNEL_MAPS_BYTES;
        for (unsigned n = random_below(&state, 8); n > 0; n--)
            journal[CHANNEL_MAPS_BYTES + random_below(&state, size)] = (uint8_t)random_next(&state);
        read_journal();
        assert_true(outcome->all);
        taken += outcome->profiles;
    }
    assert_true(taken > MUTATIONS);
}

static int set_up(void **unused) {
    (void)unused;
    void *notes =
        mmap(NULL, CHANNEL_JOURNAL_BYTES + GUARD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *shared = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    journal = notes;
    outcome = shared;
    if (notes == MAP_FAILED || shared == MAP_FAILED) return -1;
    return mprotect(journal + CHANNEL_JOURNAL_BYTES, GUARD, PROT_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(in_which_module),
        cmocka_unit_test(a_loop_is_decided_about),
        cmocka_unit_test(nothing),
        cmocka_unit_test(numbers_that_are_too_large),
        cmocka_unit_test(what_is_cut),
        cmocka_unit_test(counts_of_all),
        cmocka_unit_test(up_to_the_end),
        cmocka_unit_test(another_guest),
        cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
