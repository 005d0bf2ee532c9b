// `ferry binfmt`: lets the kernel start guest programs through Ferry (binfmt_misc, see Documentation/admin-guide/binfmt-misc.rst).
// What is registered with the running kernel is also written to /etc/binfmt.d, from where systemd registers it at boot.
#include "runtime/cli/binfmt.h"
#include "runtime/cli/cli.h"
#include "translator/guest/guest.h"
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_DIRECTORY "/etc/binfmt.d"
#define BOOT_FILE BOOT_DIRECTORY "/" BINFMT_ENTRY ".conf"

enum { MAGIC_SIZE = 20 };  // e_ident, e_type, e_machine

// Bytes that a guest program starts with, under a mask: any OS ABI (byte 7), and ET_EXEC or ET_DYN, which differ in one bit.
static void make_magic(unsigned char magic[MAGIC_SIZE], unsigned char mask[MAGIC_SIZE]) {
    memset(magic, 0, MAGIC_SIZE);
    memset(mask, 0xff, MAGIC_SIZE);
    memcpy(magic, ELFMAG, SELFMAG);
    magic[EI_CLASS] = ELFCLASS64;
    magic[EI_DATA] = ELFDATA2LSB;
    magic[EI_VERSION] = EV_CURRENT;
    mask[EI_OSABI] = 0;
    magic[EI_NIDENT] = ET_EXEC;
    mask[EI_NIDENT] = 0xff & ~(ET_EXEC ^ ET_DYN);
    magic[EI_NIDENT + 2] = (unsigned char)guest_riscv64.elf_machine;
    magic[EI_NIDENT + 3] = (unsigned char)(guest_riscv64.elf_machine >> 8);
}

static void add_bytes(struct text *text, const unsigned char bytes[MAGIC_SIZE], const char *format) {
    for (unsigned i = 0; i < MAGIC_SIZE; i++) text_add(text, format, bytes[i]);
}

// Flags: P keep argv[0], O hand over the opened file, C credentials of the guest program, F open the runner now, so that it is
// found from other roots too.
static void registration(struct text *text, const char *runner) {
    unsigned char magic[MAGIC_SIZE], mask[MAGIC_SIZE];
    make_magic(magic, mask);
    text_add(text, ":" BINFMT_ENTRY ":M::");
    add_bytes(text, magic, "\\x%02x");
    text_add(text, ":");
    add_bytes(text, mask, "\\x%02x");
    text_add(text, ":%s:POCF", runner);
}

// Value of a line "KEY value" in an entry's file, or NULL; `content` stays as it is.
static bool entry_value(const char *content, const char *key, char *value, size_t size) {
    const char *at = strstr(content, key);
    if (!at || (at != content && at[-1] != '\n')) return false;
    at += strlen(key);
    snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
    return true;
}

static bool read_entry(const char *name, char *content, size_t size) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, BINFMT_DIRECTORY "/%s", name);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    content[fread(content, 1, size - 1, file)] = 0;
    fclose(file);
    return true;
}

static void look_at_entry(struct binfmt_state *state, const char *name) {
    unsigned char magic[MAGIC_SIZE], mask[MAGIC_SIZE];
    char content[4096], wanted[64] = "", found[600];
    struct text text = TEXT_ON(wanted);
    if (!read_entry(name, content, sizeof content) || strncmp(content, "enabled", 7)) return;
    if (!strcmp(name, BINFMT_ENTRY)) {
        state->registered = true;
        entry_value(content, "interpreter ", state->interpreter, sizeof state->interpreter);
        entry_value(content, "flags: ", state->flags, sizeof state->flags);
        return;
    }
    make_magic(magic, mask);
    add_bytes(&text, magic, "%02x");
    size_t used = strlen(state->rivals);
    if (entry_value(content, "magic ", found, sizeof found) && !strcmp(found, wanted))
        snprintf(state->rivals + used, sizeof state->rivals - used, "%s%s", used ? " " : "", name);
}

void binfmt_look(struct binfmt_state *state) {
    char content[64];
    *state = (struct binfmt_state){0};
    state->mounted = !access(BINFMT_DIRECTORY "/register", F_OK);
    if (!state->mounted) return;
    state->enabled = read_entry("status", content, sizeof content) && !strncmp(content, "enabled", 7);
    DIR *directory = opendir(BINFMT_DIRECTORY);
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "register") && strcmp(entry->d_name, "status"))
            look_at_entry(state, entry->d_name);
    closedir(directory);
}

static int fail(const char *what, const char *path, int error) {
    const char *hint = error == EACCES || error == EPERM ? "; this needs root: try again with sudo"
                       : error == EROFS                  ? "; the file system is read-only, as in a container: do it on the host"
                                                         : "";
    error_say("cannot %s %s: %s%s", what, path, strerror(error), hint);
    return EXIT_FAILED;
}

static int write_file(const char *path, int flags, const char *text, const char *what) {
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
    if (fd < 0) return fail(what, path, errno);
    ssize_t written = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    return written < 0 ? fail(what, path, error) : EXIT_OK;
}

static int need_mount(void) {
    if (!access(BINFMT_DIRECTORY "/register", F_OK)) return EXIT_OK;
    error_say("binfmt_misc is not mounted on " BINFMT_DIRECTORY "; as root: mount -t binfmt_misc binfmt_misc " BINFMT_DIRECTORY);
    return EXIT_FAILED;
}

