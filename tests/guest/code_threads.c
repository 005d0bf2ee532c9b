// guest-test: variants=static
// Code that changes while several threads and processes run it: other threads call through a pointer to code written anew, jump between pages
// that are replaced, run code whose page is unmapped, and find it in a child.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emit.h"

static _Atomic int stop, turn;
static sigjmp_buf back;
static _Atomic(function *) current;
static _Atomic long calls, wrong;

// Writes a jump to `target`, less than 1 MB away.
static void emit_jump(void *at, void *target) {
    int32_t distance = (int32_t)((char *)target - (char *)at);
#ifdef __riscv
    uint32_t code[] = {(distance >> 20 & 1) << 31 | (distance >> 1 & 0x3ff) << 21 | (distance >> 11 & 1) << 20 |
                       (distance >> 12 & 0xff) << 12 | 0x6f};
    memcpy(at, code, sizeof code);
#else
    distance -= 5;
    uint8_t code[] = {0xe9, distance, distance >> 8, distance >> 16, distance >> 24};
    memcpy(at, code, sizeof code);
#endif
    __builtin___clear_cache(at, (char *)at + 8);
}

static void *new_page(void *at) {
    return mmap(at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
}

static void *caller(void *data) {
    while (!stop) {
        int value = current();
        calls++;
        if (value % 7 != 0) wrong++;
    }
    return NULL;
}

// Versions live in slots of their own, as a JIT's do; the pointer changes, the slots are used again after all have moved on.
static void published(void) {
    char *pages = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t thread[3];
    current = emit(pages, 0);
    for (int i = 0; i < 3; i++) pthread_create(&thread[i], NULL, caller, NULL);
    for (int i = 1; i < 3000; i++) {
        current = emit(pages + i % 1024 * 64 * 4, 7 * i);
        if (i % 300 == 0) usleep(1000);
    }
    while (calls < 3000) usleep(1000);
    stop = 1;
    for (int i = 0; i < 3; i++) pthread_join(thread[i], NULL);
    printf("published: wrong %ld last %d\n", (long)wrong, current());
}

static void chained(void) {
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long sum = 0;
    for (int i = 0; i < 300; i++) {
        emit_jump(pages, pages + 4096 + i % 5 * 16);
        emit(pages + 4096 + i % 5 * 16, i);
        for (int k = 0; k < 100; k++) sum += ((function *)pages)();
        if (i % 3 == 0) new_page(pages + 4096);  // what the jump leads to is another page now
        if (i % 3 == 1) munmap(pages + 4096, 4096), new_page(pages + 4096);
        if (i % 7 == 0) mremap(new_page(NULL), 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, pages + 4096);
    }
    printf("chained: %ld\n", sum);
    // A function over the end of a page whose second half changes.
    for (int i = 0, half = 0; i < 50; i++) {
        emit(pages + 4092, 1000 + i);
        half += ((function *)(pages + 4092))();
        if (i == 49) printf("crossing: %d\n", half);
    }
}

static void handler(int signal, siginfo_t *info, void *context) {
    siglongjmp(back, info->si_code);
}

static void gone(void) {
    sigaction(SIGSEGV, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, NULL);
    char *page = new_page(NULL);
    function *f = emit(page, 5);
    int count = 0, codes = 0;
    for (int i = 0; i < 100; i++) {
        count += f();
        if (i % 2) munmap(page, 4096);
        else mprotect(page, 4096, PROT_READ | PROT_WRITE);
        int code = sigsetjmp(back, 1);
        if (code == 0) f(), printf("ran without permission\n");
        codes += code;
        if (i % 2) new_page(page), emit(page, 5);
        else mprotect(page, 4096, PROT_READ | PROT_EXEC | PROT_WRITE);
    }
    printf("gone: %d %d\n", count, codes);
}

static void in_children(void) {
    char *page = new_page(NULL);
    char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    function *own = emit(page, 40), *common = emit(shared, 50);
    int status, sum = own() + common();
    for (int i = 0; i < 10; i++) {
        if (fork() == 0) {
            int before = own();
            emit(page, 60 + i);
            emit(shared, 70 + i);
            _exit(before == 40 && own() == 60 + i && common() == 70 + i ? 3 : 4);
        }
        wait(&status);
        __builtin___clear_cache(shared, shared + 64);  // another process wrote here
        sum += WEXITSTATUS(status) + own() + common();
    }
    printf("children: %d\n", sum);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    published();
    chained();
    gone();
    in_children();
    return 0;
}
