// Which directories the store trusts and makes, and what becomes of it where nothing can be kept.
#include "tests/cache/store_files.h"
#include "cache/writer/inspect.h"
#include "cache/writer/trouble.h"
#include <errno.h>
#include <sys/mount.h>
#include <time.h>

static void expect_reason(const char *directory, const char *text) {
    store_start(&(struct store_settings){.directory = directory, .system = "/dev/null/none"}, &build_a);
    if (!text) assert_null(store_reason());
    if (text) assert_non_null(store_reason());
    if (text && !strstr(store_reason(), text)) fail_msg("'%s' is not in '%s'", text, store_reason());
    if (text) assert_null(store_open(&module_a));
}

// Neither read nor written.
static void expect_refused(const char *text) {
    expect_reason(root, text);
    const char *why = write_one(&build_a, &module_a, 7, 2).why;
    assert_true(why && strstr(why, text));
}

static void with_mode(const char *path, unsigned mode) {
    chmod(path, mode);
    expect_refused("others");
    chmod(path, 0700);
}

// A symbolic link in a directory's place.
static void with_link(const char *path, const char *moved) {
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(symlink(moved, path), 0);
    expect_refused("symbolic link");
    unlink(path);
    assert_int_equal(rename(moved, path), 0);
}

static void directories_that_others_may_write_to_are_not_used(void **unused) {
    (void)unused;
    char code[PATH_MAX], moved[PATH_MAX];
    write_one(&build_a, &module_a, 7, 1);
    snprintf(code, sizeof code, "%s", below("code"));
    snprintf(moved, sizeof moved, "%s/moved", home);
    expect_reason(root, NULL);
    for (unsigned bit = 020; bit; bit = bit == 020 ? 02 : 0) {
        with_mode(root, 0700 | bit);
        with_mode(code, 0700 | bit);
    }
    with_link(code, moved);
    with_link(root, moved);
    assert_true(has_one(&build_a, &module_a, 7, 1));
}

static void directories_of_others_are_not_used(void **unused) {
    (void)unused;
    if (geteuid()) skip();
    write_one(&build_a, &module_a, 7, 1);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", below(file_of_a));
    assert_int_equal(chown(path, 12345, 0), 0);
    assert_false(has_one(&build_a, &module_a, 7, 1));
    assert_int_equal(chown(path, 0, 0), 0);
    assert_true(has_one(&build_a, &module_a, 7, 1));
    assert_int_equal(chown(root, 12345, 0), 0);
    expect_refused("another user");
    // Nor does root make one in a user's.
    char deeper[PATH_MAX + 16];
    snprintf(deeper, sizeof deeper, "%s/one/two", root);
    struct writer *writer = writer_open(deeper, &build_a, WRITER_LIMIT);
    assert_non_null(writer_status(writer)->why);
    writer_close(writer);
}

static void no_directory_no_store(void **unused) {
    (void)unused;
    char *saved_home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    expect_reason(NULL, "HOME");
    expect_reason("", "none");
    expect_reason("relative", "absolute");
    expect_reason("/dev/null", "no directory");
    char *long_path = malloc(5000);
    assert_non_null(long_path);
    memset(long_path, '/', 4999);
    long_path[4999] = 0;
    expect_reason(long_path, "too long");
    free(long_path);
    write_one(&build_a, &module_a, 7, 1);
    struct store_module *opened;
    for (unsigned i = 0; i < 2; i++) {
        char cache[PATH_MAX];
        if (i) snprintf(cache, sizeof cache, "%s/.cache", home);
        if (i) assert_int_equal(mkdir(cache, 0700), 0);
        setenv(i ? "HOME" : "XDG_CACHE_HOME", home, 1);
        store_start(&(struct store_settings){.system = "/dev/null/none"}, &build_a);
        assert_null(store_reason());
        opened = store_open(&module_a);
        assert_int_equal(opened != NULL, !i);  // HOME has it in .cache
        if (opened) store_close(opened);
        unsetenv("XDG_CACHE_HOME");
        if (i) rmdir(cache);
    }
    if (saved_home) setenv("HOME", saved_home, 1);
    else unsetenv("HOME");
    free(saved_home);
}

