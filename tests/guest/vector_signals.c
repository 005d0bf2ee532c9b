// guest-test: expect=file arch=riscv64 variants=static timeout=60
// Vectors (V) and the kernel's side of them: what is offered, signal frames that hold them, good ones and hostile ones, the alternate stack, children,
// threads, exec, a debugger's register set, prctl.
#include "child.h"
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { VLENB = 16, E16_M2 = 0xc9, E8_M1 = 0xc0, REGSET = 0x901 };
#define VILL (UINT64_C(1) << 63)

struct vectors {
    uint64_t vstart, vl, vtype, vcsr;
    uint8_t reg[32 * VLENB];
};

// clang-format off: assembly
#define WITH_VECTORS(code) ".option push\n .option arch, +v\n" code ".option pop\n"
#define LOAD                                                                                             \
    "csrw vstart, zero\n addi t0, %[from], 32\n vl8re8.v v0, (t0)\n addi t0, t0, 128\n vl8re8.v v8, (t0)\n"  \
    "addi t0, t0, 128\n vl8re8.v v16, (t0)\n addi t0, t0, 128\n vl8re8.v v24, (t0)\n"                    \
    "ld t0, 0(%[from])\n ld t1, 8(%[from])\n ld t2, 16(%[from])\n ld t3, 24(%[from])\n"                  \
    "vsetvl zero, t1, t2\n csrw vcsr, t3\n csrw vstart, t0\n"
#define STORE                                                                                            \
    "csrr t0, vstart\n csrr t1, vl\n csrr t2, vtype\n csrr t3, vcsr\n"                                   \
    "sd t0, 0(%[to])\n sd t1, 8(%[to])\n sd t2, 16(%[to])\n sd t3, 24(%[to])\n csrw vstart, zero\n"      \
    "addi t0, %[to], 32\n vs8r.v v0, (t0)\n addi t0, t0, 128\n vs8r.v v8, (t0)\n"                        \
    "addi t0, t0, 128\n vs8r.v v16, (t0)\n addi t0, t0, 128\n vs8r.v v24, (t0)\n"
#define EBREAK ".word 0x00100073\n"
// clang-format on

static void load(const struct vectors *from) {
    asm volatile(WITH_VECTORS(LOAD)::[from] "r"(from) : "t0", "t1", "t2", "t3", "memory");
}
static void store(struct vectors *to) {
    asm volatile(WITH_VECTORS(STORE)::[to] "r"(to) : "t0", "t1", "t2", "t3", "memory");
}
// A signal in between, and no system call.
static void pass(const struct vectors *from, struct vectors *to) {
    asm volatile(WITH_VECTORS(LOAD EBREAK STORE)::[from] "r"(from), [to] "r"(to) : "t0", "t1", "t2", "t3", "memory");
}

static struct vectors pattern(unsigned seed) {
    struct vectors v = {.vstart = 3, .vl = 13, .vtype = E16_M2, .vcsr = 5};
    for (unsigned i = 0; i < sizeof v.reg; i++) v.reg[i] = (uint8_t)(i * 7 + i / 16 + seed);
    return v;
}
static int same(const struct vectors *a, const struct vectors *b) {
    return !memcmp(a, b, sizeof *a);
}
static void say(const char *what, const struct vectors *v) {
    printf("%s: vstart %lu vl %lu vtype %lx vcsr %lu\n", what, v->vstart, v->vl, v->vtype, v->vcsr);
}
static void clobber(void) {
    struct vectors v = pattern(99);
    v.vstart = 0, v.vl = 5, v.vtype = E8_M1, v.vcsr = 2;
    load(&v);
}

// ---- what is offered

static void offered(void) {
    struct {
        int64_t key;
        uint64_t value;
    } probe[] = {{4, 0}, {10, 0}};
    uint64_t v = 1 << 2, crypto = 0x3fe0000, elements = UINT64_C(31) << 37, absent = UINT64_C(1) << 26 | UINT64_C(3) << 30;
    syscall(258, probe, 2, 0, 0, 0);
    printf("hwcap %lu, V %d, crypto %d, elements %d, none of the others %d, misaligned %lu\n", getauxval(AT_HWCAP) >> 21 & 1,
           (probe[0].value & v) == v, (probe[0].value & crypto) == crypto, (probe[0].value & elements) == elements,
           !(probe[0].value & absent), probe[1].value);
    char line[1024];
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (fgets(line, sizeof line, file) && strncmp(line, "isa", 3)) {}
    fclose(file);
    printf("isa: v %d, elements %d\n", strstr(line, ": rv64imafdcv_") != NULL,
           strstr(line, "_zvbb_zvbc_zve32f_zve32x_zve64d_zve64f_zve64x_zvkb_") != NULL);
}

