// `ferry dump decode|ir`: the first stages of a translation by name, from a guest ELF file or from bytes on the command line. Reads
// whatever it is given: nothing in the file is trusted.
#include "runtime/cli/dump_elf.h"
#include "runtime/cli/cli.h"
#include "runtime/options.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct dump {
    const struct dump_elf *elf;  // NULL with --hex
    guest_features features;
    uint64_t left;  // instructions still to print
};

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

static void decode(struct dump *dump, const uint8_t *bytes, size_t size, uint64_t pc) {
    while (size && dump->left) {
        print_label(dump, pc);
        unsigned length = print_instruction(dump, bytes, size, pc, "");
        if (!length) {
            printf("%8llx:  %zu byte%s that %s no instruction\n", (unsigned long long)pc, size, size > 1 ? "s" : "",
                   size > 1 ? "are" : "is");
            return;
        }
        bytes += length;
        size -= length;
        pc += length;
        dump->left--;
    }
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

static void ir(struct dump *dump, const uint8_t *bytes, size_t size, uint64_t pc) {
    static struct ir_block block;
    while (size && dump->left) {
        unsigned limit = dump->left < 64 ? (unsigned)dump->left : 64;
        guest_riscv64.lift(bytes, size, 0, dump->features, limit, &block);
        if (!block.count || !block.bytes || block.bytes > size) {
            printf("%8llx:  %zu byte%s left that hold no instruction\n", (unsigned long long)pc, size, size > 1 ? "s" : "");
            return;
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
}

typedef void stage_function(struct dump *dump, const uint8_t *bytes, size_t size, uint64_t pc);  // NOLINT: the one shape of them

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

static int dump_hex(struct dump *dump, stage_function *stage) {
    const char *text = setting[OPTION_hex].value;
    uint8_t *bytes = cli_alloc(strlen(text) + 1);
    size_t size = hex_bytes(text, bytes);
    if (!size) return usage_error(&command_dump, "--hex: want groups of 2 (bytes), 4 or 8 (words) hexadecimal digits");
    stage(dump, bytes, size, setting_number(OPTION_address, 0));
    return EXIT_OK;
}

static int dump_range(struct dump *dump, stage_function *stage, uint64_t start, uint64_t size) {
    uint64_t available;
    const uint8_t *bytes = dump_elf_at(dump->elf, start, &available);
    if (!bytes) {
        error_say("%s: address 0x%llx is in none of its executable segments", dump->elf->path, (unsigned long long)start);
        return EXIT_FAILED;
    }
    stage(dump, bytes, size && size < available ? size : available, start);
    return EXIT_OK;
}

static int dump_symbol(struct dump *dump, stage_function *stage, const char *name) {
    uint64_t start, size;
    if (dump_elf_symbol(dump->elf, name, &start, &size)) return dump_range(dump, stage, start, size);
    error_say("%s: no function is called '%s'%s", dump->elf->path, name,
              dump->elf->symbol_count ? "" : "; the file has no symbols");
    return EXIT_FAILED;
}

static int dump_file(struct dump *dump, stage_function *stage, const char *path) {
    static struct dump_elf elf;
    int status = dump_elf_open(&elf, path);
    if (status) return status;
    dump->elf = &elf;
    if (setting[OPTION_symbol].value) {
        status = dump_symbol(dump, stage, setting[OPTION_symbol].value);
    } else if (setting[OPTION_address].value) {
        status = dump_range(dump, stage, setting_number(OPTION_address, 0), 0);
    } else {
        for (unsigned i = 0; i < elf.code_count; i++) stage(dump, elf.code[i].bytes, elf.code[i].size, elf.code[i].start);
    }
    dump_elf_close(&elf);
    return status;
}

static int run(int argc, char **argv) {
    int status = cli_parse(&command_dump, &argc, &argv, false);
    if (status >= 0) return status;
    stage_function *stage = argc && !strcmp(argv[0], "decode") ? decode : argc && !strcmp(argv[0], "ir") ? ir : NULL;
    bool hex = setting[OPTION_hex].value;
    if (!stage) return usage_error(&command_dump, "want decode or ir as first word");
    if (argc != (hex ? 1 : 2)) return usage_error(&command_dump, hex ? "want either --hex or a file" : "want one file");
    if (!settings_load()) return EXIT_USAGE;
    struct dump dump = {.features = guest_riscv64.default_features, .left = setting_number(OPTION_count, UINT64_MAX)};
    char why[256];
    if (setting[OPTION_cpu].value) guest_riscv64.parse_cpu(setting[OPTION_cpu].value, &dump.features, why, sizeof why);
    status = hex ? dump_hex(&dump, stage) : dump_file(&dump, stage, argv[1]);
    return output_status(status);
}

const struct command command_dump = {
    .name = "dump",
    .arguments = "decode|ir [OPTION]... FILE",
    .summary = "show the stages of a translation",
    .details = "decode prints the instructions of FILE's code; ir prints the blocks that they are lifted to, each "
               "instruction with its uops. Addresses are those of the file.",
    .words = "decode ir",
    .run = run,
};
