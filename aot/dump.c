// Text of what becomes of a request: see dump.h. It is built and compiled like any other, with debug locations, by which the text's lines are told
// from what guest instructions they come.
#include "aot/dump.h"
#include "aot/compile.h"
#include "aot/listing.h"
#include "runtime/base/io.h"
#include "translator/llvm/region.h"
#include <errno.h>
#include <llvm-c/DebugInfo.h>
#include <stdlib.h>
#include <string.h>

// ---- LLVM IR

// The lines of debug locations of all instructions, in the order in which they are printed.
struct lines {
    unsigned *line;
    size_t count, room;
};

static bool add_line(struct lines *lines, unsigned line) {
    if (lines->count == lines->room) {
        size_t room = lines->room ? 2 * lines->room : 1024;
        unsigned *grown = realloc(lines->line, room * sizeof *grown);
        if (!grown) return false;
        lines->line = grown, lines->room = room;
    }
    lines->line[lines->count++] = line;
    return true;
}

static bool find_lines(LLVMModuleRef module, struct lines *lines) {
    bool fine = true;
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b))
            for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i))
                fine &= add_line(lines, LLVMGetDebugLocLine(i));
    return fine;
}

// LLVM writes an instruction on one line, with two spaces before it, but the cases of a switch below that.
static bool is_instruction(const char *text) {
    return listing_starts(text, "  ") && text[2] != ' ' && text[2] != ']';
}

static void print_ir_line(struct listing *l, const struct lines *lines, size_t *at, const char *text, size_t length) {
    bool instruction = is_instruction(text) && *at < lines->count;
    if (instruction) listing_instruction(l, lines->line[(*at)++]);
    else if (length && text[0] != ' ') l->line = 0;  // another basic block
    listing_line(l, text, length);
}

static void name_argument(LLVMValueRef function, unsigned argument, const char *name) {
    LLVMSetValueName2(LLVMGetParam(function, argument), name, strlen(name));
}

// The arguments of all functions are the same.
static void name_arguments(struct listing *l, LLVMModuleRef module) {
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
        if (!LLVMGetFirstBasicBlock(f) || LLVMCountParams(f) != REGION_ARGUMENTS) continue;
        name_argument(f, REGION_BASE, "cpu");
        name_argument(f, REGION_ARGUMENTS - 1, "entry");
        for (unsigned i = 0; i < REGION_MAX_PINS && l->channel->pins[i]; i++)
            name_argument(f, region_argument_of_pin(i), l->isa->slot_name(l->channel->pins[i]));
    }
}

static bool print_ir(struct listing *l, LLVMModuleRef module) {
    struct lines lines = {0};
    size_t at = 0;
    bool fine = find_lines(module, &lines);
    LLVMStripModuleDebugInfo(module);
    name_arguments(l, module);
    char *text = LLVMPrintModuleToString(module);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        print_ir_line(l, &lines, &at, line, strcspn(line, "\n"));
    LLVMDisposeMessage(text);
    free(lines.line);
    return fine;
}

// ---- assembly

// What only linkers and debuggers want to know.
static bool is_noise(const char *text) {
    static const char *const noise[] = {"\t.file",      "\t.cfi_",    "\t.type",  "\t.size",    "\t.p2align",      ".Ltmp",
                                        ".Lfunc_begin", ".Lfunc_end", "\t.ident", "\t.addrsig", "\t.intel_syntax", "\t.protected"};
    for (unsigned i = 0; i < sizeof noise / sizeof *noise; i++) {
        if (listing_starts(text, noise[i])) return true;
    }
    const char *local = strstr(text, "$local:\n");
    return local && local < strchr(text, '\n');
}

static bool is_for_tools(const char *section) {
    static const char *const names[] = {".debug_", "\".note", ".holes", ".exits"};  // of the last two the names say all
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (listing_starts(section, "\t.section\t") && listing_starts(section + strlen("\t.section\t"), names[i])) return true;
    }
    return false;
}

// `skips`: the text is in a section that is.
static void print_assembly_line(struct listing *l, bool *skips, const char *text, size_t length) {
    unsigned line;
    if (listing_starts(text, "\t.section")) *skips = is_for_tools(text);
    else if (listing_starts(text, "\t.text")) *skips = false;
    if (*skips || is_noise(text)) return;
    if (sscanf(text, "\t.loc\t%*u %u", &line) == 1) {
        listing_instruction(l, line);
        return;
    }
    if (length && text[0] != '\t' && text[0] != ' ') l->line = 0;  // another basic block
    listing_line(l, text, length);
}

#if defined(__x86_64__)
// All native code has the cpu in r13. It stays there in all of the text unless an instruction has it as its first operand, which is what changes.
static const char *cpu_place(const char *text) {
    for (const char *at = text; (at = strstr(at, "\tr13")); at++) {
        bool only_reads = at - text >= 5 &&
                          (listing_starts(at - 4, "\tcmp") || listing_starts(at - 5, "\ttest") || listing_starts(at - 5, "\tpush"));
        if (!only_reads) return NULL;
    }
    return "[r13";
}
#else
static const char *cpu_place(const char *text) {
    (void)text;
    return NULL;
}
#endif

static bool print_assembly(struct listing *l, struct jit *jit) {
    bool skips = false;
    char *text = jit_assembly(jit);
    if (!text) return false;
    l->place = cpu_place(text);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        print_assembly_line(l, &skips, line, strcspn(line, "\n"));
    free(text);
    return true;
}

// ---- all of it

bool dump_print(FILE *out, struct compiler *compiler, const struct channel *channel, const char *what, const char **why) {
    const struct channel_request *request = &channel->request[0];
    bool plain = !strcmp(what, "llvm"), assembly = !strcmp(what, "asm");
    struct jit *jit;
    *why = "want llvm, optimised or asm behind --dump";
    if (!plain && !assembly && strcmp(what, "optimised") != 0) return false;
    *why = "the request is not one that a runner of this version makes, or the region is too large";
    LLVMModuleRef module = compile_module(compiler, request, true, &jit);
    if (!module) return false;
    *why = "LLVM failed";
    struct listing listing = {.out = out,
                              .isa = guest_by_name(channel->isa),
                              .channel = channel,
                              .request = request,
                              .mark = assembly ? '#' : ';',
                              .place = "ptr %cpu, i64 "};
    bool fine = (plain || jit_optimise(jit)) && (assembly ? print_assembly(&listing, jit) : print_ir(&listing, module));
    jit_drop(jit);
    return fine;
}

int dump_main(const char *what) {
    static struct channel channel;
    const char *why = "no request of this version's `ferry dump` on standard input";
    bool fine = io_read(0, &channel, sizeof channel) == sizeof channel && channel.magic == CHANNEL_MAGIC &&
                channel.version == CHANNEL_VERSION;
    channel.isa[sizeof channel.isa - 1] = 0;
    struct compiler *compiler = fine ? compile_begin_for(&channel, NULL, &why) : NULL;
    fine = compiler && dump_print(stdout, compiler, &channel, what, &why);
    if (fine && (fflush(stdout) || ferror(stdout))) {
        why = strerror(errno);
        fine = false;
    }
    if (!fine) fprintf(stderr, "ferry-compiler: %s\n", why);
    return fine ? 0 : 1;
}
