// The base library: arena, map, lock, text, error and the raw system call, each checked against what its header promises.
#include "tests/tools/cmocka.h"
#include "tests/tools/random.h"
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include "runtime/base/lock.h"
#include "runtime/base/map.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// ---- sys.h

static void host_calls_give_results_and_negative_errors(void **unused) {
    (void)unused;
    assert_int_equal(host_call(getpid), getpid());
    assert_int_equal(host_call(close, -1), -EBADF);
    assert_int_equal(host_call_number(SYS_close, -1), -EBADF);
    assert_int_equal(host_call(openat, AT_FDCWD, "/nonexistent/file", O_RDONLY), -ENOENT);
}

static void host_calls_pass_six_arguments(void **unused) {
    (void)unused;
    int from[2], to[2];
    assert_int_equal(pipe(from), 0);
    assert_int_equal(pipe(to), 0);
    assert_int_equal(write(from[1], "data", 4), 4);
    assert_int_equal(host_call(splice, from[0], 0, to[1], 0, 3, 0), 3);
    char back[8] = "";
    assert_int_equal(host_call(read, to[0], back, sizeof back), 3);
    assert_string_equal(back, "dat");
    for (int i = 0; i < 2; i++) close(from[i]), close(to[i]);
}

// ---- arena.h

static void arena_pieces_are_zeroed_aligned_and_apart(void **unused) {
    (void)unused;
    struct arena arena = {0};
    uint64_t seed = 1;
    char *piece[2000];
    size_t size[2000], sum = 0;
    for (unsigned i = 0; i < 2000; i++) {
        size_t align = (size_t)1 << random_next(&seed) % 13;
        size[i] = random_next(&seed) % (i % 100 ? 700 : 600000);
        piece[i] = arena_alloc(&arena, size[i], align);
        assert_int_equal((uintptr_t)piece[i] % align, 0);
        for (size_t at = 0; at < size[i]; at++) assert_true(piece[i][at] == 0);
        memset(piece[i], (int)i, size[i]);
        sum += size[i];
    }
    for (unsigned i = 0; i < 2000; i++) {
        for (size_t at = 0; at < size[i]; at++) assert_true(piece[i][at] == (char)i);
    }
    assert_int_equal(arena.used, sum);
    arena_free(&arena);
}

static void arena_is_usable_after_free(void **unused) {
    (void)unused;
    struct arena arena = {0};
    assert_string_equal(arena_strdup(&arena, "one"), "one");
    arena_free(&arena);
    assert_null(arena.chunks);
    assert_int_equal(arena.used, 0);
    assert_string_equal(arena_strdup(&arena, ""), "");
    arena_free(&arena);
    arena_free(&arena);
}

// ---- map.h

static void *value_of(uint64_t number) {
    return (void *)(uintptr_t)(number + 1);
}

static void map_is_empty_when_zeroed(void **unused) {
    (void)unused;
    struct map map = {0};
    size_t at = 0;
    assert_null(map_find(&map, 0));
    assert_null(map_remove(&map, 0));
    assert_null(map_next(&map, &at));
    map_free(&map);
}

static void map_replaces_and_returns_what_was(void **unused) {
    (void)unused;
    struct map map = {0};
    assert_null(map_insert(&map, 0, value_of(1)));
    assert_null(map_insert(&map, ~UINT64_C(0), value_of(2)));
    assert_ptr_equal(map_insert(&map, 0, value_of(3)), value_of(1));
    assert_int_equal(map.count, 2);
    assert_ptr_equal(map_find(&map, 0), value_of(3));
    assert_ptr_equal(map_remove(&map, ~UINT64_C(0)), value_of(2));
    assert_null(map_find(&map, ~UINT64_C(0)));
    map_free(&map);
    assert_null(map_find(&map, 0));
    assert_null(map_insert(&map, 0, value_of(1)));
    map_free(&map);
}

// A long random history against a plain array; keys a page apart, as addresses are, and with runs that wrap around the end.
static void map_agrees_with_an_array(void **unused) {
    (void)unused;
    enum { KEYS = 3000, STEPS = 300000 };
    struct map map = {0};
    static void *expected[KEYS];
    size_t count = 0;
    uint64_t seed = 2;
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)(random_next(&seed) % KEYS);
        uint64_t key = (uint64_t)i << 12;
        void *before = expected[i];
        assert_ptr_equal(map_find(&map, key), before);
        if (random_next(&seed) % 100 < (step / 30000 % 2 ? 30 : 60)) {
            expected[i] = value_of(step);
            assert_ptr_equal(map_insert(&map, key, expected[i]), before);
        } else {
            expected[i] = NULL;
            assert_ptr_equal(map_remove(&map, key), before);
        }
        count += !!expected[i] - (size_t)!!before;
        assert_int_equal(map.count, count);
    }
    size_t at = 0, seen = 0;
    for (const struct map_entry *entry; (entry = map_next(&map, &at)); seen++)
        assert_ptr_equal(entry->value, expected[entry->key >> 12]);
    assert_int_equal(seen, count);
    map_free(&map);
}

