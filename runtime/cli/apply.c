// From settings to struct options, and the words that hand the same settings to a runner which a guest's exec starts.
#include "runtime/cli/cli.h"
#include "runtime/options.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The guest may change the directory.
const char *absolute_path(const char *path) {
    char here[PATH_MAX];
    if (!path || path[0] == '/' || !getcwd(here, sizeof here)) return path;
    size_t size = strlen(here) + strlen(path) + 2;
    struct text text = {.at = cli_alloc(size), .size = size};
    text_add(&text, "%s/%s", strcmp(here, "/") ? here : "", path);
    return text.at;
}

// The sysroot with no symbolic links in it, as getcwd will show paths below it.
static int apply_sysroot(void) {
    const struct setting *given = &setting[OPTION_sysroot];
    char real[PATH_MAX];
    struct stat stat;
    if (!given->value || setting_on(OPTION_settled)) {
        options.sysroot = given->value;
        return 0;
    }
    int error = !realpath(given->value, real) ? errno : lstat(real, &stat) ? errno : S_ISDIR(stat.st_mode) ? 0 : ENOTDIR;
    if (error) {
        error_say("sysroot '%s' (from %s): %s; name the directory that holds the guest's lib and usr", given->value, given->where,
                  strerror(error));
        return EXIT_NOT_FOUND;
    }
    options.sysroot = strcmp(real, "/") ? arena_strdup(&cli_arena, real) : NULL;
    return 0;
}

static void apply_cpu(void) {
    char why[8];
    options.cpu = setting[OPTION_cpu].value;
    options.features = guest_riscv64.default_features;
    if (options.cpu) guest_riscv64.parse_cpu(options.cpu, &options.features, why, sizeof why);  // checked when it was taken
}

static void apply_jitdump(void) {
    char here[PATH_MAX];
    if (!setting_on(OPTION_jitdump)) return;
    options.jitdump = absolute_path(setting[OPTION_jitdump_dir].value);
    if (!options.jitdump) options.jitdump = getcwd(here, sizeof here) ? arena_strdup(&cli_arena, here) : ".";
    options.jitdump_append = setting_on(OPTION_settled);
}

// Where nothing is to be found, programs that a guest's exec starts shall not look again: their environment is the guest's.
static void apply_cache(void) {
    const char *why, *directory = cache_directory(&why);
    if (setting[OPTION_cache].value) options.cache = (enum cache_mode)cache_parse(setting[OPTION_cache].value);
    options.cache_dir = directory ? directory : "";
    options.cache_system = setting[OPTION_cache_system].value;
    if (setting[OPTION_cache_size].value) size_parse(setting[OPTION_cache_size].value, &options.cache_size);
}

static bool log_has_strace(void) {
    const char *items = setting[OPTION_log].value;
    return items && strstr(items, "strace");
}

// The argv words of options that hold for a whole family of processes. What concerns the first program alone (its argv[0] and
// the changes to its environment) is not among them.
static void make_inherited(void) {
    const char **words = cli_alloc((2 * OPTION_COUNT + 2) * sizeof *words);
    unsigned count = 0;
    const struct {
        const char *option, *value;
    } valued[] = {
        {"--sysroot", options.sysroot},
        {"--cpu", options.cpu},
        {"--stack-size", setting[OPTION_stack_size].value},
        {"--log-file", options.log_file},
        {"--stats-json", options.stats_json},
        {"--code-size", setting[OPTION_code_size].value},
        {"--tier", setting[OPTION_tier].value},
        {"--cache", setting[OPTION_cache].value},
        {"--cache-dir", options.cache_dir},
        {"--cache-system", options.cache_system},
        {"--cache-size", setting[OPTION_cache_size].value},
        {"--jitdump-dir", options.jitdump},
        {"--log-blocks", options.log_blocks},
    };
    const struct {
        const char *option;
        bool on;
    } flags[] = {
        {"--strace", options.strace},   {"--stats", options.stats}, {"--perfmap", options.perfmap},
        {"--jitdump", options.jitdump}, {"--cosim", options.cosim}, {"--crash-report", options.crash_report},
    };
    words[count++] = "--settled";
    for (size_t i = 0; i < sizeof valued / sizeof *valued; i++)
        if (valued[i].value) words[count++] = valued[i].option, words[count++] = valued[i].value;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].on) words[count++] = flags[i].option;
    options.inherited = words;
}

int settings_apply(void) {
    int status = apply_sysroot();
    if (status) return status;
    apply_cpu();
    options.argv0 = setting[OPTION_argv0].value;
    options.set_env = setting_list(OPTION_set_env);
    options.unset_env = setting_list(OPTION_unset_env);
    if (setting[OPTION_stack_size].value) size_parse(setting[OPTION_stack_size].value, &options.stack_size);
    if (setting[OPTION_code_size].value) size_parse(setting[OPTION_code_size].value, &options.code_size);
    options.strace = setting_on(OPTION_strace) || log_has_strace();
    options.log_file = absolute_path(setting[OPTION_log_file].value);
    options.perfmap = setting_on(OPTION_perfmap);
    apply_jitdump();
    options.stats = setting_on(OPTION_stats);
    options.stats_json = absolute_path(setting[OPTION_stats_json].value);
    options.log_blocks = absolute_path(setting[OPTION_log_blocks].value);
    if (setting[OPTION_tier].value) options.tier = (enum tier)tier_parse(setting[OPTION_tier].value);
    options.cosim = setting_on(OPTION_cosim);
    apply_cache();
    options.crash_report = setting_on(OPTION_crash_report);
    options.self = program_self();
    make_inherited();
    return 0;
}
