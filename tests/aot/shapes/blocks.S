// build: -static
// build: -static -Wl,-z,separate-code no-sections
// Where blocks end, and what leads to the next: branches, calls, system calls, the page's end, 64 instructions.
    .option norelax
    .text
    .globl _start
    .balign 4096
_start:
found_start:
    beqz a0, found_branch
    addi a1, a1, 1
absent_middle:
    addi a1, a1, 2
    call found_callee
found_return:
    li a7, 172
    ecall
found_resume:
    fence.i
found_synced:
    j found_jump

// A jump into the middle of an instruction, whose second half is c.nop.
    .balign 4
overlapping:
    .half 0x0013, 0x0001
    nop
    ret
found_jump:
    bnez a2, overlapping + 2
    la t0, found_pointer
    jalr t0
found_indirect_return:
    la a3, found_stored
    sd a3, -8(sp)
    tail found_tail
found_branch:
    .rept 62
    addi a4, a4, 1
    .endr
    bnez a4, found_branch
    addi a4, a4, 1
found_long:
    .rept 64
    c.addi a4, 1
    .endr
found_longer:
    li a0, 93
    ebreak
absent_behind_trap:
    addi a0, a0, 1
    ret

found_callee:
    csrwi frm, 1
found_rounded:
    ret
absent_behind_return:
    addi a0, a0, 1
    ret
found_pointer:
    ret
found_stored:
    ret

// The last instruction of this page lies in the next one as well.
    .balign 4096
found_tail:
    j found_near_end
    .org found_tail + 4092
found_near_end:
    addi a0, a0, 1
found_crossing:
    addi a0, a0, 2000
found_behind_crossing:
    ret
    .set found_overlapped, overlapping + 2
