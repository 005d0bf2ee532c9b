// `ferry version`. The build id is the one that the linker put into the program, read from our own program headers.
#include "runtime/cli/cli.h"
#include "runtime/cli/version.inc"  // made by the build: FERRY_VERSION, FERRY_DESCRIBED
#include <elf.h>
#include <string.h>

const char version_number[] = FERRY_VERSION, version_described[] = FERRY_DESCRIBED;

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

// Looks for the build id in one note segment.
static bool note_id(const char *at, size_t size, char *id, size_t id_size) {
    for (const char *end = at + size; at + sizeof(Elf64_Nhdr) <= end;) {
        const Elf64_Nhdr *note = (const void *)at;
        const unsigned char *bytes = (const unsigned char *)(note + 1) + ((note->n_namesz + 3) & ~3U);
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4) {
            struct text text = {.at = id, .size = id_size};
            for (unsigned i = 0; i < note->n_descsz; i++) text_add(&text, "%02x", bytes[i]);
            return true;
        }
        at = (const char *)bytes + ((note->n_descsz + 3) & ~3U);
    }
    return false;
}

static const char *build_id(void) {
    static char id[80];
    const char *base = (const char *)&__ehdr_start;
    const Elf64_Phdr *header = (const void *)(base + __ehdr_start.e_phoff);
    for (unsigned i = 0; i < __ehdr_start.e_phnum; i++)
        if (header[i].p_type == PT_NOTE && note_id(base + header[i].p_vaddr, header[i].p_memsz, id, sizeof id)) break;
    return *id ? id : NULL;
}

static const char *host(void) {
#if defined(__x86_64__)
    return "x86_64";
#elif defined(__aarch64__)
    return "aarch64";
#else
    return "other";
#endif
}

int version_print(bool json) {
    const char *id = build_id();
    if (!json) {
        printf("ferry %s (%s)\nbuild id %s\n%s, host %s, guests riscv64\n", FERRY_VERSION, FERRY_DESCRIBED, id ? id : "none",
               COMPILER, host());
        return output_status(EXIT_OK);
    }
    printf("{\"schema\": 1, \"version\": \"%s\", \"described\": \"%s\", \"build_id\": ", FERRY_VERSION, FERRY_DESCRIBED);
    json_string(stdout, id);
    printf(", \"compiler\": ");
    json_string(stdout, COMPILER);
    printf(", \"host\": \"%s\", \"guests\": [\"riscv64\"], \"tiers\": [\"interp\", \"quick\", \"opt\"]}\n", host());
    return output_status(EXIT_OK);
}

extern const struct command command_version;

static int run(int argc, char **argv) {
    int status = cli_parse(&command_version, &argc, &argv, false);
    if (status >= 0) return status;
    if (argc) return usage_error(&command_version, "'%s': no arguments wanted", argv[0]);
    return version_print(setting_on(OPTION_json));
}

const struct command command_version = {
    .name = "version",
    .arguments = "[--json]",
    .summary = "print version, build id and compiler",
    .details = "Prints which Ferry this is.",
    .run = run,
};
