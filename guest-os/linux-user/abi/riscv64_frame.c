// The riscv64 signal frame, as the kernel lays it out below the stack pointer and as C libraries, debuggers and unwinders read it
// (arch/riscv: struct rt_sigframe; asm/ucontext.h, asm/sigcontext.h). Behind the registers that every processor has there is a list of extensions' states,
// each with a header; its first header lies in the last words of the union that holds the FP state. We know one, V's, which is there if the thread
// has ever used vectors.
#include "guest-os/linux-user/abi/riscv64_frame.h"
#include "guest-os/linux-user/abi/riscv64_vector.h"
#include "runtime/code.h"
#include "runtime/mem.h"
#include "translator/ir/fp.h"
#include <errno.h>
#include <string.h>

enum { MAGIC_END = 0, MAGIC_VECTOR = 0x53465457 };

struct riscv64_extension {
    uint32_t magic, size;  // of all of it; 0 at the end
};

struct riscv64_fp_state {
    uint64_t f[32];
    uint32_t fcsr;
    uint8_t rest[516 - 260];  // of the union with the quad state
    uint32_t reserved;
    struct riscv64_extension first;
} __attribute__((aligned(16)));

struct riscv64_ucontext {
    uint64_t flags, link;
    struct {
        uint64_t sp;
        int32_t flags, pad;
        uint64_t size;
    } stack;
    uint64_t sigmask;
    uint8_t sigmask_room[120];
    uint64_t pad;
    uint64_t pc, x[31];  // x1 to x31
    struct riscv64_fp_state fp;
};
_Static_assert(sizeof(struct riscv64_ucontext) == 960, "the kernel's size");
_Static_assert(offsetof(struct riscv64_ucontext, pc) == 176, "the kernel's place");
_Static_assert(offsetof(struct riscv64_ucontext, fp.first) == 952, "the kernel's place");

struct riscv64_vector_context {  // behind its header
    struct riscv64_vector_state state;
    uint64_t data;  // address of the registers' bytes
    uint8_t reg[CPU_VECTORS][CPU_VECTOR_BYTES];
};
enum { VECTOR_SIZE = sizeof(struct riscv64_extension) + sizeof(struct riscv64_vector_context) };
_Static_assert(VECTOR_SIZE == 568, "the kernel's size");

struct riscv64_frame {
    uint8_t info[128];  // siginfo_t is the same on all 64-bit Linux
    struct riscv64_ucontext context;
    struct {
        struct riscv64_vector_context context;
        struct riscv64_extension end;
    } vector;  // not there if the thread has not used any
    uint64_t pad;
};
enum { FRAME_WITHOUT_VECTORS = offsetof(struct riscv64_frame, vector) };
_Static_assert(FRAME_WITHOUT_VECTORS == 1088 && sizeof(struct riscv64_frame) == 1664, "the kernel's sizes");
_Static_assert(sizeof(siginfo_t) == 128, "siginfo_t");

enum { X_RA = 1, X_SP = 2, X_A0 = 10, X_A1 = 11, X_A2 = 12, F0 = 32 };

static void context_save(struct riscv64_ucontext *to, struct task *task, uint64_t mask) {
    struct cpu *cpu = task->cpu;
    to->stack.sp = task->altstack;
    to->stack.flags = (int32_t)task->altstack_flags;
    to->stack.size = task->altstack_size;
    to->sigmask = mask;
    to->pc = cpu->pc;
    memcpy(to->x, &cpu->slot[1], sizeof to->x);
    memcpy(to->fp.f, &cpu->slot[F0], sizeof to->fp.f);
    to->fp.fcsr = fp_flags_read(cpu) | cpu->fp_rounding << 5;
}

static void vector_save(struct riscv64_frame *to, const struct cpu *cpu, uint64_t at) {
    to->context.fp.first = (struct riscv64_extension){MAGIC_VECTOR, VECTOR_SIZE};
    riscv64_vector_state_get(&cpu->vector, &to->vector.context.state);
    to->vector.context.data = at + offsetof(struct riscv64_frame, vector.context.reg);
    memcpy(to->vector.context.reg, cpu->vector.reg, sizeof to->vector.context.reg);
}

