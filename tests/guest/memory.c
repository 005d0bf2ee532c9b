// guest-test: expect=native native=gcc
// System calls on memory: results and errnos of every kind of request, on a private place of the address space. Addresses are printed
// relative to it only.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *place;  // 64 pages

static void show(const char *what, long result) {
    if (result == -1) printf("%s: %s\n", what, strerrorname_np(errno));
    else if (result >= (long)place && result < (long)place + 64 * PAGE)
        printf("%s: place+%ld\n", what, (result - (long)place) / PAGE);
    else printf("%s: %ld\n", what, result > 4096 || result < 0 ? 1L : result);
}
#define SHOW(call) show(#call, (long)(call))

static sigjmp_buf back;
static void caught(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    siglongjmp(back, info->si_code);
}

// r, w or the si_code of what reading and writing gives.
static const char *access_of(volatile char *at) {
    static char text[32];
    int code = sigsetjmp(back, 1);
    if (code) {
        sprintf(text, "fault %d", code);
        return text;
    }
    char c = *at;
    code = sigsetjmp(back, 1);
    if (code) {
        sprintf(text, "read, write fault %d", code);
        return text;
    }
    *at = c;
    return "read write";
}

static void mappings(void) {
    SHOW(mmap(place, PAGE, RW, ANON | MAP_FIXED, -1, 0));
    SHOW(mmap(place + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0));
    SHOW(mmap(place, 0, RW, ANON | MAP_FIXED, -1, 0));
    SHOW(mmap(NULL, -1UL, RW, ANON, -1, 0));
    SHOW(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
    SHOW(mmap(NULL, PAGE, RW, MAP_PRIVATE, 999, 0));
    SHOW(syscall(SYS_mmap, NULL, PAGE, RW, ANON, -1, 5L));
    SHOW(mmap(place, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    SHOW(munmap(place + 4 * PAGE, 2 * PAGE));
    SHOW(mmap(place + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    SHOW(mmap(place + 5 * PAGE, PAGE, PROT_READ, ANON, -1, 0));  // a hint that is free
    SHOW(munmap(place + 1, PAGE));
    SHOW(munmap(place, 0));
    SHOW(munmap((void *)-4096L, PAGE));
    SHOW(mprotect(place, 8 * PAGE, PROT_READ));
    puts(access_of(place));
    SHOW(mprotect(place + PAGE, PAGE, PROT_NONE));
    puts(access_of(place + PAGE));
    SHOW(mprotect(place, 2 * PAGE, RW));
    puts(access_of(place + PAGE));
    SHOW(munmap(place + 2 * PAGE, PAGE));
    puts(access_of(place + 2 * PAGE));
    SHOW(mprotect(place, 4 * PAGE, PROT_READ));
    puts(access_of(place + PAGE));
    puts(access_of(place + 3 * PAGE));
    SHOW(mprotect(place + 3, PAGE, PROT_READ));
    SHOW(mprotect(place, PAGE, RW | PROT_GROWSDOWN));
}

static void moves(void) {
    mmap(place, 64 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
    place[0] = 'x';
    SHOW(munmap(place + 8 * PAGE, 8 * PAGE));
    SHOW(mremap(place + 4 * PAGE, 4 * PAGE, 10 * PAGE, 0));
    SHOW(mremap(place + 4 * PAGE, 4 * PAGE, 20 * PAGE, 0));
    SHOW(mremap(place, 2 * PAGE, PAGE, 0));
    puts(access_of(place + PAGE));
    SHOW(mremap(place, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 32 * PAGE));
    printf("%c\n", place[32 * PAGE]);
    puts(access_of(place));
    SHOW(mremap(place + 32 * PAGE, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 33 * PAGE));
    SHOW(mremap(place + 32 * PAGE, PAGE, PAGE, MREMAP_FIXED, place));
    SHOW(mremap(place + 32 * PAGE, PAGE, 0, MREMAP_MAYMOVE));
    SHOW(mremap(place + 1, PAGE, PAGE, MREMAP_MAYMOVE));
    SHOW(mremap(place, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    SHOW(mremap(place + 32 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) != MAP_FAILED);
    printf("%d\n", place[32 * PAGE]);
}

static void advice(void) {
    unsigned char resident[8];
    mmap(place, 64 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
    place[0] = 1;
    SHOW(madvise(place, PAGE, MADV_DONTNEED));
    printf("%d\n", place[0]);
    SHOW(madvise(place + 1, PAGE, MADV_DONTNEED));
    SHOW(madvise(place, PAGE, 4242));
    SHOW(madvise((void *)-8192L, PAGE, MADV_NORMAL));
    SHOW(madvise(place, 0, MADV_NORMAL));
    SHOW(mincore(place, PAGE, resident));
    SHOW(mincore(place, PAGE, (void *)-1L));
    SHOW(mincore(place + 1, PAGE, resident));
    munmap(place + PAGE, PAGE);
    SHOW(mincore(place, 2 * PAGE, resident));
    SHOW(msync(place, PAGE, MS_SYNC));
    SHOW(msync(place, 2 * PAGE, MS_SYNC));
    SHOW(msync(place, PAGE, MS_SYNC | MS_ASYNC));
    SHOW(mlock(place, PAGE));
    SHOW(munlock(place, PAGE));
    SHOW(mlock(place, 2 * PAGE));
    SHOW(mlockall(0));
    SHOW(munlockall());
    SHOW(madvise(place + 4 * PAGE, PAGE, MADV_DONTFORK));
    SHOW(madvise(place + 6 * PAGE, PAGE, MADV_WIPEONFORK));
    place[6 * PAGE] = 9;
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        puts(access_of(place + 4 * PAGE));
        printf("%d\n", place[6 * PAGE]);
        SHOW(mmap(place + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void files(void) {
    int fd = memfd_create("file", 0);
    ftruncate(fd, 2 * PAGE);
    SHOW(mmap(place, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0));
    place[PAGE] = 'y';
    printf("%s\n", access_of(place + 2 * PAGE));  // behind the end of the file: SIGBUS
    char c = 0;
    pread(fd, &c, 1, PAGE);
    printf("%c\n", c);
    char path[64];
    sprintf(path, "/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY);
    SHOW(mmap(place, PAGE, RW, MAP_SHARED | MAP_FIXED, reader, 0));
    SHOW(mmap(place + 8 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, reader, PAGE));
    SHOW(mprotect(place + 8 * PAGE, PAGE, RW));
    SHOW(mmap(place + 9 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, reader, PAGE));
    place[9 * PAGE] = 'z';
    printf("%c %c\n", place[8 * PAGE], place[9 * PAGE]);
    SHOW(mmap(place + 10 * PAGE, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_FIXED, fd, 0));
}

static void segments(void) {
    int id = shmget(IPC_PRIVATE, 2 * PAGE - 9, IPC_CREAT | 0600);
    munmap(place + 16 * PAGE, 16 * PAGE);
    char *at = shmat(id, NULL, 0);
    SHOW(shmat(id, place + 16 * PAGE, 0));
    SHOW(shmat(id, place + 20 * PAGE + 7, 0));
    SHOW(shmat(id, place + 20 * PAGE + 7, SHM_RND | SHM_RDONLY));
    SHOW(shmat(id, place + 17 * PAGE, 0));
    SHOW(shmat(id, place + 17 * PAGE, SHM_REMAP));
    strcpy(at, "shared");
    printf("%s %s\n", place + 17 * PAGE, access_of(place + 20 * PAGE));
    SHOW(shmdt(place + 17 * PAGE));
    puts(access_of(place + 18 * PAGE));
    SHOW(shmdt(place + 17 * PAGE));
    SHOW(shmdt(at));
    SHOW(shmat(-1, NULL, 0));
    shmctl(id, IPC_RMID, NULL);
}

static void others(void) {
    char text[8] = "";
    struct iovec local = {text, 5}, remote = {"hello", 5}, bad = {(void *)8, 4};
    printf("%zd %s\n", process_vm_readv(getpid(), &local, 1, &remote, 1, 0), text);
    show("from nowhere", process_vm_readv(getpid(), &local, 1, &bad, 1, 0));
    show("to nowhere", process_vm_readv(getpid(), &bad, 1, &remote, 1, 0));
    show("flags", process_vm_readv(getpid(), &local, 1, &remote, 1, 1));
    char *end = sbrk(0);
    SHOW(sbrk(100000) == end);
    end[99999] = 1;
    SHOW(sbrk(-50000) != (void *)-1);
    SHOW((char *)sbrk(0) - end == 50000);
    SHOW(brk((void *)8));
}

static char handler_stack[65536];
static int deep(int n);
static int (*volatile deeper)(int) = deep;  // not to be made a loop of
static int deep(int n) {
    volatile char frame[4096];
    memset((char *)frame, n, sizeof frame);
    return n ? deeper(n - 1) + frame[7] : frame[9];
}

// The main stack grows up to the limit of the moment, and faults behind it.
static void stack(void) {
    struct rlimit limit;
    stack_t other = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = 32 << 20;
    SHOW(setrlimit(RLIMIT_STACK, &limit));
    SHOW(deep(7000) != 12345);
    SHOW(sigaltstack(&other, NULL));
    int code = sigsetjmp(back, 1);
    if (!code) deep(20000);
    printf("overflow: %d\n", code);
}

int main(void) {
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    place = mmap(NULL, 64 * PAGE, RW, ANON, -1, 0);
    mappings();
    moves();
    advice();
    files();
    segments();
    others();
    stack();
    return 0;
}
