// The block that describes a fatal signal: what a person needs to know first, and what to run next. The process is dying, possibly with locks held
// by its other threads: no malloc, no stdio streams, only raw calls, and everything read is bounded.
#include "guest-os/linux-user/strace.h"
#include "guest-os/linux-user/symbol.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/code.h"
#include "runtime/options.h"
#include <asm/termbits.h>
#include <string.h>
#include <sys/ioctl.h>

bool crash_wanted(void) {
    struct termios terminal;
    return options.crash_report || host_call(ioctl, 2, TCGETS, &terminal) == 0;
}

static const char *code_name(int signal, int code) {
    static const struct {
        int signal, code;
        const char *text;
    } names[] = {
        {SIGSEGV, SEGV_MAPERR, "no memory there"},
        {SIGSEGV, SEGV_ACCERR, "no permission"},
        {SIGBUS, BUS_ADRALN, "misaligned"},
        {SIGBUS, BUS_ADRERR, "nothing behind it"},
        {SIGILL, ILL_ILLOPC, "no instruction"},
        {SIGTRAP, TRAP_BRKPT, "breakpoint"},
        {0, SI_USER, "sent by kill"},
        {0, SI_TKILL, "sent by tgkill"},
        {0, SI_QUEUE, "sent by sigqueue"},
        {0, SI_KERNEL, "sent by the kernel"},
    };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if ((!names[i].signal || names[i].signal == signal) && names[i].code == code) return names[i].text;
    }
    return "other";
}

static void put_signal(struct text *text, const struct task *task, int signal, const siginfo_t *info) {
    char name[16] = "?";
    host_call(prctl, 16 /* PR_GET_NAME */, name);
    const char *abbreviation = sigabbrev_np(signal);
    text_add(text, "ferry: the guest dies of SIG%s (signal %d: %s)", abbreviation ? abbreviation : "?", signal,
             code_name(signal, info->si_code));
    if (info->si_code > 0 && info->si_code != SI_KERNEL)
        text_add(text, " at address %#llx", (unsigned long long)(uintptr_t)info->si_addr);
    else if (info->si_code <= 0) text_add(text, ", from process %d", info->si_pid);
    text_add(text, "\n  thread  %d (%.15s)\n", task->tid, name);
}

static void put_instruction(struct text *text, uint64_t pc) {
    uint8_t bytes[4];
    char assembly[96];
    size_t size = mem_executable(pc, sizeof bytes);
    while (size && mem_copy_in(bytes, pc, size) < 0) size -= 2;
    unsigned length = size ? code_isa->disassemble(bytes, size, pc, code_features, assembly, sizeof assembly) : 0;
    text_add(text, "  code    ");
    for (unsigned i = length; i-- > 0;) text_add(text, "%02x", bytes[i]);
    text_add(text, length ? "  %s\n" : "not readable\n", assembly);
}

static void put_registers(struct text *text, const struct cpu *cpu) {
    for (unsigned i = 1; i < 32; i++)
        text_add(text, "%s%-4s%016llx%s", i % 4 == 1 ? "  " : " ", code_isa->slot_name(i), (unsigned long long)cpu->slot[i],
                 i % 4 == 0 || i == 31 ? "\n" : "");
}

static void put_last_syscall(struct text *text, struct task *task) {
    if (!task->syscall_pc) return;
    text_add(text, task->in_syscall ? "  in      " : "  last    ");
    strace_call(text, task,
                task->syscall_number < SYSCALL_LIMIT ? &syscall_table[task->syscall_number] : &syscall_table[SYSCALL_LIMIT - 1]);
    text_add(text, "\n");
}

void crash_report(struct task *task, int signal, const siginfo_t *info) {
    if (!crash_wanted()) return;
    char buffer[4096], place[640];
    struct text text = TEXT_ON(buffer), where = TEXT_ON(place);
    put_signal(&text, task, signal, info);
    symbol_describe(&where, task->cpu->pc);
    text_add(&text, "  pc      %#llx  %s\n", (unsigned long long)task->cpu->pc, place);
    put_instruction(&text, task->cpu->pc);
    put_registers(&text, task->cpu);
    bool faulted = info->si_code > 0 && (signal == SIGSEGV || signal == SIGBUS);
    if (faulted && task->cpu->trap.inexact)
        text_add(
            &text,
            "  note    this was in a compiled loop: pc and registers are as of some instructions before; --tier=quick shows them exactly\n");
    put_last_syscall(&text, task);
    text_add(&text, "  next    ferry run --strace … shows the calls before it; ferry dump decode %s the code around it\n",
             process.exe);
    host_call(write, 2, text.at, text.length);
}
