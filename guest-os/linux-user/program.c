// Whether a file can be run and as what: permissions, `#!` lines, ELF headers, the ELF interpreter. Everything is checked here,
// before anything of this process changes, so that execve(2) fails with the errno that the kernel would give and a start leaves
// nothing half done.
#include "guest-os/linux-user/program.h"
#include "guest-os/linux-user/abi.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/options.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum {
    SCRIPT_LINE = 256,  // the kernel looks at so many bytes of a script (man 2 execve, "Interpreter scripts")
    SCRIPT_DEPTH = 5,  // scripts whose interpreters are scripts
};

static const char *error_text(long result) {
    const char *text = strerrordesc_np((int)-result);
    return text ? text : "unknown error";
}

// ---- opening

static bool is_directory(const char *path) {
    struct stat stat;
    return host_call(newfstatat, AT_FDCWD, path, &stat, 0) == 0 && S_ISDIR(stat.st_mode);
}

static long cannot_open(const char *path, long result, struct text *why) {
    if (result == -ENOENT) text_add(why, "%s: not found", path);
    else if (is_directory(path)) text_add(why, "%s: is a directory, not a program", path);
    else if (result == -EACCES)
        text_add(why, "%s: permission denied; it has to be executable and readable (chmod +rx) and its directories searchable",
                 path);
    else text_add(why, "%s: cannot be opened: %s", path, error_text(result));
    return result;
}

