// The compiler program's part that turns requests into code or into text of it, with requests of all kinds: well-formed ones, and what a runner gone mad may write.
#include "tests/tools/cmocka.h"
#include "aot/compile.h"
#include "aot/dump.h"
#include "translator/guest/guest.h"
#include "translator/llvm/jit.h"
#include <llvm-c/DebugInfo.h>
#include <llvm/Config/llvm-config.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ARENA_BYTES = 8 << 20, MUTATIONS = 400, PC = 0x10000 };

static struct channel channel;
static struct compiler *compiler;
static uint8_t *arena;
static struct channel_request request;
static struct channel_result result;

// A block of these instructions at `pc`.
static void add_block(uint64_t pc, const uint32_t *words, unsigned count, bool entry) {
    request.block[request.blocks++] =
        (struct channel_block){.pc = pc, .at = (uint16_t)request.bytes, .bytes = (uint16_t)(4 * count), .entry = entry};
    memcpy(request.byte + request.bytes, words, 4 * (size_t)count);
    request.bytes += 4 * count;
}

// for (; a0; a0--) { a1 += *(long *)sp; f0 = f0 * f1 + f0; }
static void make_request(void) {
    static const uint32_t loop[] = {
        0x00013283,  // ld t0, 0(sp)
        0x005585b3,  // add a1, a1, t0
        0x02107043,  // fmadd.d f0, f0, f1, f0
        0xfff50513,  // addi a0, a0, -1
        0xfe0518e3,  // bnez a0, -16
    };
    memset(&request, 0, sizeof request);
    request.id = 1;
    add_block(PC, loop, sizeof loop / sizeof *loop, true);
    request.exit[request.exits++] = PC;
    request.exit[request.exits++] = PC + sizeof loop;
}

static bool is_inside(uint32_t at) {
    return at < result.bytes && result.at + result.bytes <= ARENA_BYTES;
}

static void test_loop(void **state) {
    (void)state;
    for (unsigned exact = 0; exact < 2; exact++) {
        make_request();
        request.exact = exact;
        compile(compiler, &request, false, &result);
        assert_int_equal(result.outcome, CHANNEL_MADE);
        assert_int_equal(result.instructions, 5);
        assert_true(is_inside(result.entry[0]));
    }
}

// Stands before the library's, so that it may be another one.
static unsigned other_patch;
void LLVMGetVersion(unsigned *major, unsigned *minor, unsigned *patch) {
    *major = LLVM_VERSION_MAJOR;
    *minor = LLVM_VERSION_MINOR;
    *patch = LLVM_VERSION_PATCH + other_patch;
}

static void test_another_llvm(void **state) {
    (void)state;
    assert_true(jit_is_as_built());
    other_patch = 1;
    assert_false(jit_is_as_built());
    other_patch = 0;
}

static void test_refused(void **state) {
    (void)state;
    make_request();
    request.blocks = 0;
    compile(compiler, &request, false, &result);
    assert_int_equal(result.outcome, CHANNEL_FAILED);
    make_request();
    request.block[0].entry = 0;
    compile(compiler, &request, false, &result);
    assert_int_equal(result.outcome, CHANNEL_FAILED);
    make_request();
    request.exits = 1;  // one is missing
    compile(compiler, &request, false, &result);
    assert_int_equal(result.outcome, CHANNEL_FAILED);
    make_request();
    request.block[0].at = CHANNEL_BYTES;
    compile(compiler, &request, false, &result);
    assert_int_equal(result.outcome, CHANNEL_FAILED);
}

// for (;;) { a5 += 4; goto *a5; there: a1++; }, with ways from the first block to both.
static void make_ways(void) {
    static const uint32_t jumps[] = {0x00478793, 0x00078067};  // addi a5, a5, 4; jr a5
    static const uint32_t there[] = {0x00158593, 0xff5ff06f};  // addi a1, a1, 1; j -12
    memset(&request, 0, sizeof request);
    request.id = 1;
    add_block(PC, jumps, 2, true);
    add_block(PC + 8, there, 2, false);
    request.exit[request.exits++] = PC;
    request.exit[request.exits++] = PC + 8;
    request.way[request.ways++] = (struct channel_way){0, 0};
    request.way[request.ways++] = (struct channel_way){0, 1};
}

static void test_ways(void **state) {
    (void)state;
    make_ways();
    compile(compiler, &request, false, &result);
    assert_int_equal(result.outcome, CHANNEL_MADE);
    while (request.ways < CHANNEL_WAYS) request.way[request.ways++] = (struct channel_way){0, 1};  // again and again
    compile(compiler, &request, false, &result);
    assert_int_equal(result.outcome, CHANNEL_MADE);
    request.ways++;
    compile(compiler, &request, false, &result);
    assert_int_equal(result.outcome, CHANNEL_FAILED);
    make_ways();
    request.way[1].to = 2;
    compile(compiler, &request, false, &result);
    assert_int_equal(result.outcome, CHANNEL_FAILED);
    make_ways();
    request.exit[1] = PC + 4;  // the way back is missing only where it is needed
    compile(compiler, &request, false, &result);
    assert_int_equal(result.outcome, CHANNEL_MADE);
}

