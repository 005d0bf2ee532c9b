// guest-test: variants=static,static-pie,dynamic args=one,two
// What runs before and behind main, in its order; weak symbols; the arguments that constructors get; exits of several kinds.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern int nowhere(void) __attribute__((weak));
extern char nothing __attribute__((weak));
__attribute__((weak)) int replaced(void) {
    return 1;
}
int strong(void) __attribute__((alias("original")));
int original(void) {
    return 42;
}
static int order;

__attribute__((constructor(101))) static void first(void) {
    printf("first %d\n", order++);
}
__attribute__((constructor(200))) static void second(void) {
    printf("second %d\n", order++);
}
__attribute__((constructor)) static void plain(int argc, char **argv, char **envp) {
    printf("plain %d %d %s %d\n", order++, argc, argv[1], envp[0] != NULL);
}
__attribute__((destructor)) static void behind(void) {
    printf("destructor %d\n", order++);
}
__attribute__((destructor(101))) static void last(void) {
    printf("last destructor %d\n", order++);
}
static void early(int argc, char **argv, char **envp) {
    order += argc == 3 && argv[argc] == NULL && envp != NULL ? 100 : 0;
}
__attribute__((section(".preinit_array"), used)) static void (*const before)(int, char **, char **) = early;
static void at_exit_one(void) {
    printf("atexit one %d\n", order++);
}
static void at_exit_two(void) {
    printf("atexit two %d\n", order++);
    atexit(at_exit_one);
}

static int child(int kind) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (kind == 0) exit(3);
        if (kind == 1) _exit(4);
        if (kind == 2) quick_exit(5);
        abort();
    }
    int status;
    waitpid(pid, &status, 0);
    printf("child %d: %d %d\n", kind, WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    return status;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("main %d %s %s\n", argc, argv[1], argv[2]);
    printf("weak %d %d %d %d\n", nowhere != NULL, &nothing != NULL, replaced(), strong());
    atexit(at_exit_one);
    atexit(at_exit_two);
    for (int kind = 0; kind < 4; kind++) child(kind);
    return 7;
}
