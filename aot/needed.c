// The loader's search: see needed.h. Modules are gone through in the order in which they are found, as the loader does, so that a name that was found once is
// not searched again. Paths are the guest's; only what is opened and printed is a path of the host.
#include "aot/needed.h"
#include "aot/discover_search.h"
#include "runtime/base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_MODULES = 4096, MAX_CONFIGURATIONS = 256 };

// A program or library. Texts are NULL where it has none.
struct module {
    char *host_path;
    char *origin;  // directory that it was found in
    char *soname, *rpath, *runpath, *interpreter;
    char **wanted;
    size_t wanteds, wanted_room;
    int loader;  // number of the module that wants it, or -1
    unsigned machine;
};

struct names {
    char **name;
    size_t count, room;
};

struct loading {
    const char *sysroot;
    int root;  // the sysroot's descriptor, or -1
    struct module *module;
    size_t modules, room;
    struct names configured;  // directories
    struct needed *needed;
};

// ---- text

static __attribute__((format(printf, 1, 2))) char *format(const char *text, ...) {
    va_list arguments;
    char *result;
    va_start(arguments, text);
    if (vasprintf(&result, text, arguments) < 0) error_die("no memory for names of libraries");
    va_end(arguments);
    return result;
}

static void add_name(struct names *names, char *name) {
    SEARCH_ADD(names->name, names->count, names->room, name);
}

static void free_names(char **name, size_t count) {
    for (size_t i = 0; i < count; i++) free(name[i]);
    free(name);
}

// ---- files

// Opens a path of the guest's as the runner would: below the sysroot, or, where there is no such file, as it stands.
static int open_guest(const struct loading *loading, const char *path) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_IN_ROOT};
    int fd = loading->root < 0 ? -1 : (int)syscall(SYS_openat2, loading->root, path, &how, sizeof how);
    return fd < 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : fd;
}

static char *path_of(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 0 && (size_t)length < sizeof path ? format("%.*s", (int)length, path) : NULL;
}

static char *directory_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? format("%.*s", slash == path ? 1 : (int)(slash - path), path) : format(".");
}

// ---- what a module says

static bool place_in_file(Elf *elf, uint64_t address, uint64_t *offset) {
    size_t count;
    GElf_Phdr header;
    if (elf_getphdrnum(elf, &count)) return false;
    for (size_t i = 0; i < count; i++) {
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD || address - header.p_vaddr >= header.p_filesz)
            continue;
        *offset = header.p_offset + (address - header.p_vaddr);
        return true;
    }
    return false;
}

// The text at `at` of a table of strings, if it ends there.
static char *text_at(const Elf_Data *strings, uint64_t at) {
    if (!strings || !strings->d_buf || at >= strings->d_size) return NULL;
    const char *text = (const char *)strings->d_buf + at;
    size_t length = strnlen(text, strings->d_size - at);
    return length < strings->d_size - at && length < PATH_MAX ? format("%s", text) : NULL;
}

static Elf_Data *find_strings(Elf *elf, Elf_Data *dynamic) {
    uint64_t address = 0, size = 0, offset;
    GElf_Dyn entry;
    for (int i = 0; gelf_getdyn(dynamic, i, &entry) && entry.d_tag != DT_NULL; i++) {
        if (entry.d_tag == DT_STRTAB) address = entry.d_un.d_ptr;
        if (entry.d_tag == DT_STRSZ) size = entry.d_un.d_val;
    }
    return place_in_file(elf, address, &offset) ? elf_getdata_rawchunk(elf, (int64_t)offset, size, ELF_T_BYTE) : NULL;
}

static void take_text(char **place, char *text) {
    free(*place);
    *place = text;
}

