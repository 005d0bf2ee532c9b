// Headers of guest ELF files: see elf.h. One function per rule, so that each way in which a file can be wrong has its own words;
// the rules are those of the ELF specification (gABI, chapters 4 and 5) and of what the kernel's loader accepts (man 5 elf, man
// 2 execve).
#include "guest-os/linux-user/elf.h"
#include "guest-os/linux-user/abi.h"
#include "runtime/base/arena.h"
#include "runtime/base/io.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/options.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

enum { MAX_HEADERS = 65536 / sizeof(Elf64_Phdr), HUGE_ALIGN = 1 << 30 };

const struct guest_abi *guest_abi = &abi_riscv64;

#if defined(__x86_64__)
enum { HOST_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { HOST_MACHINE = EM_AARCH64 };
#endif

// ---- what kind of file

static const char *machine_name(const Elf64_Ehdr *header) {
    bool wide = header->e_ident[EI_CLASS] == ELFCLASS64, little = header->e_ident[EI_DATA] == ELFDATA2LSB;
    switch (little ? header->e_machine : __builtin_bswap16(header->e_machine)) {
    case EM_RISCV: return wide ? "riscv64" : "riscv32";
    case EM_X86_64: return wide ? "x86-64" : "x32";
    case EM_386: return "i386";
    case EM_AARCH64: return little ? "aarch64" : "aarch64 big-endian";
    case EM_ARM: return "32-bit ARM";
    case EM_PPC64: return little ? "ppc64le" : "ppc64";
    case EM_PPC: return "powerpc";
    case EM_S390: return "s390x";
    case EM_LOONGARCH: return "loongarch64";
    case EM_MIPS: return little ? "little-endian MIPS" : "big-endian MIPS";
    case EM_SPARC:
    case EM_SPARCV9: return "SPARC";
    case EM_68K: return "m68k";
    case EM_BPF: return "BPF";
    default: return NULL;
    }
}

static long wrong_machine(const Elf64_Ehdr *header, const char *name, struct text *why) {
    const char *machine = machine_name(header), *wanted = guest_abi->uname_machine;
    bool host = header->e_machine == HOST_MACHINE && header->e_ident[EI_CLASS] == ELFCLASS64;
    if (host && options.sysroot)
        text_add(why,
                 "%s: is an %s program of this machine, and %s has no %s one in its place: run it directly, or install it there",
                 name, machine, options.sysroot, wanted);
    else if (host)
        text_add(why,
                 "%s: is an %s program: run it directly, or name the root of a %s system that has one in its place with -L DIR",
                 name, machine, wanted);
    else if (machine) text_add(why, "%s: is for %s; this ferry runs %s programs only", name, machine, wanted);
    else text_add(why, "%s: is for ELF machine %u; this ferry runs %s programs only", name, header->e_machine, wanted);
    return -ENOEXEC;
}

static long not_elf(const Elf64_Ehdr *header, size_t size, const char *name, struct text *why) {
    if (!size) text_add(why, "%s: is an empty file, not a program", name);
    else if (size < SELFMAG || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        text_add(why,
                 "%s: is neither an ELF program nor a script that begins with #!; if it is a script, name its interpreter first",
                 name);
    else text_add(why, "%s: is truncated: it ends inside its ELF header, after %zu bytes; get or build the file again", name, size);
    return -ENOEXEC;
}

static long check_type(const Elf64_Ehdr *header, const char *name, struct text *why) {
    static const char *const types[] = {"an ELF file of no type",
                                        "an object file; link it first", [ET_CORE] = "a core dump; load it in a debugger"};
    unsigned type = header->e_type;
    if (type == ET_EXEC || type == ET_DYN) return 0;
    if (type <= ET_CORE) text_add(why, "%s: is not a program but %s", name, types[type]);
    else text_add(why, "%s: is not a program: its ELF type is %u", name, type);
    return -ENOEXEC;
}

static long check_header(const Elf64_Ehdr *header, size_t size, const char *name, struct text *why) {
    if (size < sizeof *header) return not_elf(header, size, name, why);
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return not_elf(header, size, name, why);
    bool wide = header->e_ident[EI_CLASS] == ELFCLASS64, little = header->e_ident[EI_DATA] == ELFDATA2LSB;
    if (!wide || !little || header->e_machine != guest_abi->machine) return wrong_machine(header, name, why);
    return check_type(header, name, why);
}

// ---- program headers

static long damaged(struct text *why, const char *name, const char *what, unsigned index) {
    text_add(why, "%s: has a damaged ELF header: program header %u %s; get or build the file again", name, index, what);
    return -ENOEXEC;
}

static long read_headers(struct arena *arena, const Elf64_Ehdr *header, const char *name, struct elf_image *image,
                         struct text *why) {
    size_t bytes = (size_t)header->e_phnum * sizeof(Elf64_Phdr);
    if (header->e_phnum == 0 || header->e_phnum > MAX_HEADERS || header->e_phentsize != sizeof(Elf64_Phdr)) {
        text_add(why, "%s: has a damaged ELF header: %u program headers of %u bytes; get or build the file again", name,
                 header->e_phnum, header->e_phentsize);
        return -ENOEXEC;
    }
    if (header->e_phoff > image->file_size || bytes > image->file_size - header->e_phoff) {
        text_add(why, "%s: is truncated: its program headers lie behind its end at %llu bytes; get or build the file again", name,
                 (unsigned long long)image->file_size);
        return -ENOEXEC;
    }
    Elf64_Phdr *headers = arena_alloc(arena, bytes, _Alignof(Elf64_Phdr));
    if (io_read_at(image->fd, headers, bytes, header->e_phoff) != (long)bytes)
        return text_add(why, "%s: cannot be read", name), -EIO;
    image->header = headers;
    image->count = header->e_phnum;
    return 0;
}

// A PT_LOAD segment by itself.
static long check_segment(const Elf64_Phdr *segment, unsigned index, const char *name, const struct elf_image *image,
                          struct text *why) {
    if (segment->p_filesz > segment->p_memsz) return damaged(why, name, "has more bytes in the file than in memory", index);
    if (segment->p_vaddr >= MEM_TOP || segment->p_memsz > MEM_TOP - segment->p_vaddr)
        return damaged(why, name, "does not fit into the address space", index);
    if (segment->p_filesz && (segment->p_vaddr ^ segment->p_offset) % MEM_PAGE)
        return damaged(why, name, "lies at an offset that cannot be mapped at its address", index);
    if (segment->p_filesz && (segment->p_offset > image->file_size || segment->p_filesz > image->file_size - segment->p_offset)) {
        text_add(
            why,
            "%s: is truncated: program header %u wants %#llx bytes from %#llx and the file ends at %#llx; get or build it again",
            name, index, (unsigned long long)segment->p_filesz, (unsigned long long)segment->p_offset,
            (unsigned long long)image->file_size);
        return -ENOEXEC;
    }
    return 0;
}

static uint64_t page_down(uint64_t address) {
    return address & ~(MEM_PAGE - 1);
}

static uint64_t page_up(uint64_t address) {
    return page_down(address + MEM_PAGE - 1);
}

static void widen(uint64_t *low, uint64_t *high, uint64_t start, uint64_t end) {
    if (!*high || start < *low) *low = start;
    if (end > *high) *high = end;
}

// What the image as a whole is made of, segment by segment.
static void add_segment(struct elf_image *image, const Elf64_Phdr *segment, uint64_t header_offset) {
    uint64_t file_end = segment->p_vaddr + segment->p_filesz;
    widen(&image->low, &image->high, page_down(segment->p_vaddr), page_up(segment->p_vaddr + segment->p_memsz));
    if (segment->p_flags & PF_X) widen(&image->code_start, &image->code_end, segment->p_vaddr, file_end);
    if (segment->p_vaddr > image->data_start) image->data_start = segment->p_vaddr;
    if (file_end > image->data_end) image->data_end = file_end;
    bool power = segment->p_align && !(segment->p_align & (segment->p_align - 1));
    if (power && segment->p_align > image->align && segment->p_align <= HUGE_ALIGN) image->align = segment->p_align;
    if (header_offset >= segment->p_offset && header_offset - segment->p_offset < segment->p_filesz)
        image->headers_at = header_offset - segment->p_offset + segment->p_vaddr;
}

static long check_segments(struct elf_image *image, const Elf64_Ehdr *header, const char *name, struct text *why) {
    uint64_t end = 0;
    bool any = false, entered = false;
    image->align = MEM_PAGE;
    for (unsigned i = 0; i < image->count; i++) {
        const Elf64_Phdr *segment = &image->header[i];
        if (segment->p_type != PT_LOAD || !segment->p_memsz) continue;
        long result = check_segment(segment, i, name, image, why);
        if (result) return result;
        if (any && segment->p_vaddr < end) return damaged(why, name, "overlaps the one before or is out of order", i);
        any = true;
        end = segment->p_vaddr + segment->p_memsz;
        entered |= header->e_entry >= segment->p_vaddr && header->e_entry < end;
        add_segment(image, segment, header->e_phoff);
    }
    if (!any) return text_add(why, "%s: has no loadable segment, so it is no program (debug information of one?)", name), -ENOEXEC;
    if (!entered) {
        text_add(why, "%s: has no entry point in what it loads (%#llx): %s", name, (unsigned long long)header->e_entry,
                 header->e_type == ET_DYN ? "a shared library cannot be run" : "get or build the file again");
        return -ENOEXEC;
    }
    if (header->e_type == ET_EXEC && image->low < MEM_BOTTOM) {
        text_add(why, "%s: is linked at %#llx, below %#llx, where user programs cannot be; link it higher", name,
                 (unsigned long long)image->low, (unsigned long long)MEM_BOTTOM);
        return -ENOEXEC;
    }
    return 0;
}

static long read_interpreter(struct arena *arena, const Elf64_Phdr *segment, unsigned index, const char *name,
                             struct elf_image *image, struct text *why) {
    if (segment->p_filesz < 2 || segment->p_filesz > PATH_MAX)
        return damaged(why, name, "names an interpreter of impossible length", index);
    if (segment->p_offset > image->file_size || segment->p_filesz > image->file_size - segment->p_offset)
        return damaged(why, name, "names an interpreter behind the end of the file", index);
    char *text = arena_alloc(arena, segment->p_filesz, 1);
    if (io_read_at(image->fd, text, segment->p_filesz, segment->p_offset) != (long)segment->p_filesz)
        return text_add(why, "%s: cannot be read", name), -EIO;
    if (text[segment->p_filesz - 1] || !text[0])
        return damaged(why, name, "names an interpreter without an end or without a name", index);
    image->interpreter = text;
    return 0;
}

long elf_read(struct arena *arena, int fd, const char *name, struct elf_image *image, struct text *why) {
    Elf64_Ehdr header = {0};
    *image = (struct elf_image){.fd = fd};
    long size = host_call(lseek, fd, 0, 2 /* SEEK_END */);
    if (size < 0) return text_add(why, "%s: cannot be read: it is no ordinary file", name), -EACCES;
    image->file_size = (uint64_t)size;
    long got = io_read_at(fd, &header, sizeof header, 0);
    long result = check_header(&header, got < 0 ? 0 : (size_t)got, name, why);
    if (!result) result = read_headers(arena, &header, name, image, why);
    if (!result) result = check_segments(image, &header, name, why);
    for (unsigned i = 0; !result && i < image->count; i++) {
        const Elf64_Phdr *segment = &image->header[i];
        if (segment->p_type == PT_INTERP && !image->interpreter) result = read_interpreter(arena, segment, i, name, image, why);
        if (segment->p_type == PT_GNU_STACK) image->has_stack_flags = true, image->exec_stack = segment->p_flags & PF_X;
    }
    image->type = header.e_type;
    image->entry = header.e_entry;
    return result;
}

// ---- mapping

long elf_place(struct elf_image *image, uint64_t hint) {
    uint64_t size = image->high - image->low, slack = image->align - MEM_PAGE;
    if (size > MEM_TOP) return -ENOMEM;
    long got = mem_map(hint, size + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, MEM_PLAIN);
    if (got < 0) return got;
    mem_unmap((uint64_t)got, size + slack);  // nobody else is here yet: the place stays free
    uint64_t above_align = image->low & (image->align - 1);
    uint64_t start = (((uint64_t)got - above_align + image->align - 1) & ~(image->align - 1)) + above_align;
    image->bias = start - image->low;
    return 0;
}

static int prot_of(const Elf64_Phdr *segment) {
    return (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
           (segment->p_flags & PF_X ? PROT_EXEC : 0);
}

// The rest of the last page of the file's bytes is zero in memory (gABI, "Program Loading").
static long clear_rest(uint64_t from, uint64_t to, int prot) {
    static const char zeros[MEM_PAGE];
    if (from == to) return 0;
    if (prot & PROT_WRITE) return mem_copy_out(from, zeros, to - from);
    long result = mem_protect(page_down(from), MEM_PAGE, PROT_READ | PROT_WRITE);
    if (!result) result = mem_copy_out(from, zeros, to - from);
    return result ? result : mem_protect(page_down(from), MEM_PAGE, prot);
}

static long map_segment(const struct elf_image *image, const Elf64_Phdr *segment) {
    uint64_t start = page_down(segment->p_vaddr + image->bias), inside = segment->p_vaddr % MEM_PAGE;
    uint64_t file_end = segment->p_vaddr + segment->p_filesz + image->bias, end = segment->p_vaddr + segment->p_memsz + image->bias;
    uint64_t anonymous = segment->p_filesz ? page_up(file_end) : start;
    int prot = prot_of(segment), flags = MAP_PRIVATE | MAP_FIXED;
    if (segment->p_filesz) {
        long got = mem_map(start, file_end - start, prot, flags, image->fd, segment->p_offset - inside, MEM_PLAIN);
        if (got < 0) return got;
        long result = end > file_end ? clear_rest(file_end, end < anonymous ? page_up(end) : anonymous, prot) : 0;
        if (result) return result;
    }
    if (page_up(end) <= anonymous) return 0;
    long got = mem_map(anonymous, end - anonymous, prot, flags | MAP_ANONYMOUS, -1, 0, MEM_PLAIN);
    return got < 0 ? got : 0;
}

long elf_map(const struct elf_image *image) {
    for (unsigned i = 0; i < image->count; i++) {
        if (image->header[i].p_type != PT_LOAD || !image->header[i].p_memsz) continue;
        long result = map_segment(image, &image->header[i]);
        if (result) return result;
    }
    return 0;
}
