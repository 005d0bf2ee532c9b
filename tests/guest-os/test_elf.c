// What program_check says of files that are no programs of the guest, or damaged, or hostile: the errno of execve(2) and a
// message with the words that help. Also `#!` lines, and the sysroot overlay of paths. Nothing here runs guest code.
#include "tests/tools/cmocka.h"
#include "guest-os/linux-user/abi.h"
#include "runtime/base/arena.h"
#include "runtime/options.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- a small program, to be damaged

enum { FILE_BYTES = 3 * 4096, LOADED = 0x10000 };

struct file {
    union {
        struct {
            Elf64_Ehdr header;
            Elf64_Phdr segment[4];  // PT_LOAD text, PT_LOAD data, and two for the cases
        };
        char bytes[FILE_BYTES];
    };
    size_t size;
    int mode;
};

static struct file good(void) {
    struct file file = {.size = FILE_BYTES, .mode = 0755};
    file.header = (Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                               .e_type = ET_EXEC,
                               .e_machine = EM_RISCV,
                               .e_version = EV_CURRENT,
                               .e_entry = LOADED + 0x200,
                               .e_phoff = sizeof(Elf64_Ehdr),
                               .e_ehsize = sizeof(Elf64_Ehdr),
                               .e_phentsize = sizeof(Elf64_Phdr),
                               .e_phnum = 4};
    file.segment[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, LOADED, LOADED, 4096, 4096, 4096};
    file.segment[1] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 4096, LOADED + 4096, LOADED + 4096, 4096, 8192, 4096};
    return file;
}

static char directory[] = "/tmp/test_elf.XXXXXX";

static const char *write_file(const char *name, const void *bytes, size_t size, int mode) {
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    fchmod(fd, (mode_t)mode);
    close(fd);
    return path;
}

struct verdict {
    long result;
    char why[1024];
    char path[PATH_MAX];
    char arguments[1024];  // joined by '|'
};

static struct verdict ask(const char *path, char *const argv[]) {
    struct arena arena = {0};
    struct verdict verdict = {0};
    verdict.result = program_check(&arena, &path, &argv, verdict.why, sizeof verdict.why);
    snprintf(verdict.path, sizeof verdict.path, "%s", path);
    for (; !verdict.result && *argv; argv++) {
        strcat(verdict.arguments, *argv);
        strcat(verdict.arguments, "|");
    }
    arena_free(&arena);
    return verdict;
}

static struct verdict ask_plain(const char *path) {
    char *argv[] = {"argv0", "one", NULL};
    return ask(path, argv);
}

static void expect(const struct verdict *verdict, long result, const char *words) {
    if (verdict->result != result || !strstr(verdict->why, words))
        fail_msg("got %ld \"%s\", wanted %ld and \"%s\"", verdict->result, verdict->why, result, words);
    assert_null(strchr(verdict->why, '\n'));
}

// ---- damaged and hostile files

