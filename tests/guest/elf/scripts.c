// guest-test: variants=static
// Scripts with #! lines, run by this program itself: arguments, nesting, and what is refused.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char here[4000];

// Prints a text with this folder's path replaced by a dot.
static void show(const char *text) {
    size_t length = strlen(here);
    while (*text) {
        if (!strncmp(text, here, length)) putchar('.'), text += length;
        else putchar(*text++);
    }
}

static void write_file(const char *name, const char *text, size_t size, int mode) {
    unlink(name);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write(fd, text, size);
    fchmod(fd, mode);
    close(fd);
}

static void script(const char *name, const char *format, const char *argument) {
    char text[9000];
    int size = snprintf(text, sizeof text, format, here, argument);
    write_file(name, text, size, 0755);
}

static void try(const char *what, const char *path, char *const argv[]) {
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char *environment[] = {"IN_SCRIPT=1", NULL};
        execve(path, argv, environment);
        printf("%s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(9);
    }
    waitpid(pid, &status, 0);
    printf("%s: status %d\n", what, WEXITSTATUS(status));
}

static int as_interpreter(int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        printf("  [");
        show(argv[i]);
        printf("]");
    }
    printf("\n");
    return argc;
}

static void copy_self(void) {
    char block[65536];
    int from = open("/proc/self/exe", O_RDONLY), to = open("prog", O_WRONLY | O_CREAT | O_TRUNC, 0755);
    for (ssize_t n; (n = read(from, block, sizeof block)) > 0;) write(to, block, n);
    close(from);
    close(to);
}

static void nested(int levels) {
    char name[30], text[5000];
    for (int i = 1; i <= levels; i++) {
        snprintf(name, sizeof name, "level%d", i);
        snprintf(text, sizeof text, i == 1 ? "#!%s/prog level%d\n" : "#!%s/level%d\n", here, i - 1);
        write_file(name, text, strlen(text), 0755);
    }
}

int main(int argc, char **argv) {
    char *args[] = {"zero", "first", "second word", "", NULL}, *one[] = {"only", NULL}, *none[] = {NULL};
    getcwd(here, sizeof here);
    if (getenv("IN_SCRIPT")) return as_interpreter(argc, argv);
    copy_self();
    script("plain", "#!%s/prog\n", "");
    try("plain", "./plain", args);
    try("plain without arguments", "./plain", one);
    script("argument", "#!%s/prog -a\n", "");
    try("argument", "./argument", args);
    script("words", "#! \t %s/prog   -a  two  words \t\n more", "");
    try("words are one", "./words", args);
    script("unended", "#!%s/prog end", "");
    try("no newline", "./unended", args);
    script("carriage", "#!%s/prog\r\n", "");
    try("carriage return", "./carriage", args);
    script("relative", "#!prog\n", "");
    write_file("relative", "#!prog rel\n", 11, 0755);
    try("relative interpreter", "./relative", args);
    write_file("missing", "#!/no/such/file\n", 16, 0755);
    try("missing interpreter", "./missing", args);
    write_file("folder", "#!/tmp\n", 7, 0755);
    try("folder as interpreter", "./folder", args);
    write_file("empty", "#!\n", 3, 0755);
    try("no interpreter", "./empty", args);
    write_file("blank", "#!   \n", 6, 0755);
    try("blank interpreter", "./blank", args);
    write_file("nothing", "", 0, 0755);
    try("empty file", "./nothing", args);
    write_file("text", "echo hello\n", 11, 0755);
    try("bare text", "./text", args);
    write_file("unset", "#!/bin/sh\n", 10, 0644);
    try("not executable", "./unset", args);
    try("no file", "./none", args);
    try("folder", ".", args);
    nested(6);
    for (int i = 1; i <= 6; i++) {
        char name[30];
        snprintf(name, sizeof name, "./level%d", i);
        try(name, name, args);
    }
    char link[5000];
    snprintf(link, sizeof link, "%s/plain", here);
    symlink(link, "linked");
    try("through a link", "./linked", args);
    symlink("loop", "loop");
    try("link to itself", "./loop", args);
    char absolute[5000];
    snprintf(absolute, sizeof absolute, "%s/argument", here);
    try("absolute", absolute, args);
    int fd = open("plain", O_RDONLY);
    char by_fd[40];
    snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", fd);
    try("by descriptor", by_fd, one);
    char *self[] = {"self", "again", NULL};
    try("itself", "/proc/self/exe", self);
    return 0;
}
