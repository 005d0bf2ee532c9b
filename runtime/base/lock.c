// A futex mutex with three states (free, held, held with waiters) and the list of locks to hold over fork: see lock.h.
#include "runtime/base/lock.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include <linux/futex.h>

enum { FREE, HELD, CONTENDED, LOCKS = 16 };

static struct lock *registered[LOCKS];
static unsigned count;

bool lock_try(struct lock *lock) {
    uint32_t expected = FREE;
    return __atomic_compare_exchange_n(&lock->state, &expected, HELD, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void lock_take(struct lock *lock) {
    if (lock_try(lock)) return;
    while (__atomic_exchange_n(&lock->state, CONTENDED, __ATOMIC_ACQUIRE) != FREE)
        host_call(futex, &lock->state, FUTEX_WAIT_PRIVATE, CONTENDED, 0);
}

void lock_drop(struct lock *lock) {
    if (__atomic_exchange_n(&lock->state, FREE, __ATOMIC_RELEASE) == CONTENDED)
        host_call(futex, &lock->state, FUTEX_WAKE_PRIVATE, 1);
}

void lock_register(struct lock *lock) {
    if (count == LOCKS) error_die("more than %d locks to hold over fork", LOCKS);
    registered[count++] = lock;
}

void lock_all(void) {
    for (unsigned i = 0; i < count; i++) lock_take(registered[i]);
}

void lock_none(void) {
    for (unsigned i = count; i-- > 0;) lock_drop(registered[i]);
}