static void not_elf(struct file *f) {
    memcpy(f->bytes, "hello world", 11);
}
static void empty(struct file *f) {
    f->size = 0;
}
static void one_byte(struct file *f) {
    f->size = 1;
}
static void only_magic(struct file *f) {
    f->size = 5;
}
static void half_a_header(struct file *f) {
    f->size = 40;
}
static void other_class(struct file *f) {
    f->header.e_ident[EI_CLASS] = ELFCLASS32;
}
static void big_endian(struct file *f) {
    f->header.e_ident[EI_DATA] = ELFDATA2MSB;
}
static void of_the_host(struct file *f) {
    f->header.e_machine = EM_X86_64;
}
static void of_another(struct file *f) {
    f->header.e_machine = EM_S390;
}
static void of_the_unknown(struct file *f) {
    f->header.e_machine = 9999;
}
static void object(struct file *f) {
    f->header.e_type = ET_REL;
}
static void core(struct file *f) {
    f->header.e_type = ET_CORE;
}
static void odd_type(struct file *f) {
    f->header.e_type = 77;
}
static void no_headers(struct file *f) {
    f->header.e_phnum = 0;
}
static void too_many_headers(struct file *f) {
    f->header.e_phnum = 0xffff;
}
static void odd_headers(struct file *f) {
    f->header.e_phentsize = 55;
}
static void headers_behind_end(struct file *f) {
    f->header.e_phoff = FILE_BYTES - 8;
}
static void headers_far_away(struct file *f) {
    f->header.e_phoff = ~UINT64_C(0) - 100;
}
static void nothing_to_load(struct file *f) {
    f->segment[0].p_type = f->segment[1].p_type = PT_NULL;
}
static void nothing_but_empty(struct file *f) {
    f->segment[0].p_memsz = f->segment[0].p_filesz = f->segment[1].p_memsz = f->segment[1].p_filesz = 0;
}
static void file_over_memory(struct file *f) {
    f->segment[1].p_memsz = 100;
}
static void address_over_top(struct file *f) {
    f->segment[1].p_vaddr = ~UINT64_C(0) & ~UINT64_C(4095);
}
static void wraps_around(struct file *f) {
    f->segment[1].p_memsz = ~UINT64_C(0);
}
static void huge(struct file *f) {
    f->segment[1].p_memsz = MEM_TOP;
}
static void misaligned(struct file *f) {
    f->segment[1].p_vaddr += 16;
}
static void offset_behind_end(struct file *f) {
    f->segment[1].p_offset = 1 << 20;
}
static void offset_wraps(struct file *f) {
    f->segment[1].p_offset = ~UINT64_C(0) & ~UINT64_C(4095);
}
static void cut_short(struct file *f) {
    f->size = 6000;
}
static void overlaps(struct file *f) {
    f->segment[1].p_vaddr = LOADED;
}
static void out_of_order(struct file *f) {
    Elf64_Phdr first = f->segment[0];
    f->segment[0] = f->segment[1];
    f->segment[1] = first;
}
static void entry_elsewhere(struct file *f) {
    f->header.e_entry = 0x999000;
}
static void library(struct file *f) {
    f->header.e_type = ET_DYN, f->header.e_entry = 0;
}
static void too_low(struct file *f) {
    f->segment[0].p_vaddr = 0, f->segment[1].p_vaddr = 4096, f->header.e_entry = 16;
}

static void interpreter(struct file *f, const char *name, size_t size) {
    f->segment[2] = (Elf64_Phdr){PT_INTERP, PF_R, 2048, 0, 0, size, size, 1};
    memcpy(f->bytes + 2048, name, size);
}
static void interpreter_missing(struct file *f) {
    interpreter(f, "/no/such/ld.so", 15);
}
static void interpreter_endless(struct file *f) {
    interpreter(f, "/no/such/ld.so", 14);
}
static void interpreter_empty(struct file *f) {
    interpreter(f, "\0", 2);
}
static void interpreter_behind_end(struct file *f) {
    interpreter(f, "/x", 3), f->segment[2].p_offset = FILE_BYTES;
}
static void interpreter_long(struct file *f) {
    interpreter(f, "/x", 3), f->segment[2].p_filesz = 5000;
}
static void interpreter_of_host(struct file *f) {
    interpreter(f, "/bin/sh", 8);
}
static void interpreter_no_elf(struct file *f) {
    interpreter(f, "/usr/bin/ldd", 13);
}
static void not_executable(struct file *f) {
    f->mode = 0644;
}
static void unharmed(struct file *f) {
    (void)f;
}
static void interpreter_twice(struct file *f) {
    interpreter(f, "/no/such/ld.so", 15);
    f->segment[3] = (Elf64_Phdr){PT_INTERP, PF_R, FILE_BYTES, 0, 0, 77, 77, 1};  // only the first counts
}

