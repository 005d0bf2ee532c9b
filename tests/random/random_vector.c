// See the header.
#include "tests/random/random_vector.h"
#include "translator/guest/riscv64/csr.h"
#include <stdio.h>
#include <string.h>

enum {
    MARGIN = 256,  // bytes for memory operands, and the largest access
    FARTHEST = 4000,  // index
    LARGEST_STRIDE = 40,
};

// ---- choosing

unsigned vtype_bits(unsigned sew, int lmul) {
    return ((unsigned)lmul & 7) | sew << 3 | below(4) << 6;
}

static bool choose_type(const struct insn_row *row, struct vector_choice *choice) {
    choice->sew = snippet.sew, choice->lmul = snippet.lmul;
    bool fits = vector_shape(row, choice->sew, choice->lmul, &choice->shape) && (choice->shape.multiple == 1 || snippet.fours);
    // indices have to be within bounds whatever jumped here
    choice->set = !fits || below(4) == 0 || vector_index_eew(row) >= 0;
    if (!choice->set) return true;
    for (unsigned tries = 0; tries < 200; tries++) {
        choice->sew = below(4), choice->lmul = (int)below(7) - 3;
        if (vector_shape(row, choice->sew, choice->lmul, &choice->shape)) return true;
    }
    return false;
}

static unsigned pick_group(struct vector_group group) {
    unsigned reg = below(32) & ~(group.align - 1U);
    return reg + group.count <= 32 ? reg : 0;
}

static bool meet(unsigned a, struct vector_group of_a, unsigned b, struct vector_group of_b) {
    return a < b + of_b.count && b < a + of_a.count;
}

static uint32_t with_bits(uint32_t word, unsigned at, unsigned value) {
    return (word & ~(31U << at)) | value << at;
}

bool has_operand(const struct insn_row *row, char letter) {
    return strchr(row->assembly, letter) != NULL;
}

// Groups where the shape has them, with few overlaps that may be illegal.
static bool pick_groups(const struct insn_row *row, const struct vector_shape *shape, uint32_t *word) {
    bool v = has_operand(row, 'V'), w = has_operand(row, 'W'), x = has_operand(row, 'X');
    unsigned vd = pick_group(shape->vd), vs1 = pick_group(shape->vs1), vs2 = pick_group(shape->vs2);
    bool apart = shape->apart || below(4);
    bool with1 = v && w && meet(vd, shape->vd, vs1, shape->vs1) && (shape->apart || (apart && shape->vd.eew != shape->vs1.eew));
    bool with2 = v && x && meet(vd, shape->vd, vs2, shape->vs2) && (shape->apart || (apart && shape->vd.eew != shape->vs2.eew));
    if (with1 || with2 || (v && vd == 0 && !(*word >> 25 & 1) && has_operand(row, 'K') && below(8))) return false;
    if (v) *word = with_bits(*word, 7, vd);
    if (w) *word = with_bits(*word, 15, vs1);
    if (x) *word = with_bits(*word, 20, vs2);
    return true;
}

static bool leaves_kept(const struct insn_row *row, const struct insn *insn) {
    if (has_operand(row, 'd') && is_kept(insn->rd)) return false;
    if (!is_memory(row)) return true;
    if (insn->rs1 == 0 || is_kept(insn->rs1)) return false;
    return !has_operand(row, 't') || (insn->rs2 != insn->rs1 && !is_kept(insn->rs2));
}

static bool pick_vector_operands(unsigned op, struct vector_choice *choice) {
    const struct insn_row *row = &riscv64_insn_table[op];
    uint32_t word = row->match | ((uint32_t)next_random() & ~row->mask);
    if ((options.cases || below(24)) && !pick_groups(row, &choice->shape, &word)) return false;
    if (op == INSN_vsetvli || op == INSN_vsetivli) {
        if (below(8)) word = with_immediate(row, word, (int32_t)vtype_bits(choice->sew, choice->lmul));
    }
    riscv64_decode_word(word, options.features, &choice->insn);
    if (op == INSN_vsetvl && (choice->insn.rs2 == 0 || is_kept(choice->insn.rs2))) return false;
    return choice->insn.op == op && leaves_kept(row, &choice->insn);
}

