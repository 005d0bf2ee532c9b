// The frame of a region's function: slots, blocks, ways out. What uops do is in uops.c.
#include "translator/llvm/region.h"
#include "translator/interp/interp.h"
#include "translator/llvm/build.h"
#include <string.h>

enum { PRESERVE_NONE = 21, MAX_BLOCKS = 256 };  // llvm/IR/CallingConv.h

struct frame {
    struct build b;
    struct region_exits *exits;
    LLVMValueRef pin[REGION_MAX_PINS];  // the arguments
    unsigned pins;
    LLVMBasicBlockRef entry[MAX_BLOCKS];
    unsigned counted;  // instructions of the block under way
};

// ---- what uops touch

static void touch(struct build *b, unsigned slot) {
    if (slot == SLOT_ZERO || b->slot[slot]) return;
    b->slot[slot] = LLVMBuildAlloca(b->ir, b->i64, "");
}

// Operands that a format does not have are 0, the slot that needs no place.
static void touch_all(struct build *b) {
    for (unsigned i = 0; i < b->region->blocks; i++) {
        const struct ir_block *ir = b->region->block[i].ir;
        for (unsigned n = 0; n < ir->count; n++) {
            const struct uop *u = &ir->uop[n];
            unsigned slots[] = {u->a,
                                u->b,
                                u->c,
                                u->d,
                                u->code == UOP_cas128 && u->a ? u->a + 1u : 0,
                                u->code == UOP_cas128 && u->c ? u->c + 1u : 0};
            for (unsigned s = 0; s < sizeof slots / sizeof *slots; s++) touch(b, slots[s]);
            if (uop_format_writes(uop_info[u->code].format)) b->written[u->a] = true;
            if (u->code == UOP_cas128) b->written[slots[4]] = true;
        }
    }
}

LLVMValueRef build_constant(struct build *b, uint64_t value) {
    return LLVMConstInt(b->i64, value, 0);
}

LLVMValueRef build_get(struct build *b, unsigned slot) {
    return slot == SLOT_ZERO ? build_constant(b, 0) : LLVMBuildLoad2(b->ir, b->i64, b->slot[slot], "");
}

void build_set(struct build *b, unsigned slot, LLVMValueRef value) {
    if (slot != SLOT_SINK) LLVMBuildStore(b->ir, value, b->slot[slot]);
}

static LLVMValueRef pointer_to(struct build *b, uint64_t address) {
    return LLVMConstIntToPtr(build_constant(b, address), b->pointer);
}

LLVMValueRef build_cpu_field(struct build *b, size_t offset) {
    LLVMValueRef index = build_constant(b, offset);
    return LLVMBuildInBoundsGEP2(b->ir, b->i8, b->cpu, &index, 1, "");
}

static LLVMValueRef slot_in_cpu(struct build *b, unsigned slot) {
    return build_cpu_field(b, offsetof(struct cpu, slot) + 8 * slot);
}

static bool is_lasting(unsigned slot) {
    return slot < SLOT_TEMP;
}

static bool is_pinned(const struct frame *f, unsigned slot) {
    for (unsigned i = 0; i < f->pins; i++) {
        if (f->b.region->pins[i] == slot) return true;
    }
    return false;
}

// ---- ways out

static void store_slot(struct build *b, unsigned slot) {
    LLVMBuildStore(b->ir, build_get(b, slot), slot_in_cpu(b, slot));
}

static void store_slots(struct frame *f, bool pins) {
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        if (f->b.written[slot] && (pins || !is_pinned(f, slot))) store_slot(&f->b, slot);
    }
}

// Everything but the pins must be stored already.
static void tail_call(struct frame *f, LLVMValueRef target) {
    struct build *b = &f->b;
    LLVMValueRef arguments[1 + REGION_MAX_PINS] = {b->cpu};
    for (unsigned i = 0; i < REGION_MAX_PINS; i++) {
        unsigned slot = i < f->pins ? b->region->pins[i] : 0;
        arguments[1 + i] = slot && b->slot[slot] ? build_get(b, slot) : f->pin[i];
    }
    LLVMValueRef call = LLVMBuildCall2(b->ir, b->convention, target, arguments, 1 + REGION_MAX_PINS, "");
    LLVMSetInstructionCallConv(call, PRESERVE_NONE);
    LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
    LLVMBuildRetVoid(b->ir);
}

static void store_field(struct build *b, size_t offset, LLVMValueRef value) {
    LLVMBuildStore(b->ir, value, build_cpu_field(b, offset));
}

