// build: -static
// Unwind information names functions and landing pads that nothing else leads to.
    .text
    .globl _start
_start:
    ret
    nop
    .globl found_described
found_described:
    .cfi_startproc
    .cfi_personality 0x1b, found_personality
    .cfi_lsda 0x1b, handlers
before:
    call found_personality
found_after_call:
    ret
found_pad:
    addi a0, a0, 1
    call found_resuming
    .cfi_endproc
absent_behind_described:
    addi a0, a0, 1
    ret
found_personality: ret
found_resuming: ret
    .section .gcc_except_table, "a"
handlers:
    .byte 0xff, 0xff, 0x01
    .uleb128 4
    .byte 0
    .byte 8
    .byte found_pad - before
    .byte 0
