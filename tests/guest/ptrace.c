// guest-test: expect=native variants=static,dynamic timeout=60 without=tsan
// ptrace(2) on a child that asked for it: signals seen, changed, dropped and sent; system calls; registers; requests that cannot be.
#include "tracing.h"
#include <linux/ptrace.h>
#include <time.h>

static volatile sig_atomic_t handled, code_seen;
static void handler(int signal, siginfo_t *info, void *context) {
    handled = signal;
    code_seen = info->si_code;
}

static int start(void (*child)(void)) {
    int pid = fork();
    if (pid) return pid;
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    signal(SIGHUP, SIG_IGN);
    if (ptrace(PTRACE_TRACEME, 0, 0, 0)) _exit(99);
    child();
    _exit(0);
}

static void raise_many(void) {
    raise(SIGSTOP);
    raise(SIGUSR1);
    if (handled) _exit(1);
    raise(SIGUSR1);
    if (handled != SIGUSR1) _exit(2);
    raise(SIGUSR1);
    if (handled != SIGUSR2) _exit(3);
    raise(SIGHUP);  // ignored, but seen
    raise(SIGCHLD);  // ignored by default
    raise(SIGUSR1);
    if (code_seen != SI_QUEUE) _exit(4);
    raise(SIGTERM);
}

static void signals(void) {
    int pid = start(raise_many);
    siginfo_t info;
    see(pid, "first");
    go(pid, 0);
    see(pid, "to be dropped");
    ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
    printf("siginfo %d %d %d\n", info.si_signo == SIGUSR1, info.si_code == SI_TKILL, info.si_pid == pid);
    go(pid, 0);
    see(pid, "to be let through");
    go(pid, SIGUSR1);
    see(pid, "to be changed");
    go(pid, SIGUSR2);
    see(pid, "ignored");
    go(pid, SIGHUP);
    see(pid, "ignored by default");
    go(pid, SIGCHLD);
    see(pid, "with another siginfo");
    ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
    info.si_code = SI_QUEUE;
    printf("set siginfo %s\n", outcome(ptrace(PTRACE_SETSIGINFO, pid, 0, &info)));
    go(pid, SIGUSR1);
    see(pid, "deadly");
    go(pid, SIGTERM);
    see(pid, "end");
}

static void call_some(void) {
    raise(SIGSTOP);
    syscall(SYS_getpriority, 100, 200, 300);
    long result = syscall(SYS_getppid);
    if (result != 4242) _exit(1);
    result = syscall(SYS_umask, 01234);  // the number becomes getuid's
    if (result != (long)getuid()) _exit(2);
    result = syscall(SYS_kill, getpid(), SIGKILL);  // and this one is not made
    if (result != -1 || errno != ENOSYS) _exit(3);
    _exit(5);
}

static void show_call(int pid, struct registers *registers) {
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof info);
    long size = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    get(pid, registers);
    const char *kinds[] = {"none", "entry", "exit"};
    printf("  %s, %ld bytes, pc %d sp %d", info.op < 3 ? kinds[info.op] : "?", size, info.instruction_pointer == registers->PC,
           info.stack_pointer == registers->SP);
    if (info.op == 1) printf(" arguments %d", info.entry.args[0] == 100 && info.entry.args[1] == 200 && info.entry.args[2] == 300);
    if (info.op == 2) printf(" error %d", info.exit.is_error);
    unsigned long message = 77;
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
    siginfo_t signal;
    ptrace(PTRACE_GETSIGINFO, pid, 0, &signal);
    printf(" message %lu code %x\n", message, signal.si_code);
}

static int next_call(int pid, const char *what, struct registers *registers) {
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    int status = see(pid, what);
    if (WIFSTOPPED(status)) show_call(pid, registers);
    return status;
}

// Goes on to the entry of a call.
static void find_call(int pid, long number, struct registers *registers) {
    for (int i = 0; i < 50; i++) {
        int status;
        ptrace(PTRACE_SYSCALL, pid, 0, 0);
        waitpid(pid, &status, 0);
        get(pid, registers);
        struct ptrace_syscall_info info;
        ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
        if (info.op == 1 && (long)info.entry.nr == number) return;
    }
    puts("no such call");
}

static void calls(void) {
    int pid = start(call_some);
    struct registers registers;
    see(pid, "calls");
    show_call(pid, &registers);
    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
    find_call(pid, SYS_getpriority, &registers);
    show_call(pid, &registers);
    next_call(pid, "its end", &registers);
    find_call(pid, SYS_getppid, &registers);
    next_call(pid, "with another result", &registers);
    registers.RESULT = 4242;
    set(pid, &registers);
    find_call(pid, SYS_umask, &registers);
    registers.NUMBER = SYS_getuid;
    set(pid, &registers);
    next_call(pid, "another call", &registers);
    find_call(pid, SYS_kill, &registers);
    registers.NUMBER = -1;
    set(pid, &registers);
    next_call(pid, "none", &registers);
    find_call(pid, SYS_exit_group, &registers);
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    see(pid, "end");
}

