// Code that is kept between runs, as runners read it: what was written is found, whatever is damaged or not to be trusted is a miss.
#include "tests/cache/store_files.h"
#include "cache/snapshot.h"
#include <pthread.h>
#include <sqlite3.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

// ---- round trips

static struct model model;

static void records_come_back_and_newer_ones_replace_older(void **unused) {
    (void)unused;
    uint64_t state = 1;
    memset(&model, 0, sizeof model);
    for (unsigned run = 0; run < 6; run++) {
        struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
        for (unsigned i = 0; i < 600; i++) {
            model_add(&model, writer, &module_a, &state, run % 2 ? 3000 : SPACE);
            if (i % 100 == 99) writer_flush(writer);
        }
        writer_close(writer);
        start_reader(&build_a);
        model_check(&model, &module_a, run == 5 ? 1 : 7);
    }
}

static void one_writer_writes_again_and_again(void **unused) {
    (void)unused;
    uint64_t state = 2;
    memset(&model, 0, sizeof model);
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    for (unsigned i = 0; i < 2000 && writer_status(writer)->files < 3; i++) {  // which are not written each time
        for (unsigned n = 0; n < 2; n++) model_add(&model, writer, &module_a, &state, SPACE);
        writer_flush(writer);
        usleep(5000);
    }
    assert_null(writer_status(writer)->why);
    assert_true(writer_status(writer)->files >= 3);
    writer_close(writer);
    start_reader(&build_a);
    model_check(&model, &module_a, 1);
}

static void a_record_without_entries_goes(void **unused) {
    (void)unused;
    struct store_record record;
    const uint32_t entries[] = {1, 2, 3};
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    struct writer_record first = numbered(1, 1, entries, 3);
    assert_true(writer_add(writer, &module_a, "a", &first));
    writer_close(writer);
    size_t before, after;
    free(read_file(below(file_of_a), &before));
    writer = writer_open(root, &build_a, WRITER_LIMIT);
    for (unsigned i = 0; i < 3; i++) {
        struct writer_record other = numbered(2, 1, &entries[i], 1);
        other.size = 1;
        assert_true(writer_add(writer, &module_a, "a", &other));
    }
    writer_close(writer);
    free(read_file(below(file_of_a), &after));
    assert_true(after <= before);
    start_reader(&build_a);
    struct store_module *opened = store_open(&module_a);
    assert_non_null(opened);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(store_find(opened, entries[i], 1, &record));
        assert_int_equal(record.size, 1);
    }
    assert_false(store_find(opened, 1, 0, &record));
    assert_false(store_find(opened, 4, 1, &record));
    store_close(opened);
}

static void other_builds_and_modules_miss(void **unused) {
    (void)unused;
    write_one(&build_a, &module_a, 7, 1);
    assert_true(has_one(&build_a, &module_a, 7, 1));
    assert_false(has_one(&build_b, &module_a, 7, 1));
    assert_false(has_one(&build_a, &module_b, 7, 1));
    // Nor does a file that was given another's name do.
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s", below(file_of_a));
    strcpy(strrchr(name, '/'), "/0b040000000000000000000000000000.db");
    assert_int_equal(rename(below(file_of_a), name), 0);
    assert_false(has_one(&build_a, &module_b, 7, 1));
}

static void what_cannot_be_a_record_is_refused(void **unused) {
    (void)unused;
    const uint32_t entry = 1;
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    const struct writer_record none = {.kind = 1, .entries = &entry, .count = 1, .bytes = (const uint8_t *)"", .size = 0};
    const struct writer_record nowhere = {.kind = 1, .entries = &entry, .count = 0, .bytes = (const uint8_t *)"x", .size = 1};
    assert_false(writer_add(writer, &module_a, "a", &none));
    assert_false(writer_add(writer, &module_a, "a", &nowhere));
    writer_close(writer);
    start_reader(&build_a);
    assert_null(store_open(&module_a));
}

static void profiles_are_kept_beside_builds(void **unused) {
    (void)unused;
    const uint32_t entry = 9;
    struct store_record found;
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    const struct writer_record record = numbered(3, 5, &entry, 1);
    assert_true(writer_add_profile(writer, &module_a, "/bin/a", &record));
    writer_close(writer);
    start_reader(&build_b);
    assert_null(store_open(&module_a));
    struct store_module *opened = store_open_profile(&module_a);
    assert_non_null(opened);
    assert_true(store_find(opened, 9, 5, &found) && is_record(&found, 3));
    store_close(opened);
    assert_int_equal(count_files(below("profile")), 1);
}

