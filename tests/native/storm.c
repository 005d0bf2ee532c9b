// For check_cache.py: there is always new code to translate, in two threads, while the process forks and further threads close every descriptor that there is.
// A descriptor that one of them opened itself has to stay. storm FORKS
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 512, SHAPES = 64, TURNS = 40, CLOEXEC = 4 };

#define SHAPE(n)                                                                                                       \
    static __attribute__((noinline)) uint32_t shape_##n(uint32_t x, const uint32_t *word) {                            \
        for (unsigned i = 0; i < WORDS; i++) x = x * (2 * n + 3) + ((word[i] ^ x >> (n & 7)) & (0xffffU >> (n >> 3))); \
        return x;                                                                                                      \
    }
#define EIGHT(do, n) \
    do (n##0) do(n##1) do(n##2) do(n##3) do(n##4) do(n##5) do(n##6) do(n##7)
#define ALL(do) EIGHT(do, 0) EIGHT(do, 01) EIGHT(do, 02) EIGHT(do, 03) EIGHT(do, 04) EIGHT(do, 05) EIGHT(do, 06) EIGHT(do, 07)
ALL(SHAPE)
#define NAME(n) shape_##n,
static uint32_t (*const shape[SHAPES])(uint32_t x, const uint32_t *word) = {ALL(NAME)};

extern const char __executable_start;
static uint32_t words[WORDS];
static atomic_int ended;
static unsigned lost;

static uint32_t work(uint32_t x, unsigned number) {
    for (unsigned n = 0; n < TURNS; n++) x = shape[number % SHAPES](x, words);
    return x;
}

// Now and then there is no descriptor, so that whoever opens one for a moment gets the number that is closed next.
static void *close_all(void *flags) {
    while (!ended) {
        syscall(SYS_close_range, 3, ~0U, (unsigned)(uintptr_t)flags);
        if (flags) continue;
        int fd = open("/dev/zero", O_RDONLY);
        for (unsigned n = 0; n < 5; n++) {
            char byte = 1;
            lost += read(fd, &byte, 1) != 1 || byte;
        }
        lost += close(fd) != 0;
        for (volatile unsigned n = 0; n < 200; n++);
    }
    return NULL;
}

// The program's own code at other places, in mappings each of another size: modules that were not seen before. Made while nobody closes what is open.
static uint8_t *elsewhere[SHAPES];
static uintptr_t first_page;

static void map_elsewhere(void) {
    int fd = open("/proc/self/exe", O_RDONLY);
    first_page = (uintptr_t)shape[0] & ~(uintptr_t)4095;
    for (unsigned n = 0; n < SHAPES; n++) {
        size_t size = (4 + n) * 4096;
        uint8_t *room =
            mmap(NULL, size + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);  // with a gap, or neighbours are one
        elsewhere[n] = mmap(room, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd,
                            (off_t)(first_page - (uintptr_t)&__executable_start));
    }
    close(fd);
}

static uint32_t work_elsewhere(uint32_t x, unsigned number) {
    uint32_t (*there)(uint32_t x, const uint32_t *word) =
        (void *)(elsewhere[number % SHAPES] + ((uintptr_t)shape[number % 8] - first_page));
    for (unsigned n = 0; n < TURNS; n++) x = there(x, words);
    return x;
}

static void *work_backwards(void *result) {
    uint32_t x = 1;
    for (unsigned n = 2 * SHAPES; n-- > 0;) x = work(x, n);
    *(uint32_t *)result = x;
    return NULL;
}

int main(int argc, char **argv) {
    unsigned forks = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    uint32_t x = 1, backwards;
    pthread_t closer[2], worker;
    for (unsigned i = 0; i < WORDS; i++) words[i] = i * 2654435761U;
    map_elsewhere();
    pthread_create(&closer[0], NULL, close_all, NULL);
    pthread_create(&closer[1], NULL, close_all, (void *)(uintptr_t)CLOEXEC);
    pthread_create(&worker, NULL, work_backwards, &backwards);
    for (unsigned n = 0; n < forks; n++) {
        int status = 0;
        x = n % 4 ? work(x, n) : work_elsewhere(x, n / 4);
        pid_t child = fork();
        if (child == 0) _exit((int)(work(x, n + SHAPES / 2) & 127));
        if (child < 0 || waitpid(child, &status, 0) != child) return 2;
        x += (uint32_t)(WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
    }
    pthread_join(worker, NULL);
    ended = 1;
    for (unsigned i = 0; i < 2; i++) pthread_join(closer[i], NULL);
    printf("result %08x %08x, lost %u\n", x, backwards, lost);
    return 0;
}
