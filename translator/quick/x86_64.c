// The quick tier on x86-64 hosts: units, and the stubs between them and the interpreter. What uops become is in uops_x86_64.def.
#ifdef __x86_64__
#include "runtime/base/arena.h"
#include "translator/ir/fp.h"
#include "translator/quick/emit_x86_64.h"
#include "translator/quick/image.h"

struct quick_host quick_host;
static uint8_t pinned[PINS];
static unsigned pin_count;

static const struct {
    void (*emit)(struct unit *e, const struct cell *u, unsigned code, unsigned x);
    unsigned x;
} emitters[UOP_COUNT_OF_CODES] = {
#define EMIT(uop, emitter, x) [UOP_##uop] = {quick_emit_##emitter, x},
#include "translator/quick/uops_x86_64.def"
#undef EMIT
};

// ---- units

// `next`: what stands in the cell behind.
static void emit_cell(struct unit *e, const struct cell *u, unsigned code, unsigned next) {
    e->locked = 0;
    if (code == CELL_li64) {
        if (next == CELL_PC) put_pc(e, u->a, cell_wide(u + 1));
        else put_constant(e, u->a, cell_wide(u + 1));
    } else if (code >= UOP_COUNT_OF_CODES) {  // of these only counts are in the list
        size_t counter = e->sheet ? offsetof(struct cpu, kept_instructions) : offsetof(struct cpu, quick_instructions);
        asm_arithmetic_immediate_memory(A, WIDE, 0, CPU, (int32_t)counter, u->imm);
    } else if (emitters[code].emit) {
        emitters[code].emit(e, u, code, emitters[code].x);
    } else {
        call_body(e, u, code);
    }
}

// One instruction, so that no thread is ever in the midst of it (manual 2, "NOP").
static const uint8_t no_operation[QUICK_SWITCH_BYTES] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

void quick_switch(const struct quick_unit *unit, unsigned at, const uint8_t *to, uint8_t bytes[QUICK_SWITCH_BYTES]) {
    memcpy(bytes, no_operation, QUICK_SWITCH_BYTES);
    if (!to) return;
    int32_t distance = (int32_t)(to - (unit->code + unit->start[at] + QUICK_SWITCH_BYTES));
    bytes[0] = 0xe9;  // jmp
    memcpy(bytes + 1, &distance, sizeof distance);
}

// Where a block of a sheet goes on as another one does from its start: the number of the cell, and of that block; or of none. Such code is there once. An instruction's
// uops may have become part of the one before it: then no cell is that instruction's. Counting blocks say at their ends how many instructions they had.
static unsigned find_meeting(const struct unit *e, unsigned at, unsigned *other) {
    const struct block *block = e->block[at];
    const struct layout *about = block->code->about;
    unsigned i = 0;
    if (!e->sheet || block->mode & MODE_COUNT) return block->count;
    for (*other = at + 1; *other < e->count && e->block[*other]->pc < block->pc + block->bytes; ++*other) {
        uint64_t offset = e->block[*other]->pc - block->pc;
        while (i < block->count && about->offset[2 * i] < offset) i += cell_width(about->cell_code[2 * i]);
        if (i < block->count && about->offset[2 * i] == offset) return i;
    }
    return block->count;
}

static void meet(struct unit *e, unsigned at, unsigned other) {
    e->falls = other == at + 1;
    if (!e->falls) later(e, asm_jump_later(A), other);
}

static bool is_in_line(unsigned code) {
    return code >= UOP_COUNT_OF_CODES || emitters[code].emit;
}

