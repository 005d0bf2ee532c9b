// The guest's address space in user mode: guest address = host address, so a mapping is the host's own mapping, and this file
// keeps a list of what is the guest's (areas, sorted, not overlapping), because the host also holds the runner itself.
// Guests live in [MEM_BOTTOM, MEM_TOP). PROT_EXEC is never given to the host: executable guest pages are readable data to us,
// and the area remembers what the guest asked for. Every change tells the code table (code_invalidate).
// Calls with the shape of a system call return an address or 0, or -errno, as the man page of the call says.
#pragma once
#include "runtime/base/lock.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define MEM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_ASAN 1
#endif
#endif

#define MEM_PAGE UINT64_C(4096)
#define MEM_BOTTOM UINT64_C(0x10000)
#ifdef MEM_ASAN  // the sanitizer's shadow lies above
#define MEM_TOP UINT64_C(0x7fff0000)
#else
#define MEM_TOP (UINT64_C(1) << 38)  // Sv39: half of 39 bits
#endif

enum mem_kind { MEM_PLAIN, MEM_STACK, MEM_HEAP, MEM_VDSO, MEM_VVAR };

struct mem_area {
    uint64_t start, end;
    int prot;    // PROT_* as the guest asked
    int flags;   // MAP_SHARED or MAP_PRIVATE, MAP_ANONYMOUS, MAP_GROWSDOWN as given
    enum mem_kind kind;
    bool sealed;   // mseal
    bool no_fork;  // MADV_DONTFORK
    uint32_t mapping;  // pieces of one shared mapping bear the same number; 0: private
};

extern struct lock mem_lock;  // guards the areas; registered for fork

void mem_init(void);
// Mappings that may go anywhere go below `top`, as high as they can.
void mem_set_top(uint64_t top);
// In a forked child: what MADV_DONTFORK kept from it is gone, and nothing is locked.
void mem_forked(void);
long mem_map(uint64_t address, uint64_t size, int prot, int flags, int fd, uint64_t offset, enum mem_kind kind);
long mem_unmap(uint64_t address, uint64_t size);
long mem_protect(uint64_t address, uint64_t size, int prot);
long mem_remap(uint64_t old, uint64_t old_size, uint64_t new_size, int flags, uint64_t new_address);
void mem_brk_init(uint64_t start);  // first page behind the program
uint64_t mem_brk(uint64_t wanted);  // the break after the call (man 2 brk, "C library/kernel differences")
// mseal(2): from now on the range may be neither unmapped, moved, nor protected otherwise.
long mem_seal(uint64_t address, uint64_t size);
long mem_advise(uint64_t address, uint64_t size, int advice);
// mlockall(2) and munlockall(2) of what is the guest's; the runner's own memory is never locked.
long mem_lock_all(int flags);
long mem_unlock_all(void);
// shmat(2) of a segment of `size` bytes (from IPC_STAT), and shmdt(2).
long mem_attach(int id, uint64_t address, int flags, uint64_t size);
long mem_detach(uint64_t address);
// Bytes that are mapped.
uint64_t mem_size(void);
// Copies the area that holds `address` to `area`; false where there is none.
bool mem_find(uint64_t address, struct mem_area *area);
// The first area that ends above `address`; false behind the last. For walking in order.
bool mem_next(uint64_t address, struct mem_area *area);
// How many bytes from `pc` on the guest may execute, at most `limit`; 0 where pc is not executable.
size_t mem_executable(uint64_t pc, size_t limit);
// Whether [address, address + size) lies where guest addresses can be at all. System calls with guest pointers check this and
// nothing else: the kernel (or mem_copy_*) finds out about unmapped pages.
static inline bool mem_is_guest(uint64_t address, uint64_t size) {
    return address < MEM_TOP && size <= MEM_TOP - address;
}

// Copies between our memory and the guest's: 0, or -EFAULT when any byte is not accessible (what was copied until then stays).
int mem_copy_in(void *to, uint64_t from, size_t size);
int mem_copy_out(uint64_t to, const void *from, size_t size);
// Whether all of it can be read at this moment (cpu->readable).
bool mem_is_readable(uint64_t address, uint64_t size);
// Copies a NUL-terminated string: its length, -EFAULT, or -ENAMETOOLONG when `size` does not hold it.
long mem_string_in(char *to, uint64_t from, size_t size);
