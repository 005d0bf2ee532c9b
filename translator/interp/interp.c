// Tier 0: the functions behind the cells, one per uop (uops.def) and per fused sequence (sequences.def), and the loop around them.
//
// Each function does its work on the slots and ends in a tail call to the next cell's function: with clang the two
// pointers that matter stay in registers for good (preserve_none), and each function has its own indirect jump for the
// host's predictor. Compilers without a guaranteed tail call return the next cell to a loop instead.
#include "translator/interp/interp.h"
#include "translator/interp/cells.h"
#include "translator/interp/section.h"
#include "translator/ir/uop_body.h"
#include <string.h>

// clang-format off: macros that read as tables
#if defined(__clang__) && __has_attribute(preserve_none) && __has_attribute(musttail)
#define CONVENTION __attribute__((preserve_none))
#define NEXT(to)                                                      \
    do {                                                                \
        const struct cell *next_ = (to);                                \
        __attribute__((musttail)) return ((handler_function *)(uintptr_t)next_->handler)(cpu, next_); \
    } while (0)
#define HAND_OVER(handler) __attribute__((musttail)) return handler(cpu, u)
#else
#define CONVENTION
#define NEXT(to) return (to)
#define HAND_OVER(handler) return handler(cpu, u)
#endif
#define HANDLER(name) static CONVENTION INTERP_SECTION INTERP_UNCHECKED const struct cell *name(struct cpu *cpu, const struct cell *u)
#define SLOW_HANDLER(name) __attribute__((noinline)) HANDLER(name)
#define INLINE static inline __attribute__((always_inline)) INTERP_UNCHECKED
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
// clang-format on

typedef const struct cell *handler_function(struct cpu *, const struct cell *) CONVENTION;  // NOLINT: the one shape of all handlers

// Stops the run: the return value goes all the way to interp_run.
static __attribute__((noinline, cold)) const struct cell *leave(struct cpu *cpu, uint64_t pc, enum trap_kind kind) {
    cpu->pc = pc;
    cpu->trap.kind = kind;
    return NULL;
}

// Slow ways out of a handler are tail calls to handlers: an ordinary call would give the fast way a stack frame.

// Before the code at `u` is entered: the first cell of a block, or an exit that is not linked yet.
SLOW_HANDLER(stop_interrupted) {
    const struct exit *exit = (const struct exit *)((uintptr_t)u - offsetof(struct exit, link));
    return leave(cpu, u->handler == cell_handler_link ? exit->pc : threaded_of(u)->pc, TRAP_INTERRUPT);
}

// The same where the next pc is in cpu->pc.
SLOW_HANDLER(stop_interrupted_at) {
    (void)u;
    return leave(cpu, cpu->pc, TRAP_INTERRUPT);
}

static const struct layout *layout_of(const struct cell *access) {
    return threaded_of((const struct cell *)((const char *)access - (size_t)access->d * CELL_UNIT))->about;
}

SLOW_HANDLER(stop_misaligned) {
    const struct layout *about = layout_of(u);
    cpu->trap.address = cpu->slot[u->b];
    return leave(cpu, about->block->pc + about->offset[u->d], TRAP_ALIGN);
}

SLOW_HANDLER(stop_illegal) {
    const struct layout *about = layout_of(u);
    return leave(cpu, about->block->pc + about->offset[u->d], TRAP_ILLEGAL);
}

// ---- operands and memory, as uops.def names them: the sources are values, so that those of a pair need not come from slots

// clang-format off: macros that read as tables
#define A (*a_)
#define B b_
#define C c_
#define D cpu->slot[u->d]
#define IMM ((int64_t)OPERANDS >> 32)
#define PC_RELATIVE ((uint64_t)(int64_t)u->imm)  // lowering has added the block's pc
#define OPERANDS (*(const uint64_t *)&u->a)
#define SLOT_A cpu->slot[(uint8_t)OPERANDS]
#define SLOT_B cpu->slot[(uint8_t)(OPERANDS >> 8)]
#define SLOT_C cpu->slot[(uint8_t)(OPERANDS >> 16)]

