// `ferry dump`: the stages of a translation by name, from a guest ELF file or from bytes on the command line. Reads whatever it is given: nothing in
// the file is trusted. The stages of the compiled tier are in dump_region.c.
#include "runtime/cli/dump.h"
#include "guest-os/linux-user/task.h"
#include "runtime/cli/cli.h"
#include "runtime/options.h"
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

// A guest instruction as one line; its length, 0 where the bytes end.
static unsigned print_instruction(const struct dump *dump, const uint8_t *bytes, size_t size, uint64_t pc, const char *indent) {
    char text[128];
    unsigned length = guest_riscv64.disassemble(bytes, size, pc, dump->features, text, sizeof text);
    if (!length || length > size) return 0;
    uint32_t word = 0;
    for (unsigned i = length < 4 ? length : 4; i--;) word = word << 8 | bytes[i];
    printf("%s%8llx:  %0*x%*s  %s\n", indent, (unsigned long long)pc, length < 4 ? 4 : 8, word, length < 4 ? 4 : 0, "", text);
    return length;
}

static void print_label(const struct dump *dump, uint64_t pc) {
    const char *name = dump->elf ? dump_elf_label(dump->elf, pc) : NULL;
    if (name) printf("\n%016llx <%s>:\n", (unsigned long long)pc, name);
}

// What of the code is from `entry` on.
static const uint8_t *tail(const struct dump_range *code, uint64_t entry, uint64_t *size) {
    *size = code->size - (entry - code->start);
    return code->bytes + (entry - code->start);
}

static int decode(struct dump *dump, const struct dump_range *code, uint64_t pc) {
    uint64_t size;
    const uint8_t *bytes = tail(code, pc, &size);
    while (size && dump->left) {
        print_label(dump, pc);
        unsigned length = print_instruction(dump, bytes, size, pc, "");
        if (!length) {
            printf("%8llx:  %llu byte%s that %s no instruction\n", (unsigned long long)pc, (unsigned long long)size,
                   size > 1 ? "s" : "", size > 1 ? "are" : "is");
            break;
        }
        bytes += length;
        size -= length;
        pc += length;
        dump->left--;
    }
    return EXIT_OK;
}

// The uops of a block, each under the instruction it belongs to. `size` bytes are there, perhaps more than the block covers: an
// encoding longer than any instruction is lifted without looking at all of it.
static void print_block(const struct dump *dump, const struct ir_block *block, const uint8_t *bytes, size_t size, uint64_t pc) {
    unsigned at = 0;
    for (unsigned i = 0; at < block->bytes;) {
        unsigned length = print_instruction(dump, bytes + at, size - at, pc + at, "  ");
        if (!length) printf("  %8" PRIx64 ":  no whole instruction\n", pc + at);
        if (!length || length > block->bytes - at) length = block->bytes - at;
        for (; i < block->count && block->uop[i].offset < at + length; i++) {
            char text[160];
            uop_print(text, sizeof text, &block->uop[i], guest_riscv64.slot_name);
            printf("                        %s\n", text);
        }
        at += length;
    }
}

static int ir(struct dump *dump, const struct dump_range *code, uint64_t pc) {
    static struct ir_block block;
    uint64_t size;
    const uint8_t *bytes = tail(code, pc, &size);
    while (size && dump->left) {
        unsigned limit = dump->left < 64 ? (unsigned)dump->left : 64;
        guest_riscv64.lift(bytes, size, 0, dump->features, limit, &block);
        if (!block.count || !block.bytes || block.bytes > size) {
            printf("%8llx:  %llu byte%s left that hold no instruction\n", (unsigned long long)pc, (unsigned long long)size,
                   size > 1 ? "s" : "");
            break;
        }
        print_label(dump, pc);
        printf("block %llx: %u instruction%s, %u bytes, %u uops\n", (unsigned long long)pc, block.instructions,
               block.instructions == 1 ? "" : "s", block.bytes, block.count);
        print_block(dump, &block, bytes, size, pc);
        dump->left -= block.instructions < dump->left ? block.instructions : dump->left;
        bytes += block.bytes;
        size -= block.bytes;
        pc += block.bytes;
    }
    return EXIT_OK;
}

// ---- what is to be shown of what

static const struct stage {
    const char *name;
    bool one;  // of one function, which has to be named
    int (*show)(struct dump *dump, const struct dump_range *code, uint64_t entry);
} stages[] = {
    {"decode", false, decode},
    {"ir", false, ir},
    {"llvm", true, dump_llvm},
    {"asm", true, dump_asm},
};

static const struct stage *find_stage(const char *name) {
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        if (!strcmp(name, stages[i].name)) return &stages[i];
    }
    return NULL;
}

// Bytes of --hex: groups of 4 or 8 digits are little-endian words as disassemblers print them, pairs are bytes. 0 when a
// group is neither.
static size_t hex_bytes(const char *text, uint8_t *bytes) {
    size_t size = 0;
    while (*(text += strspn(text, " ,"))) {
        char group[9] = "";
        size_t digits = strcspn(text, " ,");
        if (digits != 2 && digits != 4 && digits != 8) return 0;
        memcpy(group, text, digits);
        uint64_t word = strtoull(group, NULL, 16);
        for (size_t i = 0; i < digits / 2; i++) bytes[size++] = (uint8_t)(word >> 8 * i);
        text += digits;
    }
    return size;
}

extern const struct command command_dump;

