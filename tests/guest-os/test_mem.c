// The guest's address space: after every operation the list of areas must be what /proc/self/maps says the host has there, with the
// permissions that the guest's stand for; and every call fails with the errno of its man page.
#include "tests/tools/cmocka.h"
#include "runtime/mem.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

enum { ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS, RW = PROT_READ | PROT_WRITE };
#define WINDOW UINT64_C(0x20000000)
#define WINDOW_PAGES 96

// ---- the check

struct range {
    uint64_t start, end;
    char perms[5];
};

// The host's mappings where guests live, joined where they are alike. This program itself may lie there, if it is not position
// independent.
static size_t host_ranges(struct range *to, size_t room) {
    FILE *file = fopen("/proc/self/maps", "r");
    char line[512];
    size_t count = 0;
    while (fgets(line, sizeof line, file)) {
        struct range range;
        assert_int_equal(sscanf(line, "%lx-%lx %4s", &range.start, &range.end, range.perms), 3);
        if (range.start >= MEM_TOP || strstr(line, "test_mem") || strstr(line, "[heap]")) continue;
        struct range *last = count ? &to[count - 1] : NULL;
        if (last && last->end == range.start && !strcmp(last->perms, range.perms)) last->end = range.end;
        else {
            assert_true(count < room);
            to[count++] = range;
        }
    }
    fclose(file);
    return count;
}

static void host_perms(const struct mem_area *area, char perms[5]) {
    bool readable = area->prot & (PROT_READ | PROT_EXEC);
    snprintf(perms, 5, "%c%c-%c", readable ? 'r' : '-', area->prot & PROT_WRITE ? 'w' : '-', area->flags & MAP_SHARED ? 's' : 'p');
}

static bool same_kind(const struct mem_area *a, const struct mem_area *b) {
    return a->prot == b->prot && a->flags == b->flags && a->kind == b->kind && a->sealed == b->sealed && a->no_fork == b->no_fork &&
           a->mapping == b->mapping;
}

static size_t listed_ranges(struct range *to) {
    struct mem_area area, before = {0};
    size_t count = 0;
    for (uint64_t at = 0; mem_next(at, &area); at = area.end, before = area) {
        assert_true(area.start < area.end && area.start >= before.end && area.end <= MEM_TOP);
        assert_true(area.start % MEM_PAGE == 0 && area.end % MEM_PAGE == 0);
        assert_false(before.end == area.start && same_kind(&before, &area));
        char perms[5];
        host_perms(&area, perms);
        struct range *last = count ? &to[count - 1] : NULL;
        if (last && last->end == area.start && !strcmp(last->perms, perms)) last->end = area.end;
        else {
            to[count] = (struct range){.start = area.start, .end = area.end};
            memcpy(to[count++].perms, perms, 5);
        }
    }
    return count;
}

static void check(void) {
    static struct range host[4096], listed[4096];
    size_t hosts = host_ranges(host, 4096), count = listed_ranges(listed);
    for (size_t i = 0; i < hosts && i < count; i++) {
        bool same = host[i].start == listed[i].start && host[i].end == listed[i].end && !strcmp(host[i].perms, listed[i].perms);
        if (!same) {
            fail_msg("host has %lx-%lx %s, the list %lx-%lx %s", host[i].start, host[i].end, host[i].perms, listed[i].start,
                     listed[i].end, listed[i].perms);
        }
    }
    assert_int_equal(hosts, count);
}

static int clear(void **unused) {
    (void)unused;
    struct mem_area area;
    mem_unlock_all();
    for (uint64_t at = 0; mem_next(at, &area);) {
        at = area.end;
        if (!area.sealed) mem_unmap(area.start, area.end - area.start);
    }
    return 0;
}

static uint64_t map(uint64_t pages) {
    long at = mem_map(0, pages * MEM_PAGE, RW, ANONYMOUS, -1, 0, MEM_PLAIN);
    assert_true(at > 0);
    return (uint64_t)at;
}

static struct mem_area area_at(uint64_t address) {
    struct mem_area area = {0};
    assert_true(mem_find(address, &area));
    return area;
}

// ---- random operations

static uint64_t seed = 88172645463325252u;
static uint64_t random_below(uint64_t limit) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % limit;
}

static uint64_t random_address(void) {
    return WINDOW + random_below(WINDOW_PAGES) * MEM_PAGE;
}

