// `ferry help --man`: ferry(1) in man(7) macros, from the same tables as everything else.
#include "cache/store.h"
#include "runtime/cli/cli.h"
#include <string.h>

// Text with what roff would take as its own made harmless.
static void put(const char *text) {
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", stdout);
        start = *text == '\n';
        switch (*text) {
        case '\\': fputs("\\e", stdout); break;
        case '-': fputs("\\-", stdout); break;
        case '`': fputs("\\(ga", stdout); break;
        case '\'': fputs("\\(aq", stdout); break;
        case '~': fputs("\\(ti", stdout); break;
        case '^': fputs("\\(ha", stdout); break;
        default: putchar(*text);
        }
    }
}

static void macro(const char *name, const char *text) {
    printf(".%s ", name);
    put(text);
    putchar('\n');
}

static void paragraphs(const char *text) {
    while (*text) {
        char paragraph[2048];
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        snprintf(paragraph, sizeof paragraph, "%.*s\n", (int)length, text);
        puts(".PP");
        put(paragraph);
        text += length + (end ? 2 : 0);
    }
}

static void spelled(const char *before, const char *name, const char *argument) {
    printf("\\fB");
    put(before);
    put(name);
    printf("\\fR");
    if (!argument) return;
    printf(before[1] ? "=" : " ");
    printf("\\fI");
    put(argument);
    printf("\\fR");
}

static void option(int id) {
    const struct option_row *row = &option_table[id];
    puts(".TP");
    for (const char *alias = row->aliases; *alias; alias += strcspn(alias, " "), alias += *alias == ' ') {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(alias, " ") - 1, alias + 1);
        spelled("-", name, row->argument);
        printf(", ");
    }
    spelled("--", row->name, row->argument);
    putchar('\n');
    put(row->help);
    puts(".");
}

// Options in `scope` and not in `without`.
static void options(unsigned scope, unsigned without, bool compat) {
    for (int i = 0; i < OPTION_COUNT; i++) {
        unsigned of = option_table[i].scope;
        if (of & scope && !(of & (HIDDEN | without)) && !(of & COMPAT) == !compat) option(i);
    }
}

static void command(int id) {
    const struct command *entry = command_table[id];
    printf(".SS \"ferry ");
    put(entry->name);
    putchar(' ');
    put(entry->arguments);
    puts("\"");
    paragraphs(entry->details);
    options(1U << id, id == COMMAND_config ? SCOPE_run : 0, false);
}

static void variables(void) {
    puts(".SH ENVIRONMENT\nA variable that is empty counts as not set. Where both are set, the one that starts with FERRY_ wins.");
    for (int i = 0; i < OPTION_COUNT; i++) {
        char name[64];
        if (!(option_table[i].scope & FROM_ENVIRONMENT)) continue;
        option_variable(i, name, sizeof name);
        printf(".TP\n\\fB%s\\fR", name);
        if (option_table[i].foreign) printf(", \\fB%s\\fR", option_table[i].foreign);
        puts("");
        printf("as ");
        spelled("--", option_table[i].name, NULL);
        puts(".");
    }
}

static void files(void) {
    puts(
        ".SH FILES\n.TP\n.I $XDG_CONFIG_HOME/ferry/config\n(else ~/.config/ferry/config): lines of the form \\(lqkey = value\\(rq; "
        "a line that starts with # is a comment. Keys:");
    const char *comma = "";
    for (int i = 0; i < OPTION_COUNT; i++)
        if (option_table[i].scope & FROM_FILE) {
            printf("%s\\fB", comma);
            put(option_table[i].name);
            printf("\\fR");
            comma = ",\n";
        }
    puts(".\n.PP\nThe command line wins over the environment, the environment over the file. "
         "A program that gains privileges when it is started (set-user-ID) is given neither environment nor file."
         "\n.TP\n.I " CACHE_SYSTEM_KEYS
         "\n.TQ\n.I $XDG_CONFIG_HOME/ferry/keys\npublic keys, *.pub, of those whose bundles are believed"
         "\n.TP\n.I " STORE_SYSTEMS "\ntranslations for all users");
}

void manual_print(void) {
    printf(".TH FERRY 1 \"\" \"Ferry %s\" \"User Commands\"\n", version_number);
    puts(".SH NAME\nferry \\- run Linux programs built for another processor");
    puts(".SH SYNOPSIS\n.B ferry\n[\\fBrun\\fR] [\\fIOPTION\\fR]... \\fIPROGRAM\\fR [\\fIARGUMENT\\fR]...\n.br\n.B ferry\n"
         "\\fISUBCOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...");
    puts(".SH DESCRIPTION\nFerry runs Linux programs that were built for another processor (riscv64): it translates their "
         "instructions and passes their system calls on to the kernel.");
    puts(".SH SUBCOMMANDS");
    for (int i = 0; i < COMMAND_COUNT; i++) command(i);
    puts(
        ".SH COMPATIBILITY\nThe names of qemu\\-user\\(aqs options and variables are understood, so that scripts written for it go on "
        "working. These have no counterpart:");
    options(SCOPE_run, 0, true);
    variables();
    files();
    puts(
        ".SH EXIT STATUS\nThat of the guest program; a guest that dies of a signal makes Ferry die of it too.\n.TP\n.B 2\n"
        "wrong usage\n.TP\n.B 125\n\\-\\-cosim found native code to differ from the interpreter\n.TP\n.B 126\nthe program was found but cannot be run\n.TP\n.B 127\nthe program was not found");
    puts(".SH EXAMPLES\n.nf\nferry ./hello\nferry \\-L /srv/riscv64 /bin/bash \\-c 'uname \\-m'\n"
         "sudo ferry binfmt install\nferry dump decode \\-\\-hex 00c58533\n.fi");
    macro("SH", "SEE ALSO");
    puts(".BR binfmt.d (5),\n.BR ld.so (8)");
}