static int dump_hex(struct dump *dump, const struct stage *stage) {
    const char *text = setting[OPTION_hex].value;
    uint8_t *bytes = cli_alloc(strlen(text) + 1);
    size_t size = hex_bytes(text, bytes);
    if (!size) return usage_error(&command_dump, "--hex: want groups of 2 (bytes), 4 or 8 (words) hexadecimal digits");
    struct dump_range code = {setting_number(OPTION_address, 0), size, bytes};
    return stage->show(dump, &code, code.start);
}

// Code from the address on; what goes by functions shows the one that the address is in, entered there.
static int dump_address(struct dump *dump, const struct stage *stage, uint64_t address) {
    const struct dump_symbol *function = stage->one ? dump_elf_function(dump->elf, address) : NULL;
    struct dump_range code;
    if (dump_elf_range(dump->elf, address, UINT64_MAX, &code)) {
        if (function) dump_elf_range(dump->elf, function->start, function->size, &code);
        return stage->show(dump, &code, address);
    }
    error_say("%s: address 0x%llx is in none of its executable segments", dump->elf->path, (unsigned long long)address);
    return EXIT_FAILED;
}

static int unknown_symbol(const struct dump *dump, const char *name) {
    struct nearest nearest = {.word = name};
    for (size_t i = 0; i < dump->elf->symbol_count; i++) nearest_consider(&nearest, dump->elf->symbol[i].name);
    if (nearest.best) error_say("%s: no function is called '%s'; did you mean '%s'?", dump->elf->path, name, nearest.best);
    else
        error_say("%s: no function is called '%s'%s", dump->elf->path, name,
                  dump->elf->symbol_count ? "" : "; the file has no symbols: give an address");
    return EXIT_FAILED;
}

static int dump_symbol(struct dump *dump, const struct stage *stage, const char *name) {
    const struct dump_symbol *symbol = dump_elf_symbol(dump->elf, name);
    struct dump_range code;
    if (!symbol) return unknown_symbol(dump, name);
    if (dump_elf_range(dump->elf, symbol->start, symbol->size, &code)) return stage->show(dump, &code, symbol->start);
    error_say("%s: '%s' is in none of its executable segments", dump->elf->path, name);
    return EXIT_FAILED;
}

// FUNCTION or 0xADDRESS.
static int dump_place(struct dump *dump, const struct stage *stage, const char *place) {
    char *end;
    bool number = !strncmp(place, "0x", 2);
    uint64_t address = number ? strtoull(place, &end, 16) : 0;
    return number && place[2] && !*end ? dump_address(dump, stage, address) : dump_symbol(dump, stage, place);
}

static int dump_part(struct dump *dump, const struct stage *stage, const char *place) {
    int status = EXIT_OK;
    if (place) return dump_place(dump, stage, place);
    if (setting[OPTION_symbol].value) return dump_symbol(dump, stage, setting[OPTION_symbol].value);
    if (setting[OPTION_address].value) return dump_address(dump, stage, setting_number(OPTION_address, 0));
    for (unsigned i = 0; i < dump->elf->code_count && status == EXIT_OK; i++)
        status = stage->show(dump, &dump->elf->code[i], dump->elf->code[i].start);
    return status;
}

static int dump_file(struct dump *dump, const struct stage *stage, const char *path, const char *place) {
    static struct dump_elf elf;
    char buffer[PATH_MAX];
    if (options.sysroot && path[0] == '/') path = path_host(path, false, buffer);
    int status = dump_elf_open(&elf, path);
    if (status) return status;
    dump->elf = &elf;
    status = dump_part(dump, stage, place);
    dump_elf_close(&elf);
    return status;
}

static int check_words(const struct stage *stage, int argc) {
    bool hex = setting[OPTION_hex].value, named = argc > 2 || setting[OPTION_symbol].value || setting[OPTION_address].value;
    if (hex && argc != 1) return usage_error(&command_dump, "want either --hex or a file");
    if (!hex && (argc < 2 || argc > 3)) return usage_error(&command_dump, "want one file");
    if (!hex && stage->one && !named) return usage_error(&command_dump, "want a function's name or 0xADDRESS behind the file");
    return EXIT_OK;
}

static int run(int argc, char **argv) {
    int status = cli_parse(&command_dump, &argc, &argv, false);
    if (status >= 0) return status;
    const struct stage *stage = argc ? find_stage(argv[0]) : NULL;
    if (!stage) return usage_error(&command_dump, "want decode, ir, llvm or asm as first word");
    if ((status = check_words(stage, argc))) return status;
    if (!settings_load()) return EXIT_USAGE;
    if ((status = settings_apply())) return status;
    struct dump dump = {.features = options.features, .left = setting_number(OPTION_count, UINT64_MAX)};
    status = setting[OPTION_hex].value ? dump_hex(&dump, stage) : dump_file(&dump, stage, argv[1], argc > 2 ? argv[2] : NULL);
    return output_status(status);
}

const struct command command_dump = {
    .name = "dump",
    .arguments = "decode|ir|llvm|asm [OPTION]... FILE [FUNCTION|0xADDRESS]",
    .summary = "show the stages of a translation",
    .details =
        "decode prints the instructions of FILE's code; ir prints the blocks that they are lifted to, each "
        "instruction with its uops. Addresses are those of the file.\n\n"
        "llvm prints the LLVM IR that ferry-compiler makes of one function, and asm the host's assembly that comes of that: all "
        "blocks that branches and jumps lead to from the function's start, or from 0xADDRESS, without leaving the "
        "function. Comments show the guest's instructions. Addresses of the runner in it are made up.",
    .words = "decode ir llvm asm",
    .run = run,
};
