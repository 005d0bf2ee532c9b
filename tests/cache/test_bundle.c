// Bundles: what comes back, that the same records make the same bytes, that nothing can be changed unnoticed; and keys, and who is believed.
#include "tests/cache/store_files.h"
#include "cache/writer/bundle.h"
#include "cache/writer/database.h"
#include "cache/writer/disk.h"
#include "cache/writer/keys.h"
#include <sys/resource.h>
#include <zstd.h>

static const struct seal_secret *new_secret(void) {
    static struct seal_secret secret;
    char path[PATH_MAX], public[PATH_MAX + 8];
    uint8_t key[32];
    snprintf(path, sizeof path, "%s/key", home);
    snprintf(public, sizeof public, "%s.pub", path);
    assert_null(keys_generate(path, key));
    assert_null(keys_secret(path, &secret));
    assert_memory_equal(secret.byte + 32, key, sizeof key);
    unlink(path);
    unlink(public);
    return &secret;
}

static struct model model, model_b;

// All files of the directory as one bundle, signed if there is a key.
static const char *export(const char *path, bool backwards, const struct seal_secret *secret) {
    static struct snapshot_tools tools;
    struct bundle bundle = {.secret = secret};
    struct disk_list list;
    struct disk disk;
    bool missing;
    const char *why = disk_open(&disk, root, geteuid(), DISK_AS_IT_IS, &missing);
    assert_null(why);
    assert_true(disk_list(&disk, &list));
    for (uint32_t i = 0; !why && i < list.count; i++) {
        const struct disk_file *file = &list.file[backwards ? list.count - 1 - i : i];
        struct module_file opened;
        int folder = disk_folder(&disk, &file->build, false, &why);
        assert_true(folder >= 0);
        why = module_open(&opened, folder, geteuid(), &file->build, &file->module, &tools);
        if (!why) why = bundle_add(&bundle, &opened.snapshot, &tools);
        module_close(&opened, &tools);
        close(folder);
    }
    if (!why) why = bundle_write(&bundle, path);
    bundle_free(&bundle);
    disk_list_free(&list);
    disk_close(&disk);
    return why;
}

// The same records, written in lots of `lot`.
static void write_model(unsigned lot) {
    uint64_t state = 11;
    memset(&model, 0, sizeof model);
    memset(&model_b, 0, sizeof model_b);
    for (unsigned i = 0; i < 600; i += lot) {
        struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
        for (unsigned n = 0; n < lot; n++) {
            model_add(&model, writer, &module_a, &state, 2000);
            model_add(&model_b, writer, &module_b, &state, 2000);
        }
        writer_close(writer);
    }
}

static const char *import(const char *path, struct bundle_result *result) {
    struct disk disk;
    bool missing;
    assert_null(disk_open(&disk, root, geteuid(), DISK_MAKE, &missing));
    struct bundle_file bundle;
    const char *why = bundle_open(&bundle, path);
    if (!why) why = bundle_check(&bundle, NULL, NULL);
    if (!why) why = bundle_import(&bundle, &disk, result);
    bundle_close(&bundle);
    disk_close(&disk);
    return why;
}

static void bundles_come_back_and_are_reproducible(void **unused) {
    (void)unused;
    char path[2][PATH_MAX];
    uint8_t *bytes[2];
    size_t size[2];
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/%u.bundle", home, i);
        write_model(i ? 600 : 50);
        assert_null(export(path[i], i, NULL));
        bytes[i] = read_file(path[i], &size[i]);
        remove_root();
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    struct bundle_result result = {0};
    assert_null(import(path[0], &result));
    assert_int_equal(result.modules, 2);
    start_reader(&build_a);
    model_check(&model, &module_a, 1);
    model_check(&model_b, &module_b, 1);
    // Once more changes nothing, and what was there stays where the bundle has nothing.
    write_one(&build_a, &module_a, SPACE + 1, 3);
    assert_null(import(path[0], &result));
    model_check(&model, &module_a, 1);
    assert_true(has_one(&build_a, &module_a, SPACE + 1, 3));
    for (unsigned i = 0; i < 2; i++) {
        unlink(path[i]);
        free(bytes[i]);
    }
}

