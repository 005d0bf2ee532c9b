// Comments in LLVM's text: see listing.h.
#include "aot/listing.h"
#include "translator/interp/interp.h"
#include "translator/llvm/region.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_ADDRESS = 4096,  // smaller numbers are taken for numbers
    COLUMN = 50,  // where names stand
};

void listing_instruction(struct listing *l, unsigned line) {
    unsigned at = (line - 1) % REGION_BLOCK_LINES, block = (line - 1) / REGION_BLOCK_LINES;
    if (line == l->line) return;
    l->line = line;
    if (!line || block >= l->request->blocks || at >= l->request->block[block].bytes) return;
    const struct channel_block *b = &l->request->block[block];
    char text[128];
    if (!l->isa->disassemble(l->request->byte + b->at + at, b->bytes - at, b->pc + at, l->channel->features, text, sizeof text))
        return;
    fprintf(l->out, "  %c %" PRIx64 ": %s\n", l->mark, b->pc + at, text);
}

// ---- names

static bool name_stub(const struct listing *l, uint64_t address, char *name, size_t size) {
    const struct {
        uint64_t address;
        const char *name;
    } stubs[] = {{l->channel->leave, "leave"}, {l->channel->stop, "stop"}, {l->channel->indirect, "indirect"}};
    for (unsigned i = 0; i < sizeof stubs / sizeof *stubs; i++) {
        if (address == stubs[i].address) return snprintf(name, size, "stub: %s", stubs[i].name) > 0;
    }
    return false;
}

static bool name_body(const struct listing *l, uint64_t address, char *name, size_t size) {
    uint64_t offset = address - l->channel->bodies, code = offset / sizeof(void *);
    if (code >= UOP_COUNT_OF_CODES || offset % sizeof(void *)) return false;
    return snprintf(name, size, "body of %s", uop_info[code].name) > 0;
}

static bool name_exit(const struct listing *l, uint64_t address, char *name, size_t size) {
    uint64_t offset = address - l->request->exit_table, exit = offset / sizeof(struct native_exit);
    if (exit >= l->request->exits || offset % sizeof(struct native_exit) != offsetof(struct native_exit, target)) return false;
    return snprintf(name, size, "exit to %" PRIx64, l->request->exit[exit]) > 0;
}

// Guest addresses are easier to recognise in hexadecimal.
static bool name_pc(const struct listing *l, uint64_t address, char *name, size_t size) {
    bool known = false;
    for (unsigned i = 0; i < l->request->exits; i++) known |= l->request->exit[i] == address;
    for (unsigned i = 0; i < l->request->blocks; i++) known |= address - l->request->block[i].pc < l->request->block[i].bytes;
    return known && snprintf(name, size, "guest %" PRIx64, address) > 0;
}

static bool name_field(const struct listing *l, uint64_t offset, char *name, size_t size) {
    static const struct {
        size_t offset;
        const char *name;
    } fields[] = {
#define FIELD(name) {offsetof(struct cpu, name), #name}
        FIELD(pc),       FIELD(anchor),      FIELD(pending),     FIELD(next), FIELD(optimised_instructions),
        FIELD(fp_flags), FIELD(fp_rounding), FIELD(native_jump),
#undef FIELD
    };
    const char *slot = offset % 8 == 0 && offset / 8 < SLOT_TEMP ? l->isa->slot_name((unsigned)offset / 8) : NULL;
    for (unsigned i = 0; !slot && i < sizeof fields / sizeof *fields; i++)
        slot = offset == fields[i].offset ? fields[i].name : NULL;
    return slot && snprintf(name, size, "%s", slot) > 0;
}

static bool name_number(const struct listing *l, uint64_t value, char *name, size_t size) {
    if (value < LEAST_ADDRESS) return false;
    return name_stub(l, value, name, size) || name_body(l, value, name, size) || name_exit(l, value, name, size) ||
           name_pc(l, value, name, size);
}

// ---- lines

// The name of the first thing in the line that has one.
static bool find_name(const struct listing *l, const char *line, char *name, size_t size) {
    static const char digits[] = "0123456789";
    const char *at = l->place ? strstr(line, l->place) : NULL;
    if (at) at += strlen(l->place);
    if (at && strchr(digits, *at) && name_field(l, strtoull(at, NULL, 10), name, size)) return true;
    for (at = strpbrk(line, digits); at; at = strpbrk(at, digits)) {
        char *end;
        bool whole = at == line || strchr(" \t-+[,(", at[-1]);
        uint64_t value = strtoull(at, &end, 10);
        if (whole && name_number(l, at != line && at[-1] == '-' ? -value : value, name, size)) return true;
        at = end;
    }
    return false;
}

// Where the text ends on a terminal.
static int width(const char *text, size_t length) {
    int column = 0;
    for (size_t i = 0; i < length; i++) column = text[i] == '\t' ? (column | 7) + 1 : column + 1;
    return column;
}

void listing_line(struct listing *l, const char *text, size_t length) {
    char name[64], line[256];
    snprintf(line, sizeof line, "%.*s", length < sizeof line ? (int)length : 0, text);
    fprintf(l->out, "%.*s", (int)length, text);
    if (!strchr(line, l->mark) && find_name(l, line, name, sizeof name)) {
        int pad = COLUMN - width(text, length);
        fprintf(l->out, "%*s%c %s", pad > 2 ? pad : 2, "", l->mark, name);
    }
    fputc('\n', l->out);
}
