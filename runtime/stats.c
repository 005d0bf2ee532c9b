// Statistics of a run: totals only, kept where the work is done and read once at the end.
#include "runtime/stats.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/cpu_loop.h"
#include "runtime/host/host.h"
#include "runtime/options.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

struct executed {
    uint64_t interpreted, native;
};

static struct executed retired;  // instructions of cpus that are gone; under the list of cpus' lock
static struct {
    uint64_t blocks, instructions, bytes;
} translated;
static struct {
    uint64_t units, blocks, bytes;
} made_native;
static struct {
    uint64_t regions, blocks, instructions, bytes, microseconds;
} optimised;

static uint64_t comparisons[STATS_COMPARISONS];

bool stats_wanted(void) {
    return options.stats || options.stats_json;
}

void stats_add(const struct cpu *cpu) {
    retired.interpreted += cpu->instructions;
    retired.native += cpu->native_instructions;
}

void stats_translated(unsigned instructions, unsigned bytes) {
    translated.blocks++;
    translated.instructions += instructions;
    translated.bytes += bytes;
}

void stats_native(unsigned blocks, unsigned bytes) {
    made_native.units++;
    made_native.blocks += blocks;
    made_native.bytes += bytes;
}

void stats_optimised(const struct channel_result *result, unsigned blocks) {
    optimised.regions++;
    optimised.blocks += blocks;
    optimised.instructions += result->instructions;
    optimised.bytes += result->bytes;
    optimised.microseconds += result->microseconds;
}

void stats_compared(enum stats_comparison outcome) {
    __atomic_fetch_add(&comparisons[outcome], 1, __ATOMIC_RELAXED);
}

static void add_live(struct cpu *cpu, void *data) {
    struct executed *executed = data;
    executed->interpreted += cpu->instructions;
    executed->native += cpu->native_instructions;
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t not_compared(void) {
    uint64_t sum = 0;
    for (unsigned i = STATS_COMPARED + 1; i < STATS_COMPARISONS; i++) sum += comparisons[i];
    return sum;
}

static void report_comparisons(void) {
    error_say(
        "%llu entries of native code compared with the interpreter, %llu not: %llu beside other threads, %llu with clocks or shared "
        "memory, %llu with inexact faults, %llu too long",
        (unsigned long long)comparisons[STATS_COMPARED], (unsigned long long)not_compared(),
        (unsigned long long)comparisons[STATS_BESIDE_THREADS], (unsigned long long)comparisons[STATS_UNSTEADY],
        (unsigned long long)comparisons[STATS_INEXACT], (unsigned long long)comparisons[STATS_LONG]);
}

static void report_text(const struct executed *executed, double seconds) {
    uint64_t instructions = executed->interpreted + executed->native;
    error_say("%llu guest instructions in %.3f s of processor time (%.0f MIPS), %.1f %% of them in native code",
              (unsigned long long)instructions, seconds, seconds > 0 ? (double)instructions / seconds / 1e6 : 0,
              instructions ? 100.0 * (double)executed->native / (double)instructions : 0);
    error_say("%llu blocks translated, from %llu guest instructions in %llu bytes", (unsigned long long)translated.blocks,
              (unsigned long long)translated.instructions, (unsigned long long)translated.bytes);
    error_say("%llu units of native code, of %llu blocks, in %llu bytes", (unsigned long long)made_native.units,
              (unsigned long long)made_native.blocks, (unsigned long long)made_native.bytes);
    error_say("%llu regions compiled, from %llu guest instructions in %llu blocks, in %llu bytes and %.3f s of the compiler's time",
              (unsigned long long)optimised.regions, (unsigned long long)optimised.instructions,
              (unsigned long long)optimised.blocks, (unsigned long long)optimised.bytes, (double)optimised.microseconds / 1e6);
    if (options.cosim) report_comparisons();
}

// The file for the report is mapped from the start on: by the end the guest may have locked itself out of the file system.
enum { REPORT_BYTES = 1024 };
static void *report_file;  // REPORT_BYTES

static long open_report(int flags) {
    long fd = host_call(openat, AT_FDCWD, options.stats_json, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0666);
    if (fd < 0) error_say("cannot write statistics to %s: error %ld", options.stats_json, -fd);
    return fd;
}

void stats_init(void) {
    struct stat about;
    if (!options.stats_json || (stat(options.stats_json, &about) == 0 && !S_ISREG(about.st_mode))) return;
    long fd = open_report(0);
    if (fd < 0) {
        options.stats_json = NULL;  // said once is enough
        return;
    }
    if (host_call(ftruncate, fd, REPORT_BYTES) == 0) {
        void *at = mmap(NULL, REPORT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
        if (at != MAP_FAILED) report_file = at;
    }
    host_call(close, fd);
}

static void report_json(const struct executed *executed, double seconds) {
    char buffer[REPORT_BYTES];
    struct text text = TEXT_ON(buffer);
    unsigned long long instructions = executed->interpreted + executed->native;
    text_add(
        &text,
        "{\"schema\": 1, \"instructions\": %llu, \"native_instructions\": %llu, \"cpu_seconds\": %.6f, \"blocks\": %llu, "
        "\"block_instructions\": %llu, \"block_bytes\": %llu, \"native_units\": %llu, \"native_blocks\": %llu, \"native_bytes\": %llu, "
        "\"optimised_regions\": %llu, \"optimised_instructions\": %llu, \"optimised_blocks\": %llu, \"optimised_bytes\": %llu, \"compiler_seconds\": %.6f, "
        "\"compared\": %llu, \"not_compared\": %llu}",
        instructions, (unsigned long long)executed->native, seconds, (unsigned long long)translated.blocks,
        (unsigned long long)translated.instructions, (unsigned long long)translated.bytes, (unsigned long long)made_native.units,
        (unsigned long long)made_native.blocks, (unsigned long long)made_native.bytes, (unsigned long long)optimised.regions,
        (unsigned long long)optimised.instructions, (unsigned long long)optimised.blocks, (unsigned long long)optimised.bytes,
        (double)optimised.microseconds / 1e6, (unsigned long long)comparisons[STATS_COMPARED], (unsigned long long)not_compared());
    memset(text.at + text.length, ' ', REPORT_BYTES - text.length);
    buffer[REPORT_BYTES - 1] = '\n';
    // Somebody may have made the file shorter, which the copy survives.
    if (report_file && host_copy(report_file, buffer, REPORT_BYTES) == 0) return;
    long fd = open_report(O_TRUNC);
    if (fd < 0) return;
    host_call(write, fd, buffer, REPORT_BYTES);
    host_call(close, fd);
}

void stats_report(void) {
    static bool done;
    if (!stats_wanted() || __atomic_exchange_n(&done, true, __ATOMIC_SEQ_CST)) return;
    struct executed executed = retired;
    cpu_each(add_live, &executed);
    double seconds = cpu_seconds();
    if (options.stats) report_text(&executed, seconds);
    if (options.stats_json) report_json(&executed, seconds);
}
