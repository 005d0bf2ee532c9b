// Tier 0: the functions behind the cells, one per uop (uops.def) and per fused pair (pairs.def), and the loop around them.
//
// Each function does its work on the slots and ends in a tail call to the next cell's function: with clang the two
// pointers that matter stay in registers for good (preserve_none), and each function has its own indirect jump for the
// host's predictor. Compilers without a guaranteed tail call return the next cell to a loop instead.
#include "translator/interp/interp.h"
#include "translator/interp/cells.h"
#include "translator/interp/section.h"
#include "translator/ir/uop_body.h"
#include <string.h>

#if defined(__clang__) && __has_attribute(preserve_none) && __has_attribute(musttail)
#define CONVENTION __attribute__((preserve_none))
#define NEXT(to)                                                      \
    do {                                                                \
        const struct cell *next_ = (to);                                \
        __attribute__((musttail)) return ((handler_function *)(uintptr_t)next_->handler)(cpu, next_); \
    } while (0)
#define HAND_OVER(handler) __attribute__((musttail)) return handler(cpu, u)
#define THREADED 1
#else
#define CONVENTION
#define NEXT(to) return (to)
#define HAND_OVER(handler) return handler(cpu, u)
#define THREADED 0
#endif
#define HANDLER(name) static CONVENTION INTERP_SECTION INTERP_UNCHECKED const struct cell *name(struct cpu *cpu, const struct cell *u)
#define SLOW_HANDLER(name) __attribute__((noinline)) HANDLER(name)
#define INLINE static inline __attribute__((always_inline)) INTERP_UNCHECKED
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

typedef const struct cell *handler_function(struct cpu *, const struct cell *) CONVENTION;  // NOLINT: the one shape of all handlers

// Stops the run: the return value goes all the way to interp_run.
static __attribute__((noinline, cold)) const struct cell *leave(struct cpu *cpu, uint64_t pc, enum trap_kind kind) {
    cpu->pc = pc;
    cpu->trap.kind = kind;
    return NULL;
}

// Slow ways out of a handler are tail calls to handlers: an ordinary call would give the fast way a stack frame.
SLOW_HANDLER(stop_interrupted) {
    (void)u;
    cpu->trap.kind = TRAP_INTERRUPT;
    return NULL;
}

static struct block *block_of(const struct cell *access) {
    return (struct block *)((char *)(access - access->d) - offsetof(struct block, cell));
}

SLOW_HANDLER(stop_misaligned) {
    struct block *block = block_of(u);
    cpu->trap.address = cpu->slot[u->b];
    return leave(cpu, block->pc + block->offset[u->d], TRAP_ALIGN);
}

// ---- operands and memory, as uops.def names them

#define A cpu->slot[u->a]
#define B cpu->slot[u->b]
#define C cpu->slot[u->c]
#define D cpu->slot[u->d]
#define IMM ((int64_t)u->imm)
#define PC_RELATIVE ((uint64_t)(int64_t)u->imm)  // lowering has added the block's pc

// The compiler must have stored cpu->at before the access, and may not move either.
#define ACCESS(u) (cpu->at = (u), ({ __asm__ volatile("" ::: "memory"); }))
#define GUEST(type, address) (((volatile struct { type v; } __attribute__((packed, may_alias)) *)(uintptr_t)(address))->v)
#define LOAD(type) (ACCESS(u), GUEST(type, B + (uint64_t)IMM))
#define STORE(type, value) (ACCESS(u), (void)(GUEST(type, B + (uint64_t)IMM) = (type)(value)))

// ---- straight uops: an inline function does_NAME each, so that pairs can be made of them

