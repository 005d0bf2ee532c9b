// guest-test: expect=native timeout=120
// Calls that are hot enough for the best code there is: by pointers whose targets change, recursion, tables of jumps, and ways out of the midst of
// all that by longjmp and signals.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>

#define APART __attribute__((noinline, noclone))

static uint64_t next_random(uint64_t *state) {
    return (*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407) >> 33;
}

// ---- pointers

struct machine {
    uint64_t a, b, steps;
};
typedef void operation(struct machine *, uint64_t);
static APART void op_add(struct machine *m, uint64_t x) {
    m->a += x;
}
static APART void op_rotate(struct machine *m, uint64_t x) {
    m->a = (m->a << 7 | m->a >> 57) ^ x;
}
static APART void op_swap(struct machine *m, uint64_t x) {
    uint64_t old = m->a;
    m->a = m->b + x;
    m->b = old;
}
static APART void op_both(struct machine *m, uint64_t x) {
    op_add(m, x >> 3);
    op_rotate(m, m->b);
}
static operation *const operations[] = {op_add, op_rotate, op_swap, op_both};

static void by_pointers(void) {
    struct machine m = {1, 2, 0};
    uint64_t random = 1;
    for (unsigned phase = 0; phase < 6; phase++) {  // from one target to all of them, and back
        unsigned targets = phase < 4 ? phase + 1 : 6 - phase;
        for (unsigned i = 0; i < 150000; i++) {
            uint64_t x = next_random(&random);
            operations[x % targets](&m, x);
        }
        printf("by pointers, %u targets: %016llx %016llx\n", targets, (unsigned long long)m.a, (unsigned long long)m.b);
    }
}

// To more places than are told apart, from one place and, for some of them, from two.
#define PLACES(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19)
#define PLACE(n)                                                 \
    static APART void place_##n(struct machine *m, uint64_t x) { \
        m->a = (m->a ^ x >> n) + n;                              \
        if (x & UINT64_C(1) << n) m->b += m->a >> n;             \
    }
#define PLACE_NAME(n) place_##n,
PLACES(PLACE)
static operation *const places[] = {PLACES(PLACE_NAME)};

static void by_many_pointers(void) {
    struct machine m = {1, 2, 0};
    uint64_t random = 3;
    for (unsigned i = 0; i < 600000; i++) {
        uint64_t x = next_random(&random);
        places[x % (sizeof places / sizeof *places)](&m, x >> 5);
        if (x >> 28 == 3) places[i % 3](&m, i);
    }
    printf("by many pointers: %016llx %016llx\n", (unsigned long long)m.a, (unsigned long long)m.b);
}

// ---- recursion

static APART uint64_t ackermann(uint64_t m, uint64_t n) {
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

struct tree {
    struct tree *left, *right;
    uint64_t value;
};
static struct tree nodes[4000];

static APART struct tree *insert(struct tree *tree, struct tree *node) {
    if (!tree) return node;
    if (node->value < tree->value) tree->left = insert(tree->left, node);
    else tree->right = insert(tree->right, node);
    return tree;
}

static APART uint64_t sum(const struct tree *tree, unsigned depth) {
    return tree ? tree->value * depth + sum(tree->left, depth + 1) - sum(tree->right, depth + 1) : 0;
}

static APART int is_odd(unsigned n);
static APART int is_even(unsigned n) {
    return n == 0 || !is_odd(n - 1) == 0;
}
static APART int is_odd(unsigned n) {
    return n != 0 && is_even(n - 1);
}

static void by_recursion(void) {
    struct tree *tree = NULL;
    uint64_t random = 5, all = 0;
    for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        nodes[i].value = next_random(&random);
        tree = insert(tree, &nodes[i]);
    }
    for (unsigned i = 0; i < 100; i++) all += sum(tree, i);
    printf("recursion: %llu, tree %llx\n", (unsigned long long)ackermann(2, 300), (unsigned long long)all);
    unsigned even = 0;
    for (unsigned i = 0; i < 500; i++) even += (unsigned)is_even(i);
    printf("each other: %u\n", even);
}

// ---- tables of jumps

static APART uint64_t interpret(const uint8_t *code, uint64_t rounds) {
    uint64_t a = 1, b = 2, c = 3;
    for (unsigned pc = 0; rounds;) {
        switch (code[pc++ & 1023]) {
        case 0: a += b; break;
        case 1: b ^= c; break;
        case 2: c -= a; break;
        case 3: a = a << 3 | b >> 61; break;
        case 4:
            if (a & 1) pc += 2;
            break;
        case 5:
            b++;
            rounds--;
            break;
        case 6:
            c = b;
            b = a;
            break;
        case 7:
            pc = (unsigned)a;
            rounds--;
            break;
        case 8: a = ~a; break;
        case 9: b = b * 5 + 1; break;
        case 10: c += code[c & 1023]; break;
        default:
            rounds--;
            a ^= c >> 2;
            break;
        }
    }
    return a ^ b ^ c;
}

static void by_tables(void) {
    static uint8_t code[1024];
    uint64_t random = 9;
    for (unsigned i = 0; i < sizeof code; i++) code[i] = (uint8_t)(next_random(&random) % 12);
    printf("table: %016llx\n", (unsigned long long)interpret(code, 300000));
}

// ---- other ways out

static jmp_buf back;
static APART unsigned descend(unsigned depth, unsigned goal) {
    if (depth == goal) longjmp(back, (int)depth + 1);
    return descend(depth + 1, goal) + depth;
}

static void by_longjmp(void) {
    uint64_t all = 0;
    for (volatile unsigned i = 0; i < 20000; i++) {
        int depth = setjmp(back);
        all += (unsigned)depth;
        if (!depth) all += descend(0, i % 20);
    }
    printf("longjmp: %llu\n", (unsigned long long)all);
}

static volatile sig_atomic_t ticks;
static void tick(int signal) {
    (void)signal;
    ticks++;
}

static void under_signals(void) {
    struct itimerval often = {{0, 500}, {0, 500}}, off = {{0, 0}, {0, 0}};
    signal(SIGALRM, tick);
    setitimer(ITIMER_REAL, &often, NULL);
    by_pointers();
    by_many_pointers();
    by_recursion();
    by_tables();
    by_longjmp();
    while (!ticks) by_longjmp();
    setitimer(ITIMER_REAL, &off, NULL);
    printf("signals came\n");
}

int main(void) {
    by_pointers();
    by_recursion();
    by_tables();
    by_longjmp();
    under_signals();
    return 0;
}