bool pick_vector_of(unsigned op, struct vector_choice *choice) {
    if (!riscv64_has(options.features, riscv64_insn_table[op].needs) || !choose_type(&riscv64_insn_table[op], choice)) return false;
    for (unsigned tries = 0; tries < 200; tries++) {
        if (pick_vector_operands(op, choice)) return true;
    }
    return false;
}

bool pick_vector(struct vector_choice *choice) {
    unsigned op = INSN_VECTOR_FIRST + below(INSN_COUNT - INSN_VECTOR_FIRST);
    if (vector_fields(&riscv64_insn_table[op]) > 1 && below(2)) return false;  // there are so many of them
    return pick_vector_of(op, choice);
}

unsigned random_length(const struct vector_choice *choice) {
    int log = 4 + choice->lmul - (int)choice->sew;
    unsigned most = log < 0 ? 1 : 1U << log, length = below(most + 1);
    switch (below(8)) {
    case 0: length = most + below(most + 2); break;
    case 1:
    case 2: length = most; break;
    default: break;
    }
    return choice->shape.multiple == 4 && below(16) ? length & ~3U : length;
}

static void note_type(const struct vector_choice *choice, unsigned length) {
    snippet.sew = choice->sew, snippet.lmul = choice->lmul;
    snippet.fours = length % 4 == 0;
}

static void emit_set(const struct vector_choice *choice) {
    unsigned length = random_length(choice), reg = free_register(), type = vtype_bits(choice->sew, choice->lmul);
    uint32_t set = 0x7057 | free_register() << 7;
    if (below(2)) set &= ~(31U << 7);
    note_type(choice, length);
    if (length < 32 && below(2)) {
        emit(set | 3U << 30 | type << 20 | length << 15, 4);  // vsetivli
        return;
    }
    emit_constant(reg, length);
    if (below(8) == 0) set = (set & ~(31U << 7)) | reg << 7, reg = 0;  // as long as it gets
    emit(set | type << 20 | reg << 15, 4);  // vsetvli
}

// Makes the group of indices small ones.
static void emit_indices(const struct vector_choice *choice, int eew) {
    uint32_t from = index_table() + (uint32_t)eew * INDEX_ROOM + below((INDEX_ROOM - 128) / 16) * 16;
    unsigned registers = choice->shape.vs2.count;
    emit_csr_immediate(CSR_VSTART, 0);
    emit_constant(choice->insn.rs1, from);
    for (unsigned i = 0; i < registers && choice->insn.rs2 + i < 32; i++) {  // it may be anywhere
        emit(0x02800007 | (choice->insn.rs2 + i) << 7 | (uint32_t)choice->insn.rs1 << 15, 4);  // vl1re8.v
        if (i + 1 < registers) emit_addi(choice->insn.rs1, choice->insn.rs1, 16);
    }
}

// Of loads that stop at a fault: no segment of theirs may be in two pages, which qemu does not bear. Some are at the end of memory.
static uint32_t first_fault_address(const struct insn_row *row, unsigned fields) {
    unsigned segment = fields << vector_memory_eew(row);
    uint32_t end = SPARE_BASE + SPARE_SIZE;
    if (below(3) == 0) return end - segment * (1 + below(8));
    return ((area() + below(AREA_SIZE - PAGE)) & ~(PAGE - 1U)) + PAGE - MARGIN + below(MARGIN - 128);
}

static uint32_t vector_address(const struct insn_row *row) {
    bool far = has_operand(row, 't') || has_operand(row, 'X');  // strided, indexed
    if (strstr(row->name, "ff.v")) return first_fault_address(row, vector_fields(row));
    uint32_t at = far ? LARGEST_STRIDE * 130 + below(AREA_SIZE - 2 * LARGEST_STRIDE * 130) : below(AREA_SIZE - MARGIN);
    at += area();
    return below(4) ? at & ~15U : at;
}

