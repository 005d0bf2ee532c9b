// The first stack of a program. From the top down, as the kernel lays it out (man 3 getauxval; the psABI, "Process
// Initialization"): a zero word, the name as run, environment strings, argument strings, 16 random bytes, and then, from the
// stack pointer up: argc, argv[], envp[], auxv[]. The mapping grows by itself below that (MAP_GROWSDOWN), within RLIMIT_STACK,
// by the host kernel's own doing.
#include "guest-os/linux-user/stack.h"
#include "guest-os/linux-user/abi.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/code.h"
#include "runtime/options.h"
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum {
    SPARE = 128 << 10,  // mapped below the image from the start
    ONE_STRING = 128 << 10,  // MAX_ARG_STRLEN (man 2 execve, "Limits on size of arguments and environment")
    LEAST_STRINGS = 128 << 10,
    MOST_STRINGS = 6 << 20,
    AUXILIARY = 24,
    RANDOM_BYTES = 16,
};

uint64_t stack_limit(void) {
    if (options.stack_size) return (options.stack_size + MEM_PAGE - 1) & ~(MEM_PAGE - 1);
    struct rlimit limit = {0};
    long result = host_call(prlimit64, 0, RLIMIT_STACK, NULL, &limit);
    return result < 0 ? 8 << 20 : limit.rlim_cur;
}

struct counted {
    size_t count, bytes;
};

// -1 where one of the strings is too long by itself.
static int count(char *const strings[], struct counted *counted) {
    for (; strings[counted->count]; counted->count++) {
        size_t size = strlen(strings[counted->count]) + 1;
        if (size > ONE_STRING) return -1;
        counted->bytes += size;
    }
    return 0;
}

static uint64_t most_bytes(void) {
    uint64_t most = stack_limit() / 4;
    if (most > MOST_STRINGS) most = MOST_STRINGS;
    return most < LEAST_STRINGS ? LEAST_STRINGS : most;
}

// Writes downwards or upwards into the new stack; a failure is remembered.
struct writer {
    uint64_t at;
    long result;
};

static void push(struct writer *writer, const void *bytes, size_t size) {
    writer->at -= size;
    if (!writer->result) writer->result = mem_copy_out(writer->at, bytes, size);
}

static void put_word(struct writer *writer, uint64_t word) {
    if (!writer->result) writer->result = mem_copy_out(writer->at, &word, sizeof word);
    writer->at += sizeof word;
}

// The last string highest, so that they follow each other in order.
static void push_strings(struct writer *writer, char *const strings[], size_t count) {
    while (count-- > 0) push(writer, strings[count], strlen(strings[count]) + 1);
}

static void put_pointers(struct writer *writer, char *const strings[], size_t count, uint64_t at) {
    for (size_t i = 0; i < count; i++) {
        put_word(writer, at);
        at += strlen(strings[i]) + 1;
    }
    put_word(writer, 0);
}

static void put_auxiliary(struct writer *writer, const struct program *program, uint64_t random, uint64_t name) {
    const struct elf_image *image = &program->image;
    const uint64_t pairs[AUXILIARY][2] = {
        {AT_SYSINFO_EHDR, process.vdso},
        {AT_MINSIGSTKSZ, guest_abi->signal_stack(code_features)},
        {AT_HWCAP, guest_abi->hwcap(code_features)},
        {AT_PAGESZ, MEM_PAGE},
        {AT_CLKTCK, 100},
        {AT_PHDR, process.program_headers},
        {AT_PHENT, sizeof(Elf64_Phdr)},
        {AT_PHNUM, image->count},
        {AT_BASE, process.interpreter_base},
        {AT_FLAGS, 0},
        {AT_ENTRY, process.entry},
        {AT_UID, (uint64_t)host_call(getuid)},
        {AT_EUID, (uint64_t)host_call(geteuid)},
        {AT_GID, (uint64_t)host_call(getgid)},
        {AT_EGID, (uint64_t)host_call(getegid)},
        {AT_SECURE, process.secure},
        {AT_RANDOM, random},
        {AT_HWCAP2, guest_abi->hwcap2(code_features)},
        {AT_EXECFN, name},
    };
    process.auxv_start = writer->at;
    for (int i = 0; i < AUXILIARY && pairs[i][0]; i++) {
        put_word(writer, pairs[i][0]);
        put_word(writer, pairs[i][1]);
    }
    put_word(writer, AT_NULL);
    put_word(writer, 0);
    process.auxv_end = writer->at;
}

static long map_stack(uint64_t top, uint64_t size, bool executable) {
    int prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK | MAP_FIXED_NOREPLACE;
    return mem_map(top - size, size, prot, flags, -1, 0, MEM_STACK);
}

static uint64_t write_image(const struct program *program, char *const envp[], struct counted arguments, struct counted environment,
                            uint64_t top, struct writer *writer) {
    uint8_t random[RANDOM_BYTES];
    host_call(getrandom, random, sizeof random, 0);
    writer->at = top - sizeof(uint64_t);
    push(writer, program->name_as_run, strlen(program->name_as_run) + 1);
    uint64_t name = process.env_end = writer->at;
    push_strings(writer, envp, environment.count);
    process.env_start = process.arg_end = writer->at;
    push_strings(writer, program->argv, arguments.count);
    process.arg_start = writer->at;
    writer->at &= ~UINT64_C(15);
    push(writer, random, sizeof random);
    uint64_t random_at = writer->at;
    size_t words = 1 + arguments.count + 1 + environment.count + 1 + (size_t)2 * AUXILIARY;
    uint64_t stack = (writer->at - words * sizeof(uint64_t)) & ~UINT64_C(15);
    writer->at = stack;
    put_word(writer, arguments.count);
    put_pointers(writer, program->argv, arguments.count, process.arg_start);
    put_pointers(writer, envp, environment.count, process.env_start);
    put_auxiliary(writer, program, random_at, name);
    return stack;
}

long stack_build(const struct program *program, char *const envp[], uint64_t top, struct text *why) {
    struct counted arguments = {0}, environment = {0};
    int too_long = count(program->argv, &arguments) | count(envp, &environment);
    uint64_t bytes = arguments.bytes + environment.bytes + (arguments.count + environment.count) * sizeof(uint64_t);
    if (too_long || bytes > most_bytes()) {
        text_add(why, "%s: the argument list is too long: %llu bytes of arguments and environment; ulimit -s raises the limit",
                 program->name_as_run, (unsigned long long)bytes);
        return -E2BIG;
    }
    uint64_t size = (bytes + strlen(program->name_as_run) + SPARE + 2 * MEM_PAGE) & ~(MEM_PAGE - 1);
    if (options.stack_size && stack_limit() > size) size = stack_limit();
    long got = map_stack(top, size, program->image.exec_stack);
    struct writer writer = {.result = got < 0 ? got : 0};
    if (got < 0) {
        text_add(why, "%s: there is no room for a stack of %llu bytes", program->name_as_run, (unsigned long long)size);
        return got;
    }
    uint64_t stack = write_image(program, envp, arguments, environment, top, &writer);
    process.stack_start = stack;
    return writer.result < 0 ? writer.result : (long)stack;
}
