// Runs one command and reports what it took: wall-clock, processor time, peak memory, exit status. A program of its own because peak
// memory as the kernel counts it includes what the process was before exec: started from Python, nothing could be below 10 MB.
//
// timer REPORT SECONDS COMMAND [ARGUMENT…]: one line of JSON into REPORT; kills the command's process group after SECONDS. Exit status 0
// if the command could be started.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;
static volatile sig_atomic_t late;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void on_alarm(int signal) {
    (void)signal;
    late = 1;
    kill(-child, SIGKILL);
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int report(const char *path, double wall, int status, const struct rusage *usage) {
    FILE *file = fopen(path, "w");
    if (!file) return -1;
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    fprintf(file, "{\"wall\": %.6f, \"user\": %.6f, \"system\": %.6f, \"peak_kb\": %ld, \"status\": %d, \"late\": %s}\n", wall,
            seconds(usage->ru_utime), seconds(usage->ru_stime), usage->ru_maxrss, code, late ? "true" : "false");
    return fclose(file);
}

int main(int argc, char *argv[]) {
    if (argc < 4) {
        fprintf(stderr, "usage: timer REPORT SECONDS COMMAND [ARGUMENT…]\n");
        return 2;
    }
    signal(SIGALRM, on_alarm);
    double begin = now();
    child = vfork();
    if (child == 0) {
        setpgid(0, 0);
        execv(argv[3], argv + 3);
        _exit(127);
    }
    if (child < 0) {
        fprintf(stderr, "timer: cannot start %s: %s\n", argv[3], strerror(errno));
        return 1;
    }
    alarm((unsigned)atoi(argv[2]));
    int status;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) continue;
    double wall = now() - begin;
    if (report(argv[1], wall, status, &usage) < 0) {
        fprintf(stderr, "timer: cannot write %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    return 0;
}
