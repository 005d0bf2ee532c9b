// Google Benchmark for C: the benchmarks in micro/ are C, and shim.cc is the only C++ of the project.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

struct bench;  // one benchmark under way

typedef void bench_function(struct bench *bench, const void *data);  // NOLINT: the one shape of all benchmarks

// Adds a benchmark to the list that bench_main runs. `data` must stay valid.
void bench_register(const char *name, bench_function *function, const void *data);
// True as long as another iteration is to be made; time is taken from the first call to the one that returns false.
bool bench_next(struct bench *bench);
// Clock off and on inside an iteration.
void bench_pause(struct bench *bench);
void bench_resume(struct bench *bench);
// How many things each iteration dealt with, for "per second" and "time per thing".
void bench_items(struct bench *bench, uint64_t per_iteration);
// Gives up with a message; bench_next returns false from now on.
void bench_fail(struct bench *bench, const char *why);
// Runs all of the list that the command line (Google Benchmark's) chooses. Exit status: 1 if one gave up.
int bench_main(int argc, char *argv[]);

#ifdef __cplusplus
}
#endif