static void emit_block(struct unit *e, unsigned at) {
    const struct block *block = e->block[at];
    const struct layout *about = block->code->about;
    e->block_at = at;
    e->own_exit = 0;
    forget_all(e);
    bool counts = e->counts && !e->loops && !e->sheet;  // else its jumps back do
    bool apart = e->falls && counts;  // who comes from the block before is not counted
    e->falls = false;
    e->outer[at] = asm_offset(A);
    if (!apart && counts) count_pass(e, at);
    e->entry[at] = asm_offset(A);
    e->apart[at] = apart;
    bool switches = quick_hot_passes && e->loop[at];
    e->start[at] = switches ? e->entry[at] : QUICK_NOWHERE;
    if (switches) asm_bytes(A, no_operation, sizeof no_operation);
    unsigned other = at, meeting = find_meeting(e, at, &other);
    bool joins = join_plan(block, meeting, is_in_line, e->join);
    for (unsigned i = 0, code; i < meeting; i += cell_width(code)) {
        const struct cell *u = &block->code->cell[i];
        code = about->cell_code[2 * i];
        if (joins && quick_emit_joined(e, u, &e->join[i])) continue;
        bool is_data = code == CELL_PC || (code == CELL_OTHER && u->handler != cell_handler_count);
        if (!is_data) emit_cell(e, u, code, i + 1 < block->count ? about->cell_code[2 * i + 2] : CELL_OTHER);
    }
    pay_guest(e);
    if (meeting < block->count) meet(e, at, other);
}

// To the interpreter, whatever native code the cell's block has.
static void leave_for_cell(struct unit *e, unsigned reg) {
    asm_rm(A, WIDE | 0x89, reg, CPU, offsetof(struct cpu, next));
    asm_jump(A, quick_stubs.leave);
}

static void leave_for_pc(struct unit *e, uint64_t pc, enum image_hole_kind stub) {
    get_pc(e, RAX, pc);
    asm_rm(A, WIDE | 0x89, RAX, CPU, offsetof(struct cpu, pc));
    jump_to_stub(e, stub, NULL);
}

// Behind the jump whose distance is at `from`.
static void emit_exit(struct assembler *a, struct quick_exit *exit, uint32_t from) {
    exit->site = (uint8_t *)a->address + from;
    exit->away = (int32_t)(asm_offset(a) - (from + 4));
    asm_near(a, WIDE | 0x8d, RAX, exit);  // lea
    asm_jump(a, quick_stubs.exit);
}

bool quick_place_exits(uint8_t *buffer, uintptr_t at, struct quick_exit *exit, unsigned count) {
    struct assembler a = {.start = buffer, .limit = buffer + count * IMAGE_EXIT_BYTES, .address = at};
    for (unsigned i = 0; i < count; i++) {
        a.at = buffer + i * IMAGE_EXIT_BYTES;
        uint32_t from = asm_jump_later(&a);
        asm_land(&a, from);
        emit_exit(&a, &exit[i], from);
    }
    return !a.failed;
}

static void emit_cold(struct unit *e, const struct cold *c) {
    bool interrupt = c->kind == COLD_INTERRUPT || c->kind == COLD_INTERRUPT_AT_EXIT;
    if (e->sheet && c->kind == COLD_EXIT) return;  // behind all others
    asm_land(A, c->from);
    if (e->sheet && (interrupt || c->kind == COLD_HOT)) {  // there are no cells to name
        leave_for_pc(e, c->pc, interrupt ? IMAGE_INDIRECT : IMAGE_HOT);
        return;
    }
    switch (c->kind) {
    case COLD_EXIT: emit_exit(A, (struct quick_exit *)(uintptr_t)c->what, c->from); return;
    case COLD_INTERRUPT:
        asm_constant(A, RAX, (uintptr_t)c->what);
        leave_for_cell(e, RAX);
        return;
    case COLD_HOT:
        asm_constant(A, RAX, (uintptr_t)c->what);
        asm_rm(A, WIDE | 0x89, RAX, CPU, offsetof(struct cpu, next));
        asm_jump(A, quick_stubs.hot);
        return;
    case COLD_INTERRUPT_AT_EXIT:
        asm_near(A, WIDE | 0x8b, RAX, &((const struct quick_exit *)c->what)->out.target);
        leave_for_cell(e, RAX);
        return;
    case COLD_INDIRECT:
        move(e, RAX, c->slot);
        asm_arithmetic_immediate(A, WIDE, 4, RAX, -2);
        asm_rm(A, WIDE | 0x89, RAX, CPU, offsetof(struct cpu, pc));
        jump_to_stub(e, IMAGE_INDIRECT, quick_stubs.indirect);
        return;
    case COLD_BODY:
        e->block_at = c->block_at;
        forget_all(e);  // what the last block owes is nothing of this one's
        call_body(e, c->what, c->code);
        break;
    case COLD_NAN:
        asm_rm(A, 0xc7, 0, CPU, place_of_slot(c->slot));  // by halves: no register is free
        asm_32(A, (int32_t)FP_NAN_D);
        asm_rm(A, 0xc7, 0, CPU, place_of_slot(c->slot) + 4);
        asm_32(A, (int32_t)(FP_NAN_D >> 32));
        break;
    }
    asm_land_at(A, asm_jump_later(A), c->back);
}

