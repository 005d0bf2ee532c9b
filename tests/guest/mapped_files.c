// guest-test: variants=static
// Mapped files: shared and private, between processes, at their end, made shorter under a mapping, code in them, over fork.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int code;
static void *volatile address;
static void handler(int signal, siginfo_t *info, void *context) {
    code = info->si_code, address = info->si_addr;
    siglongjmp(back, signal);
}
static int touch(volatile char *at) {
    int signal = sigsetjmp(back, 1);
    return signal ? signal * 100 + code * 10 + (address == at) : *at;
}
static void child_does(void (*function)(char *), char *at) {
    int status;
    fflush(stdout);
    if (fork() == 0) function(at), _exit(0);
    wait(&status);
}
static void write_c(char *at) {
    at[10] = 'c';
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigaction(SIGBUS, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, NULL);
    sigaction(SIGSEGV, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, NULL);
    int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char block[10000];
    memset(block, 'a', sizeof block);
    write(fd, block, sizeof block);
    char *shared = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
         *private = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    shared[0] = 'b';
    printf("%c %c end %d beyond %d\n", shared[0], private[0], shared[10001], touch(shared + 12288));
    private[1] = 'p';
    char byte;
    pread(fd, &byte, 1, 1);
    printf("private %c file %c\n", private[1], byte);
    pwrite(fd, "w", 1, 2);
    printf("written %c %c\n", shared[2], private[2]);
    child_does(write_c, shared);
    child_does(write_c, private);
    printf("by child %c %c\n", shared[10], private[10]);
    printf("msync %d %d\n", msync(shared, 16384, MS_SYNC), msync(shared + 1, 10, MS_SYNC) < 0 ? errno == EINVAL : 0);
    ftruncate(fd, 4096);
    printf("shorter %d %d %d\n", touch(shared), touch(shared + 4096), touch(private + 8192));
    ftruncate(fd, 16384);
    printf("longer %d %d\n", touch(shared + 4096), touch(private + 12288));
    int only = open("mapped", O_RDONLY);
    printf("read-only: %d %d %d\n",
           mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, only, 0) == MAP_FAILED ? errno == EACCES : 0,
           mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, only, 0) != MAP_FAILED,
           mmap(NULL, 4096, PROT_READ, MAP_SHARED, -1, 0) == MAP_FAILED ? errno == EBADF : 0);
    char *view = mmap(NULL, 4096, PROT_READ, MAP_SHARED, only, 0);
    printf("make it writable %d, write %d\n", mprotect(view, 4096, PROT_READ | PROT_WRITE) < 0 ? errno == EACCES : 0,
           touch(view) == 'b');
    printf("odd offset %d, no length %d, large %d\n",
           mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 100) == MAP_FAILED ? errno == EINVAL : 0,
           mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? errno == EINVAL : 0,
           mmap(NULL, 1ul << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno == ENOMEM : 0);
    char *anonymous = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
         *own = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    child_does(write_c, anonymous), child_does(write_c, own);
    printf("anonymous %d %d\n", anonymous[10], own[10]);
    memset(own, 1, 1 << 20);
    printf("dontneed %d %d", madvise(own, 8192, MADV_DONTNEED), own[0] + own[8192]);
    madvise(own + 8192, 4096, MADV_WIPEONFORK), madvise(own + 12288, 4096, MADV_DONTFORK);
    fflush(stdout);
    int status;
    if (fork() == 0) _exit(own[8192] * 10 + (touch(own + 12288) > 1000));
    wait(&status);
    printf(" wiped and left out %d\n", WEXITSTATUS(status));
    int id = shmget(IPC_PRIVATE, 10000, 0600);
    char *one = shmat(id, NULL, 0), *two = shmat(id, NULL, SHM_RDONLY);
    one[5] = 9;
    printf("shm %d, read-only %d\n", two[5], sigsetjmp(back, 1) ? code : (two[5] = 1, 0));
    struct shmid_ds info;
    shmctl(id, IPC_STAT, &info);
    printf("size %zu attached %lu detach %d again %d\n", info.shm_segsz, (unsigned long)info.shm_nattch, shmdt(one),
           shmdt(one) < 0 ? errno == EINVAL : 0);
    shmctl(id, IPC_RMID, NULL);
    int memory = memfd_create("sealed", MFD_ALLOW_SEALING);
    ftruncate(memory, 4096);
    printf("seals %d write %d map %d\n", fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE), write(memory, "x", 1) < 0 ? errno == EPERM : 0,
           mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0) == MAP_FAILED ? errno == EPERM : 0);
    char *grown = mremap(shared, 16384, 32768, MREMAP_MAYMOVE);
    printf("remapped %c, old size 0: ", grown[0]);
    char *copy = mremap(grown, 0, 4096, MREMAP_MAYMOVE);
    copy[3] = 'z';
    printf("%c\n", grown[3]);
    for (int i = 0; i < 2000; i++) {  // many small ones, every second taken out again
        char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        at[0] = 1;
        if (i % 2) munmap(at, 4096);
        else mprotect(at + 4096, 4096, PROT_READ);
    }
    puts("many");
    return 0;
}
