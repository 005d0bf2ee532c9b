// The frame of a region's function: entries, blocks, calls of bodies. Where slots live is in slots.c, how it is left in leave.c, what uops do in uops.c.
#include "translator/llvm/region.h"
#include "translator/interp/interp.h"
#include "translator/llvm/build.h"
#include <stdio.h>
#include <string.h>

enum { SMALL_UOPS = 200 };

// ---- what the other parts are made with

LLVMValueRef build_constant_of(LLVMTypeRef type, uint64_t value) {
    if (LLVMGetTypeKind(type) != LLVMVectorTypeKind) return LLVMConstInt(type, value, 0);
    LLVMValueRef lane[BUILD_LANES];
    for (unsigned i = 0; i < BUILD_LANES; i++) lane[i] = LLVMConstInt(LLVMGetElementType(type), value, 0);
    return LLVMConstVector(lane, BUILD_LANES);
}

LLVMValueRef build_constant(struct build *b, uint64_t value) {
    return build_constant_of(b->i64, value);
}

LLVMValueRef build_splat(struct build *b, LLVMValueRef value, unsigned count) {
    LLVMValueRef none = LLVMGetPoison(LLVMVectorType(LLVMTypeOf(value), count));
    LLVMValueRef one = LLVMBuildInsertElement(b->ir, none, value, LLVMConstInt(b->i32, 0, 0), "");
    return LLVMBuildShuffleVector(b->ir, one, none, LLVMConstNull(LLVMVectorType(b->i32, count)), "");
}

LLVMValueRef build_intrinsic(struct build *b, const char *name, LLVMTypeRef *types, unsigned type_count, LLVMValueRef *arguments,
                             unsigned count) {
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(b->module, id, types, type_count);
    return LLVMBuildCall2(b->ir, LLVMIntrinsicGetType(b->context, id, types, type_count), function, arguments, count, "");
}

LLVMValueRef build_cpu_field(struct build *b, size_t offset) {
    LLVMValueRef index = build_constant(b, offset - CPU_BASE);
    return LLVMBuildInBoundsGEP2(b->ir, b->i8, b->base, &index, 1, "");
}

void build_mark(struct build *b, LLVMValueRef access, LLVMValueRef kind) {
    LLVMSetMetadata(access, LLVMGetMDKindIDInContext(b->context, "tbaa", 4), kind);
}

LLVMBasicBlockRef build_block(struct build *b) {
    return LLVMAppendBasicBlockInContext(b->context, b->function, "");
}

// Goes on in `rest` unless the condition holds, which is seldom; then building goes on.
LLVMBasicBlockRef build_seldom(struct build *b, LLVMValueRef condition) {
    LLVMBasicBlockRef rest = build_block(b), rare = build_block(b);
    LLVMValueRef branch = LLVMBuildCondBr(b->ir, condition, rare, rest);
    LLVMMetadataRef weights[] = {LLVMMDStringInContext2(b->context, "branch_weights", 14),
                                 LLVMValueAsMetadata(LLVMConstInt(b->i32, 1, 0)),
                                 LLVMValueAsMetadata(LLVMConstInt(b->i32, 10000, 0))};
    LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(b->context, "prof", 4),
                    LLVMMetadataAsValue(b->context, LLVMMDNodeInContext2(b->context, weights, 3)));
    LLVMPositionBuilderAtEnd(b->ir, rare);
    return rest;
}

// ---- bodies

// The cell that a body gets; `pc`: its data, a guest address, or 0.
static LLVMValueRef constant_cell(struct build *b, const struct uop *u, uint64_t pc) {
    enum uop_format format = uop_info[u->code].format;
    bool accesses = format == UOP_FORMAT_AMO || format == UOP_FORMAT_STORE;
    uint32_t d = accesses ? uop_stores(u->code) : u->d;
    uint32_t slots = u->a | (uint32_t)u->b << 8 | (uint32_t)u->c << 16 | d << 24;
    uint64_t operands = slots | (uint64_t)(uint32_t)u->imm << 32;
    const struct image_hole nothing = {.kind = IMAGE_VALUE}, given = {.value = operands, .kind = IMAGE_VALUE};
    const struct image_hole holes[] = {nothing, given, {pc, IMAGE_PC, b->block->module}, nothing};
    if (pc) return build_holes(b, holes, 4);
    LLVMValueRef zero = build_constant(b, 0), words[] = {zero, build_constant(b, operands), zero, zero};
    LLVMValueRef value = LLVMConstArray2(b->i64, words, 4);
    LLVMValueRef cell = LLVMAddGlobal(b->module, LLVMTypeOf(value), "");
    LLVMSetInitializer(cell, value);
    LLVMSetGlobalConstant(cell, 1);
    LLVMSetLinkage(cell, LLVMPrivateLinkage);
    return cell;
}

