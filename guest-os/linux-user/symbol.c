// Names for guest addresses: the file from the host's list of mappings (guest address = host address), the function from the file's
// symbol table. Files are hostile: every offset is checked against the file's size.
#include "guest-os/linux-user/symbol.h"
#include "runtime/base/sys.h"
#include "runtime/maps.h"
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct image {
    const uint8_t *bytes;
    uint64_t size;
};

static const void *piece(const struct image *image, uint64_t offset, uint64_t size) {
    return offset <= image->size && size <= image->size - offset ? image->bytes + offset : NULL;
}

// The address that the file itself gives to one of its bytes.
static bool file_address(const struct image *image, uint64_t offset, uint64_t *address) {
    const Elf64_Ehdr *header = piece(image, 0, sizeof *header);
    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_phentsize != sizeof(Elf64_Phdr)) return false;
    const Elf64_Phdr *segment = piece(image, header->e_phoff, header->e_phnum * sizeof *segment);
    for (unsigned i = 0; segment && i < header->e_phnum; i++) {
        if (segment[i].p_type != PT_LOAD || offset < segment[i].p_offset || offset - segment[i].p_offset >= segment[i].p_filesz)
            continue;
        *address = offset - segment[i].p_offset + segment[i].p_vaddr;
        return true;
    }
    return false;
}

struct found {
    const char *name;
    uint64_t distance;
};

static void search(const struct image *image, const Elf64_Shdr *symbols, const Elf64_Shdr *strings, uint64_t address,
                   struct found *best) {
    const Elf64_Sym *symbol = piece(image, symbols->sh_offset, symbols->sh_size);
    const char *names = piece(image, strings->sh_offset, strings->sh_size);
    if (!symbol || !names || !strings->sh_size || names[strings->sh_size - 1]) return;
    for (uint64_t i = 0; i < symbols->sh_size / sizeof *symbol; i++) {
        bool defined =
            ELF64_ST_TYPE(symbol[i].st_info) == STT_FUNC && symbol[i].st_shndx != SHN_UNDEF;  // others may have a value as well
        if (!defined || symbol[i].st_value > address || symbol[i].st_name >= strings->sh_size) continue;
        if (address - symbol[i].st_value >= best->distance) continue;
        if (symbol[i].st_size && address - symbol[i].st_value >= symbol[i].st_size) continue;
        *best = (struct found){names + symbol[i].st_name, address - symbol[i].st_value};
    }
}

static struct found find_symbol(const struct image *image, uint64_t address) {
    struct found best = {NULL, 1 << 24};
    const Elf64_Ehdr *header = piece(image, 0, sizeof *header);
    const Elf64_Shdr *section =
        header->e_shentsize == sizeof *section ? piece(image, header->e_shoff, header->e_shnum * sizeof *section) : NULL;
    for (unsigned i = 0; section && i < header->e_shnum; i++) {
        if ((section[i].sh_type == SHT_SYMTAB || section[i].sh_type == SHT_DYNSYM) && section[i].sh_link < header->e_shnum)
            search(image, &section[i], &section[section[i].sh_link], address, &best);
    }
    return best;
}

static void describe_in(struct text *text, const struct mapping *mapping, uint64_t address) {
    struct stat stat;
    uint64_t in_file;
    long fd = host_call(openat, AT_FDCWD, mapping->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (host_call(fstat, fd, &stat) == 0 && stat.st_size > 0) {
        long at = host_call(mmap, 0, stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        struct image image = {(const uint8_t *)at, (uint64_t)stat.st_size};
        if (at > 0 && file_address(&image, address - mapping->start + mapping->offset, &in_file)) {
            struct found found = find_symbol(&image, in_file);
            if (found.name) text_add(text, "%.200s+%#llx", found.name, (unsigned long long)found.distance);
            else text_add(text, "%#llx", (unsigned long long)in_file);
        }
        if (at > 0) host_call(munmap, at, stat.st_size);
    }
    host_call(close, fd);
}

void symbol_describe(struct text *text, uint64_t address) {
    struct mapping mapping;
    if (!maps_find(address, &mapping)) {
        text_add(text, "not mapped");
        return;
    }
    if (mapping.path[0]) describe_in(text, &mapping, address);
    text_add(text, mapping.path[0] ? " in %.300s" : "in anonymous memory", mapping.path);
}
