// guest-test: expect=native
// What a program finds about itself in /proc: each line says whether it is true.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;
static char buffer[1 << 20];

static void check(const char *what, int holds) {
    printf("%s: %s\n", what, holds ? "yes" : "no");
}

static long slurp(const char *path) {
    int fd = open(path, O_RDONLY);
    long size = 0, got;
    if (fd < 0) return -1;
    while ((got = read(fd, buffer + size, sizeof buffer - 1 - (size_t)size)) > 0) size += got;
    close(fd);
    buffer[size] = 0;
    return size;
}

// The line of maps that holds `address`: permissions and name.
static int find_mapping(const char *path, const void *address, char perms[5], char *name) {
    slurp(path);
    for (char *line = strtok(buffer, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned long start, end;
        name[0] = 0;
        if (sscanf(line, "%lx-%lx %4s %*x %*s %*u %255s", &start, &end, perms, name) < 3) continue;
        if (start <= (unsigned long)address && (unsigned long)address < end) return 1;
    }
    return 0;
}

static int has(const char *path, const void *address, const char *perms, const char *name) {
    char found_perms[5], found_name[256];
    return find_mapping(path, address, found_perms, found_name) && !strcmp(found_perms, perms) && strstr(found_name, name) != NULL;
}

static void maps(const char *base) {
    char *heap = malloc(100);
    int local;
    check("code", has("/proc/self/maps", (void *)slurp, "r-xp", base));
    check("data", has("/proc/self/maps", buffer, "rw-p", ""));
    check("stack", has("/proc/self/maps", &local, "rw-p", "[stack]"));
    check("heap", has("/proc/self/maps", heap, "rw-p", "[heap]"));
    check("vdso", has("/proc/self/maps", (void *)getauxval(AT_SYSINFO_EHDR), "r-xp", "[vdso]"));
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + 4096, 4096, PROT_READ | PROT_EXEC);
    check("executable", has("/proc/self/maps", pages + 4096, "r-xp", ""));
    check("before it", has("/proc/thread-self/maps", pages, "rw-p", ""));
    mprotect(pages + 4096, 4096, PROT_NONE);
    check("nothing", has("/proc/self/smaps", pages + 4096, "---p", ""));
    char path[64];
    sprintf(path, "/proc/%d/task/%d/maps", getpid(), getpid());
    check("by task", has(path, (void *)slurp, "r-xp", base));
    munmap(pages, 3 * 4096);
    check("gone", !has(path, pages, "rw-p", ""));
    // nothing lies above the stack but what the kernel puts there
    slurp("/proc/self/maps");
    int runner = strstr(buffer, "ferry") && !strstr(base, "ferry");
    check("nobody else", !runner);
}

static void descriptors(void) {
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), again = open("/proc/self/maps", O_RDONLY);
    check("close on exec", fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(again, F_GETFD) == 0);
    check("lowest", again == fd + 1);
    check("read only", write(fd, "x", 1) == -1 && errno == EBADF);
    char link[64], target[256], wanted[64];
    sprintf(link, "/proc/self/fd/%d", fd);
    long size = readlink(link, target, sizeof target - 1);
    target[size > 0 ? size : 0] = 0;
    sprintf(wanted, "/proc/%d/maps", getpid());
    check("its name", !strcmp(target, wanted));
    close(fd);
    close(again);
    check("no directory", open("/proc/self/maps", O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR);
    int directory = open("/proc/self", O_RDONLY | O_DIRECTORY);
    fd = openat(directory, "cmdline", O_RDONLY);
    check("relative", read(fd, buffer, 1) == 1);
    size = readlinkat(directory, "exe", target, sizeof target);
    check("relative link",
          size > 0 && size == readlink("/proc/self/exe", buffer, sizeof buffer) && !memcmp(target, buffer, (size_t)size));
}

