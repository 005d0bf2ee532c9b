// The ELF side of `ferry dump`.
#include "runtime/cli/dump_elf.h"
#include "runtime/cli/cli.h"
#include "translator/guest/guest.h"
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// Private: pages that another process cuts off the file meanwhile are the one thing this does not guard against.
static int map_file(struct dump_elf *elf, const char *path) {
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 || fstat(fd, &stat) ? errno : S_ISDIR(stat.st_mode) ? EISDIR : 0;
    if (!error && stat.st_size > 0) {
        elf->map_size = (size_t)stat.st_size;
        elf->map = mmap(NULL, elf->map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        if (elf->map == MAP_FAILED) error = errno;
    }
    if (fd >= 0) close(fd);
    if (!error) return 0;
    error_say("cannot read %s: %s", path, strerror(error));
    return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static const char *check_header(const struct dump_elf *elf) {
    GElf_Ehdr header;
    if (!elf->map_size || elf->map_size < SELFMAG || memcmp(elf->map, ELFMAG, SELFMAG)) return "is no ELF file";
    if (!elf->handle || elf_kind(elf->handle) != ELF_K_ELF || !gelf_getehdr(elf->handle, &header)) return "is a truncated ELF file";
    if (gelf_getclass(elf->handle) != ELFCLASS64) return "is a 32-bit program; riscv64 is wanted";
    if (header.e_machine != guest_riscv64.elf_machine) return "is built for another processor; riscv64 is wanted";
    return NULL;
}

// Adds what of [offset, offset + size) is in the file.
static void take_range(const struct dump_elf *elf, struct dump_range *ranges, unsigned *count, uint64_t start, uint64_t offset,
                       uint64_t size) {
    if (*count >= DUMP_MAX_RANGES || offset >= elf->map_size || !size) return;
    uint64_t left = elf->map_size - offset;
    ranges[(*count)++] = (struct dump_range){start, size < left ? size : left, (const uint8_t *)elf->map + offset};
}

static void take_segments(struct dump_elf *elf) {
    size_t count = 0;
    elf_getphdrnum(elf->handle, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(elf->handle, (int)i, &header) && header.p_type == PT_LOAD && header.p_flags & PF_X)
            take_range(elf, elf->segment, &elf->segment_count, header.p_vaddr, header.p_offset, header.p_filesz);
    }
}

static void take_sections(struct dump_elf *elf) {
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->handle, section));) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_PROGBITS && header.sh_flags & SHF_EXECINSTR)
            take_range(elf, elf->code, &elf->code_count, header.sh_addr, header.sh_offset, header.sh_size);
    }
    if (elf->code_count) return;
    elf->code_count = elf->segment_count;
    memcpy(elf->code, elf->segment, sizeof elf->code);
}

static void take_symbol(struct dump_elf *elf, const GElf_Shdr *table, const GElf_Sym *symbol) {
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    const char *name = elf_strptr(elf->handle, table->sh_link, symbol->st_name);
    bool function = type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
    if (!function || symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE) return;
    if (!name || !*name || *name == '$' || !strncmp(name, ".L", 2)) return;  // mapping symbols and local labels
    elf->symbol[elf->symbol_count++] = (struct dump_symbol){symbol->st_value, symbol->st_size, name, false};
}

static void take_table(struct dump_elf *elf, Elf_Scn *section, const GElf_Shdr *header) {
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data ? data->d_size / sizeof(Elf64_Sym) : 0;
    struct dump_symbol *grown = realloc(elf->symbol, (elf->symbol_count + count + 1) * sizeof *grown);
    if (!grown) return;
    elf->symbol = grown;
    for (size_t i = 0; i < count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol)) take_symbol(elf, header, &symbol);
    }
}

static int by_address(const void *a, const void *b) {
    const struct dump_symbol *left = a, *right = b;
    return left->start != right->start ? (left->start > right->start) - (left->start < right->start)
                                       : (left->size < right->size) - (left->size > right->size);
}

static void measure_labels(struct dump_elf *elf) {
    uint64_t end = UINT64_MAX;  // the next symbol that starts elsewhere
    for (size_t i = elf->symbol_count; i-- > 0;) {
        struct dump_symbol *symbol = &elf->symbol[i];
        if (i + 1 < elf->symbol_count && symbol[1].start != symbol->start) end = symbol[1].start;
        symbol->is_label = !symbol->size;
        if (symbol->is_label) symbol->size = end - symbol->start;
    }
}

static void take_symbols(struct dump_elf *elf) {
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->handle, section));) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
            take_table(elf, section, &header);
    }
    if (elf->symbol_count) qsort(elf->symbol, elf->symbol_count, sizeof *elf->symbol, by_address);
    measure_labels(elf);
}

int dump_elf_open(struct dump_elf *elf, const char *path) {
    *elf = (struct dump_elf){.path = path};
    int status = map_file(elf, path);
    if (status) return status;
    elf_version(EV_CURRENT);
    if (elf->map_size) elf->handle = elf_memory(elf->map, elf->map_size);
    const char *wrong = check_header(elf);
    if (wrong) {
        error_say("%s %s", path, wrong);
        dump_elf_close(elf);
        return EXIT_CANNOT_RUN;
    }
    take_segments(elf);
    take_sections(elf);
    take_symbols(elf);
    if (elf->segment_count) return 0;
    error_say("%s has no executable segment within the file: an object file that is not linked yet, or truncated", path);
    dump_elf_close(elf);
    return EXIT_CANNOT_RUN;
}

void dump_elf_close(struct dump_elf *elf) {
    if (elf->handle) elf_end(elf->handle);
    if (elf->map) munmap(elf->map, elf->map_size);
    free(elf->symbol);
}

bool dump_elf_range(const struct dump_elf *elf, uint64_t start, uint64_t size, struct dump_range *range) {
    for (unsigned i = 0; i < elf->segment_count; i++) {
        const struct dump_range *segment = &elf->segment[i];
        uint64_t offset = start - segment->start, left = segment->size - offset;
        if (offset >= segment->size) continue;
        *range = (struct dump_range){start, size < left ? size : left, segment->bytes + offset};
        return true;
    }
    return false;
}

const struct dump_symbol *dump_elf_symbol(const struct dump_elf *elf, const char *name) {
    for (size_t i = 0; i < elf->symbol_count; i++) {
        if (!strcmp(elf->symbol[i].name, name)) return &elf->symbol[i];
    }
    return NULL;
}

const struct dump_symbol *dump_elf_function(const struct dump_elf *elf, uint64_t address) {
    const struct dump_symbol *best = NULL;
    for (size_t i = 0; i < elf->symbol_count && elf->symbol[i].start <= address; i++) {
        const struct dump_symbol *symbol = &elf->symbol[i];
        bool better = !best || best->is_label || !symbol->is_label;
        if (address - symbol->start < symbol->size && better) best = symbol;
    }
    return best;
}

const char *dump_elf_label(const struct dump_elf *elf, uint64_t address) {
    size_t low = 0, high = elf->symbol_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (elf->symbol[middle].start < address) low = middle + 1;
        else high = middle;
    }
    return low < elf->symbol_count && elf->symbol[low].start == address ? elf->symbol[low].name : NULL;
}
