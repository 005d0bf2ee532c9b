// Runs every line of tests/insn/*.txt (the format is described at the top of each) through decoder, lift and interpreter, once
// instruction by instruction, as one block, as a block with fused sequences, and as native code of the quick tier, and compares the whole state afterwards: all registers, scratch memory,
// flags, pc and trap. Then sees to it that no row of insns.def is without a case.
#include "tests/tools/cmocka.h"
#include "runtime/base/arena.h"
#include "translator/guest/riscv64/insn_table.h"
#include "translator/guest/riscv64/vector.h"
#include "translator/interp/cells.h"
#include "translator/ir/fp.h"
#include "translator/quick/quick.h"
#include "translator/quick/sheet.h"
#ifdef FERRY_TEST_LLVM
#include "translator/llvm/jit.h"
#include "translator/llvm/region.h"
#endif
#include <dirent.h>
#include <fenv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SCRATCH = 0x20000400, SCRATCH_BYTES = 256, CODE = 0x30000800, CODE_MAX = 64, SLOTS = 64 };

struct state {
    struct cpu_vector vector;
    uint64_t slot[SLOTS], memory[SCRATCH_BYTES / 8], pc;
    uint32_t fflags, frm;
    enum trap_kind trap;
};

struct test_case {
    uint8_t code[CODE_MAX];
    unsigned bytes;
    struct state before, after;
    bool any[SLOTS];
};

static struct cpu *cpu;
static struct arena arena;
static const struct test_case *current;
static enum way { ONE_BY_ONE, AS_A_BLOCK, FUSED, QUICK, SHEET, OPTIMISED, EXACT, WAYS } way;
static enum way ways = QUICK;
static unsigned failures;
static bool covered[INSN_COUNT];
static char where[1024];

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void complain(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (failures++ < 40)
        print_error("%s\n    %s: %s\n", where,
                    (const char *[]){"one by one", "as a block", "fused", "quick", "sheet", "optimised", "exact"}[way], text);
}

// ---- reading a line

static int find_slot(const char *name) {
    for (int i = 0; i < SLOTS; i++) {
        if (strcmp(guest_riscv64.slot_name((unsigned)i), name) == 0) return i;
    }
    return -1;
}

static uint64_t read_value(const char *text) {
    uint64_t base = 0;
    if (*text == '@') base = SCRATCH, text++;
    else if (strncmp(text, "pc", 2) == 0) base = CODE, text += 2;
    const char *digits = text + (*text == '-' || *text == '+');
    uint64_t value = strtoull(digits, NULL, 0);
    return base + (*text == '-' ? -value : value);
}

static enum trap_kind read_trap(const char *name) {
    static const char *const names[] = {[TRAP_SYSCALL] = "syscall", [TRAP_BREAK] = "break", [TRAP_ILLEGAL] = "illegal",
                                        [TRAP_MEMORY] = "memory",   [TRAP_ALIGN] = "align", [TRAP_CODE_SYNC] = "sync"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i] && strcmp(names[i], name) == 0) return (enum trap_kind)i;
    }
    complain("unknown trap '%s'", name);
    return TRAP_NONE;
}

// 0x and up to 32 hexadecimal digits, the last one of element 0; or another number.
static void read_vector(uint8_t reg[CPU_VECTOR_BYTES], const char *text) {
    memset(reg, 0, CPU_VECTOR_BYTES);
    if (strncmp(text, "0x", 2) != 0) {
        uint64_t value = read_value(text);
        memcpy(reg, &value, sizeof value);
        return;
    }
    size_t digits = strspn(text + 2, "0123456789abcdef");
    for (size_t i = 0; i < digits && i < (size_t)2 * CPU_VECTOR_BYTES; i++) {
        char digit = text[2 + digits - 1 - i];
        reg[i / 2] |= (uint8_t)((digit <= '9' ? digit - '0' : digit - 'a' + 10) << 4 * (i % 2));
    }
}

