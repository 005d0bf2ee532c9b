// Fuzzes the search for code in ELF files, and checks what must hold of what was found, whatever the file is: blocks and functions are sorted, lie in the
// file's address range, and are what a runner would make of the same bytes. A file that is no ELF file gets a header that makes it one: raw code, loaded at 4096.
#include "tests/fuzz/fuzz.h"
#include "aot/discover.h"
#include <elf.h>
#include <string.h>

static void check_function(const struct discovery *found, const struct discovery_function *function) {
    require(function->first <= found->members && function->count <= found->members - function->first,
            "members outside of their list");
    bool own = false;
    for (uint32_t i = 0; i < function->count; i++) {
        uint32_t block = found->member[function->first + i];
        require(block < found->blocks, "no such block");
        require(!i || found->member[function->first + i - 1] < block, "a function's blocks are not sorted");
        own |= found->block[block].offset == function->offset;
    }
    require(own || !function->count, "a function without its entry");
}

static void check(const struct discovery *found) {
    for (uint32_t i = 0; i < found->blocks; i++) {
        const struct discovery_block *block = &found->block[i];
        require(!i || found->block[i - 1].offset < block->offset, "blocks are not sorted");
        require(block->bytes && block->bytes <= BLOCK_MAX_BYTES && block->ways, "an empty block, or one that nothing leads to");
        require(block->offset % GUEST_PAGE + block->bytes <= GUEST_PAGE || block->bytes <= 4, "a block beyond its page");
    }
    for (uint32_t i = 0; i < found->functions; i++) {
        require(!i || found->function[i - 1].offset < found->function[i].offset, "functions are not sorted");
        check_function(found, &found->function[i]);
    }
    require(found->covered_known <= found->covered, "more known than there is");
}

// Code alone: the first two bytes say where it is entered.
static uint8_t *wrap(const uint8_t *data, size_t size, size_t *wrapped) {
    enum { HEADERS = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), BASE = 4096 };
    uint8_t *file = calloc(1, HEADERS + size);
    require(file != NULL, "no memory");
    Elf64_Ehdr header = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_EXEC, .e_machine = EM_RISCV};
    header.e_version = EV_CURRENT, header.e_phoff = sizeof header, header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr), header.e_phnum = 1;
    header.e_entry = BASE + HEADERS + (size > 1 ? (data[0] | data[1] << 8) % size / 2 * 2 : 0);
    Elf64_Phdr segment = {
        .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = BASE, .p_filesz = HEADERS + size, .p_memsz = HEADERS + size};
    memcpy(file, &header, sizeof header);
    memcpy(file + sizeof header, &segment, sizeof segment);
    memcpy(file + HEADERS, data, size);
    *wrapped = HEADERS + size;
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct discovery found;
    const char *why = NULL;
    bool elf = size > 4 && !memcmp(data, ELFMAG, 4);
    uint8_t *file = elf ? malloc(size) : wrap(data, size, &size);
    require(file != NULL, "no memory");
    if (elf) memcpy(file, data, size);
    int result = discover(file, size, guest_riscv64.default_features, &found, &why);
    require(result == 0 || (result < 0 && why), "refused without a word");
    if (!result) check(&found);
    discover_end(&found);
    free(file);
    return 0;
}
