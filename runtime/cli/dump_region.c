// `ferry dump llvm|asm`: asks the compiler program what it makes of a guest function, with a request of the kind that runtime/optimise.c makes, but
// without a guest that runs: blocks come from the file.
#include "runtime/base/arena.h"
#include "runtime/base/io.h"
#include "runtime/cli/cli.h"
#include "runtime/cli/dump.h"
#include "runtime/compiler.h"
#include "runtime/mem.h"
#include "translator/interp/interp.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FETCH_BYTES = 512 };  // as in runtime/code.c

struct gathering {
    const struct dump *dump;
    const struct dump_range *code;
    struct channel_request *request;
    struct ir_block ir;
    bool calls[CHANNEL_BLOCKS];  // whether, by block
    bool follow[CHANNEL_EXITS], followed[CHANNEL_EXITS];  // by exit
    bool cut;  // for want of room
};

// ---- gathering blocks

static int find_block(const struct channel_request *r, uint64_t pc) {
    for (unsigned i = 0; i < r->blocks; i++) {
        if (r->block[i].pc == pc) return (int)i;
    }
    return -1;
}

// What is called is no part of the function.
static void add_exit(struct gathering *g, uint64_t pc, bool follow) {
    struct channel_request *r = g->request;
    unsigned i = 0;
    while (i < r->exits && r->exit[i] != pc) i++;
    if (i == r->exits) r->exit[r->exits++] = pc;
    g->follow[i] |= follow;
}

// The block at `pc`, as the runner would make it, or NULL.
static struct block *make_block(struct gathering *g, const uint8_t *bytes, uint64_t available, uint64_t pc) {
    uint64_t size = available < FETCH_BYTES ? available : FETCH_BYTES;
    for (unsigned limit = GUEST_BLOCK_INSTRUCTIONS; limit; limit /= 2) {
        guest_lift_block(&guest_riscv64, bytes, size, pc, 0, g->dump->features, limit, &g->ir);
        struct block *block = g->ir.count ? interp_block_build(&cli_arena, &g->ir, pc, 0) : NULL;
        if (block || !g->ir.count) return block;
    }
    return NULL;
}

// Calls leave the address behind them in a register.
static bool is_call(const struct ir_block *ir) {
    bool calls = false;
    for (unsigned i = 0; i < ir->count; i++)
        calls |= uop_info[ir->uop[i].code].format == UOP_FORMAT_LINK && ir->uop[i].imm == ir->bytes;
    return calls;
}

static bool has_room(const struct channel_request *r, const struct block *block) {
    return r->blocks < CHANNEL_BLOCKS && r->bytes + block->bytes <= CHANNEL_BYTES && r->exits + block->exits + 1 <= CHANNEL_EXITS;
}

static void add_exits(struct gathering *g, const struct block *block, bool calls) {
    bool direct = uop_info[g->ir.uop[g->ir.count - 1].code].format == UOP_FORMAT_JUMP;
    for (unsigned i = 0; i < block->exits; i++) {
        bool callee = calls && direct && i + 1 == block->exits;
        add_exit(g, block->exit[i].pc, !callee);
    }
    if (calls) add_exit(g, block->pc + block->bytes, true);
}

// Adds the block at `pc` if it is in the code and new.
static void add_block(struct gathering *g, uint64_t pc) {
    struct channel_request *r = g->request;
    uint64_t offset = pc - g->code->start;
    if (offset >= g->code->size || find_block(r, pc) >= 0) return;
    const uint8_t *bytes = g->code->bytes + offset;
    struct block *block = make_block(g, bytes, g->code->size - offset, pc);
    if (block && !has_room(r, block)) g->cut = true;
    if (!block || !has_room(r, block)) return;
    g->calls[r->blocks] = is_call(&g->ir);
    add_exits(g, block, g->calls[r->blocks]);
    r->block[r->blocks++] = (struct channel_block){.pc = pc, .at = (uint16_t)r->bytes, .bytes = (uint16_t)block->bytes};
    memcpy(r->byte + r->bytes, bytes, block->bytes);
    r->bytes += block->bytes;
}

