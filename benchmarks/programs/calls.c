// Indirect calls that nobody can predict: an interpreter whose program is a stream of random numbers, one handler per operation,
// called through a table.
//
// calls [MILLIONS]
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct machine {
    uint64_t accumulator, other;
};

#define OPERATION(name, ...)                                                          \
    static __attribute__((noinline)) void name(struct machine *m, uint32_t operand) { \
        (void)operand;                                                                \
        __VA_ARGS__;                                                                  \
    }
OPERATION(op_add, m->accumulator += operand)
OPERATION(op_sub, m->accumulator -= operand)
OPERATION(op_xor, m->accumulator ^= operand)
OPERATION(op_or, m->accumulator |= operand)
OPERATION(op_mul, m->accumulator *= operand | 1)
OPERATION(op_shift, m->accumulator <<= operand & 7)
OPERATION(op_rotate, m->accumulator = m->accumulator >> 13 | m->accumulator << 51)
OPERATION(op_not, m->accumulator = ~m->accumulator)
OPERATION(op_save, m->other = m->accumulator)
OPERATION(op_load, m->accumulator ^= m->other)
OPERATION(op_swap, uint64_t old = m->accumulator; m->accumulator = m->other; m->other = old)
OPERATION(op_mix, m->other += m->accumulator >> 3)
OPERATION(op_test, if (m->accumulator & 1) m->other ^= operand)
OPERATION(op_less, m->other += m->accumulator < m->other)
OPERATION(op_negate, m->accumulator = -m->accumulator)
OPERATION(op_count, m->other++)

typedef void operation(struct machine *, uint32_t);

static operation *const table[16] = {
    op_add,  op_sub,  op_xor,  op_or,  op_mul,  op_shift, op_rotate, op_not,
    op_save, op_load, op_swap, op_mix, op_test, op_less,  op_negate, op_count,
};

int main(int argc, char *argv[]) {
    long calls = (argc > 1 ? atol(argv[1]) : 40) * 1000000;
    struct machine machine = {1, 2};
    uint64_t random = 88172645463325252u;
    for (long i = 0; i < calls; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        table[random >> 60](&machine, (uint32_t)(random >> 28));
    }
    printf("%ld calls: %016llx %016llx\n", calls, (unsigned long long)machine.accumulator, (unsigned long long)machine.other);
    return 0;
}