static uint64_t random_size(void) {
    return (1 + random_below(12)) * MEM_PAGE - random_below(2) * 100;
}

static void random_operation(int file) {
    static const int places[] = {0, 0, MAP_FIXED, MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE};
    static const int moves[] = {0, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED,
                                MREMAP_MAYMOVE | MREMAP_DONTUNMAP};
    int prot = (int)random_below(8), place = places[random_below(6)];
    uint64_t address = random_address(), size = random_size();
    switch (random_below(9)) {
    case 0:
    case 1: mem_map(address, size, prot, ANONYMOUS | place, -1, 0, MEM_PLAIN); break;
    case 2: mem_map(address, size, prot, MAP_SHARED | place, file, random_below(4) * MEM_PAGE, MEM_PLAIN); break;
    case 3: mem_map(address, size, prot, MAP_PRIVATE | place, file, random_below(4) * MEM_PAGE, MEM_PLAIN); break;
    case 4: mem_unmap(address, size); break;
    case 5:
    case 6: mem_protect(address, size, prot); break;
    case 7: mem_remap(address, size, random_size(), moves[random_below(5)], random_address()); break;
    case 8: mem_brk(WINDOW + 4096 * MEM_PAGE + random_below(64 * MEM_PAGE)); break;
    }
}

static void random_operations_keep_the_list_true(void **unused) {
    (void)unused;
    int file = memfd_create("pages", 0);
    assert_int_equal(ftruncate(file, 64 * MEM_PAGE), 0);
    mem_brk_init(WINDOW + 4096 * MEM_PAGE);
    for (int i = 0; i < 4000; i++) {
        random_operation(file);
        check();
        if (i % 500 == 499) clear(NULL);
    }
    mem_brk(WINDOW + 4096 * MEM_PAGE);
    close(file);
}

// ---- single rules

static void errors_are_the_kernels(void **unused) {
    (void)unused;
    uint64_t at = map(4);
    const struct {
        long got, wanted;
    } rows[] = {
        {mem_map(0, 0, RW, ANONYMOUS, -1, 0, 0), -EINVAL},
        {mem_map(0, MEM_PAGE, RW, ANONYMOUS, -1, 1, 0), -EINVAL},
        {mem_map(0, MEM_PAGE, RW, MAP_ANONYMOUS, -1, 0, 0), -EINVAL},
        {mem_map(0, MEM_PAGE, RW, MAP_PRIVATE, 999, 0, 0), -EBADF},
        {mem_map(0, ~UINT64_C(0), RW, ANONYMOUS, -1, 0, 0), -ENOMEM},
        {mem_map(0, MEM_TOP, RW, ANONYMOUS, -1, 0, 0), -ENOMEM},
        {mem_map(at + 1, MEM_PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0, 0), -EINVAL},
        {mem_map(MEM_TOP, MEM_PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0, 0), -ENOMEM},
        {mem_map(MEM_TOP - MEM_PAGE, 2 * MEM_PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0, 0), -ENOMEM},
        {mem_map(0, MEM_PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0, 0), -EPERM},
        {mem_map(at, MEM_PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0, 0), -EEXIST},
        {mem_unmap(at + 1, MEM_PAGE), -EINVAL},
        {mem_unmap(at, 0), -EINVAL},
        {mem_unmap(MEM_TOP, MEM_PAGE), -EINVAL},
        {mem_unmap(at, ~UINT64_C(0)), -EINVAL},
        {mem_unmap(WINDOW, MEM_PAGE), 0},
        {mem_protect(at + 1, MEM_PAGE, RW), -EINVAL},
        {mem_protect(at, MEM_PAGE, 0x100), -EINVAL},
        {mem_protect(at, 0, RW), 0},
        {mem_protect(at, 5 * MEM_PAGE, PROT_READ), -ENOMEM},
        {mem_protect(WINDOW, MEM_PAGE, RW), -ENOMEM},
        {mem_protect(MEM_TOP, MEM_PAGE, RW), -ENOMEM},
        {mem_protect(at, MEM_PAGE, RW | PROT_GROWSDOWN), -EINVAL},
        {mem_remap(at, MEM_PAGE, 2 * MEM_PAGE, 8, 0), -EINVAL},
        {mem_remap(at, MEM_PAGE, 2 * MEM_PAGE, MREMAP_FIXED, WINDOW), -EINVAL},
        {mem_remap(at, MEM_PAGE, 2 * MEM_PAGE, 0, 0), -ENOMEM},
        {mem_remap(at, MEM_PAGE, 0, 0, 0), -EINVAL},
        {mem_remap(at + 1, MEM_PAGE, MEM_PAGE, 0, 0), -EINVAL},
        {mem_remap(WINDOW, MEM_PAGE, 2 * MEM_PAGE, MREMAP_MAYMOVE, 0), -EFAULT},
        {mem_remap(at, 8 * MEM_PAGE, 9 * MEM_PAGE, MREMAP_MAYMOVE, 0), -EFAULT},
        {mem_remap(at, 2 * MEM_PAGE, 2 * MEM_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + MEM_PAGE), -EINVAL},
        {mem_remap(at, MEM_PAGE, MEM_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, MEM_TOP), -EINVAL},
        {mem_remap(at, MEM_PAGE, 2 * MEM_PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), -EINVAL},
        {mem_seal(at + 1, MEM_PAGE), -EINVAL},
        {mem_seal(WINDOW, MEM_PAGE), -ENOMEM},
        {mem_advise(at + 1, MEM_PAGE, MADV_NORMAL), -EINVAL},
        {mem_advise(at, MEM_PAGE, 12345), -EINVAL},
        {mem_advise(MEM_TOP, MEM_PAGE, MADV_NORMAL), -ENOMEM},
        {mem_advise(WINDOW, MEM_PAGE, MADV_DONTNEED), -ENOMEM},
        {mem_lock_all(0), -EINVAL},
        {mem_lock_all(4), -EINVAL},
        {mem_detach(WINDOW), -EINVAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].got != rows[i].wanted) fail_msg("row %zu: %ld, wanted %ld", i, rows[i].got, rows[i].wanted);
    }
    check();
}

