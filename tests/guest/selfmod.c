// guest-test: expect=file arch=riscv64 variants=static
// Code written at run time: with the cache flushed through the C library, with fence.i, at an address mapped anew, through a second mapping, and called
// before and after protection changes.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int function(void);
static void emit(uint32_t *at, int value) {
    at[0] = (uint32_t)value << 20 | 10 << 7 | 0x13;  // li a0, value
    at[1] = 0x00008067;  // ret
}

int main(void) {
    uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long sum = 0;
    for (int i = 0; i < 1000; i++) {
        emit(code, i);
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        sum += ((function *)code)();
    }
    printf("clear_cache %ld\n", sum);
    for (int i = 0; i < 100; i++) {
        emit(code + 16, i);
        __asm__ volatile("fence.i" ::: "memory");
        sum += ((function *)(code + 16))();
    }
    printf("fence.i %ld\n", sum);
    for (int i = 0; i < 100; i++) {
        mprotect(code, 4096, PROT_READ | PROT_WRITE);
        emit(code, i);
        mprotect(code, 4096, PROT_READ | PROT_EXEC);
        sum += ((function *)code)();
    }
    printf("mprotect %ld\n", sum);
    for (int i = 0; i < 100; i++) {
        munmap(code, 4096);
        mmap(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        emit(code, 2 * i);
        sum += ((function *)code)();
    }
    printf("mmap %ld\n", sum);
    int fd = memfd_create("code", 0);
    ftruncate(fd, 4096);
    uint32_t *write_side = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t *run_side = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    for (int i = 0; i < 100; i++) {
        emit(write_side, 3 * i);
        __builtin___clear_cache((char *)run_side, (char *)(run_side + 2));
        sum += ((function *)run_side)();
    }
    printf("two mappings %ld\n", sum);
    return 0;
}
