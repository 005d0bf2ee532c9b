// A tool of the build: reads insns.def and writes the decoder as C switch trees (riscv64_decode.inc) and its rows as a table
// (riscv64_insn_table.inc) into the folder given.
//
// The tree: among the rows that are still possible, the run of bits that is fixed in all of them and tells the most of them
// apart becomes a switch. Where no such bits are left, rows are nested: the one with more fixed bits is tried first, the next when
// its extension is missing or one of its conditions fails. Rows that overlap otherwise end the build.
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 16, MAX_ROWS = 2048, MAX_TEXT = 2048 };

// A run of bits of the encoding that is not fixed.
struct part {
    char kind[8];  // "rd", "rd/rs1" gives two parts; "imm", "rm", "aq", "rl", "csr", "vm", "any"
    unsigned position, width, to;  // `to`: where the run goes in the operand
};

struct row {
    const char *id, *needs, *bits, *assembly;
    uint32_t mask, match;
    unsigned width;  // bits of the encoding
    struct part part[MAX_PARTS];
    unsigned parts;
    bool imm_signed, imm_nonzero;
    unsigned imm_top;
    unsigned short_registers;  // bit by register_index(): 3 bits wide, x8 to x15
    char conditions[MAX_TEXT], implied[MAX_TEXT];
};

static struct row rows[] = {
#define INSN(name, needs, bits, assembly, lift) {#name, #needs, bits, assembly, 0, 0, 0, {{{0}, 0, 0, 0}}, 0, 0, 0, 0, 0, {0}, {0}},
#include "translator/guest/riscv64/insns.def"
#undef INSN
};
enum { ROWS = sizeof rows / sizeof *rows };

static void fail(const struct row *row, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "insns.def: %s: \"%s\": ", row->id, row->bits);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void append(char *text, const char *format, ...) {
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, MAX_TEXT - length, format, arguments);
    va_end(arguments);
}

// ---- reading a row. `at` is the bit above the next one; parts are placed from the top, so the width is measured first.

static void add_part(struct row *row, const char *kind, unsigned position, unsigned width, unsigned to) {
    if (row->parts == MAX_PARTS) fail(row, "too many fields");
    struct part *part = &row->part[row->parts++];
    snprintf(part->kind, sizeof part->kind, "%s", kind);
    part->position = position, part->width = width, part->to = to;
}

// "simm[12|10:5]": pieces from the top
static unsigned read_immediate(struct row *row, const char *token, unsigned at) {
    unsigned start = at;
    row->imm_nonzero |= token[0] == 'n';
    row->imm_signed |= *(token + (token[0] == 'n' ? 2 : 0)) == 's';
    for (const char *piece = strchr(token, '[') + 1; *piece && *piece != ']';) {
        char *end;
        unsigned high = (unsigned)strtoul(piece, &end, 10), low = high;
        if (*end == ':') low = (unsigned)strtoul(end + 1, &end, 10);
        if (low > high) fail(row, "'%s' has a piece upside down", token);
        unsigned width = high - low + 1;
        if (high > row->imm_top) row->imm_top = high;
        at -= width;
        add_part(row, "imm", at, width, low);
        piece = *end == '|' ? end + 1 : end;
    }
    return start - at;
}

// "rd", "rs1'", "rd/rs1!0", "rs2%2"
static unsigned read_register(struct row *row, const char *token, unsigned at) {
    char names[32];
    snprintf(names, sizeof names, "%s", token);
    char *suffix = names + strcspn(names, "!%");
    bool even = *suffix == '%';
    int refused = *suffix == '!' ? atoi(suffix + 1) : -1;
    *suffix = 0;
    bool narrow = strchr(names, '\'');
    unsigned width = narrow ? 3 : 5, low = even ? 1 : 0;
    at -= width;
    for (char *name = strtok(names, "/"); name; name = strtok(NULL, "/")) {
        name[strcspn(name, "'")] = 0;
        if (strcmp(name, "rd") && strcmp(name, "rs1") && strcmp(name, "rs2") && strcmp(name, "rs3"))
            fail(row, "what is '%s'?", token);
        add_part(row, name, at + low, width - low, low);
        if (narrow) append(row->implied, " i->%s += 8;", name);
        if (refused >= 0) append(row->conditions, " && i->%s != %d", name, refused);
    }
    if (even) row->mask |= (uint32_t)(UINT64_C(1) << (at & 63));
    return width;
}

static unsigned read_fixed(struct row *row, const char *token, unsigned at) {
    unsigned width = 0;
    for (; token[width]; width++) {
        uint32_t bit = (uint32_t)(UINT64_C(1) << (--at & 63));
        if (token[width] != '0' && token[width] != '1') fail(row, "what is '%s'?", token);
        row->mask |= bit;
        if (token[width] == '1') row->match |= bit;
    }
    return width;
}

