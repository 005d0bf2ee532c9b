// Modules' names: see names.h. Those that were mapped since the start are in /proc/PID/maps (proc(5)), as long as the runner lives.
#include "aot/names.h"
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 256, LINE = PATH_MAX + 128 };

static uint32_t runner;
static char *at_start;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct store_key key;
    const char *name;
} known[NAMES];  // for good
static unsigned count;

void names_begin(uint32_t process, const char *maps) {
    runner = process;
    at_start = strndup(maps, CHANNEL_MAPS_BYTES);
}

// The path in a line that is about `address`, or NULL.
static char *path_in(char *line, uint64_t address) {
    uint64_t start, end;
    int path = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &start, &end, &path) < 2 || !path) return NULL;
    line[strcspn(line, "\n")] = 0;
    return address >= start && address < end && line[path] == '/' ? line + path : NULL;
}

static char *search(FILE *maps, uint64_t address) {
    char line[LINE];
    const char *found = NULL;
    while (maps && !found && fgets(line, sizeof line, maps)) found = path_in(line, address);
    char *name = found ? strdup(found) : NULL;
    if (maps) fclose(maps);
    return name;
}

static const char *find_name(const struct channel_module *module) {
    char path[64];
    char *name = at_start && *at_start ? search(fmemopen(at_start, strlen(at_start), "r"), module->start) : NULL;
    snprintf(path, sizeof path, "/proc/%" PRIu32 "/maps", runner);
    if (!name) name = search(fopen(path, "re"), module->start);
    return name ? name : "";
}

// NULL: it was not asked for before.
static const char *known_name(const struct channel_module *module) {
    const char *name = NULL;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < count && !name; i++) {
        if (!memcmp(&known[i].key, &module->key, sizeof module->key)) name = known[i].name;
    }
    pthread_mutex_unlock(&lock);
    return name;
}

static void note_name(const struct channel_module *module, const char *name) {
    pthread_mutex_lock(&lock);
    if (count < NAMES) {
        known[count].key = module->key;
        known[count++].name = name;
    }
    pthread_mutex_unlock(&lock);
}

const char *names_of(const struct channel_module *module) {
    const char *name = known_name(module);
    if (name) return name;
    name = find_name(module);
    note_name(module, name);
    return name;
}
