// build: -shared
// build: -shared -Wl,-z,separate-code no-sections
// build: clang -fuse-ld=lld -shared -Wl,-z,pack-relative-relocs
// What the dynamic section and relocations name.
    .text
    .globl exported, resolved
    .type exported, @function
exported:
found_exported: ret
    nop
absent_nobody: addi a0, a0, 1
    ret
    nop
found_stored: ret
    .type resolved, @gnu_indirect_function
resolved:
found_resolver:
    lla a0, found_resolved
    ret
found_resolved: ret
found_initial: ret
found_final: ret
found_calling:
    call exported_elsewhere@plt
found_returned:
    la a0, resolved
    ret
    .section .init_array, "aw"
    .dword found_initial
    .section .fini_array, "aw"
    .dword found_final
    .data
    .dword found_stored, found_calling