// Two blocks of modules that lie that far apart, and go to each other: `goto *a5` each.
static void make_modules(uint64_t first, uint64_t second) {
    static const uint32_t jumps[] = {0x00478793, 0x00078067};  // addi a5, a5, 4; jr a5
    memset(&request, 0, sizeof request);
    request.id = 1;
    add_block(first, jumps, 2, true);
    add_block(second, jumps, 2, false);
    request.block[1].module = 1;
    request.exit[request.exits++] = first;
    request.exit[request.exits++] = second;
    request.way[request.ways++] = (struct channel_way){0, 1};
    request.way[request.ways++] = (struct channel_way){1, 0};
}

// The same request makes the same bytes, wherever its modules are and whatever was in the memory before.
static void test_same_again(void **state) {
    (void)state;
    static uint8_t first[ARENA_BYTES];
    static const uint64_t places[][2] = {{0x10000, 0x5000000000}, {0x5000000000, 0x10000}, {0x4000002000, 0x4000001000}};
    struct channel_result made = {0};
    for (unsigned i = 0; i < 3; i++) {
        memset(arena, (int)(0x11 * i), ARENA_BYTES);
        make_modules(places[i][0], places[i][1]);
        compile(compiler, &request, true, &result);
        assert_int_equal(result.outcome, CHANNEL_MADE);
        if (!i) made = result;
        if (!i) memcpy(first, arena, sizeof first);
        assert_true(result.bytes == made.bytes && result.holes == made.holes && result.holes_at == made.holes_at);
        assert_int_equal(result.at, made.at);
        assert_memory_equal(arena + result.at, first + made.at, made.bytes);
    }
}

static uint32_t next_random(void) {
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(state >> 33);
}

static void mutate(bool blocks_only) {
    size_t reach = blocks_only ? offsetof(struct channel_request, exit) : offsetof(struct channel_request, byte);
    for (unsigned i = next_random() % 8 + 1; i > 0; i--) ((uint8_t *)&request)[next_random() % reach] = (uint8_t)next_random();
    for (unsigned i = next_random() % 8 + 1; i > 0; i--) request.byte[next_random() % 24] = (uint8_t)next_random();
}

// Anything may come out, but no crash, and nothing outside of the arena.
static void test_nonsense(void **state) {
    (void)state;
    for (unsigned n = 0; n < MUTATIONS; n++) {
        if (n % 4 < 2) make_request();
        else make_ways();
        mutate(n % 2);
        compile(compiler, &request, false, &result);
        for (unsigned i = 0; result.outcome == CHANNEL_MADE && i < request.blocks; i++) {
            if (request.block[i].entry) assert_true(is_inside(result.entry[i]));
        }
    }
}

// The first request of the channel as text, on the heap, or NULL.
static char *dump(const char *what) {
    char *text = NULL;
    size_t size;
    const char *why;
    FILE *out = open_memstream(&text, &size);
    bool fine = dump_print(out, compiler, &channel, what, &why);
    fclose(out);
    if (fine) return text;
    free(text);
    return NULL;
}

static void test_dump(void **state) {
    (void)state;
    static const struct {
        const char *what, *comment, *code;
    } kinds[] = {{"llvm", "; 10008: fmadd.d", "alloca double"},
                 {"optimised", "; 10008: fmadd.d", "phi double"},
                 {"asm", "# 10008: fmadd.d", "Loop Header"}};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        make_request();
        channel.request[0] = request;
        char *text = dump(kinds[i].what);
        assert_non_null(text);
        assert_non_null(strstr(text, "entry0"));
        assert_non_null(strstr(text, kinds[i].comment));
        assert_non_null(strstr(text, kinds[i].code));
        free(text);
    }
    assert_null(dump("machine"));
    channel.request[0].exits = 1;
    assert_null(dump("asm"));
}

// LLVM IR after the passes, without debug locations.
static char *optimised(bool lines) {
    struct jit *jit;
    make_request();
    LLVMModuleRef module = compile_module(compiler, &request, lines, &jit);
    assert_non_null(module);
    assert_true(jit_optimise(jit));
    assert_int_equal(LLVMStripModuleDebugInfo(module), lines);
    char *text = LLVMPrintModuleToString(module);
    jit_drop(jit);
    return text;
}

static void test_lines_change_nothing(void **state) {
    (void)state;
    char *with = optimised(true), *without = optimised(false);
    assert_string_equal(with, without);
    LLVMDisposeMessage(with);
    LLVMDisposeMessage(without);
}

static void test_dump_of_nonsense(void **state) {
    (void)state;
    for (unsigned n = 0; n < MUTATIONS; n++) {
        make_request();
        mutate(n % 2);
        channel.request[0] = request;
        free(dump(n % 4 < 2 ? "optimised" : "asm"));
    }
}

static int set_up(void **state) {
    (void)state;
    void *mapped = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const char *why = "";
    channel.arena_bytes = ARENA_BYTES;
    channel.features = guest_riscv64.default_features;
    strcpy(channel.isa, "riscv64");
    for (unsigned i = 0; guest_riscv64.pins[i]; i++) channel.pins[i] = guest_riscv64.pins[i];
    arena = mapped;
    compiler = mapped == MAP_FAILED ? NULL : compile_begin_for(&channel, arena, &why);
    if (!compiler) print_error("%s\n", why);
    return compiler ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_loop),
                                       cmocka_unit_test(test_another_llvm),
                                       cmocka_unit_test(test_same_again),
                                       cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_ways),
                                       cmocka_unit_test(test_nonsense),
                                       cmocka_unit_test(test_dump),
                                       cmocka_unit_test(test_lines_change_nothing),
                                       cmocka_unit_test(test_dump_of_nonsense)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
