// `ferry help` and --help: two columns, wrapped, made from the tables.
#include "runtime/cli/cli.h"
#include <string.h>

enum { WIDTH = 96, COLUMN = 30 };

// `text` wrapped into lines that start at `indent`; the first line goes on where the cursor is (at `column`).
static void wrap(FILE *file, const char *text, unsigned column, unsigned indent) {
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column > indent && column + length + 1 > WIDTH) {
            fprintf(file, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', file);
            column++;
        }
        fprintf(file, "%.*s", (int)length, text);
        column += (unsigned)length;
        text += length + strspn(text + length, " ");
    }
    fputc('\n', file);
}

static void row(FILE *file, const char *left, const char *right) {
    int width = fprintf(file, "  %s", left);
    if (width + 2 > COLUMN) fputc('\n', file), width = 0;
    fprintf(file, "%*s", COLUMN - width, "");
    wrap(file, right, COLUMN, COLUMN);
}

// "-L, --sysroot=DIR".
static void option_text(int option, char *buffer, size_t size) {
    struct text text = {.at = buffer, .size = size};
    const struct option_row *entry = &option_table[option];
    for (const char *alias = entry->aliases; *alias; alias += strcspn(alias, " "), alias += *alias == ' ')
        text_add(&text, "%.*s, ", (int)strcspn(alias, " "), alias);
    text_add(&text, "--%s%s%s", entry->name, entry->argument ? "=" : "", entry->argument ? entry->argument : "");
}

static void options_of(FILE *file, unsigned scope) {
    for (int i = 0; i < OPTION_COUNT; i++) {
        char left[96];
        if (!scope_shows(i, scope)) continue;
        option_text(i, left, sizeof left);
        row(file, left, option_table[i].help);
    }
}

static void paragraphs(FILE *file, const char *text) {
    while (*text) {
        char paragraph[2048];
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)length, text);
        wrap(file, paragraph, 0, 0);
        text += length + (end ? 2 : 0);
        if (*text) fputc('\n', file);
    }
}

static void overview(FILE *file) {
    fputs("usage: ferry [run] [OPTION]... PROGRAM [ARGUMENT]...\n       ferry SUBCOMMAND [OPTION]... [ARGUMENT]...\n\n", file);
    paragraphs(file, "Runs Linux programs that were built for another processor (riscv64).");
    fputs("\nsubcommands:\n", file);
    for (int i = 0; i < COMMAND_COUNT; i++) row(file, command_table[i]->name, command_table[i]->summary);
    fputs("\noptions of run:\n", file);
    options_of(file, SCOPE_run);
    fputs("\n`ferry SUBCOMMAND --help` tells more; so does `man ferry`.\n", file);
}

void help_print(FILE *file, const struct command *command) {
    if (!command) {
        overview(file);
        return;
    }
    unsigned scope = 1;
    for (int i = 0; command_table[i] != command; i++) scope <<= 1;
    fprintf(file, "usage: ferry %s %s\n\n", command->name, command->arguments);
    paragraphs(file, command->details);
    fputs("\noptions:\n", file);
    options_of(file, scope);
}

extern const struct command command_help;

static int run(int argc, char **argv) {
    int status = cli_parse(&command_help, &argc, &argv, false);
    if (status >= 0) return status;
    if (setting_on(OPTION_man)) manual_print();
    else if (setting_on(OPTION_bash)) completions_bash();
    else if (setting_on(OPTION_zsh)) completions_zsh();
    else if (setting_on(OPTION_fish)) completions_fish();
    else if (!argc) overview(stdout);
    else if (command_find(argv[0])) help_print(stdout, command_find(argv[0]));
    else return usage_error(&command_help, "there is no subcommand '%s'", argv[0]);
    return output_status(EXIT_OK);
}

const struct command command_help = {
    .name = "help",
    .arguments = "[SUBCOMMAND]",
    .summary = "print help, the manual page or shell completions",
    .details = "Without an argument: an overview. With a subcommand: its options.",
    .run = run,
};