static LLVMValueRef call_body(struct build *b, const struct uop *u, uint64_t cell_pc) {
    LLVMTypeRef parameters[] = {b->pointer, b->pointer}, type = LLVMFunctionType(b->i8, parameters, 2, 0);
    LLVMValueRef body = build_hole(b, IMAGE_BODY, u->code, b->pointer);
    LLVMValueRef arguments[] = {build_cpu_field(b, 0), constant_cell(b, u, cell_pc)};
    return LLVMBuildCall2(b->ir, type, body, arguments, 2, "");
}

static void store_pc(struct build *b, const struct uop *u) {
    build_store_field(b, offsetof(struct cpu, pc), build_pc(b, b->block, b->block->pc + u->offset));
}

// One that accesses guest memory, and may fault: it finds all slots in the cpu.
static void build_accessing_body(struct build *b, const struct uop *u) {
    build_settle_all(b);
    build_store_slots(b, b->region->exact);
    if (!b->region->exact) build_store_pins(b);
    unsigned sources[] = {u->a, u->b, u->c, u->code == UOP_cas128 && u->c ? u->c + 1u : 0};
    for (unsigned i = 0; i < sizeof sources / sizeof *sources; i++) {
        bool has = sources[i] && sources[i] != SLOT_SINK && b->promoted[sources[i]];
        if (has && !build_is_lasting(sources[i])) build_store_slot(b, sources[i]);
    }
    store_pc(b, u);
    LLVMValueRef trapped = LLVMBuildICmp(b->ir, LLVMIntNE, call_body(b, u, 0), LLVMConstInt(b->i8, 0, 0), "");
    if (uop_info[u->code].format != UOP_FORMAT_AMO) return;
    LLVMBasicBlockRef rest = build_seldom(b, trapped);
    build_tail_call(b, build_hole(b, IMAGE_STOP, 0, b->pointer));
    LLVMPositionBuilderAtEnd(b->ir, rest);
    build_reload(b, u->a);
    if (u->code == UOP_cas128 && u->a) build_reload(b, u->a + 1u);
}

// The slot that a body finds a promoted one's value in: a temporary, which nothing else needs to be in the cpu.
static uint8_t lend(struct build *b, uint8_t slot, unsigned temporary) {
    if (!b->promoted[slot]) return slot;
    LLVMValueRef value = build_get(b, slot);
    build_mark(b, LLVMBuildStore(b->ir, value, build_slot_in_cpu(b, SLOT_TEMP + temporary)), b->of_cpu);
    return (uint8_t)(SLOT_TEMP + temporary);
}

// One that is about its operands alone: the cpu's state stays as it is, the anchor's in exact code.
static void build_plain_body(struct build *b, const struct uop *u) {
    struct uop lent = *u;
    bool reloads = b->promoted[u->a];
    lent.a = reloads ? SLOT_TEMP : u->a;
    lent.b = lend(b, u->b, 1);
    lent.c = lend(b, u->c, 2);
    lent.d = lend(b, u->d, 3);
    call_body(b, &lent, 0);
    if (!reloads) return;
    LLVMValueRef value = LLVMBuildLoad2(b->ir, b->i64, build_slot_in_cpu(b, SLOT_TEMP), "");
    build_mark(b, value, b->of_cpu);
    build_set(b, u->a, value);
}

// A uop whose meaning is its C body.
static void build_body(struct build *b, const struct uop *u) {
    switch (build_effect(b, (unsigned)(u - b->block->ir->uop))) {
    case EFFECT_BODY: build_accessing_body(b, u); break;
    case EFFECT_LOAD:
    case EFFECT_STORE: b->failed = true; break;
    default: build_plain_body(b, u);
    }
}

// Bodies of vector instructions find the registers in the cpu.
static void build_other(struct build *b, const struct uop *u) {
    bool vector = b->vectors.now && uop_is_vector(u->code);
    if (vector) build_store_vectors(b);
    build_body(b, u);
    if (vector) build_reload_vectors(b);
}

LLVMBasicBlockRef build_body_if(struct build *b, const struct uop *u, LLVMValueRef condition) {
    uint64_t unsettled = b->unsettled;
    LLVMBasicBlockRef join = build_block(b), rest = build_seldom(b, condition);
    build_plain_body(b, u);
    LLVMBuildBr(b->ir, join);
    b->unsettled = unsettled;
    LLVMPositionBuilderAtEnd(b->ir, rest);
    return join;
}

