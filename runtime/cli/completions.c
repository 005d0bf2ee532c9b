// `ferry help --bash|--zsh|--fish`: completions of each shell from the tables. What an argument is called says how to complete
// it: FILE and DIR are paths, a|b is a choice.
#include "runtime/cli/cli.h"
#include <string.h>

static bool is(const char *argument, const char *kind) {
    return argument && !strcmp(argument, kind);
}

// A choice's words with spaces between them.
static void choice(const char *argument) {
    for (; *argument; argument++) putchar(*argument == '|' ? ' ' : *argument);
}

static void option_words(unsigned scope) {
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (!scope_shows(i, scope)) continue;
        if (*option_table[i].aliases) printf("%s ", option_table[i].aliases);
        printf("--%s%s ", option_table[i].name, option_table[i].argument ? "=" : "");
    }
}

static void command_words(void) {
    for (int i = 0; i < COMMAND_COUNT; i++) printf("%s%s", i ? " " : "", command_table[i]->name);
}

// One arm of bash's case: all spellings of options whose values are completed by `action`.
static void bash_values(int option, const char *action) {
    const struct option_row *row = &option_table[option];
    printf("        --%s", row->name);
    for (const char *c = row->aliases; *c; c++) {
        if (c == row->aliases || c[-1] == ' ') putchar('|');
        if (*c != ' ') putchar(*c);
    }
    printf(") COMPREPLY=($(compgen %s", action);
    if (strchr(row->argument, '|')) {
        putchar('"');
        choice(row->argument);
        putchar('"');
    }
    puts(" -- \"$word\")); return ;;");
}

void completions_bash(void) {
    puts("# bash completion for ferry; made from its table of options.\n_ferry() {");
    puts("    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} subcommand=${COMP_WORDS[1]} start=2");
    puts("    if [[ $word == '=' ]]; then word=; elif [[ $previous == '=' ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi");
    puts("    COMPREPLY=()\n    case $previous in");
    for (int i = 0; i < OPTION_COUNT; i++) {
        const char *argument = option_table[i].argument;
        if (!argument || !scope_shows(i, SCOPE_ALL)) continue;
        bash_values(i, is(argument, "DIR") ? "-d" : is(argument, "FILE") ? "-f" : strchr(argument, '|') ? "-W " : "-W \"\"");
    }
    puts("    esac\n    local options words=\n    case $subcommand in");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        printf("        %s) options=\"", command_table[i]->name);
        option_words(1U << i);
        printf("\"");
        if (command_table[i]->words) printf(" words=\"%s\"", command_table[i]->words);
        puts(" ;;");
    }
    printf("        *) subcommand=run start=1 options=\"");
    option_words(SCOPE_run);
    puts("\" ;;\n    esac");
    puts("    if [[ $word == -* ]]; then\n        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))");
    puts("        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n        return\n    fi");
    puts(
        "    # run: behind the program its own completion takes over\n    if [[ $subcommand == run ]]; then\n        local i=$start");
    puts("        while ((i < COMP_CWORD)) && [[ ${COMP_WORDS[i]} == -* ]]; do");
    puts("            case ${COMP_WORDS[i]} in");
    printf("                ");
    const char *bar = "";
    for (int i = 0; i < OPTION_COUNT; i++)
        if (scope_shows(i, SCOPE_run) && option_table[i].argument && *option_table[i].aliases)
            printf("%s%s", bar, option_table[i].aliases), bar = "|";
    puts(") ((i++)) ;;\n            esac\n            ((i++))\n        done");
    puts("        if ((i < COMP_CWORD)) && declare -F _command_offset >/dev/null; then _command_offset $i; return; fi\n    fi");
    printf("    ((COMP_CWORD == 1)) && words=\"");
    command_words();
    puts("\"\n    ((COMP_CWORD == 2)) || ((COMP_CWORD == 1)) || words=\n    compopt -o filenames 2>/dev/null");
    puts("    COMPREPLY=($(compgen -W \"$words\" -- \"$word\") $(compgen -f -- \"$word\"))\n}\ncomplete -F _ferry ferry");
}

// Text inside '…' of zsh's _arguments specification: brackets, colons and quotes escaped.
static void zsh_text(const char *text) {
    for (; *text; text++) {
        if (*text == '\'') fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text)) printf("\\%c", *text);
        else putchar(*text);
    }
}