// vstart beyond the end of whole registers ends qemu.
static void emit_start(const struct insn_row *row, const struct vector_choice *choice) {
    unsigned whole = is_memory(row) ? vector_whole(row) : 0, elements = whole * 16 >> choice->shape.vd.eew;
    if (whole) emit_csr_immediate(CSR_VSTART, below(8) ? 0 : below(elements < 32 ? elements : 32));
    else if (below(24) == 0) emit_csr_immediate(CSR_VSTART, below(16));
}

void emit_vector(const struct vector_choice *choice) {
    const struct insn *insn = &choice->insn;
    const struct insn_row *row = &riscv64_insn_table[insn->op];
    int index = vector_index_eew(row);
    if (choice->set) emit_set(choice);
    if (index >= 0) emit_indices(choice, index);
    if (is_memory(row)) emit_constant(insn->rs1, vector_address(row));
    if (is_memory(row) && has_operand(row, 't')) {
        int32_t stride = (int32_t)below(2 * LARGEST_STRIDE + 1) - LARGEST_STRIDE;
        if (insn->rs2) emit_addi(insn->rs2, 0, below(4) ? stride & ~7 : stride);
    }
    if (insn->op == INSN_vsetvl) emit_constant(insn->rs2, below(8) ? vtype_bits(choice->sew, choice->lmul) : below(1024));
    emit_start(row, choice);
    emit(insn->bits, insn->length);
    // qemu goes on with the former vl up to the next jump or write of a CSR
    if (strstr(row->name, "ff.v")) emit_csr_immediate(CSR_VSTART, 0);
    if (insn->op == INSN_vsetvl || insn->op == INSN_vsetvli || insn->op == INSN_vsetivli) note_type(choice, 1);
}

// ---- before and behind a snippet

enum { WHOLE_LOAD = 0xe2800007, WHOLE_STORE = 0xe2800027 };  // vl8re8.v, vs8r.v

static void emit_vectors(uint32_t load_or_store, unsigned base, unsigned other) {
    emit_addi(other, base, VECTORS * 8);
    for (unsigned i = 0; i < 32; i += 8) {
        emit(load_or_store | i << 7 | other << 15, 4);
        emit_addi(other, other, 128);
    }
}

void emit_vector_start(unsigned base, unsigned other) {
    unsigned third = other;
    while (third == other || third == base || third == 0) third = (third + 1) % 32;
    emit_constant(other, SPARE_BASE);
    emit_store(0x23, base, other, 0);
    emit_csr_immediate(CSR_VSTART, 0);
    emit_vectors(WHOLE_LOAD, base, other);
    emit_load(0x03, other, base, VL);
    emit_load(0x03, third, base, VTYPE);
    emit(0x80007057 | other << 15 | third << 20, 4);  // vsetvl x0
    emit_load(0x03, other, base, VCSR);
    emit(i_type(0x73, 1, 0, other, CSR_VCSR), 4);
    emit_load(0x03, other, base, VSTART);
    emit(i_type(0x73, 1, 0, other, CSR_VSTART), 4);
}

void emit_vector_end(unsigned base, unsigned other) {
    static const struct {
        uint16_t csr, word;
    } row[] = {{CSR_VSTART, VSTART}, {CSR_VL, VL}, {CSR_VTYPE, VTYPE}, {CSR_VCSR, VCSR}};
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        emit(i_type(0x73, 2, other, 0, row[i].csr), 4);
        emit_store(0x23, other, base, row[i].word);
    }
    emit_csr_immediate(CSR_VSTART, 0);
    emit_vectors(WHOLE_STORE, base, other);
}

// ---- illegal instructions

enum {
    SIGNAL_PC = 176 / 8,  // word of pc in the third argument of a handler (Linux: struct ucontext)
    SIGNAL_FLAGS = 0x08000004,  // SA_ONSTACK, SA_SIGINFO
};