static void mappings_go_from_the_top_down(void **unused) {
    (void)unused;
    mem_set_top(MEM_TOP / 2);
    uint64_t first = map(3), second = map(1);
    assert_int_equal(first, MEM_TOP / 2 - 3 * MEM_PAGE);
    assert_int_equal(second, first - MEM_PAGE);
    assert_int_equal(area_at(second).end, first + 3 * MEM_PAGE);  // joined
    assert_int_equal(mem_unmap(first, MEM_PAGE), 0);
    assert_int_equal(map(1), first);
    assert_int_equal(mem_map(WINDOW, MEM_PAGE, RW, ANONYMOUS, -1, 0, 0), WINDOW);
    assert_int_not_equal(mem_map(WINDOW, MEM_PAGE, RW, ANONYMOUS, -1, 0, 0), WINDOW);
    check();
}

// A place is the highest that there is, whatever was mapped and unmapped before.
static uint64_t highest_place(uint64_t top, uint64_t size) {
    struct mem_area area;
    uint64_t best = 0, low = MEM_BOTTOM;
    for (uint64_t at = 0; mem_next(at, &area) && area.start < top; at = low = area.end) {
        if (area.start > low && area.start - low >= size) best = area.start - size;
    }
    return low < top && top - low >= size ? top - size : best;
}

static void the_highest_place_is_found(void **unused) {
    (void)unused;
    enum { PAGES = 400 };
    uint64_t top = WINDOW + 4096 * MEM_PAGE;
    mem_set_top(top);
    for (int i = 0; i < 6000; i++) {
        uint64_t size = (1 + random_below(9)) * MEM_PAGE, wanted = highest_place(top, size);
        if (random_below(2)) mem_unmap(top - (1 + random_below(PAGES)) * MEM_PAGE, (1 + random_below(12)) * MEM_PAGE);
        else assert_int_equal(mem_map(0, size, 1 + (int)random_below(3), ANONYMOUS, -1, 0, 0), wanted);
        if (i % 1500 == 1499) clear(NULL);
    }
    check();
    mem_set_top(MEM_TOP);
}