// Where a block is entered from outside, if that is not where it begins.
static void emit_way_in(struct unit *e, unsigned at) {
    if (!e->apart[at]) return;
    e->outer[at] = asm_offset(A);
    count_pass(e, at);
    asm_land_at(A, asm_jump_later(A), e->entry[at]);
}

// Of sheets: a loop that nothing better is wanted for.
static bool is_plain(const struct unit *e, int block) {
    return e->sheet && e->block[block]->plain;
}

static void find_loops(struct unit *e) {
    e->loops = false;
    memset(e->loop, 0, e->count * sizeof *e->loop);
    for (unsigned i = 0; i < e->count; i++) {
        for (unsigned n = 0; n < e->block[i]->exits; n++) {
            uint64_t pc = e->block[i]->exit[n].pc;
            int inside = pc <= e->block[i]->pc ? block_with(e, pc) : -1;
            if (inside >= 0 && !is_plain(e, inside)) e->loops = e->loop[inside] = true;
        }
    }
}

static void emit_all(struct unit *e) {
    find_loops(e);
    e->falls = false;
    for (unsigned i = 0; i < e->count; i++) emit_block(e, i);
    for (unsigned i = 0; i < e->laters; i++) asm_land_at(A, e->later[i].at, e->entry[e->later[i].block]);
    for (unsigned i = 0; i < e->count; i++) emit_way_in(e, i);
    for (unsigned i = 0; i < e->colds; i++) emit_cold(e, &e->cold[i]);
}

static struct quick_unit *keep(const struct unit *e, struct arena *arena) {
    struct quick_unit *unit = e->unit;
    struct block **block = arena_alloc(arena, e->count * sizeof(*block), 8);
    struct quick_access *access = arena_alloc(arena, e->accesses * sizeof(*access) + 1, 8);
    memcpy(block, e->block, e->count * sizeof(*block));
    memcpy(access, e->access, e->accesses * sizeof(*access));
    memcpy(unit->entry, e->outer, e->count * sizeof *unit->entry);
    memcpy(unit->start, e->start, e->count * sizeof *unit->start);
    unit->code = (const uint8_t *)A->address;
    unit->bytes = asm_offset(A);
    unit->blocks = e->count;
    unit->accesses = e->accesses;
    unit->access = access;
    unit->block = block;
    if (unit->passes) *unit->passes = (int32_t)quick_hot_passes;
    return unit;
}

static struct unit under_way;

static void begin(struct unit *e, struct block *const *blocks, unsigned count, struct assembler a) {
    e->a = a;
    e->block = blocks, e->count = count;
    e->exits = e->accesses = e->laters = e->colds = 0;
    e->vector_shape = 0;
    e->sheet = NULL;
}

struct quick_unit *quick_emit(struct arena *arena, struct block *const *blocks, unsigned count, uint8_t *buffer, size_t size,
                              uintptr_t at, int32_t *passes) {
    struct unit *e = &under_way;
    unsigned exits = 0;
    for (unsigned i = 0; i < count; i++) exits += blocks[i]->exits;
    begin(e, blocks, count, (struct assembler){.at = buffer, .start = buffer, .limit = buffer + size, .address = at});
    e->counts = passes != NULL;
    e->unit = arena_alloc(arena, sizeof *e->unit, 16);
    e->unit->passes = passes;
    e->exit = arena_alloc(arena, exits * sizeof *e->exit + 1, 8);
    emit_all(e);
    return A->failed ? NULL : keep(e, arena);
}

static const uint8_t *here(const struct assembler *a) {
    return (const uint8_t *)(a->address + asm_offset(a));
}

// ---- sheets

