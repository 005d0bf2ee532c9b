# gcc, as, ld, make: programs are built and run
# program-test: timeout=400
# program-test: timeout=300
cat >a.c <<'C'
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int twice(int);
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(int argc, char **argv) {
    int list[500];
    for (int i = 0; i < 500; i++) list[i] = i * 7919 % 503;
    qsort(list, 500, sizeof *list, compare);
    printf("%d %d %.10f %s %d\n", list[0], list[499], pow(2, 0.5) + sin(1), argv[1], twice(argc));
    return strlen(argv[1]) == 5 ? 4 : 0;
}
C
echo 'int twice(int x) { return 2 * x; }' >b.c
for level in -O0 -O1 -O2 -O3 -Os '-O2 -flto' '-O2 -static' '-g -O2 -fPIC -pie'; do gcc $level a.c b.c -lm -o prog && ./prog hello; echo "$level $?"; done
gcc -O2 -shared -fPIC b.c -o libb.so && gcc -O2 a.c -L. -lb -lm -Wl,-rpath,. -o prog2 && ./prog2 dynamic; echo $?
printf 'objects = %s\nprog: $(objects)\n\tgcc -o $@ $(objects) -lm\n%%.o: %%.c\n\tgcc -O1 -c $<\n' "a.o b.o $(for i in $(seq 12); do echo "int f$i(int x) { return x + $i; }" >f$i.c; echo "f$i.o"; done | tr '\n' ' ')" >Makefile
rm -f prog; make -s -j2 && ./prog maked; echo "make $?"; make -q; echo "up to date $?"
gcc -x c - -o /dev/null <<<'int main(void) { return x; }' 2>/dev/null; echo "error $?"; gcc -E -dM - </dev/null | grep -c __LP64__
echo 'int main() { __builtin_trap(); }' | gcc -x c - -o trap && ./trap 2>/dev/null; [ $? -gt 128 ] && echo "trapped"
