// The compiler program's side of the journal: see journal.h. What the runner writes is looked at with care: it may be anything.
#include "aot/journal.h"
#include "aot/names.h"
#include "aot/pages.h"
#include "aot/profile.h"
#include "aot/regions.h"
#include "translator/quick/sheet.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { PAUSE = 1, LAST_WAIT = 15 };  // seconds

static const struct channel *channel;
static const uint8_t *memory;
static sheets_put *put_sheet, *put_profile;
static uint32_t done;  // bytes
static pthread_t thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const struct guest_isa *guest;
static bool begun, ending, ended;

// Takes the entry at `at`. Returns where the next one is, or 0 if it is none.
static uint32_t take(uint32_t at, uint32_t end, uint32_t modules) {
    struct channel_block_note note;
    uint8_t bytes[BLOCK_MAX_BYTES];
    uint32_t target[CHANNEL_TARGETS];
    if (end - at < sizeof note) return 0;
    memcpy(&note, memory + at, sizeof note);
    if (note.module >= modules || note.bytes > sizeof bytes || note.targets > CHANNEL_TARGETS) return 0;
    uint32_t all = channel_note_bytes(note.targets, note.bytes);
    if (all > end - at) return 0;
    memcpy(target, memory + at + sizeof note, note.targets * sizeof *target);
    memcpy(bytes, memory + at + sizeof note + note.targets * sizeof *target, note.bytes);
    struct channel_module module = channel->journal_module[note.module];
    struct pages *pages = pages_of(&module.key, names_of(&module), note.mode);
    pages_add(pages, note.at, bytes, note.bytes);
    pages_mark(pages, note.at, (uint8_t)note.marks);
    for (unsigned i = 0; i < note.targets; i++) pages_lead(pages, note.at, target[i]);
    return at + all;
}

static void read_journal(void) {
    uint32_t end = __atomic_load_n(&channel->journal_in, __ATOMIC_ACQUIRE);
    uint32_t modules = __atomic_load_n(&channel->journal_modules, __ATOMIC_ACQUIRE);
    if (end > CHANNEL_JOURNAL_BYTES || modules > CHANNEL_JOURNAL_MODULES) return;
    while (done < end) {
        uint32_t next = take(done, end, modules);
        if (!next) return;
        done = next;
    }
}

// True when it is for the last time.
static bool wait(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PAUSE;
    pthread_mutex_lock(&lock);
    while (!ending && pthread_cond_timedwait(&changed, &lock, &until) != ETIMEDOUT) continue;
    bool last = ending;
    pthread_mutex_unlock(&lock);
    return last;
}

static void *work(void *data) {
    (void)data;
    for (bool last = false; !last;) {
        last = wait();
        read_journal();
        if (last) regions_decide(guest, channel->features, __atomic_load_n(&channel->exact, __ATOMIC_RELAXED));
        sheets_make(put_sheet, NULL);
        profile_make(put_profile, NULL);
    }
    pthread_mutex_lock(&lock);
    ended = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

void journal_begin(const struct channel *in, const uint8_t *journal, sheets_put *sheet, sheets_put *profile) {
    char name[sizeof in->isa];
    memcpy(name, in->isa, sizeof name);
    name[sizeof name - 1] = 0;
    guest = guest_by_name(name);
    channel = in;
    memory = journal;
    done = CHANNEL_MAPS_BYTES;
    put_sheet = sheet;
    put_profile = profile;
    if (!guest) return;
    sheet_begin(guest, in->features);
    begun = pthread_create(&thread, NULL, work, NULL) == 0;
}

bool journal_end(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LAST_WAIT;
    pthread_mutex_lock(&lock);
    ending = true;
    pthread_cond_broadcast(&changed);
    while (begun && !ended && pthread_cond_timedwait(&changed, &lock, &until) != ETIMEDOUT) continue;
    bool all = ended, ours = begun && ended;
    if (ours) begun = false;
    pthread_mutex_unlock(&lock);
    if (ours) pthread_join(thread, NULL);
    return all;
}
