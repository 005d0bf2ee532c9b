// `ferry precompile`: its words, and who does what when; see precompile.h. This process alone writes. Children find code and make sheets
// (precompile_work.c), as many at a time as there are to be jobs; files are taken in their order, so that few of them are in memory at once.
#include "aot/precompile.h"
#include "aot/cache.h"
#include "aot/precompile_parts.h"
#include "cache/key.h"
#include "cache/writer/keys.h"
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_TIME = 3,
    STATUS_SIGNAL = 128,
    MAX_JOBS = 256,
    MOST_WAITING = 128 << 20,  // bytes that the writer has not written
};
static const double nap = 0.1;  // seconds, while nothing happens
static const double flush_every = 1;

struct run {
    const struct wanted *wanted;
    struct targets targets;
    size_t first;  // target that is not done with
    struct task task[MAX_JOBS];
    unsigned running;
    struct writer *writer;
    enum stop stop;
    int signal;
    double begun, flushed;
    uint64_t waiting;  // bytes that the writer was given since it wrote all
};

// ---- starting

// A file whose blocks, or regions, are known and not yet in hand; else one to be looked into, unless there are as many in memory as jobs.
static struct target *next_target(struct run *run, bool *known) {
    struct target *waiting = NULL;
    unsigned in_memory = 0;
    for (size_t i = run->first; i < run->targets.count; i++) {
        struct target *target = &run->targets.target[i];
        *known = target->state == TARGET_MAKING && (target->next < target->blocks || target->next_part < target->parts);
        if (*known) return target;
        in_memory += target->state == TARGET_MAKING || target->state == TARGET_DISCOVERING;
        if (target->state != TARGET_WAITING) continue;
        waiting = in_memory <= run->wanted->jobs ? target : NULL;
        break;
    }
    return waiting;
}

static bool start_task(struct run *run, struct target *target, bool known) {
    struct task *task = run->task;
    while (task->pid) task++;
    bool sheets = known && target->next < target->blocks;
    bool started = sheets  ? task_make(task, run->wanted, target)
                   : known ? task_compile(task, run->wanted, target)
                           : task_discover(task, run->wanted, target);
    run->running += started;
    return started;
}

static void start_tasks(struct run *run) {
    bool known;
    while (run->running < run->wanted->jobs) {
        struct target *target = next_target(run, &known);
        if (!target || !start_task(run, target, known)) break;
    }
}

// ---- ending

static void finish_target(struct run *run, struct target *target, const char *why) {
    if (!why) target_mark(target, run->wanted, run->writer);
    target->state = why ? TARGET_FAILED : TARGET_DONE;
    progress_file(target, why);
}

static void end_task(struct run *run, struct task *task, int status) {
    struct target *target = task->target;
    uint64_t before = target->made_bytes;
    const char *why = task_end(task, status, run->wanted, run->writer);
    run->waiting += target->made_bytes - before;
    run->running--;
    bool failed = target->state == TARGET_FAILED,
         done = !target->tasks && target->next == target->blocks && target->next_part == target->parts;
    if (!failed && (why || done)) finish_target(run, target, why);
    if (!target->tasks && (target->state == TARGET_DONE || target->state == TARGET_FAILED)) target_forget_found(target);
    while (run->first < run->targets.count && run->targets.target[run->first].state >= TARGET_DONE) run->first++;
}

static void end_tasks(struct run *run) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (unsigned i = 0; i < MAX_JOBS; i++) {
            if (run->task[i].pid == pid) end_task(run, &run->task[i], status);
        }
    }
}

// ---- going on

static void listen(sigset_t *signals) {
    sigemptyset(signals);
    sigaddset(signals, SIGCHLD);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGHUP);
    sigprocmask(SIG_BLOCK, signals, NULL);
}