unsigned riscv64_signal_stack(guest_features features) {
    enum { LEAST = 2048 };
    return LEAST + (features & RV(V) ? (unsigned)sizeof(struct riscv64_frame) - FRAME_WITHOUT_VECTORS : 0);
}

size_t riscv64_frame_size(const struct task *task) {
    return task->cpu->vector.used ? sizeof(struct riscv64_frame) : (size_t)FRAME_WITHOUT_VECTORS;
}

int riscv64_frame_build(struct task *task, uint64_t stack, int signal, const siginfo_t *info, const struct guest_sigaction *action,
                        uint64_t mask) {
    struct cpu *cpu = task->cpu;
    struct riscv64_frame frame;
    memset(&frame, 0, sizeof frame);
    memcpy(frame.info, info, sizeof frame.info);
    context_save(&frame.context, task, mask);
    size_t size = riscv64_frame_size(task);
    uint64_t at = (stack - size) & ~UINT64_C(15);
    if (cpu->vector.used) vector_save(&frame, cpu, at);
    if (mem_copy_out(at, &frame, size) < 0) return -EFAULT;
    cpu->slot[X_RA] = process.vdso_sigreturn;
    cpu->slot[X_SP] = at;
    cpu->slot[X_A0] = (uint64_t)signal;
    cpu->slot[X_A1] = at + offsetof(struct riscv64_frame, info);
    cpu->slot[X_A2] = at + offsetof(struct riscv64_frame, context);
    cpu->pc = action->handler;
    return 0;
}

// Reads the list of extensions whose first header is at `at` up to its end. `found`: V's was among them, and is in `vector`.
static int read_extensions(uint64_t at, const struct cpu *cpu, struct riscv64_vector_context *vector, bool *found) {
    struct riscv64_extension header;
    for (;; at += header.size) {
        if (mem_copy_in(&header, at, sizeof header) < 0) return -EFAULT;
        if (header.magic == MAGIC_END) return header.size ? -EFAULT : 0;
        if (header.magic != MAGIC_VECTOR || header.size != VECTOR_SIZE || !cpu->vector.used) return -EFAULT;
        if (mem_copy_in(vector, at + sizeof header, offsetof(struct riscv64_vector_context, reg)) < 0) return -EFAULT;
        if (mem_copy_in(vector->reg, vector->data, sizeof vector->reg) < 0) return -EFAULT;
        *found = true;
    }
}

int riscv64_frame_restore(struct task *task, uint64_t *mask) {
    struct cpu *cpu = task->cpu;
    struct riscv64_ucontext context;
    struct riscv64_vector_context vector;
    bool has_vector = false;
    uint64_t at = cpu->slot[X_SP];
    if (at % 16 || mem_copy_in(&context, at + offsetof(struct riscv64_frame, context), sizeof context) < 0) return -EFAULT;
    if (context.fp.reserved) return -EFAULT;
    if (read_extensions(at + offsetof(struct riscv64_frame, context.fp.first), cpu, &vector, &has_vector) < 0) return -EFAULT;
    cpu->pc = context.pc;
    memcpy(&cpu->slot[1], context.x, sizeof context.x);
    memcpy(&cpu->slot[F0], context.fp.f, sizeof context.fp.f);
    fp_flags_write(cpu, context.fp.fcsr & 31);
    fp_rounding_write(cpu, context.fp.fcsr >> 5 & 7);
    if (has_vector) {
        memcpy(cpu->vector.reg, vector.reg, sizeof cpu->vector.reg);
        riscv64_vector_state_set(cpu, &vector.state);
    }
    task->altstack = context.stack.sp;
    task->altstack_size = context.stack.size;
    task->altstack_flags = (uint32_t)context.stack.flags & ~1u;  // SS_ONSTACK is a state, not a setting
    *mask = context.sigmask;
    return 0;
}
