// A third library, as large as the second and with other code, so that the two can lie at the same place in turn.
#include <stdio.h>

extern int of_program(int) __attribute__((weak));
static __thread int counter = 30;
static __thread char large[3000];
int shared = 3;

__attribute__((constructor)) static void up(void) {
    printf("three up\n");
}
__attribute__((destructor)) static void down(void) {
    printf("three down\n");
}

int three_count(void) {
    large[2999]++;
    return counter++ + large[2999];
}
int of_three(void) {
    return 333;
}
int which(void) {
    return 3;
}
