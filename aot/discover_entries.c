// Entries that the file itself names: symbols, the dynamic section, relocations, and words of data that could be pointers.
#include "aot/discover_search.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_TABLES = 16 };  // of symbols, of relocations: there are two or three

// ---- the dynamic section, as the loader reads it

struct dynamic {
    uint64_t symtab, strtab, rela, rela_size, jmprel, jmprel_size, relr, relr_size;
    uint64_t init, fini, init_array, init_array_size, fini_array, fini_array_size, preinit_array, preinit_array_size;
};

#define VALUE(tag, name) {tag, offsetof(struct dynamic, name)}
static const struct {
    uint64_t tag;
    size_t offset;
} dynamic_values[] = {
    VALUE(DT_SYMTAB, symtab),
    VALUE(DT_STRTAB, strtab),
    VALUE(DT_RELA, rela),
    VALUE(DT_RELASZ, rela_size),
    VALUE(DT_JMPREL, jmprel),
    VALUE(DT_PLTRELSZ, jmprel_size),
    VALUE(DT_RELR, relr),
    VALUE(DT_RELRSZ, relr_size),
    VALUE(DT_INIT, init),
    VALUE(DT_FINI, fini),
    VALUE(DT_INIT_ARRAY, init_array),
    VALUE(DT_INIT_ARRAYSZ, init_array_size),
    VALUE(DT_FINI_ARRAY, fini_array),
    VALUE(DT_FINI_ARRAYSZ, fini_array_size),
    VALUE(DT_PREINIT_ARRAY, preinit_array),
    VALUE(DT_PREINIT_ARRAYSZ, preinit_array_size),
};
#undef VALUE

static uint64_t find_dynamic(const struct search *search) {
    size_t count = 0;
    if (elf_getphdrnum(search->image.elf, &count)) return 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(search->image.elf, (int)i, &header) && header.p_type == PT_DYNAMIC) return header.p_vaddr;
    }
    return 0;
}

static void take_value(struct dynamic *dynamic, uint64_t tag, uint64_t value) {
    for (size_t i = 0; i < sizeof dynamic_values / sizeof *dynamic_values; i++) {
        if (dynamic_values[i].tag == tag) memcpy((char *)dynamic + dynamic_values[i].offset, &value, sizeof value);
    }
}

static struct dynamic read_dynamic(const struct search *search) {
    struct dynamic dynamic = {0};
    const struct image *image = &search->image;
    uint64_t at = find_dynamic(search), tag, value;
    for (; at && image_read(image, at, 8, &tag) && tag != DT_NULL && image_read(image, at + 8, 8, &value); at += 16)
        take_value(&dynamic, tag, value);
    return dynamic;
}

static void enter_array(struct search *search, uint64_t start, uint64_t size) {
    uint64_t value;
    for (uint64_t at = 0; at < size && image_read(&search->image, start + at, 8, &value); at += 8)
        search_try(search, (struct hint){.address = value});
}

void search_read_dynamic(struct search *search) {
    struct dynamic dynamic = read_dynamic(search);
    search_try(search, (struct hint){.address = dynamic.init});
    search_try(search, (struct hint){.address = dynamic.fini});
    enter_array(search, dynamic.preinit_array, dynamic.preinit_array_size);
    enter_array(search, dynamic.init_array, dynamic.init_array_size);
    enter_array(search, dynamic.fini_array, dynamic.fini_array_size);
}

static bool has_sections(const struct search *search) {
    size_t count;
    return !elf_getshdrnum(search->image.elf, &count) && count;
}

// ---- symbols

