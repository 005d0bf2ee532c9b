// guest-test: expect=file
// Code made anew several times over stays right when the guest changes a part of it: a loop that has the best code, and what comes after it, which
// has not and changes; then the best code goes, because the guest wants to see faults.
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { ROUNDS = 6000000, TAIL = 64 };

typedef int function(void);

static void write_code(char *at, const uint32_t *code, size_t size) {
    memcpy(at, code, size);
    __builtin___clear_cache(at, at + size);
}

static void return_value(char *at, uint32_t value) {
    const uint32_t code[] = {value << 20 | 0x513, 0x00008067};  // li a0, value; ret
    write_code(at, code, sizeof code);
}

// for (t0 = 20; --t0;) continue; goto tail;
static function *make(char *at, uint32_t value) {
    static const uint32_t loop[] = {
        0x01400293,  // li t0, 20
        0xfff28293,  // addi t0, t0, -1
        0x02028c63,  // beqz t0, tail
        0xff9ff06f,  // j -8
    };
    write_code(at, loop, sizeof loop);
    return_value(at + TAIL, value);
    return (function *)at;
}

static void handler(int signal) {
    (void)signal;
}

int main(void) {
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    function *f = make(page, 1);
    long sum = 0;
    for (int i = 0; i < ROUNDS; i++) sum += f();
    return_value(page + TAIL, 2);
    sum += f();
    signal(SIGSEGV, handler);
    for (int i = 0; i < 3; i++) sum += f();
    printf("%ld\n", sum - ROUNDS);
    return 0;
}