static const struct {
    const char *name;
    void (*damage)(struct file *);
    long result;
    const char *words;
} cases[] = {
#define CASE(damage, result, words) {#damage, damage, result, words}
    CASE(unharmed, 0, ""),
    CASE(not_elf, -ENOEXEC, "neither an ELF program nor a script"),
    CASE(empty, -ENOEXEC, "empty file"),
    CASE(one_byte, -ENOEXEC, "neither"),
    CASE(only_magic, -ENOEXEC, "truncated"),
    CASE(half_a_header, -ENOEXEC, "truncated"),
    CASE(other_class, -ENOEXEC, "riscv32"),
    CASE(big_endian, -ENOEXEC, "riscv64 programs only"),
    CASE(of_the_host, -ENOEXEC, "x86-64"),
    CASE(of_another, -ENOEXEC, "s390x"),
    CASE(of_the_unknown, -ENOEXEC, "ELF machine 9999"),
    CASE(object, -ENOEXEC, "object file; link it"),
    CASE(core, -ENOEXEC, "core dump"),
    CASE(odd_type, -ENOEXEC, "type is 77"),
    CASE(no_headers, -ENOEXEC, "0 program headers"),
    CASE(too_many_headers, -ENOEXEC, "65535 program headers"),
    CASE(odd_headers, -ENOEXEC, "of 55 bytes"),
    CASE(headers_behind_end, -ENOEXEC, "behind its end"),
    CASE(headers_far_away, -ENOEXEC, "behind its end"),
    CASE(nothing_to_load, -ENOEXEC, "no loadable segment"),
    CASE(nothing_but_empty, -ENOEXEC, "no loadable segment"),
    CASE(file_over_memory, -ENOEXEC, "program header 1 has more bytes"),
    CASE(address_over_top, -ENOEXEC, "does not fit into the address space"),
    CASE(wraps_around, -ENOEXEC, "does not fit into the address space"),
    CASE(huge, -ENOEXEC, "does not fit into the address space"),
    CASE(misaligned, -ENOEXEC, "cannot be mapped at its address"),
    CASE(offset_behind_end, -ENOEXEC, "truncated"),
    CASE(offset_wraps, -ENOEXEC, "truncated"),
    CASE(cut_short, -ENOEXEC, "truncated"),
    CASE(overlaps, -ENOEXEC, "overlaps"),
    CASE(out_of_order, -ENOEXEC, "out of order"),
    CASE(entry_elsewhere, -ENOEXEC, "no entry point"),
    CASE(library, -ENOEXEC, "shared library"),
    CASE(too_low, -ENOEXEC, "link it higher"),
    CASE(interpreter_missing, -ENOENT, "-L DIR"),
    CASE(interpreter_twice, -ENOENT, "/no/such/ld.so"),
    CASE(interpreter_endless, -ENOEXEC, "without an end"),
    CASE(interpreter_empty, -ENOEXEC, "without a name"),
    CASE(interpreter_behind_end, -ENOEXEC, "behind the end"),
    CASE(interpreter_long, -ENOEXEC, "impossible length"),
    CASE(interpreter_of_host, -ELIBBAD, "x86-64"),
    CASE(interpreter_no_elf, -ELIBBAD, "neither"),
    CASE(not_executable, -EACCES, "permission denied"),
#undef CASE
};

static void damaged_files_are_refused(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct file file = good();
        cases[i].damage(&file);
        struct verdict verdict = ask_plain(write_file(cases[i].name, file.bytes, file.size, file.mode));
        if (verdict.result != cases[i].result || !strstr(verdict.why, cases[i].words))
            fail_msg("%s: got %ld \"%s\", wanted %ld and \"%s\"", cases[i].name, verdict.result, verdict.why, cases[i].result,
                     cases[i].words);
        if (verdict.result) assert_non_null(strstr(verdict.why, cases[i].name));  // which file
    }
}

