// Code that is written at run time.
#pragma once
#include <stdint.h>
#include <string.h>

typedef int function(void);

// Writes a function that returns `value`.
static function *emit(void *at, int value) {
#ifdef __riscv
    uint32_t code[] = {(uint32_t)(value + 0x800) >> 12 << 12 | 10 << 7 | 0x37, (uint32_t)value << 20 | 10 << 15 | 10 << 7 | 0x1b,
                       0x00008067};
#else
    uint8_t code[] = {0xb8, value, value >> 8, value >> 16, value >> 24, 0xc3};
#endif
    memcpy(at, code, sizeof code);
    __builtin___clear_cache(at, (char *)at + sizeof code);
    return (function *)at;
}
