// Between the region's frame (region.c) and the meaning of uops (uops.c).
#pragma once
#include "translator/llvm/region.h"

enum {
    REGION_MAX_BLOCKS = 256,
    BUILD_CONVENTION = 21,  // preserve_none: llvm/IR/CallingConv.h
    BUILD_ARGUMENTS = REGION_ARGUMENTS,
    BUILD_MAX_EXITS = 1024,
    BUILD_MAX_TURNS = 64,
    BUILD_LANES = 8,  // rounds in lockstep
};

// Seldom taken ways out of the region, one of each kind for all who take it: with a cell to go on at, and with a pc.
enum way_out { OUT_INTERRUPTED, OUT_INDIRECT, OUT_WAYS };

// How a load is part of a wider one: of `bytes` bytes, made at the uop `first`, from the place `imm` after that one's base; 0 bytes if it is not.
struct joined {
    unsigned first, bytes, shift;
    int64_t imm;
};

// What holds at a place of the region, whichever way led there.
struct facts {
    // Lasting slots, by bit, whose places in the cpu may be out of date. Only exact code expects anything of those of pinned ones.
    uint64_t dirty;
    bool anchored;  // of exact code: cpu->anchor is a place from which the guest can go on with the state that is in the cpu
};

// What a uop is to the facts.
enum build_effect {
    EFFECT_NONE,
    EFFECT_LOAD,
    EFFECT_STORE,
    EFFECT_BODY,  // a body that accesses guest memory: it needs all slots in the cpu
    EFFECT_READ_FLAGS,
};

// What NaNs a double may be.
enum build_nans {
    NANS_KEPT,  // any, whose bits stay as they are
    NANS_CANONICAL,  // the canonical one
    NANS_RAW,  // as the host's arithmetic makes them: to become the canonical one once their bits can be seen
};

struct build {
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef ir;
    LLVMTypeRef i1, i8, i16, i32, i64, i128, f32, f64, pointer;
    LLVMTypeRef convention;  // of native code
    LLVMValueRef of_cpu, of_guest, of_pending;  // metadata of accesses: these kinds never alias
    const struct region *region;
    struct region_holes *holes;
    LLVMValueRef hole[IMAGE_MAX_HOLES];
    LLVMValueRef exits;  // room for exits, and those that code goes to, by number
    LLVMValueRef exit[BUILD_MAX_EXITS];
    bool failed;
    LLVMMetadataRef lines;  // what debug locations belong to, or NULL
    // The function, and its arguments: CPU_BASE of the cpu, the pins, and what is entered.
    LLVMValueRef function, base, pin[REGION_MAX_PINS], which;
    unsigned pins;
    // Where slots live in the region: allocas, for LLVM to make registers of, or their places in the cpu; or NULL.
    LLVMValueRef slot[CPU_SLOTS];
    bool promoted[CPU_SLOTS];  // to an alloca
    bool is_double[CPU_SLOTS];  // of that type
    LLVMBasicBlockRef entry[REGION_MAX_BLOCKS];
    LLVMBasicBlockRef head[REGION_MAX_BLOCKS];  // where other blocks' jumps back to the block lead, or NULL
    struct facts at[REGION_MAX_BLOCKS];  // at the block's start
    LLVMValueRef pending;  // its place, from before all loops, so that LLVM sees in each which slots it is not
    LLVMValueRef target;  // of ways out
    LLVMValueRef status;  // room for the host's floating-point status register
    struct out {
        LLVMBasicBlockRef block;
        uint64_t dirty;
    } out[OUT_WAYS];
    // Of exact code.
    LLVMValueRef rounds;  // jumps back until the anchor is renewed
    struct out renewal[REGION_MAX_BLOCKS];  // of the anchor, before the block
    // Vector registers: vector.c.
    struct {
        bool possible, now;  // there is code for them; blocks are being built with it
        unsigned sew, lmul;  // of the vectors that it is for, as VECTOR_SHAPE has them
        uint32_t used, written;  // registers, by bit
        unsigned own, bodies;  // instructions that have code, and that do not
        LLVMValueRef reg[CPU_VECTORS];
        LLVMBasicBlockRef entry[REGION_MAX_BLOCKS];  // the blocks
        struct build_turn {
            const struct uop *at;
            LLVMBasicBlockRef slow;  // in the other copy of its block
        } turn[BUILD_MAX_TURNS];  // instructions that may change the shape
        unsigned turns;
    } vectors;
    // At the place under way.
    const struct region_block *block;
    LLVMBasicBlockRef again;  // where the block goes on that jumps back to its own start
    LLVMBasicBlockRef past;  // where it goes on behind its first branch, if that is decided, or NULL
    // While rounds in lockstep are built: what slots are in each of them, as vectors, by number, and what uops load. The integer types above are vectors then.
    LLVMValueRef *lanes;
    LLVMValueRef loaded[BLOCK_MAX_UOPS];
    struct joined joined[BLOCK_MAX_UOPS];
    LLVMValueRef whole[BLOCK_MAX_UOPS];  // what a joined load has read, at its first uop
    struct facts now;
    uint64_t unsettled;  // doubles that may be NaNs other than the canonical one, by bit; none between blocks
    uint64_t quiet;  // doubles that are results of arithmetic in this block, by bit: NaNs among them do not signal
    unsigned counted;  // instructions of the block
    unsigned owed;  // a slot that has yet to get the flags, if the block is left now; or 0
};