static void take_symbol(struct search *search, const GElf_Sym *symbol) {
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    bool function = (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF;
    if (!function || !image_code(&search->image, symbol->st_value)) return;
    if (symbol->st_size && symbol->st_size <= UINT64_MAX - symbol->st_value)
        SEARCH_ADD(search->extent, search->extents, search->extent_room,
                   (struct extent){symbol->st_value, symbol->st_value + symbol->st_size});
    search_enter(search, symbol->st_value, DISCOVERY_FUNCTION, SEARCH_NONE);
}

// Where there are no sections, nothing says how many symbols there are, but their names usually follow them.
static void read_dynamic_symbols(struct search *search) {
    struct dynamic dynamic = read_dynamic(search);
    size_t left, size = dynamic.strtab > dynamic.symtab ? dynamic.strtab - dynamic.symtab : 0;
    const uint8_t *bytes = image_bytes(&search->image, dynamic.symtab, &left);
    for (size_t at = 0; bytes && at + sizeof(Elf64_Sym) <= size && at + sizeof(Elf64_Sym) <= left; at += sizeof(Elf64_Sym)) {
        GElf_Sym symbol;
        memcpy(&symbol, bytes + at, sizeof symbol);
        take_symbol(search, &symbol);
    }
}

void search_read_symbols(struct search *search) {
    if (!has_sections(search)) read_dynamic_symbols(search);
    unsigned tables = 0;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(search->image.elf, scn)) && tables < MAX_TABLES;) {
        GElf_Shdr section;
        GElf_Sym symbol;
        if (!gelf_getshdr(scn, &section) || (section.sh_type != SHT_SYMTAB && section.sh_type != SHT_DYNSYM)) continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        tables++;
        for (int i = 0; data && gelf_getsym(data, i, &symbol) && search_spend(&search->walk_budget, 1); i++)
            take_symbol(search, &symbol);
    }
}

// ---- relocations

// What a relocation puts where it is applied, as far as it can be an address in the module.
static const struct relocation_kind {
    unsigned machine, type;
    bool symbol;    // the symbol's value is added
    bool in_place;  // until the loader gets to it, what stands there is used: entries of procedure linkage tables
} relocation_kinds[] = {
    {EM_RISCV, R_RISCV_RELATIVE, false, false},
    {EM_RISCV, R_RISCV_IRELATIVE, false, false},
    {EM_RISCV, R_RISCV_64, true, false},
    {EM_RISCV, R_RISCV_JUMP_SLOT, true, true},
};

static const struct relocation_kind *relocation_kind(unsigned machine, unsigned type) {
    for (size_t i = 0; i < sizeof relocation_kinds / sizeof *relocation_kinds; i++) {
        if (relocation_kinds[i].machine == machine && relocation_kinds[i].type == type) return &relocation_kinds[i];
    }
    return NULL;
}

static void add_relocated(struct search *search, uint64_t where, uint64_t value) {
    struct image *image = &search->image;
    if (search_spend(&search->walk_budget, 1))
        SEARCH_ADD(image->relocated, image->unsorted, image->relocated_room, (struct relocated){where, value});
}

// `symbols`: the value of symbol `at`, 0 where it is not in this module.
static void take_relocation(struct search *search, const Elf64_Rela *rela, uint64_t (*symbols)(void *, uint32_t), void *data) {
    const struct relocation_kind *kind = relocation_kind(search->image.header.e_machine, ELF64_R_TYPE(rela->r_info));
    uint64_t in_place;
    if (!kind) return;
    if (kind->in_place && image_read(&search->image, rela->r_offset, 8, &in_place))
        search_try(search, (struct hint){.address = in_place});
    uint64_t symbol = kind->symbol ? symbols(data, (uint32_t)ELF64_R_SYM(rela->r_info)) : 0;
    if (!kind->symbol || symbol) add_relocated(search, rela->r_offset, symbol + (uint64_t)rela->r_addend);
}

static uint64_t section_symbol(void *data, uint32_t at) {
    GElf_Sym symbol;
    bool here =
        data && gelf_getsym(data, (int)at, &symbol) && symbol.st_shndx != SHN_UNDEF && GELF_ST_TYPE(symbol.st_info) != STT_TLS;
    return here ? symbol.st_value : 0;
}

static void read_section(struct search *search, Elf_Scn *scn, const GElf_Shdr *section) {
    Elf_Data *data = elf_getdata(scn, NULL);
    Elf_Scn *link = elf_getscn(search->image.elf, section->sh_link);
    GElf_Shdr linked;
    bool symbols = link && gelf_getshdr(link, &linked) && (linked.sh_type == SHT_SYMTAB || linked.sh_type == SHT_DYNSYM);
    GElf_Rela rela;
    for (int i = 0; data && gelf_getrela(data, i, &rela); i++)
        take_relocation(search, &rela, section_symbol, symbols ? elf_getdata(link, NULL) : NULL);
}

