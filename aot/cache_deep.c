// `ferry cache verify --deep`: makes a sample of the kept code again and compares it with what was kept; see cache.h and remake.h.
//
// Records are counted first; then a child process goes through them once more, picks as many of each sort as are wanted, each with the same chance, and notes in a
// shared memory what it found. Whatever a record makes of LLVM, it ends the child alone: that is a finding as well, and another child goes on behind it.
#include "aot/cache.h"
#include "aot/remake.h"
#include "cache/key.h"
#include "runtime/base/text.h"
#include "translator/llvm/jit.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAMPLE = 100, MOST_FINDINGS = 256, PATIENCE = 20 };  // of records of each sort; seconds for one

// A record that is not what this Ferry makes.
struct finding {
    char file[PATH_MAX], name[sizeof((struct snapshot_head *)NULL)->name];
    struct store_key module;
    uint32_t kind, entry, at, size;
    uint8_t remade;
    int signal;  // that ended the child, or 0
};

// What children write and their parent reads.
struct notes {
    uint64_t number;  // of the records that were picked: how many are done, or in hand
    bool busy;  // with the last of them
    struct finding now;
    uint64_t compared[REMAKE_SORTS];
    uint32_t findings;  // of which the first are here
    struct finding finding[MOST_FINDINGS];
};

struct deep {
    const struct cache_command *command;
    const char *directory;  // that files are in, or a bundle
    uint64_t records[REMAKE_SORTS], others;  // OTHERS: of other builds
    bool picking;
    struct {
        uint64_t seen, picked;
    } sort[REMAKE_SORTS];
    uint64_t sample, seed, state;
    uint64_t number, done;  // picked by this child, and by those before it
    struct notes *notes;
};

// ---- picking

// splitmix64
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

// Whether the next record is among those wanted. (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S)
static bool pick(struct deep *d, enum remake_sort sort) {
    uint64_t total = d->records[sort], seen = d->sort[sort].seen++;
    uint64_t left = total > seen ? total - seen : 1, wanted = d->sample - d->sort[sort].picked;
    if (next_random(&d->state) % left >= wanted) return false;
    d->sort[sort].picked++;
    return true;
}

// ---- comparing

static void note_finding(struct notes *notes, const struct finding *finding) {
    if (notes->findings < MOST_FINDINGS) notes->finding[notes->findings] = *finding;
    notes->findings++;
}

static void compare(struct deep *d, struct snapshot *s, const char *file, const struct format_place *place,
                    struct snapshot_tools *tools) {
    struct notes *notes = d->notes;
    if (++d->number <= d->done) return;
    notes->number = d->number;
    const uint8_t *piece = snapshot_lend(s, place->piece, tools);
    if (!piece) return;  // which is said by those who look for damage
    notes->now = (struct finding){.module = s->head.key, .kind = place->kind, .entry = place->entry, .size = place->size};
    snprintf(notes->now.file, sizeof notes->now.file, "%s", file);
    memcpy(notes->now.name, s->head.name, sizeof notes->now.name);
    notes->compared[remake_sort(place->kind)]++;
    notes->busy = true;
    alarm(PATIENCE);
    const struct remake_record record = {place->kind, place->entry, piece + place->offset, place->size};
    notes->now.remade = (uint8_t)remake(&record, &notes->now.at);
    alarm(0);
    if (notes->now.remade != REMADE_SAME) note_finding(notes, &notes->now);
    notes->busy = false;
}

// ---- going through records

