// Functions and landing pads from unwind information: .eh_frame, found by its section or by PT_GNU_EH_FRAME, and the tables of exception handlers that it
// points to (LSB Core, "Exception Frames"; Itanium C++ ABI, "Exception Handling Tables").
#include "aot/discover_search.h"
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <string.h>

// Bytes that are read one after the other; once something is not there, nothing is.
struct cursor {
    const struct search *search;
    const uint8_t *at, *end;
    uint64_t address;  // of `at`
    bool failed;
};

static uint64_t read_bytes(struct cursor *cursor, unsigned size) {
    uint64_t value = 0;
    cursor->failed |= (size_t)(cursor->end - cursor->at) < size;
    if (cursor->failed) return 0;
    memcpy(&value, cursor->at, size);
    cursor->at += size, cursor->address += size;
    return value;
}

static uint64_t read_leb128(struct cursor *cursor, bool is_signed) {
    uint64_t value = 0, byte = 0x80;
    unsigned shift = 0;
    for (; byte & 0x80 && !cursor->failed; shift += 7) {
        byte = read_bytes(cursor, 1);
        if (shift < 64) value |= (byte & 0x7f) << shift;
    }
    if (is_signed && shift < 64 && byte & 0x40) value |= ~UINT64_C(0) << shift;
    return value;
}

static uint64_t read_number(struct cursor *cursor, unsigned encoding) {
    switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8: return read_bytes(cursor, 8);
    case DW_EH_PE_udata2: return read_bytes(cursor, 2);
    case DW_EH_PE_udata4: return read_bytes(cursor, 4);
    case DW_EH_PE_sdata2: return (uint64_t)(int16_t)read_bytes(cursor, 2);
    case DW_EH_PE_sdata4: return (uint64_t)(int32_t)read_bytes(cursor, 4);
    case DW_EH_PE_uleb128: return read_leb128(cursor, false);
    case DW_EH_PE_sleb128: return read_leb128(cursor, true);
    default: cursor->failed = true; return 0;
    }
}

// A pointer; 0 is none, whatever it is relative to.
static uint64_t read_pointer(struct cursor *cursor, unsigned encoding) {
    uint64_t base = 0, here = cursor->address;
    if ((encoding & 0x70) == DW_EH_PE_pcrel) base = here;
    else if ((encoding & 0x70) != DW_EH_PE_absptr) cursor->failed = true;
    uint64_t value = read_number(cursor, encoding);
    if (cursor->failed || !value) return 0;
    value += base;
    if (encoding & DW_EH_PE_indirect) cursor->failed |= !image_read(&cursor->search->image, value, 8, &value);
    return value;
}

static struct cursor cursor_at(const struct search *search, uint64_t address) {
    size_t size = 0;
    const uint8_t *bytes = image_bytes(&search->image, address, &size);
    return (struct cursor){search, bytes, bytes ? bytes + size : NULL, address, !bytes};
}

// ---- landing pads

static void read_handlers(struct search *search, uint64_t table, const struct extent *function) {
    struct cursor cursor = cursor_at(search, table);
    uint64_t base = function->start;
    unsigned encoding = (unsigned)read_bytes(&cursor, 1);
    if (encoding != DW_EH_PE_omit) base = read_pointer(&cursor, encoding);
    encoding = (unsigned)read_bytes(&cursor, 1);
    if (encoding != DW_EH_PE_omit) read_leb128(&cursor, false);
    encoding = (unsigned)read_bytes(&cursor, 1);
    uint64_t size = read_leb128(&cursor, false);
    if (cursor.failed || size > (size_t)(cursor.end - cursor.at)) return;
    cursor.end = cursor.at + size;
    while (cursor.at < cursor.end && !cursor.failed && search_spend(&search->walk_budget, 1)) {
        read_number(&cursor, encoding);
        read_number(&cursor, encoding);
        uint64_t pad = read_number(&cursor, encoding);
        read_leb128(&cursor, false);
        if (cursor.failed || !pad || search_extent(search, base + pad) == NULL) continue;
        search_enter(search, base + pad, DISCOVERY_LANDING, SEARCH_NONE);
    }
}

// ---- frames

// How an entry's common part says that its pointers are written.
struct encodings {
    unsigned function, handlers;
    bool augmented;
};

static struct encodings read_encodings(const struct search *search, const Dwarf_CIE *cie) {
    struct encodings encodings = {DW_EH_PE_absptr, DW_EH_PE_omit, cie->augmentation[0] == 'z'};
    struct cursor cursor = {.search = search, .at = cie->augmentation_data};
    cursor.end = cursor.at + (cie->augmentation_data ? cie->augmentation_data_size : 0);
    for (const char *letter = cie->augmentation; *letter && !cursor.failed; letter++) {
        if (*letter == 'R') encodings.function = (unsigned)read_bytes(&cursor, 1);
        if (*letter == 'L') encodings.handlers = (unsigned)read_bytes(&cursor, 1);
        if (*letter == 'P') {
            unsigned encoding = (unsigned)read_bytes(&cursor, 1);
            read_number(&cursor, encoding & 0x0f);
        }
    }
    return encodings;
}

