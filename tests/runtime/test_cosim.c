// --cosim lets right native code alone and finds what is wrong in it: here a loop's native code is made as always, and then constants in it are
// changed. test_cosim: the quick tier's code; test_cosim opt: LLVM's, by the compiler program beside this one.
#include "tests/tools/cmocka.h"
#include "runtime/code.h"
#include "runtime/cosim.h"
#include "runtime/cpu_loop.h"
#include "runtime/mem.h"
#include "runtime/options.h"
#include "translator/guest/guest.h"
#include "translator/quick/quick.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CODE = 0x20000, DATA = 0x30000, PASSES = 300, A0 = 10, A1 = 11, LLVM_BYTES = 512 };
enum { STORED = 0x123, IN_T1 = 0x456, CANCELLED = 0x222 };

// mem[2] = 0x222; for (; a0; a0--) { mem[0] = 0x123; mem[1] += a0; … if (mem[2] ^ 0x222) break; }
static const uint32_t program[] = {
    0x12300293,  // li t0, 0x123
    0x0055a023,  // sw t0, 0(a1)
    0x00000293,  // li t0, 0
    0x00458e13,  // addi t3, a1, 4
    0x00ae202f,  // amoadd.w zero, a0, (t3)
    0x45600313,  // li t1, 0x456
    0x0085a383,  // lw t2, 8(a1)
    0x2223c393,  // xori t2, t2, 0x222
    0x00039663,  // bnez t2, out
    0xfff50513,  // addi a0, a0, -1
    0xfc051ce3,  // bnez a0, loop
    0x00000073,  // out: ecall
};

static void on_fault(struct cpu *cpu) {
    (void)cpu;
    abort();
}

static void on_interrupt(struct cpu *cpu) {
    cpu->pending = 0;
}

static void run(void) {
    static const struct cpu_hooks hooks = {.syscall = cpu_stop, .fault = on_fault, .interrupt = on_interrupt};
    struct cpu *cpu = cpu_new(&hooks);
    memcpy((void *)DATA, (const int32_t[]){0, 0, CANCELLED}, 12);
    cpu->pc = CODE;
    cpu->slot[A0] = PASSES;
    cpu->slot[A1] = DATA;
    cpu_loop(cpu);
    cpu_free(cpu);
}

// The loop's code in the tier under test, and how far it goes at most.
static const uint8_t *code_of_loop(size_t *bytes) {
    struct cpu *cpu = cpu_new(NULL);
    cpu->pc = CODE;
    const struct block *block = threaded_of(code_resolve(cpu))->about->block;
    cpu_free(cpu);
    if (options.tier == TIER_QUICK) return *bytes = block->unit->bytes, block->unit->code;
    *bytes = LLVM_BYTES;
    return block->optimised;
}

static bool change_one(const uint8_t *code, size_t bytes, int32_t from, int32_t to) {
    uint8_t *at = memmem(code, bytes, &from, sizeof from);
    if (!at) return false;
    uintptr_t page = (uintptr_t)at & ~(uintptr_t)4095;
    assert_int_equal(mprotect((void *)page, 2 * 4096, PROT_READ | PROT_WRITE), 0);
    memcpy(at, &to, sizeof to);
    assert_int_equal(mprotect((void *)page, 2 * 4096, PROT_READ | PROT_EXEC), 0);
    return true;
}

static void change_constant(int32_t from, int32_t to) {
    size_t bytes;
    const uint8_t *code = code_of_loop(&bytes);
    assert_true(change_one(code, bytes, from, to));
    while (from != to && change_one(code, bytes, from, to)) {}  // LLVM may have one for a result and one for a branch
}

// What a run in a process of its own says with such code, and its exit status.
static int run_changed(int32_t from, int32_t to, char *said, size_t size) {
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], 2);
        change_constant(from, to);
        run();
        _exit(0);
    }
    close(ends[1]);
    ssize_t length = 0;
    for (ssize_t got; (got = read(ends[0], said + length, size - 1 - (size_t)length)) > 0;) length += got;
    said[length] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_says(const char *said, const char *text) {
    if (!strstr(said, text)) fail_msg("not said: %s\n%s", text, said);
}

static void test_right(void **state) {
    (void)state;
    const int32_t *data = (const int32_t *)DATA;
    char said[8192];
    size_t bytes;
    assert_non_null(code_of_loop(&bytes));
    assert_int_equal(data[0], STORED);
    assert_int_equal(data[1], PASSES * (PASSES + 1) / 2);  // what the interpreter did first was undone
    assert_int_equal(run_changed(IN_T1, IN_T1, said, sizeof said), 0);
    assert_string_equal(said, "");
}

static void test_register(void **state) {
    (void)state;
    char said[8192];
    assert_int_equal(run_changed(IN_T1, IN_T1 + 1, said, sizeof said), COSIM_STATUS);
    assert_says(said, options.tier == TIER_OPT ? "  tier    LLVM's" : "  tier    quick");
    assert_says(said, "  entry   0x20000");
    assert_says(said, "    t1                  0000000000000456  0000000000000457\n");
    assert_says(said, "    0x20014: addi t1, zero, 1110\n");
    assert_null(strstr(said, "byte"));
}

static void test_memory(void **state) {
    (void)state;
    char said[8192];
    assert_int_equal(run_changed(STORED, STORED + 1, said, sizeof said), COSIM_STATUS);
    assert_says(said, "    0x30000, 4 bytes    0000000000000123  0000000000000124\n");
    assert_null(strstr(said, "    t0 "));
}

static void test_way(void **state) {
    (void)state;
    char said[8192];
    assert_int_equal(run_changed(CANCELLED, CANCELLED + 1, said, sizeof said), COSIM_STATUS);
    assert_says(said, "  exit    0x2002c");
    assert_says(said, "does not come by there, but from the entry to 0x20000");
}

static int set_up(void **state) {
    (void)state;
    options.cosim = true;
    mem_init();
    code_init(&guest_riscv64, guest_riscv64.default_features);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    if (mem_map(CODE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0, MEM_PLAIN) != CODE) return -1;
    if (mem_map(DATA, 4096, PROT_READ | PROT_WRITE, flags, -1, 0, MEM_PLAIN) != DATA) return -1;
    memcpy((void *)CODE, program, sizeof program);
    run();
    return 0;
}

int main(int argc, char **argv) {
    if (!quick_available()) return 0;
    options.tier = argc > 1 && !strcmp(argv[1], "opt") ? TIER_OPT : TIER_QUICK;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_right), cmocka_unit_test(test_register), cmocka_unit_test(test_memory),
                                       cmocka_unit_test(test_way)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
