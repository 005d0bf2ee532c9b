// The rarer changes of the guest's address space: mremap, mseal, madvise, mlockall, shared memory segments. See mem.h and, for
// the order of steps, mem.c.
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include "runtime/mem_list.h"
#include <errno.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

// ---- mremap

struct move {
    uint64_t old, old_size, size;
    int flags;
};

// Moves what is at `old` to `to`, where either nothing is or what is there goes.
static long move_to(const struct move *move, uint64_t to) {
    struct mem_area area = mem__area[mem__above(move->old)];
    bool stays = !move->old_size || move->flags & MREMAP_DONTUNMAP;
    long at = host_call(mremap, move->old, move->old_size, move->size, move->flags | MREMAP_MAYMOVE | MREMAP_FIXED, to);
    if (at < 0) {
        mem__recheck(move->old, move->old + move->old_size);
        mem__recheck(to, to + move->size);
        return at;
    }
    mem__tell_code(move->old, move->old + move->old_size);
    mem__tell_code(to, to + move->size);
    if (!stays) mem__cut(move->old, move->old + move->old_size);
    mem__cut(to, to + move->size);
    area.start = to;
    area.end = to + move->size;
    if (area.kind == MEM_HEAP || area.kind == MEM_STACK) area.kind = MEM_PLAIN;
    if (area.mapping) area.mapping = mem__new_mapping();
    mem__put(&area);
    if (area.prot & PROT_EXEC) code_invalidate(to, move->size);
    return at;
}

static long grow_in_place(const struct move *move) {
    struct mem_area area = mem__area[mem__above(move->old)];
    uint64_t end = move->old + move->old_size;
    if (area.end != end || !mem__in_range(move->old, move->size) || !mem__is_free(end, move->old + move->size)) return -ENOMEM;
    long at = host_call(mremap, move->old, move->old_size, move->size, 0, 0);
    if (at < 0) return at;
    area.start = end;
    area.end = move->old + move->size;
    mem__put(&area);
    return at;
}

static long move_fixed(const struct move *move, uint64_t to) {
    uint64_t old_end = move->old + move->old_size;
    if (!(move->flags & MREMAP_FIXED)) {
        to = mem__page_up(to);
        if (!to || !mem__in_range(to, move->size) || !mem__is_free(to, to + move->size)) to = mem__find_gap(move->size, MEM_PAGE);
        if (!to) return -ENOMEM;
    }
    if (to % MEM_PAGE || !mem_is_guest(to, move->size) || (to < old_end && move->old < to + move->size)) return -EINVAL;
    if (to < MEM_BOTTOM) return -EPERM;
    mem__see_growth(to, to + move->size);
    if (mem__is_sealed(to, to + move->size)) return -EPERM;
    // Several areas are more than one mapping of the guest's: only the first part can be moved, which the kernel refuses.
    if (old_end > mem__area[mem__above(move->old)].end) return -EFAULT;
    return move_to(move, to);
}

static long remap(const struct move *move, uint64_t to) {
    uint64_t old_end = move->old + move->old_size;
    mem__see_growth(move->old, old_end);
    size_t i = mem__above(move->old);
    if (i == mem__count || mem__area[i].start > move->old) return -EFAULT;
    if (mem__is_sealed(move->old, old_end ? old_end : move->old + 1)) return -EPERM;
    long result = mem__reserve();
    if (result) return result;
    if (move->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) return move_fixed(move, to);
    if (move->size < move->old_size) {
        result = mem__unmap(move->old + move->size, old_end);
        return result ? result : (long)move->old;
    }
    if (old_end > mem__area[i].end) return -EFAULT;
    if (move->size == move->old_size) return (long)move->old;
    long at = move->old_size ? grow_in_place(move) : -ENOMEM;
    if (at >= 0) return at;
    if (!(move->flags & MREMAP_MAYMOVE)) return move->old_size ? at : -EINVAL;
    to = mem__find_gap(move->size, MEM_PAGE);
    return to ? move_to(move, to) : -ENOMEM;
}

