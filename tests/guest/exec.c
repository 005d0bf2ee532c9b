// guest-test: expect=native variants=static,dynamic
// execve(2) and execveat(2): by descriptor, scripts, every refusal, threads that are left behind, and a storm of signals around it.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
static char self[4096];
static char *arguments[] = {"name", "child", "one", NULL}, *environment[] = {"X=1", NULL};
static int run(int dirfd, const char *path, int flags) {
    fflush(stdout);
    int child = fork(), status;
    if (!child) {
        syscall(SYS_execveat, dirfd, path, arguments, environment, flags);
        _exit(errno);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
static void show(const char *what, int result) {
    printf("%s: %s\n", what, result == 200 ? "runs" : result < 0 ? "dies" : strerror(result));
}
static void put(const char *name, const char *text, int mode) {
    unlink(name);
    int fd = open(name, O_WRONLY | O_CREAT, 0700);
    write(fd, text, strlen(text));
    close(fd);
    chmod(name, mode);
}

static void descriptors(void) {
    int kept = open(self, O_RDONLY), closed = open(self, O_RDONLY | O_CLOEXEC), path = open(self, O_PATH | O_CLOEXEC),
        here = open(".", O_RDONLY | O_CLOEXEC);
    show("descriptor", run(kept, "", AT_EMPTY_PATH));
    show("close-on-exec", run(closed, "", AT_EMPTY_PATH));
    show("path only", run(path, "", AT_EMPTY_PATH));
    int memory = memfd_create("program", MFD_CLOEXEC), from = open(self, O_RDONLY);
    char block[65536];
    for (long n; (n = read(from, block, sizeof block)) > 0;) write(memory, block, n);
    char by_descriptor[40];
    snprintf(by_descriptor, sizeof by_descriptor, "/proc/self/fd/%d", memory);
    int reader = open(by_descriptor, O_RDONLY | O_CLOEXEC);
    close(memory);
    show("memfd", run(reader, "", AT_EMPTY_PATH));
    put("deleted", "", 0700);
    int deleted = open("deleted", O_WRONLY), again = open("deleted", O_RDONLY | O_CLOEXEC);
    lseek(from, 0, SEEK_SET);
    for (long n; (n = read(from, block, sizeof block)) > 0;) write(deleted, block, n);
    close(deleted);
    unlink("deleted");
    show("deleted file", run(again, "", AT_EMPTY_PATH));
    unlink("a-link");
    symlink(self, "a-link");
    show("in a folder", run(here, "a-link", 0));
    show("link not followed", run(here, "a-link", AT_SYMLINK_NOFOLLOW));
    show("folder itself", run(here, "", AT_EMPTY_PATH));
    show("in a file", run(closed, "x", 0));
    show("no such descriptor", run(999, "x", 0));
    show("nor this", run(999, "", AT_EMPTY_PATH));
    show("empty path", run(AT_FDCWD, "", 0));
    show("flags", run(AT_FDCWD, self, 0x4));
    show("absolute beside a bad descriptor", run(999, self, 0));
}

static void refusals(void) {
    static char long_name[5000], long_part[300];
    memset(long_name, 'x', sizeof long_name - 1);
    memset(long_part, 'y', sizeof long_part - 1);
    put("plain", "text\n", 0600);
    put("no-magic", "text\n", 0700);
    put("empty", "", 0700);
    put("short-elf", "\177ELF", 0700);
    put("lost-script", "#!/no/such/interpreter\n", 0700);
    put("bad-script", "#!\n", 0700);
    put("script-of-text", "#!./plain\n", 0700);
    unlink("loop");
    symlink("loop", "loop");
    const char *names[] = {"/no/such",       "plain", "no-magic", "empty",     "short-elf", "lost-script", "bad-script",
                           "script-of-text", "loop",  "plain/x",  "/dev/null", long_name,   long_part};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        char name[20];
        snprintf(name, sizeof name, "%.15s", names[i]);
        show(name, run(AT_FDCWD, names[i], 0));
    }
    char *big = malloc(200000), *list[] = {big, NULL};
    memset(big, 'z', 199999);
    big[199999] = 0;
    execve(self, list, environment);
    printf("argument too large: %s\n", strerror(errno));
    execve(self, (char **)1, environment);
    printf("bad arguments: %s\n", strerror(errno));
    char *bad[] = {"x", (char *)8, NULL};
    execve(self, arguments, bad);
    printf("bad environment: %s\n", strerror(errno));
}

static void scripts(void) {
    char text[5000];
    snprintf(text, sizeof text, "#! %s  child two words  \n", self);
    put("script", text, 0700);
    show("script", run(AT_FDCWD, "./script", 0));
    put("second", "#!./script\n", 0700);
    show("script of a script", run(AT_FDCWD, "second", 0));
    put("round", "#!./round\n", 0700);
    show("script of itself", run(AT_FDCWD, "round", 0));
}

static void *forever(void *data) {
    for (;;) pause();
}
static void *executes(void *data) {
    execve(self, arguments, environment);
    return NULL;
}
static void threads(void) {
    fflush(stdout);
    int child = fork(), status;
    if (!child) {
        pthread_t thread;
        for (int i = 0; i < 4; i++) pthread_create(&thread, NULL, forever, NULL);
        pthread_create(&thread, NULL, executes, NULL);
        pause();
    }
    waitpid(child, &status, 0);
    printf("executed by a thread: %d\n", WEXITSTATUS(status));
}

static volatile int handled;
static void note(int signal) {
    handled++;
}
static void storm(void) {
    struct itimerval often = {{0, 300}, {0, 300}}, off = {0};
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    int failed = 0, good = 0;
    for (int i = 0; i < 60; i++) {
        pid_t pid;
        int status = -1, error;
        if (i % 2) {
            error = posix_spawn(&pid, i % 4 == 1 ? self : "/no/such", NULL, NULL, (char *[]){"name", "silent", NULL}, environment);
            failed += error == ENOENT;
            if (error) continue;
        } else if (!(pid = fork())) {
            sigset_t set;
            sigfillset(&set);
            sigprocmask(SIG_BLOCK, &set, NULL);
            raise(SIGUSR1);
            execve(self, (char *[]){"name", "pending", NULL}, environment);
            _exit(1);
        }
        waitpid(pid, &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 201;
    }
    setitimer(ITIMER_REAL, &off, NULL);
    printf("in a storm: %d good, %d refused\n", good, failed);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    readlink("/proc/self/exe", self, sizeof self - 1);
    if (argc > 1 && !strcmp(argv[1], "silent")) return 201;
    if (argc > 1 && !strcmp(argv[1], "pending")) {
        sigset_t pending;
        sigpending(&pending);
        return sigismember(&pending, SIGUSR1) ? 201 : 1;
    }
    if (argc > 1 && !strncmp(argv[1], "child", 5)) {
        printf("child:");
        for (int i = 1; i < argc; i++) printf(" %s", argv[i]);
        printf(", X %s, name %s, threads' descriptors %d\n", getenv("X"), strcmp(argv[0], self) ? argv[0] : "path",
               fcntl(100, F_GETFD) >= 0);
        return 200;
    }
    descriptors();
    refusals();
    scripts();
    threads();
    storm();
    return 0;
}
