// Code that accesses guest memory on behalf of cpu->at is kept in one section, so that a fault's host pc tells at once whether the guest or
// Ferry itself was at fault.
#pragma once
#define INTERP_SECTION __attribute__((section("ferry_interp")))
#ifdef __clang__
#define INTERP_UNCHECKED __attribute__((disable_sanitizer_instrumentation))
#else
#define INTERP_UNCHECKED __attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined))
#endif
