// guest-test:
// Code that goes from one piece to another so often that the way between them becomes a direct one, while either piece is written anew or goes away.
#include "emit.h"
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

enum { PAGE = 4096, PASSES = 5000, ROUNDS = 30, PIECES = 12 };

static char *pages;
static sigjmp_buf back;

// Writes a jump to `to`.
static function *emit_jump(char *at, const char *to) {
#ifdef __riscv
    uint32_t far = (uint32_t)(to - at),
             bits = (far >> 20 & 1) << 31 | (far >> 1 & 0x3ff) << 21 | (far >> 11 & 1) << 20 | (far >> 12 & 0xff) << 12;
    uint32_t code = bits | 0x6f;
#else
    struct __attribute__((packed)) {
        uint8_t opcode;
        int32_t distance;
    } code = {0xe9, (int32_t)(to - at - 5)};
#endif
    memcpy(at, &code, sizeof code);
    __builtin___clear_cache(at, at + sizeof code);
    return (function *)at;
}

static long call_often(function *f) {
    long sum = 0;
    for (int i = 0; i < PASSES; i++) sum += f();
    return sum / PASSES;
}

static void *map(char *at, size_t size) {
    return mmap(at, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
}

// What a jump leads to changes, and is often run by itself first.
static void change_targets(void) {
    long wrong = 0;
    for (int i = 1; i <= ROUNDS; i++) {
        function *target = emit(pages + PAGE, i), *jump = emit_jump(pages, pages + PAGE);
        wrong += call_often(target) != i;
        wrong += call_often(jump) != i;
        emit(pages + PAGE, -i);
        wrong += jump() != -i;
        wrong += call_often(jump) != -i;
    }
    printf("targets that change: %ld wrong\n", wrong);
}

static void change_jumps(void) {
    long wrong = 0;
    for (int i = 0; i < PIECES; i++) call_often(emit(pages + PAGE + 64 * i, i));
    for (int i = 0; i < ROUNDS; i++) {
        function *jump = emit_jump(pages + 128, pages + PAGE + 64 * (i % PIECES));
        wrong += call_often(jump) != i % PIECES;
    }
    printf("jumps that change: %ld wrong\n", wrong);
}

// Many lead to one, which is written anew.
static void change_common_target(void) {
    function *jump[PIECES];
    long wrong = 0;
    for (int i = 0; i < PIECES; i++) jump[i] = emit_jump(pages + 1024 + 64 * i, pages + PAGE + 2048);
    for (int round = 1; round <= ROUNDS; round++) {
        call_often(emit(pages + PAGE + 2048, round));
        for (int i = 0; i < PIECES; i++) wrong += call_often(jump[i]) != round;
    }
    printf("a common target that changes: %ld wrong\n", wrong);
}

static void handler(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    siglongjmp(back, (char *)info->si_addr == pages + PAGE ? 1 : 2);
}

static void unmap_targets(void) {
    volatile long wrong = 0;
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    for (volatile int i = 1; i <= ROUNDS; i++) {
        map(pages + PAGE, PAGE);
        function *jump = emit_jump(pages, pages + PAGE);
        call_often(emit(pages + PAGE, i));
        wrong += call_often(jump) != i;
        if (i % 2) munmap(pages + PAGE, PAGE);
        else mprotect(pages + PAGE, PAGE, PROT_READ);
        int fault = sigsetjmp(back, 1);
        if (!fault) wrong += 1 + 0 * jump();
        else wrong += fault != 1;
    }
    printf("targets that go away: %ld wrong\n", wrong);
}

int main(void) {
    pages = map(NULL, 2 * PAGE);
    change_targets();
    change_jumps();
    change_common_target();
    unmap_targets();
    return 0;
}