static bool read_vector_setting(struct cpu_vector *vector, const char *setting, const char *value) {
    if (*setting != 'v') return false;
    if (strcmp(setting, "vl") == 0) vector->length = read_value(value);
    else if (strcmp(setting, "vtype") == 0) vector->type = read_value(value);
    else if (strcmp(setting, "vstart") == 0) vector->start = read_value(value);
    else if (strcmp(setting, "vxrm") == 0) vector->rounding = (uint32_t)read_value(value);
    else if (strcmp(setting, "vxsat") == 0) vector->saturated = (uint32_t)read_value(value);
    else if (strspn(setting + 1, "0123456789") == strlen(setting + 1) && strtoul(setting + 1, NULL, 10) < CPU_VECTORS)
        read_vector(vector->reg[strtoul(setting + 1, NULL, 10)], value);
    else return false;
    return true;
}

static void read_setting(struct test_case *test, struct state *state, char *setting) {
    char *value = strchr(setting, '=');
    if (!value) {
        complain("'%s' has no value", setting);
        return;
    }
    *value++ = 0;
    int slot = find_slot(setting);
    if (read_vector_setting(&state->vector, setting, value)) return;
    if (slot >= 0 && *value == '?') test->any[slot] = true;
    else if (slot >= 0) state->slot[slot] = read_value(value);
    else if (strncmp(setting, "mem[", 4) == 0)
        state->memory[strtoul(setting + 4, NULL, 10) / 8 % (SCRATCH_BYTES / 8)] = read_value(value);
    else if (strcmp(setting, "mem") == 0 && strcmp(value, "rising") == 0)
        for (unsigned i = 0; i < SCRATCH_BYTES; i++) ((uint8_t *)state->memory)[i] = (uint8_t)i;
    else if (strcmp(setting, "fflags") == 0) state->fflags = (uint32_t)read_value(value);
    else if (strcmp(setting, "frm") == 0) state->frm = (uint32_t)read_value(value);
    else if (strcmp(setting, "pc") == 0) state->pc = CODE + read_value(value);
    else if (strcmp(setting, "trap") == 0) state->trap = read_trap(value);
    else complain("unknown setting '%s'", setting);
}