// ---- text.h

static void text_appends_until_full(void **unused) {
    (void)unused;
    char buffer[8];
    struct text text = TEXT_ON(buffer);
    text_add(&text, "%s", "");
    assert_string_equal(buffer, "");
    text_add(&text, "%d-%c", 12, 'x');
    text_add(&text, "%s", "abc");
    assert_string_equal(buffer, "12-xabc");
    assert_int_equal(text.length, 7);
    assert_false(text.cut);
    text_add(&text, "d");
    assert_true(text.cut);
    text_add(&text, "e");
    assert_string_equal(buffer, "12-xabc");
}

static void text_cuts_what_does_not_fit(void **unused) {
    (void)unused;
    char buffer[4];
    struct text text = TEXT_ON(buffer);
    text_add(&text, "%llx", 0x12345ull);
    assert_string_equal(buffer, "123");
    assert_int_equal(text.length, 3);
    assert_true(text.cut);
}

// ---- error.h

// Runs `act` in a child process and gives its stderr; returns its wait status.
static int stderr_of(void (*act)(void), char *output, size_t size) {
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (!child) {
        signal(SIGABRT, SIG_DFL);
        dup2(pipes[1], 2);
        act();
        _exit(0);
    }
    close(pipes[1]);
    size_t length = 0;
    for (ssize_t n; (n = read(pipes[0], output + length, size - 1 - length)) > 0;) length += (size_t)n;
    output[length] = 0;
    close(pipes[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void say_short(void) {
    error_say("%s: %d", "file", 7);
}

static void say_too_much(void) {
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    error_say("%s", text);
}

static void die(void) {
    error_die("no %s", "way");
}

static void errors_are_one_line_on_stderr(void **unused) {
    (void)unused;
    char output[8192];
    assert_int_equal(stderr_of(say_short, output, sizeof output), 0);
    assert_string_equal(output, "ferry: file: 7\n");
    assert_int_equal(stderr_of(say_too_much, output, sizeof output), 0);
    assert_memory_equal(output, "ferry: xxx", 10);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

static void error_die_aborts(void **unused) {
    (void)unused;
    char output[256];
    int status = stderr_of(die, output, sizeof output);
    assert_memory_equal(output, "ferry: no way\n", 14);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

// ---- lock.h

static struct lock lock, second;
static uint64_t counter;

static void *count_up(void *rounds) {
    for (uintptr_t i = 0; i < (uintptr_t)rounds; i++) {
        lock_take(&lock);
        counter++;
        lock_drop(&lock);
    }
    return NULL;
}

static void lock_excludes(void **unused) {
    (void)unused;
    enum { THREADS = 4, ROUNDS = 100000 };
    pthread_t thread[THREADS];
    for (unsigned i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&thread[i], NULL, count_up, (void *)ROUNDS), 0);
    for (unsigned i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    assert_int_equal(counter, THREADS * ROUNDS);
    assert_int_equal(lock.state, 0);
}

static void lock_try_does_not_wait(void **unused) {
    (void)unused;
    assert_true(lock_try(&lock));
    assert_false(lock_try(&lock));
    lock_drop(&lock);
    assert_true(lock_try(&lock));
    lock_drop(&lock);
}

static void registered_locks_are_free_on_both_sides_of_a_fork(void **unused) {
    (void)unused;
    lock_register(&lock);
    lock_register(&second);
    lock_all();
    assert_false(lock_try(&lock));
    assert_false(lock_try(&second));
    pid_t child = fork();
    lock_none();
    bool both = lock_try(&lock) && lock_try(&second);
    if (!child) _exit(both ? 0 : 1);
    assert_true(both);
    lock_drop(&lock), lock_drop(&second);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_calls_give_results_and_negative_errors),
        cmocka_unit_test(host_calls_pass_six_arguments),
        cmocka_unit_test(arena_pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(arena_is_usable_after_free),
        cmocka_unit_test(map_is_empty_when_zeroed),
        cmocka_unit_test(map_replaces_and_returns_what_was),
        cmocka_unit_test(map_agrees_with_an_array),
        cmocka_unit_test(text_appends_until_full),
        cmocka_unit_test(text_cuts_what_does_not_fit),
        cmocka_unit_test(errors_are_one_line_on_stderr),
        cmocka_unit_test(error_die_aborts),
        cmocka_unit_test(lock_excludes),
        cmocka_unit_test(lock_try_does_not_wait),
        cmocka_unit_test(registered_locks_are_free_on_both_sides_of_a_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