struct symbols {
    const struct search *search;
    uint64_t table;
};

static uint64_t loaded_symbol(void *data, uint32_t at) {
    const struct symbols *symbols = data;
    size_t size;
    Elf64_Sym symbol;
    const uint8_t *bytes = image_bytes(&symbols->search->image, symbols->table + at * sizeof symbol, &size);
    if (!bytes || size < sizeof symbol) return 0;
    memcpy(&symbol, bytes, sizeof symbol);
    return symbol.st_shndx != SHN_UNDEF && GELF_ST_TYPE(symbol.st_info) != STT_TLS ? symbol.st_value : 0;
}

static void read_loaded(struct search *search, const struct dynamic *dynamic, uint64_t start, uint64_t size) {
    struct symbols symbols = {search, dynamic->symtab};
    size_t left;
    const uint8_t *bytes = image_bytes(&search->image, start, &left);
    for (uint64_t at = 0; bytes && at + sizeof(Elf64_Rela) <= size && at + sizeof(Elf64_Rela) <= left; at += sizeof(Elf64_Rela)) {
        Elf64_Rela rela;
        memcpy(&rela, bytes + at, sizeof rela);
        take_relocation(search, &rela, loaded_symbol, &symbols);
    }
}

static void add_packed(struct search *search, uint64_t where) {
    uint64_t value;
    if (image_read(&search->image, where, 8, &value)) add_relocated(search, where, value);
}

// Packed relative relocations (generic ABI, "Relative Relocation Table"): an even word is a place, an odd one a bitmap of the 63 words behind.
static void read_packed(struct search *search, uint64_t start, uint64_t size) {
    uint64_t entry, where = 0;
    for (uint64_t at = 0; at + 8 <= size && image_read(&search->image, start + at, 8, &entry); at += 8) {
        if (entry & 1) {
            for (unsigned bit = 1; bit < 64; bit++)
                if (entry >> bit & 1) add_packed(search, where + (bit - 1) * 8ull);
            where += 63 * 8;
        } else {
            add_packed(search, entry);
            where = entry + 8;
        }
    }
}

static int by_place(const void *a, const void *b) {
    const struct relocated *x = a, *y = b;
    return x->where < y->where ? -1 : x->where > y->where;
}

// What the file has is read while nothing counts as relocated yet: reading looks words up, which has to wait until they are sorted.
void search_read_relocations(struct search *search) {
    struct image *image = &search->image;
    struct dynamic dynamic = read_dynamic(search);
    read_packed(search, dynamic.relr, dynamic.relr_size);
    unsigned tables = 0;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn)) && tables < MAX_TABLES;) {
        GElf_Shdr section;
        bool loaded = gelf_getshdr(scn, &section) && section.sh_type == SHT_RELA && section.sh_flags & SHF_ALLOC;
        if (loaded) read_section(search, scn, &section), tables++;
    }
    if (!has_sections(search)) {
        read_loaded(search, &dynamic, dynamic.rela, dynamic.rela_size);
        read_loaded(search, &dynamic, dynamic.jmprel, dynamic.jmprel_size);
    }
    if (image->unsorted) qsort(image->relocated, image->unsorted, sizeof *image->relocated, by_place);
    image->relocateds = image->unsorted;
    for (size_t i = 0; i < image->relocateds; i++)
        search_try(search, (struct hint){.address = image->relocated[i].value, .label = true});
}

// ---- words

void search_read_words(struct search *search) {
    const struct image *image = &search->image;
    if (image->header.e_type != ET_EXEC) return;
    for (unsigned i = 0; i < image->segments; i++) {
        const struct segment *segment = &image->segment[i];
        for (uint64_t at = (segment->start + 7) & ~UINT64_C(7), value; image_read(image, at, 8, &value); at += 8) {
            if (at - segment->start >= segment->size) break;  // in a segment behind it
            if (image_code(image, value) && !image_code(image, at))
                search_try(search, (struct hint){.address = value, .number = true});
        }
    }
}
