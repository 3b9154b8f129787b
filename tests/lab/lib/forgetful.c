// SPDX-License-Identifier: MIT
// Laid over a device model by LD_PRELOAD: it goes on as ever, but nothing that it writes is made
// durable. `powercut` must notice.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
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
  return syscall(SYS_pwritev2, fd, vectors, (long)count, at, 0L,
                 (long)(flags & ~(RWF_SYNC | RWF_DSYNC)));
}
ssize_t pwritev64v2(int, const struct iovec*, int, off64_t, int) __attribute__((alias("pwritev2")));

// A sync by io_uring passes no function of libc's: without a ring the device model's threads do it.
__attribute__((constructor)) static void refuse_rings(void) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}
