// What people see of `ferry precompile`: a bar where standard error is a terminal, else a line for each file; or JSON, an object a line.
#include "aot/cache.h"
#include "aot/precompile_parts.h"
#include "cache/directory.h"
#include "runtime/base/clock.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { SCHEMA = 1, BAR = 24, SHORT_LINE = 80, LONG_LINE = 400 };
static const double refresh = 0.1;  // seconds

static struct {
    bool json, bar;
    double begun, shown;
} progress;

static const char *const outcomes[] = {[TARGET_DONE] = "done", [TARGET_CURRENT] = "current", [TARGET_FAILED] = "failed"};
static const char *const stops[] = {[STOP_TIME] = "time", [STOP_SIGNAL] = "signal", [STOP_WRITER] = "cache"};

double precompile_now(void) {
    return clock_seconds(CLOCK_MONOTONIC);
}

// ---- sums

struct sums {
    size_t state[TARGET_FAILED + 1];
    double code, code_done;  // bytes of files that were to be done
    double functions;
    uint64_t blocks, sheets, regions, bytes;
    const char *at;  // the first file that is in work
};

static double part_done(const struct target *target) {
    if (target->state == TARGET_DONE || target->state == TARGET_FAILED) return 1;
    return target->blocks ? (double)target->done / target->blocks : 0;
}

static struct sums sum(const struct targets *targets) {
    struct sums sums = {.at = ""};
    for (size_t i = 0; i < targets->count; i++) {
        const struct target *target = &targets->target[i];
        sums.state[target->state]++;
        if (target->state == TARGET_CURRENT) continue;
        sums.code += (double)target->code;
        sums.code_done += (double)target->code * part_done(target);
        sums.functions += target->functions * part_done(target);
        sums.blocks += target->done;
        sums.sheets += target->sheets;
        sums.regions += target->regions;
        sums.bytes += target->made_bytes;
        bool in_work = target->state == TARGET_MAKING || target->state == TARGET_DISCOVERING;
        if (!*sums.at && in_work) sums.at = target->path;
    }
    return sums;
}

// ---- lines

static void print_json(json_t *line) {
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(line);
}

static void clear_bar(void) {
    if (progress.bar && progress.shown > 0) fputs("\r\033[K", stderr);
}

void progress_complain(const char *format, ...) {
    char text[4096 + 200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    clear_bar();
    fprintf(stderr, "ferry: %s\n", text);
    if (progress.json) print_json(json_pack("{s:s, s:o}", "event", "complaint", "text", cache_text(text)));
}

void progress_begin(bool json) {
    progress.json = json;
    progress.bar = !json && isatty(STDERR_FILENO);
    progress.begun = precompile_now();
    if (json) print_json(json_pack("{s:s, s:i}", "event", "begin", "schema", SCHEMA));
}

void progress_files(const struct targets *targets) {
    struct sums sums = sum(targets);
    if (!progress.json) return;
    print_json(json_pack("{s:s, s:I, s:I, s:I}", "event", "files", "files", (json_int_t)targets->count, "waiting",
                         (json_int_t)sums.state[TARGET_WAITING], "code_bytes", (json_int_t)sums.code));
    for (size_t i = 0; i < targets->count; i++) {
        if (targets->target[i].state == TARGET_CURRENT) progress_file(&targets->target[i], NULL);
    }
}

static void print_file_json(const struct target *target, const char *why, double seconds) {
    json_t *keys = json_array();
    for (unsigned i = 0; i < target->modules.count; i++) {
        char hex[DIRECTORY_HEX];
        directory_hex(&target->modules.module[i].key, hex);
        json_array_append_new(keys, json_string(hex));
    }
    print_json(json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:f, s:o*}", "event", "file", "file",
                         cache_text(target->path), "state", outcomes[target->state], "modules", keys, "functions",
                         (json_int_t)target->functions, "blocks", (json_int_t)target->done, "sheets", (json_int_t)target->sheets,
                         "regions", (json_int_t)target->regions, "bytes", (json_int_t)target->made_bytes, "seconds", seconds,
                         "reason", why ? cache_text(why) : NULL));
}

void progress_file(const struct target *target, const char *why) {
    double seconds = target->state == TARGET_CURRENT ? 0 : precompile_now() - target->begun;
    if (why) progress_complain("%s: %s", target->path, why);
    if (progress.json) print_file_json(target, why, seconds);
    else if (!progress.bar && !why)
        printf("%s: %" PRIu32 " functions, %" PRIu32 " blocks, %" PRIu32 " sheets, %" PRIu32 " regions, %.1f s\n", target->path,
               target->functions, target->done, target->sheets, target->regions, seconds);
    fflush(stdout);
}

// ---- the bar

static void put_time(struct text *text, double seconds) {
    long whole = (long)(seconds + 0.5);
    if (whole < 3600) text_add(text, "%ld:%02ld", whole / 60, whole % 60);
    else text_add(text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

static unsigned width(void) {
    struct winsize size;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : SHORT_LINE;
}

static void put_bar(struct text *text, const struct targets *targets, const struct sums *sums) {
    double part = sums->code > 0 ? sums->code_done / sums->code : 1, spent = precompile_now() - progress.begun;
    int full = (int)(part * BAR);
    const char *slash = strrchr(sums->at, '/');
    text_add(text, "[%.*s%*s] %3d %%  ", full, "########################", BAR - full, "", (int)(100 * part));
    text_add(text, "%zu/%zu files  ", sums->state[TARGET_DONE] + sums->state[TARGET_FAILED] + sums->state[TARGET_CURRENT],
             targets->count);
    text_add(text, "%.0f functions  %.0f/s  ", sums->functions, spent > 0 ? sums->functions / spent : 0);
    if (part > 0.01) {
        put_time(text, spent / part - spent);
        text_add(text, " left  ");
    }
    text_add(text, "%s", slash ? slash + 1 : sums->at);
}

void progress_show(const struct targets *targets) {
    char line[LONG_LINE];
    struct text text = TEXT_ON(line);
    double now = precompile_now();
    if (!progress.bar || now - progress.shown < refresh) return;
    struct sums sums = sum(targets);
    put_bar(&text, targets, &sums);
    fprintf(stderr, "\r%.*s\033[K", (int)width() - 1, line);
    progress.shown = now;
}

// ---- the end

void progress_end(const struct targets *targets, enum stop stop) {
    struct sums sums = sum(targets);
    double seconds = precompile_now() - progress.begun;
    size_t done = sums.state[TARGET_DONE], current = sums.state[TARGET_CURRENT], failed = sums.state[TARGET_FAILED];
    size_t left = targets->count - done - current - failed;
    clear_bar();
    if (progress.json)
        print_json(json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:s*}", "event", "end", "done",
                             (json_int_t)done, "current", (json_int_t)current, "failed", (json_int_t)failed, "left",
                             (json_int_t)left, "functions", (json_int_t)sums.functions, "blocks", (json_int_t)sums.blocks, "sheets",
                             (json_int_t)sums.sheets, "regions", (json_int_t)sums.regions, "bytes", (json_int_t)sums.bytes,
                             "complaints", (json_int_t)targets->complaints, "seconds", seconds, "stopped", stops[stop]));
    else if (current == targets->count && !targets->complaints) printf("nothing to do: %zu files\n", current);
    else if (targets->count)
        printf("%zu files done, %zu were so before, %zu failed, %zu left: %.0f functions, %" PRIu64 " blocks, %" PRIu64
               " sheets, %" PRIu64 " regions, %.1f s\n",
               done, current, failed, left, sums.functions, sums.blocks, sums.sheets, sums.regions, seconds);
    fflush(stdout);
}