static void protection_splits_and_joins(void **unused) {
    (void)unused;
    uint64_t at = map(3);
    assert_int_equal(mem_protect(at + MEM_PAGE, MEM_PAGE, PROT_READ | PROT_EXEC), 0);
    assert_int_equal(area_at(at).end, at + MEM_PAGE);
    assert_int_equal(area_at(at + MEM_PAGE).prot, PROT_READ | PROT_EXEC);
    assert_int_equal(mem_executable(at + MEM_PAGE + 8, 1 << 20), MEM_PAGE - 8);
    assert_int_equal(mem_executable(at, 16), 0);
    assert_int_equal(mem_executable(at + MEM_PAGE, 16), 16);
    check();
    assert_int_equal(mem_protect(at + MEM_PAGE, MEM_PAGE, RW), 0);
    assert_int_equal(area_at(at).end, at + 3 * MEM_PAGE);
    check();
}

static void stacks_grow_and_are_seen_to(void **unused) {
    (void)unused;
    uint64_t top = WINDOW + 4096 * MEM_PAGE, start = top - 16 * MEM_PAGE;
    assert_int_equal(mem_map(start, 16 * MEM_PAGE, RW, ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0, MEM_STACK), start);
    for (uint64_t at = top - 8; at > top - 200 * MEM_PAGE; at -= MEM_PAGE) *(volatile char *)at = 1;
    struct mem_area area;
    assert_true(mem_find(top - 200 * MEM_PAGE + MEM_PAGE, &area));
    assert_true(area.kind == MEM_STACK && area.end == top && area.start <= top - 199 * MEM_PAGE);
    check();
    assert_int_equal(mem_protect(top - 100 * MEM_PAGE, MEM_PAGE, RW | PROT_EXEC | PROT_GROWSDOWN), 0);
    assert_int_equal(area_at(area.start).prot, RW | PROT_EXEC);
    check();
    // a hint in the guard gap is not taken
    assert_int_not_equal(mem_map(area.start - 16 * MEM_PAGE, MEM_PAGE, RW, ANONYMOUS, -1, 0, 0), area.start - 16 * MEM_PAGE);
}

static void the_break_grows_until_something_is_there(void **unused) {
    (void)unused;
    uint64_t start = WINDOW;
    mem_brk_init(start);
    assert_int_equal(mem_brk(0), start);
    assert_int_equal(mem_brk(start + 100), start + 100);
    assert_int_equal(area_at(start).kind, MEM_HEAP);
    assert_int_equal(mem_brk(start + 10 * MEM_PAGE + 1), start + 10 * MEM_PAGE + 1);
    check();
    mem_map(start + 20 * MEM_PAGE, MEM_PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0, 0);
    assert_int_equal(mem_brk(start + 20 * MEM_PAGE), start + 10 * MEM_PAGE + 1);
    assert_int_equal(mem_brk(start + 18 * MEM_PAGE), start + 18 * MEM_PAGE);
    assert_int_equal(mem_brk(start + MEM_PAGE), start + MEM_PAGE);
    assert_int_equal(mem_brk(start - 1), start + MEM_PAGE);
    assert_int_equal(mem_brk(~UINT64_C(0)), start + MEM_PAGE);
    check();
    assert_int_equal(mem_brk(start), start);
}

static void sealed_areas_stay(void **unused) {
    (void)unused;
    uint64_t at = map(3), middle = at + MEM_PAGE;
    assert_int_equal(mem_seal(middle, MEM_PAGE), 0);
    assert_int_equal(mem_unmap(at, 3 * MEM_PAGE), -EPERM);
    assert_int_equal(mem_protect(middle, MEM_PAGE, PROT_READ), -EPERM);
    assert_int_equal(mem_map(at, 3 * MEM_PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0, 0), -EPERM);
    assert_int_equal(mem_remap(middle, MEM_PAGE, 2 * MEM_PAGE, MREMAP_MAYMOVE, 0), -EPERM);
    assert_int_equal(mem_advise(middle, MEM_PAGE, MADV_DONTNEED), 0);  // it can be written, so it can be cleared
    assert_int_equal(mem_unmap(at, MEM_PAGE), 0);
    check();
}

static void moved_memory_keeps_its_contents(void **unused) {
    (void)unused;
    uint64_t at = map(2);
    map(1);  // below: nothing in the way above but what was there before
    *(int *)at = 42;
    long to = mem_remap(at, 2 * MEM_PAGE, 300 * MEM_PAGE, MREMAP_MAYMOVE, 0);
    assert_true(to > 0);
    assert_int_equal(*(int *)to, 42);
    check();
    assert_int_equal(mem_remap((uint64_t)to, 300 * MEM_PAGE, MEM_PAGE, 0, 0), to);
    check();
    assert_int_equal(mem_remap((uint64_t)to, MEM_PAGE, MEM_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, WINDOW), WINDOW);
    assert_int_equal(*(int *)WINDOW, 42);
    check();
}

