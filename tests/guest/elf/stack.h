// What executable_stack.c and protected_stack.c do: to run code on the stack, in data and in mappings.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __riscv
static const uint8_t returns_7[] = {0x13, 0x05, 0x70, 0x00, 0x67, 0x80, 0x00, 0x00};
#else
static const uint8_t returns_7[] = {0xb8, 0x07, 0x00, 0x00, 0x00, 0xc3};
#endif
static sigjmp_buf back;
static int code;

static void handler(int signal, siginfo_t *info, void *context) {
    code = info->si_code;
    siglongjmp(back, signal);
}

static void try(const char *what, void *at) {
    memcpy(at, returns_7, sizeof returns_7);
    __builtin___clear_cache(at, (char *)at + sizeof returns_7);
    int signal = sigsetjmp(back, 1);
    if (signal == 0) printf("%s %d\n", what, ((int (*)(void))at)());
    else printf("%s signal %d code %d\n", what, signal, code);
}

int main(void) {
    uint64_t on_stack[4];
    static uint64_t in_data[512] __attribute__((aligned(4096)));
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    try("stack", on_stack);
    try("data", in_data);
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    try("mapping", map);
    mprotect(map, 4096, PROT_READ | PROT_EXEC | PROT_WRITE);
    try("executable mapping", map);
    return 0;
}
