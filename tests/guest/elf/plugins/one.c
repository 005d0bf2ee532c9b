// A library that the test dlopen.c opens: it counts how often it was set up, has thread-local data, and sees the program's symbols.
#include <stdio.h>

extern int of_program(int) __attribute__((weak));
extern int of_two(void) __attribute__((weak));
static __thread int counter = 10;
static __thread char large[3000];
int shared = 1;

__attribute__((constructor)) static void up(void) {
    printf("one up\n");
}
__attribute__((destructor)) static void down(void) {
    printf("one down\n");
}

int one_count(void) {
    large[2999]++;
    return counter++ + large[2999];
}
int one_program(void) {
    return of_program ? of_program(5) : -1;
}
int one_two(void) {
    return of_two ? of_two() : -1;
}
int one_shared(void) {
    return shared;
}
int which(void) {
    return 1;
}
