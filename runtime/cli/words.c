// The command line of the compiler program: `ferry --VERB`, pairs of an option and its value, `--`, and what is meant. What it must not find out itself, since
// settings are ours, it is told so.
#include "runtime/cli/cli.h"
#include "runtime/compiler.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { MOST_OPTIONS = 32 };

struct words words_begin(const char *verb, int count) {
    struct words words = {.word = cli_alloc((2 + 2 * MOST_OPTIONS + 1 + (size_t)count + 1) * sizeof *words.word)};
    words_add(&words, "ferry");
    words_add(&words, verb);
    return words;
}

void words_add(struct words *words, const char *word) {
    words->word[words->count++] = arena_strdup(&cli_arena, word);
}

void words_option(struct words *words, const char *option, const char *value) {
    if (!value) return;
    words_add(words, option);
    words_add(words, value);
}

void words_number(struct words *words, const char *option, uint64_t number) {
    char digits[24];
    struct text text = TEXT_ON(digits);
    text_add(&text, "%llu", (unsigned long long)number);
    words_option(words, option, digits);
}

int words_run(const struct command *command, const struct words *words) {
    char path[PATH_MAX];
    if (!compiler_program(path, sizeof path)) {
        error_say(
            "there is no ferry-compiler beside this program; `ferry %s` needs it (it is built where LLVM 19 or later is installed)",
            command->name);
        return EXIT_NOT_FOUND;
    }
    execv(path, words->word);
    error_say("cannot run %s: %s", path, strerror(errno));
    return EXIT_CANNOT_RUN;
}