long mem_remap(uint64_t old, uint64_t old_size, uint64_t new_size, int flags, uint64_t new_address) {
    struct move move = {old, mem__page_up(old_size), mem__page_up(new_size), flags};
    if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) return -EINVAL;
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) return -EINVAL;
    if (flags & MREMAP_DONTUNMAP && move.old_size != move.size) return -EINVAL;
    if (old % MEM_PAGE || !move.size) return -EINVAL;
    if (!mem_is_guest(old, move.old_size)) return -EFAULT;
    if (move.size > MEM_TOP) return flags & MREMAP_FIXED ? -EINVAL : -ENOMEM;
    lock_take(&mem_lock);
    long at = remap(&move, new_address);
    lock_drop(&mem_lock);
    return at;
}

// ---- changes of what the areas are, not of where

// Changes every area in [start, end), which must be full.
static long change(uint64_t start, uint64_t end, void (*how)(struct mem_area *)) {
    while (start < end) {
        long result = mem__reserve();
        if (result) return result;
        struct mem_area area = mem__area[mem__above(start)];
        area.start = start;
        area.end = mem__lower(area.end, end);
        how(&area);
        mem__cut(area.start, area.end);
        mem__put(&area);
        start = area.end;
    }
    return 0;
}

static void seal(struct mem_area *area) {
    area->sealed = true;
}

static void keep_from_children(struct mem_area *area) {
    area->no_fork = true;
}

static void give_to_children(struct mem_area *area) {
    area->no_fork = false;
}

long mem_seal(uint64_t address, uint64_t size) {
    uint64_t end = address + mem__page_up(size);
    if (address % MEM_PAGE || mem__page_up(size) < size || end < address) return -EINVAL;
    if (end == address) return 0;
    if (!mem_is_guest(address, end - address)) return -ENOMEM;
    lock_take(&mem_lock);
    mem__see_growth(address, end);
    long result = mem__is_full(address, end) ? change(address, end, seal) : -ENOMEM;
    lock_drop(&mem_lock);
    return result;
}

// ---- madvise

static bool throws_away(int advice) {
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_DONTFORK:
    case MADV_WIPEONFORK: return true;
    default: return false;
    }
}

// mseal(2): what a sealed private mapping holds that cannot be written must not be thrown away either.
static bool guards_contents(uint64_t start, uint64_t end) {
    for (size_t i = mem__above(start); i < mem__count && mem__area[i].start < end; i++) {
        if (mem__area[i].sealed && mem__area[i].flags & MAP_PRIVATE && !(mem__area[i].prot & PROT_WRITE)) return true;
    }
    return false;
}

static long advise(uint64_t start, uint64_t end, int advice) {
    mem__see_growth(start, end);
    if (throws_away(advice) && guards_contents(start, end)) return -EPERM;
    long result = host_call(madvise, start, end - start, advice);
    if (throws_away(advice)) mem__tell_code(start, end);
    if (!result && advice == MADV_DONTFORK) return change(start, end, keep_from_children);
    if (!result && advice == MADV_DOFORK) return change(start, end, give_to_children);
    return result;
}

long mem_advise(uint64_t address, uint64_t size, int advice) {
    uint64_t end = address + mem__page_up(size);
    if (address % MEM_PAGE || mem__page_up(size) < size || end < address) return -EINVAL;
    if (end == address || !mem_is_guest(address, end - address)) {
        long result = host_call(madvise, MEM_BOTTOM, 0, advice);  // is it advice at all?
        return result || end == address ? result : -ENOMEM;
    }
    bool changes = throws_away(advice) || advice == MADV_DOFORK;
    if (!changes) return host_call(madvise, address, size, advice);
    lock_take(&mem_lock);
    long result = advise(address, end, advice);
    lock_drop(&mem_lock);
    return result;
}

static void remove_no_fork(void) {
    for (size_t i = mem__count; i-- > 0;) {
        if (mem__area[i].no_fork) mem__cut(mem__area[i].start, mem__area[i].end);
    }
}

void mem_forked(void) {
    remove_no_fork();
    mem__lock_future(0);
}