void build_body_end(struct build *b, LLVMBasicBlockRef join) {
    LLVMBuildBr(b->ir, join);
    LLVMPositionBuilderAtEnd(b->ir, join);
}

static void build_trap(struct build *b, const struct uop *u) {
    build_store_slots(b, false);
    call_body(b, u, b->block->pc + uop_exit_offset(u));
    build_tail_call(b, build_hole(b, IMAGE_STOP, 0, b->pointer));
}

// ---- blocks

// As lower.c counts them: up to and with the instruction that leaves, or all.
static void add_to_count(struct build *b, unsigned n) {
    if (!(b->region->mode & MODE_COUNT)) return;
    LLVMValueRef place = build_hole(b, IMAGE_TALLY, 0, b->i64);
    LLVMValueRef field = LLVMBuildInBoundsGEP2(b->ir, b->i8, build_cpu_field(b, 0), &place, 1, "");
    LLVMValueRef before = LLVMBuildLoad2(b->ir, b->i64, field, "");
    LLVMBuildStore(b->ir, LLVMBuildAdd(b->ir, before, build_constant(b, n), ""), field);
}

static void count(struct build *b, unsigned at, bool all) {
    const struct ir_block *ir = b->block->ir;
    unsigned n = all ? ir->instructions : ir_block_instructions(ir, at);
    add_to_count(b, n - b->counted);
    b->counted = n;
}

void build_count_rounds(struct build *b, unsigned branch, unsigned rounds) {
    add_to_count(b, rounds * ir_block_instructions(b->block->ir, branch));
}

static void build_one(struct build *b, unsigned at) {
    const struct uop *u = &b->block->ir->uop[at];
    bool last = at + 1 == b->block->ir->count;
    enum uop_format format = uop_info[u->code].format;
    build_line(b, u);
    if (format == UOP_FORMAT_BRANCH || format == UOP_FORMAT_JUMP || format == UOP_FORMAT_INDIRECT || format == UOP_FORMAT_EXIT) {
        build_settle_all(b);
    }
    build_guard(b, at);
    build_turn_here(b, u);
    switch (format) {
    case UOP_FORMAT_BRANCH: {
        count(b, at, last);
        LLVMBasicBlockRef taken = build_block(b), rest = b->past ? b->past : build_block(b);
        b->past = NULL;
        LLVMBuildCondBr(b->ir, build_condition(b, u), taken, rest);
        LLVMPositionBuilderAtEnd(b->ir, taken);
        build_owed_flags(b);
        build_leave_for(b, b->block->pc + (uint64_t)u->imm);
        LLVMPositionBuilderAtEnd(b->ir, rest);
        break;
    }
    case UOP_FORMAT_JUMP:
        count(b, at, last);
        build_leave_for(b, b->block->pc + (uint64_t)u->imm);
        break;
    case UOP_FORMAT_INDIRECT:
        count(b, at, true);
        build_leave_indirectly(b, u);
        break;
    case UOP_FORMAT_EXIT:
        count(b, at, true);
        build_trap(b, u);
        break;
    default:
        if (!build_vector(b, u) && !build_uop(b, u)) build_other(b, u);
        b->now = build_after(b, b->now, at);
    }
}

// Whether a double is stored and then an operand whose result is looked at for a NaN: if that is none, nor is what is stored. Not in exact code, where a fault of the
// store would find the result.
static bool trade_places(const struct build *b, const struct uop *store, const struct uop *next) {
    bool fused = build_double_operands(next) == 0xf, operand = next->b == store->c || next->c == store->c || next->d == store->c;
    bool unsettled = store->code == UOP_st64 && build_is_unsettled(b, store->c);
    return !b->region->exact && unsettled && fused && operand && next->a != store->b && next->a != store->c;
}

// The block's uops before this one.
static void build_uops(struct build *b, unsigned end) {
    const struct uop *uop = b->block->ir->uop;
    for (unsigned n = 0; n < end; n++) {
        if (build_defer_flags(b, n)) {
            b->now = build_after(b, build_after(b, b->now, n), n + 1);
            n++;
        } else if (n + 1 < end && trade_places(b, &uop[n], &uop[n + 1])) {
            build_one(b, n + 1);
            build_one(b, n);
            n++;
        } else {
            build_one(b, n);
        }
    }
}

void build_round(struct build *b, unsigned branch) {
    build_uops(b, branch);
    build_line(b, &b->block->ir->uop[branch]);
    build_settle_all(b);
    count(b, branch, false);
    build_owed_flags(b);
    b->counted = 0, b->owed = 0, b->quiet = 0;
}

