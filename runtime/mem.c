// The guest's address space: see mem.h. Whatever the kernel decides (permissions of files, limits, huge pages) is asked of the
// kernel, by making the call; the list of areas (mem_list.c) decides only where things go and what the guest may touch at all.
// The order is always: check, host call, list, translations. Translations go last: a thread that translates reads bytes without
// the lock and finds out by code_invalidate's counter that they are old.
#include "runtime/mem_list.h"
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include <errno.h>
#include <sys/statfs.h>

enum { HUGE_PAGE = 2 << 20, HUGETLB_MAGIC = (int)0x958458f6, NOEXEC = 8 /* ST_NOEXEC */, MAP_HUGE_BITS = 0x3f };

struct lock mem_lock;
static uint64_t brk_start, brk_now;
static int lock_future;  // mlockall's MCL_FUTURE and MCL_ONFAULT
static uint32_t last_mapping;

void mem_init(void) {
    mem__list_init();
    lock_register(&mem_lock);
}

int mem__host_prot(int prot) {
    return prot & PROT_EXEC ? (prot & ~PROT_EXEC) | PROT_READ : prot;
}

void mem__lock_future(int flags) {
    lock_future = flags;
}

uint32_t mem__new_mapping(void) {
    if (!++last_mapping) ++last_mapping;
    return last_mapping;
}

// ---- mmap

struct request {
    uint64_t address, size;
    int prot, flags, fd;
    uint64_t offset;
    uint64_t unit;  // page size of what is mapped
};

static bool is_fixed(const struct request *request) {
    return request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
}

// Size of the pages that MAP_HUGETLB asks for (man 2 mmap); the default size if it does not say.
static uint64_t huge_unit(int flags) {
    unsigned bits = (unsigned)flags >> 26 & MAP_HUGE_BITS;
    return bits >= 12 && bits < 40 ? UINT64_C(1) << bits : HUGE_PAGE;
}

static bool file_system(const struct request *request, struct statfs *statfs) {
    return !(request->flags & MAP_ANONYMOUS) && host_call(fstatfs, request->fd, statfs) == 0;
}

// The host never sees PROT_EXEC, so it cannot refuse it for files of a file system mounted noexec.
static bool may_execute(const struct request *request) {
    struct statfs statfs;
    return !(request->prot & PROT_EXEC) || !file_system(request, &statfs) || !(statfs.f_flags & NOEXEC);
}

// Whether the file turns out to be made of huge pages (hugetlbfs, memfd_create with MFD_HUGETLB), which is then noted.
static bool finds_huge(struct request *request) {
    struct statfs statfs;
    if (request->unit != MEM_PAGE || !file_system(request, &statfs) || (int)statfs.f_type != HUGETLB_MAGIC) return false;
    request->unit = (uint64_t)statfs.f_bsize;
    return true;
}

static uint64_t round_up(uint64_t size, uint64_t unit) {
    return (size + unit - 1) & ~(unit - 1);
}

// Places of whole huge pages are aligned to them, so that the host can use huge pages.
static uint64_t alignment(const struct request *request) {
    if (request->unit > MEM_PAGE) return request->unit;
    return request->flags & MAP_ANONYMOUS && request->size % HUGE_PAGE == 0 ? HUGE_PAGE : MEM_PAGE;
}

static long choose_fixed(const struct request *request) {
    uint64_t at = request->address, size = request->size;
    if (at % MEM_PAGE) return -EINVAL;
    if (!mem_is_guest(at, size)) return -ENOMEM;
    if (at < MEM_BOTTOM) return -EPERM;
    mem__see_growth(at, at + size);
    if (mem__is_sealed(at, at + size)) return -EPERM;
    return 0;
}

static long choose_place(struct request *request) {
    uint64_t hint = mem__page_up(request->address), size = request->size;
    if (is_fixed(request)) return choose_fixed(request);
    if (hint && hint < MEM_BOTTOM) hint = MEM_BOTTOM;
    bool usable = hint && hint % request->unit == 0 && mem__in_range(hint, size) && mem__is_free(hint, hint + size);
    request->address = usable ? hint : mem__find_gap(size, alignment(request));
    return request->address ? 0 : -ENOMEM;
}

