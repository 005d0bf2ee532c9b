// Makes a riscv64 program of random instructions, for comparing translators: make_random --seed N --snippets N --output FILE.
//
// The program is a row of snippets. Each loads all registers and fcsr from its record, executes some random instructions, stores
// everything back into the record, and does so a few times over. At its end the program writes all records and the memory that
// its loads and stores went to on standard output. Whatever the rows of insns.def allow is generated, with what keeps a program
// under control: one register of a snippet always points to its record, memory operands point into the memory area, jumps
// go forward inside the snippet, and frm holds a rounding mode. With --loops a snippet also has two counted loops, one in the other, calls of small functions,
// which call each other, and the last one itself, also by way of a table, and numbers read and copied byte by byte. With --handler it first takes SIGSEGV,
// which never comes: translators may make other code then. A snippet depends on nothing but the seed and its number, so that it can be made alone (--only).
//
// With --vectors most instructions are of V and the extensions beside it, without it none. Records have the vector registers and CSRs then. vtype and the
// registers are mostly chosen so that the instruction is legal (vector_shape.c); what is not is skipped by a handler of SIGILL, which counts it in the
// record and notes it in a map of the program's halfwords. --names writes the names of the rows that this is about.
#include "tests/random/random_pieces.h"
#include "tests/random/random_vector.h"
#include "translator/guest/riscv64/csr.h"
#include "translator/guest/riscv64/insn_table.h"
#include <elf.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MARGIN = 64,  // bytes for memory operands, and the largest access
    MAX_INSTRUCTIONS = 24,  // of a snippet
    NEAR = 1000,  // bytes that a jump inside a snippet spans at most
    MOST_ROUNDS = 6,
    MOST_DEPTH = 3,
    TABLE = 4,  // addresses of functions
    STACK = 512,  // bytes at the end of the memory area, for functions that call others
};

struct fixup {
    size_t at;  // of the instruction whose immediate is to be filled in
    size_t from;  // what the distance counts from
    unsigned target;  // number of the instruction to go to
    int32_t subtract;
    const struct insn_row *row;
};

static void emit_valid_rounding(void) {
    emit(i_type(0x73, 5, 0, below(5), 2), 4);
}  // csrrwi x0, frm

// ---- random instructions