// Whether a jump from the block to `pc` looks like that of a loop: one back, not far, and no call, which would leave the address behind it.
static bool is_loop(const struct block *block, uint64_t pc) {
    enum { FAR = 1 << 10 };
    if (pc > block->pc || block->pc - pc > FAR) return false;
    const uint16_t *code = block->code->about->cell_code;
    for (unsigned i = 0; i < block->count; i += cell_width(code[2 * i])) {
        if (code[2 * i] == CELL_li64 && cell_wide(&block->code->cell[i + 1]) == block->pc + block->bytes) return false;
    }
    return true;
}

enum { EXIT_WORD = 2, EXIT_APART = EXIT_WORD + 4 };  // where the distance is in an exit's own jump, and what is behind it

// Behind all other code.
static void emit_exits(struct unit *e, struct image *image) {
    struct sheet_parts *parts = e->sheet;
    image->exits_at = asm_offset(A);
    for (unsigned i = 0; i < e->colds; i++) {
        const struct cold *c = &e->cold[i];
        if (c->kind != COLD_EXIT) continue;
        if (!c->direct) asm_land(A, c->from);
        bool back = is_loop(e->block[c->block_at], c->pc);
        uint32_t site = c->direct ? c->from : asm_offset(A) + EXIT_WORD;
        parts->exit[parts->exits++] =
            (struct sheet_exit){.pc = (int64_t)c->pc, .back = back, .site = site};  // no more than there are colds
        for (unsigned n = 0; n < SHEET_EXIT_BYTES; n++) asm_byte(A, 0xcc);
    }
    image->exits = parts->exits;
}

static void emit_holes(struct unit *e, struct image *image) {
    const struct sheet_parts *parts = e->sheet;
    while (asm_offset(A) % sizeof(uint64_t) && !A->failed) asm_byte(A, 0xcc);
    image->holes_at = asm_offset(A);
    image->holes = parts->holes;
    image->hole = parts->hole;
    for (unsigned i = 0; i < parts->fixes; i++)
        asm_land_at(A, parts->fix[i].at, image->holes_at + parts->fix[i].hole * (uint32_t)sizeof(uint64_t));
    for (unsigned i = 0; i < parts->holes; i++) asm_bytes(A, &(uint64_t){0}, sizeof(uint64_t));
    image->bytes = asm_offset(A);
}

bool quick_emit_sheet(struct block *const *blocks, unsigned count, uint8_t *buffer, size_t size, struct sheet_block *about,
                      struct sheet *sheet) {
    static struct sheet_parts parts;
    struct unit *e = &under_way;
    begin(e, blocks, count, (struct assembler){.at = buffer, .start = buffer, .limit = buffer + size});
    e->sheet = &parts;
    e->counts = true;
    quick_sheet_begin(&parts);
    emit_all(e);
    emit_exits(e, &sheet->image);
    emit_holes(e, &sheet->image);
    for (unsigned i = 0; i < count; i++) {
        about[i].entry = e->outer[i];
        about[i].start = e->start[i] == QUICK_NOWHERE ? SHEET_NO_START : e->start[i];
    }
    sheet->code = buffer;
    sheet->access = parts.access;
    sheet->accesses = e->accesses;
    sheet->owed = (const uint8_t(*)[QUICK_OWING])parts.owed;
    sheet->oweds = parts.oweds;
    sheet->exit = parts.exit;
    sheet->count = parts.count;
    sheet->counts = parts.counts;
    return !A->failed;
}

bool quick_place_sheet(const struct sheet *sheet, uint8_t *buffer, uintptr_t at, struct quick_exit *const *exit,
                       const uint8_t **word) {
    struct assembler a = {.start = buffer, .limit = buffer + sheet->image.bytes, .address = at};
    for (unsigned i = 0; i < sheet->counts; i++) {
        a.at = buffer + sheet->count[i].at;
        asm_distance(&a, &sheet->passes[sheet->count[i].block]);
    }
    for (unsigned i = 0; i < sheet->image.exits; i++) {
        a.at = buffer + sheet->image.exits_at + (size_t)i * SHEET_EXIT_BYTES;
        asm_near(&a, 0xff, 4, &word[i]);
        word[i] = here(&a);
        if (exit[i]) {
            exit[i]->word = &word[i];
            exit[i]->apart = word[i];
            asm_near(&a, WIDE | 0x8d, RAX, exit[i]);  // lea
            asm_jump(&a, quick_stubs.exit);
        } else {
            asm_call(&a, quick_stubs.leave_sheet);
        }
        a.at = buffer + sheet->exit[i].site;
        asm_distance(&a, &word[i]);
    }
    return !a.failed;
}