// The user's records come before those of systems.
static void systems_have_what_the_user_has_not(void **unused) {
    (void)unused;
    char system[PATH_MAX];
    write_one(&build_a, &module_a, 7, 1);
    write_one(&build_a, &module_a, 8, 2);
    snprintf(system, sizeof system, "%s/system", home);
    assert_int_equal(rename(root, system), 0);
    write_one(&build_a, &module_a, 7, 3);
    char list[PATH_MAX + 20];
    snprintf(list, sizeof list, "/dev/null/none::%s", system);
    store_start(&(struct store_settings){.directory = root, .system = list}, &build_a);
    struct store_record record;
    struct store_module *opened = store_open(&module_a);
    assert_non_null(opened);
    assert_true(store_find(opened, 7, 1, &record) && is_record(&record, 3));
    assert_true(store_find(opened, 8, 1, &record) && is_record(&record, 2));
    store_close(opened);
    remove_root();
    assert_int_equal(rename(system, root), 0);
}

// ---- threads and processes

static void *look_around(void *data) {
    const struct store_key *module = data;
    for (unsigned i = 0; i < 20; i++) {
        struct store_module *opened = store_open(module);
        struct store_record record;
        for (uint32_t entry = 0; opened && entry < 50; entry++)
            if (!store_find(opened, entry, 1, &record) || !is_record(&record, 10)) return NULL;
        if (!opened) return NULL;
        store_close(opened);
    }
    return data;
}

static void any_thread_may_open_modules(void **unused) {
    (void)unused;
    uint32_t entries[50];
    pthread_t thread[4];
    void *result;
    for (uint32_t i = 0; i < 50; i++) entries[i] = i;
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    const struct writer_record record = numbered(10, 1, entries, 50);
    assert_true(writer_add(writer, &module_a, "a", &record));
    writer_close(writer);
    start_reader(&build_a);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, look_around, (void *)(uintptr_t)&module_a), 0);
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(thread[i], &result);
        assert_ptr_equal(result, &module_a);
    }
}

static void no_descriptor_stays(void **unused) {
    (void)unused;
    write_one(&build_a, &module_a, 7, 1);
    unsigned before = count_files("/proc/self/fd");
    start_reader(&build_a);
    struct store_module *opened = store_open(&module_a);
    assert_non_null(opened);
    assert_int_equal(count_files("/proc/self/fd"), before);
    store_close(opened);
}

// A file that is cut while it is mapped is a miss, no signal. It has to be so large that it is not read at once, of bytes that do not compress.
static void a_file_may_be_cut_while_it_is_used(void **unused) {
    (void)unused;
    enum { MANY = 2000, BYTES = 400 };
    uint8_t bytes[BYTES];
    uint64_t random = 1;
    struct store_record record;
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    for (uint32_t i = 1; i <= MANY; i++) {
        for (unsigned n = 0; n < BYTES; n++) bytes[n] = (uint8_t)random_next(&random);
        const struct writer_record one = {.kind = 1, .entries = &i, .count = 1, .bytes = bytes, .size = BYTES};
        assert_true(writer_add(writer, &module_a, "a", &one));
    }
    writer_close(writer);
    start_reader(&build_a);
    struct store_module *opened = store_open(&module_a);
    assert_non_null(opened);
    assert_true(store_find(opened, 1, 1, &record) && record.size == BYTES);
    assert_int_equal(truncate(below(file_of_a), 4096), 0);
    assert_false(store_find(opened, MANY, 1, &record));
    assert_true(store_find(opened, 1, 1, &record) && record.size == BYTES);
    store_close(opened);
    assert_null(store_open(&module_a));
}

// Some sandboxes forbid to read mapped files by a system call.
static int read_without_the_call(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 2;
    return has_one(&build_a, &module_a, 7, 1) ? 0 : 1;
}

static void files_are_read_where_they_cannot_be_mapped(void **unused) {
    (void)unused;
    int status;
    write_one(&build_a, &module_a, 7, 1);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) _exit(read_without_the_call());
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 2) skip();
    assert_int_equal(status, 0);
}

// ---- damage

// What is found in a damaged file is right or nothing.
static unsigned check_damaged(const uint8_t *bytes, size_t size) {
    const struct btree_file file = {.bytes = bytes, .size = size};
    static struct snapshot_tools tools;
    struct snapshot_head head;
    struct snapshot snapshot;
    unsigned found = 0;
    bool other;
    if (snapshot_check(&file, &other) || !snapshot_head(&file, 1, &tools, &head) || snapshot_open(&snapshot, &file, &head, &tools))
        return 0;
    for (uint32_t entry = 1; entry <= 3; entry++) {
        const struct format_place *place = snapshot_find(&snapshot, entry, 1);
        const uint8_t *piece = place ? snapshot_piece(&snapshot, place->piece, &tools) : NULL;
        assert_non_null(place);
        if (!piece) continue;
        const struct store_record record = {piece + place->offset, place->size};
        assert_true(is_record(&record, entry));
        found++;
    }
    snapshot_close(&snapshot, &tools);
    return found;
}

