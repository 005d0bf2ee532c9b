// Calls and returns: the naive Fibonacci function, several times over.
//
// fib [N [TIMES]]
#include <stdio.h>
#include <stdlib.h>

static unsigned long fib(unsigned n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char *argv[]) {
    unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 35, times = argc > 2 ? (unsigned)atoi(argv[2]) : 5;
    unsigned long sum = 0;
    for (unsigned i = 0; i < times; i++) {
        __asm__ volatile("" : "+r"(n));  // the compiler may not know that the calls are all alike
        sum += fib(n);
    }
    printf("fib(%u) %u times: %lu\n", n, times, sum);
    return 0;
}