static void read_settings(struct test_case *test, struct state *state, char *text) {
    for (char *save = NULL, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
        read_setting(test, state, word);
}

static void read_code(struct test_case *test, const char *text) {
    for (;;) {
        size_t digits = strspn(text, "0123456789abcdef");
        if ((digits != 4 && digits != 8) || (text[digits] != ' ' && text[digits]) || test->bytes + 4 > CODE_MAX) return;
        uint32_t word = (uint32_t)strtoul(text, NULL, 16);
        memcpy(test->code + test->bytes, &word, digits / 2);
        test->bytes += (unsigned)digits / 2;
        text += digits + (text[digits] == ' ');
    }
}

static bool read_case(char *line, struct test_case *test) {
    char *before = strchr(line, '|'), *after = before ? strchr(before + 1, '|') : NULL;
    if (!after) return false;
    *before++ = *after++ = 0;
    *test = (struct test_case){.before.vector.type = UINT64_C(1) << VTYPE_VILL_BIT};
    read_code(test, line);
    read_settings(test, &test->before, before);
    test->after = test->before;
    test->after.pc = 0;
    read_settings(test, &test->after, after);
    enum trap_kind trap = test->after.trap;
    bool behind = trap == TRAP_NONE || trap == TRAP_SYSCALL || trap == TRAP_CODE_SYNC;
    if (!test->after.pc) test->after.pc = CODE + (behind ? test->bytes : 0);
    return test->bytes > 0;
}

// ---- running it

enum { NATIVE_BYTES = 1 << 16 };
static uint8_t *native_code;
static size_t native_start;  // behind the stubs

static void set_up_native(void) {
    native_code = mmap(NULL, NATIVE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(native_code, MAP_FAILED);
    native_start = quick_make_stubs(native_code, (uintptr_t)native_code, guest_riscv64.pins);
    sheet_begin(&guest_riscv64, RV_ALL);
    quick_hot_passes = 0;  // as elsewhere here: no unit counts
}

static void make_native(struct block *block) {
    mprotect(native_code, NATIVE_BYTES, PROT_READ | PROT_WRITE);
    uint8_t *at = native_code + native_start;
    struct quick_unit *unit = quick_emit(&arena, &block, 1, at, NATIVE_BYTES - native_start, (uintptr_t)at, NULL);
    mprotect(native_code, NATIVE_BYTES, PROT_READ | PROT_EXEC);
    if (unit) quick_install(unit);
    else complain("there is no native code");
}

// A sheet of this block alone, in place of the block.
static struct block *make_sheet(const struct block *block, const uint8_t *code) {
    static struct sheet sheet;
    uint32_t at = (uint32_t)(block->pc % SHEET_PAGE);
    const struct sheet_source source = {.at = (uint16_t)at, .bytes = (uint16_t)block->bytes, .byte = code};
    if (!sheet_make(0, block->mode, &source, 1, &sheet)) {
        complain("no sheet");
        return NULL;
    }
    struct quick_exit *exit = arena_alloc(&arena, sheet.image.exits * sizeof *exit + 1, 8), *exits[INTERP_MAX_CELLS];
    const uint8_t **word = arena_alloc(&arena, sheet.image.exits * sizeof *word + 1, 8);
    for (unsigned i = 0; i < sheet.image.exits; i++) {
        quick_exit_init(&exit[i], block->pc - at + (uint64_t)sheet.exit[i].pc);
        exits[i] = &exit[i];
    }
    sheet.passes = arena_alloc(&arena, sizeof *sheet.passes, 4);
    *sheet.passes = INT32_MAX;
    uint8_t *to = native_code + ((native_start + IMAGE_ALIGN - 1) & ~(size_t)(IMAGE_ALIGN - 1));
    mprotect(native_code, NATIVE_BYTES, PROT_READ | PROT_WRITE);
    memcpy(to, sheet.code, sheet.image.bytes);
    bool filled = sheet_fill(&sheet, block->pc - at, to, (uintptr_t)to, exits, word);
    mprotect(native_code, NATIVE_BYTES, PROT_READ | PROT_EXEC);
    if (!filled) complain("the sheet cannot be filled");
    return interp_block_bare(&arena, block->pc, block->bytes, block->mode, to + sheet.block[0].entry);
}

#ifdef FERRY_TEST_LLVM
static struct jit *jit;
static struct jit_unit *jit_unit;
static struct jit_memory jit_memory;
static struct quick_exit *own_exit;  // not far from the code
static uint64_t exit_pc[INTERP_MAX_CELLS];

static void fill_exits(const struct block *block) {
    own_exit = arena_alloc(&arena, block->exits * sizeof *own_exit + 1, 8);
    for (unsigned i = 0; i < block->exits; i++) {
        exit_pc[i] = block->exit[i].pc;
        quick_exit_init(&own_exit[i], exit_pc[i]);
    }
}

static uint32_t place_of(const char *name) {
    uint64_t address = jit_address(jit_unit, name);
    return address ? (uint32_t)(address - (uintptr_t)jit_memory.start) : 0;
}

// The code that was made, behind the stubs; or NULL.
static uint8_t *install(const struct region_holes *holes, unsigned exits) {
    uint8_t *to = native_code + ((native_start + IMAGE_ALIGN - 1) & ~(size_t)(IMAGE_ALIGN - 1));
    char name[REGION_NAME_BYTES];
    region_entry_name(name, 0);
    uint32_t entry = place_of(name);
    const struct image image = {.holes_at = place_of("holes"),
                                .exits_at = place_of("exits"),
                                .bytes = (uint32_t)jit_memory.used,
                                .holes = holes->holes,
                                .exits = exits,
                                .hole = holes->hole};
    if (image.bytes > NATIVE_BYTES - (size_t)(to - native_code)) return NULL;
    memcpy(to, jit_memory.start, image.bytes);
    return image_fill(&image, to, (uintptr_t)to, own_exit) ? to + entry : NULL;
}

static void make_optimised(struct block *block, const struct ir_block *ir) {
    static struct region_holes holes;
    const struct region_block only = {block->pc, ir, true, 0, false};
    const struct region region = {.block = &only,
                                  .blocks = 1,
                                  .exit = exit_pc,
                                  .exits = block->exits,
                                  .mode = block->mode,
                                  .exact = way == EXACT,
                                  .pins = guest_riscv64.pins};
    if (jit_unit) jit_unit_free(jit_unit);
    jit_memory.used = 0;
    fill_exits(block);
    bool built = region_build(jit_module(jit), &region, &holes);
    if (!built) jit_drop(jit);
    jit_unit = built ? jit_compile(jit) : NULL;
    mprotect(native_code, NATIVE_BYTES, PROT_READ | PROT_WRITE);
    uint8_t *code = jit_unit ? install(&holes, block->exits) : NULL;
    mprotect(native_code, NATIVE_BYTES, PROT_READ | PROT_EXEC);
    if (!code) {
        complain("does not compile");
        return;
    }
    block->code->native = code;
    block->code->cell->handler = cell_handler_native;
}
#endif

// The code under test is all the code that there is: anywhere else the run ends.
static const struct cell *resolve(struct cpu *c) {
    static struct ir_block ir;
    uint64_t offset = c->pc - CODE;
    c->trap.kind = TRAP_NONE;
    if (offset >= current->bytes) return NULL;
    guest_riscv64.lift(current->code + offset, current->bytes - offset, c->mode, RV_ALL, way == ONE_BY_ONE ? 1 : 64, &ir);
    if (!ir.count) return NULL;
    struct block *block = interp_block_build(&arena, &ir, c->pc, c->mode);
    if (block && way == FUSED) interp_block_fuse(&arena, &arena, block);
    if (block && way == QUICK) make_native(block);
    if (block && way == SHEET) block = make_sheet(block, current->code + offset);
#ifdef FERRY_TEST_LLVM
    fenv_t guest;  // LLVM computes as well
    fegetenv(&guest);
    fesetenv(FE_DFL_ENV);
    if (block && way >= OPTIMISED) make_optimised(block, &ir);
    fesetenv(&guest);
#endif
    return block ? block->code->cell : NULL;
}

static const void *find_native(struct cpu *c) {
    (void)c;
    return NULL;
}

static bool readable(uint64_t address, uint64_t size) {
    return address >= SCRATCH && address + size <= SCRATCH + SCRATCH_BYTES;
}

static void run(const struct test_case *test, struct state *result) {
    *cpu = (struct cpu){.resolve = resolve,
                        .resolve_jump = resolve,
                        .resolve_hot = resolve,
                        .find_native = find_native,
                        .readable = readable,
                        .pc = CODE};
    cpu->vector = test->before.vector;
    riscv64_vector_reshape(cpu);
    memcpy(cpu->slot, test->before.slot, sizeof test->before.slot);
    memcpy((void *)(uintptr_t)SCRATCH, test->before.memory, SCRATCH_BYTES);
    memcpy((void *)(uintptr_t)CODE, test->code, CODE_MAX);
    fp_flags_write(cpu, test->before.fflags);
    fp_rounding_write(cpu, test->before.frm);
    for (const struct cell *code = resolve(cpu); code;) {
        interp_run(cpu, code);
        if (cpu->trap.kind != TRAP_RESUME) break;
        code = resolve(cpu);
    }
    *result = (struct state){
        .vector = cpu->vector, .pc = cpu->pc, .trap = cpu->trap.kind, .frm = cpu->fp_rounding, .fflags = fp_flags_read(cpu)};
    fp_rounding_write(cpu, FP_RNE);
    memcpy(result->slot, cpu->slot, sizeof result->slot);
    memcpy(result->memory, (void *)(uintptr_t)SCRATCH, SCRATCH_BYTES);
}

static void check_vectors(const struct cpu_vector *want, const struct cpu_vector *got) {
    for (unsigned i = 0; i < CPU_VECTORS; i++) {
        uint64_t a[2], b[2];
        memcpy(a, got->reg[i], sizeof a);
        memcpy(b, want->reg[i], sizeof b);
        if (a[0] == b[0] && a[1] == b[1]) continue;
        complain("v%u is 0x%016" PRIx64 "%016" PRIx64 ", should be 0x%016" PRIx64 "%016" PRIx64, i, a[1], a[0], b[1], b[0]);
    }
    if (got->length != want->length) complain("vl is %" PRIu64 ", should be %" PRIu64, got->length, want->length);
    if (got->type != want->type) complain("vtype is 0x%" PRIx64 ", should be 0x%" PRIx64, got->type, want->type);
    if (got->start != want->start) complain("vstart is %" PRIu64 ", should be %" PRIu64, got->start, want->start);
    if (got->rounding != want->rounding) complain("vxrm is %u, should be %u", got->rounding, want->rounding);
    if (got->saturated != want->saturated) complain("vxsat is %u, should be %u", got->saturated, want->saturated);
}

static void check(const struct test_case *test, const struct state *got) {
    const struct state *want = &test->after;
    for (unsigned i = 0; i < SLOTS; i++) {
        if (test->any[i] || got->slot[i] == want->slot[i]) continue;
        complain("%s is 0x%" PRIx64 ", should be 0x%" PRIx64, guest_riscv64.slot_name(i), got->slot[i], want->slot[i]);
    }
    for (unsigned i = 0; i < SCRATCH_BYTES / 8; i++) {
        if (got->memory[i] == want->memory[i]) continue;
        complain("mem[%u] is 0x%" PRIx64 ", should be 0x%" PRIx64, i * 8, got->memory[i], want->memory[i]);
    }
    check_vectors(&want->vector, &got->vector);
    if (got->pc != want->pc) complain("pc is 0x%" PRIx64 ", should be 0x%" PRIx64, got->pc, want->pc);
    if (got->trap != want->trap) complain("trap is %d, should be %d", (int)got->trap, (int)want->trap);
    if (got->fflags != want->fflags) complain("fflags is 0x%x, should be 0x%x", got->fflags, want->fflags);
    if (got->frm != want->frm) complain("frm is %u, should be %u", got->frm, want->frm);
}

static void note_coverage(const struct test_case *test) {
    struct insn insn;
    for (unsigned at = 0; at < test->bytes; at += insn.length) {
        if (!riscv64_decode(test->code + at, test->bytes - at, RV_ALL, &insn)) break;
        covered[insn.op] = true;
    }
}

static void run_line(char *line) {
    static struct test_case test;
    if (*line == '#' || !*line) return;
    if (!read_case(line, &test)) {
        complain("is not a case");
        return;
    }
    current = &test;
    note_coverage(&test);
    for (way = 0; way < ways; way++) {
        struct state result;
        run(&test, &result);
        check(&test, &result);
    }
    arena_free(&arena);
}

static void run_file(const char *folder, const char *name) {
    static char line[16384];
    char path[8192];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
        line[strcspn(line, "\n")] = 0;
        snprintf(where, sizeof where, "%s:%u: %.300s", name, number, line);
        run_line(line);
    }
    fclose(file);
}

// ---- the tests

static void test_files(void **state) {
    (void)state;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", __FILE__);
    char *end = strstr(folder, "translator/test_insn.c");
    assert_non_null(end);
    strcpy(end, "insn");
    DIR *files = opendir(folder);
    assert_non_null(files);
    for (struct dirent *entry; (entry = readdir(files));) {
        if (strstr(entry->d_name, ".txt")) run_file(folder, entry->d_name);
    }
    closedir(files);
    assert_int_equal(failures, 0);
}

static void test_every_instruction_has_a_case(void **state) {
    (void)state;
    unsigned missing = 0;
    for (unsigned op = 1; op < INSN_COUNT; op++) {
        if (!covered[op]) print_error("tests/insn has no case of %s\n", riscv64_insn_table[op].name), missing++;
    }
    assert_int_equal(missing, 0);
}

static void *map_at(uintptr_t address) {
    return mmap((void *)(address & ~UINT64_C(4095)), 4096, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

static int set_up(void **state) {
    (void)state;
    cpu = calloc(1, sizeof *cpu);
    if (quick_available()) {
        set_up_native();
        ways = OPTIMISED;
    }
#ifdef FERRY_TEST_LLVM
    const char *why;
    jit_memory.size = 1 << 20;
    jit_memory.start = mmap(NULL, jit_memory.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    jit = jit_new(&jit_memory, &why);
    ways = jit ? WAYS : 0;
#endif
    return cpu && map_at(SCRATCH) != MAP_FAILED && map_at(CODE) != MAP_FAILED ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    free(cpu);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files), cmocka_unit_test(test_every_instruction_has_a_case)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