static bool entry_exists(void) {
    return !access(BINFMT_DIRECTORY "/" BINFMT_ENTRY, F_OK);
}

static int kernel_remove(void) {
    return entry_exists() ? write_file(BINFMT_DIRECTORY "/" BINFMT_ENTRY, 0, "-1", "remove the entry") : EXIT_OK;
}

// Path to register: what --runner says, else of this program.
static int find_runner(char runner[PATH_MAX]) {
    const char *given = setting[OPTION_runner].value;
    if (given) snprintf(runner, PATH_MAX, "%s", given);
    else if (!realpath("/proc/self/exe", runner)) return fail("find out the path of this program by", "/proc/self/exe", errno);
    if (runner[0] == '/' && !strpbrk(runner, ":\n") && strlen(runner) < 128) return EXIT_OK;
    error_say("the kernel wants an absolute path of less than 128 letters, without ':', for the runner; it is %s", runner);
    return EXIT_FAILED;
}

static int install(void) {
    char runner[PATH_MAX], line[PATH_MAX + 512], file[PATH_MAX + 600];
    struct text text = TEXT_ON(line);
    if (find_runner(runner)) return EXIT_FAILED;
    registration(&text, runner);
    snprintf(file, sizeof file, "# Written by `ferry binfmt install`; `ferry binfmt remove` takes it away.\n%s\n", line);
    if (setting_on(OPTION_dry_run)) {
        printf("# to " BINFMT_DIRECTORY "/register and " BOOT_FILE ":\n%s\n", line);
        return EXIT_OK;
    }
    int status = need_mount();
    if (!status) status = kernel_remove();
    if (!status) status = write_file(BINFMT_DIRECTORY "/register", 0, line, "register with");
    if (status) return status;
    if (mkdir(BOOT_DIRECTORY, 0755) && errno != EEXIST) return fail("make", BOOT_DIRECTORY, errno);
    return write_file(BOOT_FILE, O_CREAT | O_TRUNC, file, "write");
}

static int take_away(void) {
    if (setting_on(OPTION_dry_run)) {
        if (entry_exists()) printf("# -1 to " BINFMT_DIRECTORY "/" BINFMT_ENTRY "\n");
        printf("# remove " BOOT_FILE "\n");
        return EXIT_OK;
    }
    int status = kernel_remove();
    if (status) return status;
    return unlink(BOOT_FILE) && errno != ENOENT ? fail("remove", BOOT_FILE, errno) : EXIT_OK;
}

static void status_json(const struct binfmt_state *state, bool at_boot) {
    printf("{\"schema\": 1, \"mounted\": %s, \"enabled\": %s, \"registered\": %s, \"at_boot\": %s, \"interpreter\": ",
           state->mounted ? "true" : "false", state->enabled ? "true" : "false", state->registered ? "true" : "false",
           at_boot ? "true" : "false");
    json_string(stdout, state->registered ? state->interpreter : NULL);
    printf(", \"flags\": ");
    json_string(stdout, state->registered ? state->flags : NULL);
    printf(", \"rivals\": ");
    json_string(stdout, state->rivals);
    printf("}\n");
}

static int status(void) {
    struct binfmt_state state;
    bool at_boot = !access(BOOT_FILE, F_OK);
    binfmt_look(&state);
    if (setting_on(OPTION_json)) {
        status_json(&state, at_boot);
        return EXIT_OK;
    }
    if (!state.mounted) printf("binfmt_misc: not mounted on " BINFMT_DIRECTORY "\n");
    else if (!state.enabled) printf("binfmt_misc: switched off (echo 1 > " BINFMT_DIRECTORY "/status)\n");
    if (state.registered) printf("riscv64: registered, %s, flags %s\n", state.interpreter, state.flags);
    else printf("riscv64: not registered\n");
    printf("at boot: %s\n", at_boot ? BOOT_FILE : "no");
    if (*state.rivals) printf("also registered for riscv64: %s (the one registered last serves)\n", state.rivals);
    return EXIT_OK;
}

extern const struct command command_binfmt;

static int run(int argc, char **argv) {
    static const struct {
        const char *word;
        int (*run)(void);
    } actions[] = {{"install", install}, {"remove", take_away}, {"status", status}};
    int code = cli_parse(&command_binfmt, &argc, &argv, false);
    if (code >= 0) return code;
    if (argc != 1) return usage_error(&command_binfmt, "want one of install, remove, status");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(argv[0], actions[i].word)) {
            code = actions[i].run();
            return output_status(code);
        }
    return usage_error(&command_binfmt, "'%s': want one of install, remove, status", argv[0]);
}

const struct command command_binfmt = {
    .name = "binfmt",
    .arguments = "install|remove|status [OPTION]...",
    .summary = "let the kernel start riscv64 programs through Ferry",
    .details =
        "With install, the kernel's binfmt_misc starts every riscv64 program through this very file, now and, where systemd is in "
        "use, after each boot (" BOOT_FILE "). With remove, it no longer does. Both need root. status tells what is registered.\n\n"
        "The sysroot of programs started so comes from the environment or the configuration file.",
    .words = "install remove status",
    .run = run,
};