static void wait_twice(void) {
    raise(SIGSTOP);
    struct timespec time = {0, 1000000};
    for (;;) nanosleep(&time, NULL);
}

static void bad_requests(void) {
    unsigned long word;
    struct registers registers;
    siginfo_t info;
    printf("nobody: %s %s %s\n", outcome(ptrace(PTRACE_ATTACH, 0x3fffff0, 0, 0)), outcome(ptrace(PTRACE_CONT, 0x3fffff0, 0, 0)),
           outcome(ptrace(PTRACE_SEIZE, -1, 0, 0)));
    printf("myself: %s, my parent: %s\n", outcome(ptrace(PTRACE_ATTACH, getpid(), 0, 0)),
           outcome(ptrace(PTRACE_CONT, getppid(), 0, 0)));
    int pid = start(wait_twice);
    see(pid, "bad");
    printf("again: %s\n", outcome(ptrace(PTRACE_ATTACH, pid, 0, 0)));
    printf("request 0x7777: %s\n", outcome(ptrace(0x7777, pid, 0, 0)));
    printf("signal 65: %s %s\n", outcome(ptrace(PTRACE_CONT, pid, 0, 65)), outcome(ptrace(PTRACE_DETACH, pid, 0, 100)));
    printf("listen, interrupt: %s %s\n", outcome(ptrace(PTRACE_LISTEN, pid, 0, 0)), outcome(ptrace(PTRACE_INTERRUPT, pid, 0, 0)));
    printf("options: %s\n", outcome(ptrace(PTRACE_SETOPTIONS, pid, 0, 0x40000000)));
    errno = 0;
    ptrace(PTRACE_PEEKDATA, pid, 16, 0);
    printf("peek at nothing: %s, ", strerrorname_np(errno));
    printf("poke: %s\n", outcome(ptrace(PTRACE_POKEDATA, pid, 16, 5)));
    struct iovec io = {&registers, sizeof registers};
    printf("set 9: %s", outcome(ptrace(PTRACE_GETREGSET, pid, 9, &io)));
    io.iov_len = 17;
    printf(", half a register: %s", outcome(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io)));
    io.iov_len = 24;
    printf(", three: %s %zu", outcome(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io)), io.iov_len);
    io.iov_base = (void *)8;
    printf(", into nothing: %s\n", outcome(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io)));
    printf("no iovec: %s, no siginfo: %s\n", outcome(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, 8)),
           outcome(ptrace(PTRACE_GETSIGINFO, pid, 0, 8)));
    sigset_t mask;
    printf("mask: %s %s\n", outcome(ptrace(PTRACE_GETSIGMASK, pid, 4, &mask)), outcome(ptrace(PTRACE_GETSIGMASK, pid, 8, &mask)));
    go(pid, 0);
    printf("running: %s %s %s\n", outcome(ptrace(PTRACE_CONT, pid, 0, 0)), outcome(get(pid, &registers)),
           outcome(ptrace(PTRACE_GETEVENTMSG, pid, 0, &word)));
    printf("wait for nothing: %d\n", waitpid(pid, NULL, WNOHANG));
    kill(pid, SIGUSR1);
    see(pid, "stopped");
    memset(&info, 0, sizeof info);
    printf("detach: %s", outcome(ptrace(PTRACE_DETACH, pid, 0, 0)));
    printf(", after it: %s\n", outcome(ptrace(PTRACE_CONT, pid, 0, 0)));
    kill(pid, SIGTERM);
    see(pid, "end");
}

static void block_and_raise(void) {
    raise(SIGSTOP);
    raise(SIGUSR1);
    _exit(handled);
}

// The tracer changes what is blocked.
static void masks(void) {
    int pid = start(block_and_raise);
    uint64_t mask = 0, want = 1ul << (SIGUSR1 - 1);
    siginfo_t waiting;
    struct __ptrace_peeksiginfo_args arguments = {0, 0, 1};
    see(pid, "mask");
    ptrace(PTRACE_GETSIGMASK, pid, 8, &mask);
    printf("mask %lx, set %s\n", mask, outcome(ptrace(PTRACE_SETSIGMASK, pid, 8, &want)));
    ptrace(PTRACE_GETSIGMASK, pid, 8, &mask);
    printf("mask %lx\n", mask);
    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
    struct registers registers;
    find_call(pid, SYS_exit_group, &registers);  // SIGUSR1 has been raised, but is blocked
    printf("waiting: %ld, ", ptrace(PTRACE_PEEKSIGINFO, pid, &arguments, &waiting));
    printf("%s\n", name_of(waiting.si_signo));
    ptrace(PTRACE_KILL, pid, 0, 0);
    see(pid, "end");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    signals();
    calls();
    bad_requests();
    masks();
    int pid = start(wait_twice);
    see(pid, "kill");
    printf("%s\n", outcome(ptrace(PTRACE_KILL, pid, 0, 0)));
    see(pid, "end");
    return 0;
}
