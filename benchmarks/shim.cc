// The C face of Google Benchmark: see shim.h.
#include "benchmarks/shim.h"
#include <benchmark/benchmark.h>

struct bench {
    benchmark::State &state;
};

static bool failed;

void bench_register(const char *name, bench_function *function, const void *data) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State &state) {
        bench bench{state};
        function(&bench, data);
    });
}

bool bench_next(bench *bench) {
    return bench->state.KeepRunning();
}

void bench_pause(bench *bench) {
    bench->state.PauseTiming();
}

void bench_resume(bench *bench) {
    bench->state.ResumeTiming();
}

void bench_items(bench *bench, uint64_t per_iteration) {
    double items = static_cast<double>(per_iteration) * static_cast<double>(bench->state.iterations());
    bench->state.counters["items/s"] = benchmark::Counter(items, benchmark::Counter::kIsRate);
    bench->state.counters["s/item"] = benchmark::Counter(items, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void bench_fail(bench *bench, const char *why) {
    failed = true;
    bench->state.SkipWithError(why);
}

int bench_main(int argc, char *argv[]) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return failed;
}