// The same record for entries in one go or one by one, after others or not.
static void write_entries(bool one_by_one) {
    struct writer *writer = writer_open(root, &build_a, WRITER_LIMIT);
    const uint32_t entries[] = {5, 40, 7, 300};
    struct writer_record record = numbered(1, 2, entries, 4);
    for (uint32_t i = 0; one_by_one && i < 4; i++) {
        const struct writer_record before = numbered(50 + i, 2, entries, 1 + i);
        assert_true(writer_add(writer, &module_a, "/usr/lib/thing", &before));
        writer_flush(writer);
    }
    if (!one_by_one) assert_true(writer_add(writer, &module_a, "/opt/thing", &record));
    for (uint32_t i = 0; one_by_one && i < 4; i++) {
        record = numbered(1, 2, &entries[3 - i], 1);
        assert_true(writer_add(writer, &module_a, "/usr/lib/thing", &record));
    }
    writer_close(writer);
}

static void records_that_are_the_same_are_one(void **unused) {
    (void)unused;
    char path[PATH_MAX];
    uint8_t *bytes[2];
    size_t size[2];
    snprintf(path, sizeof path, "%s/bundle", home);
    for (unsigned i = 0; i < 2; i++) {
        write_entries(i);
        assert_null(export(path, false, NULL));
        bytes[i] = read_file(path, &size[i]);
        remove_root();
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    struct bundle_result result = {0};
    assert_null(import(path, &result));
    assert_int_equal(result.places, 4);
    start_reader(&build_a);
    struct store_module *module = store_open(&module_a);
    struct store_record record;
    assert_non_null(module);
    assert_true(store_find(module, 40, 2, &record) && is_record(&record, 1));
    store_close(module);
    unlink(path);
    free(bytes[0]);
    free(bytes[1]);
}

// Whatever is changed or cut off is found.
static void refuse(const char *path, uint8_t *bytes, size_t size) {
    struct bundle_file bundle;
    put_file(path, bytes, size);
    if (!bundle_open(&bundle, path)) fail_msg("a damaged bundle of %zu bytes was believed", size);
}

static void flip(const char *path, uint8_t *bytes, size_t size, size_t at, uint8_t bits) {
    bytes[at] ^= bits;
    refuse(path, bytes, size);
    bytes[at] ^= bits;
}

static void check_all_damage(const struct seal_secret *secret) {
    char path[PATH_MAX];
    size_t size;
    struct bundle_file bundle;
    snprintf(path, sizeof path, "%s/bundle", home);
    write_one(&build_a, &module_a, 1, 1);
    write_one(&build_a, &module_b, 1, 1);
    assert_null(export(path, false, secret));
    remove_root();
    uint8_t *bytes = read_file(path, &size);
    for (size_t at = 0; at < size - sizeof(struct format_seal); at += 61) flip(path, bytes, size, at, 0x10);
    for (size_t at = size - sizeof(struct format_seal); at < size; at++)
        for (unsigned bit = 0; bit < 8; bit++) flip(path, bytes, size, at, (uint8_t)(1U << bit));
    for (size_t cut = 1; cut <= size; cut += cut < 400 ? 1 : 997) refuse(path, bytes, size - cut);
    put_file(path, bytes, size);
    assert_null(bundle_open(&bundle, path));
    assert_int_equal(seal_is_signed(&bundle.seal), secret != NULL);
    if (secret) assert_memory_equal(bundle.seal.key, secret->byte + 32, 32);
    bundle_close(&bundle);
    unlink(path);
    free(bytes);
}

static void damaged_bundles_are_refused(void **unused) {
    (void)unused;
    struct bundle_file bundle;
    check_all_damage(NULL);
    check_all_damage(new_secret());
    assert_string_equal(bundle_open(&bundle, "/dev/null/none"), "there is none");
    assert_string_equal(bundle_open(&bundle, "/dev/null"), "it is no file");
}

// Well sealed, and yet nonsense: whoever makes a bundle may seal it.
static void sealed_nonsense_is_refused(void **unused) {
    (void)unused;
    char path[PATH_MAX];
    size_t size;
    unsigned refused = 0;
    snprintf(path, sizeof path, "%s/bundle", home);
    write_one(&build_a, &module_a, 1, 1);
    write_one(&build_a, &module_b, 1, 1);
    assert_null(export(path, false, NULL));
    remove_root();
    uint8_t *bytes = read_file(path, &size);
    for (size_t at = 100; at < size - sizeof(struct format_seal); at += 61) {
        struct format_seal seal;
        struct bundle_result result = {0};
        bytes[at] ^= 0x10;
        assert_null(seal_make(bytes, size - sizeof seal, NULL, &seal));
        memcpy(bytes + size - sizeof seal, &seal, sizeof seal);
        put_file(path, bytes, size);
        bool right = !import(path, &result);
        refused += !right;
        if (right) assert_true(has_one(&build_a, &module_a, 1, 1) && has_one(&build_a, &module_b, 1, 1));
        else assert_int_equal(count_files(below("code")), 0);
        remove_root();
        bytes[at] ^= 0x10;
    }
    assert_true(refused > 10);
    unlink(path);
    free(bytes);
}

// ---- bombs

enum { MEGABYTE = 1 << 20, BOMB_PIECES = 64, MOST_PIECES = 200 };

// A module whose pieces are as they are given; each has one record, at its start.
static void give_piece(struct draft *d, const struct format_piece *about, const uint8_t *packed, size_t size, uint32_t record) {
    uint32_t number = d->pieces ? d->pieces : 1;
    if (!d->pieces) {
        d->piece = calloc(MOST_PIECES, sizeof *d->piece);
        d->record = calloc(MOST_PIECES, sizeof *d->record);
        d->claim = calloc(MOST_PIECES, sizeof *d->claim);
        d->piece_room = d->record_room = d->claim_room = MOST_PIECES;
    }
    assert_true(d->piece && d->record && d->claim && number < MOST_PIECES);
    d->pieces = number + 1;
    d->piece[number] = (struct draft_piece){.about = *about, .packed = malloc(size), .packed_size = size};
    memcpy(d->piece[number].packed, packed, size);
    d->record[d->records] = (struct draft_record){.size = record, .piece = number};
    d->claim[d->claims++] = (struct draft_claim){number, 1, d->records++};
}

static uint8_t *pack_bytes(const uint8_t *bytes, size_t size, struct format_piece *about, size_t *packed) {
    uint8_t *made = malloc(ZSTD_compressBound(size));
    assert_non_null(made);
    *packed = ZSTD_compress(made, ZSTD_compressBound(size), bytes, size, 3);
    assert_false(ZSTD_isError(*packed));
    about->size = (uint32_t)size;
    snapshot_checksum(bytes, size, about->checksum);
    return made;
}

// `count` pieces of so many megabytes of zeros, with records of so many bytes.
static void give_zeros(struct draft *d, unsigned count, size_t megabytes, uint32_t record) {
    uint8_t *zeros = calloc(megabytes, MEGABYTE);
    struct format_piece about;
    size_t packed;
    uint8_t *made = pack_bytes(zeros, megabytes * MEGABYTE, &about, &packed);
    for (unsigned i = 0; i < count; i++) give_piece(d, &about, made, packed, record);
    free(zeros);
    free(made);
}

static uint8_t *random_bytes(size_t size) {
    uint8_t *bytes = malloc(size);
    uint64_t state = 9;
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)random_next(&state);
    return bytes;
}

