// An ELF file as it will be in memory, for discovery. Everything about the file's shape that others rely on is checked here: segments lie in the
// file, and all their code together is not larger than the file may make it.
#include "aot/discover_search.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_SEGMENTS = 256 };
#define MAX_ADDRESS (UINT64_C(1) << 48)
#define MAX_CODE (UINT64_C(1) << 29)

// ---- segments

static bool add_segment(struct image *image, const GElf_Phdr *header, const uint8_t *bytes, size_t size) {
    uint64_t length = header->p_filesz < header->p_memsz ? header->p_filesz : header->p_memsz;
    if (header->p_offset > size || header->p_vaddr > MAX_ADDRESS) return false;
    if (length > size - header->p_offset) length = size - header->p_offset;
    if (!length) return true;
    image->segment[image->segments++] =
        (struct segment){header->p_vaddr, length, bytes + header->p_offset, header->p_flags & PF_X, header->p_flags & PF_W};
    return true;
}

static int find_segments(struct image *image, const uint8_t *bytes, size_t size) {
    size_t count;
    if (elf_getphdrnum(image->elf, &count) || count > MAX_SEGMENTS) return -1;
    image->segment = calloc(count + 1, sizeof *image->segment);
    for (size_t i = 0; i < count && image->segment; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(image->elf, (int)i, &header)) return -1;
        if (header.p_type == PT_LOAD && !add_segment(image, &header, bytes, size)) return -1;
        if (header.p_type != PT_GNU_RELRO || header.p_vaddr > MAX_ADDRESS || header.p_memsz > MAX_ADDRESS) continue;
        image->relro_start = header.p_vaddr, image->relro_end = header.p_vaddr + header.p_memsz;
    }
    return image->segment ? 0 : -1;
}

static const struct segment *segment_of(const struct image *image, uint64_t address) {
    for (unsigned i = 0; i < image->segments; i++) {
        const struct segment *segment = &image->segment[i];
        if (address - segment->start < segment->size) return segment;
    }
    return NULL;
}

// ---- code

static void add_code(struct image *image, unsigned *room, uint64_t start, uint64_t end) {
    uint64_t align = image->isa->min_instruction;
    start = (start + align - 1) / align * align;
    if (image->codes == *room || end < start + align) return;
    image->code[image->codes++] = (struct code_range){.start = start, .end = end};
}

// What of a section lies in an executable segment.
static void add_section(struct image *image, unsigned *room, const GElf_Shdr *section) {
    for (unsigned i = 0; i < image->segments; i++) {
        const struct segment *segment = &image->segment[i];
        uint64_t end = section->sh_addr + section->sh_size, segment_end = segment->start + segment->size;
        if (!segment->executable || section->sh_addr < segment->start || section->sh_addr >= segment_end || end < section->sh_addr)
            continue;
        add_code(image, room, section->sh_addr, end < segment_end ? end : segment_end);
    }
}

static int by_start(const void *a, const void *b) {
    const struct code_range *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

// Sorted, and none reaches into the next.
static bool tidy(struct image *image) {
    uint64_t sum = 0;
    qsort(image->code, image->codes, sizeof *image->code, by_start);
    for (unsigned i = 0; i < image->codes; i++) {
        struct code_range *range = &image->code[i];
        if (i + 1 < image->codes && range->end > range[1].start) range->end = range[1].start;
        sum += range->end - range->start;
    }
    return sum <= MAX_CODE;
}

static bool number_places(struct image *image) {
    for (unsigned i = 0; i < image->codes; i++) {
        struct code_range *range = &image->code[i];
        range->block = calloc((range->end - range->start) / image->isa->min_instruction + 1, sizeof *range->block);
        if (!range->block) return false;
    }
    return true;
}

static int find_code(struct image *image) {
    size_t sections = 0;
    if (elf_getshdrnum(image->elf, &sections)) sections = 0;
    unsigned room = (unsigned)sections + image->segments;
    image->code = calloc(room + 1, sizeof *image->code);
    if (!image->code) return -1;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
        GElf_Shdr section;
        bool holds_code = gelf_getshdr(scn, &section) && section.sh_type == SHT_PROGBITS && section.sh_flags & SHF_EXECINSTR;
        if (holds_code) add_section(image, &room, &section);
    }
    for (unsigned i = 0, some = image->codes; i < image->segments && !some; i++) {
        const struct segment *segment = &image->segment[i];
        if (segment->executable) add_code(image, &room, segment->start, segment->start + segment->size);
    }
    return tidy(image) && number_places(image) ? 0 : -1;
}