// ---- frames

struct header {
    uint32_t magic, size;
};
struct extension {
    struct header header;
    uint64_t vstart, vl, vtype, vcsr, vlenb, data;
    uint8_t reg[32 * VLENB];
    struct header end;
};
static struct extension *extension_of(ucontext_t *context) {
    return (struct extension *)((char *)&context->uc_mcontext + 32 * 8 + 528 - 8);
}

static void (*act)(ucontext_t *context, struct extension *extension);
static void handler(int signal, siginfo_t *info, void *data) {
    ucontext_t *context = data;
    if (signal == SIGTRAP) context->uc_mcontext.__gregs[0] += 4;
    act(context, extension_of(context));
}
static void handle(int signal, int flags, void (*what)(ucontext_t *, struct extension *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    act = what;
    sigaction(signal, &action, NULL);
}

static struct vectors before, after, other;

static void look_for_none(ucontext_t *context, struct extension *extension) {
    printf("no vectors yet: %x %x\n", extension->header.magic, extension->header.size);
    load(&other);  // the thread's first ones
}
static void look(ucontext_t *context, struct extension *extension) {
    printf("frame: magic %x size %u, vstart %lu vl %lu vtype %lx vcsr %lu vlenb %lu\n", extension->header.magic,
           extension->header.size, extension->vstart, extension->vl, extension->vtype, extension->vcsr, extension->vlenb);
    printf("data behind it %d, aligned %d, right %d, end %x %x\n", extension->data == (uintptr_t)extension->reg,
           extension->data % 16 == 0, !memcmp(extension->reg, before.reg, sizeof before.reg), extension->end.magic,
           extension->end.size);
    struct vectors here;
    store(&here);
    printf("the handler begins with them %d\n", !memcmp(here.reg, before.reg, sizeof here.reg));
    clobber();
}
static void change(ucontext_t *context, struct extension *extension) {
    extension->vstart = 1, extension->vl = 7, extension->vtype = E8_M1, extension->vcsr = 2;
    memcpy(extension->reg, other.reg, sizeof other.reg);
}
static void move(ucontext_t *context, struct extension *extension) {
    extension->data = (uintptr_t)other.reg;
    clobber();
}
static void too_long(ucontext_t *context, struct extension *extension) {
    extension->vl = 1000, extension->vstart = ~0ul, extension->vcsr = ~0ul;
}
static void reserved_type(ucontext_t *context, struct extension *extension) {
    extension->vtype = 0x20 | 0x4;
}
static void unknown_type(ucontext_t *context, struct extension *extension) {
    extension->vtype = UINT64_C(1) << 40 | E8_M1;
}
static void other_vlenb(ucontext_t *context, struct extension *extension) {
    extension->vlenb = 4096;  // which is not for setting
}

static void bad_magic(ucontext_t *context, struct extension *extension) {
    extension->header.magic++;
}
static void bad_size(ucontext_t *context, struct extension *extension) {
    extension->header.size += 16;
}
static void bad_data(ucontext_t *context, struct extension *extension) {
    extension->data = 64;
}
static void data_of_kernel(ucontext_t *context, struct extension *extension) {
    extension->data = ~0ul << 40;
}
static void bad_end(ucontext_t *context, struct extension *extension) {
    extension->end.size = 8;
}
static void bad_reserved(ucontext_t *context, struct extension *extension) {
    (&extension->header.magic)[-1] = 1;
}
static void dropped(ucontext_t *context, struct extension *extension) {
    extension->header = (struct header){0, 0};
    load(&other);
}

static void frames(void) {
    handle(SIGTRAP, 0, look);
    pass(&before, &after);
    printf("back as they were %d\n", same(&before, &after));
    act = change;
    pass(&before, &after);
    say("changed", &after);
    printf("registers too %d\n", !memcmp(after.reg, other.reg, sizeof other.reg));
    act = move;
    pass(&before, &after);
    printf("from elsewhere %d\n", !memcmp(after.reg, other.reg, sizeof other.reg) && after.vl == before.vl);
    act = too_long;
    pass(&before, &after);
    say("too long", &after);
    act = reserved_type;
    pass(&before, &after);
    printf("reserved: vill %d, vl %lu, registers %d\n", after.vtype == VILL, after.vl,
           !memcmp(after.reg, before.reg, sizeof before.reg));
    act = unknown_type;
    pass(&before, &after);
    printf("unknown: vill %d, vl %lu\n", after.vtype == VILL, after.vl);
    act = other_vlenb;
    pass(&before, &after);
    printf("vlenb of no meaning %d\n", same(&before, &after));
    act = dropped;
    pass(&before, &after);
    printf("frame without them leaves the handler's %d\n", same(&other, &after));
}

static void pass_once(void) {
    pass(&before, &after);
}
static void hostile(void) {
    static void (*const acts[])(ucontext_t *, struct extension *) = {bad_magic,      bad_size, bad_data,
                                                                     data_of_kernel, bad_end,  bad_reserved};
    printf("hostile frames:");
    for (unsigned i = 0; i < sizeof acts / sizeof *acts; i++) {
        act = acts[i];
        printf(" %x", in_child(pass_once));
    }
    printf("\n");
}

// ---- the alternate stack

static char room[16384] __attribute__((aligned(16)));
static uintptr_t frame_at;
static void note_place(ucontext_t *context, struct extension *extension) {
    frame_at = (uintptr_t)context - 128;
}
static void again(ucontext_t *context, struct extension *extension) {
    asm volatile(EBREAK);
}
static void on_alternate(size_t size, void (*what)(ucontext_t *, struct extension *)) {
    stack_t stack = {.ss_sp = room, .ss_size = size};
    if (sigaltstack(&stack, NULL)) perror("sigaltstack");
    handle(SIGTRAP, SA_ONSTACK | SA_NODEFER, what);
    pass(&before, &after);
}
static void overflow(void) {
    on_alternate(8192, again);
}
static void alternate(void) {
    size_t least = getauxval(51);  // AT_MINSIGSTKSZ
    printf("a frame fits %d, as does the C library's %d\n", least >= 128 + 960 + 568 + 8, sysconf(_SC_MINSIGSTKSZ) >= (long)least);
    on_alternate(least < 2048 ? 2048 : least, note_place);
    printf("frame on it %d, back as they were %d\n", frame_at >= (uintptr_t)room && frame_at < (uintptr_t)room + least,
           same(&before, &after));
    printf("stack full: %x\n", in_child(overflow));
    stack_t off = {.ss_flags = SS_DISABLE};
    sigaltstack(&off, NULL);
}

// ---- children, threads, programs

static void compare_in_child(void) {
    store(&after);
    _exit(same(&before, &after) ? 42 : 1);
}
static void *compare_in_thread(void *data) {
    store(&after);
    return (void *)(uintptr_t)same(&before, &after);
}
static void copies(void) {
    void *result;
    pthread_t thread;
    load(&before);
    printf("child has them %x\n", in_child(compare_in_child));
    load(&before);
    pthread_create(&thread, NULL, compare_in_thread, NULL);
    pthread_join(thread, &result);
    printf("thread has them %d\n", (int)(uintptr_t)result);
}

static void clobber_quietly(ucontext_t *context, struct extension *extension) {
    clobber();
}
static volatile int stop_now;
static void *hold(void *data) {
    struct vectors mine = pattern((unsigned)(uintptr_t)data), now;
    long wrong = 0;
    do {
        asm volatile(WITH_VECTORS(LOAD "li t0, 300\n 1: addi t0, t0, -1\n bnez t0, 1b\n" STORE)::[from] "r"(&mine), [to] "r"(&now)
                     : "t0", "t1", "t2", "t3", "memory");
        wrong += !same(&mine, &now);
    } while (!stop_now);
    return (void *)wrong;
}
static void stormy(void) {
    enum { THREADS = 3, SIGNALS = 300 };
    pthread_t thread[THREADS];
    long wrong = 0;
    handle(SIGUSR1, 0, clobber_quietly);
    for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, hold, (void *)(i + 1));
    for (int i = 0; i < SIGNALS; i++) {
        pthread_kill(thread[i % THREADS], SIGUSR1);
        usleep(100);
    }
    stop_now = 1;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(thread[i], &result);
        wrong += (long)result;
    }
    printf("wrong among threads and signals %ld\n", wrong);
}

