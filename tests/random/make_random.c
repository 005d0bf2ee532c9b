// Makes a riscv64 program of random instructions, for comparing translators: make_random --seed N --snippets N --output FILE.
//
// The program is a row of snippets. Each loads all registers and fcsr from its record, executes some random instructions, stores
// everything back into the record, and does so a few times over. At its end the program writes all records and the memory that
// its loads and stores went to on standard output. Whatever the rows of insns.def allow is generated, with what keeps a program
// under control: one register of a snippet always points to its record, memory operands point into the memory area, jumps
// go forward inside the snippet, and frm holds a rounding mode. With --loops a snippet also has two counted loops, one in the other, and
// calls of a small function. With --handler it first takes SIGSEGV, which never comes: translators may make other code
// then. A snippet depends on nothing but the seed and its number, so that it can be made alone (--only).
#include "translator/guest/riscv64/insn_table.h"
#include <elf.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_BASE = 0x100000,
    DATA_BASE = 0x40000000,
    PAGE = 0x1000,
    FLOATS = 32,  // word of a record where f0 is
    FCSR = 64,  // then the control word,
    TURNS = 65,  // how often to go on, and
    RECORD_WORDS = 68,  // some room
    AREA_SIZE = 16384,
    MARGIN = 64,  // bytes for memory operands, and the largest access
    MAX_INSTRUCTIONS = 24,  // of a snippet
    NEAR = 1000,  // bytes that a jump inside a snippet spans at most
    LOOPS = 2,
    MOST_ROUNDS = 6,
};

struct fixup {
    size_t at;  // of the instruction whose immediate is to be filled in
    size_t from;  // what the distance counts from
    unsigned target;  // number of the instruction to go to
    int32_t subtract;
    const struct insn_row *row;
};

static struct {
    uint64_t seed;
    unsigned snippets, from, to, turns;
    bool loops, handler;
    guest_features features;
    const char *output;
    FILE *listing;
} options = {.snippets = 400, .turns = 4, .features = RV_ALL};

// Of the snippet under way.
static struct {
    unsigned base;  // points to its record
    unsigned counter[LOOPS], link;  // of loops and calls
    uint32_t kept;  // all of these by bit, which no random instruction changes
    size_t function;
} snippet;

static uint64_t random_state;
static uint8_t *code;
static size_t code_size, code_room;

