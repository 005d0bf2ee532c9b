// See the header.
#include "tests/random/random_code.h"
#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct random_options options = {.snippets = 400, .turns = 4, .features = RV_ALL};
struct random_snippet snippet;
uint8_t *code;
size_t code_size;
static size_t code_room;
static uint64_t random_state;

uint64_t next_random(void) {  // xorshift64*
    random_state ^= random_state >> 12, random_state ^= random_state << 25, random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

unsigned below(unsigned limit) {
    return (unsigned)(next_random() >> 33) % limit;
}

void seed_random(uint64_t number) {
    random_state = (options.seed + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (number + 1) * UINT64_C(0xd1342543de82ef95);
    if (!random_state) random_state = 1;
    for (int i = 0; i < 8; i++) next_random();
}

// ---- values that matter

uint64_t integer_value(void) {
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
uint64_t float_value(unsigned exponent, unsigned fraction) {
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

uint64_t register_value(bool is_float) {
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

void emit(uint32_t word, unsigned length) {
    if (code_size + 4 > code_room) {
        code_room = code_room ? code_room * 2 : 1 << 20;
        code = realloc(code, code_room);
        if (!code) abort();
    }
    memcpy(code + code_size, &word, 4);
    code_size += length;
}

uint32_t r_type(uint32_t opcode, unsigned funct3, unsigned funct7, unsigned rd, unsigned rs1, unsigned rs2) {
    return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | funct7 << 25;
}

uint32_t i_type(uint32_t opcode, unsigned funct3, unsigned rd, unsigned rs1, int32_t imm) {
    return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | (uint32_t)imm << 20;
}

uint32_t s_type(uint32_t opcode, unsigned funct3, unsigned rs2, unsigned rs1, uint32_t imm) {
    return opcode | (imm & 31) << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | imm >> 5 << 25;
}

void emit_addi(unsigned rd, unsigned rs1, int32_t imm) {
    emit(i_type(0x13, 0, rd, rs1, imm), 4);
}

void emit_load(uint32_t opcode, unsigned rd, unsigned base, unsigned word) {
    emit(i_type(opcode, 3, rd, base, (int32_t)word * 8), 4);
}

void emit_store(uint32_t opcode, unsigned rs2, unsigned base, unsigned word) {
    emit(s_type(opcode, 3, rs2, base, word * 8), 4);
}

void emit_constant(unsigned rd, uint32_t value) {  // below 2^31 - 2^11: lui, addi
    emit(0x37 | rd << 7 | ((value + 0x800) & 0xfffff000), 4);
    emit_addi(rd, rd, (int32_t)(value << 20) >> 20);
}

void emit_csr_immediate(unsigned csr, unsigned value) {  // csrrwi x0
    emit(i_type(0x73, 5, 0, value, (int32_t)csr), 4);
}

// Bits of an encoding that are immediate, as the value that each of them adds: found by asking the decoder.
uint32_t with_immediate(const struct insn_row *row, uint32_t word, int32_t value) {
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

void emit_jal(unsigned rd, size_t target) {
    const struct insn_row *jal = &riscv64_insn_table[INSN_jal];
    emit(with_immediate(jal, jal->match | rd << 7, (int32_t)(target - code_size)), 4);
}

void emit_end(uint32_t size) {
    emit_constant(10, 1);
    emit_constant(11, DATA_BASE);
    emit_constant(12, size);
    emit_constant(17, 64);  // write
    emit(0x73, 4);
    emit_constant(10, 0);
    emit_constant(17, 93);  // exit
    emit(0x73, 4);
}

void list(unsigned number, size_t from) {
    char text[128];
    if (!options.listing) return;
    fprintf(options.listing, "snippet %u\n", number);
    for (size_t at = from; at < code_size;) {
        unsigned length = guest_riscv64.disassemble(code + at, code_size - at, TEXT_BASE + at, options.features, text, sizeof text);
        fprintf(options.listing, "  %zx: %s\n", TEXT_BASE + at, text);
        at += length ? length : 2;
    }
}

// ---- of rows and snippets

bool has_field(const struct insn_row *row, enum insn_field_kind kind) {
    for (unsigned i = 0; i < row->fields; i++) {
        if (row->field[i].kind == kind) return true;
    }
    return false;
}

bool is_memory(const struct insn_row *row) {
    return strstr(row->assembly, "(s)") != NULL;
}

bool is_kept(unsigned reg) {
    return snippet.kept >> reg & 1;
}

unsigned free_register(void) {
    unsigned reg;
    do reg = 1 + below(31);
    while (is_kept(reg));
    return reg;
}

// ---- the program

unsigned record_words(void) {
    return options.cases ? CASE_RECORD : options.vectors ? LONG_RECORD : SHORT_RECORD;
}

uint32_t area(void) {
    return DATA_BASE + options.snippets * record_words() * 8;
}

uint32_t index_table(void) {
    return area() + AREA_SIZE;
}

uint32_t illegal_map(void) {
    return index_table() + 4 * INDEX_ROOM;
}

int write_program(const uint64_t *data, size_t data_size) {
    Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_EXEC,
                         .e_machine = EM_RISCV,
                         .e_version = EV_CURRENT,
                         .e_entry = TEXT_BASE,
                         .e_phoff = sizeof header,
                         .e_flags = EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = (uint16_t)(2 + options.vectors + options.cases)};
    size_t data_at = PAGE + (code_size + PAGE - 1) / PAGE * PAGE;
    Elf64_Phdr segments[] = {
        {.p_type = PT_LOAD,
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
         .p_align = PAGE},
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_W,
         .p_offset = data_at,  // anything
         .p_vaddr = SPARE_BASE,
         .p_filesz = SPARE_SIZE,
         .p_memsz = SPARE_SIZE,
         .p_align = PAGE},
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = PAGE, .p_vaddr = SCRATCH_PAGE, .p_memsz = PAGE, .p_align = PAGE}};
    if (data_size < SPARE_SIZE) segments[2].p_filesz = 0;
    FILE *file = fopen(options.output, "wb");
    if (!file) return -1;
    fwrite(&header, sizeof header, 1, file);
    fwrite(segments, sizeof *segments, header.e_phnum, file);
    fseek(file, PAGE, SEEK_SET);
    fwrite(code, code_size, 1, file);
    fseek(file, (long)data_at, SEEK_SET);
    fwrite(data, data_size, 1, file);
    return fclose(file);
}

void emit_sigaction(unsigned signal, uint32_t handler, uint32_t flags, uint32_t at) {
    emit_constant(11, at);
    emit_constant(5, handler);
    emit_store(0x23, 5, 11, 0);
    if (flags) emit_constant(5, flags);
    emit_store(0x23, flags ? 5 : 0, 11, 1);
    emit_store(0x23, 0, 11, 2);
    emit_constant(10, signal);
    emit_constant(12, 0);
    emit_constant(13, 8);
    emit_constant(17, 134);
    emit(0x73, 4);
}