#define STRAIGHT(name, ...) \
    INLINE void does_##name(struct cpu *cpu, const struct cell *u) { (void)cpu, (void)u; __VA_ARGS__; } \
    HANDLER(op_##name) { does_##name(cpu, u); NEXT(u + 1); }
#define CONDITION(name, ...) \
    INLINE bool holds_##name(const struct cpu *cpu, const struct cell *u) { return __VA_ARGS__; } \
    HANDLER(op_##name) { if (holds_##name(cpu, u)) TAKE(u); NEXT(u + 1); }

INLINE const struct exit *exit_of(const struct cell *u) {
    return (const struct exit *)((const char *)u + u->imm);
}

INLINE bool interrupted(const struct cpu *cpu) {
    return UNLIKELY(__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED) != 0);
}

#define TAKE(u)                                                                                  \
    do {                                                                                         \
        const struct exit *exit_ = exit_of(u);                                                   \
        if (interrupted(cpu)) {                                                                  \
            cpu->pc = exit_->pc;                                                                 \
            HAND_OVER(stop_interrupted);                                                         \
        }                                                                                        \
        NEXT((const struct cell *)__atomic_load_n(&exit_->code, __ATOMIC_RELAXED));              \
    } while (0)

// Target of an indirect jump that was not in the jump cache: cpu->pc.
SLOW_HANDLER(find_indirect) {
    (void)u;
    const struct cell *code = cpu->resolve(cpu);
    if (!code) return NULL;
    cpu->jump[(cpu->pc >> 1) % CPU_JUMPS] = (struct cpu_jump){cpu->pc, code};
    NEXT(code);
}

#define GO_INDIRECT(u)                                                                           \
    do {                                                                                         \
        uint64_t pc_ = (cpu->slot[(u)->b] + (uint64_t)(int64_t)(u)->imm) & ~UINT64_C(1);         \
        const struct cpu_jump *jump_ = &cpu->jump[(pc_ >> 1) % CPU_JUMPS];                       \
        if (UNLIKELY(interrupted(cpu) | (jump_->pc != pc_))) {                                   \
            cpu->pc = pc_;                                                                       \
            if (interrupted(cpu)) HAND_OVER(stop_interrupted);                                   \
            HAND_OVER(find_indirect);                                                            \
        }                                                                                        \
        NEXT(jump_->code);                                                                       \
    } while (0)

// Which format is written how.
#define UOP_AS_NONE(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_D(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DI(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DS(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DSI(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DSS(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DSSI(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_DSSS(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_S(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_I(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_SI(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_LOAD(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_STORE(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_LINK(name, ...) STRAIGHT(name, __VA_ARGS__)
#define UOP_AS_BRANCH(name, ...) CONDITION(name, __VA_ARGS__)
#define UOP_AS_JUMP(name, ...) HANDLER(op_##name) { TAKE(u); }
#define UOP_AS_INDIRECT(name, ...) HANDLER(op_##name) { GO_INDIRECT(u); }
// The pc to leave with stands in the next cell.
#define UOP_AS_EXIT(name, kind) HANDLER(op_##name) { return leave(cpu, cell_wide(u + 1), kind); }
#define UOP_AS_AMO(name, ...) HANDLER(op_##name) { __VA_ARGS__; NEXT(u + 1); }
#define UOP(name, format, ...) UOP_AS_##format(name, __VA_ARGS__)

// The comparand of an atomic is its destination on every guest; `d` holds the cell's index there.
#define ATOMIC(type)                                                              \
    ({                                                                            \
        if (UNLIKELY(B & (sizeof(type) - 1))) HAND_OVER(stop_misaligned);         \
        ACCESS(u);                                                                \
        (type *)(uintptr_t)B;                                                     \
    })
#include "translator/ir/uops.def"
#undef UOP

// ---- cells that no uop stands for

HANDLER(op_li64) {
    A = cell_wide(u + 1);
    NEXT(u + 2);
}

// Counts instructions up to here (MODE_COUNT).
HANDLER(op_count) {
    cpu->instructions += (uint64_t)u->imm;
    NEXT(u + 1);
}

// An exit that is not linked yet: finds the target and links.
HANDLER(op_link) {
    struct exit *exit = (struct exit *)((uintptr_t)u - offsetof(struct exit, link));
    cpu->pc = exit->pc;
    const struct cell *code = cpu->resolve(cpu);
    if (!code) return NULL;
    __atomic_store_n(&exit->code, code, __ATOMIC_RELEASE);
    NEXT(code);
}

// First cell of a dead block.
HANDLER(op_dead) {
    cpu->pc = ((const struct block *)((const char *)u - offsetof(struct block, cell)))->pc;
    const struct cell *code = cpu->resolve(cpu);
    if (!code) return NULL;
    NEXT(code);
}

// ---- pairs

#define PAIR(x, y) HANDLER(op_##x##_##y) { does_##x(cpu, u); does_##y(cpu, u + 1); NEXT(u + 2); }
#define PAIR_BRANCH(x, y) HANDLER(op_##x##_##y) { does_##x(cpu, u); if (holds_##y(cpu, u + 1)) TAKE(u + 1); NEXT(u + 2); }
#define PAIR_JUMP(x, y) HANDLER(op_##x##_##y) { does_##x(cpu, u); TAKE(u + 1); }
#define PAIR_INDIRECT(x, y) HANDLER(op_##x##_##y) { does_##x(cpu, u); GO_INDIRECT(u + 1); }
#include "translator/interp/pairs.def"
#undef PAIR
#undef PAIR_BRANCH
#undef PAIR_JUMP
#undef PAIR_INDIRECT

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

const struct cell_pair cell_pairs[] = {
#define PAIR(x, y) {UOP_##x, UOP_##y, (const void *)op_##x##_##y},
#define PAIR_BRANCH(x, y) PAIR(x, y)
#define PAIR_JUMP(x, y) PAIR(x, y)
#define PAIR_INDIRECT(x, y) PAIR(x, y)
#include "translator/interp/pairs.def"
};
const unsigned cell_pair_count = sizeof cell_pairs / sizeof *cell_pairs;

// ---- running

void interp_run(struct cpu *cpu, const struct cell *code) {
    do code = ((handler_function *)(uintptr_t)code->handler)(cpu, code);
    while (!THREADED && code);
}

extern const char __start_ferry_interp[], __stop_ferry_interp[];

bool interp_owns(uint64_t host_pc) {
    return host_pc >= (uintptr_t)__start_ferry_interp && host_pc < (uintptr_t)__stop_ferry_interp;
}

static bool cell_writes(const struct cell *u) {
    for (unsigned code = 0; code < UOP_COUNT_OF_CODES; code++) {
        if (cell_handler[code] == u->handler) return uop_info[code].format == UOP_FORMAT_STORE || (uop_info[code].format == UOP_FORMAT_AMO && code != UOP_lr32 && code != UOP_lr64);
    }
    for (unsigned i = 0; i < cell_pair_count; i++) {
        if (cell_pairs[i].handler == u->handler) return uop_info[cell_pairs[i].first].format == UOP_FORMAT_STORE;
    }
    return false;
}

void interp_fault(struct cpu *cpu, uint64_t host_address) {
    const struct cell *u = cpu->at;
    struct block *block = block_of(u);
    cpu->pc = block->pc + block->offset[u->d];
    cpu->trap.kind = TRAP_MEMORY;
    cpu->trap.write = cell_writes(u);
    cpu->trap.address = host_address != ~UINT64_C(0) ? host_address : cpu->slot[u->b] + (uint64_t)(int64_t)u->imm;
}
