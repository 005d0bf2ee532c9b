// Gathers values from command line, environment and configuration file. A value of a higher origin replaces one of a lower;
// lists keep all. This runs before every guest program, so: one walk over the environment, one open and read for the file, no
// malloc, no stdio.
#include "runtime/cli/cli.h"
#include "runtime/base/io.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

struct setting setting[OPTION_COUNT];
struct arena cli_arena;

extern char **environ;

static const char *copy(const char *text, size_t length) {
    char *to = cli_alloc(length + 1);
    memcpy(to, text, length);
    return to;
}

static bool refuse(const struct option_row *row, const char *value, enum origin origin, const char *where, const char *why) {
    switch (origin) {
    case ORIGIN_FILE: error_say("%s: %s = %s: %s", where, row->name, value, why); break;
    case ORIGIN_COMMAND_LINE: error_say("%s %s: %s", where, value, why); break;
    default: error_say("environment variable %s=%s: %s", where, value, why);
    }
    return false;
}

static bool put_flag(int option, const char *value, enum origin origin, const char *where) {
    bool on;
    if (origin == ORIGIN_QEMU_VARIABLE) on = true;  // there it counts that the variable exists
    else if (!flag_parse(value, &on)) return refuse(&option_table[option], value, origin, where, "want on or off");
    setting[option] = (struct setting){.value = on ? "on" : "off", .origin = origin, .where = where};
    return true;
}

static bool checked(int option, const char *value, enum origin origin, const char *where) {
    char message[600] = "";
    struct text why = TEXT_ON(message);
    if (option_table[option].check(value, &why)) return true;
    return refuse(&option_table[option], value, origin, where, message);
}

static bool put_item(int option, const char *value, enum origin origin, const char *where) {
    if (!checked(option, value, origin, where)) return false;
    struct setting_item *item = cli_alloc(sizeof *item), **end = &setting[option].items;
    while (*end) end = &(*end)->next;
    *item = (struct setting_item){.value = value, .origin = origin};
    *end = item;
    if (origin >= setting[option].origin) {
        setting[option].origin = origin;
        setting[option].where = where;
    }
    return true;
}

static bool put_list(int option, const char *value, enum origin origin, const char *where, bool split) {
    if (!split) return put_item(option, value, origin, where);
    while (*value) {
        size_t length = strcspn(value, ",");
        if (!put_item(option, copy(value, length), origin, where)) return false;
        value += length + (value[length] == ',');
    }
    return true;
}

bool setting_put(int option, const char *value, enum origin origin, const char *where, bool split) {
    const struct option_row *row = &option_table[option];
    if (row->kind == LIST) return put_list(option, value, origin, where, split);
    if (origin < setting[option].origin) return true;
    if (row->kind == FLAG) return put_flag(option, value, origin, where);
    if (!checked(option, value, origin, where)) return false;
    setting[option] = (struct setting){.value = value, .origin = origin, .where = where};
    return true;
}

bool setting_on(int option) {
    return setting[option].value && !strcmp(setting[option].value, "on");
}

uint64_t setting_number(int option, uint64_t otherwise) {
    return setting[option].value ? strtoull(setting[option].value, NULL, 0) : otherwise;
}

const char *const *setting_list(int option) {
    unsigned count = 0;
    for (const struct setting_item *item = setting[option].items; item; item = item->next) count++;
    if (!count) return NULL;
    const char **list = cli_alloc((count + 1) * sizeof *list);
    count = 0;
    for (enum origin origin = ORIGIN_DEFAULT; origin <= ORIGIN_COMMAND_LINE; origin++)
        for (const struct setting_item *item = setting[option].items; item; item = item->next)
            if (item->origin == origin) list[count++] = item->value;
    return list;
}

// One "NAME=VALUE" of the environment that starts with FERRY_ or QEMU_. An empty FERRY_ variable is as good as none.
static bool take_variable(const char *entry) {
    size_t length = strcspn(entry, "=");
    bool ours = entry[0] == 'F';
    for (int i = 0; entry[length] && i < OPTION_COUNT; i++) {
        char own[64];
        const char *name = ours ? own : option_table[i].foreign;
        if (!(option_table[i].scope & FROM_ENVIRONMENT) || !name) continue;
        if (ours) option_variable(i, own, sizeof own);
        if (strncmp(entry, name, length) || name[length]) continue;
        const char *value = entry + length + 1;
        if (!*value && (ours || option_table[i].kind != FLAG)) return true;
        return setting_put(i, value, ours ? ORIGIN_VARIABLE : ORIGIN_QEMU_VARIABLE, copy(entry, length), true);
    }
    return true;
}

static bool load_environment(void) {
    for (char **entry = environ; *entry; entry++)
        if ((!strncmp(*entry, "FERRY_", 6) || !strncmp(*entry, "QEMU_", 5)) && !take_variable(*entry)) return false;
    return true;
}

const char *settings_file(void) {
    static char path[4096];
    const char *home = getenv("XDG_CONFIG_HOME"), *below = "";
    if (!home || home[0] != '/') home = getenv("HOME"), below = "/.config";
    if (!home || home[0] != '/') return NULL;
    struct text text = TEXT_ON(path);
    text_add(&text, "%s%s/ferry/config", home, below);
    return text.cut ? NULL : path;
}

static char *trim(char *from, char *to) {
    while (from < to && strchr(" \t\r", *from)) from++;
    while (to > from && strchr(" \t\r", to[-1])) to--;
    *to = 0;
    return from;
}

// One line of the file: "key = value", empty, or a comment.
static bool take_line(char *line, char *end, const char *path, unsigned number) {
    line = trim(line, end);
    if (!*line || *line == '#') return true;
    char where[4200];
    struct text text = TEXT_ON(where);
    text_add(&text, "%s:%u", path, number);
    char *equals = strchr(line, '=');
    if (!equals) {
        error_say("%s: '%s' is no setting; want 'key = value'", where, line);
        return false;
    }
    char *value = trim(equals + 1, line + strlen(line)), *key = trim(line, equals);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (option_table[i].scope & FROM_FILE && !strcmp(option_table[i].name, key))
            return setting_put(i, value, ORIGIN_FILE, copy(where, text.length), false);
    const char *nearest = setting_nearest(key);
    error_say("%s: there is no setting '%s'; %s%s%s", where, key, nearest ? "did you mean '" : "see FILES in `man ferry`",
              nearest ? nearest : "", nearest ? "'?" : "");
    return false;
}

static bool load_file(const char *path) {
    static char content[32768];
    long fd = host_call(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd == -ENOENT || fd == -ENOTDIR) return true;
    long size = fd < 0 ? fd : io_read((int)fd, content, sizeof content);
    if (fd >= 0) host_call(close, fd);
    if (size < 0 || size == sizeof content) {
        error_say("cannot read the configuration file %s: %s", path, size < 0 ? strerror((int)-size) : "it is larger than 32 KB");
        return false;
    }
    unsigned number = 1;
    content[size] = '\n';
    for (char *line = content, *end; line < content + size; line = end + 1) {
        end = memchr(line, '\n', (size_t)(content + size + 1 - line));
        if (!take_line(line, end, path, number++)) return false;
    }
    return true;
}

bool settings_load(void) {
    if (getauxval(AT_SECURE)) return true;
    const char *path = settings_file();
    return load_environment() && (!path || load_file(path));
}
