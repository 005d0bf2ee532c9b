// `ferry config`: every setting with its value and where that comes from.
#include "cache/store.h"
#include "runtime/cli/cli.h"
#include <string.h>
#include <unistd.h>

static const char *const origins[] = {
    [ORIGIN_DEFAULT] = "default",           [ORIGIN_FILE] = "file",
    [ORIGIN_VARIABLE] = "environment",      [ORIGIN_QEMU_VARIABLE] = "environment",
    [ORIGIN_COMMAND_LINE] = "command line",
};

static bool shown(int id) {
    return option_table[id].scope & (FROM_ENVIRONMENT | FROM_FILE);
}

static const char *default_of(int id) {
    const char *why;
    switch (id) {
    case OPTION_tier: return "auto";
    case OPTION_cache: return "on";
    case OPTION_cache_dir: return cache_directory(&why);
    case OPTION_cache_size: return "2G";
    case OPTION_cache_system: return STORE_SYSTEMS;
    case OPTION_cache_keys: return cache_keys();
    case OPTION_code_size: return "512M";
    default: return option_table[id].kind == FLAG ? "off" : NULL;
    }
}

static void print_text(int id) {
    const struct setting *given = &setting[id];
    const char *value = given->value ? given->value : default_of(id), *const *list = setting_list(id);
    int width;
    if (list) {
        width = printf("%s = ", option_table[id].name);
        for (const char *const *item = list; *item; item++) width += printf("%s%s", item == list ? "" : ",", *item);
    } else {
        width = value ? printf("%s = %s", option_table[id].name, value) : printf("# %s is not set", option_table[id].name);
    }
    if (given->where) printf("%*s# %s: %s", width < 40 ? 40 - width : 1, "", origins[given->origin], given->where);
    putchar('\n');
}

static void print_json(int id, const char *separator) {
    const struct setting *given = &setting[id];
    const char *const *list = setting_list(id);
    printf("%s\n  {\"name\": \"%s\", \"value\": ", separator, option_table[id].name);
    if (option_table[id].kind == FLAG) {
        printf(setting_on(id) ? "true" : "false");
    } else if (option_table[id].kind == LIST) {
        putchar('[');
        for (const char *const *item = list; item && *item; item++) {
            if (item != list) printf(", ");
            json_string(stdout, *item);
        }
        putchar(']');
    } else {
        json_string(stdout, given->value ? given->value : default_of(id));
    }
    printf(", \"origin\": \"%s\", \"where\": ", origins[given->origin]);
    json_string(stdout, given->where);
    putchar('}');
}

static void all_json(const char *file) {
    const char *separator = "";
    printf("{\"schema\": 1, \"file\": ");
    json_string(stdout, file);
    printf(", \"file_exists\": %s, \"settings\": [", file && !access(file, F_OK) ? "true" : "false");
    for (int i = 0; i < OPTION_COUNT; i++)
        if (shown(i)) print_json(i, separator), separator = ",";
    printf("\n]}\n");
}

extern const struct command command_config;

static int run(int argc, char **argv) {
    int status = cli_parse(&command_config, &argc, &argv, false);
    if (status >= 0) return status;
    if (argc) return usage_error(&command_config, "'%s': no arguments wanted", argv[0]);
    if (!settings_load()) return EXIT_USAGE;
    const char *file = settings_file();
    if (setting_on(OPTION_json)) {
        all_json(file);
    } else {
        printf("# %s%s\n", file ? file : "no configuration file: HOME is not set",
               file && access(file, F_OK) ? " (does not exist)" : "");
        for (int i = 0; i < OPTION_COUNT; i++)
            if (shown(i)) print_text(i);
    }
    return output_status(EXIT_OK);
}

const struct command command_config = {
    .name = "config",
    .arguments = "[OPTION]...",
    .summary = "show every setting, its value and where that comes from",
    .details = "The options of run may be given as well, to see what they would do.",
    .run = run,
};