// The descriptor of an executable regular file, or what execve(2) says.
static long open_program(const char *path, struct text *why) {
    struct stat stat;
    long result = host_call(newfstatat, AT_FDCWD, path, &stat, 0);
    if (!result && !S_ISREG(stat.st_mode)) result = -EACCES;
    if (!result) result = host_call(faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS);
    if (result == -ENOSYS) result = host_call(faccessat, AT_FDCWD, path, X_OK);
    if (!result) result = host_call(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    return result < 0 ? cannot_open(path, result, why) : result;
}

// ---- #! lines

struct script {
    char *interpreter, *argument;  // argument: all of the rest of the line, or NULL
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// Takes a #! line apart as the kernel does; false where it would say ENOEXEC. `line` is changed.
static bool parse_line(char *line, size_t size, struct script *script) {
    char *end = memchr(line, '\n', size), *at = line + 2;
    bool whole = end || size < SCRIPT_LINE;  // the line, not just its beginning, is here
    if (!end) end = line + (size < SCRIPT_LINE ? size : SCRIPT_LINE - 1);
    while (at < end && is_blank(*at)) at++;
    char *name = at;
    while (at < end && *at && !is_blank(*at)) at++;
    if (at == name || (at == end && !whole)) return false;
    char *name_end = at;
    while (at < end && is_blank(*at)) at++;
    while (end > at && is_blank(end[-1])) end--;
    *end = 0;
    *name_end = 0;
    *script = (struct script){name, at < end && *at ? at : NULL};
    return true;
}

static char *const *script_argv(struct arena *arena, const struct script *script, const char *name, char *const argv[]) {
    size_t count = 0, at = 0;
    while (argv[count]) count++;
    char **made = arena_alloc(arena, (count + 4) * sizeof *made, _Alignof(char *));
    made[at++] = script->interpreter;
    if (script->argument) made[at++] = script->argument;
    made[at++] = (char *)(uintptr_t)name;
    for (size_t i = 1; i < count; i++) made[at++] = argv[i];
    return made;
}

// If the open file is a script: 1 with *path, *name and *argv replaced by its interpreter's. 0 where it is none.
static long resolve_script(struct arena *arena, int fd, const char **path, const char **name, char *const **argv,
                           struct text *why) {
    char *line = arena_alloc(arena, SCRIPT_LINE + 1, 1);
    long size = host_call(pread64, fd, line, SCRIPT_LINE, 0);
    if (size < 2 || line[0] != '#' || line[1] != '!') return 0;
    struct script script;
    if (!parse_line(line, (size_t)size, &script)) {
        text_add(why, "%s: its first line names no interpreter, or one too long; write #!/path/of/interpreter", *path);
        return -ENOEXEC;
    }
    char buffer[PATH_MAX];
    *argv = script_argv(arena, &script, *name, *argv);
    *path = arena_strdup(arena, path_host(script.interpreter, true, buffer));
    *name = script.interpreter;
    return 1;
}

static void explain_script(const char *script, long result, struct text *why) {
    if (why->length) text_add(why, " (interpreter of the script %s)", script);
    if (result == -ENOENT && !options.sysroot) text_add(why, "; -L DIR names the root of a system that has it");
}

// Opens `path`, going through scripts to the ELF file at the end.
static long open_through_scripts(struct arena *arena, struct program *program, struct text *why) {
    const char *original = program->path, *name = program->name_as_run;
    for (int depth = 0;; depth++) {
        long fd = open_program(program->path, why);
        long result = fd < 0 ? fd : resolve_script(arena, (int)fd, &program->path, &name, &program->argv, why);
        if (fd >= 0 && result == 0) return fd;
        if (fd >= 0) host_call(close, fd);
        if (result < 0 && depth) explain_script(original, result, why);
        if (result < 0) return result;
        if (depth == SCRIPT_DEPTH) {
            text_add(why, "%s: more than %d scripts have scripts as interpreters", original, SCRIPT_DEPTH);
            return -ELOOP;
        }
    }
}

// ---- the ELF interpreter

static long no_interpreter(const struct program *program, long result, struct text *why) {
    const char *wanted = program->image.interpreter;
    why->length = 0;
    why->cut = false;
    text_add(why, "%s: needs the ELF interpreter %s, which %s", program->path, wanted,
             result == -ENOENT ? "was not found" : error_text(result));
    if (options.sysroot)
        text_add(why, ", neither in %s nor on this machine; is -L the root of a %s system?", options.sysroot,
                 guest_abi->uname_machine);
    else text_add(why, "; name the root of a %s system that has it with -L DIR", guest_abi->uname_machine);
    return result;
}

static long open_interpreter(struct arena *arena, struct program *program, struct text *why) {
    char buffer[PATH_MAX];
    if (!program->image.interpreter) return 0;
    const char *path = arena_strdup(arena, path_host(program->image.interpreter, true, buffer));
    long fd = open_program(path, why);
    if (fd < 0) return no_interpreter(program, fd, why);
    long result = elf_read(arena, (int)fd, path, &program->interpreter, why);
    if (!result) return 0;
    program->interpreter.fd = -1;
    host_call(close, fd);
    text_add(why, " (ELF interpreter of %s)", program->path);
    if (!options.sysroot) text_add(why, "; name the root of a %s system with -L DIR", guest_abi->uname_machine);
    return result == -ENOEXEC ? -ELIBBAD : result;
}

long program_open(struct arena *arena, const char *path, char *const argv[], struct program *program, struct text *why) {
    char buffer[PATH_MAX];
    *program = (struct program){.name_as_run = path_guest(path), .argv = argv, .image.fd = -1, .interpreter.fd = -1};
    path = program->path = arena_strdup(arena, path_host(program->name_as_run, true, buffer));
    long fd = open_through_scripts(arena, program, why);
    if (fd < 0) return fd;
    long result = elf_read(arena, (int)fd, program->path, &program->image, why);
    if (result && program->path != path) explain_script(path, result, why);
    if (!result) result = open_interpreter(arena, program, why);
    if (result) program_close(program);
    return result;
}

void program_close(struct program *program) {
    if (program->image.fd >= 0) host_call(close, program->image.fd);
    if (program->interpreter.fd >= 0) host_call(close, program->interpreter.fd);
    program->image.fd = program->interpreter.fd = -1;
}

long program_check(struct arena *arena, const char **path, char *const **argv, char *why_at, size_t why_size) {
    struct program program;
    struct text why = {.at = why_at, .size = why_size};
    if (why_size) *why_at = 0;
    long result = program_open(arena, *path, *argv, &program, &why);
    if (result) return result;
    program_close(&program);
    *path = program.path;
    *argv = program.argv;
    return 0;
}
