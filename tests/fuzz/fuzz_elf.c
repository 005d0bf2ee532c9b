// Fuzzes what is read of a program before it runs: #! lines, ELF headers, program headers, the interpreter's name. Nothing is
// mapped and nothing runs; what is checked besides the sanitizers is that a refusal has its message and that an accepted image
// keeps its promises.
#include "tests/fuzz/fuzz.h"
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/elf.h"
#include "runtime/base/arena.h"
#include "runtime/base/text.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_segment(const struct elf_image *image, const Elf64_Phdr *segment) {
    if (segment->p_type != PT_LOAD || !segment->p_memsz) return;
    require(segment->p_filesz <= segment->p_memsz, "more file than memory");
    require(segment->p_vaddr >= image->low && segment->p_vaddr + segment->p_memsz <= image->high, "segment outside of the image");
    require(segment->p_filesz <= image->file_size, "segment larger than the file");
}

static void check_image(const struct elf_image *image) {
    require(image->low < image->high && image->high <= MEM_TOP, "image outside of the address space");
    require(image->low % MEM_PAGE == 0 && image->high % MEM_PAGE == 0, "image of no whole pages");
    require(image->entry >= image->low && image->entry < image->high, "entry outside of the image");
    require(image->align >= MEM_PAGE && !(image->align & (image->align - 1)), "odd alignment");
    require(!image->interpreter || *image->interpreter, "interpreter without a name");
    for (unsigned i = 0; i < image->count; i++) check_segment(image, &image->header[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int fd = -1;
    if (fd < 0) fd = memfd_create("fuzz_elf", 0);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size) return 0;
    struct arena arena = {0};
    struct elf_image image;
    char buffer[1024] = "", path[32];
    struct text why = TEXT_ON(buffer);
    long result = elf_read(&arena, fd, "input", &image, &why);
    require(result == 0 || (result < 0 && *buffer), "refused without a word");
    if (!result) check_image(&image);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const char *name = path;
    char *arguments[] = {path, NULL}, *const *argv = arguments;
    result = program_check(&arena, &name, &argv, buffer, sizeof buffer);
    require(result == 0 || (result < 0 && *buffer), "refused without a word");
    arena_free(&arena);
    return 0;
}