static int by_bytes(const void *a, const void *b) {
    const struct format_place *x = *(const struct format_place *const *)a, *y = *(const struct format_place *const *)b;
    if (x->piece != y->piece) return x->piece < y->piece ? -1 : 1;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

// Places with the same bytes are entries of one record, but where a sheet is at a page that is not its own.
static bool is_again(const struct format_place *a, const struct format_place *b) {
    return a->piece == b->piece && a->offset == b->offset && a->kind == b->kind && remake_sort(a->kind) != REMAKE_SHEET;
}

static void go_through(struct deep *d, struct snapshot *s, const char *file, struct snapshot_tools *tools) {
    const struct format_place **sorted = malloc((s->places + 1) * sizeof *sorted);
    if (!sorted) return;
    for (uint32_t i = 0; i < s->places; i++) sorted[i] = &s->place[i];
    qsort(sorted, s->places, sizeof *sorted, by_bytes);
    bool ours = !memcmp(&s->head.build, &d->command->build, sizeof s->head.build);
    for (uint32_t i = 0; i < s->places; i++) {
        enum remake_sort sort = remake_sort(sorted[i]->kind);
        if (sort == REMAKE_NONE || (i && is_again(sorted[i - 1], sorted[i]))) continue;
        if (!ours) d->others++;
        else if (!d->picking) d->records[sort]++;
        else if (pick(d, sort)) compare(d, s, file, sorted[i], tools);
    }
    free(sorted);
}

static void visit_file(const struct disk_file *file, struct module_file *opened, const char *why, struct snapshot_tools *tools,
                       void *data) {
    struct deep *d = data;
    char buffer[PATH_MAX];
    struct text path = TEXT_ON(buffer);
    if (why || directory_is_profile(&file->build)) return;
    text_add(&path, "%s/", d->directory);
    directory_file(&path, &file->build, &file->module);
    go_through(d, &opened->snapshot, buffer, tools);
}

static const char *visit_module(struct snapshot *s, struct snapshot_tools *tools, void *data) {
    struct deep *d = data;
    if (!directory_is_profile(&s->head.build)) go_through(d, s, d->directory, tools);
    return NULL;
}

static void walk_directory(struct deep *d, const char *path, uint32_t owner) {
    struct disk disk;
    bool missing;
    d->directory = path;
    if (*path && !disk_open(&disk, path, owner, DISK_AS_IT_IS, &missing)) {
        cache_walk(&disk, visit_file, d);
        disk_close(&disk);
    }
}

static void walk_bundle(struct deep *d, const char *path) {
    struct bundle_file bundle;
    d->directory = path;
    if (bundle_open(&bundle, path)) return;
    bundle_walk(&bundle, visit_module, d);
    bundle_close(&bundle);
}

// The user's directory and the system's, or the bundles that were named.
static void walk(struct deep *d) {
    const struct cache_command *command = d->command;
    for (int i = 1; i < command->count; i++) walk_bundle(d, command->words[i]);
    if (command->count > 1) return;
    if (command->directory) walk_directory(d, command->directory, geteuid());
    char *list = strdup(command->system), *rest = list;
    for (char *path; rest && (path = strsep(&rest, ":"));) walk_directory(d, path, command->systems_own ? 0 : geteuid());
    free(list);
}

// ---- children

static _Noreturn void be_child(struct deep *d) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    const char *why = remake_begin(d->command->isa, d->command->features);
    if (why) {
        cache_complain("make", "code to compare", why);
        _exit(1);
    }
    d->picking = true;
    d->state = d->seed;
    walk(d);
    _exit(0);
}

// Lets a child go on behind what is done. False when no other one is wanted.
static bool run_child(struct deep *d, bool *failed) {
    struct notes *notes = d->notes;
    pid_t parent = getpid(), child = fork();
    int status;
    d->done = notes->number;
    if (!child) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) _exit(1);
        be_child(d);
    }
    while (child > 0 && waitpid(child, &status, 0) != child) continue;
    if (child > 0 && WIFEXITED(status) && !WEXITSTATUS(status)) return false;
    *failed = child < 0 || !notes->busy;
    if (*failed) return false;
    notes->now.remade = REMADE_NOT;
    notes->now.signal = WIFSIGNALED(status) ? WTERMSIG(status) : SIGABRT;
    note_finding(notes, &notes->now);
    notes->busy = false;
    return true;
}

// ---- telling

static const char *reason(const struct finding *f, char *buffer, size_t size) {
    static const char *const words[] = {
        [REMADE_NOT] = "this Ferry makes no code of it", [REMADE_NONSENSE] = "it is no such record"};
    if (f->signal == SIGALRM) snprintf(buffer, size, "it took more than %d s to make it again", PATIENCE);
    else if (f->signal) snprintf(buffer, size, "making it again ended by signal %d", f->signal);
    else if (f->remade == REMADE_OTHER)
        snprintf(buffer, size, "this Ferry makes other code of it, from byte %" PRIu32 " of %" PRIu32 " on", f->at, f->size);
    else snprintf(buffer, size, "%s", words[f->remade]);
    return buffer;
}