unsigned quick_sheet_exit(const struct image *image, const uint8_t *code, const uint8_t *behind) {
    return (unsigned)((behind - code - image->exits_at) / SHEET_EXIT_BYTES);
}

const uint8_t *quick_sheet_apart(const struct image *image, const uint8_t *code, unsigned exit) {
    return code + image->exits_at + (size_t)exit * SHEET_EXIT_BYTES + EXIT_APART;
}

void quick_store_slots(struct cpu *cpu, const uint8_t owed[QUICK_OWING], uint64_t (*read)(const void *context, unsigned number),
                       const void *context) {
    for (unsigned i = 0; i < pin_count; i++) cpu->slot[pinned[i]] = read(context, pin_register[i]);
    for (unsigned i = 0; i < FREE_REGISTERS; i++) {
        if (owed[i] != SLOT_ZERO) cpu->slot[owed[i]] = read(context, free_register[i]);
    }
}

// ---- stubs

static void store_pins(struct assembler *a) {
    for (unsigned i = 0; i < pin_count; i++) asm_rm(a, WIDE | 0x89, pin_register[i], CPU, place_of_slot(pinned[i]));
}

static void load_pins(struct assembler *a) {
    for (unsigned i = 0; i < pin_count; i++) asm_rm(a, WIDE | 0x8b, pin_register[i], CPU, place_of_slot(pinned[i]));
}

static const uint8_t saved[] = {RBX, RBP, R12, R13, R14, R15};  // System V ABI for x86-64, "Register Usage"

static void push_saved(struct assembler *a) {
    for (unsigned i = 0; i < sizeof saved; i++) asm_opcode(a, 0x50 | (saved[i] & 7), 0, saved[i], true);
}

static void pop_saved_and_return(struct assembler *a) {
    for (unsigned i = sizeof saved; i-- > 0;) asm_opcode(a, 0x58 | (saved[i] & 7), 0, saved[i], true);
    asm_byte(a, 0xc3);
}

// A C function: the cpu, the block's first cell and, where `given`, the code to go to instead of the cell's own.
static const void *make_entry(struct assembler *a, bool given) {
    const void *start = here(a);
    push_saved(a);
    asm_rm(a, WIDE | 0x8d, CPU, RDI, CPU_BASE);  // lea
    asm_rm(a, WIDE | 0x89, RSI, CPU, offsetof(struct cpu, next));
    if (given) asm_rr(a, WIDE | 0x8b, RAX, RDX);
    else asm_rm(a, WIDE | 0x8b, RAX, RSI, NATIVE);
    load_pins(a);
    asm_rr(a, 0xff, 4, RAX);
    return start;
}

// cpu->next: the cell to go on at.
static void make_leave(struct assembler *a) {
    quick_stubs.leave = here(a);
    store_pins(a);
    asm_rm(a, WIDE | 0x8b, RAX, CPU, offsetof(struct cpu, next));
    pop_saved_and_return(a);
}

// rax: the cell; rbx: the body, which returns true to stop the run. The stack is aligned here, after the call that led here.
static void make_body(struct assembler *a) {
    quick_stubs.body = here(a);
    store_pins(a);
    asm_rm(a, WIDE | 0x8d, RDI, CPU, 0);  // lea
    asm_rr(a, WIDE | 0x8b, RSI, RAX);
    asm_rr(a, 0xff, 2, RBX);
    asm_rr(a, 0x84, RAX, RAX);
    uint32_t stopped = asm_branch_later(a, CC_NE);
    load_pins(a);
    asm_byte(a, 0xc3);
    asm_land(a, stopped);
    asm_arithmetic_immediate(a, WIDE, 0, RSP, 8);
    asm_constant(a, RAX, 0);
    pop_saved_and_return(a);
}

// Twice cpu_far_jump_at of the pc in rax, to rbx.
static void far_jump_place(struct assembler *a) {
    asm_rr(a, 0x8b, RBX, RAX);
    asm_rr(a, 0xc1, 5, RBX);  // shr
    asm_byte(a, CPU_FAR_JUMP_SHIFT);
    asm_rr(a, 0x33, RBX, RAX);  // xor
    asm_arithmetic_immediate(a, 0, 4, RBX, 2 * (CPU_FAR_JUMPS - 1));
}

