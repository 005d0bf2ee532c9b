// For tests of ptrace(2): registers and breakpoints of guest and host, waiting with a text of what came.
#pragma once
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __riscv
struct registers {
    uint64_t pc, x[31];  // x1 to x31
};
#define PC pc
#define SP x[1]
#define RESULT x[9]
#define ARGUMENT x[9]
#define NUMBER x[16]
static const unsigned char breakpoint[2] = {0x02, 0x90};  // c.ebreak
enum { AFTER_BREAKPOINT = 0 };
#else
struct registers {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, eflags, rsp, ss, fs_base,
        gs_base, ds, es, fs, gs;
};
#define PC rip
#define SP rsp
#define RESULT rax
#define ARGUMENT rdi
#define NUMBER orig_rax
static const unsigned char breakpoint[1] = {0xcc};
enum { AFTER_BREAKPOINT = 1 };
#endif

static int get(int pid, struct registers *registers) {
    struct iovec io = {registers, sizeof *registers};
    return ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) || io.iov_len != sizeof *registers ? -1 : 0;
}

static int set(int pid, struct registers *registers) {
    struct iovec io = {registers, sizeof *registers};
    return (int)ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io);
}

static const char *name_of(int signal) {
    const char *name = signal == 0x85 ? "TRAP|80" : sigabbrev_np(signal);
    return name ? name : "?";
}

static const char *text_of(int status) {
    static char text[80];
    static const char *const events[] = {"", "FORK", "VFORK", "CLONE", "EXEC", "VFORK_DONE", "EXIT"};
    int event = status >> 16;
    if (WIFEXITED(status)) snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status)) snprintf(text, sizeof text, "killed %s", name_of(WTERMSIG(status)));
    else if (WIFCONTINUED(status)) snprintf(text, sizeof text, "continued");
    else if (!event) snprintf(text, sizeof text, "stopped %s", name_of(WSTOPSIG(status)));
    else
        snprintf(text, sizeof text, "stopped %s, event %s", name_of(WSTOPSIG(status)),
                 event == 128 ? "STOP"
                 : event < 7  ? events[event]
                              : "?");
    return text;
}

// Waits and says what for.
static int see(int pid, const char *what) {
    int status = 0;
    int got = waitpid(pid, &status, __WALL);
    if (got != pid) printf("%s: %s\n", what, got < 0 ? strerrorname_np(errno) : "somebody else");
    else printf("%s: %s\n", what, text_of(status));
    fflush(stdout);
    return status;
}

static int go(int pid, int signal) {
    return (int)ptrace(PTRACE_CONT, pid, 0, signal);
}

// 0, or the name of what went wrong.
static const char *outcome(long result) {
    return result == -1 ? strerrorname_np(errno) : "0";
}

// Which of three ways memory is written in.
enum way { BY_POKE, BY_FILE, BY_CALL, WAYS };
static int poke(int pid, enum way way, uint64_t at, const void *bytes, size_t size) {
    if (way == BY_CALL) {
        struct iovec from = {(void *)bytes, size}, to = {(void *)at, size};
        return process_vm_writev(pid, &from, 1, &to, 1, 0) == (long)size ? 0 : -1;
    }
    if (way == BY_FILE) {
        char path[40];
        snprintf(path, sizeof path, "/proc/%d/mem", pid);
        int fd = open(path, O_RDWR);
        int done = pwrite(fd, bytes, size, (off_t)at) == (long)size;
        close(fd);
        return done ? 0 : -1;
    }
    uint64_t word = at & ~7ul, value = (uint64_t)ptrace(PTRACE_PEEKTEXT, pid, word, 0);
    memcpy((char *)&value + (at - word), bytes, size);  // sizes and places here cross no word
    return (int)ptrace(PTRACE_POKETEXT, pid, word, value);
}
