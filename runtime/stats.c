// Statistics of a run: totals only, kept where the work is done and read once at the end. What each cpu counts is in its meter.
#include "runtime/stats.h"
#include "runtime/base/clock.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/cpu_loop.h"
#include "runtime/host/host.h"
#include "runtime/meter.h"
#include "runtime/options.h"
#include "runtime/state.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

// Of cpus. LLVM's share of the time in native code is known by instructions only.
struct sum {
    uint64_t interpreted, quick, optimised, kept, kept_optimised;  // instructions
    struct meter meter;
};

// What was made, whose times are in the meter but for LLVM's.
struct made {
    uint64_t units, blocks, instructions, guest_bytes, bytes, microseconds;
};

static struct sum retired;  // cpus that are gone; under the list of cpus' lock
static struct made translated, made_native, optimised, restored, laid;
static uint64_t changes[STATS_CHANGES];
static uint64_t comparisons[STATS_COMPARISONS];

bool stats_wanted(void) {
    return options.stats || options.stats_json;
}

static void add(struct cpu *cpu, void *data) {
    struct sum *sum = data;
    sum->interpreted += cpu->instructions;
    sum->quick += cpu->quick_instructions;
    sum->optimised += cpu->optimised_instructions;
    sum->kept += cpu->kept_instructions;
    sum->kept_optimised += cpu->kept_optimised_instructions;
    meter_add(&sum->meter, &runtime_of(cpu)->meter);
}

void stats_add(struct cpu *cpu) {
    add(cpu, &retired);
}

// Of all cpus there were: those that are gone together with the first that is not, under the lock that keeps both as they are.
struct total {
    struct sum sum;
    bool begun;
};

static void add_to_total(struct cpu *cpu, void *data) {
    struct total *total = data;
    if (!total->begun) total->sum = retired;
    total->begun = true;
    add(cpu, &total->sum);
}

void stats_translated(unsigned instructions, unsigned bytes) {
    translated.blocks++;
    translated.instructions += instructions;
    translated.guest_bytes += bytes;
}

void stats_native(unsigned blocks, unsigned guest_bytes, unsigned bytes) {
    made_native.units++;
    made_native.blocks += blocks;
    made_native.guest_bytes += guest_bytes;
    made_native.bytes += bytes;
}

void stats_optimised(const struct channel_result *result, unsigned blocks) {
    optimised.units++;
    optimised.blocks += blocks;
    optimised.instructions += result->instructions;
    optimised.bytes += result->bytes;
    optimised.microseconds += result->microseconds;
}

void stats_restored(const struct record *record) {
    restored.units++;
    restored.blocks += record->blocks;
    restored.instructions += record->instructions;
    restored.bytes += record->image.bytes;
}

void stats_laid(const struct sheet *sheet) {
    laid.units++;
    laid.blocks += sheet->blocks;
    laid.instructions += sheet->instructions;
    laid.bytes += sheet->image.bytes;
}

void stats_count(enum stats_change change) {
    changes[change]++;
}

void stats_forked(struct cpu *cpu) {
    retired = (struct sum){.quick = 0};
    translated = made_native = optimised = restored = laid = (struct made){.units = 0};
    memset(changes, 0, sizeof changes);
    memset(comparisons, 0, sizeof comparisons);
    cpu->instructions = cpu->quick_instructions = cpu->optimised_instructions = cpu->kept_instructions = 0;
    cpu->kept_optimised_instructions = 0;
    meter_begin(cpu);
}