static uint8_t *small_file(size_t *size) {
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    for (uint32_t i = 1; i <= 3; i++) {
        const struct writer_record record = numbered(i, 1, &i, 1);
        assert_true(writer_add(writer, &module_a, "name", &record));
    }
    writer_close(writer);
    return read_file(below(file_of_a), size);
}

static void flipped_bits_are_a_miss(void **unused) {
    (void)unused;
    size_t size;
    unsigned missed = 0;
    uint8_t *bytes = small_file(&size);
    assert_int_equal(check_damaged(bytes, size), 3);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= (uint8_t)(1 << i % 8);
        missed += check_damaged(bytes, size) != 3;
        bytes[i] ^= (uint8_t)(1 << i % 8);
    }
    print_message("%u of %zu flips were misses\n", missed, size);
    assert_true(missed > 900);  // the others are in what sqlite leaves empty
    free(bytes);
}

static void cut_files_are_a_miss(void **unused) {
    (void)unused;
    size_t size;
    uint8_t *bytes = small_file(&size);
    for (size_t length = 0; length < size; length++) {
        uint8_t *cut = malloc(length + 1);
        assert_non_null(cut);
        memcpy(cut, bytes, length);
        assert_int_equal(check_damaged(cut, length), 0);
        free(cut);
    }
    // And by way of the file itself.
    for (size_t length = 0; length < size; length += 1021) {
        put_file(below(file_of_a), bytes, length);
        assert_false(has_one(&build_a, &module_a, 1, 1));
    }
    free(bytes);
}

// Pages in a circle, children that are their own parents: it ends.
static void mad_pages_end(void **unused) {
    (void)unused;
    size_t size;
    uint64_t state = 5;
    uint8_t *bytes = small_file(&size), *copy = malloc(size);
    assert_non_null(copy);
    for (unsigned round = 0; round < 3000; round++) {
        memcpy(copy, bytes, size);
        for (unsigned n = 0; n < 4; n++) {
            size_t page = random_next(&state) % (size / FORMAT_PAGE) * FORMAT_PAGE;
            copy[page + (page ? 0 : 100) + random_next(&state) % 16] = (uint8_t)random_next(&state);
            if (round % 2) copy[random_next(&state) % size] = (uint8_t)(random_next(&state) % 16);
        }
        check_damaged(copy, size);
    }
    free(bytes);
    free(copy);
}

static void damaged_files_are_moved_away(void **unused) {
    (void)unused;
    size_t size;
    uint8_t *bytes = small_file(&size);
    for (size_t at = 40; at < size; at += size / 7) {
        memset(bytes + at, 0x5a, 32);
        put_file(below(file_of_a), bytes, size);
        unsigned before = count_files(below("damaged"));
        struct writer_status status = write_one(&build_a, &module_a, 5, 6);
        assert_null(status.why);
        if (!status.damaged) continue;  // nothing was at this place
        assert_int_equal(count_files(below("damaged")), before + 1);
        assert_true(has_one(&build_a, &module_a, 5, 6));
    }
    assert_true(count_files(below("damaged")) >= 3);
    free(bytes);
}