static void gather(struct gathering *g, uint64_t entry) {
    struct channel_request *r = g->request;
    add_block(g, entry);
    for (bool news = true; news;) {
        news = false;
        for (unsigned i = 0; i < r->exits; i++) {
            if (!g->follow[i] || g->followed[i]) continue;
            g->followed[i] = news = true;
            add_block(g, r->exit[i]);
        }
    }
    r->exact = setting_on(OPTION_exact);
    r->block[0].entry = 1;
    for (unsigned i = 0; i < r->blocks; i++) {
        int behind = g->calls[i] ? find_block(r, r->block[i].pc + r->block[i].bytes) : -1;
        if (behind >= 0) r->block[behind].entry = 1;
    }
}

// ---- asking

// The program's process: the request is its standard input, and it prints to our standard output.
static void become_program(const char *path, int input, const char *what) {
    if (dup2(input, 0) == 0) execl(path, "ferry-compiler", "--dump", what, (char *)NULL);
    error_say("cannot run %s: %s", path, strerror(errno));
    _exit(EXIT_CANNOT_RUN);
}

static int wait_for(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    bool died = WIFSIGNALED(status) && WTERMSIG(status) != SIGPIPE;  // nobody reads what it prints
    if (died) error_say("ferry-compiler died of signal %d; that is a bug", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

static int ask(const char *path, const struct channel *channel, const char *what) {
    int ends[2];
    if (fflush(stdout)) return EXIT_FAILED;
    pid_t pid = pipe2(ends, O_CLOEXEC) ? -1 : fork();
    if (pid < 0) {
        error_say("cannot start ferry-compiler: %s", strerror(errno));
        return EXIT_FAILED;
    }
    if (!pid) become_program(path, ends[0], what);
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    io_write(ends[1], channel, sizeof *channel);  // if the program is gone it says why
    close(ends[1]);
    return wait_for(pid);
}

static void print_head(const struct gathering *g, uint64_t entry, char mark) {
    const struct channel_request *r = g->request;
    const struct dump_symbol *function = g->dump->elf ? dump_elf_function(g->dump->elf, entry) : NULL;
    printf("%c %s%s%" PRIx64 ": %u block%s, %u bytes\n", mark, function ? function->name : "", function ? ", entered at " : "",
           entry, r->blocks, r->blocks > 1 ? "s" : "", r->bytes);
    if (g->cut) printf("%c too large for one region: the blocks nearest to where it is entered\n", mark);
}

static int show(struct dump *dump, const struct dump_range *code, uint64_t entry, const char *what, char mark) {
    char path[PATH_MAX];
    if (!compiler_program(path, sizeof path)) {
        error_say(
            "there is no ferry-compiler beside this program; llvm and asm need it (it is built where LLVM 19 or later is installed)");
        return EXIT_NOT_FOUND;
    }
    struct channel *channel = pages_take(sizeof *channel);
    struct gathering g = {.dump = dump, .code = code, .request = &channel->request[0]};
    int status = EXIT_FAILED;
    compiler_describe(channel, &guest_riscv64, dump->features);
    gather(&g, entry);
    if (g.request->blocks) {
        print_head(&g, entry, mark);
        status = ask(path, channel, what);
    } else {
        error_say("there is no whole instruction at 0x%" PRIx64, entry);
    }
    pages_give(channel, sizeof *channel);
    return status;
}

int dump_llvm(struct dump *dump, const struct dump_range *code, uint64_t entry) {
    return show(dump, code, entry, setting_on(OPTION_optimised) ? "optimised" : "llvm", ';');
}

int dump_asm(struct dump *dump, const struct dump_range *code, uint64_t entry) {
    return show(dump, code, entry, "asm", '#');
}