static void build_blocks(struct build *b) {
    for (unsigned i = 0; i < b->region->blocks; i++) {
        b->block = &b->region->block[i];
        b->again = b->entry[i];
        b->now = b->at[i];
        b->counted = 0, b->quiet = 0;
        build_join_loads(b);
        LLVMPositionBuilderAtEnd(b->ir, b->entry[i]);
        build_unroll(b);
        build_uops(b, b->block->ir->count);
    }
    build_line(b, NULL);
}

static void build_all(struct build *b) {
    build_find_facts(b);
    build_blocks(b);
    build_heads(b);
    build_renewals(b);
    build_ways_out(b);
}

// From outside into the block: what is not needed there LLVM drops.
static LLVMBasicBlockRef build_entry(struct build *b, unsigned at) {
    LLVMBasicBlockRef start = build_block(b);
    LLVMPositionBuilderAtEnd(b->ir, start);
    for (unsigned slot = 1; slot < SLOT_TEMP; slot++) {
        if (!build_is_pinned(b, slot)) build_reload(b, slot);
    }
    if (b->region->exact) build_anchor(b, at, 0);
    if (b->vectors.possible) {
        LLVMBasicBlockRef fits = build_block(b);
        LLVMBuildCondBr(b->ir, build_vectors_fit(b), fits, b->entry[at]);
        LLVMPositionBuilderAtEnd(b->ir, fits);
        build_reload_vectors(b);
        LLVMBuildBr(b->ir, b->vectors.entry[at]);
    } else {
        LLVMBuildBr(b->ir, b->entry[at]);
    }
    return start;
}

static void build_start(struct build *b) {
    LLVMBasicBlockRef start = build_block(b), first = NULL;
    LLVMPositionBuilderAtEnd(b->ir, start);
    b->pending = build_cpu_field(b, offsetof(struct cpu, pending));
    b->target = LLVMBuildAlloca(b->ir, b->i64, "");
    b->status = LLVMBuildAlloca(b->ir, b->i32, "");
    build_place_slots(b);
    for (unsigned i = 0; i < b->pins; i++) {
        unsigned slot = b->region->pins[i];
        if (b->promoted[slot]) LLVMBuildStore(b->ir, b->pin[i], b->slot[slot]);
    }
    if (b->region->exact) build_begin_rounds(b);
    if (b->region->exact) build_store_pins(b);
    build_look_at_vectors(b);
    for (unsigned i = 0; i < b->region->blocks; i++) b->entry[i] = build_block(b);
    for (unsigned i = 0; i < b->region->blocks && b->vectors.possible; i++) b->vectors.entry[i] = build_block(b);
    LLVMValueRef choice = NULL;
    for (unsigned i = 0; i < b->region->blocks; i++) {
        if (!b->region->block[i].entry) continue;
        LLVMBasicBlockRef into = build_entry(b, i);
        if (choice) {
            LLVMAddCase(choice, build_constant(b, i), into);
        } else if (first) {
            LLVMPositionBuilderAtEnd(b->ir, start);
            choice = LLVMBuildSwitch(b->ir, b->which, first, b->region->blocks);
            LLVMAddCase(choice, build_constant(b, i), into);
        } else {
            first = into;
        }
    }
    if (choice) return;
    LLVMPositionBuilderAtEnd(b->ir, start);
    if (first) LLVMBuildBr(b->ir, first);
    else b->failed = true;
}

static void make_types(struct build *b) {
    b->i1 = LLVMInt1TypeInContext(b->context);
    b->i8 = LLVMInt8TypeInContext(b->context);
    b->i16 = LLVMInt16TypeInContext(b->context);
    b->i32 = LLVMInt32TypeInContext(b->context);
    b->i64 = LLVMInt64TypeInContext(b->context);
    b->i128 = LLVMInt128TypeInContext(b->context);
    b->f32 = LLVMFloatTypeInContext(b->context);
    b->f64 = LLVMDoubleTypeInContext(b->context);
    b->pointer = LLVMPointerTypeInContext(b->context, 0);
    LLVMTypeRef parameters[BUILD_ARGUMENTS];
    for (unsigned i = 0; i < BUILD_ARGUMENTS; i++) parameters[i] = i == REGION_BASE ? b->pointer : b->i64;
    b->convention = LLVMFunctionType(LLVMVoidTypeInContext(b->context), parameters, BUILD_ARGUMENTS, 0);
}

