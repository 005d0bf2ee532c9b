// The tables of options and subcommands, looked up by what people type, and what was probably meant where nothing fits.
#include "cache/store.h"
#include "runtime/cli/cli.h"
#include <ctype.h>
#include <string.h>

const struct option_row option_table[OPTION_COUNT] = {
#define OPTION(id, kind_, name_, aliases_, argument_, scope_, foreign_, check_, help_) \
    [OPTION_##id] = {.name = name_,                                                    \
                     .aliases = aliases_,                                              \
                     .argument = argument_,                                            \
                     .kind = kind_,                                                    \
                     .scope = scope_,                                                  \
                     .foreign = foreign_,                                              \
                     .check = check_,                                                  \
                     .help = help_},
#include "runtime/cli/options.def"
#undef OPTION
};

#define COMMAND(name) extern const struct command command_##name;
#include "runtime/cli/commands.def"
#undef COMMAND
const struct command *const command_table[COMMAND_COUNT] = {
#define COMMAND(name) &command_##name,
#include "runtime/cli/commands.def"
#undef COMMAND
};

const struct command *command_find(const char *word) {
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(command_table[i]->name, word)) return command_table[i];
    return NULL;
}

static bool same(const char *name, const char *word, size_t length) {
    return !strncmp(name, word, length) && !name[length];
}

// Whether `word` is one of `aliases`, which are separated by spaces.
static bool among(const char *aliases, const char *word, size_t length) {
    while (*aliases) {
        size_t n = strcspn(aliases, " ");
        if (n == length && !memcmp(aliases, word, n)) return true;
        aliases += n + (aliases[n] == ' ');
    }
    return false;
}

static bool spells(const struct option_row *row, const char *word, size_t length, bool *negated) {
    *negated = false;
    if (among(row->aliases, word, length)) return true;
    if (length < 3 || memcmp(word, "--", 2)) return false;
    if (same(row->name, word + 2, length - 2)) return true;
    *negated = true;
    bool negatable = row->kind == FLAG || (row->argument && strchr(row->argument, '|') && strstr(row->argument, "|off"));
    return negatable && length > 5 && !memcmp(word, "--no-", 5) && same(row->name, word + 5, length - 5);
}

int option_find(const char *word, size_t length, unsigned scope, bool *negated) {
    for (int i = 0; i < OPTION_COUNT; i++)
        if (option_table[i].scope & scope && spells(&option_table[i], word, length, negated)) return i;
    return -1;
}

void option_variable(int option, char *name, size_t size) {
    struct text text = {.at = name, .size = size};
    text_add(&text, "FERRY_%s", option_table[option].name);
    for (char *c = name; *c; c++) *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

bool scope_shows(int option, unsigned scope) {
    return option_table[option].scope & scope && !(option_table[option].scope & (COMPAT | HIDDEN));
}

// Edits (insert, delete, replace) that turn `a` into `b`; words of 31 letters at most.
static unsigned distance(const char *a, const char *b) {
    size_t length = strlen(b);
    unsigned row[32];
    if (length > 31 || strlen(a) > 31) return 99;
    for (unsigned j = 0; j <= length; j++) row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= length; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]), above = row[j] + 1, left = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < above ? change : above;
            if (left < row[j]) row[j] = left;
        }
    }
    return row[length];
}

void nearest_consider(struct nearest *nearest, const char *candidate) {
    size_t length = strlen(nearest->word);
    unsigned edits = length >= 3 && !strncmp(candidate, nearest->word, length) ? 1 : distance(nearest->word, candidate);
    unsigned limit = length < 4 ? 1 : length < 8 ? 2 : 3;
    if (edits > limit || (nearest->best && edits >= nearest->edits)) return;
    nearest->best = candidate;
    nearest->edits = edits;
}

const char *command_nearest(const char *word) {
    struct nearest nearest = {.word = word};
    for (int i = 0; i < COMMAND_COUNT; i++) nearest_consider(&nearest, command_table[i]->name);
    return nearest.best;
}

const char *option_nearest(const char *word, unsigned scope) {
    struct nearest nearest = {.word = word};
    for (int i = 0; i < OPTION_COUNT; i++)
        if (scope_shows(i, scope)) nearest_consider(&nearest, option_table[i].name);
    return nearest.best;
}

const char *setting_nearest(const char *word) {
    return option_nearest(word, FROM_FILE);
}
