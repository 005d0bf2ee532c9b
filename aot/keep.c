// From results and the journal to the cache: see keep.h. Runners say which key code is kept under. Where this program, or the LLVM that it runs with, is not
// what that key is for, because one of them was replaced, nothing is kept of what it makes.
#include "aot/keep.h"
#include "aot/journal.h"
#include "aot/names.h"
#include "cache/key.h"
#include "cache/record.h"
#include "cache/writer.h"
#include "translator/llvm/jit.h"
#include <pthread.h>
#include <string.h>

static struct writer *writer;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void put_sheet(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    (void)data;
    pthread_mutex_lock(&lock);
    if (writer) writer_add(writer, module, name, record);
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
    journal_begin(channel, journal, put_sheet);
}

// The places in the first block's module by which the region can be entered.
static uint32_t list_entries(const struct channel_request *request, uint32_t entries[CHANNEL_BLOCKS]) {
    const struct channel_module *module = &request->module[request->block[0].module];
    uint32_t count = 0;
    for (unsigned i = 0; i < request->blocks; i++) {
        const struct channel_block *block = &request->block[i];
        if (block->entry && block->module == request->block[0].module) entries[count++] = (uint32_t)(block->pc - module->start);
    }
    return count;
}

void keep_add(const struct channel_request *request, const struct channel_result *result, const uint8_t *arena) {
    static uint8_t buffer[RECORD_MAX_BYTES];
    const struct image_hole *hole = (const struct image_hole *)(arena + result->list_at);
    uint32_t entries[CHANNEL_BLOCKS];
    if (result->outcome != CHANNEL_MADE || !request->modules || !jit_is_as_built()) return;
    size_t size = record_write(buffer, request, result, arena + result->at, hole);
    if (!size) return;
    const struct channel_module *module = &request->module[request->block[0].module];
    const struct writer_record record = {.kind = record_kind(request->mode, request->exact),
                                         .count = list_entries(request, entries),
                                         .entries = entries,
                                         .bytes = buffer,
                                         .size = (uint32_t)size};
    const char *name = names_of(module);
    pthread_mutex_lock(&lock);
    if (writer) writer_add(writer, &module->key, name, &record);
    pthread_mutex_unlock(&lock);
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