static void listen_no_more(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Until a child ends, somebody wants us to, or for a short time. Children have the same signals blocked, so that a terminal's go to us alone.
static void wait_for_event(struct run *run, const sigset_t *signals) {
    const struct timespec time = {.tv_nsec = (long)(nap * 1e9)};
    int signal = sigtimedwait(signals, NULL, &time);
    if (signal > 0 && signal != SIGCHLD) run->stop = STOP_SIGNAL, run->signal = signal;
    if (run->wanted->seconds > 0 && precompile_now() - run->begun > run->wanted->seconds && !run->stop) run->stop = STOP_TIME;
}

static void flush(struct run *run) {
    bool full = run->waiting > MOST_WAITING;
    if (!full && precompile_now() - run->flushed < flush_every) return;
    if (full) {
        writer_write(run->writer);
        run->waiting = 0;
    } else {
        writer_flush(run->writer);
    }
    run->flushed = precompile_now();
    if (writer_status(run->writer)->why) run->stop = STOP_WRITER;
}

static void go(struct run *run) {
    sigset_t signals;
    listen(&signals);
    while (!run->stop) {
        start_tasks(run);
        if (!run->running) break;
        wait_for_event(run, &signals);
        end_tasks(run);
        flush(run);
        progress_show(&run->targets);
    }
    for (unsigned i = 0; i < MAX_JOBS; i++) {
        if (run->task[i].pid) task_kill(&run->task[i]);
    }
}

// ---- where to

// A bundle is gathered in a directory of its own beside it, which stays where that is not completed.
static const char *part_directory(const struct wanted *wanted) {
    static char path[PATH_MAX];
    char hex[DIRECTORY_HEX];
    struct text text = TEXT_ON(path);
    directory_hex(&wanted->build, hex);
    text_add(&text, "%s.%.8s.part", wanted->output, hex);
    return text.cut ? NULL : path;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk) {
    (void)about, (void)type, (void)walk;
    return remove(path);
}

static int write_bundle(const struct wanted *wanted) {
    enum { DESCRIPTORS = 16 };
    char *words[] = {"export", (char *)(uintptr_t)wanted->output};
    const struct cache_command command = {
        .directory = wanted->directory, .system = "", .secret = wanted->secret, .words = words, .count = 2};
    int status = 0;
    if (!wanted->json) printf("writing %s\n", wanted->output);
    fflush(stdout);
    json_decref(cache_export(&command, &status));
    if (!status) nftw(wanted->directory, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    return status;
}

// ---- all of it

static int run_status(const struct run *run) {
    switch (run->stop) {
    case STOP_SIGNAL: return STATUS_SIGNAL + run->signal;
    case STOP_TIME: return STATUS_TIME;
    case STOP_WRITER: return STATUS_FAILED;
    case STOP_NOT: break;
    }
    bool failed = run->targets.complaints;
    for (size_t i = 0; i < run->targets.count; i++) failed |= run->targets.target[i].state == TARGET_FAILED;
    return failed ? STATUS_FAILED : 0;
}

static bool something_waits(const struct targets *targets) {
    for (size_t i = 0; i < targets->count; i++) {
        if (targets->target[i].state == TARGET_WAITING) return true;
    }
    return false;
}

static void say_evicted(const struct run *run) {
    uint64_t evicted = writer_status(run->writer)->evicted;
    if (evicted)
        progress_complain("%" PRIu64 " files of the cache were removed for want of room; give it more by --cache-size", evicted);
}

// What is said at the end is true: by then all is written.
static void make_all(struct run *run) {
    run->writer = writer_open(run->wanted->directory, &run->wanted->build, run->wanted->limit);
    const char *why = run->writer ? writer_status(run->writer)->why : "there is not enough memory";
    if (!why) {
        go(run);
        writer_write(run->writer);
        why = writer_status(run->writer)->why;
        say_evicted(run);
    }
    if (run->writer) writer_close(run->writer);
    listen_no_more();
    if (!why) return;
    cache_complain("use", run->wanted->directory, why);
    run->stop = STOP_WRITER;
}

static int precompile(const struct wanted *wanted, char *words[], int count) {
    static struct run run;
    run = (struct run){.wanted = wanted, .begun = precompile_now()};
    setpriority(PRIO_PROCESS, 0, wanted->nice);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    store_start(&(struct store_settings){.directory = wanted->directory, .system = wanted->system, .profiles = wanted->profiles},
                &wanted->build);
    progress_begin(wanted->json);
    for (int i = 0; i < count; i++) targets_add(&run.targets, wanted, words[i]);
    progress_files(&run.targets);
    if (something_waits(&run.targets)) make_all(&run);
    progress_end(&run.targets, run.stop);
    int status = run_status(&run);
    if (wanted->output && !run.stop && write_bundle(wanted)) status = STATUS_FAILED;
    targets_free(&run.targets);
    if (fflush(stdout) || ferror(stdout)) return cache_complain("write to", "standard output", "the host refuses it");
    return status;
}

static bool take_option(struct wanted *wanted, int option) {
    switch (option) {
    case 'd': wanted->directory = optarg; break;
    case 'r': wanted->reason = optarg; break;
    case 'y': wanted->system = optarg; break;
    case 'L': wanted->sysroot = optarg; break;
    case 'o': wanted->output = optarg; break;
    case 'p': wanted->profiles = optarg; break;
    case 'S': wanted->secret = optarg; break;
    case 'l': wanted->limit = strtoull(optarg, NULL, 10); break;
    case 'b': return directory_key(optarg, &wanted->build);
    case 'g': return (wanted->isa = guest_by_name(optarg));
    case 'f': wanted->features = strtoull(optarg, NULL, 10); break;
    case 't': wanted->seconds = strtod(optarg, NULL); break;
    case 'j': wanted->jobs = (unsigned)strtoul(optarg, NULL, 0); break;
    case 'n': wanted->nice = (int)strtol(optarg, NULL, 0); break;
    case 'J': wanted->json = true; break;
    case 'O': wanted->loops = true; break;
    default: return false;
    }
    return true;
}

static unsigned processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

static bool take_words(struct wanted *wanted, int argc, char *argv[]) {
    static const struct option options[] = {
        {"directory", required_argument, NULL, 'd'},
        {"reason", required_argument, NULL, 'r'},
        {"system", required_argument, NULL, 'y'},
        {"sysroot", required_argument, NULL, 'L'},
        {"output", required_argument, NULL, 'o'},
        {"profiles", required_argument, NULL, 'p'},
        {"limit", required_argument, NULL, 'l'},
        {"build", required_argument, NULL, 'b'},
        {"guest", required_argument, NULL, 'g'},
        {"features", required_argument, NULL, 'f'},
        {"time-budget", required_argument, NULL, 't'},
        {"jobs", required_argument, NULL, 'j'},
        {"nice", required_argument, NULL, 'n'},
        {"loops", required_argument, NULL, 'O'},
        {"json", required_argument, NULL, 'J'},
        {"sign", required_argument, NULL, 'S'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (!take_option(wanted, option)) return false;
    }
    if (!wanted->jobs) wanted->jobs = processors();
    if (wanted->jobs > MAX_JOBS) wanted->jobs = MAX_JOBS;
    return wanted->isa && optind < argc;
}

// Why there will be no signature, or NULL: better said now than when all is done.
static const char *unfit_secret(const char *path) {
    struct seal_secret secret;
    const char *why = keys_secret(path, &secret);
    keys_forget(&secret);
    return why;
}

int precompile_main(int argc, char *argv[]) {
    struct wanted wanted = {.system = STORE_SYSTEMS, .limit = WRITER_LIMIT, .reason = "no directory is known"};
    if (!take_words(&wanted, argc, argv)) return STATUS_USAGE;
    if (wanted.output) {
        wanted.directory = part_directory(&wanted);
        wanted.system = "";
        wanted.limit = UINT64_MAX;
        wanted.reason = "its path is too long";
    }
    if (!wanted.directory) return cache_complain("use", "a cache", wanted.reason);
    if (!key_is_this_build(&wanted.build)) return cache_complain("use", wanted.directory, key_other_build);
    const char *why = wanted.secret ? unfit_secret(wanted.secret) : NULL;
    if (why) return cache_complain("sign with", wanted.secret, why);
    return precompile(&wanted, argv + optind, argc - optind);
}