// Every single bit of the headers, flipped: never a crash.
static void flipped_bits_are_survived(void **unused) {
    (void)unused;
    for (size_t bit = 0; bit < 8 * (sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr)); bit += 3) {
        struct file file = good();
        file.bytes[bit / 8] = (char)(file.bytes[bit / 8] ^ 1 << bit % 8);
        struct verdict verdict = ask_plain(write_file("flipped", file.bytes, file.size, file.mode));
        assert_true(verdict.result <= 0);
        assert_true(verdict.result == 0 || *verdict.why);
    }
}

static void places_that_hold_no_program_are_refused(void **unused) {
    (void)unused;
    struct verdict verdict = ask_plain("/no/such/program");
    expect(&verdict, -ENOENT, "/no/such/program: not found");
    verdict = ask_plain(directory);
    expect(&verdict, -EACCES, "is a directory");
    struct file file = good();
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/deeper", write_file("plain", file.bytes, file.size, 0755));
    verdict = ask_plain(path);
    expect(&verdict, -ENOTDIR, "Not a directory");
    verdict = ask_plain("/dev/null");
    expect(&verdict, -EACCES, "permission denied");
}

// ---- scripts

static struct verdict ask_script(const char *line) {
    return ask_plain(write_file("script", line, strlen(line), 0755));
}

static void scripts_become_their_interpreters(void **unused) {
    (void)unused;
    struct file file = good();
    char program[PATH_MAX], line[PATH_MAX + 64], wanted[2 * PATH_MAX + 64];
    snprintf(program, sizeof program, "%s", write_file("program", file.bytes, file.size, 0755));
    snprintf(line, sizeof line, "#! %s  -a -b \t\nrest\n", program);
    struct verdict verdict = ask_script(line);
    assert_int_equal(verdict.result, 0);
    assert_string_equal(verdict.path, program);
    snprintf(wanted, sizeof wanted, "%s|-a -b|%s/script|one|", program, directory);
    assert_string_equal(verdict.arguments, wanted);
    snprintf(line, sizeof line, "#!%s", program);  // no newline at the end
    verdict = ask_script(line);
    snprintf(wanted, sizeof wanted, "%s|%s/script|one|", program, directory);
    assert_string_equal(verdict.arguments, wanted);
}

static void scripts_of_scripts_have_a_limit(void **unused) {
    (void)unused;
    struct file file = good();
    char line[PATH_MAX], before[PATH_MAX];
    snprintf(before, sizeof before, "%s", write_file("program", file.bytes, file.size, 0755));
    for (int depth = 1; depth <= 7; depth++) {
        char name[16];
        snprintf(name, sizeof name, "level%d", depth);
        snprintf(line, sizeof line, "#!%.200s x%d\n", before, depth);
        snprintf(before, sizeof before, "%s", write_file(name, line, strlen(line), 0755));
        struct verdict verdict = ask_plain(before);
        assert_int_equal(verdict.result, depth <= 5 ? 0 : -ELOOP);
        if (depth == 2) assert_non_null(strstr(verdict.arguments, "|x1|"));
        if (depth == 2) assert_non_null(strstr(verdict.arguments, "/level1|x2|"));
    }
}

static void bad_scripts_are_refused(void **unused) {
    (void)unused;
    char line[600] = "#!/";
    memset(line + 3, 'x', 500);
    struct verdict verdict = ask_script(line);
    expect(&verdict, -ENOEXEC, "first line");
    verdict = ask_script("#!\n");
    expect(&verdict, -ENOEXEC, "first line");
    verdict = ask_script("#!   \t \nx");
    expect(&verdict, -ENOEXEC, "first line");
    verdict = ask_script("#!/no/such/interpreter\n");
    expect(&verdict, -ENOENT, "interpreter of the script");
    verdict = ask_script("#!/bin/sh\n");
    expect(&verdict, -ENOEXEC, "run it directly");
}

// ---- the sysroot

