// SPDX-License-Identifier: MIT
#pragma once

// Shared by the stand-in libraries. Each of them is a library of its own and keeps its own
// connection. No C++ run-time library: what is loaded with the device model is counted as its
// memory.

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "peer_abi.h"

namespace peer {

inline int open_file(const char* name) {
  const char* const folder = getenv("PEER_DIR");
  if (folder == nullptr) {
    errno = ENOENT;
    return -1;
  }
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return open(path, O_RDWR | O_CLOEXEC);
}

inline Control* map_control() {
  const int file = open_file("control");
  if (file < 0) {
    return nullptr;
  }
  void* const at = mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return at == MAP_FAILED ? nullptr : static_cast<Control*>(at);
}

struct Connection {
  int events = -1;  ///< speaks like /dev/xen/evtchn
  int wake = -1;    ///< eventfd of the vCPU
  int quick = -1;   ///< eventfd that can carry the port
};

/// Fetches the descriptors out of the guest process.
inline bool connect_guest(const Control& control, Connection& connection) {
  const int guest = static_cast<int>(syscall(SYS_pidfd_open, control.guest_pid, 0));
  const auto fetch = [guest](int number) {
    return static_cast<int>(syscall(SYS_pidfd_getfd, guest, number, 0));
  };
  connection = {.events = fetch(control.events_fd),
                .wake = fetch(control.wake_fd),
                .quick = fetch(control.quick_fd)};
  close(guest);
  return connection.events >= 0 && connection.wake >= 0 && connection.quick >= 0;
}

inline void disconnect_guest(Connection& connection) {
  close(connection.events);
  close(connection.wake);
  close(connection.quick);
}

/// One real system call, for an operation that is one on Xen and has no effect here that needs one.
/// It is the request of a device-model operation (IOCTL_PRIVCMD_DM_OP), because a device model may
/// allow itself no other. The descriptor knows no such request: ENOTTY, as quick as an ioctl gets.
inline void one_system_call(int descriptor) {
  const int saved = errno;
  ioctl(descriptor, 0x00105005);
  errno = saved;
}

/// The same, and the vCPU wakes up if it sleeps.
inline void wake_guest(int wake) {
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake, &one, sizeof one));
}

}  // namespace peer
