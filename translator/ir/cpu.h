// The state of one guest processor (one guest thread in user mode), neutral of the guest's ISA. The interpreter and
// translated code work on `slot`; everything else is for the runtime around them. Allocated zeroed, never moved.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_SLOTS 256
// Entries of jump caches, powers of two.
#define CPU_NATIVE_JUMPS 16384
#define CPU_JUMPS 4096
#define CPU_FAR_JUMPS 65536
#define CPU_PAD_BYTES 8

struct cell;
struct cpu;
struct quick_exit;

// Slots shared by every guest ISA's numbering (riscv64: 0-31 x registers, 32-63 f registers).
enum {
    SLOT_ZERO = 0,    // always reads 0; nothing may write it
    SLOT_TEMP = 64,   // first block-local temporary; not preserved between blocks
    SLOT_SINK = 255,  // written and never read: results nobody wants
};

// Why the interpreter (or translated code) came back to its caller. `cpu->pc` is exact for all of them: the faulting
// or trapping instruction itself, except TRAP_SYSCALL, where it is the instruction after, and TRAP_INTERRUPT and TRAP_RESUME,
// where it is the next instruction to run.
enum trap_kind {
    TRAP_NONE,
    TRAP_SYSCALL,    // ecall, svc, syscall
    TRAP_BREAK,      // ebreak
    TRAP_ILLEGAL,    // not an instruction, or not offered
    TRAP_MEMORY,     // the host refused a load or store; trap.address, trap.write, trap.host_signal, trap.host_code
    TRAP_ALIGN,      // misaligned atomic; trap.address
    TRAP_FETCH,      // pc is not executable memory; trap.address is the first byte that could not be fetched
    TRAP_CODE_SYNC,  // fence.i: written code must be seen from now on
    TRAP_INTERRUPT,  // cpu->pending was raised
    TRAP_RESUME,     // nothing happened; look up pc again (mode changed, code was invalidated)
};

struct trap {
    enum trap_kind kind;
    uint64_t address;     // faulting guest address
    int write;            // 1 store, 0 load
    int host_signal;      // SIGSEGV or SIGBUS
    int host_code;        // si_code as the host gave it
    int inexact;          // of a memory fault: pc and slots may be older ones, which no handler will look at
};

// Bits of the mode: translations made under one mode are not valid under another.
enum {
    MODE_COUNT = 1,     // count instructions (--stats)
    MODE_RM_AWAY = 2,   // dynamic rounding mode is to-nearest-ties-away, which the host's FPU lacks
    MODE_RM_BAD = 4,    // dynamic rounding mode is a reserved value
    MODE_CAREFUL = 8,   // in the interpreter alone, up to a fault that was seen coming
};

// What cpu->pending is for; they may come together.
enum {
    PENDING_WORK = 1,  // something for the runtime or guest-os to do; what everybody but the cpu's own thread writes
    PENDING_STEP = 2,  // leave, and nothing else: the interpreter carries out single blocks (MODE_CAREFUL)
};

// Vector registers, for guests whose vectors are longer than a slot or have a length at run time (riscv64's V).
enum { CPU_VECTORS = 32, CPU_VECTOR_BYTES = 16 };

struct cpu_vector {
    // Elements little-endian from the lowest byte; groups of registers are the bytes of several, one behind the other.
    _Alignas(64) uint8_t reg[CPU_VECTORS][CPU_VECTOR_BYTES];
    uint64_t length, type, start;  // riscv64: vl, vtype, vstart
    uint32_t rounding, saturated;  // riscv64: vxrm, vxsat
    uint32_t shape;  // of what native code counts on, or 0 (riscv64: vector.h)
    uint32_t used;   // a vector instruction was carried out
};

enum { CPU_ANCHOR_SHIFT = 16 };  // of the block's number in cpu->anchor

struct cpu {
    uint64_t pc;            // exact outside of translated code
    uint32_t pending;       // non-zero: leave at the next back-edge; written by signal handlers and other threads. PENDING_*
    uint32_t mode;          // MODE_*
    uint64_t slot[CPU_SLOTS];
    uint32_t anchor;  // of LLVM's exact code: where the slots' state is from, as number of the region's block and bytes into it
    uint32_t rounds;  // jumps back until native code is left, where that counts them (quick_stepwise)
    const struct cell *at;  // the memory access under way, for faults
    uint64_t instructions;  // executed, under MODE_COUNT, by the interpreter
    uint64_t quick_instructions;  // by native code of the quick tier
    uint64_t optimised_instructions;  // and by LLVM's
    uint64_t kept_instructions, kept_optimised_instructions;  // and by both from earlier runs
    struct trap trap;

    struct cpu_vector vector;

    // LR/SC reservation: valid while reserved_address is non-zero.
    uint64_t reserved_address, reserved_value;
    uint32_t reserved_version;

    // Floating point. While guest code runs the host's FPU holds the guest's rounding mode, and its sticky exception
    // flags belong to the guest; `fp_flags` has those that came from elsewhere (guest's numbering).
    uint32_t fp_flags;
    uint32_t fp_rounding;  // guest's numbering (riscv64: frm)

