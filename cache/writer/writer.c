// What ferry-compiler adds, by module, until it is written: see writer.h.
#include "cache/writer.h"
#include "cache/writer/module.h"
#include "cache/writer/trouble.h"
#include "runtime/base/clock.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BURDEN = 50,             // a module's file is written for a part of this of the time at most
    PATIENCE = 5000000,      // microseconds that writer_close waits for others
    NAP = 5000,
    EVICT_EVERY = 60000000,  // microseconds, or
    EVICT_PART = 32,         // after having written this part of the limit
    EVICT_MORE = 5,          // then this part of it is made free
};

struct writer {
    struct disk disk;
    struct store_key build;
    uint64_t limit;
    struct module *modules;
    struct writer_status status;
    struct snapshot_tools tools;
    uint64_t unseen;     // bytes written since files were evicted
    uint64_t evicted_at;
    bool wrote;
};

static uint64_t now(void) {
    return clock_nanoseconds(CLOCK_MONOTONIC) / 1000;
}

struct writer *writer_open(const char *directory, const struct store_key *build, uint64_t limit) {
    struct writer *w = calloc(1, sizeof *w);
    bool missing;
    if (!w) return NULL;
    w->build = *build;
    w->limit = limit;
    w->status.why = disk_open(&w->disk, directory, geteuid(), DISK_MAKE, &missing);
    return w;
}

// ---- adding

static struct module *find_module(struct writer *w, const struct store_key *build, const struct store_key *key, const char *name) {
    struct module *m = w->modules;
    while (m && (memcmp(&m->key, key, sizeof *key) || memcmp(&m->build, build, sizeof *build))) m = m->next;
    if (m) return m;
    m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->name = strdup(name);
    m->build = *build;
    m->key = *key;
    m->next = w->modules;
    if (m->name) return w->modules = m;
    free(m);
    return NULL;
}

static bool add(struct writer *w, const struct store_key *build, const struct store_key *key, const char *name,
                const struct writer_record *record) {
    if (w->status.why) {
        w->status.dropped++;
        return true;
    }
    struct module *m = find_module(w, build, key, name);
    return m && module_add(m, record);
}

bool writer_add(struct writer *w, const struct store_key *module, const char *name, const struct writer_record *record) {
    return add(w, &w->build, module, name, record);
}

bool writer_add_profile(struct writer *w, const struct store_key *module, const char *name, const struct writer_record *record) {
    static const struct store_key profile;
    return add(w, &profile, module, name, record);
}

// ---- writing

// From now on nothing is kept; what waits is dropped.
static void give_up(struct writer *w, const char *why) {
    w->status.why = why;
    if (why) trouble_note(&w->disk, why);
    for (struct module *m = w->modules; m; m = m->next) {
        w->status.dropped += m->records;
        module_empty(m);
    }
}

static void write_module(struct writer *w, struct module *m) {
    uint64_t begin = now();
    struct module_result result = module_write(m, &w->disk, &w->tools);
    w->status.damaged += result.quarantined;
    if (result.why) {
        if (!result.alone) give_up(w, result.why);
        w->status.dropped += m->records;
        module_empty(m);
        return;
    }
    w->status.records += m->records;
    w->status.files++;
    w->unseen += m->mark.size;
    if (!w->wrote) trouble_note(&w->disk, NULL);
    w->wrote = true;
    module_empty(m);
    uint64_t end = now();
    m->due = end + BURDEN * (end - begin);
}

// False if another writer has one of the modules in hand.
static bool write_modules(struct writer *w, bool all) {
    bool done = true;
    for (struct module *m = w->modules; m && !w->status.why; m = m->next) {
        if (!m->records || (!all && now() < m->due)) continue;
        if (!disk_lock(&w->disk, &m->build, &m->key)) {
            if (w->disk.why) give_up(w, w->disk.why);
            done = false;
            continue;
        }
        write_module(w, m);
        disk_unlock(&w->disk, &m->build, &m->key);
    }
    return done;
}

// One writer at a time, so that two do not both make room for the same.
static void evict(struct writer *w) {
    static const struct store_key none;
    if (!disk_lock(&w->disk, &none, &none)) return;
    struct disk_evicted evicted = disk_evict(&w->disk, w->limit, w->limit - w->limit / EVICT_MORE);
    trouble_note_removed(&w->disk, evicted.damaged);
    w->status.evicted += evicted.code;
    w->evicted_at = now();
    w->unseen = 0;
    disk_clean(&w->disk);
    disk_unlock(&w->disk, &none, &none);
}

static void write_now(struct writer *w, bool all) {
    write_modules(w, all);
    bool due = now() - w->evicted_at > EVICT_EVERY || w->unseen > w->limit / EVICT_PART;
    if (w->wrote && !w->status.why && due) evict(w);
}

void writer_flush(struct writer *w) {
    write_now(w, false);
}

void writer_write(struct writer *w) {
    write_now(w, true);
}

const struct writer_status *writer_status(const struct writer *w) {
    return &w->status;
}

// ---- ending

static void free_modules(struct writer *w) {
    for (struct module *m = w->modules, *next; m; m = next) {
        next = m->next;
        module_empty(m);
        free(m->record);
        free(m->name);
        free(m);
    }
}

static void finish(struct writer *w) {
    uint64_t begin = now();
    while (!write_modules(w, true) && !w->status.why && now() - begin < PATIENCE) usleep(NAP);
    if (!w->status.why) give_up(w, NULL);
    if (w->unseen && !w->status.why) evict(w);
}

void writer_close(struct writer *w) {
    finish(w);
    free_modules(w);
    disk_close(&w->disk);
    snapshot_tools_free(&w->tools);
    free(w);
}
