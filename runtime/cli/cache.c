// `ferry cache`: what is kept between runs. The compiler program does it, which has sqlite; the settings are resolved here, and handed to it as words.
#include "cache/directory.h"
#include "runtime/cli/cli.h"
#include "runtime/keep.h"
#include <limits.h>
#include <string.h>

const char *cache_directory(const char **why) {
    static char path[PATH_MAX];
    struct text text = TEXT_ON(path);
    const char *given = setting[OPTION_cache_dir].value;
    *why = given && !*given ? "no directory is set" : NULL;
    if (given) return *given ? absolute_path(given) : NULL;
    return store_default_directory(&text, why) ? path : NULL;
}

const char *cache_keys(void) {
    static char path[PATH_MAX];
    struct text text = TEXT_ON(path);
    const char *file = settings_file();
    text_add(&text, "%s", CACHE_SYSTEM_KEYS);
    if (file) text_add(&text, ":%.*s/keys", (int)(strrchr(file, '/') - file), file);
    return text.cut ? CACHE_SYSTEM_KEYS : path;
}

extern const struct command command_cache;

// Of each verb: how many words may follow it.
static const struct verb {
    const char *name;
    int least, most;
    const char *want;
} verbs[] = {
    {"dir", 0, 0, "no arguments"},      {"stats", 0, 0, "no arguments"},
    {"list", 0, 0, "no arguments"},     {"verify", 0, INT_MAX, "bundles, if any"},
    {"prune", 0, 0, "no arguments"},    {"export", 1, INT_MAX, "a file to write, and the modules that are to be in it if not all"},
    {"import", 1, 1, "a file to read"}, {"keygen", 1, 1, "a file to write the secret key to"},
};

static const struct verb *find_verb(const char *name) {
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (!strcmp(verbs[i].name, name)) return &verbs[i];
    }
    return NULL;
}

// What this program uses is known here, and what it would use for another guest processor.
static guest_features wanted_features(void) {
    guest_features features = guest_riscv64.default_features;
    char why[8];
    if (setting[OPTION_cpu].value)
        guest_riscv64.parse_cpu(setting[OPTION_cpu].value, &features, why, sizeof why);  // checked when it was taken
    return features;
}

static const char *wanted_build(char hex[DIRECTORY_HEX]) {
    struct store_key key;
    keep_build(&guest_riscv64, wanted_features(), &key);
    directory_hex(&key, hex);
    return hex;
}

// Where to import for all users, or NULL.
static const char *install_directory(void) {
    if (setting[OPTION_import_to].value) return absolute_path(setting[OPTION_import_to].value);
    if (!setting_on(OPTION_import_system)) return NULL;
    const char *given = setting[OPTION_cache_system].value, *list = given ? given : STORE_SYSTEMS;
    char *first = arena_strdup(&cli_arena, list);
    first[strcspn(first, ":")] = 0;
    return absolute_path(first);
}

// Pairs of an option and its value; those without a value are left out.
static void add_settings(struct words *words) {
    char hex[DIRECTORY_HEX], features[24];
    struct text digits = TEXT_ON(features);
    const char *why, *directory = cache_directory(&why), *keys = setting[OPTION_cache_keys].value;
    text_add(&digits, "%llu", (unsigned long long)wanted_features());
    const struct {
        const char *option, *value;
    } all[] = {
        {"--directory", directory},
        {"--reason", why},
        {"--system", setting[OPTION_cache_system].value},
        {"--mode", setting[OPTION_cache].value},
        {"--limit", setting[OPTION_cache_size].value},
        {"--size", setting[OPTION_prune_size].value},
        {"--older", setting[OPTION_prune_older].value},
        {"--json", setting_on(OPTION_json) ? "on" : NULL},
        {"--all", setting_on(OPTION_prune_all) ? "on" : NULL},
        {"--keys", keys ? keys : cache_keys()},
        {"--signed", setting_on(OPTION_cache_require_signed) ? "on" : NULL},
        {"--sign", setting[OPTION_sign].value},
        {"--install", install_directory()},
        {"--build", wanted_build(hex)},
        {"--guest", guest_riscv64.name},
        {"--features", features},
        {"--deep", setting_on(OPTION_deep) ? "on" : NULL},
        {"--sample", setting[OPTION_sample].value},
        {"--seed", setting[OPTION_seed].value},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].value) continue;
        uint64_t size;
        bool is_size = (!strcmp(all[i].option, "--limit") || !strcmp(all[i].option, "--size")) && size_parse(all[i].value, &size);
        if (is_size) words_number(words, all[i].option, size);
        else words_option(words, all[i].option, all[i].value);
    }
}

static int run(int argc, char **argv) {
    int status = cli_parse(&command_cache, &argc, &argv, false);
    if (status >= 0) return status;
    if (!settings_load()) return EXIT_USAGE;
    if (!argc) return usage_error(&command_cache, "want one of: %s", command_cache.words);
    const struct verb *verb = find_verb(argv[0]);
    if (!verb) return usage_error(&command_cache, "'%s' is none of: %s", argv[0], command_cache.words);
    if (argc - 1 < verb->least || argc - 1 > verb->most) return usage_error(&command_cache, "%s: want %s", verb->name, verb->want);
    struct words words = words_begin("--cache", argc);
    add_settings(&words);
    words_add(&words, "--");
    for (int i = 0; i < argc; i++) words_add(&words, argv[i]);
    return words_run(&command_cache, &words);
}

const struct command command_cache = {
    .name = "cache",
    .arguments = "dir|stats|list|verify|prune|export|import|keygen [OPTION]... [FILE [MODULE]...]",
    .summary = "show, check, prune and ship the translations that are kept between runs",
    .details =
        "dir prints where they are, and says why they are not used if that is so. stats counts them, list shows each module's. verify "
        "reads and checks all of every file; its status is 1 if one is damaged. Of bundles that are named it says whether they are whole, who signed them and for which "
        "Ferry they are. With --deep a sample of the code is made once more from the guest's bytes that are kept with it, and compared; the status is 1 if one differs.\n\nprune removes what was not used for longest, "
        "until the rest takes --cache-size or --size, what was not used for --older days, or --all. What was found damaged and moved away goes after 30 days, or --older.\n\nexport writes "
        "a bundle with all modules, or those whose key begins with, or whose file is called MODULE. import merges a bundle into what is kept, "
        "after having checked all of it. The same translations make the same bundle, byte for byte. It is of use where Ferry is the same and the "
        "processor has the same features; import says which of its modules are.\n\nkeygen makes a key to sign bundles with (Ed25519): FILE, which nobody else may read, and FILE.pub. "
        "export --sign=FILE signs; who puts FILE.pub among their --cache-keys believes that. A bundle whose signature is wrong is never "
        "imported; with --cache-require-signed nor is one with none, or with another's.\n\nTo install a bundle for all users: sudo ferry cache import --system FILE. "
        "They read it behind their own, and nobody but root may write there.",
    .words = "dir stats list verify prune export import keygen",
    .run = run,
};
