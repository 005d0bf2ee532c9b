// guest-test: expect=file arch=riscv64 edit=no-sections
// guest-flags: -nostdlib -nostartfiles -Wl,-T,{here}/gap.ld,--build-id=none
// The same without section headers.
#include "gap.inc"
