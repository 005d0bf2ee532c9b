// Guest ELF files: reading and checking headers, and mapping. Nothing in a file is trusted: all of it is checked
// against the file's size and the guest's address space before the first byte is mapped.
#pragma once
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct text;

struct elf_image {
    int fd;
    uint64_t file_size;
    unsigned type;              // ET_EXEC or ET_DYN
    const Elf64_Phdr *header;   // all program headers, in the arena
    unsigned count;
    const char *interpreter;    // of PT_INTERP, or NULL
    bool has_stack_flags, exec_stack;
    // As linked; add `bias` once the image is mapped.
    uint64_t entry;
    uint64_t low, high;         // what the segments cover, in whole pages
    uint64_t align;             // `bias` has to be a multiple of it
    uint64_t headers_at;        // of the program headers, 0 if no segment holds them
    uint64_t code_start, code_end, data_start, data_end;
    uint64_t bias;
};

// Reads and checks the headers of the open file `fd`, which the messages call `name`. 0, or what execve(2) would fail with and
// the message in `why`: -ENOEXEC for all that is not a program of this guest.
long elf_read(struct arena *arena, int fd, const char *name, struct elf_image *image, struct text *why);
// Finds room for an image that may lie anywhere, near `hint` if that is not 0, and sets image->bias. 0 or -errno.
long elf_place(struct elf_image *image, uint64_t hint);
// Maps the segments at image->bias. 0 or -errno; what was mapped until then stays.
long elf_map(const struct elf_image *image);
