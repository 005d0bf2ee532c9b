// Writers of the store among each other: many at once, killed at any moment, short of room.
#include "tests/cache/store_files.h"
#include "cache/writer/trouble.h"
#include "cache/writer/disk.h"
#include <signal.h>
#include <sys/time.h>
#include <time.h>

enum { WRITERS = 20 };

// ---- many at once

static struct store_key key_of(uint32_t number) {
    struct store_key key = module_a;
    key.byte[8] = (uint8_t)number;
    return key;
}

// Writer `w` adds records for entries of its own, some to a module that all write, some to one of its own.
static void write_some(uint32_t w) {
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    const struct store_key own = key_of(w + 1);
    for (uint32_t i = 0; i < 30; i++) {
        uint32_t entry = w * 100 + i;
        const struct writer_record record = numbered(entry + 1, 1, &entry, 1);
        if (!writer_add(writer, i % 3 ? &module_a : &own, "shared", &record)) _exit(2);
        if (i % 10 == 9) writer_flush(writer);
    }
    writer_close(writer);
    _exit(0);
}

static void nothing_is_lost_among_many_writers(void **unused) {
    (void)unused;
    int status;
    for (uint32_t w = 0; w < WRITERS; w++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (!pid) write_some(w);
    }
    for (uint32_t w = 0; w < WRITERS; w++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    start_reader(&build_a);
    struct store_module *shared = store_open(&module_a);
    assert_non_null(shared);
    for (uint32_t w = 0; w < WRITERS; w++) {
        const struct store_key key = key_of(w + 1);
        struct store_module *own = store_open(&key);
        assert_non_null(own);
        for (uint32_t i = 0; i < 30; i++) {
            struct store_record record;
            uint32_t entry = w * 100 + i;
            assert_true(store_find(i % 3 ? shared : own, entry, 1, &record) && is_record(&record, entry + 1));
        }
        store_close(own);
    }
    store_close(shared);
    assert_int_equal(count_files(below("damaged")), 0);
}

// ---- killed

// Writes until it is killed, ever more. What was once written stays: each record's number is the entry's, plus one.
static void write_for_ever(uint32_t from) {
    for (;;) {
        struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
        for (uint32_t i = 0; i < 5; i++, from++) {
            uint32_t entry = from % SPACE;
            const struct writer_record record = numbered(entry + 1, 1, &entry, 1);
            writer_add(writer, &module_a, "killed", &record);
        }
        writer_close(writer);
    }
}

// Every entry up to the first that misses; that each that is found is right, and how many are.
static uint32_t count_right(void) {
    uint32_t found = 0;
    start_reader(&build_a);
    struct store_module *opened = store_open(&module_a);
    for (uint32_t entry = 0; opened && entry < SPACE; entry++) {
        struct store_record record;
        if (!store_find(opened, entry, 1, &record)) continue;
        if (!is_record(&record, entry + 1)) fail_msg("entry %u is wrong", entry);
        found++;
    }
    if (opened) store_close(opened);
    return found;
}

static void killed_writers_leave_whole_files(void **unused) {
    (void)unused;
    enum { ROUNDS = 200 };
    uint64_t state = 77;
    uint32_t before = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (!pid) write_for_ever(round * 50);
        usleep((useconds_t)(random_next(&state) % 12000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (round % 20 != 19) continue;
        uint32_t now = count_right();
        assert_true(now >= before);
        before = now;
    }
    assert_true(before > 50);
    assert_int_equal(count_files(below("damaged")), 0);
    const char *folder = folder_of(file_of_a);
    assert_true(count_files(folder) <= 2);  // and the last one's temporary file
    assert_null(write_one(&build_a, &module_a, 1, 2).why);
    assert_int_equal(count_files(folder), 1);
}

static void old_temporary_files_go(void **unused) {
    (void)unused;
    const char *folder = folder_of(file_of_a);
    char path[PATH_MAX + 20];
    write_one(&build_a, &module_a, 1, 2);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, i == 0 ? "tmp.old" : i == 1 ? "tmp.new" : "other");
        put_file(path, (const uint8_t *)"x", 1);
        const struct timeval old[2] = {{.tv_sec = time(NULL) - 7200}, {.tv_sec = time(NULL) - 7200}};
        if (i != 1) assert_int_equal(utimes(path, old), 0);
    }
    assert_int_equal(count_files(folder), 4);
    write_one(&build_a, &module_b, 1, 2);
    assert_int_equal(count_files(folder), 4);  // tmp.old went, module_b came
    snprintf(path, sizeof path, "%s/tmp.old", folder);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_locked_module_waits(void **unused) {
    (void)unused;
    struct disk disk;
    bool missing;
    const uint32_t entry = 4;
    write_one(&build_a, &module_a, 1, 1);
    assert_null(disk_open(&disk, root, geteuid(), false, &missing));
    assert_true(disk_lock(&disk, &build_a, &module_a));
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    const struct writer_record record = numbered(5, 1, &entry, 1);
    assert_true(writer_add(writer, &module_a, "a", &record));
    assert_true(writer_add(writer, &module_b, "b", &record));
    writer_flush(writer);
    assert_int_equal(writer_status(writer)->files, 1);
    assert_true(has_one(&build_a, &module_b, 4, 5));
    assert_false(has_one(&build_a, &module_a, 4, 5));
    disk_unlock(&disk, &build_a, &module_a);
    writer_flush(writer);
    assert_true(has_one(&build_a, &module_a, 4, 5));
    writer_close(writer);
    disk_close(&disk);
}

// ---- room

// Sets when a file was used, in hours before now.
static void set_used(const struct store_key *module, unsigned hours) {
    char hex[DIRECTORY_HEX], path[PATH_MAX + DIRECTORY_HEX + 4];
    const struct timeval times[2] = {{.tv_sec = time(NULL) - hours * 3600}, {.tv_sec = time(NULL) - hours * 3600}};
    directory_hex(module, hex);
    snprintf(path, sizeof path, "%s/%s.db", folder_of(file_of_a), hex);
    assert_int_equal(utimes(path, times), 0);
}

static void what_was_not_used_for_longest_is_evicted(void **unused) {
    (void)unused;
    enum { FILES = 10, EACH = 24576 };
    for (uint32_t i = 0; i < FILES; i++) {
        const struct store_key key = key_of(i);
        write_one(&build_a, &key, 1, 1);
        set_used(&key, 100 - i);
    }
    const struct store_key read = key_of(2), last = key_of(FILES);
    assert_true(has_one(&build_a, &read, 1, 1));  // which notes that it was used
    struct writer *writer = writer_open(root, &build_a, 10 * EACH);
    const uint32_t entry = 1;
    const struct writer_record record = numbered(1, 1, &entry, 1);
    assert_true(writer_add(writer, &last, "last", &record));
    assert_true(writer_add_profile(writer, &module_a, "profile", &record));
    writer_flush(writer);
    assert_int_equal(writer_status(writer)->evicted, 3);  // down to 80 %
    writer_close(writer);
    for (uint32_t i = 0; i <= FILES; i++) {
        const struct store_key key = key_of(i);
        assert_int_equal(has_one(&build_a, &key, 1, 1), i == 2 || i >= 4);
    }
    assert_int_equal(count_files(below("profile")), 1);
}

// What was found damaged goes first, and that is said.
static void damaged_files_that_are_evicted_are_counted(void **unused) {
    (void)unused;
    enum { LIMIT = 4 * 24576 };
    static const uint8_t large[LIMIT];
    struct disk disk;
    bool missing;
    for (uint32_t round = 0; round < 3; round++) {
        write_one(&build_a, &module_a, 1, 1);
        put_file(below(file_of_a), large, round ? sizeof large : 1);
        struct writer *writer = writer_open(root, &build_a, LIMIT);
        const uint32_t entry = 1;
        const struct writer_record record = numbered(1, 1, &entry, 1);
        assert_true(writer_add(writer, &module_a, "a", &record));
        writer_flush(writer);
        assert_int_equal(writer_status(writer)->damaged, 1);
        assert_int_equal(writer_status(writer)->evicted, 0);
        writer_close(writer);
        assert_true(has_one(&build_a, &module_a, 1, 1));
        assert_null(disk_open(&disk, root, geteuid(), DISK_AS_IT_IS, &missing));
        struct trouble_removed removed = trouble_look_removed(&disk);
        disk_close(&disk);
        assert_int_equal(removed.files, round ? round + 1 : 0);  // with the small one of the first
        assert_true(!round || (removed.at >= time(NULL) - 60 && removed.at <= time(NULL)));
        assert_int_equal(count_files(below("damaged")), !round);
    }
}

static void what_is_read_is_known_to_be_used(void **unused) {
    (void)unused;
    struct stat about;
    write_one(&build_a, &module_a, 1, 1);
    set_used(&module_a, 30);
    assert_true(has_one(&build_a, &module_a, 1, 1));
    assert_int_equal(stat(below(file_of_a), &about), 0);
    assert_true(time(NULL) - about.st_atime < 60);
    assert_true(time(NULL) - about.st_mtime > 3600);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_lost_among_many_writers),
        CASE(killed_writers_leave_whole_files),
        CASE(old_temporary_files_go),
        CASE(a_locked_module_waits),
        CASE(what_was_not_used_for_longest_is_evicted),
        CASE(damaged_files_that_are_evicted_are_counted),
        CASE(what_is_read_is_known_to_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
