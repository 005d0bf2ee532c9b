// For check_cache.py: comes once to hundreds of blocks and to no loop that is worth better code, naps for a third of a second, and then waits for good, or ends where it
// has arguments. Without a C library, in which there are such loops.
#include <stddef.h>
#include <stdint.h>

enum { WRITE = 64, EXIT = 93, NANOSLEEP = 101, NAPS = 15, NAP = 20000000 };

static long call(long number, long a, const void *b, long c) {
    register long a7 __asm__("a7") = number, a0 __asm__("a0") = a, a1 __asm__("a1") = (long)b, a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
}

static void nap(int64_t seconds, int64_t nanoseconds) {
    const int64_t time[2] = {seconds, nanoseconds};
    call(NANOSLEEP, (long)time, NULL, 0);
}

static volatile unsigned number = 12345;

#define ONCE                     \
    if (number % 3) number += 7; \
    else number /= 2;
#define TEN ONCE ONCE ONCE ONCE ONCE ONCE ONCE ONCE ONCE ONCE

static void come_to_blocks(void) {
    TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
}

__attribute__((used)) void begin(const long *stack) {
    come_to_blocks();
    for (int i = 0; i < NAPS; i++) nap(0, NAP);
    const char text[2] = {(char)('a' + number % 26), '\n'};
    call(WRITE, 1, text, sizeof text);
    if (stack[0] == 1) nap(1000, 0);
    call(EXIT, 0, NULL, 0);
}

__asm__(".global _start\n_start: mv a0, sp\n\ttail begin");
