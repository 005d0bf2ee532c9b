// guest-test: variants=static,static-pie,dynamic args=plain,,with space,tab	tab,äöü,-x
// What the kernel leaves on the stack: arguments, environment and auxiliary vector. Values that differ between machines are checked
// instead of printed.
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

extern char **environ;

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void show_strings(char **argv, char **envp) {
    int count = 0;
    for (int i = 1; argv[i]; i++) printf("argument %d [%s]\n", i, argv[i]);
    // strings follow each other, arguments before the environment
    for (int i = 1; argv[i]; i++)
        if (argv[i] != argv[i - 1] + strlen(argv[i - 1]) + 1) puts("arguments apart");
    while (envp[count]) count++;
    for (int i = 1; i < count; i++)
        if (envp[i] != envp[i - 1] + strlen(envp[i - 1]) + 1) puts("environment apart");
    char *sorted[100];
    memcpy(sorted, envp, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    for (int i = 0; i < count; i++)
        if (strncmp(sorted[i], "HOME=", 5) != 0) puts(sorted[i]);
}

static void show_headers(void) {
    const ElfW(Phdr) *header = (const void *)getauxval(AT_PHDR);
    int loads = 0, own = 0;
    uintptr_t base = 0;
    for (unsigned i = 0; i < getauxval(AT_PHNUM); i++) {
        loads += header[i].p_type == PT_LOAD;
        if (header[i].p_type == PT_PHDR) base = (uintptr_t)header - header[i].p_vaddr, own = 1;
    }
    const Elf64_Ehdr *start = (const void *)((uintptr_t)header & -4096);
    printf("headers %d %d %d %d\n", loads > 1, memcmp(start->e_ident, ELFMAG, 4) == 0, start->e_phnum == getauxval(AT_PHNUM),
           !own || start->e_entry + base == getauxval(AT_ENTRY));
    printf("interpreter %d\n", getauxval(AT_BASE) == 0 || memcmp((void *)getauxval(AT_BASE), ELFMAG, 4) == 0);
}

int main(int argc, char **argv, char **envp) {
    printf("%d %d %d %d\n", argc, argv[argc] == NULL, envp == argv + argc + 1, environ == envp);
    show_strings(argv, envp);
    Elf64_auxv_t *vector;
    char **at = envp;
    while (*at++) {}
    int seen[64] = {0}, count = 0;
    for (vector = (void *)at; vector->a_type != AT_NULL; vector++, count++)
        if (vector->a_type < 64) seen[vector->a_type]++;
    static const int wanted[] = {AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE,   AT_FLAGS,  AT_ENTRY,  AT_UID,         AT_EUID,
                                 AT_GID,  AT_EGID,  AT_HWCAP, AT_CLKTCK, AT_SECURE, AT_RANDOM, AT_EXECFN, AT_SYSINFO_EHDR};
    for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++) printf("%d:%d ", wanted[i], seen[wanted[i]]);
    printf("\npage %ld clock %ld header %ld flags %ld secure %ld\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK),
           getauxval(AT_PHENT), getauxval(AT_FLAGS), getauxval(AT_SECURE));
    printf("ids %d %d %d %d\n", getauxval(AT_UID) == getuid(), getauxval(AT_EUID) == geteuid(), getauxval(AT_GID) == getgid(),
           getauxval(AT_EGID) == getegid());
    const char *random = (const char *)getauxval(AT_RANDOM), *name = (const char *)getauxval(AT_EXECFN);
    int bits = 0;
    for (int i = 0; i < 16; i++) bits += __builtin_popcount((unsigned char)random[i]);
    printf("random %d above the vector %d, name %d, vdso %d\n", bits > 20 && bits<108, random>(char *) vector,
           !strcmp(name, argv[0]), memcmp((void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, 4) == 0);
    printf("stack %d, strings above %d, whole signal stack %d\n", (uintptr_t)(argv - 1) % 16 == 0, argv[0] > (char *)vector,
           sysconf(_SC_MINSIGSTKSZ) >= 2048);
    show_headers();
    printf("name at the end %d\n", name + strlen(name) > argv[argc - 1]);
    return 0;
}