// The kernel's flags for the place that was chosen.
static int host_flags(const struct request *request) {
    int flags = request->flags & ~(MAP_32BIT | MAP_FIXED | MAP_FIXED_NOREPLACE);
    if (lock_future && !(lock_future & 4 /* MCL_ONFAULT */)) flags |= MAP_LOCKED;
    bool replaces = request->flags & MAP_FIXED && !(request->flags & MAP_FIXED_NOREPLACE);
    return flags | (replaces ? MAP_FIXED : MAP_FIXED_NOREPLACE);
}

static bool is_shared(int flags) {
    return (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
}

static void enter(const struct request *request, enum mem_kind kind) {
    uint64_t start = request->address, end = start + request->size;
    struct mem_area area = {.start = start,
                            .end = end,
                            .prot = request->prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
                            .flags = (is_shared(request->flags) ? MAP_SHARED : MAP_PRIVATE) |
                                     (request->flags & (MAP_ANONYMOUS | MAP_GROWSDOWN)),
                            .kind = kind,
                            .mapping = is_shared(request->flags) ? mem__new_mapping() : 0};
    mem__tell_code(start, end);
    mem__cut(start, end);
    mem__put(&area);
    if (request->prot & PROT_EXEC) code_invalidate(start, request->size);
    if (lock_future) host_call(mlock2, start, request->size, lock_future & 4 ? 1 /* MLOCK_ONFAULT */ : 0);
}

// Once more when another mapping of the host turns out to be in the way of a place that was ours to choose.
static long map_chosen(struct request *request) {
    for (int attempt = 0;; attempt++) {
        long at = host_call(mmap, request->address, request->size, mem__host_prot(request->prot), host_flags(request), request->fd,
                            request->offset);
        if (at != -EEXIST || is_fixed(request) || attempt == 8) return at;
        mem__see_growth(0, MEM_TOP);
        request->address = mem__find_gap(request->size, alignment(request));
        if (!request->address) return -ENOMEM;
    }
}

static long map(struct request *request, enum mem_kind kind) {
    request->size = round_up(request->size, request->unit);
    if (!request->size || request->size > MEM_TOP) return -ENOMEM;
    long result = mem__reserve();
    if (!result) result = choose_place(request);
    if (result) return result;
    long at = map_chosen(request);
    if (at >= 0) enter(request, kind);
    else if (request->flags & MAP_FIXED)
        mem__recheck(request->address, request->address + request->size);  // kernels before 6.12 unmap first
    return at;
}

long mem_map(uint64_t address, uint64_t size, int prot, int flags, int fd, uint64_t offset, enum mem_kind kind) {
    struct request request = {address, size, prot, flags, fd, offset, flags & MAP_HUGETLB ? huge_unit(flags) : MEM_PAGE};
    if (offset % MEM_PAGE || !size) return -EINVAL;
    if (!may_execute(&request)) return -EPERM;
    lock_take(&mem_lock);
    long at = map(&request, kind);
    if (at == -EINVAL && finds_huge(&request)) {
        request.address = address;
        at = map(&request, kind);
    }
    lock_drop(&mem_lock);
    return at;
}

// ---- munmap

long mem__unmap(uint64_t start, uint64_t end) {
    mem__see_growth(start, end);
    if (mem__is_sealed(start, end)) return -EPERM;
    long result = mem__reserve();
    if (!result) result = host_call(munmap, start, end - start);
    if (result) return result;
    mem__tell_code(start, end);
    mem__cut(start, end);
    return 0;
}

long mem_unmap(uint64_t address, uint64_t size) {
    uint64_t end = address + mem__page_up(size);
    if (address % MEM_PAGE || !size || mem__page_up(size) < size || !mem_is_guest(address, end - address)) return -EINVAL;
    lock_take(&mem_lock);
    long result = mem__unmap(address, end);
    lock_drop(&mem_lock);
    return result;
}

// ---- mprotect

// One piece that lies in one area. The area is copied: the list moves under it.
static long protect_piece(struct mem_area area, uint64_t start, uint64_t end, int prot) {
    if (area.prot == prot) return 0;
    long result = mem__reserve();
    if (!result && mem__host_prot(area.prot) != mem__host_prot(prot))
        result = host_call(mprotect, start, end - start, mem__host_prot(prot));
    if (result) return result;
    bool was_code = area.prot & PROT_EXEC;
    area.start = start;
    area.end = end;
    area.prot = prot;
    mem__cut(start, end);
    mem__put(&area);
    if (was_code || prot & PROT_EXEC) code_invalidate(start, end - start);
    return 0;
}

static long protect(uint64_t start, uint64_t end, int prot) {
    mem__see_growth(start, end);
    if (mem__is_sealed(start, end)) return -EPERM;
    while (start < end) {
        size_t i = mem__above(start);
        if (i == mem__count || mem__area[i].start > start) return -ENOMEM;
        uint64_t to = mem__lower(end, mem__area[i].end);
        long result = protect_piece(mem__area[i], start, to, prot);
        if (result) return result;
        start = to;
    }
    return 0;
}

// PROT_GROWSDOWN: from the beginning of the area, which must be one that grows.
static long widen_down(uint64_t *start) {
    mem__see_growth(*start, *start + MEM_PAGE);
    size_t i = mem__above(*start);
    if (i == mem__count) return -ENOMEM;
    if (mem__area[i].start > *start || !(mem__area[i].flags & MAP_GROWSDOWN)) return -EINVAL;
    *start = mem__area[i].start;
    return 0;
}

long mem_protect(uint64_t address, uint64_t size, int prot) {
    enum { KNOWN = PROT_READ | PROT_WRITE | PROT_EXEC, SEMAPHORE = 8 /* PROT_SEM */ };
    uint64_t end = address + mem__page_up(size);
    int grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    prot &= ~grows;
    if (grows & PROT_GROWSUP || address % MEM_PAGE) return -EINVAL;
    if (!size) return 0;
    if (mem__page_up(size) < size || end <= address) return -ENOMEM;
    if (prot & ~(KNOWN | SEMAPHORE)) return -EINVAL;
    if (!mem_is_guest(address, end - address)) return -ENOMEM;
    lock_take(&mem_lock);
    long result = grows ? widen_down(&address) : 0;
    if (!result) result = protect(address, end, prot & KNOWN);
    lock_drop(&mem_lock);
    return result;
}

// ---- brk

void mem_brk_init(uint64_t start) {
    brk_start = brk_now = mem__page_up(start);
}

static bool grow_break(uint64_t start, uint64_t end) {
    struct request request = {start, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                              0,     MEM_PAGE};
    return mem__in_range(start, end - start) && mem__is_free(start, end + MEM_PAGE) && map(&request, MEM_HEAP) >= 0;
}

uint64_t mem_brk(uint64_t wanted) {
    lock_take(&mem_lock);
    uint64_t old_end = mem__page_up(brk_now), new_end = mem__page_up(wanted);
    bool done = wanted >= brk_start && wanted < MEM_TOP;
    if (done && new_end > old_end) done = grow_break(old_end, new_end);
    if (done && new_end < old_end) done = mem__unmap(new_end, old_end) == 0;
    if (done) brk_now = wanted;
    uint64_t now = brk_now;
    lock_drop(&mem_lock);
    return now;
}

// ---- questions

// Index of the first area that ends above `address`, when it is known where that area begins.
static size_t settled_above(uint64_t address) {
    size_t i = mem__above(address);
    if (i < mem__count && mem__area[i].start > address && mem__area[i].flags & MAP_GROWSDOWN) mem__see_growth(address, address + 1);
    return i;
}

bool mem_next(uint64_t address, struct mem_area *area) {
    lock_take(&mem_lock);
    size_t i = settled_above(address);
    bool found = i < mem__count;
    if (found) *area = mem__area[i];
    lock_drop(&mem_lock);
    return found;
}

bool mem_find(uint64_t address, struct mem_area *area) {
    return mem_next(address, area) && area->start <= address;
}

size_t mem_executable(uint64_t pc, size_t limit) {
    lock_take(&mem_lock);
    uint64_t end = pc;
    for (size_t i = settled_above(pc);
         i < mem__count && mem__area[i].start <= end && mem__area[i].prot & PROT_EXEC && end - pc < limit; i++)
        end = mem__area[i].end;
    lock_drop(&mem_lock);
    return end - pc < limit ? end - pc : limit;
}