// Native code goes on at what stands before the cell.
static void go_to_cell(struct frame *f, LLVMValueRef cell) {
    struct build *b = &f->b;
    LLVMValueRef back = LLVMConstInt(b->i64, offsetof(struct threaded, native) - offsetof(struct threaded, cell), 1);
    LLVMValueRef native = LLVMBuildLoad2(b->ir, b->pointer, LLVMBuildInBoundsGEP2(b->ir, b->i8, cell, &back, 1, ""), "");
    LLVMSetVolatile(native, 1);
    store_slots(f, false);
    store_field(b, offsetof(struct cpu, next), cell);
    tail_call(f, native);
}

static LLVMValueRef exit_target(struct frame *f, uint64_t pc) {
    struct build *b = &f->b;
    unsigned index = 0;
    while (index < f->exits->count && f->exits->pc[index] != pc) index++;
    if (index == REGION_MAX_EXITS) {
        b->failed = true;
        return LLVMConstNull(b->pointer);
    }
    if (index == f->exits->count) f->exits->pc[f->exits->count++] = pc;
    uint64_t at = b->region->places.exits + index * sizeof(struct native_exit) + offsetof(struct native_exit, target);
    LLVMValueRef cell = LLVMBuildLoad2(b->ir, b->pointer, pointer_to(b, at), "");
    LLVMSetVolatile(cell, 1);
    return cell;
}

static LLVMBasicBlockRef new_block(struct build *b) {
    return LLVMAppendBasicBlockInContext(b->context, b->function, "");
}

static LLVMValueRef is_pending(struct build *b) {
    LLVMValueRef pending = LLVMBuildLoad2(b->ir, b->i32, build_cpu_field(b, offsetof(struct cpu, pending)), "");
    LLVMSetVolatile(pending, 1);
    return LLVMBuildICmp(b->ir, LLVMIntNE, pending, LLVMConstInt(b->i32, 0, 0), "");
}

// Goes on in `rest` unless the condition holds, which is seldom; then building goes on.
static LLVMBasicBlockRef seldom(struct build *b, LLVMValueRef condition) {
    LLVMBasicBlockRef rest = new_block(b), rare = new_block(b);
    LLVMValueRef branch = LLVMBuildCondBr(b->ir, condition, rare, rest);
    LLVMMetadataRef weights[] = {LLVMMDStringInContext2(b->context, "branch_weights", 14),
                                 LLVMValueAsMetadata(LLVMConstInt(b->i32, 1, 0)),
                                 LLVMValueAsMetadata(LLVMConstInt(b->i32, 10000, 0))};
    LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(b->context, "prof", 4),
                    LLVMMetadataAsValue(b->context, LLVMMDNodeInContext2(b->context, weights, 3)));
    LLVMPositionBuilderAtEnd(b->ir, rare);
    return rest;
}

static void leave_for(struct frame *f, uint64_t pc) {
    struct build *b = &f->b;
    LLVMBasicBlockRef inside = NULL;
    for (unsigned i = 0; i < b->region->blocks; i++) {
        if (b->region->block[i].pc == pc) inside = f->entry[i];
    }
    if (pc <= b->block->pc) {
        LLVMBasicBlockRef rest = seldom(b, is_pending(b));
        LLVMValueRef cell = exit_target(f, pc);
        store_slots(f, false);
        store_field(b, offsetof(struct cpu, next), cell);
        tail_call(f, pointer_to(b, b->region->places.leave));
        LLVMPositionBuilderAtEnd(b->ir, rest);
    }
    if (inside) LLVMBuildBr(b->ir, inside);
    else go_to_cell(f, exit_target(f, pc));
}

static void leave_indirectly(struct frame *f, const struct uop *u) {
    struct build *b = &f->b;
    LLVMValueRef pc = LLVMBuildAdd(b->ir, build_get(b, u->b), build_constant(b, (uint64_t)u->imm), "");
    pc = LLVMBuildAnd(b->ir, pc, build_constant(b, ~UINT64_C(1)), "");
    LLVMValueRef index = LLVMBuildAnd(b->ir, pc, build_constant(b, 2 * (CPU_JUMPS - 1)), "");
    LLVMValueRef offset = LLVMBuildMul(b->ir, index, build_constant(b, sizeof(struct cpu_jump) / 2), "");
    LLVMValueRef entry = LLVMBuildInBoundsGEP2(b->ir, b->i8, build_cpu_field(b, offsetof(struct cpu, jump)), &offset, 1, "");
    LLVMValueRef known = LLVMBuildLoad2(b->ir, b->i64, entry, "");
    LLVMValueRef missed = LLVMBuildOr(b->ir, LLVMBuildICmp(b->ir, LLVMIntNE, known, pc, ""), is_pending(b), "");
    LLVMBasicBlockRef rest = seldom(b, missed);
    store_slots(f, false);
    store_field(b, offsetof(struct cpu, pc), pc);
    tail_call(f, pointer_to(b, b->region->places.indirect));
    LLVMPositionBuilderAtEnd(b->ir, rest);
    LLVMValueRef behind = build_constant(b, offsetof(struct cpu_jump, code));
    go_to_cell(f, LLVMBuildLoad2(b->ir, b->pointer, LLVMBuildInBoundsGEP2(b->ir, b->i8, entry, &behind, 1, ""), ""));
}