static void zsh_option(const struct option_row *row, const char *dashes, const char *name, size_t length) {
    printf("        '%s%s%.*s%s[", row->kind == LIST ? "*" : "", dashes, (int)length, name, row->argument && dashes[1] ? "=" : "");
    zsh_text(row->help);
    putchar(']');
    if (row->argument) {
        putchar(':');
        zsh_text(row->argument);
        putchar(':');
        if (is(row->argument, "DIR")) printf("_files -/");
        else if (is(row->argument, "FILE")) printf("_files");
        else if (strchr(row->argument, '|')) putchar('('), choice(row->argument), putchar(')');
    }
    puts("' \\");
}

static void zsh_options(unsigned scope) {
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_table[i];
        if (!scope_shows(i, scope)) continue;
        for (const char *alias = row->aliases; *alias; alias += strcspn(alias, " "), alias += *alias == ' ')
            zsh_option(row, "-", alias + 1, strcspn(alias, " ") - 1);
        zsh_option(row, "--", row->name, strlen(row->name));
    }
}

static void zsh_command(int id) {
    const struct command *command = command_table[id];
    printf("_ferry_%s() {\n    _arguments -S \\\n", command->name);
    zsh_options(1U << id);
    if (id == COMMAND_run) puts("        '1:program:_files' \\\n        '*::argument:_normal'\n}");
    else if (command->words) printf("        '1:what:(%s)' \\\n        '*:file:_files'\n}\n", command->words);
    else puts("        '*:file:_files'\n}");
}

void completions_zsh(void) {
    puts("#compdef ferry\n# zsh completion for ferry; made from its table of options.");
    for (int i = 0; i < COMMAND_COUNT; i++) zsh_command(i);
    puts("_ferry() {\n    local -a subcommands\n    subcommands=(");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        printf("        '%s:", command_table[i]->name);
        zsh_text(command_table[i]->summary);
        puts("'");
    }
    printf(
        "    )\n    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n        _describe -t subcommands subcommand subcommands\n"
        "        _files\n        return\n    fi\n    case $words[2] in\n        (");
    for (int i = 0; i < COMMAND_COUNT; i++) printf("%s%s", i ? "|" : "", command_table[i]->name);
    puts(
        ")\n            local subcommand=$words[2]\n            shift words\n            (( CURRENT-- ))\n            _ferry_$subcommand ;;\n"
        "        (*) _ferry_run ;;\n    esac\n}\nif [[ $funcstack[1] == _ferry ]]; then _ferry \"$@\"; else compdef _ferry ferry; fi");
}

static void fish_quoted(const char *text) {
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

static void fish_option(int id, const char *condition) {
    const struct option_row *row = &option_table[id];
    printf("complete -c ferry -n '%s' -l %s", condition, row->name);
    for (const char *alias = row->aliases; *alias; alias += strcspn(alias, " "), alias += *alias == ' ') {
        size_t length = strcspn(alias, " ") - 1;
        printf(" -%c %.*s", length == 1 ? 's' : 'o', (int)length, alias + 1);
    }
    if (row->argument) printf(" -r");
    if (is(row->argument, "DIR")) printf(" -f -a '(__fish_complete_directories)'");
    else if (is(row->argument, "FILE")) printf(" -F");
    else if (row->argument && strchr(row->argument, '|')) printf(" -f -a '"), choice(row->argument), putchar('\'');
    else if (row->argument) printf(" -f");
    printf(" -d ");
    fish_quoted(row->help);
    putchar('\n');
}

void completions_fish(void) {
    puts("# fish completion for ferry; made from its table of options.");
    printf("set -l subcommands ");
    command_words();
    puts("");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct command *command = command_table[i];
        char condition[128];
        printf("complete -c ferry -n __fish_use_subcommand -a %s -d ", command->name);
        fish_quoted(command->summary);
        putchar('\n');
        snprintf(condition, sizeof condition, "__fish_seen_subcommand_from %s", command->name);
        for (int option = 0; option < OPTION_COUNT; option++)
            if (scope_shows(option, 1U << i)) fish_option(option, condition);
        if (command->words) printf("complete -c ferry -n '%s' -a '%s'\n", condition, command->words);
    }
    for (int option = 0; option < OPTION_COUNT; option++)
        if (scope_shows(option, SCOPE_run)) fish_option(option, "__fish_use_subcommand");
}