// The compiler must have stored cpu->at before the access, and may not move either.
#define ACCESS(u) (cpu->at = (u), __atomic_signal_fence(__ATOMIC_SEQ_CST))
#define GUEST(type, address) (((volatile struct { type v; } __attribute__((packed, may_alias)) *)(uintptr_t)(address))->v)
#define LOAD(type) (ACCESS(u), GUEST(type, B + (uint64_t)IMM))
#define STORE(type, value) (ACCESS(u), (void)(GUEST(type, B + (uint64_t)IMM) = (type)(value)))

// ---- straight uops: an inline function does_NAME each that returns the result, of which sequences are made. put_NAME puts
// the result where it belongs.

#define DOES(name, ...)                                                                                            \
    INLINE uint64_t does_##name(struct cpu *cpu, const struct cell *u, uint64_t b_, uint64_t c_) {                 \
        uint64_t result = 0, *const a_ = &result;                                                                  \
        (void)cpu, (void)u, (void)a_, (void)b_, (void)c_;                                                          \
        __VA_ARGS__;                                                                                               \
        return result;                                                                                             \
    }
#define STRAIGHT(name, ...)                                                                                        \
    DOES(name, __VA_ARGS__)                                                                                        \
    INLINE void put_##name(struct cpu *cpu, const struct cell *u, uint64_t result) { SLOT_A = result; }            \
    HANDLER(op_##name) { put_##name(cpu, u, does_##name(cpu, u, SLOT_B, SLOT_C)); NEXT(u + 1); }
#define WITHOUT_RESULT(name, ...)                                                                                  \
    DOES(name, __VA_ARGS__)                                                                                        \
    INLINE void put_##name(struct cpu *cpu, const struct cell *u, uint64_t result) { (void)cpu, (void)u, (void)result; } \
    HANDLER(op_##name) { does_##name(cpu, u, SLOT_B, SLOT_C); NEXT(u + 1); }
#define CONDITION(name, ...) \
    INLINE bool holds_##name(uint64_t b_, uint64_t c_) { return __VA_ARGS__; } \
    HANDLER(op_##name) { if (holds_##name(SLOT_B, SLOT_C)) TAKE(u); NEXT(u + 1); }
// clang-format on

INLINE bool interrupted(const struct cpu *cpu) {
    return UNLIKELY(__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED) != 0);
}

// clang-format off: macros that read as tables
#define TAKE(at)                                                                                                       \
    do {                                                                                                               \
        u = cell_target(at);                                                                                           \
        if (interrupted(cpu)) HAND_OVER(stop_interrupted);                                                             \
        NEXT(u);                                                                                                       \
    } while (0)

// clang-format on
INLINE struct cpu_jump *jump_entry(struct cpu *cpu, uint64_t pc) {
    return &cpu->jump[cpu_jump_at(pc)];
}

// A block that is entered for the first time is not gone to directly the next time either: that it is entered again shall be noticed,
// because then it is worth fusing (cpu->resolve does that).
static bool is_settled(const struct cell *code) {
    const struct block *block = threaded_of(code)->about->block;
    return __atomic_load_n(&block->settled, __ATOMIC_ACQUIRE) && block->code->cell == code;
}

static bool is_native(const struct cell *code) {
    const struct block *block = threaded_of(code)->about->block;
    return block->kept || __atomic_load_n(&block->unit, __ATOMIC_RELAXED) || __atomic_load_n(&block->optimised, __ATOMIC_RELAXED);
}

// Whether passes are still counted.
static bool is_counted(const struct cell *code) {
    return interp_hot_passes && !is_native(code) && !threaded_of(code)->about->block->plain;
}

// Target of an indirect jump that was not in the interpreter's jump cache: cpu->pc.
SLOW_HANDLER(find_indirect) {
    (void)u;
    const struct cpu_far_jump *far = &cpu->far_jump[cpu_far_jump_at(cpu->pc)];
    const struct cell *code = far->pc == cpu->pc && far->code >> CPU_STAMP_SHIFT == 0 ? (const struct cell *)far->code : NULL;
    if (!code) {
        code = cpu->resolve_jump(cpu);
        if (!code) return NULL;
        // While a block may still turn hot, it is looked up each time, which is counted.
        if (!is_settled(code) || is_counted(code)) NEXT(code);
    }
    const void *native = __atomic_load_n(&threaded_of(code)->native, __ATOMIC_ACQUIRE);
    cpu_note_far_jump(cpu, cpu->pc, native == interp_native_leave ? (uintptr_t)code : (uintptr_t)native | cpu->far_stamp);
    *jump_entry(cpu, cpu->pc) = (struct cpu_jump){cpu->pc, code};
    NEXT(code);
}

// clang-format off: macros that read as tables
#define GO_INDIRECT(u, base)                                                                                           \
    do {                                                                                                               \
        uint64_t pc_ = ((base) + (uint64_t)(int64_t)(u)->imm) & ~UINT64_C(1);                                          \
        const struct cpu_jump *entry_ = jump_entry(cpu, pc_);                                                          \
        if (UNLIKELY(interrupted(cpu) || entry_->pc != pc_)) {                                                         \
            cpu->pc = pc_;                                                                                             \
            if (interrupted(cpu)) HAND_OVER(stop_interrupted_at);                                                      \
            HAND_OVER(find_indirect);                                                                                  \
        }                                                                                                              \
        NEXT(entry_->code);                                                                                            \
    } while (0)

// Which format is written how.
#define UOP_AS_NONE(name, ...) WITHOUT_RESULT(name, __VA_ARGS__)
#define UOP_AS_D(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DI(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DS(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DSI(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DSS(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DSSI(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DSSS(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_S(name, ...) WITHOUT_RESULT(name, __VA_ARGS__)
#define UOP_AS_I(name, ...) WITHOUT_RESULT(name, __VA_ARGS__)
#define UOP_AS_SI(name, ...) WITHOUT_RESULT(name, __VA_ARGS__)
#define UOP_AS_LOAD(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_STORE(name, ...) WITHOUT_RESULT(name, __VA_ARGS__)
#define UOP_AS_LINK(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_BRANCH(name, ...) CONDITION(name, __VA_ARGS__)
#define UOP_AS_JUMP(name, ...) HANDLER(op_##name) { TAKE(u); }
#define UOP_AS_INDIRECT(name, ...) HANDLER(op_##name) { GO_INDIRECT(u, SLOT_B); }
// The pc to leave with stands in the next cell.
#define UOP_AS_EXIT(name, kind) HANDLER(op_##name) { return leave(cpu, cell_wide(u + 1), kind); }
#define UOP_AS_AMO(name, ...)                                                            \
    HANDLER(op_##name) {                                                                 \
        uint64_t *const a_ = &SLOT_A;                                                    \
        const uint64_t b_ = SLOT_B, c_ = SLOT_C;                                         \
        (void)a_, (void)c_;                                                              \
        __VA_ARGS__;                                                                     \
        NEXT(u + 1);                                                                     \
    }
#define UOP(name, format, ...) UOP_AS_##format(name, __VA_ARGS__)

#define VECTOR_INSTRUCTION                                                                          \
    ACCESS(u);                                                                                      \
    if (UNLIKELY(!uop_vector(cpu, a_, (uint32_t)u->imm, B, C))) HAND_OVER(stop_illegal)
// The comparand of an atomic is its destination on every guest; `d` holds the cell's index there.
#define ATOMIC(type)                                                              \
    ({                                                                            \
        if (UNLIKELY(B & (sizeof(type) - 1))) HAND_OVER(stop_misaligned);         \
        ACCESS(u);                                                                \
        (type *)(uintptr_t)B;                                                     \
    })
// clang-format on
#include "translator/ir/uops.def"
#undef UOP

// ---- cells that no uop stands for

INLINE uint64_t does_li64(const struct cpu *cpu, const struct cell *u, uint64_t b, uint64_t c) {
    (void)cpu, (void)b, (void)c;
    return cell_wide(u + 1);
}

INLINE void put_li64(struct cpu *cpu, const struct cell *u, uint64_t result) {
    SLOT_A = result;
}

HANDLER(op_li64) {
    put_li64(cpu, u, does_li64(cpu, u, 0, 0));
    NEXT(u + 2);
}

// Counts instructions up to here (MODE_COUNT).
HANDLER(op_count) {
    cpu->instructions += (uint64_t)u->imm;
    NEXT(u + 1);
}

// ---- exits. As long as the target is not worth native code, passes are counted in the link, whose distance then leads to the target.

// False if the target lies too far away for that.
static bool begin_count(struct cell *link, const struct cell *code, const void *handler) {
    if (!cell_link(link, code)) return false;
    __atomic_store_n(&link->passes, interp_hot_passes, __ATOMIC_RELAXED);
    __atomic_store_n(&link->handler, handler, __ATOMIC_RELEASE);
    return true;
}

// Two threads may both count down to zero, or lose a pass.
INLINE bool counts_down(const struct cell *link) {
    uint32_t *passes = &((struct cell *)(uintptr_t)link)->passes;
    uint32_t left = __atomic_load_n(passes, __ATOMIC_RELAXED);
    if (LIKELY(left > 1)) __atomic_store_n(passes, left - 1, __ATOMIC_RELAXED);
    return LIKELY(left > 1);
}

static void link_exit(const struct exit *exit, const struct cell *code) {
    cell_link(__atomic_load_n(&exit->branch, __ATOMIC_ACQUIRE), code);
}

static void link_native_exit(struct native_exit *exit, const struct cell *code) {
    __atomic_store_n(&exit->target, code, __ATOMIC_RELEASE);
}

// The code at an exit's pc, or NULL after a trap. *final: the exit is to be linked to it, since passes need not be counted by `counting`.
static const struct cell *exit_code(struct cpu *cpu, uint64_t pc, struct cell *link, const void *counting, bool *final) {
    cpu->pc = pc;
    const struct cell *code = cpu->resolve(cpu);
    *final = code && is_settled(code) && !(is_counted(code) && begin_count(link, code, counting));
    return code;
}

SLOW_HANDLER(heat_up) {
    const struct cell *code = cell_target(u);
    cpu->hot(cpu, code);
    link_exit((struct exit *)((uintptr_t)u - offsetof(struct exit, link)), code);
    NEXT(code);
}

SLOW_HANDLER(heat_up_native) {
    const struct cell *code = cell_target(u);
    cpu->hot(cpu, code);
    link_native_exit((struct native_exit *)((uintptr_t)u - offsetof(struct native_exit, link)), code);
    NEXT(code);
}

HANDLER(op_count_pass) {
    if (!counts_down(u)) HAND_OVER(heat_up);
    NEXT(cell_target(u));
}

HANDLER(op_count_native_pass) {
    if (!counts_down(u)) HAND_OVER(heat_up_native);
    NEXT(cell_target(u));
}

// An exit that is not linked yet: finds the target and links.
HANDLER(op_link) {
    struct exit *exit = (struct exit *)((uintptr_t)u - offsetof(struct exit, link));
    bool final;
    const struct cell *code = exit_code(cpu, exit->pc, &exit->link, (const void *)op_count_pass, &final);
    if (!code) return NULL;
    if (final) link_exit(exit, code);
    NEXT(code);
}

HANDLER(op_native_link) {
    struct native_exit *exit = (struct native_exit *)((uintptr_t)u - offsetof(struct native_exit, link));
    bool final;
    const struct cell *code = exit_code(cpu, exit->pc, &exit->link, (const void *)op_count_native_pass, &final);
    if (!code) return NULL;
    if (final) link_native_exit(exit, code);
    NEXT(code);
}

// ---- native code

const struct cell *(*interp_native_enter)(struct cpu *cpu, const struct cell *first);
const void *interp_native_leave;
uint32_t interp_hot_passes;

// First cell of a block that has native code.
HANDLER(op_native) {
    if (interrupted(cpu)) HAND_OVER(stop_interrupted);
    const struct cell *next = interp_native_enter(cpu, u);
    if (!next) return NULL;
    NEXT(next);
}

uint64_t interp_next_pc(const struct cpu *cpu, const struct cell *next) {
    const struct native_exit *exit = (const struct native_exit *)((uintptr_t)next - offsetof(struct native_exit, link));
    if (next == &cell_indirect || next == &cell_hot) return cpu->pc;
    bool is_link = next->handler == cell_handler_native_link || next->handler == (const void *)op_count_native_pass;
    return is_link ? exit->pc : threaded_of(next)->pc;
}

// First cell of a block that had native code until another block of its unit went.
HANDLER(op_reheat) {
    struct block *block = threaded_of(u)->about->block;
    const void *own = cell_handler_reheat;
    __atomic_compare_exchange_n(&block->code->cell->handler, &own, block->handler, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    cpu->hot(cpu, u);
    NEXT(u);
}

HANDLER(op_indirect) {
    if (interrupted(cpu)) HAND_OVER(stop_interrupted_at);
    HAND_OVER(find_indirect);
}

const struct cell cell_indirect = {.handler = (const void *)op_indirect};

HANDLER(op_hot) {
    (void)u;
    const struct cell *code = cpu->resolve_hot(cpu);
    if (!code) return NULL;
    NEXT(code);
}

const struct cell cell_hot = {.handler = (const void *)op_hot};

SLOW_HANDLER(replace_dead) {
    struct block *block = threaded_of(u)->about->block;
    cpu->pc = block->pc;
    const struct cell *code = cpu->resolve(cpu);
    if (!code) return NULL;
    if (is_settled(code)) __atomic_store_n(&block->instead, code, __ATOMIC_RELEASE);
    NEXT(code);
}

static bool is_dead(const struct cell *code) {
    return __atomic_load_n(&threaded_of(code)->about->block->dead, __ATOMIC_RELAXED);
}

// First cell of a dead block. Others stay linked to it, and go on at the block that came after it, which is looked up as long as that is
// counted. The jump caches forget it, since native code would have to be left for it each time.
HANDLER(op_dead) {
    const struct cell *instead = __atomic_load_n(&threaded_of(u)->about->block->instead, __ATOMIC_ACQUIRE);
    uint64_t pc = threaded_of(u)->pc;
    unsigned near = cpu_jump_at(pc), far = cpu_far_jump_at(pc);
    if (cpu->jump[near].code == u) cpu->jump[near].pc = cpu_no_jump(near);
    if (cpu->far_jump[far].code == (uintptr_t)u) cpu->far_jump[far].pc = cpu_no_jump(far);
    if (!instead || is_dead(instead) || is_counted(instead)) HAND_OVER(replace_dead);
    NEXT(instead);
}

// ---- sequences: between two uops stands how the second takes the first's result (enum cell_chain). Taken through the slot it would be
// there some five cycles later.

// clang-format off: macros that read as tables
#define B_OF_n(result) SLOT_B
#define B_OF_b(result) (result)
#define B_OF_c(result) SLOT_B
#define B_OF_bo(result) (result)
#define B_OF_co(result) SLOT_B
#define C_OF_n(result) SLOT_C
#define C_OF_b(result) SLOT_C
#define C_OF_c(result) (result)
#define C_OF_bo(result) SLOT_C
#define C_OF_co(result) (result)
#define PUT_n(x, result) put_##x(cpu, u, result)
#define PUT_b(x, result) put_##x(cpu, u, result)
#define PUT_c(x, result) put_##x(cpu, u, result)
#define PUT_bo(x, result) (void)0
#define PUT_co(x, result) (void)0
#define AFTER(x, units) ((const struct cell *)((const char *)u + (CELL_##x == CELL_li64 ? (units) + 1 : (units)) * CELL_UNIT))
#define STEP(x, chain, before, result, next)                                                        \
    const uint64_t result = does_##x(cpu, u, B_OF_##chain(before), C_OF_##chain(before));           \
    PUT_##next(x, result);                                                                          \
    (void)(result);                                                                                 \
    u = AFTER(x, 1)
#define LAST_STRAIGHT(x, chain, before)                                                             \
    put_##x(cpu, u, does_##x(cpu, u, B_OF_##chain(before), C_OF_##chain(before)));                  \
    NEXT(AFTER(x, 2))
#define LAST_BRANCH(x, chain, before)                                                               \
    if (holds_##x(B_OF_##chain(before), C_OF_##chain(before))) TAKE(u);                             \
    NEXT(u + 1)
#define LAST_JUMP(x, chain, before) TAKE(u)
#define LAST_INDIRECT(x, chain, before) GO_INDIRECT(u, B_OF_##chain(before))
#define FUSE2(last, v, vw, w) HANDLER(op_##v##_##vw##_##w) { STEP(v, n, 0, r0, vw); LAST_##last(w, vw, r0); }
#define FUSE3(last, v, vw, w, wx, x) \
    HANDLER(op_##v##_##vw##_##w##_##wx##_##x) { STEP(v, n, 0, r0, vw); STEP(w, vw, r0, r1, wx); LAST_##last(x, wx, r1); }
#define FUSE4(last, v, vw, w, wx, x, xy, y)                                                         \
    HANDLER(op_##v##_##vw##_##w##_##wx##_##x##_##xy##_##y) {                                        \
        STEP(v, n, 0, r0, vw);                                                                      \
        STEP(w, vw, r0, r1, wx);                                                                    \
        STEP(x, wx, r1, r2, xy);                                                                    \
        LAST_##last(y, xy, r2);                                                                     \
    }
// clang-format on
#include "translator/interp/sequences.def"
#undef FUSE2
#undef FUSE3
#undef FUSE4

// ---- bodies. Their cells may also be constants beside native code, with no handler; then cpu->pc is up to date, and d says whether a memory
// access writes.

static bool is_constant(const struct cell *u) {
    return !u->handler;
}

static __attribute__((noinline)) bool stop_body(struct cpu *cpu, const struct cell *u) {
    if (!is_constant(u)) {
        stop_misaligned(cpu, u);
        return true;
    }
    cpu->trap.address = cpu->slot[u->b];
    leave(cpu, cpu->pc, TRAP_ALIGN);
    return true;
}

static __attribute__((noinline)) bool stop_illegal_body(struct cpu *cpu, const struct cell *u) {
    if (is_constant(u)) leave(cpu, cpu->pc, TRAP_ILLEGAL);
    else stop_illegal(cpu, u);
    return true;
}

// clang-format off: macros that read as tables
#undef VECTOR_INSTRUCTION
#define VECTOR_INSTRUCTION                                                                          \
    ACCESS(u);                                                                                      \
    if (UNLIKELY(!uop_vector(cpu, a_, (uint32_t)u->imm, B, C))) return stop_illegal_body(cpu, u)
#undef ATOMIC
#define ATOMIC(type)                                                              \
    ({                                                                            \
        if (UNLIKELY(B & (sizeof(type) - 1))) return stop_body(cpu, u);           \
        ACCESS(u);                                                                \
        (type *)(uintptr_t)B;                                                     \
    })
#define BODY(name) static INTERP_SECTION INTERP_UNCHECKED bool body_##name(struct cpu *cpu, const struct cell *u)
#define BODY_OF_STRAIGHT(name) \
    BODY(name) { put_##name(cpu, u, does_##name(cpu, u, SLOT_B, SLOT_C)); return false; }
#define BODY_AS_NONE(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_D(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_DI(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_DS(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_DSI(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_DSS(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_DSSI(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_DSSS(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_S(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_I(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_SI(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_LOAD(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_STORE(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_LINK(name, ...) BODY_OF_STRAIGHT(name)
#define BODY_AS_BRANCH(name, ...) BODY(name) { return holds_##name(SLOT_B, SLOT_C); }
#define BODY_AS_JUMP(name, ...)
#define BODY_AS_INDIRECT(name, ...)
#define BODY_AS_EXIT(name, kind) BODY(name) { leave(cpu, cell_wide(u + 1), kind); return true; }
#define BODY_AS_AMO(name, ...)                                                           \
    BODY(name) {                                                                         \
        uint64_t *const a_ = &SLOT_A;                                                    \
        const uint64_t b_ = SLOT_B, c_ = SLOT_C;                                         \
        (void)a_, (void)c_;                                                              \
        __VA_ARGS__;                                                                     \
        return false;                                                                    \
    }
// clang-format on
#define UOP(name, format, ...) BODY_AS_##format(name, __VA_ARGS__)
#include "translator/ir/uops.def"
#undef UOP

interp_body_function *const interp_body[UOP_COUNT_OF_CODES] = {
#define NAMED_AS_NONE(name) [UOP_##name] = body_##name,
#define NAMED_AS_D NAMED_AS_NONE
#define NAMED_AS_DI NAMED_AS_NONE
#define NAMED_AS_DS NAMED_AS_NONE
#define NAMED_AS_DSI NAMED_AS_NONE
#define NAMED_AS_DSS NAMED_AS_NONE
#define NAMED_AS_DSSI NAMED_AS_NONE
#define NAMED_AS_DSSS NAMED_AS_NONE
#define NAMED_AS_S NAMED_AS_NONE
#define NAMED_AS_I NAMED_AS_NONE
#define NAMED_AS_SI NAMED_AS_NONE
#define NAMED_AS_LOAD NAMED_AS_NONE
#define NAMED_AS_STORE NAMED_AS_NONE
#define NAMED_AS_LINK NAMED_AS_NONE
#define NAMED_AS_BRANCH NAMED_AS_NONE
#define NAMED_AS_JUMP(name)
#define NAMED_AS_INDIRECT(name)
#define NAMED_AS_EXIT NAMED_AS_NONE
#define NAMED_AS_AMO NAMED_AS_NONE
#define UOP(name, format, ...) NAMED_AS_##format(name)
#include "translator/ir/uops.def"
#undef UOP
};

// ---- tables for lowering (cells.h)

const void *const cell_handler[UOP_COUNT_OF_CODES] = {
#define UOP(name, format, ...) [UOP_##name] = (const void *)op_##name,
#include "translator/ir/uops.def"
#undef UOP
};

const void *const cell_handler_li64 = (const void *)op_li64;
const void *const cell_handler_count = (const void *)op_count;
const void *const cell_handler_link = (const void *)op_link;
const void *const cell_handler_dead = (const void *)op_dead;
const void *const cell_handler_reheat = (const void *)op_reheat;
const void *const cell_handler_native = (const void *)op_native;
const void *const cell_handler_native_link = (const void *)op_native_link;
const void *const cell_handler_native_pass = (const void *)op_count_native_pass;

const struct cell_sequence cell_sequences[] = {
// clang-format off: macros that read as tables
#define FUSE2(last, v, vw, w) {2, {CELL_##v, CELL_##w}, {0, CHAIN_##vw}, (const void *)op_##v##_##vw##_##w},
#define FUSE3(last, v, vw, w, wx, x) \
    {3, {CELL_##v, CELL_##w, CELL_##x}, {0, CHAIN_##vw, CHAIN_##wx}, (const void *)op_##v##_##vw##_##w##_##wx##_##x},
#define FUSE4(last, v, vw, w, wx, x, xy, y)                                               \
    {4, {CELL_##v, CELL_##w, CELL_##x, CELL_##y}, {0, CHAIN_##vw, CHAIN_##wx, CHAIN_##xy}, \
     (const void *)op_##v##_##vw##_##w##_##wx##_##x##_##xy##_##y},
// clang-format on
#include "translator/interp/sequences.def"
};
const unsigned cell_sequence_count = sizeof cell_sequences / sizeof *cell_sequences;

// ---- running

void interp_run(struct cpu *cpu, const struct cell *code) {
    while (code) code = ((handler_function *)(uintptr_t)__atomic_load_n(&code->handler, __ATOMIC_RELAXED))(cpu, code);
}

extern const char __start_ferry_interp[], __stop_ferry_interp[];

bool interp_owns(uint64_t host_pc) {
    return host_pc >= (uintptr_t)__start_ferry_interp && host_pc < (uintptr_t)__stop_ferry_interp;
}

// From its base register to where it accesses memory; a vector instruction's immediate, which is greater than any displacement, says something else.
static uint64_t displacement_of(const struct cell *access) {
    enum { LONGEST = 4096 };
    return access->imm < LONGEST ? (uint64_t)(int64_t)access->imm : 0;
}

void interp_fault(struct cpu *cpu, uint64_t host_address) {
    const struct cell *u = cpu->at;
    cpu->trap.kind = TRAP_MEMORY;
    if (is_constant(u)) {
        cpu->trap.write = u->d;
    } else {
        const struct layout *about = layout_of(u);
        cpu->pc = about->block->pc + about->offset[u->d];
        cpu->trap.write = uop_stores(about->cell_code[u->d]);
    }
    cpu->trap.address = host_address != ~UINT64_C(0) ? host_address : cpu->slot[u->b] + displacement_of(u);
}
