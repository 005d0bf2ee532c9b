// A second library for dlopen.c, which the others can see.
#include <stdio.h>

extern int of_program(int) __attribute__((weak));
static __thread int counter = 20;
static __thread char large[3000];
int shared = 2;

__attribute__((constructor)) static void up(void) {
    printf("two up\n");
}
__attribute__((destructor)) static void down(void) {
    printf("two down\n");
}

int two_count(void) {
    large[2999]++;
    return counter++ + large[2999];
}
int of_two(void) {
    return 222;
}
int which(void) {
    return 2;
}
