// For check_sheets.py: programs of much code that is not hot, as most are. pages WAY, where WAY is
//
//   work         sorts, prints and reads numbers, in many functions of the C library
//   patch        changes a function of its own, twice, and calls it each time
//   rewrite FILE has code of a file mapped, and writes to that file, three times
//   fault        touches memory that is not there, in many ways; says where and with what in the registers
//   forks        children that work, programs that they become, pipes between them
//   forever      works until it is killed
//   library A B  calls what is in one library, unloads it, and the same in the other one
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = 300 };

// ---- work

static uint32_t hash(uint32_t x, const char *text) {
    while (*text) x = (x ^ (uint8_t)*text++) * 16777619;
    return x;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static uint32_t numbers(uint32_t x) {
    char text[128];
    double value[WORDS];
    for (int i = 0; i < WORDS; i++) value[i] = sin(i + x % 7) * pow(10, i % 40 - 20);
    qsort(value, WORDS, sizeof *value, by_value);
    for (int i = 0; i < WORDS; i += 7) {
        snprintf(text, sizeof text, "%.17g %8.3e %a %08x %-5d|", value[i], value[i], value[i], i * 77, i);
        x = hash(x, text) + (uint32_t)(strtod(text, NULL) == value[i]);
    }
    return x;
}

static uint32_t texts(uint32_t x) {
    char *text[WORDS], line[256];
    for (int i = 0; i < WORDS; i++) {
        snprintf(line, sizeof line, "%d:%s:%u", i % 17, i % 3 ? "abc" : "abd", (unsigned)i * 2654435761u);
        text[i] = strdup(line);
    }
    qsort(text, WORDS, sizeof *text, by_text);
    for (int i = 0; i < WORDS; i++) {
        char *rest = text[i];
        for (char *word = strtok_r(rest, ":", &rest); word; word = strtok_r(NULL, ":", &rest))
            x = hash(x, word) + (uint32_t)strtoul(word, NULL, 10);
        free(text[i]);
    }
    return x;
}

static uint32_t times(uint32_t x) {
    char line[128];
    for (int i = 0; i < 40; i++) {
        time_t when = (time_t)x * (i + 1) % 2000000000;
        struct tm parts;
        strftime(line, sizeof line, "%A %d %B %Y %H:%M:%S %j %U", gmtime_r(&when, &parts));
        x = hash(x, line);
    }
    return x;
}

static uint32_t work(uint32_t x) {
    return times(texts(numbers(x)));
}

// ---- patch

__attribute__((noinline, aligned(16))) int patched(int x);
__asm__(
    ".pushsection .text\n.balign 16\n.globl patched\n.type patched, @function\npatched:\n.option push\n.option norvc\naddi a0, a0, 1\n.option pop\nret\n.popsection");

static void patch(int by) {
    uint32_t add = 0x00050513 | (uint32_t)by << 20;  // addi a0, a0, by
    char *page = (char *)((uintptr_t)patched & -(uintptr_t)PAGE);
    if (mprotect(page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC)) perror("mprotect");
    memcpy((void *)(uintptr_t)patched, &add, sizeof add);
    __builtin___clear_cache((char *)(uintptr_t)patched, (char *)(uintptr_t)patched + sizeof add);
}

static int many_times(int x) {
    for (int i = 0; i < 3000; i++) x = patched(x) & 0xffff;
    return x;
}

static void patches(void) {
    printf("first %d\n", many_times(0));
    patch(2);
    printf("then %d\n", many_times(0));
    patch(3);  // the page is writable already: only the fence says that something changed
    printf("last %d\n", many_times(0));
    char *page = (char *)((uintptr_t)patched & -(uintptr_t)PAGE);
    mprotect(page, 2 * PAGE, PROT_READ | PROT_EXEC);
    printf("again %d, %08x\n", many_times(0), work(1));
}

// ---- rewrite

static void write_code(int file, int number) {
    const uint32_t code[] = {0x00000513 | (uint32_t)number << 20, 0x00008067};  // addi a0, zero, number; ret
    if (pwrite(file, code, sizeof code, PAGE) != sizeof code) perror("pwrite");
}

static void rewrites(const char *path) {
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (ftruncate(file, 4 * PAGE)) perror("ftruncate");
    write_code(file, 1);
    char *code = mmap(NULL, 4 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    int (*made)(void) = (int (*)(void))(uintptr_t)(code + PAGE);
    for (int i = 0; i < 3; i++) {
        write_code(file, 1 + i % 2);
        __asm__ volatile("fence.i" ::: "memory");  // which does not say where, as the system call does
        int sum = 0;
        for (int n = 0; n < 200; n++) sum += made();
        printf("sum %d\n", sum);
    }
    printf("worked %08x\n", work(3));
}

// ---- fault

static sigjmp_buf back;
static volatile char *nothing;  // a page that is not there
extern const char ways_begin[], ways_end[];
void load_word(const volatile char *), load_byte_far(const volatile char *), load_double(const volatile char *),
    store_long(volatile char *), store_half(volatile char *), add_atomically(volatile char *), reserve(volatile char *),
    store_float(volatile char *), load_in_loop(volatile char *), jump_to(volatile char *), load_compressed(volatile char *);
// Each leaves known numbers in some registers, those that Ferry keeps in the host's among them, and faults in its midst.
#define WAY(name, ...) ".balign 4\n" #name ":\nli a1, 11\nli a2, 22\nli t3, 33\nli a5, 55\n" __VA_ARGS__ "\nret\n"
__asm__(".pushsection .text\nways_begin:\n"  //
        WAY(load_word, "addi a1, a1, 1\nlw a2, 8(a0)")  //
        WAY(load_byte_far, "lb a2, 2047(a0)")  //
        WAY(load_double, "fld fa0, -8(a0)")  //
        WAY(store_long, "addi a5, a5, 2\nsd a5, 16(a0)\naddi a5, a5, 1")  //
        WAY(store_half, "sh a5, 2(a0)")  //
        WAY(add_atomically, "addi t3, t3, 1\namoadd.w a2, a1, (a0)")  //
        WAY(reserve, "lr.d a2, (a0)")  //
        WAY(store_float, "fsw fa0, 4(a0)")  //
        WAY(load_in_loop,
            "li a4, 5000\nmv a3, sp\n1: ld a2, 0(a3)\naddi a1, a1, 1\naddi a4, a4, -1\nbnez a4, 1b\nmv a3, a0\nli a4, 2\nj 1b")  //
        WAY(load_compressed, "c.lw a5, 4(a0)")  //
        WAY(jump_to, "addi a1, a1, 3\njr a0")  //
        "ways_end:\n.popsection");

static void on_fault(int number, siginfo_t *info, void *context) {
    const unsigned long *x = (const unsigned long *)((const ucontext_t *)context)->uc_mcontext.__gregs;
    long at = (long)(x[0] - (unsigned long)ways_begin);
    printf("signal %d code %d address %+ld pc ", number, info->si_code, (long)((char *)info->si_addr - (char *)nothing));
    if (at >= 0 && at < ways_end - ways_begin) printf("%ld", at);
    else printf("%s", x[0] == (unsigned long)nothing ? "there" : "elsewhere");
    printf(" a1 %lu a2 %lu a4 %ld a5 %lu t3 %lu\n", x[11], x[12], (long)x[14], x[15], x[28]);
    siglongjmp(back, 1);
}

static void faults(void) {
    static void (*const way[])(volatile char *) = {(void (*)(volatile char *))load_word,
                                                   (void (*)(volatile char *))load_byte_far,
                                                   (void (*)(volatile char *))load_double,
                                                   store_long,
                                                   store_half,
                                                   add_atomically,
                                                   reserve,
                                                   store_float,
                                                   load_in_loop,
                                                   load_compressed,
                                                   jump_to};
    nothing = (volatile char *)mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + PAGE;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    for (int turn = 0; turn < 3; turn++) {
        for (unsigned i = 0; i < sizeof way / sizeof *way; i++) {
            if (!sigsetjmp(back, 1)) way[i](nothing);
        }
    }
    printf("worked %08x\n", work(2));
}

// ---- forks

static uint32_t child_says(const char *self, int number) {
    int ends[2], status;
    uint32_t said = 0;
    if (pipe(ends)) return 1;
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], 1);
        close(ends[0]);
        if (number % 3 == 0) execl(self, self, "work", (char *)NULL);
        printf("worked %08x\n", times(texts((uint32_t)number)));
        exit(number);  // NOLINT: one thread
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    if (fscanf(in, "worked %x", &said) != 1) said = 99;
    fclose(in);
    waitpid(child, &status, 0);
    return said + (uint32_t)status;
}

static void forks(const char *self) {
    uint32_t x = 0;
    for (int i = 0; i < 20; i++) x = x * 31 + child_says(self, i);
    printf("children said %08x\n", x);
}

// ---- library

static void call(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    int (*answer)(int) = library ? (int (*)(int))(uintptr_t)dlsym(library, "answer") : NULL;
    static uintptr_t first;
    if (!answer) {
        puts(dlerror());
        exit(1);  // NOLINT: one thread
    }
    if (!first) first = (uintptr_t)answer;
    int x = 0;
    for (int i = 0; i < 100; i++) x = x * 3 + answer(i);
    printf("%s answer %d\n", (uintptr_t)answer == first ? "same place" : "elsewhere", x);
    dlclose(library);
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "work";
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(way, "work")) printf("worked %08x\n", work(1));
    if (!strcmp(way, "patch")) patches();
    if (!strcmp(way, "rewrite")) rewrites(argv[2]);
    if (!strcmp(way, "fault")) faults();
    if (!strcmp(way, "forks")) forks("/proc/self/exe");
    for (uint32_t x = 1; !strcmp(way, "forever");) x = work(x);
    for (int i = 2; i < argc && !strcmp(way, "library"); i++) call(argv[i]);
    return 0;
}
