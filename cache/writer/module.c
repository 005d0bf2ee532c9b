// One module's file: see module.h.
#include "cache/writer/module.h"
#include "cache/file.h"
#include "cache/writer/database.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEVEL = 3 };  // of zstd, at run time

// ---- what came

static bool is_record(const struct writer_record *r) {
    return r->count && r->size && r->size <= FORMAT_RECORD_MAX;
}

static bool copy_record(struct writer_record *to, const struct writer_record *from) {
    uint32_t *entries = malloc(from->count * sizeof *entries);
    uint8_t *bytes = malloc(from->size);
    if (!entries || !bytes) {
        free(entries);
        free(bytes);
        return false;
    }
    memcpy(entries, from->entries, from->count * sizeof *entries);
    memcpy(bytes, from->bytes, from->size);
    *to = *from;
    to->entries = entries;
    to->bytes = bytes;
    return true;
}

bool module_add(struct module *m, const struct writer_record *record) {
    if (!is_record(record)) return false;
    if (m->records == m->room) {
        size_t room = m->room ? 2 * m->room : 32;
        struct writer_record *grown = realloc(m->record, room * sizeof *grown);
        if (!grown) return false;
        m->record = grown;
        m->room = room;
    }
    if (!copy_record(&m->record[m->records], record)) return false;
    m->records++;
    return true;
}

void module_empty(struct module *m) {
    for (uint32_t i = 0; i < m->records; i++) {
        free((void *)(uintptr_t)m->record[i].entries);
        free((void *)(uintptr_t)m->record[i].bytes);
    }
    m->records = 0;
}

// ---- the file

static void file_name(const struct store_key *key, char name[DIRECTORY_HEX + 3]) {
    directory_hex(key, name);
    memcpy(name + DIRECTORY_HEX - 1, ".db", sizeof ".db");
}

const char *module_open(struct module_file *m, int folder, uint32_t owner, const struct store_key *build,
                        const struct store_key *key, struct snapshot_tools *tools) {
    char name[DIRECTORY_HEX + 3];
    struct snapshot_head head;
    *m = (struct module_file){0};
    file_name(key, name);
    const char *why = file_map(folder, name, owner, &m->file, &m->missing);
    if (why) {
        m->file = (struct btree_file){0};
        return why;
    }
    why = snapshot_check(&m->file, &m->other);
    if (!why && !snapshot_head(&m->file, 1, tools, &head)) why = "its table of modules is damaged";
    if (!why && (memcmp(&head.build, build, sizeof *build) || memcmp(&head.key, key, sizeof *key))) why = "it is another module's";
    if (!why) why = snapshot_open(&m->snapshot, &m->file, &head, tools);
    if (why) file_unmap(&m->file);
    return why;
}

void module_close(struct module_file *m, struct snapshot_tools *tools) {
    if (!m->file.bytes) return;
    snapshot_close(&m->snapshot, tools);
    file_unmap(&m->file);
}

// ---- merging

static bool add_all(struct draft *d, const struct module *m) {
    bool fine = !m->other || draft_take(d, m->other);
    for (uint32_t i = 0; fine && i < m->records; i++) fine = draft_add(d, &m->record[i]);
    d->build = m->build;
    d->key = m->key;
    d->name = strdup(m->name);
    return fine && d->name;
}

static struct module_result write_draft(struct draft *d, const struct disk *disk, int folder, const char *name) {
    struct module_result result = {.alone = true, .why = "it has too many records, or there is not enough memory"};
    size_t size;
    uint8_t *bytes = draft_pack(d, LEVEL) ? database_make(d, 1, 0, &size, &result.why) : NULL;
    if (!bytes) return result;
    bool durable = directory_is_profile(&d->build);
    result = (struct module_result){.why = disk_write(disk, folder, name, bytes, size, disk->mode & 0666, durable)};
    database_free(bytes);
    return result;
}

// Whether the file is the one that we wrote: its pieces were right then.
static bool is_ours(const struct module *m, int folder, const char *name) {
    struct disk_mark mark;
    return disk_mark(folder, name, &mark) && !memcmp(&mark, &m->mark, sizeof mark);
}

static struct module_result merge(struct module *m, const struct disk *disk, int folder, const char *name,
                                  struct snapshot_tools *tools) {
    struct module_result result = {0};
    struct draft d = {0};
    struct module_file old;
    const char *damage = module_open(&old, folder, disk->owner, &m->build, &m->key, tools);
    bool has_old = !damage;
    if (old.missing || old.other) damage = NULL;
    bool fine = (!has_old || draft_take(&d, &old.snapshot)) && add_all(&d, m);
    if (fine && has_old) damage = draft_keep(&d, &old.snapshot, is_ours(m, folder, name) ? DRAFT_OURS : DRAFT_OLD, tools);
    if (damage == draft_no_memory) fine = false;
    const char *why = fine ? NULL : draft_no_memory;
    if (fine && !damage && m->other) why = draft_keep(&d, m->other, DRAFT_FOREIGN, tools);
    if (why) result = (struct module_result){.alone = true, .why = why};
    else if (damage) result = (struct module_result){.quarantined = true, .why = disk_quarantine(disk, folder, name)};
    else result = write_draft(&d, disk, folder, name);
    draft_free(&d);
    module_close(&old, tools);
    return result;
}

struct module_result module_write(struct module *m, const struct disk *disk, struct snapshot_tools *tools) {
    char name[DIRECTORY_HEX + 3];
    struct module_result result = {0};
    int folder = disk_folder(disk, &m->build, true, &result.why);
    if (folder < 0) return result;
    file_name(&m->key, name);
    result = merge(m, disk, folder, name, tools);
    if (result.quarantined && !result.why) {
        result = merge(m, disk, folder, name, tools);
        result.quarantined = true;
    }
    if (!result.why) disk_mark(folder, name, &m->mark);
    close(folder);
    return result;
}
