// Which file a word on the command line means, and which file this program is.
#include "runtime/cli/cli.h"
#include "guest-os/linux-user/task.h"
#include "runtime/options.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool runnable(const char *path) {
    struct stat stat_buffer;
    return !stat(path, &stat_buffer) && S_ISREG(stat_buffer.st_mode) && !access(path, X_OK);
}

// The sysroot's file for absolute `path`, or NULL if it has none.
static const char *in_sysroot(const char *path, char *buffer) {
    if (!options.sysroot || path[0] != '/') return NULL;
    const char *host = path_host(path, false, buffer);
    return host != path && runnable(host) ? host : NULL;
}

// One walk over PATH: in the sysroot or, if not `sysroot`, on the host.
static const char *search(const char *word, bool sysroot) {
    const char *directories = getenv("PATH");
    if (!directories) directories = "/usr/local/bin:/usr/bin:/bin";
    for (size_t length; *directories; directories += length + (directories[length] == ':')) {
        char path[PATH_MAX], buffer[PATH_MAX];
        struct text text = TEXT_ON(path);
        length = strcspn(directories, ":");
        text_add(&text, "%.*s/%s", length ? (int)length : 1, length ? directories : ".", word);
        if (text.cut) continue;
        const char *found = sysroot ? in_sysroot(path, buffer) : runnable(path) ? path : NULL;
        if (found) return arena_strdup(&cli_arena, found);
    }
    return NULL;
}

static const char *unknown_word(const char *word) {
    const char *nearest = command_nearest(word);
    if (nearest) error_say("'%s' is neither a subcommand nor a program in PATH; did you mean `ferry %s`?", word, nearest);
    else error_say("'%s' is neither a subcommand nor a program in PATH; give the program's path, or see `ferry help`", word);
    return NULL;
}

const char *program_find(const char *word, int *status) {
    *status = EXIT_NOT_FOUND;
    if (strchr(word, '/')) {
        char buffer[PATH_MAX];
        const char *path = options.sysroot && word[0] == '/' ? path_host(word, false, buffer) : word;
        return path == word ? word : arena_strdup(&cli_arena, path);
    }
    const char *found = options.sysroot ? search(word, true) : NULL;
    if (!found) found = search(word, false);
    if (!found && !access(word, F_OK)) found = word;  // as qemu-user takes it
    return found ? found : unknown_word(word);
}

// /proc/self/exe serves also after chroot and when the file has been replaced. Where /proc is not mounted, the path that this
// program was started by must do (not AT_EXECFN, which is the guest program's under binfmt_misc).
const char *program_self(void) {
    char path[PATH_MAX], *real;
    if (!access("/proc/self/exe", X_OK)) return "/proc/self/exe";
    real = realpath(program_invocation_name, path);
    return real ? arena_strdup(&cli_arena, real) : program_invocation_name;
}
