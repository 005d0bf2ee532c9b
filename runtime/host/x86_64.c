// x86-64 Linux hosts.
#ifdef __x86_64__
#include "runtime/host/host.h"
#include "runtime/base/sys.h"
#include <linux/ptrace.h>
#include <stddef.h>
#include <string.h>
#include <sys/platform/x86.h>
#include <sys/user.h>
#include <ucontext.h>

HOST_HANDLER static greg_t *registers_of(const void *ucontext) {
    return ((ucontext_t *)(uintptr_t)ucontext)->uc_mcontext.gregs;
}

uint64_t host_context_pc(const void *ucontext) {
    return (uint64_t)registers_of(ucontext)[REG_RIP];
}

uint64_t host_context_register(const void *ucontext, unsigned number) {
    static const uint8_t index[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return (uint64_t)registers_of(ucontext)[index[number]];
}

uint64_t host_ticks(void) {
    return __builtin_ia32_rdtsc();
}

// What the C library read at the start: asking again would take longer than all else there, since virtual machines stop at each `cpuid` (Intel's manual 2A,
// "CPUID"; numbers of the processor at work are left out).
void host_features(uint32_t word[HOST_FEATURE_WORDS]) {
    enum { EAX = 1, EBX = 2, ECX = 4, EDX = 8 };
    static const struct {
        uint8_t leaf, registers;
    } leaves[] = {{CPUID_INDEX_1, ECX | EDX},
                  {CPUID_INDEX_7, EBX | ECX | EDX},
                  {CPUID_INDEX_80000001, ECX | EDX},
                  {CPUID_INDEX_D_ECX_1, EAX},
                  {CPUID_INDEX_7_ECX_1, EAX}};
    unsigned count = 0;
    memset(word, 0, HOST_FEATURE_WORDS * sizeof *word);
    for (unsigned i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        const struct cpuid_feature *leaf = __x86_get_cpuid_feature_leaf(leaves[i].leaf);
        for (unsigned n = 0; n < 4; n++) {
            if (!(leaves[i].registers >> n & 1)) continue;
            word[count++] = leaf->cpuid_array[n];
            word[count++] = leaf->active_array[n];  // without what the system does not support
        }
    }
    word[0] &= ~(UINT32_C(1) << 31);  // ECX of the first leaf: whether this is a virtual machine
}

void host_context_set_pc(void *ucontext, uint64_t pc) {
    registers_of(ucontext)[REG_RIP] = (greg_t)pc;
}

void host_context_call(void *ucontext, void (*function)(void *), void *argument) {
    greg_t *reg = registers_of(ucontext);
    const uint64_t red_zone = 128;
    reg[REG_RSP] = (greg_t)((((uint64_t)reg[REG_RSP] - red_zone) & ~UINT64_C(15)) - 8);  // as if called: return address pushed
    reg[REG_RDI] = (greg_t)(uintptr_t)argument;
    reg[REG_RIP] = (greg_t)(uintptr_t)function;
    reg[REG_EFL] &= ~(greg_t)0x400;  // DF clear, as the ABI wants it
}

int host_context_was_write(const void *ucontext) {
    return (registers_of(ucontext)[REG_ERR] & 2) != 0;
}

long host_traced_pc(int tid, uint64_t *pc) {
    return host_call(ptrace, PTRACE_PEEKUSR, tid, offsetof(struct user_regs_struct, rip), pc);
}

long host_traced_thread(int tid, uint64_t *pointer) {
    return host_call(ptrace, PTRACE_PEEKUSR, tid, offsetof(struct user_regs_struct, fs_base), pointer);
}

__asm__(".pushsection .text\n"
        ".globl host_trap, host_trapped\n"
        ".type host_trap, @function\n"
        "host_trap:\n"
        "    int3\n"
        "host_trapped:\n"
        "    ret\n"
        ".size host_trap, . - host_trap\n"

        ".globl host_copy, host_copy_access, host_copy_failed\n"
        ".type host_copy, @function\n"
        "host_copy:\n"
        "    mov %rdx, %rcx\n"
        "host_copy_access:\n"
        "    rep movsb\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        "host_copy_failed:\n"
        "    mov $-14, %eax\n"  // -EFAULT
        "    ret\n"
        ".size host_copy, . - host_copy\n"

        ".globl host_syscall_unless, host_syscall_begin, host_syscall_entered, host_syscall_refused\n"
        ".type host_syscall_unless, @function\n"
        "host_syscall_unless:\n"
        "    mov %rsi, %rax\n"
        "    mov %rdi, %r11\n"
        "    mov %rdx, %rdi\n"
        "    mov %rcx, %rsi\n"
        "    mov %r8, %rdx\n"
        "    mov %r9, %r10\n"
        "    mov 8(%rsp), %r8\n"
        "    mov 16(%rsp), %r9\n"
        "host_syscall_begin:\n"
        "    cmpl $0, (%r11)\n"
        "    jne host_syscall_refused\n"
        "    syscall\n"
        "host_syscall_entered:\n"
        "    ret\n"
        "host_syscall_refused:\n"
        "    mov $-512, %rax\n"  // -FAULT_INTERRUPTED
        "    ret\n"
        ".size host_syscall_unless, . - host_syscall_unless\n"
        ".popsection\n");
#endif
