// Raw system calls of the host: result or -errno, no errno, no cancellation points, no glibc state.
#pragma once
#include <sys/syscall.h>

long sys_raw(long number, long a, long b, long c, long d, long e, long f);

// The host call by its kernel name, missing arguments are 0: host_call(openat, AT_FDCWD, path, flags, mode).
#define host_call(name, ...) SYS__SPREAD(SYS_##name __VA_OPT__(, ) __VA_ARGS__, 0, 0, 0, 0, 0, 0)
// The same with the number as a value.
#define host_call_number(...) SYS__SPREAD(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SYS__SPREAD(n, a, b, c, d, e, f, ...) sys_raw((long)(n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
