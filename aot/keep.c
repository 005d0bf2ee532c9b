// From results to the cache: see keep.h. Names of modules are for people: the file that the runner has mapped there, if it still says so.
#include "aot/keep.h"
#include "cache/record.h"
#include "cache/writer.h"
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct writer *writer;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t runner;

void keep_begin(const struct channel *channel) {
    static char directory[CHANNEL_PATH];
    memcpy(directory, channel->cache, sizeof directory - 1);
    runner = channel->runner;
    uint64_t limit = channel->cache_bytes ? channel->cache_bytes : WRITER_LIMIT;
    if (*directory) writer = writer_open(directory, &channel->build, limit);
}

// The path in a line of /proc/PID/maps that is about `address` (proc(5)), or NULL.
static char *path_in(char *line, uint64_t address) {
    uint64_t start, end;
    int path = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &start, &end, &path) < 2 || !path) return NULL;
    line[strcspn(line, "\n")] = 0;
    return address >= start && address < end && line[path] == '/' ? line + path : NULL;
}

static char *find_name(const struct channel_module *module) {
    char path[64], line[PATH_MAX + 128];
    snprintf(path, sizeof path, "/proc/%" PRIu32 "/maps", runner);
    FILE *maps = fopen(path, "re");
    const char *found = NULL;
    while (maps && !found && fgets(line, sizeof line, maps)) found = path_in(line, module->start);
    char *name = strdup(found ? found : "");
    if (maps) fclose(maps);
    return name;
}

// The same for a module that was asked for lately. For one thread.
static const char *name_of(const struct channel_module *module) {
    enum { NAMES = 64 };
    static struct {
        struct store_key key;
        char *name;
    } known[NAMES];
    static unsigned next;
    for (unsigned i = 0; i < NAMES; i++) {
        if (known[i].name && !memcmp(&known[i].key, &module->key, sizeof module->key)) return known[i].name;
    }
    unsigned at = next++ % NAMES;
    free(known[at].name);
    known[at].key = module->key;
    known[at].name = find_name(module);
    return known[at].name ? known[at].name : "";
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
    if (result->outcome != CHANNEL_MADE || !request->modules) return;
    size_t size = record_write(buffer, request, result, arena + result->at, hole);
    if (!size) return;
    const struct channel_module *module = &request->module[request->block[0].module];
    const struct writer_record record = {.kind = record_kind(request->mode, request->exact),
                                         .count = list_entries(request, entries),
                                         .entries = entries,
                                         .bytes = buffer,
                                         .size = (uint32_t)size};
    const char *name = name_of(module);
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
    pthread_mutex_lock(&lock);
    if (writer) writer_close(writer);
    writer = NULL;
    pthread_mutex_unlock(&lock);
}
