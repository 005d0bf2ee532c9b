// What the files of the command line share: the tables of options and subcommands, the settings gathered from all sources,
// and a few helpers. Data goes to stdout, everything else through error_say to stderr.
#pragma once
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include "runtime/base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum command_id {
#define COMMAND(name) COMMAND_##name,
#include "runtime/cli/commands.def"
#undef COMMAND
    COMMAND_COUNT
};

// Who knows an option, and where else its value may come from.
enum scope {
#define COMMAND(name) SCOPE_##name = 1 << COMMAND_##name,
#include "runtime/cli/commands.def"
#undef COMMAND
    SCOPE_ALL = (1 << COMMAND_COUNT) - 1,
    FROM_ENVIRONMENT = 1 << 16,
    FROM_FILE = 1 << 17,
    COMPAT = 1 << 18,
    HIDDEN = 1 << 19,
};

enum option_kind { FLAG, VALUE, LIST, ACTION };

enum option_id {
#define OPTION(id, ...) OPTION_##id,
#include "runtime/cli/options.def"
#undef OPTION
    OPTION_COUNT
};

struct option_row {
    const char *name, *aliases, *argument;
    enum option_kind kind;
    unsigned scope;
    const char *foreign;
    bool (*check)(const char *value, struct text *why);
    const char *help;
};
extern const struct option_row option_table[OPTION_COUNT];

struct command {
    const char *name;
    const char *arguments;  // as in "usage: ferry NAME ARGUMENTS"
    const char *summary;    // one line
    const char *details;    // paragraphs for the manual, separated by empty lines
    const char *words;      // what its first argument may be, separated by spaces, or NULL
    // argv[0] is the subcommand's name. Returns the exit status.
    int (*run)(int argc, char **argv);
};
extern const struct command *const command_table[COMMAND_COUNT];

enum exit_status { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

// table.c
// The nearest candidate seen, if one is near at all: a typing error or two, or the start of the word.
struct nearest {
    const char *word, *best;
    unsigned edits;
};
void nearest_consider(struct nearest *nearest, const char *candidate);
const struct command *command_find(const char *word);
// The option that `word` (with its dashes, up to `length`) spells for subcommands in `scope`, or -1. `negated`: it was --no-NAME.
int option_find(const char *word, size_t length, unsigned scope, bool *negated);
// FERRY_NAME of an option.
void option_variable(int option, char *name, size_t size);
bool scope_shows(int option, unsigned scope);  // option belongs into the help of `scope`
const char *command_nearest(const char *word);            // or NULL when nothing is near
const char *option_nearest(const char *word, unsigned scope);  // name without dashes, or NULL
const char *setting_nearest(const char *word);            // configuration key, or NULL

// cache.c: where translations are kept, as the settings say, or NULL with the reason in *why.
const char *cache_directory(const char **why);

// words.c: the compiler program's command line, with room for so many words behind its options.
struct words {
    char **word;  // ended by NULL
    int count;
};
struct words words_begin(const char *verb, int count);
void words_add(struct words *words, const char *word);
void words_option(struct words *words, const char *option, const char *value);  // nothing where the value is NULL
void words_number(struct words *words, const char *option, uint64_t number);
// Goes on as the compiler program. The exit status if that cannot be, after a message.
int words_run(const struct command *command, const struct words *words);

// settings.c. Higher origins win.
enum origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_QEMU_VARIABLE, ORIGIN_VARIABLE, ORIGIN_COMMAND_LINE };

struct setting_item {
    const char *value;
    enum origin origin;
    struct setting_item *next;
};
struct setting {
    const char *value;           // FLAG: "on" or "off"; NULL: not given
    enum origin origin;
    const char *where;           // variable, or file:line, or option word
    struct setting_item *items;  // LIST, in order of arrival
};
extern struct setting setting[OPTION_COUNT];
extern struct arena cli_arena;

// Takes one value. Lists are split at commas where `split`. False after a message about a value that will not do.
bool setting_put(int option, const char *value, enum origin origin, const char *where, bool split);
bool setting_on(int option);
uint64_t setting_number(int option, uint64_t otherwise);
// A LIST's items by rising origin, NULL-terminated; NULL when there are none.
const char *const *setting_list(int option);
// The user's configuration file, or NULL where neither XDG_CONFIG_HOME nor HOME tells.
const char *settings_file(void);
// cache.c: where public keys are looked for if no setting says.
#define CACHE_SYSTEM_KEYS "/etc/ferry/keys"
const char *cache_keys(void);
// Takes environment and configuration file in. Nothing of either under AT_SECURE. False after a message.
bool settings_load(void);

// parse.c: options of `command` out of argv. What is left (without argv[0]) is moved to the front of *argv. With
// `stop` the first word that is no option ends the options. Returns -1 to go on, else the exit status.
int cli_parse(const struct command *command, int *argc, char ***argv, bool stop);
int usage_error(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

// apply.c: settings into `options`. 0, or an exit status after a message.
int settings_apply(void);

// apply.c: `path` made absolute against the present directory; NULL stays.
const char *absolute_path(const char *path);

// program.c: host path of the program called `word` by the user, or NULL after a message with the status in *status.
const char *program_find(const char *word, int *status);
// Path of this very program, and how a guest's exec will reach it.
const char *program_self(void);

// checks.c
typedef bool check_value(const char *value, struct text *why);  // NOLINT: the one shape of them all
extern check_value check_any, check_cpu, check_assignment, check_name, check_size, check_log, check_tier, check_cache, check_number,
    check_hex, check_sample, check_no_gdb, check_zero, check_page_size;
// Bytes of "64K", "8M", "123"; false where it is none.
bool size_parse(const char *text, uint64_t *size);
// The enum tier of that name, or -1 if this build has none.
int tier_parse(const char *name);
int cache_parse(const char *name);  // enum cache_mode, or -1
bool flag_parse(const char *text, bool *on);

// help.c, manual.c, completions.c
void help_print(FILE *file, const struct command *command);  // NULL: the overview
void manual_print(void);
void completions_bash(void);
void completions_zsh(void);
void completions_fish(void);
// version.c
int version_print(bool json);
extern const char version_number[], version_described[];

// output.c
// `status`, or EXIT_FAILED after a message when what was printed could not be written.
int output_status(int status);
void json_string(FILE *file, const char *text);  // with quotes; NULL is null

static inline void *cli_alloc(size_t size) {
    return arena_alloc(&cli_arena, size, 8);
}
