# gcc: C programs compiled, assembled, linked at several levels, statically and dynamically, and run.
# program-test: timeout=600
# program-test: timeout=300
cat >a.c <<'END'
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { struct node *left, *right; int key; };
static struct node *insert(struct node *n, int key) {
    if (!n) { n = calloc(1, sizeof *n); n->key = key; return n; }
    if (key < n->key) n->left = insert(n->left, key); else if (key > n->key) n->right = insert(n->right, key);
    return n;
}
static void walk(struct node *n, long *sum, int *count) { if (n) { walk(n->left, sum, count); *sum = *sum * 31 + n->key; ++*count; walk(n->right, sum, count); } }
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
double series(int n) { double s = 0; for (int i = 1; i <= n; i++) s += sin(i) / sqrt(i); return s; }
int main(int argc, char **argv) {
    struct node *root = NULL; long sum = 0; int count = 0, v[500];
    for (int i = 0; i < 3000; i++) root = insert(root, (i * 7919) % 4001);
    walk(root, &sum, &count);
    for (int i = 0; i < 500; i++) v[i] = (i * 1103515245u + 12345u) % 1000;
    qsort(v, 500, sizeof *v, compare);
    unsigned h = 5381; for (const char *p = "the quick brown fox"; *p; p++) h = h * 33 ^ (unsigned char)*p;
    printf("%d %ld %d %d %d %u %.12f %s %d\n", count, sum, v[0], v[250], v[499], h, series(1000), argv[argc - 1], argc);
    __int128 big = (__int128)1 << 100; printf("%llx %d %zu\n", (unsigned long long)(big >> 60), (int)(sizeof(long double)), strlen("x"));
    return count & 127;
}
END
for o in -O0 -O1 -O2 -O3 -Os '-O2 -static' '-O2 -fno-pie -no-pie' '-O2 -flto' '-O1 -g -fstack-protector-all'; do gcc $o a.c -o a -lm 2>err && ./a one "$o"; echo $?; done
gcc -S -O2 a.c -o a.s && gcc a.s -o b -lm && ./b asm; gcc -c a.c && nm a.o | awk '$2 ~ /[TU]/ { print $NF }' | grep -v '^_' | sort | paste -sd' '
echo 'int main(void) { return undeclared; }' | gcc -x c - 2>&1 | grep -o "error: .undeclared. undeclared" | head -1; echo 'int main(void) { missing(); }' | gcc -w -x c - 2>&1 | grep -c 'undefined reference'
gcc -E -P - <<< '#define SQ(x) ((x)*(x))
SQ(3+1) __LINE__'
cat >l.c <<'END'
int shared_value = 5; __attribute__((constructor)) static void up(void) { shared_value += 10; } int shared_function(int x) { return x * shared_value; }
END
cat >m.c <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
extern int shared_function(int); static __thread int tls = 3; static int total; static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *p) { for (int i = 0; i < 1000; i++) { tls++; pthread_mutex_lock(&lock); total += tls & 1; pthread_mutex_unlock(&lock); } return (char *)p + tls; }
int main(void) { pthread_t t[4]; void *r; for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, work, (void *)i); for (int i = 0; i < 4; i++) { pthread_join(t[i], &r); printf("%ld ", (long)r); } printf("%d %d %d\n", total, tls, shared_function(2));
    void *h = dlopen("./libl.so", RTLD_NOW); int (*f)(int) = (int (*)(int))dlsym(h, "shared_function"); printf("%d %d\n", f(3), dlsym(h, "nothing") == 0); return 0; }
END
gcc -shared -fPIC l.c -o libl.so && gcc m.c -o m -L. -ll -Wl,-rpath,'$ORIGIN' -pthread && ./m; ar rcs libs.a <(:) 2>/dev/null; gcc -c l.c -o l.o && ar rcs libl.a l.o && rm libl.so.bak 2>/dev/null; ar t libl.a; strip m && ./m | head -1; objdump -h m | grep -c LOAD >/dev/null && echo objdump; readelf -h m | grep -c 'ELF64'; size a | wc -l
