// The program `ferry`: finds the subcommand, or takes the words for a guest program to run. Also the interpreter that the kernel
// starts for guest programs through binfmt_misc.
#include "runtime/cli/cli.h"
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

// From binfmt_misc(5) and the kernel's admin guide: flag P puts the original argv[0] behind the program's full path and says so
// in AT_FLAGS; flag O passes the opened program as AT_EXECFD.
enum { AT_FLAGS_PRESERVE_ARGV0 = 1 };

#define COMMAND(name) extern const struct command command_##name;
#include "runtime/cli/commands.def"
#undef COMMAND

// {ferry, path, argv0, argument…} into {run, -0, argv0, --, path, argument…}. The kernel's descriptor is closed, as the guest must
// not see it: loading goes by the path, which the kernel has made sure is reachable.
static int run_for_kernel(int argc, char **argv, bool has_argv0) {
    static char run[] = "run", option[] = "-0", end[] = "--";
    char **words = cli_alloc(((size_t)argc + 5) * sizeof *words);
    int from = has_argv0 ? 3 : 2, count = 0;
    words[count++] = run;
    if (has_argv0) words[count++] = option, words[count++] = argv[2];
    words[count++] = end;
    words[count++] = argv[1];
    while (from < argc) words[count++] = argv[from++];
    unsigned long descriptor = getauxval(AT_EXECFD);
    if (descriptor > 2) close((int)descriptor);
    return command_run.run(count, words);
}

int main(int argc, char **argv) {
    bool has_argv0 = getauxval(AT_FLAGS) & AT_FLAGS_PRESERVE_ARGV0;
    if (has_argv0 ? argc > 2 : getauxval(AT_EXECFD) && argc > 1) return run_for_kernel(argc, argv, has_argv0);
    if (argc < 2) {
        help_print(stderr, NULL);
        return EXIT_USAGE;
    }
    const struct command *command = command_find(argv[1]);
    if (command) return command->run(argc - 1, argv + 1);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "-help")) {
        help_print(stdout, NULL);
        return output_status(EXIT_OK);
    }
    return command_run.run(argc, argv);
}