// Calls a function of the cpu's, with rax as its second argument, and goes on in the native code that it returns. If that is NULL it jumps from what is returned
// here, with pins stored.
static uint32_t call_and_go_on(struct assembler *a, size_t function) {
    store_pins(a);
    asm_arithmetic_immediate(a, WIDE, 5, RSP, 8);
    asm_rm(a, WIDE | 0x8d, RDI, CPU, 0);  // lea
    asm_rr(a, WIDE | 0x8b, RSI, RAX);
    asm_rm(a, 0xff, 2, CPU, (int32_t)function);
    asm_arithmetic_immediate(a, WIDE, 0, RSP, 8);
    asm_rr(a, WIDE | 0x85, RAX, RAX);
    uint32_t nowhere = asm_branch_later(a, CC_E);
    load_pins(a);
    asm_rr(a, 0xff, 4, RAX);
    return nowhere;
}

// cpu->pc: where to go on, which is not in the native jump cache. If it is in the other one, and there is native code, it will be.
static void make_indirect(struct assembler *a) {
    quick_stubs.indirect = here(a);
    asm_arithmetic_immediate_memory(a, 0, 7, CPU, offsetof(struct cpu, pending), 0);
    uint32_t raised = asm_branch_later(a, CC_NE);
    asm_rm(a, WIDE | 0x8b, RAX, CPU, offsetof(struct cpu, pc));
    far_jump_place(a);
    asm_rx(a, WIDE | CMP, RAX, CPU, RBX, 8, offsetof(struct cpu, far_jump[0].pc));
    uint32_t unknown = asm_branch_later(a, CC_NE);
    asm_rx(a, WIDE | 0x8b, R10, CPU, RBX, 8, offsetof(struct cpu, far_jump[0].code));
    asm_rm(a, WIDE | 0x33, R10, CPU, offsetof(struct cpu, far_stamp));
    asm_rr(a, WIDE | 0x8b, RBX, R10);
    asm_rr(a, WIDE | 0xc1, 5, RBX);  // shr
    asm_byte(a, CPU_STAMP_SHIFT);
    uint32_t old = asm_branch_later(a, CC_NE);
    asm_rr(a, 0x8b, RBX, RAX);
    asm_arithmetic_immediate(a, 0, 4, RBX, 2 * (CPU_NATIVE_JUMPS - 1));
    asm_rx(a, WIDE | 0x89, R10, CPU, RBX, 8, offsetof(struct cpu, native_jump[0].native));
    asm_rx(a, WIDE | 0x89, RAX, CPU, RBX, 8, offsetof(struct cpu, native_jump[0].pc));
    asm_rr(a, 0xff, 4, R10);
    asm_land(a, unknown);
    asm_land(a, old);
    uint32_t nowhere = call_and_go_on(a, offsetof(struct cpu, find_native));
    asm_land(a, raised);
    store_pins(a);
    asm_land(a, nowhere);
    asm_constant(a, RAX, (uintptr_t)&cell_indirect);
    pop_saved_and_return(a);
}

// Called where a sheet's exit is.
static void make_leave_sheet(struct assembler *a) {
    quick_stubs.leave_sheet = here(a);
    asm_opcode(a, 0x58 | RAX, 0, RAX, true);  // pop: nobody returns there
    asm_land(a, call_and_go_on(a, offsetof(struct cpu, leave_sheet)));
    asm_byte(a, 0xcc);
}

static void make_hot_at(struct assembler *a) {
    quick_stubs.hot_at = here(a);
    store_pins(a);
    asm_constant(a, RAX, (uintptr_t)&cell_hot);
    pop_saved_and_return(a);
}

static void make_stop(struct assembler *a) {
    quick_stubs.stop = here(a);
    store_pins(a);
    asm_constant(a, RAX, 0);
    pop_saved_and_return(a);
}