void stats_compared(enum stats_comparison outcome) {
    __atomic_fetch_add(&comparisons[outcome], 1, __ATOMIC_RELAXED);
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

static uint64_t native_instructions(const struct sum *sum) {
    return sum->quick + sum->kept + sum->optimised + sum->kept_optimised;
}

static uint64_t all_instructions(const struct sum *sum) {
    return sum->interpreted + native_instructions(sum);
}

static double share(uint64_t part, uint64_t all) {
    return all ? (double)part / (double)all : 0;
}

// ---- for people

static void say_executed(const struct sum *sum, const char *tier, uint64_t instructions, const char *how, double seconds) {
    error_say("%s: %llu instructions (%.1f %%) in %s%.3f s", tier, (unsigned long long)instructions,
              100 * share(instructions, all_instructions(sum)), how, seconds);
}

static void say_times(const struct sum *sum) {
    const uint64_t *spent = sum->meter.spent;
    double native = meter_seconds(spent[METER_NATIVE]),
           llvm = share(sum->optimised + sum->kept_optimised, native_instructions(sum));
    const char *how = llvm > 0 && llvm < 1 ? "about " : "";
    say_executed(sum, "interpreter", sum->interpreted, "", meter_seconds(spent[METER_INTERPRETER]));
    say_executed(sum, "quick tier", sum->quick + sum->kept, how, native * (1 - llvm));
    say_executed(sum, "LLVM's tier", sum->optimised + sum->kept_optimised, how, native * llvm);
    uint64_t kept = sum->kept + sum->kept_optimised;
    error_say("of these in code from earlier runs: %llu instructions (%.1f %%)", (unsigned long long)kept,
              100 * share(kept, all_instructions(sum)));
    error_say("system calls, signals and faults: %.3f s, waiting included", meter_seconds(spent[METER_SYSTEM]));
}

static void say_made(const struct sum *sum) {
    const uint64_t *spent = sum->meter.spent;
    error_say("translated: %llu blocks, from %llu instructions in %llu bytes, in %.3f s", (unsigned long long)translated.blocks,
              (unsigned long long)translated.instructions, (unsigned long long)translated.guest_bytes,
              meter_seconds(spent[METER_TRANSLATING]));
    error_say("made by the quick tier: %llu units of %llu blocks, from %llu bytes, %llu bytes, in %.3f s",
              (unsigned long long)made_native.units, (unsigned long long)made_native.blocks,
              (unsigned long long)made_native.guest_bytes, (unsigned long long)made_native.bytes,
              meter_seconds(spent[METER_QUICK]));
    error_say(
        "made by LLVM: %llu regions of %llu blocks, from %llu instructions, %llu bytes, in %.3f s of the compiler's time and %.3f s "
        "of the guest's",
        (unsigned long long)optimised.units, (unsigned long long)optimised.blocks, (unsigned long long)optimised.instructions,
        (unsigned long long)optimised.bytes, (double)optimised.microseconds / 1e6, meter_seconds(spent[METER_OPTIMISING]));
    error_say("kept from earlier runs: %llu pages of %llu blocks, from %llu instructions, %llu bytes",
              (unsigned long long)laid.units, (unsigned long long)laid.blocks, (unsigned long long)laid.instructions,
              (unsigned long long)laid.bytes);
    error_say("kept from earlier runs: %llu regions of %llu blocks, from %llu instructions, %llu bytes",
              (unsigned long long)restored.units, (unsigned long long)restored.blocks, (unsigned long long)restored.instructions,
              (unsigned long long)restored.bytes);
}

static void say_events(const struct sum *sum) {
    const unsigned long long *n = (const unsigned long long *)sum->meter.event;
    error_say(
        "native code was left %llu times for system calls, %llu for other traps, %llu because something was pending, %llu for an indirect "
        "jump not in the jump cache, %llu by exits not linked yet, %llu by exits to blocks not hot yet, %llu to blocks without native code",
        n[METER_EXIT_SYSCALL], n[METER_EXIT_TRAP], n[METER_EXIT_INTERRUPTED], n[METER_EXIT_INDIRECT], n[METER_EXIT_UNLINKED],
        n[METER_EXIT_COUNTED], n[METER_EXIT_COLD]);
    error_say(
        "%llu times a unit's count ran out; %llu look-ups of blocks, %llu of them for returns and %llu for other jumps not in the jump cache",
        n[METER_HOT], n[METER_LOOKUPS], n[METER_MISSED_RETURNS], n[METER_MISSED_JUMPS]);
    error_say("%llu blocks dropped by %llu changes of memory and %llu fence.i; emptied for lack of room %llu times",
              (unsigned long long)changes[STATS_DROP], (unsigned long long)changes[STATS_INVALIDATION],
              (unsigned long long)changes[STATS_SYNC], (unsigned long long)changes[STATS_GENERATION]);
}

static void report_text(const struct sum *sum, double seconds) {
    uint64_t instructions = all_instructions(sum);
    error_say("%llu guest instructions in %.3f s of processor time (%.0f MIPS); all other times are by the clock",
              (unsigned long long)instructions, seconds, seconds > 0 ? (double)instructions / seconds / 1e6 : 0);
    say_times(sum);
    say_made(sum);
    say_events(sum);
    if (options.cosim) report_comparisons();
}

// ---- for programs

// The file for the report is mapped from the start on: by the end the guest may have locked itself out of the file system.
enum { REPORT_BYTES = 4096 };
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

static void put_number(struct text *text, const char *key, uint64_t value) {
    text_add(text, ", \"%s\": %llu", key, (unsigned long long)value);
}

static void put_seconds(struct text *text, const char *key, double value) {
    text_add(text, ", \"%s\": %.6f", key, value);
}

static void put_made(struct text *text) {
    put_number(text, "blocks", translated.blocks);
    put_number(text, "block_instructions", translated.instructions);
    put_number(text, "block_bytes", translated.guest_bytes);
    put_number(text, "native_units", made_native.units);
    put_number(text, "native_blocks", made_native.blocks);
    put_number(text, "native_guest_bytes", made_native.guest_bytes);
    put_number(text, "native_bytes", made_native.bytes);
    put_number(text, "optimised_regions", optimised.units);
    put_number(text, "optimised_instructions", optimised.instructions);
    put_number(text, "optimised_blocks", optimised.blocks);
    put_number(text, "optimised_bytes", optimised.bytes);
    put_number(text, "kept_regions", restored.units);
    put_number(text, "kept_instructions", restored.instructions);
    put_number(text, "kept_blocks", restored.blocks);
    put_number(text, "kept_bytes", restored.bytes);
    put_number(text, "kept_pages", laid.units);
    put_number(text, "kept_page_instructions", laid.instructions);
    put_number(text, "kept_page_blocks", laid.blocks);
    put_number(text, "kept_page_bytes", laid.bytes);
    put_seconds(text, "compiler_seconds", (double)optimised.microseconds / 1e6);
}

static void put_counts(struct text *text, const struct meter *meter) {
#define ACTIVITY(id, key) put_seconds(text, key, meter_seconds(meter->spent[METER_##id]));
#define EVENT(id, key) put_number(text, key, meter->event[METER_##id]);
#define CHANGE(id, key) put_number(text, key, changes[STATS_##id]);
#include "runtime/stats.def"
}

static void write_json(struct text *text, const struct sum *sum, double seconds) {
    text_add(text, "{\"schema\": 1");
    put_number(text, "instructions", all_instructions(sum));
    put_number(text, "native_instructions", native_instructions(sum));
    put_number(text, "llvm_instructions", sum->optimised + sum->kept_optimised);
    put_number(text, "kept_quick_instructions", sum->kept);
    put_number(text, "kept_llvm_instructions", sum->kept_optimised);
    put_seconds(text, "cpu_seconds", seconds);
    put_made(text);
    put_counts(text, &sum->meter);
    put_number(text, "compared", comparisons[STATS_COMPARED]);
    put_number(text, "not_compared", not_compared());
    text_add(text, "}");
}

static void report_json(const struct sum *sum, double seconds) {
    char buffer[REPORT_BYTES];
    struct text text = TEXT_ON(buffer);
    write_json(&text, sum, seconds);
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
    struct total total = {.begun = false};
    cpu_each(add_to_total, &total);
    double seconds = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (options.stats) report_text(&total.sum, seconds);
    if (options.stats_json) report_json(&total.sum, seconds);
}
