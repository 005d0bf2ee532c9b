// Host faults and interruptible system calls: see fault.h. The handler never does the work itself: it redirects the interrupted
// thread, so that everything else happens outside of signal context.
#include "runtime/fault.h"
#include "runtime/code.h"
#include "runtime/cpu_loop.h"
#include "runtime/host/host.h"
#include "runtime/mem.h"
#include "runtime/state.h"
#include "translator/interp/interp.h"
#include <errno.h>
#include <string.h>

static void resume_in_loop(void *data) {
    struct cpu *cpu = data;
    longjmp(runtime_of(cpu)->back, 1);
}

// The host reports no address for what is not canonical on x86-64 (a general protection fault).
HOST_HANDLER static uint64_t reported_address(const siginfo_t *info) {
    return info->si_code == SI_KERNEL ? ~UINT64_C(0) : (uint64_t)(uintptr_t)info->si_addr;
}

bool fault_handle(int signal, siginfo_t *info, void *ucontext) {
    if (info->si_code <= 0) return false;  // sent by someone
    uint64_t pc = host_context_pc(ucontext);
    if (pc == (uintptr_t)host_copy_access) {
        host_context_set_pc(ucontext, (uintptr_t)host_copy_failed);
        return true;
    }
    struct cpu *cpu = cpu_current();
    if (!cpu) return false;
    cpu->trap.inexact = 0;
    enum native_fault fault =
        interp_owns(pc) ? NATIVE_TRAP : code_native_fault(cpu, pc, (uint64_t)(uintptr_t)info->si_addr, ucontext);
    if (fault == NATIVE_FOREIGN || fault == NATIVE_RETRY) return fault == NATIVE_RETRY;
    if (fault == NATIVE_TRAP) {
        interp_fault(cpu, reported_address(info));
        cpu->trap.host_signal = signal;
        cpu->trap.host_code = info->si_code == SI_KERNEL ? SEGV_MAPERR : info->si_code;
    }
    host_context_call(ucontext, resume_in_loop, cpu);
    return true;
}

long fault_syscall(const uint32_t *pending, long number, long a, long b, long c, long d, long e, long f) {
    return host_syscall_unless(pending, number, a, b, c, d, e, f);
}

void fault_rewind(void *ucontext) {
    uint64_t pc = host_context_pc(ucontext);
    if (pc >= (uintptr_t)host_syscall_begin && pc < (uintptr_t)host_syscall_entered)
        host_context_set_pc(ucontext, (uintptr_t)host_syscall_refused);
}

int mem_copy_in(void *to, uint64_t from, size_t size) {
    return mem_is_guest(from, size) ? host_copy(to, (const void *)(uintptr_t)from, size) : -EFAULT;
}

int mem_copy_out(uint64_t to, const void *from, size_t size) {
    return mem_is_guest(to, size) ? host_copy((void *)(uintptr_t)to, from, size) : -EFAULT;
}

// By trying: the list of areas does not know where a file ends.
bool mem_is_readable(uint64_t address, uint64_t size) {
    char byte;
    if (!mem_is_guest(address, size)) return false;
    for (uint64_t at = address; at < address + size; at = (at | (MEM_PAGE - 1)) + 1) {
        if (mem_copy_in(&byte, at, 1) < 0) return false;
    }
    return true;
}

long mem_string_in(char *to, uint64_t from, size_t size) {
    enum { STRIDE = 256 };  // never past the string's own page: what lies behind its end may be unmapped
    for (size_t length = 0; length < size;) {
        size_t piece = STRIDE - (from + length) % STRIDE;
        if (piece > size - length) piece = size - length;
        if (mem_copy_in(to + length, from + length, piece) < 0) return -EFAULT;
        const char *end = memchr(to + length, 0, piece);
        if (end) return end - to;
        length += piece;
    }
    return -ENAMETOOLONG;
}