// ---- bodies

static LLVMValueRef constant_cell(struct build *b, const struct uop *u, uint64_t data) {
    enum uop_format format = uop_info[u->code].format;
    bool accesses = format == UOP_FORMAT_AMO || format == UOP_FORMAT_STORE;
    uint32_t d = accesses ? uop_stores(u->code) : u->d;
    uint32_t slots = u->a | (uint32_t)u->b << 8 | (uint32_t)u->c << 16 | d << 24;
    LLVMValueRef words[] = {build_constant(b, 0), build_constant(b, slots | (uint64_t)(uint32_t)u->imm << 32),
                            build_constant(b, data), build_constant(b, 0)};
    LLVMValueRef value = LLVMConstArray2(b->i64, words, 4);
    LLVMValueRef cell = LLVMAddGlobal(b->module, LLVMTypeOf(value), "");
    LLVMSetInitializer(cell, value);
    LLVMSetGlobalConstant(cell, 1);
    LLVMSetLinkage(cell, LLVMPrivateLinkage);
    return cell;
}

static LLVMValueRef call_body(struct frame *f, const struct uop *u, uint64_t data) {
    struct build *b = &f->b;
    store_slots(f, true);
    unsigned sources[] = {u->a, u->b, u->c, u->d};
    for (unsigned i = 0; i < 4; i++) {
        if (sources[i] && !is_lasting(sources[i]) && sources[i] != SLOT_SINK) store_slot(b, sources[i]);
        else if (sources[i] && !b->written[sources[i]] && is_pinned(f, sources[i])) store_slot(b, sources[i]);
    }
    store_field(b, offsetof(struct cpu, pc), build_constant(b, b->block->pc + u->offset));
    LLVMTypeRef parameters[] = {b->pointer, b->pointer}, type = LLVMFunctionType(b->i8, parameters, 2, 0);
    uint64_t place = b->region->places.bodies + u->code * sizeof(void *);
    LLVMValueRef body = LLVMBuildLoad2(b->ir, b->pointer, pointer_to(b, place), "");
    LLVMValueRef arguments[] = {b->cpu, constant_cell(b, u, data)};
    return LLVMBuildCall2(b->ir, type, body, arguments, 2, "");
}

static void reload(struct build *b, unsigned slot) {
    if (slot && slot != SLOT_SINK) build_set(b, slot, LLVMBuildLoad2(b->ir, b->i64, slot_in_cpu(b, slot), ""));
}

// A uop whose meaning is its C body.
static void build_body(struct frame *f, const struct uop *u) {
    struct build *b = &f->b;
    LLVMValueRef trapped = LLVMBuildICmp(b->ir, LLVMIntNE, call_body(f, u, 0), LLVMConstInt(b->i8, 0, 0), "");
    if (uop_info[u->code].format == UOP_FORMAT_AMO) {
        LLVMBasicBlockRef rest = seldom(b, trapped);
        tail_call(f, pointer_to(b, b->region->places.stop));
        LLVMPositionBuilderAtEnd(b->ir, rest);
    }
    if (uop_format_writes(uop_info[u->code].format)) reload(b, u->a);
    if (u->code == UOP_cas128 && u->a) reload(b, u->a + 1u);
}

static void build_trap(struct frame *f, const struct uop *u) {
    struct build *b = &f->b;
    call_body(f, u, b->block->pc + uop_exit_offset(u));
    tail_call(f, pointer_to(b, b->region->places.stop));
}

// ---- blocks

// As lower.c counts them: up to and with the instruction that leaves, or all.
static void count(struct frame *f, unsigned at, bool all) {
    struct build *b = &f->b;
    if (!(b->region->mode & MODE_COUNT)) return;
    const struct ir_block *ir = b->block->ir;
    unsigned n = all ? ir->instructions : ir_block_instructions(ir, at);
    LLVMValueRef field = build_cpu_field(b, offsetof(struct cpu, native_instructions));
    LLVMValueRef before = LLVMBuildLoad2(b->ir, b->i64, field, "");
    LLVMBuildStore(b->ir, LLVMBuildAdd(b->ir, before, build_constant(b, n - f->counted), ""), field);
    f->counted = n;
}

