// The riscv64 signal frame, as the kernel lays it out below the stack pointer and as C libraries, debuggers and unwinders read it
// (arch/riscv: struct rt_sigframe; asm/ucontext.h, asm/sigcontext.h).
#include "guest-os/linux-user/abi/riscv64_frame.h"
#include "runtime/mem.h"
#include "translator/ir/fp.h"
#include <errno.h>
#include <string.h>

struct riscv64_fp_state {
    uint64_t f[32];
    uint32_t fcsr;
    uint8_t rest[528 - 260];  // of the union with the quad state; holds the header that ends the list of extensions
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

struct riscv64_frame {
    uint8_t info[128];  // siginfo_t is the same on all 64-bit Linux
    struct riscv64_ucontext context;
};
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

int riscv64_frame_build(struct task *task, uint64_t stack, int signal, const siginfo_t *info, const struct guest_sigaction *action,
                        uint64_t mask) {
    struct cpu *cpu = task->cpu;
    struct riscv64_frame frame;
    memset(&frame, 0, sizeof frame);
    memcpy(frame.info, info, sizeof frame.info);
    context_save(&frame.context, task, mask);
    uint64_t at = (stack - sizeof frame) & ~UINT64_C(15);
    if (mem_copy_out(at, &frame, sizeof frame) < 0) return -EFAULT;
    cpu->slot[X_RA] = process.vdso_sigreturn;
    cpu->slot[X_SP] = at;
    cpu->slot[X_A0] = (uint64_t)signal;
    cpu->slot[X_A1] = at + offsetof(struct riscv64_frame, info);
    cpu->slot[X_A2] = at + offsetof(struct riscv64_frame, context);
    cpu->pc = action->handler;
    return 0;
}

int riscv64_frame_restore(struct task *task, uint64_t *mask) {
    struct cpu *cpu = task->cpu;
    struct riscv64_ucontext context;
    uint64_t at = cpu->slot[X_SP];
    if (at % 16 || mem_copy_in(&context, at + offsetof(struct riscv64_frame, context), sizeof context) < 0) return -EFAULT;
    for (unsigned i = 0; i < sizeof context.fp.rest; i++) {
        if (context.fp.rest[i] && i >= sizeof context.fp.rest - 12) return -EFAULT;  // an extension we do not know
    }
    cpu->pc = context.pc;
    memcpy(&cpu->slot[1], context.x, sizeof context.x);
    memcpy(&cpu->slot[F0], context.fp.f, sizeof context.fp.f);
    fp_flags_write(cpu, context.fp.fcsr & 31);
    fp_rounding_write(cpu, context.fp.fcsr >> 5 & 7);
    task->altstack = context.stack.sp;
    task->altstack_size = context.stack.size;
    task->altstack_flags = (uint32_t)context.stack.flags & ~1u;  // SS_ONSTACK is a state, not a setting
    *mask = context.sigmask;
    return 0;
}