static void make_hot(struct assembler *a) {
    quick_stubs.hot = here(a);
    asm_arithmetic_immediate(a, WIDE, 5, RSP, 8);
    store_pins(a);
    asm_rm(a, WIDE | 0x8d, RDI, CPU, 0);  // lea
    asm_rm(a, WIDE | 0x8b, RSI, CPU, offsetof(struct cpu, next));
    asm_rm(a, 0xff, 2, CPU, offsetof(struct cpu, hot));
    load_pins(a);
    asm_arithmetic_immediate(a, WIDE, 0, RSP, 8);
    asm_rm(a, WIDE | 0x8b, RAX, CPU, offsetof(struct cpu, next));
    asm_rm(a, 0xff, 4, RAX, NATIVE);
}

// rax: the exit
static void make_exit(struct assembler *a) {
    quick_stubs.exit = here(a);
    asm_rm(a, 0xff, 1, RAX, offsetof(struct quick_exit, passes));  // dec
    uint32_t often = asm_branch_later(a, CC_S);
    asm_rm(a, WIDE | 0x8b, RBX, RAX, offsetof(struct quick_exit, out.target));
    asm_rm(a, WIDE | 0x89, RBX, CPU, offsetof(struct cpu, next));
    asm_rm(a, 0xff, 4, RBX, NATIVE);
    asm_land(a, often);
    asm_arithmetic_immediate(a, WIDE, 5, RSP, 8);
    store_pins(a);
    asm_rm(a, WIDE | 0x8d, RDI, CPU, 0);  // lea
    asm_rr(a, WIDE | 0x8b, RSI, RAX);
    asm_rr(a, WIDE | 0x8b, RBX, RAX);
    asm_rm(a, 0xff, 2, CPU, offsetof(struct cpu, link));
    load_pins(a);
    asm_arithmetic_immediate(a, WIDE, 0, RSP, 8);
    asm_rr(a, WIDE | 0x8b, RAX, RBX);
    asm_land_at(a, asm_jump_later(a), (uint32_t)((uintptr_t)quick_stubs.exit - a->address));
}

static void look_at_host(void) {
    quick_host.lzcnt = __builtin_cpu_supports("lzcnt");
    quick_host.popcnt = __builtin_cpu_supports("popcnt");
    quick_host.fma = fp_host_has_fma;
    quick_host.bmi1 = fp_host_has_fma && __builtin_cpu_supports("bmi");  // VEX-encoded as well: the system has to support them
    quick_host.bmi2 = fp_host_has_fma && __builtin_cpu_supports("bmi2");
}

bool quick_available(void) {
    return true;
}

void quick_begin(const uint8_t *pins) {
    look_at_host();
    memset(quick_host.pin_of, NO_REGISTER, sizeof quick_host.pin_of);
    for (pin_count = 0; pin_count < PINS && pins[pin_count]; pin_count++) {
        pinned[pin_count] = pins[pin_count];
        quick_host.pin_of[pins[pin_count]] = pin_register[pin_count];
    }
}

size_t quick_make_stubs(uint8_t *buffer, uintptr_t at, const uint8_t *pins) {
    quick_begin(pins);
    struct assembler a = {.at = buffer, .start = buffer, .limit = buffer + QUICK_STUBS_BYTES, .address = at};
    for (unsigned i = 0; i < 8; i++)
        asm_byte(&a, 0xcc);  // int3: sanitizers look at what stands before a function that C code calls
    quick_stubs.enter = make_entry(&a, false);
    quick_stubs.enter_at = make_entry(&a, true);
    make_leave(&a);
    make_body(&a);
    make_indirect(&a);
    make_stop(&a);
    make_hot(&a);
    make_hot_at(&a);
    make_exit(&a);
    make_leave_sheet(&a);
    interp_native_leave = quick_stubs.leave;
    memcpy(&interp_native_enter, &quick_stubs.enter, sizeof quick_stubs.enter);
    return asm_offset(&a);
}
#else
#include "translator/quick/sheet.h"

bool quick_available(void) {
    return false;
}

void quick_begin(const uint8_t *pins) {
    (void)pins;
}

bool quick_emit_sheet(struct block *const *blocks, unsigned count, uint8_t *buffer, size_t size, struct sheet_block *about,
                      struct sheet *sheet) {
    (void)blocks, (void)count, (void)buffer, (void)size, (void)about, (void)sheet;
    return false;
}
#endif