static void seal_file(const char *path, uint8_t *bytes, size_t size) {
    struct format_seal seal;
    assert_null(seal_make(bytes, size, NULL, &seal));
    memcpy(bytes + size, &seal, sizeof seal);
    put_file(path, bytes, size + sizeof seal);
}

static uint8_t *make_bomb(struct draft *d, size_t *size) {
    const char *why;
    d->build = build_a;
    d->key = module_a;
    assert_true(draft_pack(d, 3));
    uint8_t *bytes = database_make(d, 1, sizeof(struct format_seal), size, &why);
    assert_non_null(bytes);
    draft_free(d);
    return bytes;
}

// Imports it in a process of its own, which may take so many megabytes for that. What it says.
static const char *import_bomb(const char *path, long megabytes) {
    static char said[128];
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (!child) {
        struct bundle_result result = {0};
        struct rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        const char *why = import(path, &result);
        getrusage(RUSAGE_SELF, &after);
        if ((after.ru_maxrss - before.ru_maxrss) / 1024 > megabytes) why = "it took too much memory";
        if (!why) why = "taken";
        _exit(write(pipes[1], why, strlen(why)) < 0);
    }
    close(pipes[1]);
    ssize_t length = read(pipes[0], said, sizeof said - 1);
    said[length > 0 ? length : 0] = 0;
    close(pipes[0]);
    waitpid(child, NULL, 0);
    return said;
}

static const char *import_draft(struct draft *d, long megabytes) {
    char path[PATH_MAX];
    size_t size;
    snprintf(path, sizeof path, "%s/bomb", home);
    uint8_t *bytes = make_bomb(d, &size);
    seal_file(path, bytes, size);
    database_free(bytes);
    const char *said = import_bomb(path, megabytes);
    unlink(path);
    return said;
}

