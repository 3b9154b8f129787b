// SPDX-License-Identifier: MIT
// Laid over a device model by LD_PRELOAD: it goes on as ever, but nothing that it writes is made durable. `powercut` must notice.
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int fdatasync(int fd) {
  (void)fd;
  return 0;
}
int fsync(int fd) {
  (void)fd;
  return 0;
}

ssize_t pwritev2(int fd, const struct iovec* vectors, int count, off_t at, int flags) {
  return syscall(SYS_pwritev2, fd, vectors, (long)count, at, 0L, (long)(flags & ~(RWF_SYNC | RWF_DSYNC)));
}
ssize_t pwritev64v2(int, const struct iovec*, int, off64_t, int) __attribute__((alias("pwritev2")));
