// From results and the journal to the cache: see keep.h. Runners say which key code is kept under. Where this program, or the LLVM that it runs with, is not
// what that key is for, because one of them was replaced, nothing is kept of what it makes.
#include "aot/keep.h"
#include "aot/journal.h"
#include "aot/names.h"
#include "aot/regions.h"
#include "cache/key.h"
#include "cache/writer.h"
#include <pthread.h>
#include <string.h>

enum { LAST_SECONDS = 10 };

static struct writer *writer;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void put(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    (void)data;
    pthread_mutex_lock(&lock);
    if (writer) writer_add(writer, module, name, record);
    pthread_mutex_unlock(&lock);
}

static void put_profile(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    (void)data;
    pthread_mutex_lock(&lock);
    if (writer) writer_add_profile(writer, module, name, record);
    pthread_mutex_unlock(&lock);
}

void keep_begin(const struct channel *channel, const uint8_t *journal) {
    static char directory[CHANNEL_PATH], system[CHANNEL_PATH];
    memcpy(directory, channel->cache, sizeof directory - 1);
    memcpy(system, channel->system, sizeof system - 1);
    names_begin(channel->runner, (const char *)journal);
    uint64_t limit = channel->cache_bytes ? channel->cache_bytes : WRITER_LIMIT;
    if (!*directory || !key_is_this_build(&channel->build)) return;
    writer = writer_open(directory, &channel->build, limit);
    store_start(&(struct store_settings){.directory = directory, .system = channel->default_systems ? NULL : system},
                &channel->build);
    journal_begin(channel, journal, put, put_profile);
}

void keep_add(const struct channel_request *request, const struct channel_result *result, const uint8_t *arena) {
    if (!request->modules || request->block[0].module >= CHANNEL_MODULES) return;
    regions_give(request, result, arena, names_of(&request->module[request->block[0].module]), put, NULL);
}

void keep_last(struct compiler *compiler, const uint8_t *arena) {
    if (journal_end()) regions_compile(compiler, arena, LAST_SECONDS, put, NULL);
}

void keep_flush(void) {
    pthread_mutex_lock(&lock);
    if (writer) writer_flush(writer);
    pthread_mutex_unlock(&lock);
}

void keep_end(void) {
    journal_end();
    pthread_mutex_lock(&lock);
    if (writer) writer_close(writer);
    writer = NULL;
    pthread_mutex_unlock(&lock);
}
