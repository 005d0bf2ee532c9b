// What --cosim says at the first difference, and how it ends then. Nothing of the guest goes on, so that this may take its time.
#include "runtime/cosim_report.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/code.h"
#include "runtime/cosim.h"
#include "runtime/options.h"
#include "runtime/perfmap.h"
#include "runtime/stats.h"
#include "translator/interp/interp.h"
#include <fcntl.h>
#include <string.h>

enum { MOST_STORES = 32, MOST_INSTRUCTIONS = 200, MOST_PLACES = 16 };

static const char *trap_name(enum trap_kind kind) {
    switch (kind) {
    case TRAP_SYSCALL: return ", a system call";
    case TRAP_BREAK: return ", a breakpoint";
    case TRAP_ILLEGAL: return ", an illegal instruction";
    case TRAP_MEMORY: return ", a fault";
    case TRAP_ALIGN: return ", a misaligned atomic access";
    case TRAP_FETCH: return ", no code";
    default: return "";
    }
}

static void add_place(struct text *text, const char *label, const struct cosim_state *state) {
    text_add(text, "  %-8s%#llx%s  ", label, (unsigned long long)state->pc, trap_name(state->trap));
    if (perfmap_describe) perfmap_describe(text, state->pc);
    text_add(text, "\n");
}

static void add_value(struct text *text, const char *name, uint64_t interpreter, uint64_t native) {
    if (interpreter == native) return;
    text_add(text, "    %-20s%016llx  %016llx\n", name, (unsigned long long)interpreter, (unsigned long long)native);
}

static void add_vectors(struct text *text, const struct cpu_vector *expected, const struct cpu_vector *left) {
    add_value(text, "vl", expected->length, left->length);
    add_value(text, "vtype", expected->type, left->type);
    add_value(text, "vstart", expected->start, left->start);
    add_value(text, "vxrm", expected->rounding, left->rounding);
    add_value(text, "vxsat", expected->saturated, left->saturated);
    for (unsigned i = 0; i < CPU_VECTORS; i++) {
        for (unsigned at = 0; at < CPU_VECTOR_BYTES; at += 8) {
            char name[32];
            uint64_t interpreter, native;
            struct text label = TEXT_ON(name);
            text_add(&label, "v%u, bytes %u to %u", i, at, at + 7);
            memcpy(&interpreter, &expected->reg[i][at], sizeof interpreter);
            memcpy(&native, &left->reg[i][at], sizeof native);
            add_value(text, name, interpreter, native);
        }
    }
}

static void add_registers(struct text *text, const struct cosim_state *expected, const struct cosim_state *left) {
    for (unsigned i = 1; i < SLOT_TEMP; i++) add_value(text, code_isa->slot_name(i), expected->slot[i], left->slot[i]);
    add_value(text, "fcsr", expected->fcsr, left->fcsr);
    add_value(text, "reserved address", expected->reserved_address, left->reserved_address);
    add_value(text, "reserved value", expected->reserved_value, left->reserved_value);
    add_vectors(text, &expected->vector, &left->vector);
}

// A place that was stored to several times is there once.
static bool is_repeated(const struct cosim_trace *trace, unsigned at) {
    for (unsigned i = 0; i < at; i++) {
        if (trace->store[i].address == trace->store[at].address && trace->store[i].size >= trace->store[at].size) return true;
    }
    return false;
}

static void add_memory(struct text *text, const struct cosim_trace *trace) {
    for (unsigned i = 0, shown = 0; i < trace->stores && shown < MOST_STORES; i++) {
        const struct cosim_store *store = &trace->store[i];
        char name[40];
        if (store->expected == store->native || is_repeated(trace, i)) continue;
        struct text place = TEXT_ON(name);
        text_add(&place, "%#llx, %u byte%s", (unsigned long long)store->address, store->size, store->size == 1 ? "" : "s");
        add_value(text, name, store->expected, store->native);
        shown++;
    }
}

static void add_differences(struct text *text, struct cosim_trace *trace, const struct cosim_state *expected,
                            const struct cosim_state *left) {
    cosim__look_at_memory(trace, expected);
    text_add(text, "  %-22s%-18s%s\n", "differs", "interpreter", "native code");
    add_registers(text, expected, left);
    add_memory(text, trace);
}

