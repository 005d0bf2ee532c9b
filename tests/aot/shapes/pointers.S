// build: -static
// Functions that only pointers lead to, in a program that is not relocated.
    .text
    .globl _start
_start:
    la a0, handlers
    ld a1, 0(a0)
    jalr a1
    lui a2, %hi(found_absolute)
    addi a2, a2, %lo(found_absolute)
    jalr a2
    jr a1
found_first: ret
found_second: ret
found_absolute: ret
    nop
    ret
    .data
    .balign 8
handlers:
    .dword found_first, found_second
    .dword 0x7ffffffffffffff0, 3, 0