    // Finds or makes the code for cpu->pc; NULL with cpu->trap set where that cannot be. Set by the runtime.
    const struct cell *(*resolve)(struct cpu *cpu);
    // The same after an indirect jump that the jump cache does not know.
    const struct cell *(*resolve_jump)(struct cpu *cpu);
    // Told that the block of this first cell is worth native code. Set by the runtime.
    void (*hot)(struct cpu *cpu, const struct cell *code);
    // Finds or makes the code for cpu->pc, which a sheet often comes by. Set by the runtime.
    const struct cell *(*resolve_hot)(struct cpu *cpu);
    // Told that native code often goes by this exit, which could lead straight to its target. Set by the runtime.
    void (*link)(struct cpu *cpu, struct quick_exit *exit);
    // The native code that cpu->pc, which no jump cache knows, has in a sheet, or NULL if there may be better. Set by the runtime.
    const void *(*find_native)(struct cpu *cpu);
    // Where to go on from a sheet's exit that does not lead anywhere yet, `behind` whose call that is: in native code. Set by the runtime.
    const void *(*leave_sheet)(struct cpu *cpu, const uint8_t *behind);
    // Whether so many bytes of guest memory can be read. Set by the runtime.
    bool (*readable)(uint64_t address, uint64_t size);
    const struct cell *next;  // the cell that native code goes to, for code that has to know
    void *runtime;  // the runtime's own state of this cpu
    void *os;  // the guest-os layer's state of this cpu (linux-user: struct task)
    // Where indirect jumps went: three caches by pc. Native code's, which holds blocks with native code, and what that was when they came in
    // (code.c says when it has to be forgotten); the interpreter's; and for both, what these two have no room for: a block's first cell or, if it
    // has any, its native code, with the stamp that holds as long as no native code was lost.
    uint64_t far_stamp;
    const uint8_t *pads;  // quick_pads
    struct cpu_native_jump {
        uint64_t pc;
        const void *native;
    } native_jump[CPU_NATIVE_JUMPS];
    struct cpu_jump {
        uint64_t pc;
        const struct cell *code;  // its block's first cell
    } jump[CPU_JUMPS];
    struct cpu_far_jump {
        uint64_t pc, code;
    } far_jump[CPU_FAR_JUMPS];
};

// What native code holds of a cpu is the address of this place in it: from there `pending` and most guest registers are a signed byte away, so that instructions
// which read them are short.
enum { CPU_BASE = offsetof(struct cpu, slot) + 15 * sizeof(uint64_t) };
_Static_assert((int)offsetof(struct cpu, pending) - CPU_BASE >= INT8_MIN, "as near as that");

static inline __attribute__((always_inline)) unsigned cpu_jump_at(uint64_t pc) {
    return (unsigned)(pc >> 1) % CPU_JUMPS;
}

static inline unsigned cpu_native_jump_at(uint64_t pc) {
    return (unsigned)(pc >> 1) % CPU_NATIVE_JUMPS;
}

// Code that is made at run time begins at multiples of 32 or 64: higher bits take the place of lower ones.
#define CPU_FAR_JUMP_SHIFT 11

static inline unsigned cpu_far_jump_at(uint64_t pc) {
    return (unsigned)((pc ^ pc >> CPU_FAR_JUMP_SHIFT) >> 1) % CPU_FAR_JUMPS;
}

// A pc that is never looked for in the entry with this index. Native code compares whatever the guest has for a pc, odd or not.
static inline uint64_t cpu_no_jump(unsigned at) {
    return at == 0 ? 2 : 0;
}

// Stamps stand in the bits that addresses do not have. Cells' is 0.
enum { CPU_STAMP_SHIFT = 48, CPU_STAMPS = (1 << 16) - 1 };

// After so many losses of native code: what was stamped before counts no more. Stamps come again after CPU_STAMPS of them.
static inline void cpu_renew_stamp(struct cpu *cpu, uint32_t losses) {
    cpu->far_stamp = (uint64_t)(losses % CPU_STAMPS + 1) << CPU_STAMP_SHIFT;
}

// `code`: native code with the cpu's stamp, or a cell.
static inline void cpu_note_far_jump(struct cpu *cpu, uint64_t pc, uint64_t code) {
    struct cpu_far_jump *far = &cpu->far_jump[cpu_far_jump_at(pc)];
    far->code = code;
    __atomic_store_n(&far->pc, pc, __ATOMIC_RELAXED);  // as other threads do
}

static inline void cpu_forget_far_jumps(struct cpu *cpu) {
    for (unsigned i = 0; i < CPU_FAR_JUMPS; i++) {
        if (cpu->far_jump[i].code) cpu->far_jump[i] = (struct cpu_far_jump){0, 0};
    }
    cpu->far_jump[0].pc = cpu_no_jump(0);
}

static inline void cpu_forget_native_jumps(struct cpu *cpu) {
    for (unsigned i = 0; i < CPU_NATIVE_JUMPS; i++) {
        if (!cpu->native_jump[i].native) continue;
        __atomic_store_n(&cpu->native_jump[i].pc, cpu_no_jump(i), __ATOMIC_RELAXED);  // as other threads do
        cpu->native_jump[i].native = NULL;
    }
    cpu->native_jump[0].pc = cpu_no_jump(0);
}

// A cpu that never ran needs it too, or at least the last lines of both.
static inline void cpu_forget_jumps(struct cpu *cpu) {
    cpu_forget_native_jumps(cpu);
    for (unsigned i = 0; i < CPU_JUMPS; i++) {
        if (cpu->jump[i].code) cpu->jump[i] = (struct cpu_jump){0, 0};
    }
    cpu->jump[0].pc = cpu_no_jump(0);
    cpu_forget_far_jumps(cpu);
}