static void build_one(struct frame *f, unsigned at) {
    struct build *b = &f->b;
    const struct uop *u = &b->block->ir->uop[at];
    bool last = at + 1 == b->block->ir->count;
    switch (uop_info[u->code].format) {
    case UOP_FORMAT_BRANCH: {
        count(f, at, last);
        LLVMBasicBlockRef taken = new_block(b), rest = new_block(b);
        LLVMBuildCondBr(b->ir, build_condition(b, u), taken, rest);
        LLVMPositionBuilderAtEnd(b->ir, taken);
        leave_for(f, b->block->pc + (uint64_t)u->imm);
        LLVMPositionBuilderAtEnd(b->ir, rest);
        break;
    }
    case UOP_FORMAT_JUMP:
        count(f, at, last);
        leave_for(f, b->block->pc + (uint64_t)u->imm);
        break;
    case UOP_FORMAT_INDIRECT:
        count(f, at, true);
        leave_indirectly(f, u);
        break;
    case UOP_FORMAT_EXIT:
        count(f, at, true);
        build_trap(f, u);
        break;
    default:
        if (!build_uop(b, u)) build_body(f, u);
    }
}

static void build_blocks(struct frame *f) {
    struct build *b = &f->b;
    for (unsigned i = 0; i < b->region->blocks; i++) {
        b->block = &b->region->block[i];
        f->counted = 0;
        LLVMPositionBuilderAtEnd(b->ir, f->entry[i]);
        for (unsigned n = 0; n < b->block->ir->count; n++) build_one(f, n);
    }
}

static void build_start(struct frame *f) {
    struct build *b = &f->b;
    LLVMPositionBuilderAtEnd(b->ir, new_block(b));
    touch_all(b);
    for (unsigned i = 0; i < f->pins; i++) {
        unsigned slot = b->region->pins[i];
        if (b->slot[slot]) LLVMBuildStore(b->ir, f->pin[i], b->slot[slot]);
    }
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        if (b->slot[slot] && !is_pinned(f, slot)) reload(b, slot);
    }
    for (unsigned i = 0; i < b->region->blocks; i++) f->entry[i] = new_block(b);
    LLVMBuildBr(b->ir, f->entry[0]);
}

static void make_types(struct build *b) {
    b->i1 = LLVMInt1TypeInContext(b->context);
    b->i8 = LLVMInt8TypeInContext(b->context);
    b->i16 = LLVMInt16TypeInContext(b->context);
    b->i32 = LLVMInt32TypeInContext(b->context);
    b->i64 = LLVMInt64TypeInContext(b->context);
    b->i128 = LLVMInt128TypeInContext(b->context);
    b->f64 = LLVMDoubleTypeInContext(b->context);
    b->pointer = LLVMPointerTypeInContext(b->context, 0);
    LLVMTypeRef parameters[1 + REGION_MAX_PINS] = {b->pointer};
    for (unsigned i = 0; i < REGION_MAX_PINS; i++) parameters[1 + i] = b->i64;
    b->convention = LLVMFunctionType(LLVMVoidTypeInContext(b->context), parameters, 1 + REGION_MAX_PINS, 0);
}

static void add_attribute(struct build *b, const char *name) {
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(b->function, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(b->context, kind, 0));
}

static void make_function(struct frame *f, const char *name) {
    struct build *b = &f->b;
    b->function = LLVMAddFunction(b->module, name, b->convention);
    LLVMSetFunctionCallConv(b->function, PRESERVE_NONE);
    add_attribute(b, "nounwind");
    add_attribute(b, "strictfp");
    b->cpu = LLVMGetParam(b->function, 0);
    for (unsigned i = 0; i < REGION_MAX_PINS; i++) f->pin[i] = LLVMGetParam(b->function, 1 + i);
    while (f->pins < REGION_MAX_PINS && b->region->pins[f->pins]) f->pins++;
}

bool region_build(LLVMModuleRef module, const char *name, const struct region *region, struct region_exits *exits) {
    if (region->blocks > MAX_BLOCKS) return false;
    struct frame f = {.b = {.context = LLVMGetModuleContext(module), .module = module, .region = region}, .exits = exits};
    exits->count = 0;
    f.b.ir = LLVMCreateBuilderInContext(f.b.context);
    make_types(&f.b);
    make_function(&f, name);
    build_start(&f);
    build_blocks(&f);
    LLVMDisposeBuilder(f.b.ir);
    return !f.b.failed;
}
