// build: -static
// build: -static-pie
// Jump tables, as compilers make them and in other ways that are as good.
#define ENTRY(label) .word label - table_relative
    .text
    .globl _start
_start:
    .option push
    .option norelax
    lla gp, __global_pointer$
    .option pop
    call relative
    call bound_far_away
    call set_and_branch
    call masked
    call bytes
    call two_levels
    call biased
    call signed_bounds
    call through_stack
    call near_global
    call base_kept
    call doubled
    call detour
    li a7, 94
    ecall
    j .

// Bounded by a branch; entries are distances.
relative:
    li a5, 2
    bgtu a0, a5, found_default
    lla a4, table_relative
    slli a5, a0, 2
    add a5, a5, a4
    lw a5, 0(a5)
    add a5, a5, a4
    jr a5
found_r0: ret
found_r1: ret
found_r2: ret
absent_r3: nop
    ret
found_default: ret

// Many branches lie between the bound and the jump.
bound_far_away:
    li a5, 3
    bgeu a0, a5, found_default
    beqz a1, 1f
    addi a1, a1, 1
1:  bnez a2, 2f
    call found_callee
2:  lla a4, table_far
    slli s1, a0, 32
    srli s1, s1, 29
    bltz a3, 3f
    addi a3, a3, 1
3:  j 4f
    ret
found_callee: ret
4:  li a5, 3
    bgeu a0, a5, found_default
    lla a4, table_far
    slli a5, a0, 2
    add a5, a5, a4
    lw a5, 0(a5)
    j 5f
    ret
5:  add a5, a5, a4
    jr a5
found_f0: ret
found_f1: ret
found_f2: ret
absent_f3: nop
    ret

// The comparison gives a number first.
set_and_branch:
    sltiu a5, a0, 2
    beqz a5, found_default
    lla a4, table_set
    slli a0, a0, 2
    add a4, a4, a0
    lw a5, 0(a4)
    lla a4, table_set
    add a4, a4, a5
    jr a4
found_s0: ret
found_s1: ret
absent_s2: nop
    ret

// No branch: the mask bounds it.
masked:
    andi a0, a0, 3
    slli a0, a0, 2
    lla a4, table_masked
    add a0, a0, a4
    lw a0, 0(a0)
    add a0, a0, a4
    jr a0
found_m0: ret
found_m1: ret
found_m2: ret
found_m3: ret
absent_m4: nop
    ret

// Bytes that count instructions.
bytes:
    li a5, 2
    bltu a5, a0, found_default
    lla a4, table_bytes
    add a4, a4, a0
    lbu a5, 0(a4)
    slli a5, a5, 1
    lla a4, found_b0
    add a5, a5, a4
    jr a5
found_b0: nop
    ret
found_b1: ret
found_b2: ret
absent_b3: nop
    ret

// A table of classes, and one of places.
two_levels:
    addiw a0, a0, -32
    andi a0, a0, 255
    li a5, 3
    bltu a5, a0, found_default
    lla a4, classes
    add a4, a4, a0
    lbu a0, 0(a4)
    slli a0, a0, 2
    lla a4, table_levels
    add a0, a0, a4
    lw a0, 0(a0)
    add a0, a0, a4
    jr a0
found_l0: ret
found_l1: ret
absent_l2: nop
    ret

// The first case is not 0, and the table's place says so.
biased:
    li a5, 9
    bgtu a0, a5, found_default
    li a5, 8
    bltu a0, a5, found_default
    slli a5, a0, 2
    lla a4, table_biased - 32
    add a5, a5, a4
    lw a5, 0(a5)
    lla a4, table_biased
    add a5, a5, a4
    jr a5
found_i8: ret
found_i9: ret
absent_i10: nop
    ret

signed_bounds:
    bltz a0, found_default
    li a5, 2
    bge a0, a5, found_default
    slli a5, a0, 2
    lla a4, table_signed
    add a5, a5, a4
    lw a5, 0(a5)
    add a5, a5, a4
    jr a5
found_g0: ret
found_g1: ret
absent_g2: nop
    ret

