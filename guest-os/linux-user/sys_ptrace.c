// ptrace(2): requests. What stops a tracee and makes it go on is in tracer.c; here its registers, memory and signals are read and written,
// which is all done to what its runner left of it in its own memory. Requests that riscv's kernel does not know fail with EIO as there.
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/signal.h"
#include "guest-os/linux-user/syscall.h"
#include "guest-os/linux-user/tracee.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>

// ---- registers

static uint64_t cpu_of(const struct tracee *tracee) {
    uint64_t cpu = 0;
    tracer_read(tracee->tid, &cpu, tracee->task + offsetof(struct task, cpu), sizeof cpu);
    return cpu;
}

static long read_registers(const struct tracee *tracee, const struct trace *trace, struct guest_registers *registers) {
    uint64_t cpu = cpu_of(tracee);
    registers->fcsr = trace->fcsr;
    long error = tracer_read(tracee->tid, registers->slot, cpu + offsetof(struct cpu, slot), sizeof registers->slot);
    if (!error) error = tracer_read(tracee->tid, &registers->vector, cpu + offsetof(struct cpu, vector), sizeof registers->vector);
    return error ? error : tracer_read(tracee->tid, &registers->pc, cpu + offsetof(struct cpu, pc), sizeof registers->pc);
}

static long write_registers(struct tracee *tracee, struct trace *trace, const struct guest_registers *registers) {
    uint64_t cpu = cpu_of(tracee);
    trace->fcsr_given = trace->fcsr_given || trace->fcsr != registers->fcsr;
    trace->fcsr = registers->fcsr;
    trace->registers_given = true;
    tracer_store(tracee, trace);
    long error = tracer_write(tracee->tid, cpu + offsetof(struct cpu, slot), registers->slot, sizeof registers->slot);
    if (!error) error = tracer_write(tracee->tid, cpu + offsetof(struct cpu, vector), &registers->vector, sizeof registers->vector);
    return error ? error : tracer_write(tracee->tid, cpu + offsetof(struct cpu, pc), &registers->pc, sizeof registers->pc);
}

// PTRACE_GETREGSET and PTRACE_SETREGSET: as much as the caller has room for; a struct iovec says so, and is told.
static long transfer_set(struct tracee *tracee, struct trace *trace, uint64_t type, uint64_t vector, bool set) {
    struct guest_registers registers;
    struct iovec io;
    char bytes[ABI_REGSET_BYTES];
    size_t item;
    if (mem_copy_in(&io, vector, sizeof io) < 0) return -EFAULT;
    long error = read_registers(tracee, trace, &registers);
    if (error) return -EIO;
    size_t size = guest_abi->regset_get(type, &registers, bytes, &item);
    if (!size || io.iov_len % item) return -EINVAL;
    if (io.iov_len > size) io.iov_len = size;
    uint64_t at = (uintptr_t)io.iov_base;
    if (set) {
        if (mem_copy_in(bytes, at, io.iov_len) < 0) return -EFAULT;
        if (guest_abi->regset_set(type, &registers, bytes) < 0) return -EINVAL;
        if (write_registers(tracee, trace, &registers) < 0) return -EIO;
    } else if (mem_copy_out(at, bytes, io.iov_len) < 0) return -EFAULT;
    return mem_copy_out(vector, &io, sizeof io);
}

// ---- memory

// The host reads and writes past protection, with copy on write, as it must for the guest.
static long peek(int tid, uint64_t address, uint64_t to) {
    uint64_t word;
    if (!mem_is_guest(address, sizeof word) || host_call(ptrace, PTRACE_PEEKDATA, tid, address, &word) < 0) return -EIO;
    return mem_copy_out(to, &word, sizeof word);
}

static long write_word(int tid, uint64_t address, uint64_t word) {
    if (!mem_is_guest(address, sizeof word) || host_call(ptrace, PTRACE_POKEDATA, tid, address, word) < 0) return -EIO;
    tracer_wrote(tid, address, sizeof word);
    return 0;
}

// ---- signals

static long get_siginfo(const struct trace *trace, uint64_t to) {
    return trace->has_info ? mem_copy_out(to, &trace->info, sizeof trace->info) : -EINVAL;
}

static long set_siginfo(struct tracee *tracee, struct trace *trace, uint64_t from) {
    siginfo_t info;
    if (mem_copy_in(&info, from, sizeof info) < 0) return -EFAULT;
    if (!trace->has_info) return -EINVAL;
    trace->info = info;
    return tracer_store(tracee, trace);
}

static long set_mask(struct tracee *tracee, struct trace *trace, uint64_t size, uint64_t from) {
    uint64_t mask;
    if (size != sizeof mask) return -EINVAL;
    if (mem_copy_in(&mask, from, sizeof mask) < 0) return -EFAULT;
    trace->mask = mask & ~SIGNAL_UNBLOCKABLE;
    trace->mask_given = true;
    return tracer_store(tracee, trace);
}

static long get_mask(const struct trace *trace, uint64_t size, uint64_t to) {
    return size == sizeof trace->mask ? mem_copy_out(to, &trace->mask, sizeof trace->mask) : -EINVAL;
}

