// `ferry doctor`: looks at the host for whatever keeps guest programs from running, or from running well. Each check is one row
// and one function.
#include "guest-os/linux-user/syscall.h"
#include "runtime/cli/binfmt.h"
#include "runtime/cli/cli.h"
#include "runtime/compiler.h"
#include "runtime/mem.h"
#include "runtime/options.h"
#include "translator/quick/quick.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum verdict { FINE, NOTE, WARNING, BROKEN };
static const char *const verdict_name[] = {"ok", "note", "warning", "broken"};

typedef enum verdict check_function(struct text *said);  // NOLINT: the one shape of them all

static long read_number(const char *path) {
    long number = -1;
    FILE *file = fopen(path, "re");
    if (!file) return -1;
    if (fscanf(file, "%ld", &number) != 1) number = -1;
    fclose(file);
    return number;
}

static enum verdict check_kernel(struct text *said) {
    struct utsname name;
    unsigned major = 0, minor = 0;
    uname(&name);
    sscanf(name.release, "%u.%u", &major, &minor);
    unsigned version = major * 1000 + minor;
    text_add(said, "Linux %s", name.release);
    if (version >= 5012) return FINE;
    text_add(said, version >= 4017 ? "; before 5.12 programs started through binfmt_misc may see a wrong argv[0]"
                                   : "; older than 4.17, which is needed to place guest memory");
    return version >= 4017 ? WARNING : BROKEN;
}

static enum verdict check_page(struct text *said) {
    long size = sysconf(_SC_PAGESIZE);
    text_add(said, "%ld bytes", size);
    if (size == 4096) return FINE;
    text_add(said, "; guests need 4096 and cannot run on this kernel");
    return BROKEN;
}

static enum verdict check_low_memory(struct text *said) {
    long lowest = read_number("/proc/sys/vm/mmap_min_addr");
    text_add(said, "vm.mmap_min_addr is %ld", lowest);
    if (lowest <= 65536) return FINE;  // -1: cannot be read
    text_add(said, "; programs with fixed addresses start at 65536: sysctl vm.mmap_min_addr=65536");
    return WARNING;
}

static enum verdict check_overcommit(struct text *said) {
    long mode = read_number("/proc/sys/vm/overcommit_memory");
    text_add(said, "vm.overcommit_memory is %ld", mode);
    if (mode != 2) return FINE;
    text_add(said, "; guests that reserve much memory (Go, Java) may fail: sysctl vm.overcommit_memory=0");
    return WARNING;
}

static enum verdict check_place(struct text *said) {
    text_add(said, "guest below 0x%llx, runner at %p", (unsigned long long)MEM_TOP, (void *)&option_table);
    if ((uintptr_t)&option_table >= MEM_TOP) return FINE;
    text_add(said, "; the runner lies among the guest's addresses: was it linked with -static-pie?");
    return BROKEN;
}

static enum verdict check_processor(struct text *said) {
#if defined(__x86_64__)
    static const char wanted[] = "x86-64-v2";
    bool enough = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("ssse3");
    text_add(said, "%s%s%s%s", enough ? wanted : "below ", enough ? "" : wanted,
             __builtin_cpu_supports("fma") ? ", fma" : ", no fma", __builtin_cpu_supports("bmi2") ? ", bmi2" : ", no bmi2");
    return enough ? FINE : BROKEN;
#else
    text_add(said, "no particular features needed");
    return FINE;
#endif
}

static enum verdict check_proc(struct text *said) {
    if (!access("/proc/self/exe", X_OK) && !access("/proc/self/maps", R_OK)) {
        text_add(said, "mounted");
        return FINE;
    }
    text_add(said, "/proc is not mounted; programs that guests start may not be found: mount -t proc proc /proc");
    return WARNING;
}

static enum verdict check_binfmt(struct text *said) {
    struct binfmt_state state;
    struct stat registered, own;
    binfmt_look(&state);
    if (!state.registered) {
        text_add(said, state.mounted ? "not registered; riscv64 programs start only by way of `ferry PROGRAM`"
                                     : "binfmt_misc is not mounted; riscv64 programs start only by way of `ferry PROGRAM`");
        return NOTE;
    }
    text_add(said, "registered, %s, flags %s", state.interpreter, state.flags);
    if (!stat(state.interpreter, &registered) && !stat("/proc/self/exe", &own) &&
        (registered.st_ino != own.st_ino || registered.st_dev != own.st_dev)) {
        text_add(said, "; that is another file than this one");
        return WARNING;
    }
    return FINE;
}

