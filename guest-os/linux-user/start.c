// Starts a guest program in this process: decides where everything goes, maps it, builds the stack and sets the registers.
// Places are chosen as the kernel chooses them on a machine with an address space of this size: the stack on top, below it the
// mappings (from the top down), position-independent programs at two thirds, the break behind the program; all by random
// amounts, unless personality(2) says ADDR_NO_RANDOMIZE.
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/program.h"
#include "guest-os/linux-user/stack.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/options.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>

enum {
    NOT_FOUND = 127,  // what shells answer
    NOT_RUNNABLE = 126,
    STACK_GUARD = 1 << 20,
    LEAST_GAP = 128 << 20,  // kept free below the stack's top, for it to grow
};
#define SPREAD (MEM_TOP >> 8)  // how far apart a place may be in two runs

struct process process;
bool program_known_to_kernel;

// A multiple of the page size below `limit`; 0 where places are not to be random.
static uint64_t random_pages(uint64_t limit) {
    uint64_t random = 0;
    if (host_call(personality, 0xffffffff) & ADDR_NO_RANDOMIZE) return 0;
    host_call(getrandom, &random, sizeof random, 0);
    return random % limit & ~(MEM_PAGE - 1);
}

// Where mappings begin, downwards.
static uint64_t mappings_top(uint64_t stack_top) {
    uint64_t gap = stack_limit(), most = MEM_TOP / 6 * 5;
    if (gap < most) gap += STACK_GUARD;
    if (gap < LEAST_GAP) gap = LEAST_GAP;
    if (gap > most) gap = most;
    return (stack_top - gap - random_pages(SPREAD)) & ~(MEM_PAGE - 1);
}

// ---- placing and mapping

static long cannot_map(const char *path, const struct elf_image *image, long result, struct text *why) {
    const char *text = strerrordesc_np((int)-result);
    text_add(why, "%s: cannot be mapped, %#llx bytes from %#llx: %s", path, (unsigned long long)(image->high - image->low),
             (unsigned long long)(image->low + image->bias), text ? text : "unknown error");
    return result;
}

static long load_image(const char *path, struct elf_image *image, uint64_t hint, struct text *why) {
    long result = image->type == ET_DYN ? elf_place(image, hint) : 0;
    if (!result) result = elf_map(image);
    return result ? cannot_map(path, image, result, why) : 0;
}

// A program that is linked to a fixed place may not take the stack's.
static long check_place(const struct program *program, uint64_t stack_top, struct text *why) {
    const struct elf_image *image = &program->image;
    uint64_t stack = stack_top - LEAST_GAP;
    if (image->type != ET_EXEC || image->high <= stack) return 0;
    text_add(why, "%s: is linked to reach %#llx, where the stack is (from %#llx); link it lower", program->path,
             (unsigned long long)image->high, (unsigned long long)stack);
    return -ENOMEM;
}

static uint64_t program_hint(const struct program *program) {
    return program->interpreter.fd >= 0 ? (MEM_TOP / 3 * 2 & ~(MEM_PAGE - 1)) + random_pages(SPREAD) : 0;
}

// A static position-independent program lies among the mappings, where a break could not grow.
static uint64_t break_start(const struct program *program) {
    bool among_mappings = program->image.type == ET_DYN && program->interpreter.fd < 0;
    uint64_t start = among_mappings ? MEM_TOP / 3 * 2 : program->image.high + program->image.bias;
    return ((start + MEM_PAGE - 1) & ~(MEM_PAGE - 1)) + random_pages(SPREAD);
}

static long map_vdso(struct text *why) {
    uint64_t size = (guest_abi->vdso_size + MEM_PAGE - 1) & ~(MEM_PAGE - 1);
    long at = mem_map(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, MEM_VDSO);
    long result = at < 0 ? at : mem_copy_out((uint64_t)at, guest_abi->vdso, guest_abi->vdso_size);
    if (!result) result = mem_protect((uint64_t)at, size, PROT_READ | PROT_EXEC);
    if (result) return text_add(why, "there is no room for the guest's vDSO"), result;
    process.vdso = (uint64_t)at;
    process.vdso_sigreturn = process.vdso + guest_abi->vdso_sigreturn;
    return 0;
}