struct frames {
    struct search *search;
    Elf_Data data;
    uint64_t address;
    Dwarf_Off common;  // place of the one below
    struct encodings encodings;
    bool handlers;  // this time they are looked at
};

static bool find_encodings(struct frames *frames, Dwarf_Off common) {
    Dwarf_CFI_Entry entry;
    Dwarf_Off next;
    if (common == frames->common) return true;
    const unsigned char *ident = frames->search->image.header.e_ident;
    if (dwarf_next_cfi(ident, &frames->data, true, common, &next, &entry) || !dwarf_cfi_cie_p(&entry)) return false;
    frames->common = common;
    frames->encodings = read_encodings(frames->search, &entry.cie);
    return true;
}

static void take_frame(struct frames *frames, const Dwarf_FDE *frame) {
    if (!find_encodings(frames, frame->CIE_pointer)) return;
    const struct encodings *encodings = &frames->encodings;
    struct cursor cursor = {.search = frames->search, .at = frame->start, .end = frame->end};
    cursor.address = frames->address + (uint64_t)(frame->start - (const uint8_t *)frames->data.d_buf);
    uint64_t start = read_pointer(&cursor, encodings->function), size = read_number(&cursor, encodings->function & 0x0f);
    if (cursor.failed || !size || size > UINT64_MAX - start || !image_code(&frames->search->image, start)) return;
    struct extent extent = {start, start + size};
    struct search *search = frames->search;
    if (!frames->handlers) {
        SEARCH_ADD(search->extent, search->extents, search->extent_room, extent);
        search_enter(search, start, DISCOVERY_FUNCTION, SEARCH_NONE);
    } else if (encodings->augmented && encodings->handlers != DW_EH_PE_omit) {
        read_leb128(&cursor, false);
        uint64_t table = read_pointer(&cursor, encodings->handlers);
        if (table && !cursor.failed) read_handlers(search, table, &extent);
    }
}

static void read_all(struct frames *frames) {
    Dwarf_CFI_Entry entry;
    const unsigned char *ident = frames->search->image.header.e_ident;
    for (Dwarf_Off at = 0, next; at < frames->data.d_size; at = next) {
        int result = dwarf_next_cfi(ident, &frames->data, true, at, &next, &entry);
        if (result > 0 || next <= at || next == (Dwarf_Off)-1) break;
        if (!result && !dwarf_cfi_cie_p(&entry)) take_frame(frames, &entry.fde);
    }
}

// ---- where they are

static uint64_t find_by_header(struct search *search, uint64_t header) {
    struct cursor cursor = cursor_at(search, header);
    unsigned version = (unsigned)read_bytes(&cursor, 1), encoding = (unsigned)read_bytes(&cursor, 1);
    read_bytes(&cursor, 2);
    uint64_t frames = read_pointer(&cursor, encoding);
    return version == 1 && !cursor.failed ? frames : 0;
}

static uint64_t find_frames(struct search *search) {
    size_t count = 0;
    if (elf_getphdrnum(search->image.elf, &count)) count = 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(search->image.elf, (int)i, &header) && header.p_type == PT_GNU_EH_FRAME)
            return find_by_header(search, header.p_vaddr);
    }
    return 0;
}

// False: there is none. Where only the header says where it begins, it ends by itself.
static bool find_section(struct search *search, uint64_t *address, size_t *size) {
    size_t names;
    if (elf_getshdrstrndx(search->image.elf, &names)) return false;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(search->image.elf, scn));) {
        GElf_Shdr section;
        const char *name = gelf_getshdr(scn, &section) ? elf_strptr(search->image.elf, names, section.sh_name) : NULL;
        if (!name || strcmp(name, ".eh_frame") != 0) continue;
        *address = section.sh_addr, *size = section.sh_size;
        return true;
    }
    return false;
}

void search_read_frames(struct search *search, bool handlers) {
    uint64_t address;
    size_t size = SIZE_MAX, left;
    if (!find_section(search, &address, &size)) address = find_frames(search);
    const uint8_t *bytes = address ? image_bytes(&search->image, address, &left) : NULL;
    if (!bytes) return;
    struct frames frames = {.search = search, .address = address, .common = (Dwarf_Off)-1, .handlers = handlers};
    frames.data =
        (Elf_Data){.d_buf = (void *)(uintptr_t)bytes, .d_type = ELF_T_BYTE, .d_size = size < left ? size : left, .d_align = 1};
    frames.data.d_version = EV_CURRENT;
    read_all(&frames);
}
