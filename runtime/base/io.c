// One loop for all calls that may do less than they were asked for: see io.h.
#include "runtime/base/io.h"
#include "runtime/base/sys.h"
#include <errno.h>

// Only calls with a place in the file look at it.
static long transfer(long call, int fd, const char *bytes, size_t size, uint64_t offset) {
    size_t done = 0;
    while (done < size) {
        long n = host_call_number(call, fd, bytes + done, size - done, offset + done);
        if (n == -EINTR) continue;
        if (n < 0) return n;
        if (n == 0) break;
        done += (size_t)n;
    }
    return (long)done;
}

long io_read(int fd, void *to, size_t size) {
    return transfer(SYS_read, fd, to, size, 0);
}

long io_read_at(int fd, void *to, size_t size, uint64_t offset) {
    return transfer(SYS_pread64, fd, to, size, offset);
}

long io_write(int fd, const void *from, size_t size) {
    long done = transfer(SYS_write, fd, from, size, 0);
    return done < 0 ? done : done == (long)size ? 0 : -EIO;
}