static void execute(void) {
    load(&before);
    execl("/proc/self/exe", "vectors", "fresh", NULL);
}
static int fresh(void) {
    struct vectors now, zero = {.vtype = VILL};
    store(&now);
    say("fresh", &now);
    printf("all zero %d\n", same(&now, &zero));
    return 0;
}

// ---- a debugger's register set

struct regset {
    uint64_t vstart, vl, vtype, vcsr, vlenb;
    uint8_t reg[32 * VLENB];
};
static const char *transfer(int request, int pid, struct regset *set, size_t size, size_t *got) {
    struct iovec io = {set, size};
    long result = ptrace(request, pid, REGSET, &io);
    *got = io.iov_len;
    return result ? strerrorname_np(errno) : "0";
}
static void skip_breakpoint(int pid) {
    uint64_t registers[32];
    struct iovec io = {registers, sizeof registers};
    ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io);
    registers[0] += 4;
    ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io);
}
static int go_on(int pid) {
    int status = 0;
    ptrace(PTRACE_CONT, pid, 0, 0);
    waitpid(pid, &status, 0);
    return status;
}
static void traced(void) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    signal(SIGTRAP, SIG_DFL);
    raise(SIGSTOP);
    pass(&before, &after);
    int first = after.vl == 9 && after.vtype == E8_M1 && after.vstart == 2 && after.vcsr == 4 &&
                !memcmp(after.reg, other.reg, sizeof after.reg);
    pass(&before, &after);
    _exit(first + 2 * (after.vtype == VILL && after.vl == 0));
}
static void debugger(void) {
    struct regset set;
    size_t got;
    int status;
    fflush(stdout);
    int pid = fork();
    if (!pid) traced();
    waitpid(pid, &status, 0);
    go_on(pid);
    printf("get: %s", transfer(PTRACE_GETREGSET, pid, &set, sizeof set, &got));
    printf(", %zu bytes, vstart %lu vl %lu vtype %lx vcsr %lu vlenb %lu, registers %d\n", got, set.vstart, set.vl, set.vtype,
           set.vcsr, set.vlenb, !memcmp(set.reg, before.reg, sizeof set.reg));
    set.vlenb = 32;
    printf("another vlenb: %s\n", transfer(PTRACE_SETREGSET, pid, &set, sizeof set, &got));
    set = (struct regset){.vstart = 2, .vl = 9, .vtype = E8_M1, .vcsr = 4, .vlenb = VLENB};
    memcpy(set.reg, other.reg, sizeof set.reg);
    printf("set: %s\n", transfer(PTRACE_SETREGSET, pid, &set, sizeof set, &got));
    skip_breakpoint(pid);
    go_on(pid);
    transfer(PTRACE_GETREGSET, pid, &set, sizeof set, &got);
    set.vtype = 0xff;
    printf("reserved: %s\n", transfer(PTRACE_SETREGSET, pid, &set, sizeof set, &got));
    skip_breakpoint(pid);
    status = go_on(pid);
    printf("tracee: %x\n", status);
}
static void traced_without(void) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
}
static void no_vectors_yet(void) {
    struct regset set;
    size_t got;
    int status, pid = fork();
    if (!pid) {
        traced_without();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    printf("none to get yet: %s\n", transfer(PTRACE_GETREGSET, pid, &set, sizeof set, &got));
    go_on(pid);
}

// ---- prctl

static void control(void) {
    enum { SET = 69, GET = 70 };
    printf("control %d", prctl(GET));
    static const unsigned long values[] = {1, 2, 3, 0x0c, 0x20, 0x1a, 0};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
        printf(", %lx: %s", values[i], prctl(SET, values[i]) ? strerrorname_np(errno) : "0");
    prctl(SET, 0x18);
    printf(", then %x\n", prctl(GET));
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1) return fresh();
    before = pattern(1);
    other = pattern(50);
    offered();
    no_vectors_yet();
    handle(SIGTRAP, 0, look_for_none);
    asm volatile(EBREAK);
    frames();
    hostile();
    alternate();
    copies();
    stormy();
    in_child(execute);
    debugger();
    control();
    return 0;
}