// ---- slots.c

// Decides which slots are promoted.
void build_place_slots(struct build *b);
LLVMValueRef build_get(struct build *b, unsigned slot);
void build_set(struct build *b, unsigned slot, LLVMValueRef value);
// The same for double precision.
LLVMValueRef build_get_double(struct build *b, unsigned slot);
void build_set_double(struct build *b, unsigned slot, LLVMValueRef value, enum build_nans nans);
// Whether a double surely is no NaN that signals.
bool build_is_quiet(const struct build *b, unsigned slot);
// Whether a double may be a NaN other than the canonical one; and that it is not.
bool build_is_unsettled(const struct build *b, unsigned slot);
void build_note_settled(struct build *b, unsigned slot);
// Makes all doubles that bodies or other blocks may look at canonical.
void build_settle_all(struct build *b);
bool build_is_pinned(const struct build *b, unsigned slot);
// Whether a slot means anything beyond its block.
bool build_is_lasting(unsigned slot);
// The lasting slots that a uop may change, by bit.
uint64_t build_writes(const struct uop *u);
LLVMValueRef build_slot_in_cpu(struct build *b, unsigned slot);
// To and from a slot's place in the cpu, as far as it has another one.
void build_reload(struct build *b, unsigned slot);
void build_store_slot(struct build *b, unsigned slot);
void build_store_slots(struct build *b, bool pinned);  // all that are dirty; the pinned ones among them if they are wanted
void build_store_pins(struct build *b);
// Where a branch or jump of the block may lead. False: the uop is neither.
bool build_leads_to(const struct region_block *block, const struct uop *u, uint64_t *pc);
// The number of the region's block with this pc, or -1.
int build_block_at(const struct region *region, uint64_t pc);

// ---- holes.c

// What the process puts there: an i64 or a pointer.
LLVMValueRef build_hole(struct build *b, enum image_hole_kind kind, uint64_t value, LLVMTypeRef type);
// A guest address that depends on where the block is.
LLVMValueRef build_pc(struct build *b, const struct region_block *block, uint64_t pc);
// A pointer to several of them, one behind the other, which are not the same as any others.
LLVMValueRef build_holes(struct build *b, const struct image_hole *hole, unsigned count);
// What native code jumps to for the exit to `pc`, by number.
LLVMValueRef build_exit(struct build *b, unsigned number);
void build_begin_holes(struct build *b);

// ---- facts.c

// What the block's uop of this number is.
enum build_effect build_effect(const struct build *b, unsigned at);
// What holds behind it, if these facts do before it.
struct facts build_after(const struct build *b, struct facts facts, unsigned at);
// Works out what holds at the start of each block.
void build_find_facts(struct build *b);

// ---- leave.c

void build_store_field(struct build *b, size_t offset, LLVMValueRef value);
// Tail calls of native code: with these arguments, and with the pins as they are now, all else being stored already.
void build_call_native(struct build *b, LLVMValueRef target, LLVMValueRef *arguments);
void build_tail_call(struct build *b, LLVMValueRef target);
// Whether the cpu is to leave native code.
LLVMValueRef build_is_pending(struct build *b);
// Where jumps back are counted: at one to the start of the block under way, which other code does not look at; whether there may be more than so many; at so many
// that are sure.
void build_stepwise_back(struct build *b);
LLVMValueRef build_stepwise_more(struct build *b, unsigned backs);
void build_stepwise_backs(struct build *b, unsigned backs);
// Goes on at a pc; at where an indirect jump leads.
void build_leave_for(struct build *b, uint64_t pc);
void build_leave_indirectly(struct build *b, const struct uop *u);
// Makes what jumps back have in common, when all blocks are built.
void build_heads(struct build *b);
// Makes the seldom taken ways out; the last to be built.
void build_ways_out(struct build *b);

// ---- exact.c: for exact regions only

// Makes a place the anchor, whose state the cpu holds: so many bytes into a block.
void build_anchor(struct build *b, unsigned block, unsigned offset);
// Before the block's uop of this number: saves what is dirty and makes it the anchor, if it accesses guest memory and there is no anchor.
void build_guard(struct build *b, unsigned at);
// At the function's start.
void build_begin_rounds(struct build *b);
// At a jump back to a block of the region.
void build_count_round(struct build *b, unsigned to);
// The last to be built.
void build_renewals(struct build *b);

// ---- join.c

// Of integers to slots; 0: it is no such load.
unsigned build_loaded_bytes(enum uop_code code);
// Decides which loads of the block are joined.
void build_join_loads(struct build *b);
// What a uop loads that is joined with others.
LLVMValueRef build_joined_load(struct build *b, const struct uop *uop, LLVMTypeRef type);