// What a bundle says of itself does not decide how much memory it takes.
static void bombs_are_defused(void **unused) {
    (void)unused;
    struct draft d = {0};
    give_zeros(&d, BOMB_PIECES, 16, 8);  // 1 GB
    assert_string_equal(import_draft(&d, 100), "one of its pieces is missing, or would take too much room");
    // Few enough to be believed.
    give_zeros(&d, 3, 16, 8);
    assert_string_equal(import_draft(&d, 200), "taken");
    remove_root();
    // One piece, of which each kind of records there is has one.
    give_zeros(&d, 1, 16, 16 * MEGABYTE);
    for (unsigned i = 1; i < 100; i++) {
        d.record[i] = (struct draft_record){.size = 16 * MEGABYTE, .kind = i, .piece = 1};
        d.claim[i] = (struct draft_claim){1, i + 1, i};
    }
    d.records = d.claims = 100;
    assert_string_equal(import_draft(&d, 100), "its records lie over each other");
    // As many as the rest of the bundle makes believable: records of which next to nothing is to be kept, so that their pieces are made anew; and whole ones.
    for (unsigned whole = 0; whole < 2; whole++) {
        struct format_piece about;
        size_t packed, size = 5 * MEGABYTE;
        uint8_t *bytes = random_bytes(size), *made = pack_bytes(bytes, size, &about, &packed);
        give_piece(&d, &about, made, packed, (uint32_t)size);
        give_zeros(&d, 20, 16, whole ? 16 * MEGABYTE : 8);
        assert_string_equal(import_draft(&d, whole ? 100 : 400), whole ? "taken" : "its records lie in too many pieces");
        remove_root();
        free(bytes);
        free(made);
    }
}

enum { SHARED = 40, STEP = FORMAT_PAGE - 4, LONGER = 110 };  // STEP: bytes of a payload on a page of its own

// A row of the pieces' table in a page: how many bytes there are from its payload's size to its row number and from its payload to the number of the page where that goes on.
struct row {
    uint8_t *at;
    size_t head, local;
    uint64_t id;
};

static uint64_t take_number(uint8_t **at) {
    uint64_t value = 0;
    do value = value << 7 | (**at & 0x7f);
    while (*(*at)++ & 0x80);
    return value;
}

static void find_rows(uint8_t *bytes, size_t size, struct row rows[SHARED + 1]) {
    enum { LEAF = 13, LEAST_LOCAL = (FORMAT_PAGE - 12) * 32 / 255 - 23, MOST_LOCAL = FORMAT_PAGE - 35 };
    for (uint8_t *page = bytes + FORMAT_PAGE; page < bytes + size; page += FORMAT_PAGE) {
        unsigned cells = (unsigned)page[3] << 8 | page[4];
        for (unsigned i = 0; page[0] == LEAF && i < cells && cells < SHARED + 1; i++) {
            struct row row = {.at = page + ((unsigned)page[8 + 2 * i] << 8 | page[9 + 2 * i])};
            uint8_t *at = row.at;
            uint64_t payload = take_number(&at);
            row.head = (size_t)(at - row.at);
            row.id = take_number(&at);
            row.local = LEAST_LOCAL + (payload - LEAST_LOCAL) % STEP;
            if (row.local > MOST_LOCAL) row.local = LEAST_LOCAL;
            uint64_t number = row.id - (UINT64_C(1) << FORMAT_PIECE_BITS);
            if (number >= 1 && number <= SHARED && payload > MOST_LOCAL) rows[number] = row;
        }
    }
}

// Many rows whose bytes are those of the first: the database is small, and what becomes of it would not be.
static void shared_bytes_are_refused(void **unused) {
    (void)unused;
    char path[PATH_MAX];
    struct draft d = {0};
    struct format_piece about;
    struct row rows[SHARED + 1] = {0};
    size_t packed, size, content = 900 << 10;
    uint8_t *bytes = random_bytes(content), *made = pack_bytes(bytes, content, &about, &packed);
    for (unsigned i = 0; i < SHARED; i++) give_piece(&d, &about, made, i ? packed - LONGER * STEP : packed, 8);
    free(bytes);
    free(made);
    bytes = make_bomb(&d, &size);
    find_rows(bytes, size, rows);
    for (unsigned i = 2; i <= SHARED; i++) {
        uint8_t *from = rows[1].at, *to = rows[i].at;
        assert_true(from && to && rows[i].head == rows[1].head && rows[i].local == rows[1].local);
        memcpy(to, from, rows[1].head);
        take_number(&from), take_number(&from);
        take_number(&to), take_number(&to);
        memcpy(to, from, rows[1].local + 4);
    }
    snprintf(path, sizeof path, "%s/shared", home);
    seal_file(path, bytes, size);
    assert_true(size < SHARED * content / 10);
    assert_string_equal(import_bomb(path, 100), "one of its pieces is missing, or would take too much room");
    unlink(path);
    database_free(bytes);
}

