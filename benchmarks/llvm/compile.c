// What LLVM's tier costs: a request of the runner's to code in the arena, per guest instruction, as the compiler program does it.
#include "aot/compile.h"
#include "benchmarks/shim.h"
#include "runtime/base/error.h"
#include "translator/guest/guest.h"
#include <string.h>
#include <sys/mman.h>

enum { PC = 0x10000, ARENA_BYTES = 512 << 20 };

static struct channel channel;
static struct compiler *compiler;

// a5 += mixed words of an array at s0 that ends at s1.
static const uint32_t body[] = {
    0x00043783,  // ld a5, 0(s0)
    0x00842703,  // lw a4, 8(s0)
    0x00e787b3,  // add a5, a5, a4
    0x0ff7f713,  // andi a4, a5, 255
    0x00070863,  // beqz a4, 16: to the addi
    0x00271713,  // slli a4, a4, 2
    0x00e7c7b3,  // xor a5, a5, a4
    0x00f43023,  // sd a5, 0(s0)
    0x00840413,  // addi s0, s0, 8
};
enum { BODY = sizeof body / sizeof *body, JOIN = BODY - 1 };

// bne s0, s1 over `distance` bytes (unprivileged manual, B format)
static uint32_t bne(int distance) {
    uint32_t d = (uint32_t)distance;
    return (d >> 12 & 1) << 31 | (d >> 5 & 0x3f) << 25 | 9u << 20 | 8u << 15 | 1u << 12 | (d >> 1 & 15) << 8 | (d >> 11 & 1) << 7 |
           0x63;
}

static void add_block(struct channel_request *request, unsigned first, unsigned end) {
    request->block[request->blocks++] = (struct channel_block){
        .pc = PC + 4 * first, .at = (uint16_t)(4 * first), .bytes = (uint16_t)(4 * (end - first)), .entry = first == 0};
    request->exit[request->exits++] = PC + 4 * first;
}

// A loop with the body in it so many times.
static void make_request(struct channel_request *request, unsigned times, bool exact) {
    *request = (struct channel_request){.id = 1, .exact = exact};
    unsigned last = times * BODY;
    for (unsigned i = 0; i < times; i++) memcpy(request->byte + i * sizeof body, body, sizeof body);
    uint32_t back = bne(-4 * (int)last);
    memcpy(request->byte + 4 * last, &back, sizeof back);
    request->bytes = 4 * (last + 1);
    for (unsigned i = 0; i < times; i++) {
        unsigned end = (i + 1) * BODY + (i + 1 == times);
        add_block(request, i * BODY, end);
        add_block(request, i * BODY + JOIN, end);
    }
    request->exit[request->exits++] = PC + request->bytes;
}

struct shape {
    const char *name;
    unsigned times;
    bool exact;
};

static const struct shape shapes[] = {
    {"llvm/loop", 1, false},
    {"llvm/loop_exact", 1, true},
    {"llvm/large_loop", 16, false},
    {"llvm/large_loop_exact", 16, true},
};

static void bench_compile(struct bench *bench, const void *data) {
    const struct shape *shape = data;
    static struct channel_request request;
    static struct channel_result result;
    make_request(&request, shape->times, shape->exact);
    while (bench_next(bench)) {
        compile(compiler, &request, true, &result);
        if (result.outcome != CHANNEL_MADE) bench_fail(bench, "the loop was not compiled");
    }
    bench_items(bench, result.instructions);
}

static void begin(void) {
    const char *why = "no memory for code";
    void *arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    channel = (struct channel){.arena_bytes = ARENA_BYTES, .features = guest_riscv64.default_features};
    strncpy(channel.isa, guest_riscv64.name, sizeof channel.isa - 1);
    for (unsigned i = 0; i < CHANNEL_PINS - 1 && guest_riscv64.pins[i]; i++) channel.pins[i] = guest_riscv64.pins[i];
    compiler = arena == MAP_FAILED ? NULL : compile_begin_for(&channel, arena, &why);
    if (!compiler) error_die("cannot set LLVM up: %s", why);
}

int main(int argc, char *argv[]) {
    begin();
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++) bench_register(shapes[i].name, bench_compile, &shapes[i]);
    return bench_main(argc, argv);
}
