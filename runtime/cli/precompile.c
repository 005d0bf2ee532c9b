// `ferry precompile`: translates programs and libraries before they are run. The compiler program does it; which files are meant, and for which guest and
// place, is found out here and handed to it as words, as `ferry cache` does.
#include "cache/directory.h"
#include "runtime/cli/cli.h"
#include "runtime/keep.h"
#include "runtime/options.h"
#include <unistd.h>

extern const struct command command_precompile;

static void add_settings(struct words *words) {
    enum { NICE = 10 };
    char build[DIRECTORY_HEX];
    struct store_key key;
    const char *why, *directory = cache_directory(&why);
    keep_build(&guest_riscv64, options.features, &key);
    directory_hex(&key, build);
    words_option(words, "--directory", directory);
    words_option(words, "--reason", why);
    words_option(words, "--system", setting[OPTION_cache_system].value);
    words_option(words, "--sysroot", options.sysroot);
    words_option(words, "--output", absolute_path(setting[OPTION_output].value));
    if (setting_on(OPTION_profiles)) words_option(words, "--profiles", directory);
    words_option(words, "--sign", setting[OPTION_sign].value);
    words_option(words, "--build", build);
    words_option(words, "--guest", guest_riscv64.name);
    words_number(words, "--features", options.features);
    if (setting[OPTION_cache_size].value) words_number(words, "--limit", options.cache_size);
    words_number(words, "--jobs", setting_number(OPTION_jobs, 0));
    words_number(words, "--time-budget", setting_number(OPTION_time_budget, 0));
    words_number(words, "--nice", setting_number(OPTION_nice, NICE));
    if (setting_on(OPTION_loops)) words_option(words, "--loops", "on");
    if (setting_on(OPTION_json)) words_option(words, "--json", "on");
}

// A file or directory that is there, or a program as `ferry run` finds it.
static const char *find(const char *word, int *status) {
    bool local = word[0] != '/' && !access(word, F_OK);
    return local ? word : program_find(word, status);
}

static int run(int argc, char **argv) {
    int status = cli_parse(&command_precompile, &argc, &argv, false);
    if (status >= 0) return status;
    if (!settings_load()) return EXIT_USAGE;
    if (!argc) return usage_error(&command_precompile, "want programs, libraries or directories");
    if (setting[OPTION_sign].value && !setting[OPTION_output].value)
        return usage_error(&command_precompile, "--sign: want --output as well: only a bundle is signed");
    if (setting_on(OPTION_profiles) && !setting[OPTION_output].value)
        return usage_error(&command_precompile, "--profiles: want --output as well: what is kept here is made with them anyway");
    status = settings_apply();
    if (status) return status;
    struct words words = words_begin("--precompile", argc);
    add_settings(&words);
    words_add(&words, "--");
    for (int i = 0; i < argc; i++) {
        const char *path = find(argv[i], &status);
        if (!path) return status;
        words_add(&words, path);
    }
    return words_run(&command_precompile, &words);
}

const struct command command_precompile = {
    .name = "precompile",
    .arguments = "[OPTION]... PROGRAM|LIBRARY|DIRECTORY...",
    .summary = "translate programs and libraries before they are run",
    .details =
        "Finds the code of programs and libraries, those included that they need, and of all that are below directories, and keeps translations "
        "of it, so that the first run need not make them. Nothing is run.\n\nWhat was done before is not done again. Interrupted, or "
        "when --time-budget is spent, it keeps what is done; the next call goes on from there. The status is 0 when all is done, 1 if "
        "something was wrong with a file, 3 when time ran out, 128 and the signal's number after an interruption.\n\nWith --output "
        "all of it goes into a bundle, for `ferry cache import` elsewhere: for the same Ferry and the same kind of processor. --sign=KEY signs that, with "
        "a key of `ferry cache keygen`. The same files make the same bundle; --profiles adds what runs here found out, as without --output.",
    .run = run,
};
