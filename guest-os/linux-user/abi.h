// What differs between guest ISAs in user mode: one struct per ISA in abi/<isa>.c.
#pragma once
#include "guest-os/linux-user/task.h"
#include "translator/guest/guest.h"
#include <sys/stat.h>

enum { ABI_REGSET_BYTES = 640 };

struct guest_stat_buffer {
    uint8_t bytes[256];
};

// A stopped thread's registers as its tracer has them.
struct guest_registers {
    uint64_t slot[SLOT_TEMP], pc;
    uint32_t fcsr;
    struct cpu_vector vector;
};

struct guest_abi {
    unsigned machine;
    const char *platform, *uname_machine;    // AT_PLATFORM (or NULL), uname(2)
    uint64_t (*hwcap)(guest_features features);
    uint64_t (*hwcap2)(guest_features features);
    unsigned min_signal_stack;               // the least that sigaltstack(2) takes, MINSIGSTKSZ
    unsigned (*signal_stack)(guest_features features);  // AT_MINSIGSTKSZ: what a handler's stack needs in any case
    unsigned stack_slot, result_slot, tls_slot;  // sp, a0, tp
    // Syscall number and arguments out of the registers.
    void (*syscall_arguments)(const uint64_t *slot, uint64_t *number, uint64_t argument[6]);
    unsigned instruction_size_of_syscall;
    // struct stat of the guest from the host's; returns its size.
    size_t (*stat_put)(struct guest_stat_buffer *to, const struct stat *from);
    // The bytes of the frame that this task's next signal takes.
    size_t (*frame_size)(const struct task *task);
    // Builds the signal frame at (below) `stack` and sets the registers for entering the handler: 0, or -EFAULT.
    int (*frame_build)(struct task *task, uint64_t stack, int signal, const siginfo_t *info, const struct guest_sigaction *action,
                       uint64_t mask);
    // rt_sigreturn: restores registers and gives the mask: 0, or -EFAULT.
    int (*frame_restore)(struct task *task, uint64_t *mask);
    // The kernel's register set `type` (NT_*) of these registers: its size and that of its items, 0 where there is none. Into `set`
    // (ABI_REGSET_BYTES), and back: 0, or -EINVAL.
    size_t (*regset_get)(uint64_t type, const struct guest_registers *from, void *set, size_t *item);
    long (*regset_set)(uint64_t type, struct guest_registers *to, const void *set);
    // Registers that are no slots: as a program finds them at its start; and made sound after a tracer has written them.
    void (*registers_begin)(struct cpu *cpu);
    void (*registers_settle)(struct cpu *cpu);
    // prctl(2) of the ISA's own: its result, or -ENOSYS if it is none of them.
    long (*prctl)(struct task *task, const uint64_t a[6]);
    uint32_t audit_arch;  // AUDIT_ARCH_*
    // Text of /proc/cpuinfo's block for one processor.
    void (*cpuinfo)(unsigned number, guest_features features, char *text, size_t size);
    // The vDSO's image; see abi/<isa>_vdso.
    const uint8_t *vdso;
    size_t vdso_size;
    uint64_t vdso_sigreturn;  // offset of __vdso_rt_sigreturn
};
extern const struct guest_abi abi_riscv64;
extern const struct guest_abi *guest_abi;  // of this run
