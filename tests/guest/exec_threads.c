// guest-test: variants=static,dynamic timeout=120
// Ends of processes with many threads: exec from a thread that is not the first, exit in the middle of others, fork and vfork beside
// running threads, signals that kill them all.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static _Atomic long work;
static char self[4096];

static void *spin(void *data) {
    for (;;) work++;
}
static void *sleeps(void *data) {
    for (;;) sleep(100);
}
static void *busy_calls(void *data) {
    for (;;) syscall(SYS_getppid);
}
static void *allocates(void *data) {
    for (;;) free(malloc(rand() % 5000));
}
static void *do_exec(void *data) {
    char *arguments[] = {"exec_threads", "after", data, NULL};
    execve(self, arguments, environ);
    return (void *)(long)errno;
}
static void *do_exit(void *data) {
    exit(12);
}
static void *do_exit_group(void *data) {
    syscall(SYS_exit_group, 13);
    return NULL;
}
static void *do_signal(void *data) {
    raise(SIGTERM);
    return NULL;
}
static void *do_fault(void *data) {
    *(volatile int *)4 = 1;
    return NULL;
}

static void crowd(void) {
    pthread_t thread;
    void *(*kinds[])(void *) = {spin, sleeps, busy_calls, allocates};
    for (int i = 0; i < 8; i++) pthread_create(&thread, NULL, kinds[i % 4], NULL);
    usleep(20000);
}

static void end(const char *what, void *(*function)(void *), void *data) {
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        crowd();
        pthread_create(&thread, NULL, function, data);
        void *result;
        pthread_join(thread, &result);
        printf("came back: %ld\n", (long)result);
        fflush(stdout);
        _exit(99);
    }
    waitpid(pid, &status, 0);
    printf("%s: exit %d signal %d\n", what, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
           WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void *fails(void *data) {
    char *arguments[] = {"x", NULL};
    execve("/no/such/program", arguments, environ);
    printf("exec failed: %s\n", strerror(errno));
    fflush(stdout);
    syscall(SYS_exit_group, 14);
    return NULL;
}

static void many(void) {
    int wrong = 0, spawned = 0;
    for (int i = 0; i < 40; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            free(malloc(100000));
            pthread_t thread;
            pthread_create(&thread, NULL, i % 2 ? do_exit : do_exit_group, NULL);
            pause();
        }
        waitpid(pid, &status, 0);
        wrong += !WIFEXITED(status) || WEXITSTATUS(status) != (i % 2 ? 12 : 13);
        char *arguments[] = {"exec_threads", "quiet", NULL};
        if (posix_spawn(&pid, self, NULL, NULL, arguments, environ) == 0 && waitpid(pid, &status, 0) == pid)
            spawned += WEXITSTATUS(status) == 21;
        pid = vfork();
        if (pid == 0) _exit(i);
        waitpid(pid, &status, 0);
        wrong += WEXITSTATUS(status) != i;
    }
    printf("beside threads: wrong %d, spawned %d\n", wrong, spawned);
}

int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "quiet")) return 21;
    if (argc > 1) {
        printf("executed: %s %s, first thread %d\n", argv[1], argv[2], syscall(SYS_gettid) == getpid());
        return 5;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    readlink("/proc/self/exe", self, sizeof self - 1);
    end("exec from a thread", do_exec, "thread");
    end("failed exec from a thread", fails, NULL);
    end("exit from a thread", do_exit, NULL);
    end("exit_group from a thread", do_exit_group, NULL);
    end("signal from a thread", do_signal, NULL);
    end("fault in a thread", do_fault, NULL);
    crowd();
    many();
    printf("worked %d\n", work > 0);
    fflush(stdout);
    do_exec("main");
    return 1;
}
