// build: -static
// Data among code: behind jumps, behind calls that do not return, behind returns. None of it is code, whatever it looks like.
    .option norelax
    .text
    .globl _start
_start:
    j found_over
absent_numbers:
    .word 0x00000013, 0x00008067
found_over:
    lla a0, absent_text
    lbu a1, 0(a0)
    lla a2, absent_numbers
    lw a3, 4(a2)
    beqz a1, found_cold
    call found_stops
absent_undecodable:
    .word 0, 0xffffffff
absent_text:
    .string "no code at all"
    .balign 4
found_stops:
    li a7, 94
    ecall
found_again:
    j found_again
found_cold:
    bnez a3, found_again
    .word 0
absent_behind:
    ret
