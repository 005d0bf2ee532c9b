// The command line: words into settings. "--name=value", "--name value", "--no-flag", and the aliases of the table.
#include "runtime/cli/cli.h"
#include <string.h>

int usage_error(const struct command *command, const char *format, ...) {
    char message[1024];
    struct text text = TEXT_ON(message);
    va_list arguments;
    va_start(arguments, format);
    text_vadd(&text, format, arguments);
    va_end(arguments);
    error_say("%s (see `ferry %s --help`)", message, command->name);
    return EXIT_USAGE;
}

static unsigned scope_of(const struct command *command) {
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        if (command_table[i] == command) return 1U << i;
    return 0;
}

static int unknown_option(const struct command *command, const char *word, size_t length) {
    char name[40];
    struct text text = TEXT_ON(name);
    const char *bare = word + strspn(word, "-");
    text_add(&text, "%.*s", (int)(length - (size_t)(bare - word)), bare);
    const char *nearest = text.cut ? NULL : option_nearest(name, scope_of(command));
    if (nearest) return usage_error(command, "unknown option '%.*s'; did you mean --%s?", (int)length, word, nearest);
    return usage_error(command, "unknown option '%.*s'", (int)length, word);
}

static int act(const struct command *command, int option) {
    if (option == OPTION_version) return version_print(false);
    help_print(stdout, command);
    return output_status(EXIT_OK);
}

// Takes the option at argv[*at] and its value. -1 to go on, or the exit status.
static int take_option(const struct command *command, char **argv, int *at) {
    const char *word = argv[*at], *equals = strncmp(word, "--", 2) ? NULL : strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    bool negated;
    int option = option_find(word, length, scope_of(command), &negated);
    if (option < 0) return unknown_option(command, word, length);
    const struct option_row *row = &option_table[option];
    if (row->kind == ACTION) return act(command, option);
    const char *value = equals ? equals + 1 : NULL;
    if (row->kind == FLAG || negated) {
        if (negated && value) return usage_error(command, "'%.*s' takes no value", (int)length, word);
        value = negated ? "off" : value ? value : "on";
    } else if (!value && !(value = argv[*at + 1])) {
        return usage_error(command, "'%s' needs a value: %s", word, row->argument);
    } else if (!equals) {
        ++*at;
    }
    char *spelled = cli_alloc(length + 1);
    memcpy(spelled, word, length);
    bool split = row->kind == LIST && word[1] != '-';
    return setting_put(option, value, ORIGIN_COMMAND_LINE, spelled, split) ? -1 : EXIT_USAGE;
}

int cli_parse(const struct command *command, int *argc, char ***argv, bool stop) {
    char **words = *argv;
    int kept = 0, at = 1;
    for (; at < *argc; at++) {
        if (words[at][0] != '-' || !words[at][1]) {
            if (stop) break;
            words[kept++] = words[at];
        } else if (!strcmp(words[at], "--")) {
            at++;
            break;
        } else {
            int status = take_option(command, words, &at);
            if (status >= 0) return status;
        }
    }
    while (at < *argc) words[kept++] = words[at++];
    words[kept] = NULL;
    *argc = kept;
    return -1;
}
