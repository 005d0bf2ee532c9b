// Makes a riscv64 program that carries out each vector instruction a few times, for make_vector_cases.py, which turns what comes out into cases of
// test_insn: make_vector_cases --seed N OUTPUT. It is one of tests/random's programs, with a snippet of one instruction for each case and test_insn's
// scratch memory in the records; on standard output a line for each case: encoding, name of the row, text. Records are zero but for what the instruction reads.
#include "tests/random/random_vector.h"
#include "translator/guest/riscv64/csr.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 2, BASE = 31, OTHER = 30, THIRD = 29, MOST_STRIDE = 8, MOST_OFFSET = 64, MOST_INDEX = 120 };

static struct vector_choice *chosen;
static unsigned count;

static const struct insn_row *row_of(const struct vector_choice *choice) {
    return &riscv64_insn_table[choice->insn.op];
}

static bool reads(const struct vector_choice *choice, unsigned reg) {
    const struct insn_row *row = row_of(choice);
    return (has_operand(row, 's') && choice->insn.rs1 == reg) || (has_operand(row, 't') && choice->insn.rs2 == reg);
}

// The first case of a row is unmasked, of one register or part of one; the second is masked, often of two.
static bool is_wished(const struct vector_choice *choice, unsigned number, unsigned tries) {
    bool masked = has_operand(row_of(choice), 'K') && !(choice->insn.bits >> 25 & 1);
    if (reads(choice, BASE)) return false;
    if (tries > 2000) return true;
    if (has_operand(row_of(choice), 'K') && masked != (number % CASES == 1)) return false;
    if (number % CASES == 1 && choice->insn.op % 3 == 0) return choice->lmul == 1;
    return choice->lmul <= 0 && choice->lmul >= -1 - (int)(number % CASES);
}

static bool choose(unsigned op, unsigned number, struct vector_choice *choice) {
    for (unsigned tries = 0; tries < 4000; tries++) {
        snippet.sew = 4;
        if (pick_vector_of(op, choice) && is_wished(choice, number, tries)) return true;
    }
    fprintf(stderr, "no case of %s\n", riscv64_insn_table[op].name);
    return false;
}

static void choose_all(void) {
    chosen = calloc((size_t)CASES * (INSN_COUNT - INSN_VECTOR_FIRST), sizeof *chosen);
    if (!chosen) abort();
    snippet.kept = 1U << BASE;
    for (unsigned op = INSN_VECTOR_FIRST; op < INSN_COUNT; op++) {
        unsigned cases = vector_fields(&riscv64_insn_table[op]) > 1 ? 1 : CASES;
        unsigned first = cases == 1 ? op % CASES : 0;
        seed_random(op);
        for (unsigned i = first; i < first + cases; i++) count += choose(op, i, &chosen[count]);
    }
}

// ---- code

static void emit_memory(bool load) {
    emit_constant(OTHER, SCRATCH);
    for (unsigned i = 0; i < MEMORY_WORDS; i++) {
        emit_load(0x03, THIRD, load ? BASE : OTHER, load ? MEMORY + i : i);
        emit_store(0x23, THIRD, load ? OTHER : BASE, load ? i : MEMORY + i);
    }
}

static void emit_case(unsigned number) {
    emit_constant(BASE, DATA_BASE + number * CASE_RECORD * 8);
    emit_vector_start(BASE, OTHER);
    emit_memory(true);
    emit_load(0x03, OTHER, BASE, FCSR);
    emit(i_type(0x73, 1, 0, OTHER, CSR_FCSR), 4);
    for (unsigned i = 0; i < 32; i++) emit_load(0x07, i, BASE, FLOATS + i);
    for (unsigned i = 1; i < BASE; i++) emit_load(0x03, i, BASE, i);
    emit(chosen[number].insn.bits, 4);
    for (unsigned i = 0; i < 32; i++) emit_store(0x27, i, BASE, FLOATS + i);
    for (unsigned i = 1; i < BASE; i++) emit_store(0x23, i, BASE, i);
    emit(i_type(0x73, 2, OTHER, 0, CSR_FCSR), 4);
    emit_store(0x23, OTHER, BASE, FCSR);
    emit_vector_end(BASE, OTHER);
    emit_memory(false);
}

// ---- data

static void put(uint64_t *record, unsigned reg, size_t at, const void *bytes, size_t size) {
    memcpy((uint8_t *)(record + VECTORS + 2 * (size_t)reg) + at, bytes, size);
}

static bool is_float(const struct insn_row *row) {
    return row->name[1] == 'f' && strncmp(row->name, "vfirst", 6) != 0 ? true : strncmp(row->name, "vmf", 3) == 0;
}

static void fill_group(uint64_t *record, const struct insn_row *row, unsigned reg, struct vector_group group) {
    unsigned kind = group.eew >= 0 ? (unsigned)group.eew : 8;
    if (kind == 3) kind = 7;
    if (is_float(row) && group.eew >= 2) kind = group.eew == 2 ? 3 : 5;
    for (unsigned i = 0; i < 2U * group.count && reg + i / 2 < 32; i++) {
        uint64_t word = vector_word(kind);
        put(record, reg, i * sizeof word, &word, sizeof word);
    }
}

static void fill_few(uint64_t *record, const struct vector_choice *choice, unsigned length) {
    unsigned fields = vector_fields(row_of(choice)), registers = choice->shape.vd.count / fields;
    for (unsigned i = 0; i < fields; i++) {
        uint64_t words[] = {next_random(), next_random(), next_random(), next_random()};
        put(record, choice->insn.rd + i * registers, 0, words, (size_t)length << choice->shape.vd.eew);
    }
}

