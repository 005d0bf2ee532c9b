// Floating point three ways: every uop of uops_fp.def against fp_vectors.txt (what a processor made of them, see make_fp_vectors.c);
// the host's FPU against the integer code of fp_soft.c on some millions of operands, results and flags, in every rounding mode,
// named by the instruction or by frm; and what a change of frm or fflags does. `test_fp FILE` checks another file of vectors.
#include "tests/tools/cmocka.h"
#include "tests/translator/fp_operands.h"
#include "translator/ir/fp.h"
#include "translator/ir/fp_soft.h"
#include "translator/ir/uop.h"
#include <fenv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct cpu *cpu;
static unsigned failures;
static const char *vectors;

// ---- every floating-point uop as a function

struct fp_uop {
    const char *name;
    enum uop_format format;
    uint64_t (*run)(uint64_t B, uint64_t C, uint64_t D, int64_t IMM);
};

#define UOP(name, format, ...)                                                    \
    static uint64_t run_##name(uint64_t B, uint64_t C, uint64_t D, int64_t IMM) { \
        uint64_t A = 0;                                                           \
        (void)B, (void)C, (void)D, (void)IMM;                                     \
        __VA_ARGS__;                                                              \
        return A;                                                                 \
    }
#include "translator/ir/uops_fp.def"
#undef UOP

static const struct fp_uop uops[] = {
#define UOP(name, format, ...) {#name, UOP_FORMAT_##format, run_##name},
#include "translator/ir/uops_fp.def"
#undef UOP
};
enum { UOPS = sizeof uops / sizeof *uops };

static const struct fp_uop *find_uop(const char *name) {
    for (size_t i = 0; i < UOPS; i++) {
        if (strcmp(uops[i].name, name) == 0) return &uops[i];
    }
    return NULL;
}

// fadd_s: faddaway_s
static const struct fp_uop *find_away(const char *name) {
    char away[32];
    const char *suffix = strchr(name, '_');
    snprintf(away, sizeof away, "%.*saway%s", (int)(suffix - name), name, suffix);
    return find_uop(away);
}

// An operation in one rounding mode, reached in the ways that the lifter has.
struct operation {
    const struct fp_uop *plain, *away;  // away: for arithmetic
    unsigned rm;
};

static struct operation operation_of(const char *name, unsigned rm) {
    return (struct operation){find_uop(name), find_away(name), rm};
}

// The mode in frm, or, if not `dynamic`, named by the instruction while frm is another.
static uint64_t execute(const struct operation *operation, bool dynamic, const uint64_t slot[3], uint32_t *flags) {
    const struct fp_uop *uop = operation->away && operation->rm == FP_RMM ? operation->away : operation->plain;
    bool in_uop = uop->format == UOP_FORMAT_DSI, host_mode = !in_uop && operation->rm != FP_RMM;
    fp_rounding_write(cpu, dynamic ? operation->rm : (operation->rm + 1 + slot[0] % 4) % 5);
    if (!dynamic && host_mode) fp_round_set(cpu, operation->rm);
    fp_flags_write(cpu, *flags);
    uint64_t result = uop->run(slot[0], slot[1], slot[2], dynamic ? FP_DYN : operation->rm);
    *flags = fp_flags_read(cpu);
    if (!dynamic && host_mode) fp_round_restore(cpu);
    return result;
}

static void expect(const struct operation *operation, const uint64_t slot[3], uint64_t result, uint32_t flags) {
    for (int dynamic = 0; dynamic < 2; dynamic++) {
        uint32_t before = slot[1] % 7 ? 0 : (uint32_t)(slot[0] >> 3 & 31), raised = before;
        uint64_t got = execute(operation, dynamic, slot, &raised);
        if (got == result && raised == (before | flags)) continue;
        if (failures++ < 40)
            print_error("%s, mode %u%s, of %" PRIx64 " %" PRIx64 " %" PRIx64 ": %" PRIx64 " flags %x, should be %" PRIx64
                        " flags %x\n",
                        operation->plain->name, operation->rm, dynamic ? " in frm" : "", slot[0], slot[1], slot[2], got, raised,
                        result, before | flags);
    }
}

// ---- vectors

static bool check_line(const char *line) {
    char name[32];
    uint64_t slot[3] = {0};
    unsigned rm, result_at;
    int at = 0, step;
    if (sscanf(line, "%31s %u%n", name, &rm, &at) != 2 || !strchr(name, '_')) return false;
    for (unsigned i = 0; i < 3 && sscanf(line + at, " %" SCNx64 "%n", &slot[i], &step) == 1; i++) at += step;
    uint64_t result;
    if (sscanf(line + at, " = %" SCNx64 " %x", &result, &result_at) != 2) return false;
    struct operation operation = operation_of(name, rm);
    if (!operation.plain) return false;
    expect(&operation, slot, result, result_at);
    return true;
}

