// What a region's code has to be told by the process that runs it: see quick/image.h.
//
// Each hole is a variable of its own with a name for people, all of them in one section, in the order in which they are made: behind the one that is
// called "holes". LLVM knows that it does not know what is in them, and that it stays the same.
#include "translator/llvm/build.h"
#include <inttypes.h>
#include <stdio.h>

enum { HOLE_NAME_BYTES = 32 };

static LLVMValueRef add_global(struct build *b, LLVMTypeRef type, const char *name, const char *section, bool is_found) {
    LLVMValueRef global = LLVMAddGlobal(b->module, type, name);
    LLVMSetLinkage(global, is_found ? LLVMExternalLinkage : LLVMInternalLinkage);
    if (is_found) LLVMSetVisibility(global, LLVMProtectedVisibility);  // reached without a table of addresses
    LLVMSetInitializer(global, LLVMConstNull(type));
    LLVMSetExternallyInitialized(global, 1);
    LLVMSetSection(global, section);
    LLVMSetAlignment(global, 8);
    return global;
}

static void name_hole(const struct build *b, const struct image_hole *hole, char name[HOLE_NAME_BYTES]) {
    static const char *const plain[IMAGE_HOLE_KINDS] = {
        [IMAGE_VALUE] = "cell", [IMAGE_LEAVE] = "stub.leave", [IMAGE_STOP] = "stub.stop", [IMAGE_INDIRECT] = "stub.indirect"};
    if (plain[hole->kind]) snprintf(name, HOLE_NAME_BYTES, "%s", plain[hole->kind]);
    else if (hole->kind == IMAGE_PC) snprintf(name, HOLE_NAME_BYTES, "guest.%" PRIx64, hole->value);
    else if (hole->kind == IMAGE_BODY) snprintf(name, HOLE_NAME_BYTES, "body.%s", uop_info[hole->value].name);
    else snprintf(name, HOLE_NAME_BYTES, "target.%" PRIx64, b->region->exit[hole->value]);
}

LLVMValueRef build_holes(struct build *b, const struct image_hole *hole, unsigned count) {
    struct region_holes *holes = b->holes;
    char name[HOLE_NAME_BYTES];
    unsigned at = holes->holes;
    b->failed |= count > IMAGE_MAX_HOLES - at;
    if (b->failed) at = 0;
    else holes->holes += count;
    for (unsigned i = 0; i < count && !b->failed; i++) holes->hole[at + i] = hole[i];
    name_hole(b, hole, name);
    return b->hole[at] = add_global(b, count == 1 ? b->i64 : LLVMArrayType2(b->i64, count), name, ".holes", false);
}

static bool is_same(const struct image_hole *x, const struct image_hole *y) {
    return x->kind == y->kind && x->value == y->value && x->module == y->module;
}

static LLVMValueRef find_hole(struct build *b, const struct image_hole *wanted) {
    for (unsigned i = 0; i < b->holes->holes; i++) {
        const struct image_hole *hole = &b->holes->hole[i];
        if (is_same(hole, wanted) && b->hole[i]) return b->hole[i];
    }
    return build_holes(b, wanted, 1);
}

// What is wanted on seldom taken ways is loaded there: LLVM would load it before a loop, and keep a register for it.
static bool is_seldom(enum image_hole_kind kind) {
    return kind != IMAGE_PC && kind != IMAGE_TALLY;
}

static LLVMValueRef load_hole(struct build *b, const struct image_hole *wanted, LLVMTypeRef type) {
    LLVMValueRef load = LLVMBuildLoad2(b->ir, type, find_hole(b, wanted), "");
    if (is_seldom(wanted->kind)) LLVMSetVolatile(load, 1);
    else
        LLVMSetMetadata(load, LLVMGetMDKindIDInContext(b->context, "invariant.load", 14),
                        LLVMMetadataAsValue(b->context, LLVMMDNodeInContext2(b->context, NULL, 0)));
    return load;
}

LLVMValueRef build_hole(struct build *b, enum image_hole_kind kind, uint64_t value, LLVMTypeRef type) {
    const struct image_hole wanted = {.value = value, .kind = kind};
    return load_hole(b, &wanted, type);
}

LLVMValueRef build_pc(struct build *b, const struct region_block *block, uint64_t pc) {
    const struct image_hole wanted = {pc, IMAGE_PC, block->module};
    return load_hole(b, &wanted, b->i64);
}

void build_begin_holes(struct build *b) {
    b->holes->hole[0] = (struct image_hole){.kind = IMAGE_VALUE};
    b->holes->holes = 1;
    add_global(b, b->i64, "holes", ".holes", true);
    if (!b->region->exits) return;
    LLVMTypeRef one = LLVMArrayType2(b->i8, IMAGE_EXIT_BYTES);
    b->exits = add_global(b, LLVMArrayType2(one, b->region->exits), "exits", ".exits", true);
}

// By another name for the place, so that it is a direct jump.
LLVMValueRef build_exit(struct build *b, unsigned number) {
    if (b->exit[number]) return b->exit[number];
    LLVMValueRef offset = build_constant(b, (uint64_t)number * IMAGE_EXIT_BYTES);
    char name[HOLE_NAME_BYTES];
    snprintf(name, sizeof name, "exit.%" PRIx64, b->region->exit[number]);
    LLVMValueRef place = LLVMConstInBoundsGEP2(b->i8, b->exits, &offset, 1);
    b->exit[number] = LLVMAddAlias2(b->module, LLVMArrayType2(b->i8, IMAGE_EXIT_BYTES), 0, place, name);
    LLVMSetLinkage(b->exit[number], LLVMInternalLinkage);
    return b->exit[number];
}