// Native code left where the interpreter, from the same state, never comes.
static void add_path(struct text *text, const struct cosim_trace *trace) {
    text_add(text, "  path    the interpreter does not come by there, but from the entry to");
    for (unsigned i = 1; i < trace->states && i <= MOST_PLACES; i++)
        text_add(text, " %#llx%s", (unsigned long long)trace->state[i].pc, trap_name(trace->state[i].trap));
    text_add(text, trace->states > MOST_PLACES + 1 ? " …\n" : "\n");
}

// ---- guest code

static void add_block(struct text *text, const struct block *block, unsigned last, unsigned *shown) {
    uint8_t bytes[BLOCK_MAX_BYTES];
    if (!code_copy_bytes(block, bytes)) return;
    for (unsigned at = 0, length; at <= last && *shown < MOST_INSTRUCTIONS; at += length, ++*shown) {
        char assembly[96];
        unsigned long long pc = block->pc + at;
        length = code_isa->disassemble(bytes + at, block->bytes - at, pc, code_features, assembly, sizeof assembly);
        if (!length) return;
        text_add(text, "    %#llx: %s\n", pc, assembly);
    }
    text_add(text, "\n");
}

static bool was_passed(const struct cosim_trace *trace, unsigned states, uint64_t pc) {
    for (unsigned i = 0; i < states; i++) {
        if (trace->state[i].pc == pc) return true;
    }
    return false;
}

// How far the block was carried out in any of the states.
static unsigned furthest(const struct cosim_trace *trace, unsigned states, uint64_t pc) {
    unsigned last = 0;
    for (unsigned i = 0; i < states; i++) {
        if (trace->state[i].pc == pc && trace->state[i].last > last) last = trace->state[i].last;
    }
    return last;
}

// The blocks that the interpreter carried out, in its order.
static void add_code(struct text *text, const struct cosim_trace *trace, const struct cosim_state *expected) {
    unsigned states = expected ? (unsigned)(expected - trace->state) : trace->states - 1, shown = 0;
    text_add(text, "  code\n");
    for (unsigned i = 0; i < states; i++) {
        uint64_t pc = trace->state[i].pc;
        if (was_passed(trace, i, pc)) continue;
        for (unsigned n = 0; n < trace->blocks; n++) {
            if (trace->block[n]->pc == pc) add_block(text, trace->block[n], furthest(trace, states, pc), &shown);
        }
    }
}

// ---- how to see it again

static void add_word(struct text *text, const char *word) {
    bool plain = *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_")];
    if (plain) {
        text_add(text, " %s", word);
        return;
    }
    text_add(text, " '");
    for (; *word; word++) text_add(text, *word == '\'' ? "'\\''" : "%c", *word);
    text_add(text, "'");
}

// The settings, and the guest's own words: those of the kernel are the guest's, whose process this seems to be.
static void add_command(struct text *text) {
    char words[4096];
    const char *const *option = options.inherited ? options.inherited + 1 : NULL;  // without --settled
    long fd = host_call(openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    long length = fd < 0 ? -1 : host_call(read, fd, words, sizeof words - 1);
    if (fd >= 0) host_call(close, fd);
    text_add(text, "  again   ferry run");
    for (; option && *option; option++) add_word(text, *option);
    if (length > 0) words[length] = 0;
    for (long at = 0; at < length; at += (long)strlen(words + at) + 1) add_word(text, words + at);
    text_add(text, "\n          (--tier=opt instead of auto makes the same code each time, --tier=interp does without)\n");
}

void cosim__report(struct cosim_trace *trace, const struct cosim_state *expected, const struct cosim_state *left, const void *code,
                   bool optimised) {
    static char buffer[64 << 10];
    struct text text = TEXT_ON(buffer);
    text_add(&text, "ferry: --cosim: native code and the interpreter do not do the same\n");
    text_add(&text, "  tier    %s, host code at %p\n", optimised ? "LLVM's" : "quick", code);
    add_place(&text, "entry", &trace->state[0]);
    add_place(&text, "exit", left);
    if (expected) add_differences(&text, trace, expected, left);
    else add_path(&text, trace);
    add_code(&text, trace, expected);
    add_command(&text);
    host_call(write, 2, text.at, text.length);
    stats_report();
    host_call(exit_group, COSIM_STATUS);
    __builtin_unreachable();
}