// Without optimisation: the index is stored, and loaded again behind the comparison.
through_stack:
    addi sp, sp, -32
    sd s0, 24(sp)
    addi s0, sp, 32
    sw a0, -20(s0)
    lw a5, -20(s0)
    sext.w a4, a5
    li a5, 2
    bgtu a4, a5, found_leave
    lwu a5, -20(s0)
    slli a4, a5, 2
    lla a5, table_stack
    add a5, a4, a5
    lw a5, 0(a5)
    sext.w a4, a5
    lla a5, table_stack
    add a5, a4, a5
    jr a5
found_k0: j found_leave
found_k1: j found_leave
found_k2: j found_leave
absent_k3: nop
    ret
found_leave:
    ld s0, 24(sp)
    addi sp, sp, 32
    ret

// Reached from the global pointer, once the linker has had a look.
near_global:
    li a5, 1
    bgtu a0, a5, found_default
    slli a0, a0, 2
    lla a4, table_near
    add a0, a0, a4
    lw a5, 0(a0)
    add a5, a5, a4
    jr a5
found_n0: ret
found_n1: ret
absent_n2: nop
    ret

// Base and bound stay in registers for a loop, in which there are calls.
base_kept:
    lla s1, table_kept
    li s2, 2
    li s3, 0
found_round:
    call found_callee
    bgtu s3, s2, found_default
    slli a5, s3, 2
    add a5, a5, s1
    lw a5, 0(a5)
    add a5, a5, s1
    jr a5
found_p0:
    li s3, 2
    j found_round
found_p1: ret
found_p2:
    li s3, 1
    j found_round
absent_p3: nop
    ret

// A register that held something else before, and an index of twice that.
doubled:
    li a5, 1
    bgtu a1, a5, found_default
    mv a0, a1
    slli a0, a0, 1
    addi a0, a0, 1
    slli a0, a0, 2
    lla a4, table_doubled
    add a0, a0, a4
    lw a0, 0(a0)
    add a0, a0, a4
    jr a0
absent_d0: nop
    ret
found_d1: ret
absent_d2: nop
    ret
found_d3: ret

// The shortest way to the jump seems to lead by a call that never returns, and past where the base is set.
detour:
    bnez a0, found_usage
    call found_callee
    call found_callee
    call found_callee
    lla s1, table_detour
    li s2, 2
found_turn:
    call found_callee
    bgtu a0, s2, found_no_option
    slli a5, a0, 2
    add a5, a5, s1
    lw a5, 0(a5)
    add a5, a5, s1
    jr a5
found_o0: j found_turn
found_o1: j found_turn
found_o2: j found_turn
absent_o3: nop
    ret
found_usage:
    call found_never_returns
found_no_option:
    j found_turn
found_never_returns:
    j found_never_returns

    .section .rodata
    .balign 8
table_relative:
    ENTRY(found_r0)
    ENTRY(found_r1)
    ENTRY(found_r2)
    ENTRY(absent_r3)
#undef ENTRY
table_far:
    .word found_f0 - table_far, found_f1 - table_far, found_f2 - table_far, absent_f3 - table_far
table_set:
    .word found_s0 - table_set, found_s1 - table_set, absent_s2 - table_set
table_masked:
    .word found_m0 - table_masked, found_m1 - table_masked, found_m2 - table_masked, found_m3 - table_masked, absent_m4 - table_masked
table_levels:
    .word found_l0 - table_levels, found_l1 - table_levels, absent_l2 - table_levels
table_biased:
    .word found_i8 - table_biased, found_i9 - table_biased, absent_i10 - table_biased
table_signed:
    .word found_g0 - table_signed, found_g1 - table_signed, absent_g2 - table_signed
table_stack:
    .word found_k0 - table_stack, found_k1 - table_stack, found_k2 - table_stack, absent_k3 - table_stack
table_kept:
    .word found_p0 - table_kept, found_p1 - table_kept, found_p2 - table_kept, absent_p3 - table_kept
table_doubled:
    .word absent_d0 - table_doubled, found_d1 - table_doubled, absent_d2 - table_doubled, found_d3 - table_doubled
table_detour:
    .word found_o0 - table_detour, found_o1 - table_detour, found_o2 - table_detour, absent_o3 - table_detour
table_bytes:
    .byte 0, 2, 3, 4
classes:
    .byte 1, 0, 0, 1, 2
    .section .sdata, "aw"
    .balign 4
table_near:
    .word found_n0 - table_near, found_n1 - table_near, absent_n2 - table_near
