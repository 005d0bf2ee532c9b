// guest-test: expect=file arch=riscv64
// guest-flags: -nostdlib -nostartfiles -Wl,-T,{here}/gap.ld,--build-id=none
// No C library, a linker script with gaps between segments.
#include "gap.inc"
