// Reading and writing that goes on, after signals as well, until all is done. Raw, as sys.h is.
#pragma once
#include <stddef.h>
#include <stdint.h>

// How many bytes there were, fewer than `size` at the file's end only; or -errno.
long io_read(int fd, void *to, size_t size);
long io_read_at(int fd, void *to, size_t size, uint64_t offset);
// 0 or -errno.
long io_write(int fd, const void *from, size_t size);