// Type-based: two types under one root, which do not contain each other.
static LLVMValueRef make_kind(struct build *b, const char *name) {
    LLVMMetadataRef root = LLVMMDStringInContext2(b->context, "ferry", 5);
    root = LLVMMDNodeInContext2(b->context, &root, 1);
    LLVMMetadataRef type[] = {LLVMMDStringInContext2(b->context, name, strlen(name)), root};
    LLVMMetadataRef scalar = LLVMMDNodeInContext2(b->context, type, 2);
    LLVMMetadataRef access[] = {scalar, scalar, LLVMValueAsMetadata(build_constant(b, 0))};
    return LLVMMetadataAsValue(b->context, LLVMMDNodeInContext2(b->context, access, 3));
}

static void make_kinds(struct build *b) {
    b->of_cpu = make_kind(b, "cpu");
    b->of_guest = make_kind(b, "guest");
    b->of_pending = make_kind(b, "pending");
}

static void add_attribute(struct build *b, LLVMValueRef function, const char *name) {
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(b->context, kind, 0));
}

static LLVMValueRef add_function(struct build *b, const char *name) {
    LLVMValueRef function = LLVMAddFunction(b->module, name, b->convention);
    LLVMSetFunctionCallConv(function, BUILD_CONVENTION);
    add_attribute(b, function, "nounwind");
    add_attribute(b, function, "strictfp");
    return function;
}

static void make_function(struct build *b) {
    b->function = add_function(b, "region");
    LLVMSetLinkage(b->function, LLVMInternalLinkage);
    b->base = LLVMGetParam(b->function, REGION_BASE);
    for (unsigned i = 0; i < REGION_MAX_PINS; i++) b->pin[i] = LLVMGetParam(b->function, region_argument_of_pin(i));
    b->which = LLVMGetParam(b->function, BUILD_ARGUMENTS - 1);
    while (b->pins < REGION_MAX_PINS && b->region->pins[b->pins]) b->pins++;
    build_begin_lines(b);
}

void region_entry_name(char name[REGION_NAME_BYTES], unsigned block) {
    snprintf(name, REGION_NAME_BYTES, "entry%u", block);
}

// Goes into the region with the block's number as its last argument.
static void make_entry(struct build *b, unsigned block) {
    char name[REGION_NAME_BYTES];
    region_entry_name(name, block);
    LLVMValueRef function = add_function(b, name), arguments[BUILD_ARGUMENTS];
    LLVMPositionBuilderAtEnd(b->ir, LLVMAppendBasicBlockInContext(b->context, function, ""));
    for (unsigned i = 0; i < BUILD_ARGUMENTS - 1; i++) arguments[i] = LLVMGetParam(function, i);
    arguments[BUILD_ARGUMENTS - 1] = build_constant(b, block);
    build_call_native(b, b->function, arguments);
}

// Whether the region is so small that each entry may have one of its own, which saves the choice between them.
static bool is_small(const struct build *b, unsigned entries) {
    unsigned uops = 0;
    for (unsigned i = 0; i < b->region->blocks; i++) uops += b->region->block[i].ir->count;
    return uops * entries <= SMALL_UOPS;
}

static void make_entries(struct build *b) {
    unsigned entries = 0, last = 0;
    for (unsigned i = 0; i < b->region->blocks; i++) {
        if (b->region->block[i].entry) entries++, last = i;
    }
    if (entries == 1) {  // the region itself
        char name[REGION_NAME_BYTES];
        region_entry_name(name, last);
        LLVMSetValueName2(b->function, name, strlen(name));
        LLVMSetLinkage(b->function, LLVMExternalLinkage);
        return;
    }
    if (is_small(b, entries)) add_attribute(b, b->function, "alwaysinline");
    for (unsigned i = 0; i < b->region->blocks; i++) {
        if (b->region->block[i].entry) make_entry(b, i);
    }
}

bool region_build(LLVMModuleRef module, const struct region *region, struct region_holes *holes) {
    static struct build all;
    struct build *b = &all;
    if (region->blocks > REGION_MAX_BLOCKS || region->exits > BUILD_MAX_EXITS) return false;
    all = (struct build){.context = LLVMGetModuleContext(module), .module = module, .region = region, .holes = holes};
    b->ir = LLVMCreateBuilderInContext(b->context);
    make_types(b);
    make_kinds(b);
    make_function(b);
    build_begin_holes(b);
    build_start(b);
    build_all(b);
    if (b->vectors.possible) {
        memcpy(b->entry, b->vectors.entry, sizeof b->entry);
        b->vectors.now = true;
        build_all(b);
        b->vectors.now = false;
    }
    make_entries(b);
    LLVMDisposeBuilder(b->ir);
    return !b->failed;
}