// PTRACE_PEEKSIGINFO: what is blocked waits with the host, whose structures these are.
static long peek_signals(int tid, uint64_t arguments, uint64_t to) {
    struct ptrace_peeksiginfo_args wanted;
    if (mem_copy_in(&wanted, arguments, sizeof wanted) < 0) return -EFAULT;
    if (wanted.nr < 0) return -EINVAL;
    uint64_t size = (uint64_t)(uint32_t)wanted.nr * sizeof(siginfo_t);
    return mem_is_guest(to, size) ? host_call(ptrace, PTRACE_PEEKSIGINFO, tid, &wanted, to) : -EFAULT;
}

// ---- system calls

// PTRACE_GET_SYSCALL_INFO: the size of what there is to say, of which the caller gets as much as it has room for.
static long syscall_info(const struct tracee *tracee, const struct trace *trace, uint64_t room, uint64_t to) {
    struct ptrace_syscall_info info;
    struct guest_registers registers;
    memset(&info, 0, sizeof info);
    if (read_registers(tracee, trace, &registers) < 0) return -EIO;
    unsigned call = trace->status == (SIGTRAP | 0x80) ? trace->call : PTRACE_SYSCALL_INFO_NONE;  // known by the siginfo
    info.op = (uint8_t)call;
    info.arch = guest_abi->audit_arch;
    info.instruction_pointer = registers.pc;
    info.stack_pointer = registers.slot[guest_abi->stack_slot];
    size_t size = offsetof(struct ptrace_syscall_info, entry);
    uint64_t result = registers.slot[guest_abi->result_slot];
    if (call == PTRACE_SYSCALL_INFO_ENTRY) {
        uint64_t number, arguments[6];
        guest_abi->syscall_arguments(registers.slot, &number, arguments);
        info.entry.nr = number;
        memcpy(info.entry.args, arguments, sizeof arguments);
        size = offsetof(struct ptrace_syscall_info, entry) + sizeof info.entry;
    } else if (call == PTRACE_SYSCALL_INFO_EXIT) {
        info.exit.rval = (int64_t)result;
        info.exit.is_error = result > (uint64_t)-4096;
        size = offsetof(struct ptrace_syscall_info, exit.is_error) + sizeof info.exit.is_error;
    }
    return mem_copy_out(to, &info, size < room ? size : room) < 0 ? -EFAULT : (long)size;
}

// ---- requests

static long resume(struct tracee *tracee, struct trace *trace, int request, uint64_t signal) {
    if (signal > GUEST_SIGNALS) return -EIO;
    trace->signal = (int32_t)signal;
    trace->calls = request == PTRACE_SYSCALL;
    return tracer_resume(tracee, trace, request == PTRACE_DETACH ? PTRACE_DETACH : PTRACE_CONT);
}

// Those that want the tracee to be in a stop.
static long request_of_stopped(struct tracee *tracee, struct trace *trace, const uint64_t a[6]) {
    int tid = tracee->tid;
    uint64_t address = a[2], data = a[3];
    switch (a[0]) {
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA: return peek(tid, address, data);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA: return write_word(tid, address, data);
    case PTRACE_CONT:
    case PTRACE_SYSCALL:
    case PTRACE_DETACH: return resume(tracee, trace, (int)a[0], data);
    case PTRACE_SETOPTIONS: return tracer_options(tracee, trace, data);
    case PTRACE_GETEVENTMSG: return mem_copy_out(data, &trace->message, sizeof trace->message);
    case PTRACE_GETSIGINFO: return get_siginfo(trace, data);
    case PTRACE_SETSIGINFO: return set_siginfo(tracee, trace, data);
    case PTRACE_GETREGSET:
    case PTRACE_SETREGSET: return transfer_set(tracee, trace, address, data, a[0] == PTRACE_SETREGSET);
    case PTRACE_GETSIGMASK: return get_mask(trace, address, data);
    case PTRACE_SETSIGMASK: return set_mask(tracee, trace, address, data);
    case PTRACE_PEEKSIGINFO: return peek_signals(tid, address, data);
    case PTRACE_LISTEN: return tracer_listen(tracee, trace);
    case PTRACE_GET_SYSCALL_INFO: return syscall_info(tracee, trace, address, data);
    default: return -EIO;
    }
}

long sys_ptrace(struct task *task, const uint64_t a[6]) {
    struct trace trace;
    int tid = (int)a[1];
    if (a[0] == PTRACE_TRACEME) return trace_me(task);
    if (a[0] == PTRACE_SEIZE && a[2]) return -EIO;
    if (a[0] == PTRACE_ATTACH || a[0] == PTRACE_SEIZE)
        return tracer_attach(tid, a[0] == PTRACE_SEIZE, a[0] == PTRACE_SEIZE ? a[3] : 0);
    struct tracee *tracee = tracer_find(tid);
    if (!tracee) return -ESRCH;
    if (a[0] == PTRACE_KILL) return host_call(ptrace, PTRACE_KILL, tid);
    if (a[0] == PTRACE_INTERRUPT) return tracer_interrupt(tracee);
    long error = tracer_stopped(tracee, &trace);
    return error ? error : request_of_stopped(tracee, &trace, a);
}