static void make(const char *what, const char *path, const char *target) {
    char full[PATH_MAX];
    snprintf(full, sizeof full, "%s/root%s", directory, path);
    if (*what == 'd') mkdir(full, 0755);
    else if (*what == 'l') assert_int_equal(symlink(target, full), 0);
    else close(open(full, O_CREAT | O_WRONLY, 0755));
}

static void paths_go_to_the_sysroot_where_it_has_them(void **unused) {
    (void)unused;
    static char root[PATH_MAX];
    snprintf(root, sizeof root, "%s/root", directory);
    make("d", "", NULL);
    make("d", "/usr", NULL);
    make("d", "/usr/bin", NULL);
    make("d", "/etc", NULL);
    make("l", "/bin", "usr/bin");
    make("f", "/usr/bin/tool", NULL);
    make("l", "/usr/bin/relative", "tool");
    make("l", "/usr/bin/absolute", "/usr/bin/tool");
    make("l", "/usr/bin/climbs", "../../../../usr/bin/tool");
    make("l", "/usr/bin/broken", "nothing");
    make("l", "/etc/mtab", "../proc/self/mounts");
    make("l", "/loop", "loop");
    static const struct {
        const char *path;
        bool follow;
        const char *below;  // the sysroot; NULL: the path itself
    } rows[] = {
        {"/", true, "/"},
        {"/usr/bin/tool", true, "/usr/bin/tool"},
        {"//usr/./bin/../bin//tool", true, "/usr/bin/tool"},
        {"/../../usr/bin/tool", true, "/usr/bin/tool"},
        {"/bin/tool", true, "/usr/bin/tool"},
        {"/bin", false, "/bin"},
        {"/bin/", false, "/usr/bin/"},
        {"/bin/relative", true, "/usr/bin/tool"},
        {"/bin/absolute", true, "/usr/bin/tool"},
        {"/bin/absolute", false, "/usr/bin/absolute"},
        {"/bin/climbs", true, "/usr/bin/tool"},
        {"/bin/broken", true, NULL},
        {"/bin/broken", false, "/usr/bin/broken"},
        {"/bin/missing", true, NULL},
        {"/usr/bin/tool/deeper", true, NULL},
        {"/proc/self/maps", true, NULL},
        {"/dev/null", true, NULL},
        {"/sys", true, NULL},
        {"relative", true, NULL},
        {"", true, NULL},
    };
    options.sysroot = root;
    char buffer[PATH_MAX], wanted[2 * PATH_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(wanted, sizeof wanted, "%s%s", rows[i].below ? root : "", rows[i].below ? rows[i].below : rows[i].path);
        assert_string_equal(path_host(rows[i].path, rows[i].follow, buffer), wanted);
    }
    assert_string_equal(path_host("/etc/mtab", true, buffer), "/proc/self/mounts");
    assert_string_equal(path_host(root, true, buffer), root);
    assert_true(strstr(path_host("/loop", true, buffer), "/root/loop") != NULL);
    snprintf(wanted, sizeof wanted, "%s/usr/bin/tool", root);
    assert_string_equal(path_host(wanted, true, buffer), wanted);
    assert_string_equal(path_guest(wanted), "/usr/bin/tool");
    assert_string_equal(path_guest(root), "/");
    assert_string_equal(path_guest("/elsewhere"), "/elsewhere");
    options.sysroot = NULL;
    assert_string_equal(path_host("/bin/tool", true, buffer), "/bin/tool");
}

static int remove_all(void **unused) {
    (void)unused;
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(flipped_bits_are_survived),
        cmocka_unit_test(places_that_hold_no_program_are_refused),
        cmocka_unit_test(scripts_become_their_interpreters),
        cmocka_unit_test(scripts_of_scripts_have_a_limit),
        cmocka_unit_test(bad_scripts_are_refused),
        cmocka_unit_test(paths_go_to_the_sysroot_where_it_has_them),
    };
    if (!mkdtemp(directory)) return 1;
    return cmocka_run_group_tests(tests, NULL, remove_all);
}