static json_t *pack_finding(const struct finding *f) {
    char hex[DIRECTORY_HEX], why[128];
    directory_hex(&f->module, hex);
    return json_pack("{s:o, s:s, s:o, s:s, s:I, s:I, s:s}", "file", cache_text(f->file), "module", hex, "name", cache_text(f->name),
                     "sort", remake_sort(f->kind) == REMAKE_SHEET ? "sheet" : "region", "kind", (json_int_t)f->kind, "entry",
                     (json_int_t)f->entry, "reason", reason(f, why, sizeof why));
}

static json_t *pack_counts(const struct deep *d, enum remake_sort sort) {
    return json_pack("{s:I, s:I}", "records", (json_int_t)d->records[sort], "compared", (json_int_t)d->notes->compared[sort]);
}

static json_t *pack(const struct deep *d) {
    json_t *wrong = json_array();
    for (uint32_t i = 0; i < d->notes->findings && i < MOST_FINDINGS; i++)
        json_array_append_new(wrong, pack_finding(&d->notes->finding[i]));
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:o}", "sheets", pack_counts(d, REMAKE_SHEET), "regions",
                     pack_counts(d, REMAKE_REGION), "other_builds", (json_int_t)d->others, "seed", (json_int_t)d->seed, "wrong",
                     (json_int_t)d->notes->findings, "findings", wrong);
}

// ---- all of it

// Why nothing can be compared, or NULL.
static const char *hindrance(const struct cache_command *command) {
    if (!command->isa || !command->has_build) return "it is not said for which guest";
    if (!jit_is_as_built()) return "the LLVM library is not the one that this was built with";
    return key_is_this_build(&command->build) ? NULL : key_other_build;
}

json_t *cache_deep(const struct cache_command *command, int *status) {
    struct deep d = {.command = command, .sample = command->has_sample ? command->sample : SAMPLE, .seed = command->seed};
    bool failed = false;
    const char *why = hindrance(command);
    d.notes = mmap(NULL, sizeof *d.notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!why && d.notes == MAP_FAILED) why = "there is not enough memory";
    if (why) {
        cache_complain("compare", "code", why);
        *status = 1;
        return NULL;
    }
    if (!command->has_seed && getrandom(&d.seed, sizeof d.seed, 0) == sizeof d.seed) d.seed >>= 32;
    walk(&d);
    fflush(NULL);
    while (run_child(&d, &failed)) continue;
    if (failed) cache_complain("compare", "all of the sample", "the process that does it failed");
    if (failed || d.notes->findings) *status = 1;
    json_t *found = pack(&d);
    munmap(d.notes, sizeof *d.notes);
    return found;
}

static void print_counts(json_t *deep, const char *sort) {
    json_t *counts = json_object_get(deep, sort);
    printf("%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " %s", cache_number(counts, "compared"),
           cache_number(counts, "records"), sort);
}

void cache_deep_print(json_t *deep) {
    size_t i;
    json_t *finding;
    if (!deep) return;
    json_array_foreach(json_object_get(deep, "findings"), i, finding) {
        printf("%s: %s at 0x%llx of %s: %s\n", json_string_value(json_object_get(finding, "file")),
               json_string_value(json_object_get(finding, "sort")), (unsigned long long)cache_number(finding, "entry"),
               json_string_value(json_object_get(finding, "name")), json_string_value(json_object_get(finding, "reason")));
    }
    printf("made again: ");
    print_counts(deep, "sheets");
    printf(", ");
    print_counts(deep, "regions");
    printf("; %" JSON_INTEGER_FORMAT " wrong (--seed=%" JSON_INTEGER_FORMAT ")\n", cache_number(deep, "wrong"),
           cache_number(deep, "seed"));
    if (cache_number(deep, "other_builds"))
        printf("not compared: %" JSON_INTEGER_FORMAT " records of another Ferry, guest processor (--cpu) or host processor\n",
               cache_number(deep, "other_builds"));
}