static void emit_illegal_handler_body(void) {
    emit_load(0x03, 5, 12, SIGNAL_PC);
    emit_addi(6, 5, 4);
    emit_store(0x23, 6, 12, SIGNAL_PC);
    emit_constant(6, TEXT_BASE);
    emit(0x40000033 | 5 << 7 | 5 << 15 | 6 << 20, 4);  // sub
    emit(i_type(0x13, 5, 5, 5, 1), 4);  // srli
    emit_constant(6, illegal_map());
    emit(r_type(0x33, 0, 0, 5, 5, 6), 4);  // add
    emit_addi(6, 0, 1);
    emit(s_type(0x23, 0, 6, 5, 0), 4);  // sb
    emit_constant(6, SPARE_BASE);
    emit_load(0x03, 6, 6, 0);
    emit_load(0x03, 5, 6, ILLEGAL);
    emit_addi(5, 5, 1);
    emit_store(0x23, 5, 6, ILLEGAL);
    emit(i_type(0x67, 0, 0, 1, 0), 4);  // return
}

void emit_illegal_handler(void) {
    size_t over = code_size;
    emit_jal(0, over);
    size_t start = code_size;
    emit_illegal_handler_body();
    size_t end = code_size;
    code_size = over;
    emit_jal(0, end);
    code_size = end;

    emit_constant(10, SPARE_BASE + 8);
    emit_constant(5, SPARE_BASE + SPARE_STACK);
    emit_store(0x23, 5, 10, 0);
    emit_store(0x23, 0, 10, 1);
    emit_constant(5, SPARE_STACK_SIZE);
    emit_store(0x23, 5, 10, 2);
    emit_constant(11, 0);
    emit_constant(17, 132);  // sigaltstack
    emit(0x73, 4);

    emit_sigaction(4, TEXT_BASE + (uint32_t)start, SIGNAL_FLAGS, SPARE_BASE + 8);  // SIGILL
}

// ---- data

// Elements of one kind.
uint64_t vector_word(unsigned kind) {
    uint64_t word = 0;
    switch (kind) {
    case 0:
        for (unsigned i = 0; i < 8; i++) word = word << 8 | (integer_value() & 0xff);
        return word;
    case 1:
        for (unsigned i = 0; i < 4; i++) word = word << 16 | (integer_value() & 0xffff);
        return word;
    case 2: return integer_value() << 32 | (integer_value() & 0xffffffff);
    case 3:
    case 4: return float_value(8, 23) << 32 | float_value(8, 23);
    case 5:
    case 6: return float_value(11, 52);
    case 7: return integer_value();
    default: return next_random();
    }
}

void fill_vectors(uint64_t *record) {
    for (unsigned i = 0; i < 32; i++) {
        unsigned kind = i ? below(9) : 8;
        record[VECTORS + 2 * i] = vector_word(kind);
        record[VECTORS + 2 * i + 1] = vector_word(kind);
    }
    struct vector_choice choice = {.shape.multiple = 1};
    do choice.sew = below(4), choice.lmul = (int)below(7) - 3;
    while (!vector_is_type(choice.sew, choice.lmul));
    record[VL] = random_length(&choice);
    record[VTYPE] = below(16) ? vtype_bits(choice.sew, choice.lmul) : UINT64_C(1) << 63;
    record[VCSR] = below(8);
    record[VSTART] = below(16) ? 0 : below(16);
}

void fill_indices(uint64_t *table) {
    for (unsigned eew = 0; eew < 4; eew++) {
        for (size_t i = 0; i < INDEX_ROOM; i += (size_t)1 << eew) {
            uint64_t index = eew < 3 || below(2) ? below(FARTHEST) : (uint64_t)-(int64_t)below(FARTHEST);
            if (below(4)) index &= ~UINT64_C(7);
            memcpy((uint8_t *)table + eew * INDEX_ROOM + i, &index, (size_t)1 << eew);
        }
    }
}

void list_names(void) {
    for (unsigned op = INSN_VECTOR_FIRST; op < INSN_COUNT; op++) puts(riscv64_insn_table[op].name);
}