// ---- all of it

static int open_elf(struct image *image, const void *elf, size_t size, const char **why) {
    *why = "no ELF file";
    if (elf_version(EV_CURRENT) == EV_NONE) return -1;
    image->elf = elf_memory((char *)(uintptr_t)elf, size);  // reads only
    if (!image->elf || elf_kind(image->elf) != ELF_K_ELF || !gelf_getehdr(image->elf, &image->header)) return -1;
    const unsigned char *ident = image->header.e_ident;
    image->isa = guest_by_machine(image->header.e_machine);
    *why = "not a program or library for a machine that is known";
    bool known = image->isa && ident[EI_CLASS] == ELFCLASS64 && ident[EI_DATA] == ELFDATA2LSB;
    if (!known || (image->header.e_type != ET_EXEC && image->header.e_type != ET_DYN)) return -1;
    *why = "segments or sections make no sense";
    if (find_segments(image, elf, size) || find_code(image)) return -1;
    *why = NULL;
    return 0;
}

int image_open(struct image *image, const void *elf, size_t size, const char **why) {
    *image = (struct image){.elf = NULL};
    int result = open_elf(image, elf, size, why);
    if (result) image_close(image);
    return result;
}

void image_close(struct image *image) {
    for (unsigned i = 0; i < image->codes; i++) {
        free(image->code[i].block);
        free(image->code[i].covered);
    }
    free(image->code);
    free(image->segment);
    free(image->relocated);
    elf_end(image->elf);
}

void image_cover(struct image *image) {
    for (unsigned i = 0; i < image->codes; i++) {
        struct code_range *range = &image->code[i];
        range->covered = calloc((range->end - range->start) / image->isa->min_instruction + 1, 1);
    }
}

// ---- reading

const uint8_t *image_bytes(const struct image *image, uint64_t address, size_t *size) {
    const struct segment *segment = segment_of(image, address);
    if (!segment) return NULL;
    *size = segment->size - (address - segment->start);
    return segment->bytes + (address - segment->start);
}

static const struct relocated *relocated_at(const struct image *image, uint64_t address) {
    size_t low = 0, high = image->relocateds;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (image->relocated[middle].where < address) low = middle + 1;
        else high = middle;
    }
    return low < image->relocateds && image->relocated[low].where == address ? &image->relocated[low] : NULL;
}

bool image_read(const struct image *image, uint64_t address, unsigned width, uint64_t *value) {
    size_t size;
    const uint8_t *bytes = image_bytes(image, address, &size);
    if (!bytes || size < width) return false;
    const struct relocated *relocated = width == 8 ? relocated_at(image, address) : NULL;
    *value = 0;
    if (relocated) *value = relocated->value;
    else memcpy(value, bytes, width);  // both are little-endian
    return true;
}

bool image_is_constant(const struct image *image, uint64_t address) {
    const struct segment *segment = segment_of(image, address);
    return segment && (!segment->writable || (address >= image->relro_start && address < image->relro_end));
}

struct code_range *image_code(const struct image *image, uint64_t address) {
    unsigned low = 0, high = image->codes;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (image->code[middle].end <= address) low = middle + 1;
        else high = middle;
    }
    struct code_range *range = &image->code[low];
    bool inside = low < image->codes && address >= range->start && (address - range->start) % image->isa->min_instruction == 0;
    return inside ? range : NULL;
}
