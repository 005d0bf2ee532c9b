// guest-test: expect=native variants=static,dynamic timeout=60 without=tsan
// ptrace(2) and code: breakpoints put into a loop that has been running for long, in all ways of writing, by a tracer that attached to it; its
// registers read and changed there; code replaced for good; several threads in it.
#include "tracing.h"
#include <dirent.h>
#include <pthread.h>
#include <time.h>

#ifdef __riscv
#define FUNCTION(name, body)                                                                                                \
    __asm__(".text\n.balign 16\n.globl " #name "\n.type " #name ", @function\n.option push\n.option rvc\n" #name ":\n" body \
            ".option pop\n")
// loop(limit): counts; at loop_next the counter is in the third argument's register.
FUNCTION(loop, "li a2, 0\n"
               "loop_next: addi a2, a2, 1\n"
               "bltu a2, a0, loop_next\n"
               "loop_end: mv a0, a2\nret\n");
#define COUNTER x[11]
#define LIMIT x[9]
static const unsigned char two[2] = {0x09, 0x06};  // c.addi a2, 2
#else
__asm__(
    ".text\n.globl loop\nloop: xor %edx, %edx\nloop_next: add $1, %rdx\ncmp %rdi, %rdx\njb loop_next\nloop_end: mov %rdx, %rax\nret\n");
#define COUNTER rdx
#define LIMIT rdi
static const unsigned char two[4] = {0x48, 0x83, 0xc2, 0x02};
#endif
extern const char loop_next[], loop_end[];
uint64_t loop(uint64_t limit);
#define NEXT ((uint64_t)loop_next)
#define FOREVER (1ul << 62)

static unsigned char saved[sizeof two];

// The tracee at a breakpoint: back to the instruction.
static void settle(int pid, struct registers *registers) {
    get(pid, registers);
    printf("  at it %d\n", registers->PC - AFTER_BREAKPOINT == NEXT);
    registers->PC = NEXT;
    set(pid, registers);
}

// Until it is native code, however busy the machine is.
static void run_for_a_while(int pid) {
    struct timespec used = {0};
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock)) return;
    for (int n = 0; n < 4000 && !used.tv_sec && used.tv_nsec < 100000000; n++) {
        usleep(5000);
        if (clock_gettime(clock, &used)) return;
    }
}

static int run_forever(void) {
    int pid = fork();
    if (!pid) _exit(loop(FOREVER) == FOREVER ? 3 : 4);
    run_for_a_while(pid);
    return pid;
}

static void stop_in_loop(enum way way) {
    struct registers registers, again;
    int pid = run_forever();
    printf("attach %s\n", outcome(ptrace(PTRACE_ATTACH, pid, 0, 0)));
    see(pid, "attached");
    get(pid, &registers);
    printf("in the loop %d, counted %d, limit %d\n", registers.PC >= NEXT && registers.PC < (uint64_t)loop_end,
           registers.COUNTER > 100000, registers.LIMIT == FOREVER);
    for (int i = 0; i < 3; i++) {
        printf("set %d\n", poke(pid, way, NEXT, breakpoint, sizeof breakpoint));
        go(pid, 0);
        see(pid, "breakpoint");
        settle(pid, &registers);
        printf("remove %d\n", poke(pid, way, NEXT, saved, sizeof breakpoint));
        go(pid, 0);
        usleep(10000);
        kill(pid, SIGSTOP);
        see(pid, "in between");
        get(pid, &again);
        printf("went on %d\n", again.COUNTER > registers.COUNTER + 10);
        registers = again;
    }
    registers.LIMIT = registers.COUNTER + 1000;
    registers.COUNTER += 500;
    set(pid, &registers);
    printf("detach %s\n", outcome(ptrace(PTRACE_DETACH, pid, 0, 0)));
    see(pid, "end");
}

// One breakpoint that stays, with the instruction made by the tracer: each round stops.
static void count_rounds(void) {
    struct registers registers;
    int pid = fork();
    if (!pid) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        if (loop(1000000) != 1000000) _exit(1);
        raise(SIGSTOP);
        _exit(loop(100) == 100 ? 0 : 1);
    }
    see(pid, "to count");
    poke(pid, BY_POKE, NEXT, breakpoint, sizeof breakpoint);
    int status, rounds = 0;
    for (go(pid, 0); waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP; go(pid, 0)) {
        get(pid, &registers);
        if (registers.COUNTER != rounds) printf("counter %lu in round %d\n", (unsigned long)registers.COUNTER, rounds);
        rounds++;
        registers.COUNTER++;
        registers.PC = NEXT + sizeof saved;
#ifdef __riscv
        registers.PC = NEXT + 2;
#endif
        set(pid, &registers);
    }
    printf("%d rounds, %s\n", rounds, text_of(status));
}

// Code of the tracee's is replaced while it runs: it counts by two then.
static void replace(void) {
    struct registers registers;
    int pid = run_forever();
    ptrace(PTRACE_SEIZE, pid, 0, 0);
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    see(pid, "interrupted");
    printf("replace %d\n", poke(pid, BY_FILE, NEXT, two, sizeof two));
    get(pid, &registers);
    registers.LIMIT = 1000001;
    registers.COUNTER = 0;
    registers.PC = NEXT;
    set(pid, &registers);
    poke(pid, BY_POKE, (uint64_t)loop_end, breakpoint, sizeof breakpoint);
    go(pid, 0);
    see(pid, "at the end");
    get(pid, &registers);
    printf("counted to %lu\n", (unsigned long)registers.COUNTER);
    ptrace(PTRACE_KILL, pid, 0, 0);
    see(pid, "end");
}

static void *thread(void *data) {
    return (void *)loop(FOREVER);
}

// A breakpoint that is written through one thread holds for all.
static void threads(void) {
    struct registers registers;
    int pid = fork(), tids[3];
    if (!pid) {
        pthread_t id;
        for (int i = 0; i < 2; i++) pthread_create(&id, NULL, thread, NULL);
        loop(FOREVER);
    }
    usleep(200000);
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *list = opendir(path);
    int count = 0;
    for (struct dirent *entry; count < 3 && (entry = readdir(list));) {
        if (entry->d_name[0] != '.') tids[count++] = atoi(entry->d_name);
    }
    closedir(list);
    for (int i = 0; i < count; i++) {
        printf("thread %d: seize %s, ", i, outcome(ptrace(PTRACE_SEIZE, tids[i], 0, 0)));
        printf("interrupt %s\n", outcome(ptrace(PTRACE_INTERRUPT, tids[i], 0, 0)));
        see(tids[i], "stopped");
        if (i) go(tids[i], 0);
    }
    poke(tids[0], BY_POKE, NEXT, breakpoint, sizeof breakpoint);  // two are running
    for (int i = 0; i < count; i++) {
        if (!i) go(tids[i], 0);
        see(tids[i], "breakpoint");
        settle(tids[i], &registers);
    }
    kill(pid, SIGKILL);
    for (int i = count - 1; i >= 0; i--) see(tids[i], "end");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    memcpy(saved, loop_next, sizeof saved);
    for (enum way way = 0; way < WAYS - 1; way++) stop_in_loop(way);
    count_rounds();
    replace();
    threads();
    return 0;
}
