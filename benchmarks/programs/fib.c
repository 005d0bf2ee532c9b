// Calls and returns: the naive Fibonacci function, several times over. gcc at -O1 makes of it what the source says, two calls each time; at -O2 it is
// inlined into itself many times over, and what is left are functions of a hundred instructions that need more registers than there are.
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
