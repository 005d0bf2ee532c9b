// Fuzzes what is done with bundles that somebody made: opened, checked, imported. The first byte says what the rest is: a database, changes to one that is right, or changes to an
// index, whose checksum is right afterwards; in each case there is a right seal behind it. What is checked besides the sanitizers is that what was imported is whole.
#include "cache/writer/bundle.h"
#include "cache/writer/database.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS = 12, RECORD_BYTES = 6000 };

static const struct store_key build = {{0xb1}}, module = {{0x01}};
static char directory[] = "/tmp/ferry-fuzz-bundle-XXXXXX";
static char path[64];
static int memory;
static struct disk disk;

static void require(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz_bundle: %s\n", what);
    abort();
}

// ---- a bundle that is right

// Its pieces stay in the draft; the index is piece 0.
static void make_draft(struct draft *d) {
    static uint8_t bytes[RECORDS][RECORD_BYTES];
    d->build = build;
    d->key = module;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint32_t state = i + 1;
        for (unsigned n = 0; n < RECORD_BYTES; n++) bytes[i][n] = (uint8_t)((state = state * 1103515245 + 12345) >> 16);
        const struct writer_record record = {.kind = i % 3, .count = 1, .entries = &i, .bytes = bytes[i], .size = RECORD_BYTES};
        require(draft_add(d, &record), "no record");
    }
    require(draft_pack(d, 3), "no pieces");
}

static void end(void) {
    disk_close(&disk);
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    require(system(command) == 0, "the directory stays");
}

static struct draft *begin(void) {
    static struct draft draft;
    bool missing;
    if (draft.pieces) return &draft;
    make_draft(&draft);
    memory = memfd_create("bundle", MFD_CLOEXEC);
    require(memory >= 0 && mkdtemp(directory), "no place for files");
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    require(!disk_open(&disk, directory, geteuid(), DISK_MAKE, &missing), "no directory");
    atexit(end);
    return &draft;
}

// ---- what comes of one

// What is there now, whoever says that all is well, and nothing of it afterwards.
static void look_at_files(bool imported) {
    struct snapshot_tools tools = {0};
    struct disk_list list;
    require(disk_list(&disk, &list), "no list");
    for (uint32_t i = 0; i < list.count; i++) {
        struct module_file opened;
        const char *why;
        int folder = disk_folder(&disk, &list.file[i].build, false, &why);
        why = module_open(&opened, folder, disk.owner, &list.file[i].build, &list.file[i].module, &tools);
        require(!why, "what was imported is damaged");
        for (uint32_t n = 1; n <= opened.snapshot.pieces; n++)
            require(snapshot_try(&opened.snapshot, n, &tools), "a piece that was imported is damaged");
        module_close(&opened, &tools);
        close(folder);
        disk_remove(&disk, &list.file[i]);
    }
    require(list.count || !imported, "nothing was imported");
    disk_list_free(&list);
    snapshot_tools_free(&tools);
}

static void take(const uint8_t *bytes, size_t size) {
    struct format_seal seal;
    struct bundle_file bundle;
    struct bundle_result result;
    require(!seal_make(bytes, size, NULL, &seal), "no seal");
    bool written = !ftruncate(memory, 0) && pwrite(memory, bytes, size, 0) == (ssize_t)size &&
                   pwrite(memory, &seal, sizeof seal, (off_t)size) == (ssize_t)sizeof seal;
    require(written, "no memory");
    if (!bundle_open(&bundle, path) && !bundle_check(&bundle, NULL, NULL)) {
        const char *why = bundle_import(&bundle, &disk, &result);
        look_at_files(!why);
    }
    bundle_close(&bundle);
}

// ---- changes

// Four bytes each: where, and what to. Most changes are where pages begin.
static void take_changed(struct draft *d, const uint8_t *data, size_t size) {
    static uint8_t *made, *copy;
    static size_t made_size;
    const char *why;
    if (!made) made = database_make(d, 1, 0, &made_size, &why), copy = malloc(made_size);
    require(made && copy, "no database");
    memcpy(copy, made, made_size);
    for (; size >= 4; data += 4, size -= 4) {
        size_t at = (size_t)data[0] << 8 | data[1];
        copy[(data[2] & 1 ? at : at / 64 * FORMAT_PAGE + at % 64) % made_size] = data[3];
    }
    take(copy, made_size);
}

// Five bytes each: which number of the index, and what to; a last one with fewer says how long the index is to be.
static void take_index(const struct draft *right, const uint8_t *data, size_t size) {
    static uint8_t index[4096], packed[8192];
    struct draft d = *right;
    struct draft_piece pieces[32];
    size_t bytes = right->piece[0].about.size, made;
    const char *why;
    require(bytes <= sizeof index && right->pieces <= 32, "no room");
    require(ZSTD_decompress(index, sizeof index, right->piece[0].packed, right->piece[0].packed_size) == bytes, "no index");
    for (; size >= 5; data += 5, size -= 5) memcpy(index + data[0] * 4U % (bytes - 3), data + 1, sizeof(uint32_t));
    if (size == 1) bytes = bytes * data[0] / 255;
    memcpy(pieces, right->piece, right->pieces * sizeof *pieces);
    d.piece = pieces;
    pieces[0].packed = packed;
    pieces[0].packed_size = ZSTD_compress(packed, sizeof packed, index, bytes, 1);
    pieces[0].about.size = (uint32_t)bytes;
    snapshot_checksum(index, bytes, pieces[0].about.checksum);
    uint8_t *database = database_make(&d, 1, 0, &made, &why);
    require(database, "no database");
    take(database, made);
    database_free(database);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct draft *draft = begin();
    if (!size) return 0;
    switch (data[0] % 3) {
    case 0: take(data + 1, size - 1); break;
    case 1: take_changed(draft, data + 1, size - 1); break;
    default: take_index(draft, data + 1, size - 1);
    }
    return 0;
}
