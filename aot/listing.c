// Comments in LLVM's text: see listing.h.
#include "aot/listing.h"
#include "translator/interp/interp.h"
#include "translator/llvm/region.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN = 50 };  // where names stand

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

static bool name_field(const struct listing *l, uint64_t offset, char *name, size_t size) {
    static const struct {
        size_t offset;
        const char *name;
    } fields[] = {
#define FIELD(name) {offsetof(struct cpu, name), #name}
        FIELD(pc),       FIELD(anchor),      FIELD(pending),     FIELD(next), FIELD(optimised_instructions),
        FIELD(fp_flags), FIELD(fp_rounding), FIELD(native_jump), FIELD(pads),
#undef FIELD
    };
    uint64_t at = offset - offsetof(struct cpu, slot);  // huge where it is none
    const char *slot = at % 8 == 0 && at / 8 < SLOT_TEMP ? l->isa->slot_name((unsigned)at / 8) : NULL;
    for (unsigned i = 0; !slot && i < sizeof fields / sizeof *fields; i++)
        slot = offset == fields[i].offset ? fields[i].name : NULL;
    return slot && snprintf(name, size, "%s", slot) > 0;
}

// ---- lines

bool listing_starts(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

// The name of the place in the cpu that the line is about, which is given as its distance from CPU_BASE.
static bool find_name(const struct listing *l, const char *line, char *name, size_t size) {
    const char *at = l->place ? strstr(line, l->place) : NULL;
    char *end;
    if (!at) return false;
    at += strlen(l->place);
    if (*at == ']') return name_field(l, CPU_BASE, name, size);
    bool back = listing_starts(at, " - ");
    if (back || listing_starts(at, " + ")) at += 3;  // assembly
    int64_t distance = strtoll(at, &end, 10);
    return end != at && name_field(l, (uint64_t)(CPU_BASE + (back ? -distance : distance)), name, size);
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