static void fill_offsets(uint64_t *record, const struct vector_choice *choice) {
    unsigned eew = (unsigned)choice->shape.vs2.eew;
    for (size_t at = 0; at < choice->shape.vs2.count * 16U; at += (size_t)1 << eew) {
        uint64_t index = below(MOST_INDEX + 1) & ~(below(2) ? 7U : 0);
        put(record, choice->insn.rs2, at, &index, (size_t)1 << eew);
    }
}

static void fill_memory_operands(uint64_t *record, const struct vector_choice *choice, unsigned length) {
    const struct insn_row *row = row_of(choice);
    unsigned fields = vector_fields(row);
    bool store = row->name[1] == 's';
    memset(record + VECTORS + 2 * (size_t)choice->insn.rd, 0, 16 * (size_t)choice->shape.vd.count);
    if (store && fields > 1) fill_few(record, choice, length);
    else if (store || choice->shape.vd.count == 1) fill_group(record, row, choice->insn.rd, choice->shape.vd);
    if (vector_index_eew(row) >= 0) fill_offsets(record, choice);
    record[choice->insn.rs1] = SCRATCH + below(MOST_OFFSET + 1);
    if (has_operand(row, 't')) {
        record[choice->insn.rs1] = SCRATCH + 96;
        if (choice->insn.rs2) record[choice->insn.rs2] = (uint64_t)((int64_t)below(2 * MOST_STRIDE + 1) - MOST_STRIDE);
    }
    for (size_t i = 0; i < (size_t)MEMORY_WORDS * 8; i++) ((uint8_t *)(record + MEMORY))[i] = (uint8_t)i;
}

static void fill_operands(uint64_t *record, const struct vector_choice *choice) {
    const struct insn_row *row = row_of(choice);
    const struct insn *insn = &choice->insn;
    bool moves = strstr(row->name, "slide") || strstr(row->name, "gather");
    if (has_operand(row, 'X')) fill_group(record, row, insn->rs2, choice->shape.vs2);
    if (has_operand(row, 'W')) fill_group(record, row, insn->rs1, choice->shape.vs1);
    if (has_operand(row, 'V') && choice->shape.vd.count <= 2) fill_group(record, row, insn->rd, choice->shape.vd);
    if (has_operand(row, 's') && insn->rs1) record[insn->rs1] = moves ? below(5) : integer_value();
    if (has_operand(row, 'S'))
        record[FLOATS + insn->rs1] = choice->sew == 3 ? float_value(11, 52) : UINT64_C(0xffffffff00000000) | float_value(8, 23);
}

static void fill_set(uint64_t *record, const struct insn *insn) {
    if (insn->op != INSN_vsetivli && insn->rs1) record[insn->rs1] = below(20);
    if (insn->op == INSN_vsetvl) record[insn->rs2] = vtype_bits(below(4), (int)below(4));
}

static unsigned case_length(const struct vector_choice *choice) {
    const struct insn_row *row = row_of(choice);
    unsigned fields = vector_fields(row), most = 16U >> choice->sew;
    unsigned length = random_length(choice);
    most = choice->lmul < 0 ? most >> -choice->lmul : most << choice->lmul;
    if (length == 0 && below(8)) length = most;
    if (has_operand(row, 't') && is_memory(row) && most > 8) most = 8;
    if (fields > 1 && most > 2 + (fields < 5)) most = 2 + (fields < 5);
    return length > most ? most : length;
}

static void fill_case(uint64_t *record, const struct vector_choice *choice) {
    const struct insn_row *row = row_of(choice);
    bool sets = choice->insn.op == INSN_vsetvli || choice->insn.op == INSN_vsetivli || choice->insn.op == INSN_vsetvl;
    unsigned length = case_length(choice);
    record[VL] = length;
    record[VTYPE] = vtype_bits(choice->sew, choice->lmul);
    record[VCSR] = below(4) << 1;
    if (is_float(row)) record[FCSR] = (below(3) ? 0 : below(5)) << 5;
    if (below(12) == 0) record[VSTART] = 1;
    if (sets) fill_set(record, &choice->insn);
    else if (is_memory(row)) fill_memory_operands(record, choice, length);
    else fill_operands(record, choice);
    if ((has_operand(row, 'K') && !(choice->insn.bits >> 25 & 1)) || has_operand(row, 'M'))
        record[VECTORS] = next_random(), record[VECTORS + 1] = length > 64 ? next_random() : 0;
}

static void print_case(const struct vector_choice *choice) {
    char text[128];
    guest_riscv64.disassemble((const uint8_t *)&choice->insn.bits, 4, 0, RV_ALL, text, sizeof text);
    printf("%08x %s %s\n", choice->insn.bits, row_of(choice)->name, text);
}

int main(int argc, char **argv) {
    if (argc != 4 || strcmp(argv[1], "--seed")) {
        fprintf(stderr, "usage: make_vector_cases --seed N OUTPUT\n");
        return 2;
    }
    options.seed = strtoull(argv[2], NULL, 0);
    options.output = argv[3];
    options.vectors = options.cases = true;
    choose_all();
    options.snippets = count;
    emit_illegal_handler();
    for (unsigned i = 0; i < count; i++) emit_case(i);
    size_t words = (illegal_map() - DATA_BASE + code_size) / 8 + 1;
    uint64_t *data = calloc(words, sizeof *data);
    if (!data) abort();
    for (unsigned i = 0; i < count; i++) {
        seed_random(~(uint64_t)i);
        fill_case(data + i * (size_t)CASE_RECORD, &chosen[i]);
        print_case(&chosen[i]);
    }
    emit_end((uint32_t)(words * sizeof *data));
    if (write_program(data, words * sizeof *data)) {
        fprintf(stderr, "make_vector_cases: %s: %s\n", options.output, strerror(errno));
        return 1;
    }
    return 0;
}