static void open_vectors(char *path, size_t size) {
    if (vectors) snprintf(path, size, "%s", vectors);
    else snprintf(path, size, "%.*sfp_vectors.txt", (int)(strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__);
}

static void test_vectors(void **state) {
    (void)state;
    char path[4096], line[256];
    open_vectors(path, sizeof path);
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("%s cannot be opened", path);
    unsigned lines = 0;
    failures = 0;
    while (fgets(line, sizeof line, file)) {
        if (*line == '#' || *line == '\n') continue;
        if (!check_line(line)) fail_msg("%s has a line that is no vector: %s", path, line);
        lines++;
    }
    fclose(file);
    assert_true(lines > 1000);
    assert_int_equal(failures, 0);
}

// Whether the vectors leave no uop out.
static void test_vectors_cover(void **state) {
    (void)state;
    if (vectors) skip();
    char path[4096], line[256], name[40], text[44];
    static char all[1 << 20];
    open_vectors(path, sizeof path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(all, 1, sizeof all - 1, file);
    fclose(file);
    all[size] = 0;
    for (size_t i = 0; i < UOPS; i++) {
        const char *away = strstr(uops[i].name, "away_");
        if (strchr(uops[i].name, '_') == NULL) continue;  // moves, control
        if (!strncmp(uops[i].name, "fltn", 4) || !strncmp(uops[i].name, "flen", 4)) continue;  // no instruction's
        snprintf(name, sizeof name, "%.*s%s", away ? (int)(away - uops[i].name) : 32, uops[i].name, away ? away + 4 : "");
        snprintf(text, sizeof text, "%s %d ", name, away ? FP_RMM : FP_RNE);
        if (strncmp(all, text, strlen(text)) == 0) continue;
        snprintf(line, sizeof line, "\n%s", text);
        if (!strstr(all, line)) fail_msg("no vector for %s", uops[i].name);
    }
}

// ---- the host's FPU against integer code

typedef uint64_t reference(const uint64_t a[3], unsigned rm, uint32_t *flags);

// Of NaNs: unordered, invalid if signaling or if `loud`. -1, 0, 1, and 2 for unordered.
static int compare(const struct fp_format *format, uint64_t a, uint64_t b, bool loud, uint32_t *flags) {
    uint64_t sign = fp_sign_bit(format);
    if (fp_is_nan(format, a) || fp_is_nan(format, b)) {
        if (loud || fp_is_signaling(format, a) || fp_is_signaling(format, b)) *flags |= FP_NV;
        return 2;
    }
    int64_t x = (int64_t)(a & (sign - 1)), y = (int64_t)(b & (sign - 1));
    if (a & sign) x = -x;
    if (b & sign) y = -y;
    return x < y ? -1 : x > y;
}

static bool quiet(bool result, uint32_t *flags) {
    *flags = 0;
    return result;
}

static uint64_t extreme(const struct fp_format *format, uint64_t a, uint64_t b, int wanted, uint32_t *flags) {
    int order = compare(format, a, b, false, flags);
    if (order == 2) return !fp_is_nan(format, a) ? a : !fp_is_nan(format, b) ? b : fp_canonical_nan(format);
    if (order == 0) return wanted < 0 ? a | b : a & b;
    return order == wanted ? a : b;
}

#define U(s, i) fp_unbox_##s(a[i])
#define NEGATE(s, x) ((x) ^ fp_sign_bit(FORMAT_##s))
#define FORMAT_s (&fp_single)
#define FORMAT_d (&fp_double)
#define INTEGER(a, is_signed) ((is_signed) && (int64_t)(a) < 0 ? -(a) : (a)), ((is_signed) && (int64_t)(a) < 0)

#define REFERENCES(X, s, one, two, three)                                                                                 \
    X(fadd_##s, two, fp_box_##s(fp_soft_add(FORMAT_##s, U(s, 0), U(s, 1), rm, flags)))                                    \
    X(fsub_##s, two, fp_box_##s(fp_soft_add(FORMAT_##s, U(s, 0), NEGATE(s, U(s, 1)), rm, flags)))                         \
    X(fmul_##s, two, fp_box_##s(fp_soft_mul(FORMAT_##s, U(s, 0), U(s, 1), rm, flags)))                                    \
    X(fdiv_##s, two, fp_box_##s(fp_soft_div(FORMAT_##s, U(s, 0), U(s, 1), rm, flags)))                                    \
    X(fsqrt_##s, one, fp_box_##s(fp_soft_sqrt(FORMAT_##s, U(s, 0), rm, flags)))                                           \
    X(fmadd_##s, three, fp_box_##s(fp_soft_fma(FORMAT_##s, U(s, 0), U(s, 1), U(s, 2), rm, flags)))                        \
    X(fmsub_##s, three, fp_box_##s(fp_soft_fma(FORMAT_##s, U(s, 0), U(s, 1), NEGATE(s, U(s, 2)), rm, flags)))             \
    X(fnmsub_##s, three, fp_box_##s(fp_soft_fma(FORMAT_##s, U(s, 0), NEGATE(s, U(s, 1)), U(s, 2), rm, flags)))            \
    X(fnmadd_##s, three, fp_box_##s(fp_soft_fma(FORMAT_##s, U(s, 0), NEGATE(s, U(s, 1)), NEGATE(s, U(s, 2)), rm, flags))) \
    X(fmin_##s, two, fp_box_##s(extreme(FORMAT_##s, U(s, 0), U(s, 1), -1, flags)))                                        \
    X(fmax_##s, two, fp_box_##s(extreme(FORMAT_##s, U(s, 0), U(s, 1), 1, flags)))                                         \
    X(feq_##s, two, compare(FORMAT_##s, U(s, 0), U(s, 1), false, flags) == 0)                                             \
    X(flt_##s, two, compare(FORMAT_##s, U(s, 0), U(s, 1), true, flags) == -1)                                             \
    X(fle_##s, two, compare(FORMAT_##s, U(s, 0), U(s, 1), true, flags) <= 0)                                              \
    X(fltq_##s, two, compare(FORMAT_##s, U(s, 0), U(s, 1), false, flags) == -1)                                           \
    X(fleq_##s, two, compare(FORMAT_##s, U(s, 0), U(s, 1), false, flags) <= 0)                                            \
    X(fltn_##s, two, quiet(compare(FORMAT_##s, U(s, 0), U(s, 1), false, flags) == -1, flags))                             \
    X(flen_##s, two, quiet(compare(FORMAT_##s, U(s, 0), U(s, 1), false, flags) <= 0, flags))                              \
    X(fcvt_w_##s, one, fp_soft_to_integer(FORMAT_##s, U(s, 0), rm, 32, true, flags))                                      \
    X(fcvt_wu_##s, one, fp_soft_to_integer(FORMAT_##s, U(s, 0), rm, 32, false, flags))                                    \
    X(fcvt_l_##s, one, fp_soft_to_integer(FORMAT_##s, U(s, 0), rm, 64, true, flags))                                      \
    X(fcvt_lu_##s, one, fp_soft_to_integer(FORMAT_##s, U(s, 0), rm, 64, false, flags))                                    \
    X(fcvt_##s##_w, "w", fp_box_##s(fp_soft_from_integer(FORMAT_##s, INTEGER(a[0], true), rm, flags)))                    \
    X(fcvt_##s##_wu, "w", fp_box_##s(fp_soft_from_integer(FORMAT_##s, (uint32_t)a[0], false, rm, flags)))                 \
    X(fcvt_##s##_l, "l", fp_box_##s(fp_soft_from_integer(FORMAT_##s, INTEGER(a[0], true), rm, flags)))                    \
    X(fcvt_##s##_lu, "l", fp_box_##s(fp_soft_from_integer(FORMAT_##s, a[0], false, rm, flags)))
#define ALL_REFERENCES(X)                                                                \
    REFERENCES(X, s, "s", "ss", "sss")                                                   \
    REFERENCES(X, d, "d", "dd", "ddd")                                                   \
    X(fcvt_s_d, "d", fp_box_s(fp_soft_convert(&fp_single, &fp_double, a[0], rm, flags))) \
    X(fcvt_d_s, "s", fp_soft_convert(&fp_double, &fp_single, U(s, 0), rm, flags))

#define DEFINE(name, operands, ...)                                                       \
    static uint64_t reference_##name(const uint64_t a[3], unsigned rm, uint32_t *flags) { \
        (void)rm;                                                                         \
        (void)flags;                                                                      \
        return (uint64_t)(__VA_ARGS__);                                                   \
    }
ALL_REFERENCES(DEFINE)

static const struct {
    const char *name, *operands;
    reference *run;
} references[] = {
#define ROW(name, operands, ...) {#name, operands, reference_##name},
    ALL_REFERENCES(ROW)};

static unsigned compare_row(size_t row, unsigned rm, unsigned times) {
    struct operation operation = operation_of(references[row].name, rm);
    assert_non_null(operation.plain);
    for (unsigned i = 0; i < times; i++) {
        uint64_t slot[3];
        uint32_t flags = 0;
        operand_choose(references[row].operands, strncmp(references[row].name, "fcvt", 4) == 0, slot);
        uint64_t result = references[row].run(slot, rm, &flags);
        expect(&operation, slot, result, flags);
    }
    return times;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void compare_for(double duration) {
    double end = seconds() + duration;
    failures = 0;
    for (unsigned round = 0; round < 3 || seconds() < end; round++) {
        for (size_t row = 0; row < sizeof references / sizeof *references; row++) {
            for (unsigned rm = FP_RNE; rm <= FP_RMM; rm++) compare_row(row, rm, 100);
        }
    }
    assert_int_equal(failures, 0);
}

static void test_host(void **state) {
    (void)state;
    compare_for(2);
}

// What hosts without fused multiply-add do.
static void test_host_without_fma(void **state) {
    (void)state;
    bool has_fma = fp_host_has_fma;
    fp_host_has_fma = false;
    compare_for(0.3);
    fp_host_has_fma = has_fma;
}

// ---- control and status

static void test_flags(void **state) {
    (void)state;
    fp_rounding_write(cpu, FP_RNE);
    fp_flags_write(cpu, 0xffffffe0);
    assert_int_equal(fp_flags_read(cpu), 0);
    for (uint32_t flags = 0; flags < 32; flags++) {
        fp_flags_write(cpu, flags);
        assert_int_equal(fp_flags_read(cpu), flags);
        fp_add_d(cpu, 1, FP_BOX_S);  // a tiny number and a NaN: no flags
        assert_int_equal(fp_flags_read(cpu), flags);
        fp_div_d(cpu, UINT64_C(0x3ff0000000000000), 0);
        assert_int_equal(fp_flags_read(cpu), flags | FP_DZ);
    }
    fp_flags_write(cpu, 0);
    assert_int_equal(fp_flags_read(cpu), 0);
}

// The mode that the host's FPU is in, by what it does (fegetround may ask another unit than the one that calculates).
static unsigned host_rounding(void) {
    double above = fp_host_add_d(1, 0x1.8p-53), below = fp_host_sub_d(-1, 0x1.8p-53);
    if (above > 1 && below < -1) return FP_RNE;
    return above > 1 ? FP_RUP : below < -1 ? FP_RDN : FP_RTZ;
}

static void test_rounding(void **state) {
    (void)state;
    static const unsigned host[] = {FP_RNE, FP_RTZ, FP_RDN, FP_RUP, FP_RNE, FP_RNE, FP_RNE, FP_RNE};
    cpu->mode = MODE_COUNT;
    for (uint32_t rounding = 0; rounding < 8; rounding++) {
        fp_rounding_write(cpu, rounding | 0x100);
        assert_int_equal(cpu->fp_rounding, rounding);
        assert_int_equal(host_rounding(), host[rounding]);
        assert_int_equal(cpu->mode, MODE_COUNT | (rounding == FP_RMM ? MODE_RM_AWAY : rounding > FP_RMM ? MODE_RM_BAD : 0));
        for (unsigned rm = FP_RNE; rm <= FP_RUP; rm++) {
            fp_round_set(cpu, rm);
            assert_int_equal(host_rounding(), rm);
        }
        fp_round_restore(cpu);
        assert_int_equal(host_rounding(), host[rounding]);
    }
    fp_rounding_write(cpu, FP_RNE);
    cpu->mode = 0;
}

// The guest's flags and mode survive leaving guest code; C code in between has its own.
static void test_enter_and_leave(void **state) {
    (void)state;
    fp_flags_write(cpu, FP_UF);
    fp_rounding_write(cpu, FP_RUP);
    fp_div_d(cpu, UINT64_C(0x3ff0000000000000), 0);
    fp_host_leave(cpu);
    assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
    assert_int_equal(host_rounding(), FP_RNE);
    feraiseexcept(FE_INVALID);
    fp_host_enter(cpu);
    assert_int_equal(fp_flags_read(cpu), FP_UF | FP_DZ);
    assert_int_equal(host_rounding(), FP_RUP);
    fp_host_leave(cpu);
    fp_rounding_write(cpu, FP_RNE);
}

static int begin(void **state) {
    (void)state;
    cpu = calloc(1, sizeof *cpu);
    return cpu ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    free(cpu);
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1) vectors = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),          cmocka_unit_test(test_vectors_cover), cmocka_unit_test(test_host),
        cmocka_unit_test(test_host_without_fma), cmocka_unit_test(test_flags),         cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_enter_and_leave),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
