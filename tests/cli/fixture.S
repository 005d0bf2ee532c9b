# The program that the command line is tried on: prints "hello" and its first argument's first letter's code as exit status, or 0.
    .globl _start, letter
    .type _start, @function
    .type letter, @function
    .text
_start:
    ld      s0, 0(sp)
    ld      s1, 16(sp)
    li      a0, 1
1:  auipc   a1, %pcrel_hi(text)
    addi    a1, a1, %pcrel_lo(1b)
    li      a2, 6
    li      a7, 64
    ecall
    li      a0, 0
    li      t0, 2
    blt     s0, t0, 2f
    jal     letter
2:  li      a7, 93
    ecall
    .size _start, . - _start
letter:
    lbu     a0, 0(s1)
    addi    a0, a0, -48
    ret
    .size letter, . - letter
text:
    .ascii "hello\n"
