// Host tool, run at build time: writes the riscv64 guest's vDSO, an ELF shared object, as the initialiser of a C array.
//
// Each function is "li a7, number; ecall; ret": inside Ferry an ecall costs no kernel entry, and clocks are answered from the
// host's own vDSO. There is no .eh_frame on purpose: unwinders know the two instructions of __vdso_rt_sigreturn by their bytes (as
// gdb, libgcc and LLVM's libunwind do where they find no frame description), and then read the frame right.
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct function {
    const char *name;
    int number;  // of the system call, asm-generic/unistd.h
} functions[] = {
    {"__vdso_rt_sigreturn", 139}, {"__vdso_gettimeofday", 169}, {"__vdso_clock_gettime", 113}, {"__vdso_clock_getres", 114},
    {"__vdso_getcpu", 168},       {"__vdso_flush_icache", 259}, {"__vdso_riscv_hwprobe", 258},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, SYMBOLS = FUNCTIONS + 2, FUNCTION_BYTES = 12, DYNAMICS = 10 };
static const char soname[] = "linux-vdso.so.1", version[] = "LINUX_4.15";

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segment[2];
    uint32_t hash[2 + 1 + SYMBOLS];
    uint32_t pad;
    Elf64_Sym symbol[SYMBOLS];
    Elf64_Half symbol_version[(SYMBOLS + 3) & ~3];
    struct {
        Elf64_Verdef definition;
        Elf64_Verdaux name;
        uint32_t pad;
    } versions[2];
    Elf64_Dyn dynamic[DYNAMICS];
    char strings[256];
    uint32_t code[FUNCTIONS][FUNCTION_BYTES / 4];
};
static struct image image;
#define AT(member) offsetof(struct image, member)

static uint32_t strings_used = 1;

static uint32_t add_string(const char *text) {
    uint32_t at = strings_used;
    strcpy(image.strings + at, text);
    strings_used += (uint32_t)strlen(text) + 1;
    return at;
}

// System V ABI, "Hash Table": also the name hash of version definitions.
static uint32_t elf_hash(const char *name) {
    uint32_t hash = 0;
    for (; *name; name++) {
        hash = (hash << 4) + (uint8_t)*name;
        uint32_t top = hash & 0xf0000000;
        hash = (hash ^ top >> 24) & ~top;
    }
    return hash;
}

static void put_function(int index) {
    uint32_t *code = image.code[index];
    code[0] = (uint32_t)functions[index].number << 20 | 17 << 7 | 0x13;  // addi a7, zero, number
    code[1] = 0x00000073;                                                // ecall
    code[2] = 0x00008067;                                                // jalr zero, 0(ra)
    image.symbol[index + 1] = (Elf64_Sym){.st_name = add_string(functions[index].name),
                                          .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                                          .st_shndx = 1,
                                          .st_value = AT(code) + (uint64_t)index * FUNCTION_BYTES,
                                          .st_size = FUNCTION_BYTES};
    image.symbol_version[index + 1] = 2;
}

static void put_version(int index, const char *name, uint32_t string, int flags) {
    int last = index == 1;
    image.versions[index].definition = (Elf64_Verdef){.vd_version = 1,
                                                      .vd_flags = (Elf64_Half)flags,
                                                      .vd_ndx = (Elf64_Half)(index + 1),
                                                      .vd_cnt = 1,
                                                      .vd_hash = elf_hash(name),
                                                      .vd_aux = sizeof(Elf64_Verdef),
                                                      .vd_next = last ? 0 : sizeof image.versions[0]};
    image.versions[index].name = (Elf64_Verdaux){.vda_name = string};
}

// One bucket: every symbol is on its chain.
static void put_hash(void) {
    image.hash[0] = 1;
    image.hash[1] = SYMBOLS;
    image.hash[2] = 1;
    for (uint32_t i = 1; i + 1 < SYMBOLS; i++) image.hash[3 + i] = i + 1;
}

static void put_dynamic(uint32_t soname_string) {
    const Elf64_Dyn entries[DYNAMICS] = {
        {DT_SONAME, {soname_string}},
        {DT_HASH, {AT(hash)}},
        {DT_STRTAB, {AT(strings)}},
        {DT_SYMTAB, {AT(symbol)}},
        {DT_STRSZ, {strings_used}},
        {DT_SYMENT, {sizeof(Elf64_Sym)}},
        {DT_VERSYM, {AT(symbol_version)}},
        {DT_VERDEF, {AT(versions)}},
        {DT_VERDEFNUM, {2}},
        {DT_NULL, {0}},
    };
    memcpy(image.dynamic, entries, sizeof entries);
}

static void put_header(void) {
    image.header = (Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                                .e_type = ET_DYN,
                                .e_machine = EM_RISCV,
                                .e_version = EV_CURRENT,
                                .e_phoff = AT(segment),
                                .e_flags = 5,  // RVC, double-float ABI
                                .e_ehsize = sizeof(Elf64_Ehdr),
                                .e_phentsize = sizeof(Elf64_Phdr),
                                .e_phnum = 2,
                                .e_shentsize = sizeof(Elf64_Shdr)};
    image.segment[0] =
        (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = sizeof image, .p_memsz = sizeof image, .p_align = 4096};
    image.segment[1] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
                                    .p_flags = PF_R,
                                    .p_offset = AT(dynamic),
                                    .p_vaddr = AT(dynamic),
                                    .p_paddr = AT(dynamic),
                                    .p_filesz = sizeof image.dynamic,
                                    .p_memsz = sizeof image.dynamic,
                                    .p_align = 8};
}

int main(void) {
    uint32_t soname_string = add_string(soname), version_string = add_string(version);
    for (int i = 0; i < FUNCTIONS; i++) put_function(i);
    image.symbol[FUNCTIONS + 1] =
        (Elf64_Sym){.st_name = version_string, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), .st_shndx = SHN_ABS};
    image.symbol_version[FUNCTIONS + 1] = 2;
    put_version(0, soname, soname_string, VER_FLG_BASE);
    put_version(1, version, version_string, 0);
    put_hash();
    put_dynamic(soname_string);
    put_header();
    printf("// Made by make_vdso_riscv64.c.\n#define VDSO_SIGRETURN %zu\n#define VDSO_BYTES", AT(code));
    const uint8_t *byte = (const uint8_t *)&image;
    for (size_t i = 0; i < sizeof image; i++) printf("%s%u,", i % 32 ? "" : " \\\n    ", byte[i]);
    printf("\n");
    return strings_used > sizeof image.strings;
}