static void fill_process(const struct program *program) {
    const struct elf_image *image = &program->image;
    uint64_t bias = image->bias;
    process.entry = image->entry + bias;
    process.base = image->low + bias;
    process.program_headers = image->headers_at ? image->headers_at + bias : 0;
    process.program_header_count = image->count;
    process.interpreter_base = program->interpreter.fd >= 0 ? program->interpreter.low + program->interpreter.bias : 0;
    process.code_start = image->code_start + bias;
    process.code_end = image->code_end + bias;
    process.data_start = image->data_start + bias;
    process.data_end = image->data_end + bias;
    process.secure = getauxval(AT_SECURE);
    strncpy(process.name_as_run, program->name_as_run, sizeof process.name_as_run - 1);
    char link[40];
    struct text text = TEXT_ON(link);
    text_add(&text, "/proc/self/fd/%d", image->fd);
    long length = host_call(readlinkat, AT_FDCWD, link, process.exe, sizeof process.exe - 1);
    if (length <= 0) strncpy(process.exe, program->path, sizeof process.exe - 1);
    else process.exe[length] = 0;
}

static const char *last_component(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// The kernel then shows the guest's arguments in /proc/PID/cmdline and the like, to everyone. Not all kernels allow it
// (CONFIG_CHECKPOINT_RESTORE); proc.c makes up for it where they do not. The break stays ours: it is the runner's own.
static void tell_kernel(void) {
    uint64_t brk = (uint64_t)host_call(brk, 0), auxv[64];
    struct prctl_mm_map map = {.start_code = process.code_start,
                               .end_code = process.code_end,
                               .start_data = process.data_start,
                               .end_data = process.data_end,
                               .start_brk = brk,
                               .brk = brk,
                               .start_stack = process.stack_start,
                               .arg_start = process.arg_start,
                               .arg_end = process.arg_end,
                               .env_start = process.env_start,
                               .env_end = process.env_end,
                               .auxv = (void *)auxv,
                               .auxv_size = (uint32_t)(process.auxv_end - process.auxv_start),
                               .exe_fd = (uint32_t)-1};
    host_call(prctl, PR_SET_NAME, last_component(process.name_as_run));
    if (map.auxv_size > sizeof auxv || mem_copy_in(auxv, process.auxv_start, map.auxv_size)) return;
    program_known_to_kernel = host_call(prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) == 0;
}

static long load(struct program *program, char *const envp[], uint64_t *stack, struct text *why) {
    uint64_t stack_top = MEM_TOP - MEM_PAGE - random_pages(SPREAD);
    mem_set_top(mappings_top(stack_top));
    long result = check_place(program, stack_top, why);
    if (!result) result = load_image(program->path, &program->image, program_hint(program), why);
    if (!result && program->interpreter.fd >= 0) result = load_image(program->image.interpreter, &program->interpreter, 0, why);
    if (!result) result = map_vdso(why);
    if (result) return result;
    fill_process(program);
    process.brk_start = break_start(program);
    mem_brk_init(process.brk_start);
    long got = stack_build(program, envp, stack_top, why);
    if (got < 0) return got;
    *stack = (uint64_t)got;
    tell_kernel();
    return 0;
}

// ---- the whole

static long check_sysroot(struct text *why) {
    struct stat stat;
    if (!options.sysroot) return 0;
    long result = host_call(newfstatat, AT_FDCWD, options.sysroot, &stat, 0);
    if (!result && S_ISDIR(stat.st_mode)) return 0;
    const char *text = result ? strerrordesc_np((int)-result) : "not a directory";
    text_add(why, "-L %s: %s; name the root directory of a %s system", options.sysroot, text ? text : "cannot be used",
             guest_abi->uname_machine);
    return result ? result : -ENOTDIR;
}

static void set_registers(struct cpu *cpu, const struct program *program, uint64_t stack) {
    memset(cpu->slot, 0, sizeof cpu->slot);
    guest_abi->registers_begin(cpu);
    cpu->slot[guest_abi->stack_slot] = stack;
    cpu->pc = process.entry;
    if (program->interpreter.fd >= 0) cpu->pc = program->interpreter.entry + program->interpreter.bias;
}

int program_load(struct cpu *cpu, const char *path, int argc, char *const argv[], char *const envp[]) {
    static char *const no_arguments[] = {"", NULL};  // as kernels since 5.18 have it
    struct arena arena = {0};
    struct program program = {.image.fd = -1, .interpreter.fd = -1};
    char buffer[1024];
    struct text why = TEXT_ON(buffer);
    uint64_t stack = 0;
    long result = check_sysroot(&why);
    if (!result) result = program_open(&arena, path, argc ? argv : no_arguments, &program, &why);
    if (!result) result = load(&program, envp, &stack, &why);
    if (!result) set_registers(cpu, &program, stack);
    else error_say("%s", buffer);
    program_close(&program);
    arena_free(&arena);
    return result == -ENOENT ? NOT_FOUND : result ? NOT_RUNNABLE : 0;
}
