// The pads of x86-64 hosts. They are part of the program, so that they cost nothing where nobody goes there.
#include "translator/quick/quick.h"

#ifdef __x86_64__
_Static_assert(CPU_PAD_BYTES == 8, "a jump by way of memory at a distance of four bytes takes seven");

// A function so that the offsets can be operands; nobody calls it.
__attribute__((naked, used)) static void pads(void) {
    __asm__(".balign 64\n"
            ".globl quick_pads\n"
            ".hidden quick_pads\n"
            "quick_pads:\n"
            ".set entry, %c0\n"
            ".rept %c1\n"
            "jmp *entry(%%r13)\n"
            "int3\n"
            ".set entry, entry + %c2\n"
            ".endr" ::"i"(offsetof(struct cpu, native_jump[0].native) - CPU_BASE),
            "i"(CPU_NATIVE_JUMPS), "i"(sizeof(struct cpu_native_jump)));
}
#endif