static uint64_t next_random(void) {  // xorshift64*
    random_state ^= random_state >> 12, random_state ^= random_state << 25, random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned below(unsigned limit) {
    return (unsigned)(next_random() >> 33) % limit;
}

static void seed_random(uint64_t number) {
    random_state = (options.seed + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (number + 1) * UINT64_C(0xd1342543de82ef95);
    if (!random_state) random_state = 1;
    for (int i = 0; i < 8; i++) next_random();
}

// ---- values that matter

static uint64_t integer_value(void) {
    // clang-format off
    static const uint64_t edges[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
                                     0x100000000, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX, UINT64_C(0xffffffff80000000)};
    // clang-format on
    switch (below(6)) {
    case 0: return edges[below(sizeof edges / sizeof *edges)];
    case 1: return next_random() >> below(64);
    case 2: return (uint64_t)((int64_t)next_random() >> below(64));
    case 3: return (UINT64_C(1) << below(64)) - below(3);
    default: return next_random();
    }
}

// A number of a binary format: sign, `exponent` bits, `fraction` bits; every class of values often enough.
static uint64_t float_value(unsigned exponent, unsigned fraction) {
    uint64_t top = (UINT64_C(1) << exponent) - 1, low = (UINT64_C(1) << fraction) - 1, sign = next_random() & 1;
    uint64_t e = next_random() & top, f = next_random() & low, bias = top >> 1;
    switch (below(12)) {
    case 0: e = 0, f = 0; break;
    case 1: e = 0, f >>= below(fraction); break;
    case 2: e = top, f = 0; break;
    case 3: e = top, f |= UINT64_C(1) << (fraction - 1); break;
    case 4: e = top, f = (f & low >> 1) | 1; break;
    case 5: e = 1 + below(2), f >>= below(fraction); break;
    case 6: e = top - 1, f = low - below(2); break;
    case 7: e = bias + below(fraction + 3), f &= ~(low >> below(fraction)); break;  // near integers and ties
    case 8: e = bias + below(70) - 3; break;  // near the bounds of integers
    case 9: e = bias, f = below(2); break;
    default: break;
    }
    return sign << (exponent + fraction) | (e & top) << fraction | f;
}

static uint64_t register_value(bool is_float) {
    if (!is_float) return integer_value();
    switch (below(8)) {
    case 0: return next_random();
    case 1: return UINT64_C(0xffffffffffff0000) | float_value(5, 10);
    case 2:
    case 3:
    case 4: return UINT64_C(0xffffffff00000000) | float_value(8, 23);
    default: return float_value(11, 52);
    }
}

// ---- emitting

static void emit(uint32_t word, unsigned length) {
    if (code_size + 4 > code_room) {
        code_room = code_room ? code_room * 2 : 1 << 20;
        code = realloc(code, code_room);
        if (!code) abort();
    }
    memcpy(code + code_size, &word, 4);
    code_size += length;
}

static uint32_t i_type(uint32_t opcode, unsigned funct3, unsigned rd, unsigned rs1, int32_t imm) {
    return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | (uint32_t)imm << 20;
}

static uint32_t s_type(uint32_t opcode, unsigned funct3, unsigned rs2, unsigned rs1, uint32_t imm) {
    return opcode | (imm & 31) << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | imm >> 5 << 25;
}

static void emit_addi(unsigned rd, unsigned rs1, int32_t imm) {
    emit(i_type(0x13, 0, rd, rs1, imm), 4);
}
static void emit_load(uint32_t opcode, unsigned rd, unsigned base, unsigned word) {
    emit(i_type(opcode, 3, rd, base, (int32_t)word * 8), 4);
}
static void emit_store(uint32_t opcode, unsigned rs2, unsigned base, unsigned word) {
    emit(s_type(opcode, 3, rs2, base, word * 8), 4);
}

static void emit_constant(unsigned rd, uint32_t value) {  // below 2^31 - 2^11: lui, addi
    emit(0x37 | rd << 7 | ((value + 0x800) & 0xfffff000), 4);
    emit_addi(rd, rd, (int32_t)(value << 20) >> 20);
}

static void emit_valid_rounding(void) {
    emit(i_type(0x73, 5, 0, below(5), 2), 4);
}  // csrrwi x0, frm

// ---- random instructions

// Bits of an encoding that are immediate, as the value that each of them adds: found by asking the decoder.
static uint32_t with_immediate(const struct insn_row *row, uint32_t word, int32_t value) {
    struct insn zero, one;
    for (unsigned i = 0; i < row->fields; i++) {
        if (row->field[i].kind != FIELD_IMM) continue;
        for (unsigned bit = row->field[i].position; bit < (unsigned)row->field[i].position + row->field[i].width; bit++) {
            riscv64_decode_word(word & ~(1U << bit), RV_ALL, &zero);
            riscv64_decode_word(word | 1U << bit, RV_ALL, &one);
            uint32_t adds = (uint32_t)one.imm - (uint32_t)zero.imm;
            word = (uint32_t)value & (adds & -adds) ? word | 1U << bit : word & ~(1U << bit);
        }
    }
    return word;
}

static bool has_field(const struct insn_row *row, enum insn_field_kind kind) {
    for (unsigned i = 0; i < row->fields; i++) {
        if (row->field[i].kind == kind) return true;
    }
    return false;
}

static bool is_branch(const struct insn_row *row) {
    return *row->assembly && row->assembly[strlen(row->assembly) - 1] == 'b';
}
static bool is_memory(const struct insn_row *row) {
    return strstr(row->assembly, "(s)") != NULL;
}
static bool is_sc(unsigned op) {
    return op == INSN_sc_w || op == INSN_sc_d;
}
static bool is_indirect(unsigned op) {
    return op == INSN_jalr || op == INSN_c_jr || op == INSN_c_jalr;
}
static bool is_round(unsigned op) {
    return op == INSN_fround_s || op == INSN_fround_d || op == INSN_froundnx_s || op == INSN_froundnx_d;
}
static bool is_atomic(const struct insn *insn) {
    return insn->length == 4 && (insn->bits & 0x7f) == 0x2f;
}

static bool is_wanted(unsigned op) {
    switch (op) {
    case INSN_ILLEGAL:
    case INSN_ecall:
    case INSN_ebreak:
    case INSN_c_ebreak: return false;  // leave the program
    case INSN_cbo_inval:
    case INSN_cbo_clean:
    case INSN_cbo_flush: return false;  // qemu-user has them all illegal
    case INSN_lr_w:
    case INSN_lr_d: return false;  // come with their sc
    default: return riscv64_has(options.features, riscv64_insn_table[op].needs);
    }
}

static bool is_kept(unsigned reg) {
    return snippet.kept >> reg & 1;
}

// Operands that `row` allows and that leave alone what is kept.
static bool pick_operands(unsigned op, struct insn *insn) {
    const struct insn_row *row = &riscv64_insn_table[op];
    uint32_t word = row->match | ((uint32_t)next_random() & ~row->mask);
    if (row->length == 2) word &= 0xffff;
    if (has_field(row, FIELD_CSR)) word = (word & 0xfffff) | (1 + below(3)) << 20;  // fflags, frm or fcsr
    if (is_branch(row)) word = with_immediate(row, word, 4);
    riscv64_decode_word(word, options.features, insn);
    if (insn->op != op || is_kept(insn->rd) || (op == INSN_amocas_q && is_kept(insn->rd | 1u))) return false;
    if ((op == INSN_amocas_w || op == INSN_amocas_d || op == INSN_amocas_q) && insn->rd == 0)
        return false;  // qemu's x0 is then no longer 0
    if (is_indirect(op) && insn->imm != insn->imm % NEAR) return false;
    return !((is_memory(row) || is_indirect(op)) && (insn->rs1 == 0 || is_kept(insn->rs1)));
}

// False if operands for the chosen row were not found soon.
static bool pick_instruction(struct insn *insn) {
    unsigned op = below(INSN_COUNT);
    for (unsigned tries = 0; is_wanted(op) && tries < 64; tries++) {
        if (pick_operands(op, insn)) return true;
    }
    return false;
}

static uint32_t area(void) {
    return DATA_BASE + options.snippets * RECORD_WORDS * 8;
}

static uint32_t area_address(const struct insn *insn) {
    uint32_t at = area() + below(AREA_SIZE - MARGIN);
    return is_atomic(insn) || below(4) ? at & ~15U : at;
}

static void emit_pair(const struct insn *sc) {  // lr and sc; at times with another address
    unsigned rd;
    do rd = below(32);
    while (is_kept(rd) || rd == sc->rs1);
    uint32_t lr = riscv64_insn_table[sc->op == INSN_sc_w ? INSN_lr_w : INSN_lr_d].match;
    emit_constant(sc->rs1, area_address(sc));
    emit(lr | rd << 7 | (uint32_t)sc->rs1 << 15 | (uint32_t)below(4) << 25, 4);
    if (below(4) == 0) emit_constant(sc->rs1, area_address(sc));
    emit(sc->bits, 4);
}

static void emit_instruction(const struct insn *insn, unsigned target, struct fixup *fixups, unsigned *fixup_count) {
    const struct insn_row *row = &riscv64_insn_table[insn->op];
    if (is_sc(insn->op)) {
        emit_pair(insn);
        return;
    }
    if (is_memory(row)) emit_constant(insn->rs1, (uint32_t)((int32_t)area_address(insn) - insn->imm));
    if (is_indirect(insn->op)) {
        // the target's lowest bit is ignored
        fixups[(*fixup_count)++] =
            (struct fixup){code_size + 4, code_size, target, insn->imm - (int32_t)below(2), &riscv64_insn_table[INSN_addi]};
        emit(0x17 | (uint32_t)insn->rs1 << 7, 4);  // auipc
        emit_addi(insn->rs1, insn->rs1, 0);
    }
    if (is_branch(row)) fixups[(*fixup_count)++] = (struct fixup){code_size, code_size, target, 0, row};
    emit(insn->bits, insn->length);
    if (has_field(row, FIELD_CSR)) emit_valid_rounding();
    // qemu drops these, and the flags that they raise, when nobody uses the result
    if (is_round(insn->op)) emit_store(0x27, insn->rd, snippet.base, FLOATS + insn->rd);
}

// Around random instructions. Jumps lead out of a loop, or into it when its counter has run out: it ends all the same.
struct loop {
    unsigned from, to;  // numbers of instructions
    size_t start;
};

// The second one is in the first.
static void choose_loops(struct loop loop[LOOPS], unsigned count) {
    loop[0].from = below(count - 1);
    loop[0].to = loop[0].from + 1 + below(count - 1 - loop[0].from);
    loop[1].from = loop[0].from + below(loop[0].to - loop[0].from + 1);
    loop[1].to = loop[1].from + below(loop[0].to - loop[1].from + 1);
}

static void begin_loops(struct loop loop[LOOPS], unsigned number) {
    for (unsigned i = 0; i < LOOPS; i++) {
        if (loop[i].from != number) continue;
        emit_addi(snippet.counter[i], 0, 1 + (int32_t)below(MOST_ROUNDS));
        loop[i].start = code_size;
    }
}

static void end_loops(const struct loop loop[LOOPS], unsigned number) {
    const struct insn_row *blt = &riscv64_insn_table[INSN_blt];
    for (unsigned i = LOOPS; i-- > 0;) {
        if (loop[i].to != number) continue;
        emit_addi(snippet.counter[i], snippet.counter[i], -1);
        emit(with_immediate(blt, blt->match | snippet.counter[i] << 20, (int32_t)(loop[i].start - code_size)),
             4);  // of zero and it
    }
}

static void emit_jal(unsigned rd, size_t target) {
    const struct insn_row *jal = &riscv64_insn_table[INSN_jal];
    emit(with_immediate(jal, jal->match | rd << 7, (int32_t)(target - code_size)), 4);
}

static void emit_body(bool loops) {
    struct fixup fixups[MAX_INSTRUCTIONS];
    struct loop loop[LOOPS] = {{0}};
    size_t at[MAX_INSTRUCTIONS + 1];
    unsigned count = 4 + below(MAX_INSTRUCTIONS - 4), fixup_count = 0;
    if (loops) choose_loops(loop, count);
    for (unsigned i = 0; i < count; i++) {
        struct insn insn;
        while (!pick_instruction(&insn)) {}
        unsigned target = i + 1 + below(4);
        at[i] = code_size;
        if (loops) begin_loops(loop, i);
        emit_instruction(&insn, target < count ? target : count, fixups, &fixup_count);
        if (loops && below(6) == 0) emit_jal(snippet.link, snippet.function);
        if (loops) end_loops(loop, i);
    }
    at[count] = code_size;
    for (unsigned i = 0; i < fixup_count; i++) {
        uint32_t word;
        memcpy(&word, code + fixups[i].at, 4);
        word = with_immediate(fixups[i].row, word, (int32_t)(at[fixups[i].target] - fixups[i].from) - fixups[i].subtract);
        memcpy(code + fixups[i].at, &word, fixups[i].row->length);
    }
}

// ---- snippets

static void list(unsigned number, size_t from) {
    char text[128];
    if (!options.listing) return;
    fprintf(options.listing, "snippet %u\n", number);
    for (size_t at = from; at < code_size;) {
        unsigned length = guest_riscv64.disassemble(code + at, code_size - at, TEXT_BASE + at, options.features, text, sizeof text);
        fprintf(options.listing, "  %zx: %s\n", TEXT_BASE + at, text);
        at += length ? length : 2;
    }
}

static unsigned keep_register(void) {
    unsigned reg;
    do reg = 1 + below(31);
    while (is_kept(reg));
    snippet.kept |= 1U << reg;
    return reg;
}

static void emit_function(void) {
    size_t over = code_size;
    emit_jal(0, over);
    snippet.function = code_size;
    emit_body(false);
    emit(i_type(0x67, 0, 0, snippet.link, 0), 4);  // jalr x0, 0(link)
    size_t end = code_size;
    code_size = over;
    emit_jal(0, end);
    code_size = end;
}

static void emit_middle(void) {
    if (!options.loops) {
        emit_body(false);
        return;
    }
    snippet.link = keep_register();
    for (unsigned i = 0; i < LOOPS; i++) emit_addi(snippet.counter[i] = keep_register(), 0, 0);
    emit_function();
    emit_body(true);
}

static void emit_snippet(unsigned number) {
    size_t start = code_size;
    seed_random(number);
    unsigned base = 1 + below(31), other = base == 31 ? 1 : base + 1;
    snippet.base = base;
    snippet.kept = 1U << base;
    emit_constant(base, DATA_BASE + number * RECORD_WORDS * 8);
    emit_load(0x03, other, base, FCSR);
    emit(i_type(0x73, 1, 0, other, 3), 4);  // csrrw x0, fcsr
    for (unsigned i = 0; i < 32; i++) emit_load(0x07, i, base, FLOATS + i);
    for (unsigned i = 1; i < 32; i++) {
        if (i != base) emit_load(0x03, i, base, i);
    }
    size_t body = code_size;
    emit_middle();
    list(number, body);
    for (unsigned i = 0; i < 32; i++) emit_store(0x27, i, base, FLOATS + i);
    for (unsigned i = 1; i < 32; i++) {
        if (i != base) emit_store(0x23, i, base, i);
    }
    emit(i_type(0x73, 2, other, 0, 3), 4);  // csrrs other, fcsr
    emit_store(0x23, other, base, FCSR);
    emit_load(0x03, other, base, TURNS);
    emit_addi(other, other, -1);
    emit_store(0x23, other, base, TURNS);
    emit(0x63 | other << 15 | 8 << 7, 4);  // beq other, x0, over the jump
    emit_jal(0, start);
}

static void emit_handler(void) {
    emit_constant(11, area());
    emit_constant(5, TEXT_BASE);
    emit_store(0x23, 5, 11, 0);  // sa_handler
    emit_store(0x23, 0, 11, 1);
    emit_store(0x23, 0, 11, 2);
    emit_constant(10, 11);  // SIGSEGV
    emit_constant(12, 0);
    emit_constant(13, 8);
    emit_constant(17, 134);  // rt_sigaction
    emit(0x73, 4);
}

static void emit_end(uint32_t size) {
    emit_constant(10, 1);
    emit_constant(11, DATA_BASE);
    emit_constant(12, size);
    emit_constant(17, 64);  // write
    emit(0x73, 4);
    emit_constant(10, 0);
    emit_constant(17, 93);  // exit
    emit(0x73, 4);
}

static void fill_record(uint64_t *record, unsigned number) {
    seed_random(~(uint64_t)number);
    for (unsigned i = 0; i < FCSR; i++) record[i] = register_value(i >= FLOATS);
    record[0] = number;
    record[FCSR] = below(5) << 5 | below(32);
    record[TURNS] = 1 + below(options.turns);
}

static int write_program(const uint64_t *data, size_t data_size) {
    Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_EXEC,
                         .e_machine = EM_RISCV,
                         .e_version = EV_CURRENT,
                         .e_entry = TEXT_BASE,
                         .e_phoff = sizeof header,
                         .e_flags = EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 2};
    size_t data_at = PAGE + (code_size + PAGE - 1) / PAGE * PAGE;
    Elf64_Phdr segments[] = {{.p_type = PT_LOAD,
                              .p_flags = PF_R | PF_X,
                              .p_offset = PAGE,
                              .p_vaddr = TEXT_BASE,
                              .p_filesz = code_size,
                              .p_memsz = code_size,
                              .p_align = PAGE},
                             {.p_type = PT_LOAD,
                              .p_flags = PF_R | PF_W,
                              .p_offset = data_at,
                              .p_vaddr = DATA_BASE,
                              .p_filesz = data_size,
                              .p_memsz = data_size,
                              .p_align = PAGE}};
    FILE *file = fopen(options.output, "wb");
    if (!file) return -1;
    fwrite(&header, sizeof header, 1, file);
    fwrite(segments, sizeof segments, 1, file);
    fseek(file, PAGE, SEEK_SET);
    fwrite(code, code_size, 1, file);
    fseek(file, (long)data_at, SEEK_SET);
    fwrite(data, data_size, 1, file);
    return fclose(file);
}

static void parse(int argc, char **argv) {
    static const struct option names[] = {
        {"seed", 1, 0, 's'},   {"snippets", 1, 0, 'n'}, {"only", 1, 0, 'i'},  {"turns", 1, 0, 't'},   {"cpu", 1, 0, 'c'},
        {"output", 1, 0, 'o'}, {"listing", 1, 0, 'l'},  {"loops", 0, 0, 'L'}, {"handler", 0, 0, 'H'}, {0}};
    char why[256];
    long only = -1;
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 's': options.seed = strtoull(optarg, NULL, 0); break;
        case 'n': options.snippets = (unsigned)atoi(optarg); break;
        case 't': options.turns = (unsigned)atoi(optarg); break;
        case 'i': only = atol(optarg); break;
        case 'o': options.output = optarg; break;
        case 'L': options.loops = true; break;
        case 'H': options.handler = true; break;
        case 'l': options.listing = fopen(optarg, "w"); break;
        case 'c':
            if (riscv64_parse_cpu(optarg, &options.features, why, sizeof why)) {
                fprintf(stderr, "make_random: --cpu: %s\n", why);
                exit(2);
            }
            break;
        default: exit(2);
        }
    }
    if (!options.output || !options.snippets || !options.turns) {
        fprintf(
            stderr,
            "usage: make_random --seed N --snippets N [--turns MOST] [--loops] [--handler] [--only I] [--cpu TEXT] --output FILE "
            "[--listing FILE]\n");
        exit(2);
    }
    options.from = only < 0 ? 0 : (unsigned)only;
    options.to = only < 0 ? options.snippets : options.from + 1;
}

int main(int argc, char **argv) {
    parse(argc, argv);
    size_t words = options.snippets * (size_t)RECORD_WORDS + AREA_SIZE / 8;
    uint64_t *data = calloc(words, sizeof *data);
    if (!data) abort();
    for (unsigned i = 0; i < options.snippets; i++) fill_record(data + i * (size_t)RECORD_WORDS, i);
    for (size_t i = options.snippets * (size_t)RECORD_WORDS; i < words; i++) data[i] = register_value(below(2));
    if (options.handler) emit_handler();
    for (unsigned i = options.from; i < options.to; i++) emit_snippet(i);
    emit_end((uint32_t)(words * sizeof *data));
    if (write_program(data, words * sizeof *data)) {
        fprintf(stderr, "make_random: %s: %s\n", options.output, strerror(errno));
        return 1;
    }
    if (options.listing) fclose(options.listing);
    free(data);
    free(code);
    return 0;
}