static void identity(int argc, char **argv, const char *base) {
    char exe[PATH_MAX];
    long size = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[size] = 0;
    check("exe", exe[0] == '/' && !strcmp(strrchr(exe, '/') + 1, base));
    struct stat by_link, by_name;
    check("exe is the file", !stat("/proc/self/exe", &by_link) && !stat(exe, &by_name) && by_link.st_ino == by_name.st_ino);
    int fd = open("/proc/self/exe", O_RDONLY);
    Elf64_Ehdr header;
    read(fd, &header, sizeof header);
    check("exe opens", header.e_entry && header.e_phnum == getauxval(AT_PHNUM));
    check("readlink is cut", readlink("/proc/self/exe", buffer, 3) == 3);
    size = slurp("/proc/self/cmdline");
    long at = 0;
    int same = 1;
    for (int i = 0; i < argc; i++) same &= !strcmp(buffer + at, argv[i]), at += (long)strlen(argv[i]) + 1;
    check("cmdline", same && at == size);
    size = slurp("/proc/self/environ");
    check("environ", !environ[0] || !strcmp(buffer, environ[0]));
    size = slurp("/proc/self/auxv");
    Elf64_auxv_t *auxv = (Elf64_auxv_t *)buffer;
    unsigned long entry = 0, random = 0;
    for (; auxv->a_type; auxv++) {
        if (auxv->a_type == AT_ENTRY) entry = auxv->a_un.a_val;
        if (auxv->a_type == AT_RANDOM) random = auxv->a_un.a_val;
    }
    check("auxv", entry == getauxval(AT_ENTRY) && random == getauxval(AT_RANDOM));
    slurp("/proc/self/comm");
    check("comm", !strncmp(buffer, base, 15 < strlen(base) ? 15 : strlen(base)));
}

static void handler(int signal) {
    (void)signal;
}

static unsigned long long status_of(const char *label) {
    slurp("/proc/self/status");
    char *line = strstr(buffer, label);
    return line ? strtoull(line + strlen(label), NULL, 16) : ~0ULL;
}

static void *in_thread(void *unused) {
    char path[64], name[16] = "";
    sprintf(path, "/proc/self/task/%ld/comm", syscall(SYS_gettid));
    prctl(PR_SET_NAME, "worker");
    slurp(path);
    memcpy(name, buffer, 6);
    check("thread's name", !strcmp(name, "worker"));
    sprintf(path, "/proc/%ld/exe", syscall(SYS_gettid));
    check("thread's exe", readlink(path, buffer, 100) == readlink("/proc/self/exe", buffer, 100));
    return unused;
}

static void figures(void) {
    int local;
    slurp("/proc/self/stat");
    char *at = strrchr(buffer, ')');
    unsigned long field[60] = {0};
    strtok(at, " ");
    for (int i = 3; i < 53; i++) {
        char *text = strtok(NULL, " ");
        field[i] = text ? strtoul(text, NULL, 10) : 0;
    }
    check("code in stat", field[26] <= (unsigned long)slurp && (unsigned long)slurp < field[27]);
    check("stack in stat", field[28] > (unsigned long)&local && field[28] < (unsigned long)&local + (1 << 20));
    check("break in stat", field[47] && field[47] <= (unsigned long)sbrk(0));
    check("size in stat", field[23] >= 4096);
    check("pid in stat", atoi((slurp("/proc/self/stat"), buffer)) == getpid());
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    check("caught", status_of("SigCgt:") == 1ULL << (SIGUSR1 - 1));
    check("ignored", status_of("SigIgn:") & 1ULL << (SIGUSR2 - 1));
    check("blocked", status_of("SigBlk:") == 1ULL << (SIGHUP - 1));
    slurp("/proc/cpuinfo");
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    int count = 0;
    for (at = buffer; (at = strstr(at, "processor\t:")); at++) count++;
    check("processors", count == CPU_COUNT(&cpus));
    check("nprocs", sysconf(_SC_NPROCESSORS_ONLN) >= count);
}

int main(int argc, char **argv) {
    const char *base = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    pthread_t thread;
    identity(argc, argv, base);
    maps(base);
    descriptors();
    figures();
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    return 0;
}
