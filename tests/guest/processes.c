// guest-test: expect=native variants=static,dynamic
// fork, vfork, posix_spawn, exec and their errors, descriptors over exec, waiting, the main thread's exit.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static int status_of(int child) {
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
static void *late(void *data) {
    usleep(100000);
    puts("last thread");
    exit(9);
}
static int clone_main(void *data) {
    *(int *)data = 11;
    _exit(4);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && !strcmp(argv[1], "child")) {
        printf("child %s of %s, X=%s, fd open %d, cloexec open %d, argc %d\n", strrchr(argv[2], '/') ? "PATH" : argv[2],
               strrchr(argv[0], '/') && argv[0][0] == '/' ? "PATH" : argv[0], getenv("X") ? getenv("X") : "none",
               fcntl(20, F_GETFD) >= 0, fcntl(21, F_GETFD) >= 0, argc);
        sigset_t now;
        sigprocmask(SIG_BLOCK, NULL, &now);
        struct sigaction action;
        sigaction(SIGUSR2, NULL, &action);
        printf("mask has USR1 %d, USR2 ignored %d\n", sigismember(&now, SIGUSR1), action.sa_handler == SIG_IGN);
        return 23;
    }
    dup2(1, 20);
    dup3(1, 21, O_CLOEXEC);
    char self[4096] = {0};
    readlink("/proc/self/exe", self, sizeof self - 1);
    char *base = strrchr(self, '/') + 1;
    printf("exe is us %d\n", !strncmp(base, "processes", 9));
    for (int i = 0; i < 100; i++) {
        int child = fork();
        if (!child) _exit(i);
        if (status_of(child) != i) puts("wrong status");
    }
    puts("100 forks");
    static volatile int in_parent = 1;
    int child = vfork();
    if (!child) {
        in_parent = 2;
        _exit(5);
    }
    printf("vfork: shared %d, status %d\n", in_parent, status_of(child));
    child = vfork();
    if (!child) {
        execl("/no/such/program", "x", NULL);
        in_parent = errno;
        _exit(6);
    }
    printf("vfork exec fails: %d, status %d\n", in_parent == ENOENT, status_of(child));
    char *arguments[] = {"renamed", "child", "spawned", NULL}, *environment[] = {"X=1", NULL};
    pid_t pid;
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    signal(SIGUSR2, SIG_IGN);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    int error = posix_spawn(&pid, self, NULL, NULL, arguments, environment);
    printf("spawn %d, status %d\n", error, error ? -1 : status_of(pid));
    error = posix_spawn(&pid, "/no/such", NULL, NULL, arguments, environment);
    printf("spawn of nothing: %s\n", strerror(error));
    error = posix_spawnp(&pid, "surely-no-such-program", NULL, NULL, arguments, environment);
    printf("spawnp of nothing: %s\n", strerror(error));
    error = posix_spawn(&pid, "/etc/passwd", NULL, NULL, arguments, environment);
    printf("spawn of a file: %s\n", strerror(error));
    error = posix_spawn(&pid, "/tmp", NULL, NULL, arguments, environment);
    printf("spawn of a folder: %s\n", strerror(error));
    child = fork();
    if (!child) {
        arguments[2] = "executed";
        execve(self, arguments, environment);
        _exit(1);
    }
    printf("exec: %d\n", status_of(child));
    child = fork();
    if (!child) {
        arguments[2] = "by-proc";
        execve("/proc/self/exe", arguments, environment);
        _exit(1);
    }
    printf("exec /proc/self/exe: %d\n", status_of(child));
    FILE *script = fopen("script.sh", "w");
    fprintf(script, "#!%s child\n", self);
    fclose(script);
    chmod("script.sh", 0755);
    child = fork();
    if (!child) {
        execl("./script.sh", "script", "argument", NULL);
        _exit(1);
    }
    printf("script: %d\n", status_of(child));
    char *null_arguments[] = {NULL};
    error = execve((char *)1, null_arguments, NULL);
    printf("bad pointer: %d %s\n", error, strerror(errno));
    char *stack = malloc(65536);
    int word = 0;
    child = clone(clone_main, stack + 65536, CLONE_VM | SIGCHLD, &word);
    int status = status_of(child);
    printf("clone with memory: status %d, word %d\n", status, word);
    child = clone(clone_main, stack + 65536, CLONE_VM | CLONE_VFORK | SIGCHLD, &word);
    printf("clone with vfork: status %d\n", status_of(child));
    error = clone(clone_main, stack + 65536, CLONE_THREAD, &word);
    printf("clone, bad flags: %d %s\n", error, strerror(errno));
    siginfo_t info = {0};
    child = fork();
    if (!child) _exit(77);
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    printf("waitid code %d status %d\n", info.si_code, info.si_status);
    printf("reap %d\n", status_of(child));
    error = waitpid(-1, NULL, 0);
    printf("no child: %d %s\n", error, strerror(errno));
    for (int i = 0; i < 200; i++)
        if (!(child = fork())) {
            usleep(1000);
            _exit(0);
        }
    int reaped = 0;
    while (wait(NULL) > 0) reaped++;
    printf("reaped %d\n", reaped);
    pid_t group = fork();
    if (!group) {
        setpgid(0, 0);
        _exit(getpgrp() == getpid() ? 0 : 1);
    }
    printf("group %d\n", status_of(group));
    fflush(stdout);
    pthread_t thread;
    pthread_create(&thread, NULL, late, NULL);
    pthread_exit(NULL);
}