// Such are those of systems.
static void directories_that_others_may_read_stay_so(void **unused) {
    (void)unused;
    struct stat about;
    mode_t mask = umask(022);
    write_one(&build_a, &module_a, 7, 1);
    assert_int_equal(stat(below(file_of_a), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(chmod(root, 0755), 0);
    write_one(&build_b, &module_a, 7, 1);
    assert_int_equal(stat(below("code/b2020000000000000000000000000000"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0755);
    assert_int_equal(stat(below("code/b2020000000000000000000000000000/0a030000000000000000000000000000.db"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0644);
    assert_true(has_one(&build_b, &module_a, 7, 1));
    umask(mask);
}

static void no_home_is_made(void **unused) {
    (void)unused;
    char path[PATH_MAX];
    static const char *const names[] = {"/one/two/ferry/", "/one/two/ferry", "/one/ferry"};
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", home, names[i]);
        struct writer *writer = writer_open(path, &build_a, WRITER_LIMIT);
        assert_int_equal(writer_status(writer)->why == NULL, i == 2);
        writer_close(writer);
    }
    assert_int_equal(rmdir(path), 0);
    *strrchr(path, '/') = 0;
    assert_int_equal(rmdir(path), 0);
}

static void expect_silence(const char *text) {
    struct writer_status status = write_one(&build_a, &module_a, 7, 1);
    assert_non_null(status.why);
    if (!strstr(status.why, text)) fail_msg("'%s' is not in '%s'", text, status.why);
    assert_int_equal(status.dropped, 1);
    assert_int_equal(status.records, 0);
}

static void nothing_is_kept_where_nothing_can_be(void **unused) {
    (void)unused;
    put_file(root, (const uint8_t *)"file", 4);
    expect_silence("no directory");
    unlink(root);
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    const uint32_t entry = 1;
    const struct writer_record record = numbered(1, 1, &entry, 1);
    assert_null(writer_status(writer)->why);
    remove_root();  // while it is in use
    assert_true(writer_add(writer, &module_a, "a", &record));
    writer_flush(writer);
    assert_non_null(writer_status(writer)->why);
    assert_int_equal(writer_status(writer)->dropped, 1);
    assert_true(writer_add(writer, &module_a, "a", &record));
    writer_flush(writer);
    assert_int_equal(writer_status(writer)->dropped, 2);
    writer_close(writer);
}

// Why nothing could be written last.
static struct trouble trouble(void) {
    struct disk disk;
    bool missing;
    assert_null(disk_open(&disk, root, geteuid(), DISK_AS_IT_IS, &missing));
    struct trouble found = trouble_look(&disk);
    disk_close(&disk);
    return found;
}

// ---- what is in the way

static void append(const char *name, const char *why, void *data) {
    text_add(data, "%s: %s\n", name, why);
}

// Everything that is complained of.
static const char *complaints(void) {
    static char buffer[1000];
    struct text all = TEXT_ON(buffer);
    struct disk disk;
    bool missing;
    *buffer = 0;
    assert_null(disk_open(&disk, root, geteuid(), DISK_AS_IT_IS, &missing));
    inspect_disk(&disk, append, &all);
    disk_close(&disk);
    return buffer;
}

static void expect_complaint(const char *name, const char *why) {
    char expected[200];
    snprintf(expected, sizeof expected, "%s: %s\n", name, why);
    assert_string_equal(complaints(), expected);
}

static const char folder_of_a[] = "code/a1010000000000000000000000000000";
static const char temporary_of_a[] = "code/a1010000000000000000000000000000/tmp.0a030000000000000000000000000000.db";

static const struct {
    const char *name;
    bool folder;  // is to be one
} obstacle[] = {{"code", true},    {folder_of_a, true}, {"profile", true},
                {"damaged", true}, {"lock", false},     {temporary_of_a, false}};

static void put_obstacle(const char *name, bool folder) {
    char aside[PATH_MAX];
    snprintf(aside, sizeof aside, "%s/aside", home);
    if (rename(below(name), aside)) assert_int_equal(errno, ENOENT);
    if (folder) put_file(below(name), (const uint8_t *)"mine", 4);
    else assert_int_equal(mkdir(below(name), 0700), 0);
}

// Writes code and a profile, and has a damaged file moved away.
static void write_all(void) {
    const uint32_t entry = 7;
    const struct writer_record record = numbered(3, 1, &entry, 1);
    put_file(below("code/a1010000000000000000000000000000/0b040000000000000000000000000000.db"), (const uint8_t *)"bad", 3);
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    assert_true(writer_add(writer, &module_a, "a", &record) && writer_add(writer, &module_b, "b", &record) &&
                writer_add_profile(writer, &module_a, "a", &record));
    writer_flush(writer);
    assert_null(writer_status(writer)->why);
    assert_int_equal(writer_status(writer)->records, 3);
    writer_close(writer);
}

static void clear(void) {
    remove_root();
    snprintf(root, sizeof root, "%s/aside", home);
    remove_root();
    snprintf(root, sizeof root, "%s/ferry", home);
}

static void what_is_in_the_way_is_moved_away(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof obstacle / sizeof *obstacle; i++) {
        write_one(&build_a, &module_a, 7, 1);
        assert_string_equal(complaints(), "");
        put_obstacle(obstacle[i].name, obstacle[i].folder);
        expect_complaint(obstacle[i].name, obstacle[i].folder ? "it is no directory" : "it is no file");
        bool first = obstacle[i].folder && strstr(obstacle[i].name, "code");  // what was there before went with it
        if (first) assert_null(write_one(&build_a, &module_a, 7, 1).why);
        write_all();
        assert_true(has_one(&build_a, &module_a, 7, 3));
        assert_true(has_one(&build_a, &module_b, 7, 3));
        assert_string_equal(complaints(), "");
        assert_int_equal(trouble().at, 0);
        assert_int_equal(count_files(below("damaged")), 2);
        clear();
    }
}

// Nothing in them is used, and they stay as they are.
static void folders_that_others_may_write_to_are_named(void **unused) {
    (void)unused;
    static const char *const names[] = {"code", folder_of_a, "profile"};
    write_one(&build_a, &module_a, 7, 1);
    write_all();
    for (unsigned i = 0; i < 3; i++) {
        char expected[120];
        snprintf(expected, sizeof expected, "%s: others may write to it", names[i]);
        assert_int_equal(chmod(below(names[i]), 0770), 0);
        expect_complaint(names[i], "others may write to it");
        assert_string_equal(trouble().why, expected);
        assert_int_equal(chmod(below(names[i]), 0700), 0);
    }
    assert_string_equal(complaints(), "");
}

static void full_and_read_only_file_systems_are_survived(void **unused) {
    (void)unused;
    if (geteuid() || mkdir(root, 0700) || mount("none", root, "tmpfs", 0, "size=200k,mode=700")) skip();
    write_one(&build_a, &module_a, 7, 1);
    uint8_t noise[400 << 10];
    uint64_t state = 9;
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)random_next(&state);
    const uint32_t entry = 8;
    const struct writer_record large = {.kind = 1, .entries = &entry, .count = 1, .bytes = noise, .size = sizeof noise};
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    assert_true(writer_add(writer, &module_a, "a", &large));
    writer_flush(writer);
    struct writer_status status = *writer_status(writer);
    writer_close(writer);
    bool kept = has_one(&build_a, &module_a, 7, 1);
    struct trouble noted = trouble();
    write_one(&build_a, &module_a, 8, 3);
    struct trouble forgotten = trouble();
    unsigned files = count_files(folder_of(file_of_a));
    int mounted = mount("none", root, NULL, MS_REMOUNT | MS_RDONLY, NULL);
    struct writer_status after = write_one(&build_a, &module_a, 9, 2);
    bool read = has_one(&build_a, &module_a, 7, 1);
    struct trouble measured = trouble();
    umount2(root, MNT_DETACH);
    assert_string_equal(status.why, "there is no space left");
    assert_int_equal(status.dropped, 1);
    assert_string_equal(noted.why, status.why);
    assert_true(noted.at >= time(NULL) - 60 && noted.at <= time(NULL));
    assert_int_equal(forgotten.at, 0);
    assert_string_equal(measured.why, "the file system is read-only");
    assert_true(kept && read);
    assert_int_equal(files, 1);  // nothing half done stays
    assert_int_equal(mounted, 0);
    assert_string_equal(after.why, "the file system is read-only");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(directories_that_others_may_write_to_are_not_used),
        CASE(directories_of_others_are_not_used),
        CASE(no_directory_no_store),
        CASE(directories_that_others_may_read_stay_so),
        CASE(no_home_is_made),
        CASE(nothing_is_kept_where_nothing_can_be),
        CASE(what_is_in_the_way_is_moved_away),
        CASE(folders_that_others_may_write_to_are_named),
        CASE(full_and_read_only_file_systems_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
