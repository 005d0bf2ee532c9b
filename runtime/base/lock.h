// A futex mutex of our own: no glibc state, so a lock that is held across a raw clone can be released in the child.
// Locks that must be in a known state in a forked child are taken by lock_all() in registration order.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct lock {
    uint32_t state;  // 0 free, 1 held, 2 held with waiters
};

void lock_take(struct lock *lock);
void lock_drop(struct lock *lock);
bool lock_try(struct lock *lock);

// Locks to be held over fork. Register at start-up, before a second thread exists; the order is the locking order.
void lock_register(struct lock *lock);
void lock_all(void);
void lock_none(void);  // drops all that lock_all took; called on both sides of a fork