static unsigned read_token(struct row *row, const char *token, unsigned at) {
    static const struct {
        const char *name;
        unsigned width;
    } plain[] = {{"rm", 3}, {"aq", 1}, {"rl", 1}, {"csr", 12}, {"vm", 1}};
    if (strchr(token, '=')) return append(row->implied, " i->%s;", token), 0;
    if (strchr(token, '[')) return read_immediate(row, token, at);
    if (token[0] == '-')
        return add_part(row, "any", at - (unsigned)strlen(token), (unsigned)strlen(token), 0), (unsigned)strlen(token);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(token, plain[i].name)) continue;
        add_part(row, token, at - plain[i].width, plain[i].width, 0);
        return plain[i].width;
    }
    return token[0] == 'r' ? read_register(row, token, at) : read_fixed(row, token, at);
}

static unsigned read_tokens(struct row *row, unsigned at) {
    char text[128];
    unsigned width = 0;
    snprintf(text, sizeof text, "%s", row->bits);
    for (char *save = NULL, *token = strtok_r(text, " ", &save); token; token = strtok_r(NULL, " ", &save)) {
        unsigned taken = read_token(row, token, at);
        at -= taken, width += taken;
    }
    return width;
}

static void read_row(struct row *row) {
    struct row measure = *row;
    row->width = read_tokens(&measure, 64);
    if (row->width != 32 && row->width != 16) fail(row, "%u bits; there must be 32 or 16", row->width);
    read_tokens(row, row->width);
    bool long_form = (row->mask & row->match & 3) == 3;
    if ((row->mask & 3) != 3 || long_form != (row->width == 32)) fail(row, "its length and its lowest two bits disagree");
    if (row->imm_nonzero) append(row->conditions, " && i->imm");
    for (unsigned i = 0; i < row->parts; i++) {
        if (!strcmp(row->part[i].kind, "rm")) append(row->conditions, " && i->rm != 5 && i->rm != 6");
    }
}

// ---- rows against each other

static bool overlap(const struct row *a, const struct row *b) {
    return a->width == b->width && !((a->match ^ b->match) & a->mask & b->mask);
}

// Whether some row is exactly what both match.
static bool settled(const struct row *a, const struct row *b) {
    for (int i = 0; i < ROWS; i++) {
        if (rows[i].width == a->width && rows[i].mask == (a->mask | b->mask) && rows[i].match == (a->match | b->match)) return true;
    }
    return false;
}

static void check_overlaps(void) {
    for (int i = 0; i < ROWS; i++) {
        for (int j = i + 1; j < ROWS; j++) {
            const struct row *a = &rows[i], *b = &rows[j];
            if (!overlap(a, b)) continue;
            uint32_t both = a->mask & b->mask;
            bool nested = a->mask != b->mask && (both == a->mask || both == b->mask);
            if (!nested && !settled(a, b)) fail(a, "overlaps with %s \"%s\", and neither is inside the other", b->id, b->bits);
        }
    }
}

// ---- the decoder

static void write_take(FILE *out, const struct row *row) {
    fprintf(out, "static inline bool take_%s(uint32_t w, struct insn *i) {\n    (void)w, (void)i;\n", row->id);
    bool immediate = false;
    for (unsigned k = 0; k < row->parts; k++) {
        const struct part *part = &row->part[k];
        uint32_t mask = (UINT32_C(1) << (part->width - 1) << 1) - 1;
        if (!strcmp(part->kind, "any") || !strcmp(part->kind, "vm")) continue;
        if (!strcmp(part->kind, "imm")) {
            fprintf(out, "    %simm %s (w >> %u & 0x%x) << %u;\n", immediate ? "" : "uint32_t ", immediate ? "|=" : "=",
                    part->position, mask, part->to);
            immediate = true;
        } else {
            fprintf(out, "    i->%s = (w >> %u & 0x%x) << %u;\n", part->kind, part->position, mask, part->to);
        }
    }
    if (immediate && row->imm_signed) fprintf(out, "    i->imm = sign_extend(imm, %u);\n", row->imm_top + 1);
    else if (immediate) fprintf(out, "    i->imm = (int32_t)imm;\n");
    if (row->implied[0]) fprintf(out, "   %s\n", row->implied);
    fprintf(out, "    return true%s;\n}\n", row->conditions);
}

struct run {
    unsigned low, width;
};

static uint32_t run_mask(struct run run) {
    return ((UINT32_C(1) << (run.width - 1) << 1) - 1) << run.low;
}

static unsigned distinct(const struct row *const *set, unsigned n, uint32_t mask) {
    unsigned count = 0;
    for (unsigned i = 0; i < n; i++) {
        bool seen = false;
        for (unsigned j = 0; j < i && !seen; j++) seen = ((set[i]->match ^ set[j]->match) & mask) == 0;
        count += !seen;
    }
    return count;
}

// The run of `common` bits that tells most rows apart.
static struct run best_run(const struct row *const *set, unsigned n, uint32_t common) {
    struct run best = {0, 0};
    unsigned most = 0;
    for (unsigned low = 0; low < 32; low++) {
        if (!(common >> low & 1) || (low && common >> (low - 1) & 1)) continue;
        struct run run = {low, 0};
        while (low + run.width < 32 && common >> (low + run.width) & 1) run.width++;
        unsigned count = distinct(set, n, run_mask(run));
        if (count > most) best = run, most = count;
    }
    return best;
}

