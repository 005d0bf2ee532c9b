// Jump tables as compilers make them, each carried out for every case. Built and run in many ways (check_shapes.py): every block that the run enters must have
// been found in the stripped file.
#define NOINLINE __attribute__((noinline))
volatile int sink;
void *memcpy(void *to, const void *from, unsigned long size) {
    for (volatile char *t = to; size; size--) *t++ = *(const char *)from, from = (const char *)from + 1;
    return to;
}
static NOINLINE void note(int value) {
    sink += value;
}

// No two cases are the same to the compiler, nor is what they do a matter of looking up.
#define CASE(n)                                   \
    case n:                                       \
        __asm__ volatile("# case %0" : : "i"(n)); \
        note(n * 3 ^ 5);                          \
        break;
#define CASES(n) CASE(n) CASE(n + 1) CASE(n + 2) CASE(n + 3) CASE(n + 4) CASE(n + 5) CASE(n + 6) CASE(n + 7)

static NOINLINE void plain(int x) {
    switch (x) { CASES(0) CASES(8) default : note(-1); }
}
static NOINLINE void from_five(unsigned x) {
    switch (x) { CASES(5) default : note(-2); }
}
static NOINLINE void negative(long x) {
    switch (x) { CASES(-4) default : note(-3); }
}
static NOINLINE void wide(unsigned long x) {
    switch (x) { CASES(1000) CASES(1008) default : break; }
}
static NOINLINE void byte(unsigned char x) {
    switch (x) { CASES(65) CASES(97) default : note(-4); }
}
static NOINLINE void masked(unsigned x) {
    switch (x & 7) { CASES(0) }
}
static NOINLINE void holes(short x) {
    switch (x) { CASE(1) CASE(3) CASE(4) CASE(9) CASE(10) CASE(12) CASE(17) default : note(-5); }
}
static NOINLINE int returned(int x) {
    switch (x) {
    case 0: note(1); return 4;
    case 1: note(2); return 17;
    case 2: note(x); return 3;
    case 3: return x * sink;
    case 4: return sink;
    case 5: note(9); return 1;
    }
    return -1;
}
static NOINLINE int promised(unsigned x) {
    switch (x) { CASES(0) default : __builtin_unreachable(); }
    return sink;
}
// The table's base, and its bound, stay in registers all along.
static NOINLINE void looped(const unsigned char *text, int count) {
    int state = 0;
    for (int i = 0; i < count; i++) {
        switch (state) {
        case 0:
            note(text[i]);
            state = text[i] % 6;
            break;
        case 1:
            note(1);
            state = 2;
            break;
        case 2:
            note(text[i] * 2);
            state = 5;
            break;
        case 3: state = text[i] & 1; break;
        case 4:
            note(4);
            state = 3;
            break;
        case 5:
            note(-text[i]);
            state = 4;
            break;
        }
        if (text[i] == 200) note(7);
    }
}
static NOINLINE void nested(int x, int y) {
    switch (x) {
    CASE(0) CASE(1) CASE(2) CASE(3) case 4:
        switch (y) { CASES(10) default : note(-6); }
        break;
        CASE(5)
    }
}
static NOINLINE int threaded(const unsigned char *code) {
    static const void *const labels[] = {&&stop, &&add, &&twice, &&skip, &&negate};
    int value = 1;
    goto *labels[*code++];
add:
    value += 3;
    goto *labels[*code++];
twice:
    value *= 2;
    goto *labels[*code++];
skip:
    code++;
    goto *labels[*code++];
negate:
    value = -value;
    goto *labels[*code++];
stop:
    return value;
}
static NOINLINE int relative(const unsigned char *code) {
    static const int labels[] = {&&stop - &&stop, &&add - &&stop, &&twice - &&stop, &&negate - &&stop};
    int value = 1;
next:
    goto *(&&stop + labels[*code++]);
add:
    value += 3;
    goto next;
twice:
    value *= 2;
    goto next;
negate:
    value = -value;
    goto next;
stop:
    return value;
}
static NOINLINE void first(void) {
    note(11);
}
static NOINLINE void second(void) {
    note(12);
}
static void (*const handlers[])(void) = {first, second};
static void (*volatile changed)(void) = first;

static void all(void) {
    static unsigned char text[64] = {5, 1, 3, 200, 4, 2};
    for (int x = -6; x < 130; x++) {
        plain(x), from_five((unsigned)x), negative(x), byte((unsigned char)x), masked((unsigned)x), holes((short)x),
            note(returned(x));
        if (x >= 0 && x < 8) promised((unsigned)x);
        wide((unsigned long)(990 + x)), nested(x, x + 7), nested(4, x);
    }
    for (int i = 6; i < 64; i++) text[i] = (unsigned char)(i * 7);
    looped(text, 64);
    note(threaded((const unsigned char[]){1, 2, 3, 0, 4, 1, 0}));
    note(relative((const unsigned char[]){1, 2, 3, 1, 0}));
    for (int i = 0; i < 2; i++) handlers[i & sink & 1](), handlers[i]();
    changed(), changed = second, changed();
}

__attribute__((used)) static void begin(void) {
    all();
    register long number __asm__("a7") = 93, status __asm__("a0") = 0;
    __asm__ volatile("ecall" : : "r"(number), "r"(status));
    __builtin_unreachable();
}
__asm__(
    ".globl _start\n_start:\n.option push\n.option norelax\nlla gp, __global_pointer$\n.option pop\nandi sp, sp, -16\ntail begin\n");