static bool is_branch(const struct insn_row *row) {
    return *row->assembly && row->assembly[strlen(row->assembly) - 1] == 'b';
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

static unsigned random_csr(void) {
    static const uint16_t csrs[] = {CSR_FFLAGS, CSR_FRM,  CSR_FCSR, CSR_VSTART, CSR_VXSAT,
                                    CSR_VXRM,   CSR_VCSR, CSR_VL,   CSR_VTYPE,  CSR_VLENB};
    return csrs[below(options.vectors ? sizeof csrs / sizeof *csrs : 3)];
}

// Operands that `row` allows and that leave alone what is kept.
static bool pick_operands(unsigned op, struct insn *insn) {
    const struct insn_row *row = &riscv64_insn_table[op];
    uint32_t word = row->match | ((uint32_t)next_random() & ~row->mask);
    if (row->length == 2) word &= 0xffff;
    if (has_field(row, FIELD_CSR)) word = (word & 0xfffff) | random_csr() << 20;
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
    unsigned op = below(INSN_VECTOR_FIRST);
    for (unsigned tries = 0; is_wanted(op) && tries < 64; tries++) {
        if (pick_operands(op, insn)) return true;
    }
    return false;
}

// Vector accesses may go anywhere: beside them there is no stack.
static unsigned functions(void) {
    return options.vectors ? 1 : FUNCTIONS;
}

static uint32_t random_address(void) {
    return area() + below(AREA_SIZE - MARGIN - (options.loops && functions() > 1 ? STACK : 0));
}

static uint32_t area_address(const struct insn *insn) {
    uint32_t at = random_address();
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

// Of one of the first so many functions; from where all may be called that may be any of them, by the table.
static void emit_call(unsigned callable) {
    bool all = callable == functions(), by_table = all && callable > 1 && below(2);
    if (all && callable > 1) emit_addi(snippet.depth, 0, 1 + (int32_t)below(MOST_DEPTH));
    emit_jal(snippet.link, by_table ? snippet.by_table : snippet.function[below(callable)]);
}

static void fill_in(const struct fixup *fixup, size_t target) {
    struct insn insn;
    uint32_t word;
    int32_t distance = (int32_t)(target - fixup->from) - fixup->subtract;
    memcpy(&word, code + fixup->at, 4);
    word = with_immediate(fixup->row, word, distance);
    riscv64_decode_word(word, RV_ALL, &insn);
    if (insn.imm != distance) abort();
    memcpy(code + fixup->at, &word, fixup->row->length);
}

// With loops or without, and calls of the first so many functions.
static void emit_body(bool loops, unsigned callable) {
    struct fixup fixups[MAX_INSTRUCTIONS];
    struct loop loop[LOOPS] = {{0}};
    size_t at[MAX_INSTRUCTIONS + 1];
    unsigned count = 4 + below(MAX_INSTRUCTIONS - 4), fixup_count = 0, pieces = options.loops ? below(2 * count) : count;
    if (loops) choose_loops(loop, count);
    for (unsigned i = 0; i < count; i++) {
        struct insn insn;
        struct vector_choice choice;
        bool vector = options.vectors && below(6);
        while (!(vector ? pick_vector(&choice) : pick_instruction(&insn))) {}
        unsigned target = i + 1 + below(4);
        at[i] = code_size;
        if (loops) begin_loops(loop, i);
        if (vector) emit_vector(&choice);
        else emit_instruction(&insn, target < count ? target : count, fixups, &fixup_count);
        if (callable && below(loops ? 6 : 12) == 0) emit_call(callable);
        if (i == pieces) emit_pieces(random_address(), random_address());
        if (loops) end_loops(loop, i);
    }
    at[count] = code_size;
    for (unsigned i = 0; i < fixup_count; i++) fill_in(&fixups[i], at[fixups[i].target]);
}

// ---- snippets

static unsigned keep(unsigned reg) {
    snippet.kept |= 1U << reg;
    return reg;
}

static unsigned keep_register(void) {
    return keep(free_register());
}

static void emit_function(unsigned number) {
    const struct insn_row *bge = &riscv64_insn_table[INSN_bge];
    snippet.function[number] = code_size;
    if (number) {
        emit_addi(snippet.stack, snippet.stack, -16);
        emit_store(0x23, snippet.link, snippet.stack, 0);
    }
    emit_body(false, number);
    if (number == FUNCTIONS - 1) {
        emit_addi(snippet.depth, snippet.depth, -1);
        emit(with_immediate(bge, bge->match | snippet.depth << 20, 8), 4);  // of zero and it
        emit_jal(snippet.link, snippet.function[number]);
    }
    if (number) {
        emit_load(0x03, snippet.link, snippet.stack, 0);
        emit_addi(snippet.stack, snippet.stack, 16);
    }
    emit(i_type(0x67, 0, 0, snippet.link, 0), 4);  // jalr x0, 0(link)
}

// Goes to one of the functions, by whatever is in some register.
static void emit_by_table(void) {
    uint32_t table = TEXT_BASE + (uint32_t)code_size;
    for (unsigned i = 0; i < TABLE; i++) {
        emit(TEXT_BASE + (uint32_t)snippet.function[below(FUNCTIONS)], 4);
        emit(0, 4);
    }
    snippet.by_table = code_size;
    unsigned index = free_register(), at;
    do at = free_register();
    while (at == index);
    emit(i_type(0x13, 7, index, below(32), (TABLE - 1) * 8), 4);  // andi
    emit_constant(at, table);
    emit(r_type(0x33, 0, 0, at, at, index), 4);  // add
    emit_load(0x03, at, at, 0);
    emit(i_type(0x67, 0, 0, at, 0), 4);  // jalr x0, 0(at)
}

static void emit_functions(void) {
    size_t over = code_size;
    emit_jal(0, over);
    for (unsigned i = 0; i < functions(); i++) emit_function(i);
    if (functions() > 1) emit_by_table();
    size_t end = code_size;
    code_size = over;
    emit_jal(0, end);
    code_size = end;
}

static void emit_middle(void) {
    if (!options.loops) {
        emit_body(false, 0);
        return;
    }
    snippet.link =
        below(2) ? keep_register() : keep(is_kept(1) ? 5 : 1);  // 1 and 5 are those that the manual has calls predicted by
    for (unsigned i = 0; i < LOOPS; i++) emit_addi(snippet.counter[i] = keep_register(), 0, 0);
    if (functions() > 1) {
        emit_addi(snippet.depth = keep_register(), 0, 0);
        emit_constant(snippet.stack = keep_register(), area() + AREA_SIZE);
    }
    emit_functions();
    emit_body(true, functions());
}

static void emit_snippet(unsigned number) {
    size_t start = code_size;
    seed_random(number);
    unsigned base = 1 + below(31), other = base == 31 ? 1 : base + 1;
    snippet.base = base;
    snippet.kept = 1U << base;
    emit_constant(base, DATA_BASE + number * record_words() * 8);
    if (options.vectors) emit_vector_start(base, other);
    snippet.sew = 4;  // nothing is known
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
    if (options.vectors) emit_vector_end(base, other);
    emit_load(0x03, other, base, TURNS);
    emit_addi(other, other, -1);
    emit_store(0x23, other, base, TURNS);
    emit(0x63 | other << 15 | 8 << 7, 4);  // beq other, x0, over the jump
    emit_jal(0, start);
}

static void emit_handler(void) {
    emit_sigaction(11, TEXT_BASE, 0, area());  // SIGSEGV
}

static void fill_record(uint64_t *record, unsigned number) {
    seed_random(~(uint64_t)number);
    for (unsigned i = 0; i < FCSR; i++) record[i] = register_value(i >= FLOATS);
    record[0] = number;
    record[FCSR] = below(5) << 5 | below(32);
    record[TURNS] = 1 + below(options.turns);
    if (options.vectors) fill_vectors(record);
}

static void parse(int argc, char **argv) {
    static const struct option names[] = {{"seed", 1, 0, 's'},    {"snippets", 1, 0, 'n'}, {"only", 1, 0, 'i'},
                                          {"turns", 1, 0, 't'},   {"cpu", 1, 0, 'c'},      {"output", 1, 0, 'o'},
                                          {"listing", 1, 0, 'l'}, {"loops", 0, 0, 'L'},    {"handler", 0, 0, 'H'},
                                          {"vectors", 0, 0, 'V'}, {"names", 0, 0, 'N'},    {0}};
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
        case 'V': options.vectors = true; break;
        case 'N': list_names(); exit(0);
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
            "usage: make_random --seed N --snippets N [--turns MOST] [--loops] [--handler] [--vectors] [--only I] [--cpu TEXT] --output FILE "
            "[--listing FILE]\n");
        exit(2);
    }
    options.from = only < 0 ? 0 : (unsigned)only;
    options.to = only < 0 ? options.snippets : options.from + 1;
}

static void fill_data(uint64_t *data) {
    size_t from = options.snippets * (size_t)record_words();
    for (unsigned i = 0; i < options.snippets; i++) fill_record(data + i * (size_t)record_words(), i);
    for (size_t i = from; i < from + AREA_SIZE / 8; i++) data[i] = register_value(below(2));
    if (options.vectors) fill_indices(data + (index_table() - DATA_BASE) / 8);
}

int main(int argc, char **argv) {
    parse(argc, argv);
    if (options.vectors) emit_illegal_handler();
    if (options.handler) emit_handler();
    for (unsigned i = options.from; i < options.to; i++) emit_snippet(i);
    size_t words = (options.vectors ? illegal_map() - DATA_BASE + code_size : area() + AREA_SIZE - DATA_BASE) / 8 + options.vectors;
    uint64_t *data = calloc(words, sizeof *data);
    if (!data) abort();
    fill_data(data);
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
