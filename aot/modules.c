// Modules of files: see modules.h. Segments are rounded to pages as guest-os/linux-user/elf.c and ld.so(8) do when they map them.
#include "aot/modules.h"
#include "cache/module_key.h"
#include "runtime/base/io.h"
#include "translator/guest/guest.h"
#include <elf.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, MAX_HEADERS = 256 };
#define MAX_ADDRESS (UINT64_C(1) << 48)
#define MAX_FILE (INT64_C(1) << 31)  // bytes, debug information included: all of it will be read

static bool is_known(const Elf64_Ehdr *header, long size) {
    return size == sizeof *header && !memcmp(header->e_ident, ELFMAG, SELFMAG) && header->e_ident[EI_CLASS] == ELFCLASS64 &&
           header->e_ident[EI_DATA] == ELFDATA2LSB && guest_by_machine(header->e_machine) &&
           (header->e_type == ET_EXEC || header->e_type == ET_DYN);
}

struct part {
    int fd;
    uint64_t offset;
};

// What the last page has behind the file's end is zero in memory.
static bool read_part(void *data, uint64_t at, void *to, size_t size) {
    const struct part *part = data;
    long got = io_read_at(part->fd, to, size, part->offset + at);
    if (got >= 0) memset((char *)to + got, 0, size - (size_t)got);
    return got >= 0;
}

// Code that a private mapping shows as it is; to what the runner keeps nothing for, none of this applies.
static bool is_code(const Elf64_Phdr *segment) {
    return segment->p_type == PT_LOAD && (segment->p_flags & (PF_R | PF_W | PF_X)) == (PF_R | PF_X) && segment->p_filesz;
}

static const char *add(int fd, uint64_t file_size, const Elf64_Phdr *segment, struct file_modules *modules) {
    uint64_t inside = segment->p_vaddr % PAGE, bytes = inside + segment->p_filesz;
    if (segment->p_offset > file_size || segment->p_filesz > file_size - segment->p_offset) return "it is truncated";
    if (segment->p_vaddr > MAX_ADDRESS || (segment->p_vaddr ^ segment->p_offset) % PAGE || segment->p_offset < inside)
        return "its segments make no sense";
    if (bytes > UINT32_MAX - PAGE || modules->count == FILE_MODULES) return "it has more code than there can be";
    struct file_module *module = &modules->module[modules->count++];
    *module = (struct file_module){.start = segment->p_vaddr - inside,
                                   .size = (bytes + PAGE - 1) / PAGE * PAGE,
                                   .offset = segment->p_offset - inside,
                                   .bytes = bytes};
    return module_key(read_part, &(struct part){fd, module->offset}, module->size, &module->key) ? NULL : "it cannot be read";
}

enum modules_outcome modules_read(int fd, struct file_modules *modules, const char **why) {
    Elf64_Ehdr header;
    Elf64_Phdr segment[MAX_HEADERS] = {0};
    *modules = (struct file_modules){0};
    *why = "it is not a program or library for a machine that is known";
    if (!is_known(&header, io_read_at(fd, &header, sizeof header, 0))) return MODULES_FOREIGN;
    size_t bytes = (size_t)header.e_phnum * sizeof *segment;
    off_t size = lseek(fd, 0, SEEK_END);
    *why = "its program headers make no sense";
    if (!header.e_phnum || header.e_phnum > MAX_HEADERS || header.e_phentsize != sizeof *segment || size < 0)
        return MODULES_DAMAGED;
    *why = "it is larger than 2 GB";
    if (size > MAX_FILE) return MODULES_DAMAGED;
    *why = "it is truncated: its program headers are not all there";
    if (io_read_at(fd, segment, bytes, header.e_phoff) != (long)bytes) return MODULES_DAMAGED;
    *why = NULL;
    modules->machine = header.e_machine;
    for (unsigned i = 0; i < header.e_phnum && !*why; i++) {
        if (is_code(&segment[i])) *why = add(fd, (uint64_t)size, &segment[i], modules);
    }
    return *why ? MODULES_DAMAGED : MODULES_READ;
}