static void write_tree(FILE *out, const struct row *const *set, unsigned n, uint32_t tested, int depth);

static void write_switch(FILE *out, const struct row *const *set, unsigned n, uint32_t tested, struct run run, int depth) {
    uint32_t mask = run_mask(run);
    fprintf(out, "%*sswitch (w >> %u & 0x%x) {\n", depth * 4, "", run.low, mask >> run.low);
    for (unsigned i = 0; i < n; i++) {
        const struct row *same[MAX_ROWS];
        unsigned count = 0;
        bool seen = false;
        for (unsigned j = 0; j < n; j++) {
            if ((set[i]->match ^ set[j]->match) & mask) continue;
            if (j < i) seen = true;
            same[count++] = set[j];
        }
        if (seen) continue;
        fprintf(out, "%*scase 0x%x:\n", depth * 4, "", (set[i]->match & mask) >> run.low);
        write_tree(out, same, count, tested | mask, depth + 1);
    }
    fprintf(out, "%*sdefault: return false;\n%*s}\n", depth * 4, "", depth * 4, "");
}

static void write_attempt(FILE *out, const struct row *row, uint32_t tested, int depth) {
    uint32_t rest = row->mask & ~tested;
    fprintf(out, "%*sif (", depth * 4, "");
    if (rest) fprintf(out, "(w & 0x%x) == 0x%x && ", rest, row->match & rest);
    fprintf(out, "riscv64_has(features, %s) && take_%s(w, i)) return i->op = INSN_%s, true;\n", row->needs, row->id, row->id);
}

static const struct row *most_specific(const struct row *const *set, unsigned n) {
    const struct row *best = set[0];
    for (unsigned i = 1; i < n; i++) {
        if (__builtin_popcount(set[i]->mask) > __builtin_popcount(best->mask)) best = set[i];
    }
    return best;
}

static void write_tree(FILE *out, const struct row *const *set, unsigned n, uint32_t tested, int depth) {
    if (n == 0) {
        fprintf(out, "%*sreturn false;\n", depth * 4, "");
        return;
    }
    uint32_t common = ~tested;
    for (unsigned i = 0; i < n; i++) common &= set[i]->mask;
    if (n > 1 && common) {
        struct run run = best_run(set, n, common);
        if (distinct(set, n, run_mask(run)) > 1) {
            write_switch(out, set, n, tested, run, depth);
            return;
        }
    }
    const struct row *first = most_specific(set, n), *rest[MAX_ROWS];
    unsigned count = 0;
    write_attempt(out, first, tested, depth);
    for (unsigned i = 0; i < n; i++) {
        if (set[i] != first) rest[count++] = set[i];
    }
    write_tree(out, rest, count, tested, depth);
}

static void write_decoder(FILE *out, unsigned width) {
    const struct row *set[MAX_ROWS];
    unsigned n = 0;
    for (int i = 0; i < ROWS; i++) {
        if (rows[i].width == width) set[n++] = &rows[i];
    }
    fprintf(out, "\nstatic bool decode_%u(uint32_t w, guest_features features, struct insn *i) {\n", width);
    write_tree(out, set, n, width == 32 ? 3 : 0, 1);
    fprintf(out, "}\n");
}

// ---- the table

static const char *dotted(const struct row *row) {
    static char name[32];
    snprintf(name, sizeof name, "%s", row->id);
    for (char *at = name; *at; at++) *at = *at == '_' ? '.' : *at;
    return name;
}

static void write_row(FILE *out, const struct row *row) {
    fprintf(out, "[INSN_%s] = {\"%s\", \"%s\", 0x%08x, 0x%08x, %u, %u, %s, {", row->id, dotted(row), row->assembly, row->mask,
            row->match, row->width / 8, row->parts, row->needs);
    for (unsigned i = 0; i < row->parts; i++) {
        char kind[8] = "";
        for (unsigned k = 0; row->part[i].kind[k]; k++) kind[k] = (char)toupper((unsigned char)row->part[i].kind[k]);
        fprintf(out, "{FIELD_%s, %u, %u}, ", kind, row->part[i].position, row->part[i].width);
    }
    fprintf(out, "}},\n");
}

static FILE *create(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    if (!out) fprintf(stderr, "make_decoder: cannot write %s: %s\n", path, strerror(errno)), exit(1);
    fprintf(out, "// Made by make_decoder.c from insns.def.\n");
    return out;
}

static void finish(FILE *out) {
    if (ferror(out) || fclose(out)) fprintf(stderr, "make_decoder: cannot write: %s\n", strerror(errno)), exit(1);
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: make_decoder FOLDER\n"), 2;
    for (int i = 0; i < ROWS; i++) read_row(&rows[i]);
    check_overlaps();
    FILE *out = create(argv[1], "riscv64_decode.inc");
    for (int i = 0; i < ROWS; i++) write_take(out, &rows[i]);
    write_decoder(out, 16);
    write_decoder(out, 32);
    finish(out);
    out = create(argv[1], "riscv64_insn_table.inc");
    for (int i = 0; i < ROWS; i++) write_row(out, &rows[i]);
    finish(out);
    return 0;
}