static void read_dynamic(struct module *module, Elf *elf, const GElf_Phdr *header) {
    Elf_Data *dynamic = elf_getdata_rawchunk(elf, (int64_t)header->p_offset, header->p_filesz, ELF_T_DYN);
    Elf_Data *strings = dynamic ? find_strings(elf, dynamic) : NULL;
    GElf_Dyn entry;
    for (int i = 0; strings && gelf_getdyn(dynamic, i, &entry) && entry.d_tag != DT_NULL; i++) {
        if (entry.d_tag == DT_SONAME) take_text(&module->soname, text_at(strings, entry.d_un.d_val));
        if (entry.d_tag == DT_RPATH) take_text(&module->rpath, text_at(strings, entry.d_un.d_val));
        if (entry.d_tag == DT_RUNPATH) take_text(&module->runpath, text_at(strings, entry.d_un.d_val));
        char *wanted = entry.d_tag == DT_NEEDED ? text_at(strings, entry.d_un.d_val) : NULL;
        if (wanted) SEARCH_ADD(module->wanted, module->wanteds, module->wanted_room, wanted);
    }
}

static bool read_elf(struct module *module, Elf *elf) {
    GElf_Ehdr header;
    GElf_Phdr segment;
    size_t count;
    if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header) || elf_getphdrnum(elf, &count)) return false;
    module->machine = header.e_machine;
    for (size_t i = 0; i < count; i++) {
        if (!gelf_getphdr(elf, (int)i, &segment)) continue;
        if (segment.p_type == PT_DYNAMIC) read_dynamic(module, elf, &segment);
        if (segment.p_type != PT_INTERP) continue;
        take_text(&module->interpreter,
                  text_at(elf_getdata_rawchunk(elf, (int64_t)segment.p_offset, segment.p_filesz, ELF_T_BYTE), 0));
    }
    return header.e_ident[EI_CLASS] == ELFCLASS64 && guest_by_machine(header.e_machine);
}

static bool read_module(struct module *module, int fd) {
    struct stat about;
    if (fstat(fd, &about) || !S_ISREG(about.st_mode) || elf_version(EV_CURRENT) == EV_NONE) return false;
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    bool fine = elf && read_elf(module, elf);
    elf_end(elf);
    module->host_path = fine ? path_of(fd) : NULL;
    return module->host_path != NULL;
}

static void free_module(struct module *module) {
    free(module->host_path);
    free(module->origin);
    free(module->soname);
    free(module->rpath);
    free(module->runpath);
    free(module->interpreter);
    free_names(module->wanted, module->wanteds);
}

// ---- trying

// Takes the file at a path of the guest's as a module, unless it is for another machine. True: it is one, perhaps since long ago.
static bool try_path(struct loading *loading, const char *path, int loader) {
    struct module module = {.loader = loader};
    int fd = open_guest(loading, path);
    bool fine = fd >= 0 && read_module(&module, fd) && loading->modules < MAX_MODULES;
    if (fd >= 0) close(fd);
    fine = fine && (!loading->modules || module.machine == loading->module[0].machine);
    bool known = false;
    for (size_t i = 0; fine && i < loading->modules; i++) known |= !strcmp(loading->module[i].host_path, module.host_path);
    if (fine && !known) {
        module.origin = directory_of(path);
        SEARCH_ADD(loading->module, loading->modules, loading->room, module);
    } else {
        free_module(&module);
    }
    return fine;
}

static bool try_in(struct loading *loading, const char *directory, const char *name, int loader) {
    char *path = format("%s/%s", directory, name);
    bool found = try_path(loading, path, loader);
    free(path);
    return found;
}

// ---- lists of directories

// What processors' loaders have built in: how Debian calls the machine, and where others keep libraries for it.
static const struct {
    unsigned machine;
    const char *triple, *library;
} machines[] = {{EM_RISCV, "riscv64-linux-gnu", "lib64/lp64d"}};

static const char *triple_of(unsigned machine) {
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        if (machines[i].machine == machine) return machines[i].triple;
    }
    return NULL;
}

