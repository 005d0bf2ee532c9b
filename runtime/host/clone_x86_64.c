// x86-64 Linux: see clone.h. Everything that the child needs is in registers that the kernel keeps, because its stack is empty.
#ifdef __x86_64__
#include "runtime/host/clone.h"

// clang-format off: assembly
#define FUNCTION(name, body)              \
    ".globl " #name "\n"                  \
    ".type " #name ", @function\n"        \
    #name ":\n"                           \
    "    .cfi_startproc\n" body           \
    "    syscall\n"                       \
    "    test %rax, %rax\n"               \
    "    jz host_clone_child\n"           \
    "    ret\n"                           \
    "    .cfi_endproc\n"                  \
    ".size " #name ", . - " #name "\n"

__asm__(".pushsection .text\n"
        FUNCTION(host_clone,
                 "    mov %rcx, %r10\n"
                 "    mov $56, %eax\n")  // clone
        FUNCTION(host_clone3,
                 "    mov %rdx, %r8\n"
                 "    mov %rcx, %r9\n"
                 "    mov $435, %eax\n")  // clone3
        "host_clone_child:\n"             // function in r8, its argument in r9
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"  // the outermost frame of the child
        "    xor %ebp, %ebp\n"
        "    mov %r9, %rdi\n"
        "    call *%r8\n"
        "    mov %eax, %edi\n"
        "    mov $60, %eax\n"  // exit
        "    syscall\n"
        "    hlt\n"
        "    .cfi_endproc\n"
        ".size host_clone_child, . - host_clone_child\n"
        ".popsection\n");
// clang-format on
#endif