// ---- mlockall

// What one mlock(2) may not do is what all of them together may not do.
static long lock_now(int flags) {
    for (size_t i = 0; i < mem__count; i++) {
        const struct mem_area *area = &mem__area[i];
        long result =
            host_call(mlock2, area->start, area->end - area->start, flags & 4 /* MCL_ONFAULT */ ? 1 /* MLOCK_ONFAULT */ : 0);
        if (result == -EPERM || (result == -ENOMEM && area->prot)) return result;
    }
    return 0;
}

long mem_lock_all(int flags) {
    enum { CURRENT = 1, FUTURE = 2, ON_FAULT = 4 };
    if (!flags || flags & ~(CURRENT | FUTURE | ON_FAULT) || flags == ON_FAULT) return -EINVAL;
    lock_take(&mem_lock);
    mem__see_growth(0, MEM_TOP);
    long result = flags & CURRENT ? lock_now(flags) : 0;
    if (!result) mem__lock_future(flags & FUTURE ? flags & (FUTURE | ON_FAULT) : 0);
    lock_drop(&mem_lock);
    return result;
}

long mem_unlock_all(void) {
    lock_take(&mem_lock);
    mem__lock_future(0);
    for (size_t i = 0; i < mem__count; i++) host_call(munlock, mem__area[i].start, mem__area[i].end - mem__area[i].start);
    lock_drop(&mem_lock);
    return 0;
}

// ---- shared memory segments

static long choose_segment_place(uint64_t *address, int flags, uint64_t size) {
    if (!*address) {
        if (flags & SHM_REMAP) return -EINVAL;
        *address = mem__find_gap(size, MEM_PAGE);
        return *address ? 0 : -ENOMEM;
    }
    if (*address % MEM_PAGE) {
        if (!(flags & SHM_RND)) return -EINVAL;
        *address &= ~(MEM_PAGE - 1);  // SHMLBA
        if (!*address && flags & SHM_REMAP) return -EINVAL;
    }
    if (!mem__in_range(*address, size)) return -EINVAL;
    mem__see_growth(*address, *address + size);
    if (mem__is_sealed(*address, *address + size)) return -EPERM;
    return flags & SHM_REMAP || mem__is_free(*address, *address + size) ? 0 : -EINVAL;
}

static long attach(int id, uint64_t address, int flags, uint64_t size) {
    long result = mem__reserve();
    if (!result) result = choose_segment_place(&address, flags, size);
    if (result) return result;
    long at = host_call(shmat, id, address, flags);
    if (at < 0) return at;
    int prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
    if (flags & SHM_EXEC) host_call(mprotect, at, size, mem__host_prot(prot));  // the kernel has checked the permission
    mem__tell_code(address, address + size);
    mem__cut(address, address + size);
    mem__put(&(struct mem_area){
        .start = address, .end = address + size, .prot = prot, .flags = MAP_SHARED, .mapping = mem__new_mapping()});
    if (prot & PROT_EXEC) code_invalidate(address, size);
    return at;
}

long mem_attach(int id, uint64_t address, int flags, uint64_t size) {
    size = mem__page_up(size);
    if (!size || size > MEM_TOP) return -ENOMEM;
    lock_take(&mem_lock);
    long at = attach(id, address, flags, size);
    lock_drop(&mem_lock);
    return at;
}

// Which pieces the kernel took with a segment it alone knows: the host is asked about each shared area.
static void forget_unmapped(uint64_t from) {
    for (size_t i = mem__above(from); i < mem__count;) {
        struct mem_area area = mem__area[i++];
        if (!area.mapping || mem__host_has(area.start, area.end)) continue;
        mem__tell_code(area.start, area.end);
        mem__cut(area.start, area.end);
        i--;
    }
}

long mem_detach(uint64_t address) {
    if (!mem_is_guest(address, 1) || address < MEM_BOTTOM) return -EINVAL;
    lock_take(&mem_lock);
    long result = host_call(shmdt, address);
    if (!result) forget_unmapped(address);
    lock_drop(&mem_lock);
    return result;
}