static enum verdict check_rivals(struct text *said) {
    struct binfmt_state state;
    binfmt_look(&state);
    text_add(said, "%s", *state.rivals ? state.rivals : "none");
    if (!*state.rivals) return FINE;
    text_add(said, " registered for riscv64 too; the one registered last serves");
    return state.registered ? WARNING : NOTE;
}

static enum verdict check_sysroot(struct text *said) {
    char path[PATH_MAX];
    struct stat entry;
    const char *root = setting[OPTION_sysroot].value;
    if (!root) {
        text_add(said, "none set; dynamically linked programs need --sysroot unless their libraries are in this system");
        return NOTE;
    }
    text_add(said, "%s (from %s)", root, setting[OPTION_sysroot].where);
    snprintf(path, sizeof path, "%s/lib/ld-linux-riscv64-lp64d.so.1", root);
    if (stat(root, &entry) || !S_ISDIR(entry.st_mode)) {
        text_add(said, ": there is no such directory");
        return BROKEN;
    }
    if (!lstat(path, &entry)) return FINE;
    text_add(said, ": lib/ld-linux-riscv64-lp64d.so.1 is not there; glibc's programs will not start");
    return WARNING;
}

static enum verdict check_settings(struct text *said) {
    const char *file = settings_file();
    bool there = file && !access(file, F_OK);
    text_add(said, "%s%s", file ? file : "no place for a file: HOME is not set", file && !there ? " does not exist" : "");
    return FINE;
}

static enum verdict check_tiers(struct text *said) {
    char path[PATH_MAX];
    bool quick = quick_available(), opt = quick && compiler_program(path, sizeof path);
    text_add(said, opt ? "interp, quick, opt" : quick ? "interp, quick" : "interp");
    return FINE;
}

static enum verdict check_compiler(struct text *said) {
    char path[PATH_MAX];
    if (compiler_program(path, sizeof path)) {
        text_add(said, "%s", path);
        return FINE;
    }
    text_add(said, "ferry-compiler is not installed; hot code runs as the quick tier makes it");
    return NOTE;
}

static const struct {
    const char *name;
    check_function *check;
} checks[] = {
    {"kernel", check_kernel},
    {"page size", check_page},
    {"low addresses", check_low_memory},
    {"overcommit", check_overcommit},
    {"address space", check_place},
    {"processor", check_processor},
    {"proc", check_proc},
    {"binfmt", check_binfmt},
    {"other binfmt", check_rivals},
    {"settings", check_settings},
    {"sysroot", check_sysroot},
    {"tiers", check_tiers},
    {"compiler", check_compiler},
};

static enum verdict print_check(size_t i, bool json) {
    char said[1200] = "";
    struct text text = TEXT_ON(said);
    enum verdict verdict = checks[i].check(&text);
    if (json) {
        printf("%s\n  {\"name\": \"%s\", \"verdict\": \"%s\", \"text\": ", i ? "," : "", checks[i].name, verdict_name[verdict]);
        json_string(stdout, said);
        putchar('}');
    } else {
        printf("%-8s %-14s %s\n", verdict_name[verdict], checks[i].name, said);
    }
    return verdict;
}

extern const struct command command_doctor;

static int run(int argc, char **argv) {
    int status = cli_parse(&command_doctor, &argc, &argv, false);
    if (status >= 0) return status;
    if (argc) return usage_error(&command_doctor, "'%s': no arguments wanted", argv[0]);
    bool json = setting_on(OPTION_json);
    enum verdict worst = FINE;
    if (setting_on(OPTION_syscalls)) {
        syscall_table_print(json);
        return output_status(EXIT_OK);
    }
    bool settled = settings_load();  // says itself what is wrong
    if (json) printf("{\"schema\": 1, \"checks\": [");
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        enum verdict verdict = print_check(i, json);
        if (verdict > worst) worst = verdict;
    }
    if (json) printf("\n]}\n");
    return output_status(worst == BROKEN || !settled ? EXIT_FAILED : EXIT_OK);
}

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "[OPTION]...",
    .summary = "look for what keeps guest programs from running on this host",
    .details = "Checks kernel, processor, settings and registration. The exit status is 1 if something is broken. With --syscalls, "
               "prints the table of system calls instead, and how each is served.",
    .run = run,
};