// ---- unroll.c

// A loop of one block that goes on until a slot, to which each round adds `step`, is equal to `bound`.
struct steps {
    unsigned branch;  // the uop that jumps back
    unsigned slot, bound;
    int64_t step;
    bool narrow;  // of 32 bits, with their sign
};

// Whether it adds a number to a slot.
bool build_is_count(const struct uop *uop);
// At the start of the block under way: if it is a loop of which several rounds can be made at a time, builds those. What is built next is for the others.
void build_unroll(struct build *b);
// Whether so many rounds are to come, and whether none is.
LLVMValueRef build_are_left(struct build *b, const struct steps *steps, unsigned rounds);
LLVMValueRef build_is_done(struct build *b, const struct steps *steps);

// ---- lockstep.c

// The same for rounds in lockstep.
void build_lockstep(struct build *b, const struct steps *steps);

// ---- vector.c

// Finds out whether blocks can be built with vectors as LLVM's values, and makes places for those.
void build_look_at_vectors(struct build *b);
// To and from their places in the cpu.
void build_reload_vectors(struct build *b);
void build_store_vectors(struct build *b);
// Whether the guest's vectors are of the shape that those blocks are for.
LLVMValueRef build_vectors_fit(struct build *b);
// Whether it is an instruction for which, in the blocks under way, there is code, and this code.
bool build_is_vector(const struct build *b, const struct uop *u);
bool build_vector(struct build *b, const struct uop *u);
// Before a uop in the other copy: makes it a place to go on at, if it may change the shape.
void build_turn_here(struct build *b, const struct uop *u);

// ---- flags.c

// False where their C bodies have to do it.
bool build_flags_read(struct build *b, const struct uop *uop);
bool build_flags_write(struct build *b, const struct uop *uop);
// Before the block's uop of this number. True if that one, which reads the flags, and the next one, which puts them to a slot, are not to be built: whoever
// leaves before the slot has something else gets them from build_owed_flags.
bool build_defer_flags(struct build *b, unsigned at);
void build_owed_flags(struct build *b);

// ---- lines.c

// Makes debug locations possible, if the region wants them.
void build_begin_lines(struct build *b);
// What is built from now on belongs to a uop's guest instruction, or if NULL, to none.
void build_line(struct build *b, const struct uop *uop);

// ---- region.c

LLVMValueRef build_constant(struct build *b, uint64_t value);
// Of another type of integers, or of vectors of them.
LLVMValueRef build_constant_of(LLVMTypeRef type, uint64_t value);
// A vector of so many of them.
LLVMValueRef build_splat(struct build *b, LLVMValueRef value, unsigned count);
// Calls an intrinsic; `types` as it is overloaded.
LLVMValueRef build_intrinsic(struct build *b, const char *name, LLVMTypeRef *types, unsigned type_count, LLVMValueRef *arguments,
                             unsigned count);
// Says that an access is to struct cpu, or to the guest's memory.
void build_mark(struct build *b, LLVMValueRef access, LLVMValueRef kind);
// The address of something in struct cpu.
LLVMValueRef build_cpu_field(struct build *b, size_t offset);
LLVMBasicBlockRef build_block(struct build *b);
// Goes on in the block that is returned unless the condition holds, which is seldom; then building goes on here.
LLVMBasicBlockRef build_seldom(struct build *b, LLVMValueRef condition);
// The uop's C body instead of what is built next if the condition holds, which is seldom. build_body_end is where both go on.
LLVMBasicBlockRef build_body_if(struct build *b, const struct uop *uop, LLVMValueRef condition);
void build_body_end(struct build *b, LLVMBasicBlockRef join);

// Builds the block's uops up to this one, a jump back to its start that is made for sure.
void build_round(struct build *b, unsigned branch);
// Counts the instructions of so many rounds, as MODE_COUNT wants it.
void build_count_rounds(struct build *b, unsigned branch, unsigned rounds);

// ---- what uops mean: uops.c, uops_fp.c

// Code for a uop that neither branches nor leaves. False if there is none: then its C body has to be called.
bool build_uop(struct build *b, const struct uop *uop);
bool build_fp_uop(struct build *b, const struct uop *uop);
// The condition of a branch.
LLVMValueRef build_condition(struct build *b, const struct uop *uop);
// The operands that are of double precision, as bits for a, b, c, d.
unsigned build_double_operands(const struct uop *uop);
// A double with NaNs made the canonical one.
LLVMValueRef build_canonical(struct build *b, LLVMValueRef value);
// Memory as a uop accesses it, and from a place after the slot `base`.
LLVMValueRef build_load_from(struct build *b, LLVMValueRef address, LLVMTypeRef type);
LLVMValueRef build_wide_load(struct build *b, unsigned base, int64_t imm, LLVMTypeRef type);
LLVMValueRef build_load(struct build *b, const struct uop *uop, LLVMTypeRef type);
void build_store(struct build *b, const struct uop *uop, LLVMValueRef value);