static void segments_come_and_go(void **unused) {
    (void)unused;
    int id = shmget(IPC_PRIVATE, 3 * MEM_PAGE - 5, IPC_CREAT | 0700);
    if (id < 0) skip();
    long at = mem_attach(id, 0, 0, 3 * MEM_PAGE - 5),
         again = mem_attach(id, WINDOW + 5, SHM_RND | SHM_RDONLY | SHM_EXEC, 3 * MEM_PAGE - 5);
    assert_true(at > 0);
    assert_int_equal(again, WINDOW);
    assert_int_equal(area_at(WINDOW).prot, PROT_READ | PROT_EXEC);
    check();
    assert_int_equal(mem_attach(id, WINDOW, 0, 3 * MEM_PAGE), -EINVAL);
    assert_int_equal(mem_attach(id, WINDOW, SHM_REMAP, 3 * MEM_PAGE), WINDOW);
    mem_unmap((uint64_t)at + MEM_PAGE, MEM_PAGE);
    assert_int_equal(mem_detach((uint64_t)at), 0);
    check();
    assert_int_equal(mem_detach((uint64_t)at), -EINVAL);
    assert_int_equal(mem_detach(WINDOW), 0);
    check();
    shmctl(id, IPC_RMID, NULL);
}

static void children_do_not_get_what_they_must_not(void **unused) {
    (void)unused;
    uint64_t at = map(3);
    assert_int_equal(mem_advise(at + MEM_PAGE, MEM_PAGE, MADV_DONTFORK), 0);
    check();
    pid_t child = fork();
    if (!child) {
        struct mem_area area;
        mem_forked();
        _exit(mem_find(at + MEM_PAGE, &area) || !mem_find(at, &area) || !mem_find(at + 2 * MEM_PAGE, &area));
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(mem_advise(at + MEM_PAGE, MEM_PAGE, MADV_DOFORK), 0);
    assert_int_equal(area_at(at).end, at + 3 * MEM_PAGE);
}

static void all_can_be_locked(void **unused) {
    (void)unused;
    map(2);
    long result = mem_lock_all(3);
    if (result == -EPERM || result == -ENOMEM) skip();
    assert_int_equal(result, 0);
    uint64_t at = map(2);
    unsigned char resident[2] = {0};
    assert_int_equal(mincore((void *)at, 2 * MEM_PAGE, resident), 0);
    assert_true(resident[0] & resident[1] & 1);
    assert_int_equal(mem_unlock_all(), 0);
}

static void many_areas_fit(void **unused) {
    (void)unused;
    enum { MANY = 3000 };
    for (uint64_t i = 0; i < MANY; i++)
        assert_true(mem_map(WINDOW + 2 * i * MEM_PAGE, MEM_PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0, 0) > 0);
    check();
    assert_int_equal(mem_size(), MANY * MEM_PAGE);
    assert_int_equal(mem_unmap(WINDOW, 2 * MANY * MEM_PAGE), 0);
    check();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(random_operations_keep_the_list_true, clear),
        cmocka_unit_test_teardown(errors_are_the_kernels, clear),
        cmocka_unit_test_teardown(mappings_go_from_the_top_down, clear),
        cmocka_unit_test_teardown(protection_splits_and_joins, clear),
        cmocka_unit_test_teardown(the_highest_place_is_found, clear),
        cmocka_unit_test_teardown(stacks_grow_and_are_seen_to, clear),
        cmocka_unit_test_teardown(the_break_grows_until_something_is_there, clear),
        cmocka_unit_test_teardown(moved_memory_keeps_its_contents, clear),
        cmocka_unit_test_teardown(segments_come_and_go, clear),
        cmocka_unit_test_teardown(children_do_not_get_what_they_must_not, clear),
        cmocka_unit_test_teardown(all_can_be_locked, clear),
        cmocka_unit_test_teardown(many_areas_fit, clear),
        cmocka_unit_test_teardown(sealed_areas_stay, clear),
    };
    mem_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
