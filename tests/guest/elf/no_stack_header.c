// guest-test: expect=file arch=riscv64 edit=no-stack-header variants=static,dynamic
// Without PT_GNU_STACK, riscv64's stack is not executable and everything else is as usual.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    char line[300], permissions[8];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "[stack]") && sscanf(line, "%*s %7s", permissions) == 1) puts(permissions);
    return 0;
}