// ---- keys

static void put_text(const char *path, const char *text, unsigned mode) {
    put_file(path, (const uint8_t *)text, strlen(text));
    assert_int_equal(chmod(path, mode), 0);
}

static void secret_keys_are_nobody_elses(void **unused) {
    (void)unused;
    char path[PATH_MAX], public[PATH_MAX + 8];
    struct seal_secret secret;
    struct stat about;
    uint8_t key[32], other[32];
    size_t size;
    snprintf(path, sizeof path, "%s/key", home);
    snprintf(public, sizeof public, "%s.pub", path);
    umask(0);
    assert_null(keys_generate(path, key));
    umask(022);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_int_equal(stat(public, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0644);
    assert_non_null(keys_generate(path, other));  // never over another
    assert_null(keys_secret(path, &secret));
    for (unsigned bit = 1; bit <= 040; bit <<= 1) {
        chmod(path, 0600 | bit);
        assert_non_null(keys_secret(path, &secret));
    }
    chmod(path, 0600);
    char *text = (char *)read_file(path, &size);
    text[size] = 0;
    for (size_t at = 0; at + 1 < size; at++) {
        text[at] ^= 1;
        put_text(path, text, 0600);
        assert_non_null(keys_secret(path, &secret));
        text[at] ^= 1;
    }
    assert_non_null(keys_secret(public, &secret));
    assert_non_null(keys_secret("/dev/null", &secret));
    free(text);
    unlink(path);
    unlink(public);
}

static unsigned refusals;
static void count_refusal(const char *path, const char *why) {
    (void)path, (void)why;
    refusals++;
}

static bool believes(const char *list, const uint8_t key[32]) {
    char path[PATH_MAX];
    refusals = 0;
    return keys_find(list, key, path, sizeof path, count_refusal);
}

static void who_is_believed(void **unused) {
    (void)unused;
    char folder[PATH_MAX - 16], path[PATH_MAX], line[256], list[3 * PATH_MAX];
    char text[KEYS_TEXT];
    const struct seal_secret *secret = new_secret();
    uint8_t key[32], other[32] = {1};
    memcpy(key, secret->byte + 32, sizeof key);
    snprintf(folder, sizeof folder, "%s/keys", home);
    snprintf(path, sizeof path, "%s/one.pub", folder);
    snprintf(list, sizeof list, "/none/at/all::%s:", folder);
    assert_false(believes(list, key));
    assert_int_equal(mkdir(folder, 0755), 0);
    keys_text(key, text);
    snprintf(line, sizeof line, "# a comment\nferry-public-key ed25519 %s of somebody\nferry-public-key ed25519 %.42s=\n", text,
             text);
    put_text(path, line, 0644);
    assert_true(believes(list, key));
    assert_false(believes(list, other));
    assert_true(believes(path, key));
    assert_false(believes("", key));
    assert_int_equal(refusals, 0);
    for (unsigned bit = 020; bit; bit = bit == 020 ? 02 : 0) {
        chmod(path, 0644 | bit);
        assert_false(believes(list, key));
        assert_int_equal(refusals, 1);
        chmod(path, 0644);
        chmod(folder, 0755 | bit);
        assert_false(believes(list, key));
        assert_int_equal(refusals, 1);
        chmod(folder, 0755);
    }
    if (!geteuid()) {
        assert_int_equal(chown(path, 12345, 0), 0);
        assert_false(believes(list, key));
        assert_int_equal(chown(path, 0, 0), 0);
        assert_int_equal(chown(folder, 12345, 0), 0);
        assert_false(believes(list, key));
        assert_int_equal(chown(folder, 0, 0), 0);
    }
    // Only what is called *.pub, and no symbolic links.
    char elsewhere[PATH_MAX];
    snprintf(elsewhere, sizeof elsewhere, "%s/one.old", folder);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_false(believes(list, key));
    assert_int_equal(symlink("one.old", path), 0);
    assert_false(believes(list, key));
    assert_int_equal(refusals, 1);
    unlink(path);
    unlink(elsewhere);
    rmdir(folder);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(bundles_come_back_and_are_reproducible),
        CASE(records_that_are_the_same_are_one),
        CASE(damaged_bundles_are_refused),
        CASE(sealed_nonsense_is_refused),
        CASE(bombs_are_defused),
        CASE(shared_bytes_are_refused),
        CASE(secret_keys_are_nobody_elses),
        CASE(who_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
