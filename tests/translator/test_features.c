// The -cpu option and the ISA string of riscv64 guests.
#include "tests/tools/cmocka.h"
#include "translator/guest/riscv64/features.h"
#include <stdint.h>
#include <string.h>

static char why[512];

static guest_features parse(const char *text) {
    guest_features features = 0;
    why[0] = 0;
    if (guest_riscv64.parse_cpu(text, &features, why, sizeof why)) fail_msg("%s: %s", text, why);
    return features;
}

static void refuse(const char *text, const char *part_of_message) {
    guest_features features = 12345;
    assert_int_equal(guest_riscv64.parse_cpu(text, &features, why, sizeof why), -1);
    assert_int_equal(features, 12345);
    if (!strstr(why, part_of_message)) fail_msg("%s: '%s' does not say '%s'", text, why, part_of_message);
}

static void test_processors(void **state) {
    (void)state;
    assert_int_equal(parse("rv64"), RV_ALL);
    assert_int_equal(parse("max"), guest_riscv64.default_features);
    assert_int_equal(parse("rv64i"), RV(I));
    assert_true(riscv64_has(parse("rva22u64"), RV(C) | RV(D) | RV(ZBA) | RV(ZBB) | RV(ZBS) | RV(ZFHMIN) | RV(ZICBOZ)));
    assert_false(parse("rva22u64") & (RV(ZACAS) | RV(ZFA) | RV(ZICOND)));
    refuse("cortex-a72", "cortex-a72");
    refuse("", "there are: rv64");
}

static void test_properties(void **state) {
    (void)state;
    assert_int_equal(parse("rv64,v=false"), RV_ALL & ~(RV(V) | RV(ZVBB) | RV(ZVBC) | RV(ZVKB) | RV(ZVKG) | RV(ZVKNED) | RV(ZVKNHA) |
                                                       RV(ZVKNHB) | RV(ZVKSED) | RV(ZVKSH)));
    assert_int_equal(parse("rv64,zba=off,Zbb=FALSE"), RV_ALL & ~(RV(ZBA) | RV(ZBB)));
    assert_int_equal(parse("rv64,vlen=128,mmu=off,priv_spec=v1.12.0"), RV_ALL);
    assert_int_equal(parse("rv64i,m=true,zba"), RV(I) | RV(M) | RV(ZBA));
    assert_int_equal(parse("rv64,zba=off,zba=on"), RV_ALL);
    assert_int_equal(parse("rv64,-zba"), RV_ALL & ~RV(ZBA));
    refuse("rv64,h=true", "'h' is not offered");
    refuse("rv64,vlen=256", "vlen=128");
    refuse("rv64,elen=32", "elen=64");
    refuse("rv64,zbc=on", "'zbc' is not offered");
    refuse("rv64,nonsense=off", "no property 'nonsense'");
    refuse("rv64,zba=maybe", "zba=true or zba=false");
    refuse("rv64,i=off", "cannot be switched off");
}

static void test_needs(void **state) {
    (void)state;
    assert_false(parse("rv64,f=off") & (RV(F) | RV(D) | RV(ZFA) | RV(ZFHMIN)));
    assert_false(parse("rv64,a=off") & (RV(ZACAS) | RV(ZAWRS)));
    assert_true(riscv64_has(parse("rv64i,d=on"), RV(D) | RV(F) | RV(ZICSR)));
    refuse("rv64,f=off,d=on", "'d' needs 'f'");
}

static void test_isa_string(void **state) {
    (void)state;
    char text[512];
    guest_riscv64.isa_string(RV(I) | RV(M) | RV(A) | RV(F) | RV(D) | RV(C) | RV(ZICSR) | RV(ZBA), text, sizeof text);
    assert_string_equal(text, "rv64imafdc_zicsr_zca_zcd_zba");
    guest_riscv64.isa_string(RV(I), text, sizeof text);
    assert_string_equal(text, "rv64i");
    guest_riscv64.isa_string(RV_ALL, text, sizeof text);
    assert_string_equal(
        text, "rv64imafdcv_zicbom_zicbop_zicboz_zicntr_zicond_zicsr_zifencei_zihintntl_zihintpause_zihpm_zacas_zawrs_zfa_zfhmin"
              "_zca_zcb_zcd_zba_zbb_zbs_zvbb_zvbc_zve32f_zve32x_zve64d_zve64f_zve64x_zvkb_zvkg_zvkned_zvknha_zvknhb_zvksed_zvksh");
    guest_riscv64.isa_string(RV_ALL, text, 8);
    assert_int_equal(strlen(text), 7);
}

static void test_guests(void **state) {
    (void)state;
    assert_ptr_equal(guest_by_machine(243), &guest_riscv64);
    assert_ptr_equal(guest_by_name("riscv64"), &guest_riscv64);
    assert_null(guest_by_machine(62));
    assert_null(guest_by_name("vax"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processors), cmocka_unit_test(test_properties), cmocka_unit_test(test_needs),
        cmocka_unit_test(test_isa_string), cmocka_unit_test(test_guests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
