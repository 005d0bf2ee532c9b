# The program that the command line is tried on. Alone it prints "hello" and ends with 0; with a digit as first argument it prints
# "hello" and ends with that; with any other first argument it prints argv[0] and the environment, a line each.
    .globl _start, digit, print
    .type _start, @function
    .type digit, @function
    .type print, @function
    .text
_start:
    ld      s0, 0(sp)           # argc
    ld      s1, 16(sp)          # argv[1]
    li      t0, 2
    blt     s0, t0, 1f
    jal     digit
    mv      s2, a0
    sltiu   t0, a0, 10
    beqz    t0, show
    j       2f
1:  li      s2, 0
2:  auipc   a0, %pcrel_hi(text)
    addi    a0, a0, %pcrel_lo(2b)
    jal     print
end:
    mv      a0, s2
    li      a7, 93              # exit
    ecall
    .size _start, . - _start

show:
    li      s2, 0
    ld      a0, 8(sp)
    jal     print
    addi    s1, sp, 16          # behind argv[0]
3:  ld      a0, 0(s1)           # up to the NULL behind the arguments
    addi    s1, s1, 8
    bnez    a0, 3b
4:  ld      a0, 0(s1)
    beqz    a0, end
    jal     print
    addi    s1, s1, 8
    j       4b

digit:
    lbu     a0, 0(s1)
    addi    a0, a0, -48
    ret
    .size digit, . - digit

# Writes the string at a0 and a newline.
print:
    mv      a1, a0
    mv      a2, a0
5:  lbu     t0, 0(a2)
    addi    a2, a2, 1
    bnez    t0, 5b
    sub     a2, a2, a1
    addi    a2, a2, -1
    li      a0, 1
    li      a7, 64              # write
    ecall
6:  auipc   a1, %pcrel_hi(newline)
    addi    a1, a1, %pcrel_lo(6b)
    li      a0, 1
    li      a2, 1
    li      a7, 64
    ecall
    ret
    .size print, . - print

    .section .rodata
text:
    .asciz "hello"
newline:
    .ascii "\n"