// ld.so(8), "Dynamic string tokens". NULL for those that mean nothing here.
static char *expand(const struct module *module, const char *text) {
    char *result = format("%s", "");
    while (*text && result) {
        bool braces = text[0] == '$' && text[1] == '{';
        const char *name = text + 1 + braces, *triple = triple_of(module->machine);
        char *with = NULL;
        size_t skip = 1;
        if (*text != '$') with = format("%s%c", result, *text);
        else if (!strncmp(name, "ORIGIN", 6)) with = format("%s%s", result, module->origin), skip = 7 + 2u * braces;
        else if (!strncmp(name, "LIB", 3) && triple) with = format("%slib/%s", result, triple), skip = 4 + 2u * braces;
        free(result);
        result = with;
        text += strnlen(text, skip);
    }
    return result;
}

static bool try_list(struct loading *loading, size_t owner, const char *list, const char *name, int loader) {
    bool found = false;
    while (list && *list && !found) {
        size_t length = strcspn(list, ":");
        char *entry = format("%.*s", (int)length, list), *directory = expand(&loading->module[owner], entry);
        found = directory && *directory && try_in(loading, directory, name, loader);
        free(entry);
        free(directory);
        list += length + (list[length] == ':');
    }
    return found;
}

// DT_RPATH of the module and of those that it was loaded for, which DT_RUNPATH switches off.
static bool try_rpaths(struct loading *loading, const char *name, int loader) {
    if (loading->module[loader].runpath) return false;
    for (int at = loader; at >= 0; at = loading->module[at].loader) {
        const struct module *module = &loading->module[at];
        if (!module->runpath && try_list(loading, (size_t)at, module->rpath, name, loader)) return true;
    }
    return false;
}

static bool try_default(struct loading *loading, const char *name, int loader) {
    bool found = false;
    for (size_t i = 0; i < sizeof machines / sizeof *machines && !found; i++) {
        if (machines[i].machine != loading->module[0].machine) continue;
        char *all = format("/lib/%s:/usr/lib/%s:/%s:/usr/%s:/lib:/usr/lib", machines[i].triple, machines[i].triple,
                           machines[i].library, machines[i].library);
        found = try_list(loading, 0, all, name, loader);
        free(all);
    }
    return found;
}

static bool try_name(struct loading *loading, const char *name, int loader) {
    for (size_t i = 1; i < loading->modules; i++) {
        if (loading->module[i].soname && !strcmp(loading->module[i].soname, name)) return true;
    }
    if (strchr(name, '/')) {
        char *path = expand(&loading->module[loader], name);
        bool found = path && try_path(loading, path, loader);
        free(path);
        return found;
    }
    if (try_rpaths(loading, name, loader) || try_list(loading, (size_t)loader, loading->module[loader].runpath, name, loader))
        return true;
    for (size_t i = 0; i < loading->configured.count; i++) {
        if (try_in(loading, loading->configured.name[i], name, loader)) return true;
    }
    return try_default(loading, name, loader);
}

// ---- /etc/ld.so.conf

static void include(struct loading *loading, struct names *files, const char *from, const char *pattern) {
    glob_t found;
    char *directory = directory_of(from), *root = format("%s", loading->sysroot ? loading->sysroot : "");
    char *all = *pattern == '/' ? format("%s%s", root, pattern) : format("%s%s/%s", root, directory, pattern);
    if (!glob(all, 0, NULL, &found)) {
        for (size_t i = 0; i < found.gl_pathc; i++) add_name(files, format("%s", found.gl_pathv[i] + strlen(root)));
        globfree(&found);
    }
    free(directory);
    free(root);
    free(all);
}

static void read_line(struct loading *loading, struct names *files, const char *from, char *line) {
    line[strcspn(line, "#\n")] = 0;
    line += strspn(line, " \t");
    size_t length = strlen(line);
    while (length && strchr(" \t\r", line[length - 1])) line[--length] = 0;
    if (!strncmp(line, "include", 7) && strchr(" \t", line[7]) && line[7])
        include(loading, files, from, line + 7 + strspn(line + 7, " \t"));
    else if (*line == '/') add_name(&loading->configured, format("%s", line));
}

