// guest-test: expect=file arch=riscv64 edit=no-sections
// guest-flags: -nostdlib -nostartfiles -Wl,-T,{here}/gap.ld,--build-id=none
// Without section headers and without C library, a linker script with gaps between segments, data below code at an odd address, words that cross pages.
    .globl _start
_start:
    la s0, crossing
    ld a0, 0(s0)
    li t0, 0x1122334455667788
    bne a0, t0, fail
    la t1, zero
    lbu a0, 0(t1)
    bnez a0, fail
    li t2, 0x55
    sb t2, 0(t1)
    la t1, tail
    ld a0, 0(t1)
    bnez a0, fail
    li a7, 64
    li a0, 1
    la a1, text
    li a2, 5
    ecall
    ld a0, 0(sp)        // argc
    addi a0, a0, -1
    li a7, 94
    ecall
fail:
    li a0, 99
    li a7, 94
    ecall
    .data
text: .ascii "bare\n"
    .bss
zero: .skip 5000
tail: .skip 8
    .section .more, "aw", @progbits
crossing: .quad 0x1122334455667788
    .skip 20
