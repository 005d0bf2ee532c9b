// `ferry run`: settings, the program's file, its arguments and environment, and off.
#include "runtime/cli/cli.h"
#include "guest-os/linux-user/run.h"
#include "runtime/options.h"
#include <string.h>

extern char **environ;
extern const struct command command_run;

static bool names(const char *entry, const char *name) {
    size_t length = strcspn(name, "=");
    return !strncmp(entry, name, length) && entry[length] == '=';
}

static bool named_by(const char *entry, const char *const *list) {
    for (; list && *list; list++)
        if (names(entry, *list)) return true;
    return false;
}

static bool set_again(const char *const *later) {
    return named_by(*later, later + 1);
}

// The guest's environment: ours without what -U and -E name, then what -E sets (the last one of a name counts).
static char **guest_environment(void) {
    size_t count = 0, sets = 0;
    if (!options.set_env && !options.unset_env) return environ;
    while (environ[count]) count++;
    while (options.set_env && options.set_env[sets]) sets++;
    char **made = cli_alloc((count + sets + 1) * sizeof *made), **to = made;
    for (char **entry = environ; *entry; entry++)
        if (!named_by(*entry, options.unset_env) && !named_by(*entry, options.set_env)) *to++ = *entry;
    for (size_t i = 0; i < sets; i++)
        if (!set_again(options.set_env + i)) *to++ = (char *)options.set_env[i];
    return made;
}

static int run(int argc, char **argv) {
    int status = cli_parse(&command_run, &argc, &argv, true);
    if (status >= 0) return status;
    if (!argc) return usage_error(&command_run, "no program given");
    if (!setting_on(OPTION_settled) && !settings_load()) return EXIT_USAGE;
    if ((status = settings_apply())) return status;
    const char *program = program_find(argv[0], &status);
    if (!program) return status;
    if (options.argv0) argv[0] = (char *)options.argv0;
    return linux_user_run(program, argc, argv, guest_environment());
}

const struct command command_run = {
    .name = "run",
    .arguments = "[OPTION]... PROGRAM [ARGUMENT]...",
    .summary = "run a Linux program built for another processor",
    .details =
        "PROGRAM is a path, or the name of a program in PATH, which is searched in the sysroot first. The word run may be left "
        "out: `ferry PROGRAM` does the same unless PROGRAM is the name of a subcommand.\n\n"
        "Dynamically linked programs need their interpreter and libraries: name the root of a system of the guest's kind with "
        "--sysroot. Programs that the guest starts run under Ferry as well, with the same options. The exit status is the "
        "guest's; a guest that dies of a signal makes Ferry die of the same signal.",
    .run = run,
};