static void read_configuration(struct loading *loading) {
    struct names files = {0};
    add_name(&files, format("/etc/ld.so.conf"));
    for (size_t i = 0; i < files.count && i < MAX_CONFIGURATIONS; i++) {
        int fd = open_guest(loading, files.name[i]);
        FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
        char line[PATH_MAX];
        while (file && fgets(line, sizeof line, file)) read_line(loading, &files, files.name[i], line);
        if (file) fclose(file);
    }
    free_names(files.name, files.count);
}

// ---- all of it

// The file that was asked for: a path of the host's, which may lie in the sysroot.
static bool begin(struct loading *loading, const char *path) {
    struct module module = {.loader = -1};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool fine = fd >= 0 && read_module(&module, fd);
    if (fd >= 0) close(fd);
    if (!fine) {
        free_module(&module);
        return false;
    }
    size_t length = loading->sysroot ? strlen(loading->sysroot) : 0;
    bool below = length && !strncmp(module.host_path, loading->sysroot, length) && module.host_path[length] == '/';
    module.origin = directory_of(module.host_path + (below ? length : 0));
    SEARCH_ADD(loading->module, loading->modules, loading->room, module);
    return true;
}

static void find_all(struct loading *loading) {
    struct needed *needed = loading->needed;
    const char *interpreter = loading->module[0].interpreter;
    if (interpreter && !try_path(loading, interpreter, 0))
        SEARCH_ADD(needed->missing, needed->missings, needed->missing_room, format("%s", interpreter));
    for (size_t i = 0; i < loading->modules; i++) {
        for (size_t n = 0; n < loading->module[i].wanteds; n++) {
            char *name = format("%s", loading->module[i].wanted[n]);
            if (try_name(loading, name, (int)i)) free(name);
            else SEARCH_ADD(needed->missing, needed->missings, needed->missing_room, name);
        }
    }
    for (size_t i = 1; i < loading->modules; i++)
        SEARCH_ADD(needed->path, needed->paths, needed->path_room, format("%s", loading->module[i].host_path));
}

int needed_find(const char *path, const char *sysroot, struct needed *needed, const char **why) {
    *needed = (struct needed){.path = NULL};
    char *root = sysroot ? realpath(sysroot, NULL) : NULL;
    struct loading loading = {.sysroot = root, .root = -1, .needed = needed};
    if (root) loading.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    *why = sysroot && loading.root < 0 ? "the sysroot is no directory" : NULL;
    if (!*why && !begin(&loading, path)) *why = "not a program or library for a machine that is known";
    if (!*why) {
        read_configuration(&loading);
        find_all(&loading);
    }
    for (size_t i = 0; i < loading.modules; i++) free_module(&loading.module[i]);
    free(loading.module);
    free_names(loading.configured.name, loading.configured.count);
    if (loading.root >= 0) close(loading.root);
    free(root);
    return *why ? -1 : 0;
}

void needed_end(struct needed *needed) {
    free_names(needed->path, needed->paths);
    free_names(needed->missing, needed->missings);
    *needed = (struct needed){.path = NULL};
}

int needed_main(int argc, char *argv[]) {
    const char *sysroot = NULL, *why;
    struct needed needed;
    if (argc == 3 && !strcmp(argv[0], "-L")) sysroot = argv[1], argv += 2, argc -= 2;
    if (argc != 1) {
        fputs("ferry-compiler: want --needed [-L SYSROOT] FILE\n", stderr);
        return 2;
    }
    if (needed_find(argv[0], sysroot, &needed, &why)) {
        fprintf(stderr, "ferry-compiler: %s: %s\n", argv[0], why);
        needed_end(&needed);
        return 1;
    }
    for (size_t i = 0; i < needed.paths; i++) puts(needed.path[i]);
    for (size_t i = 0; i < needed.missings; i++)
        fprintf(stderr, "ferry-compiler: %s needs %s, which was not found\n", argv[0], needed.missing[i]);
    int status = needed.missings || fflush(stdout) ? 1 : 0;
    needed_end(&needed);
    return status;
}