// Whatever else has the file's name.
static void what_is_in_the_way_is_moved_away(void **unused) {
    (void)unused;
    char path[PATH_MAX], other[PATH_MAX];
    write_one(&build_a, &module_a, 7, 1);
    snprintf(path, sizeof path, "%s", below(file_of_a));
    snprintf(other, sizeof other, "%s", below("other"));

    assert_int_equal(rename(path, other), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(has_one(&build_a, &module_a, 7, 1));
    assert_int_equal(write_one(&build_a, &module_a, 7, 2).damaged, 1);
    assert_true(has_one(&build_a, &module_a, 7, 2));

    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_false(has_one(&build_a, &module_a, 7, 1));
    assert_int_equal(write_one(&build_a, &module_a, 7, 3).damaged, 1);
    assert_true(has_one(&build_a, &module_a, 7, 3));

    assert_int_equal(link(path, below("second")), 0);
    assert_false(has_one(&build_a, &module_a, 7, 3));
    assert_int_equal(unlink(below("second")), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(has_one(&build_a, &module_a, 7, 3));
    assert_int_equal(write_one(&build_a, &module_a, 7, 4).damaged, 1);
    assert_true(has_one(&build_a, &module_a, 7, 4));
    assert_int_equal(count_files(below("damaged")), 3);

    assert_int_equal(chmod(path, 0620), 0);
    assert_false(has_one(&build_a, &module_a, 7, 4));
}

// ---- what sqlite thinks of it

static void check_integrity(sqlite3 *db) {
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
}

static uint32_t table_of(const struct btree_file *file, const char *name, struct btree_scratch *scratch) {
    uint32_t root;
    btree_tables(file, 1, &name, &root, scratch);
    return root;
}

// Each row, as sqlite reads it and as we do.
static unsigned compare_pieces(sqlite3 *db, const struct btree_file *file, struct btree_scratch *scratch) {
    sqlite3_stmt *s = NULL;
    unsigned rows = 0;
    uint32_t table = table_of(file, "piece", scratch);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT id, bytes FROM piece ORDER BY id", -1, &s, NULL), SQLITE_OK);
    for (; sqlite3_step(s) == SQLITE_ROW; rows++) {
        struct btree_row row;
        struct btree_value value = {0};
        int64_t id = sqlite3_column_int64(s, 0);
        assert_true(btree_seek(file, table, id, scratch, &row));
        assert_true(row.id == id && btree_column(&row, 1, &value) && value.type == BTREE_BLOB);
        assert_int_equal(value.size, sqlite3_column_bytes(s, 1));
        assert_memory_equal(value.bytes, sqlite3_column_blob(s, 1), value.size);
    }
    sqlite3_finalize(s);
    return rows;
}

static void sqlite_agrees_with_us(void **unused) {
    (void)unused;
    static struct btree_scratch scratch;
    uint64_t state = 3;
    sqlite3 *db;
    size_t size;
    memset(&model, 0, sizeof model);
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    for (unsigned i = 0; i < 1500; i++) model_add(&model, writer, &module_a, &state, SPACE);
    writer_close(writer);
    uint8_t *bytes = read_file(below(file_of_a), &size);
    const struct btree_file file = {.bytes = bytes, .size = size};
    assert_int_equal(sqlite3_open_v2(below(file_of_a), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    check_integrity(db);
    assert_true(compare_pieces(db, &file, &scratch) > 20);
    sqlite3_close(db);
    btree_scratch_free(&scratch);
    free(bytes);
}

// A table that sqlite made of rows of all sizes, with three levels of pages, whose schema is not the first one's.
static void any_table_is_read(void **unused) {
    (void)unused;
    static struct btree_scratch scratch;
    sqlite3 *db;
    sqlite3_int64 size;
    char text[1000];
    snprintf(
        text, sizeof text,
        "PRAGMA page_size=8192; PRAGMA application_id=%d; BEGIN; CREATE TABLE other(a); CREATE INDEX i ON other(a);"
        "CREATE TABLE piece(id INTEGER PRIMARY KEY, bytes BLOB, c, d);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
        "INSERT INTO piece SELECT i * 3 - 20000, randomblob(CASE WHEN i %% 500 = 0 THEN i * 9 ELSE i %% 2000 END), i * i * i, 'x' FROM n; COMMIT",
        FORMAT_APPLICATION);
    assert_int_equal(sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    uint8_t *bytes = sqlite3_serialize(db, "main", &size, 0);
    const struct btree_file file = {.bytes = bytes, .size = (uint64_t)size};
    uint32_t version;
    assert_true(btree_check(&file, FORMAT_APPLICATION, &version));
    assert_int_equal(version, 0);
    assert_int_equal(compare_pieces(db, &file, &scratch), 9000);
    uint32_t table = table_of(&file, "piece", &scratch);
    struct btree_row row;
    struct btree_value value;
    assert_true(btree_seek(&file, table, -19995, &scratch, &row));
    assert_int_equal(row.id, -19994);
    assert_true(btree_column(&row, 2, &value) && value.type == BTREE_INTEGER && value.integer == 8);
    assert_false(btree_seek(&file, table, 7001, &scratch, &row));
    assert_int_equal(table_of(&file, "pieces", &scratch), 0);
    assert_int_equal(table_of(&file, "i", &scratch), 0);
    sqlite3_free(bytes);
    sqlite3_close(db);
    btree_scratch_free(&scratch);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(records_come_back_and_newer_ones_replace_older),
        CASE(one_writer_writes_again_and_again),
        CASE(a_record_without_entries_goes),
        CASE(other_builds_and_modules_miss),
        CASE(what_cannot_be_a_record_is_refused),
        CASE(profiles_are_kept_beside_builds),
        CASE(systems_have_what_the_user_has_not),
        CASE(any_thread_may_open_modules),
        CASE(no_descriptor_stays),
        CASE(a_file_may_be_cut_while_it_is_used),
        CASE(files_are_read_where_they_cannot_be_mapped),
        CASE(flipped_bits_are_a_miss),
        CASE(cut_files_are_a_miss),
        CASE(mad_pages_end),
        CASE(damaged_files_are_moved_away),
        CASE(what_is_in_the_way_is_moved_away),
        CASE(sqlite_agrees_with_us),
        CASE(any_table_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
