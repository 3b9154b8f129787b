// SPDX-License-Identifier: MIT
#include "platform/linux/nbd/nbd_wait.h"

#include <cerrno>

namespace dm::host {

std::chrono::steady_clock::time_point ServerWait::now() noexcept {
  return std::chrono::steady_clock::now();
}

int ServerWait::poll(pollfd& ready, std::chrono::milliseconds time) noexcept {
  return ::poll(&ready, 1, static_cast<int>(time.count()));
}

ServerWait& ServerWait::real() noexcept {
  static ServerWait host;
  return host;
}

bool has_ended(const NbdLibrary& library, nbd_handle* handle) noexcept {
  return library.aio_is_dead(handle) != 0 || library.aio_is_closed(handle) != 0;
}

bool wait_for_server(const NbdLibrary& library,
                     nbd_handle* handle,
                     std::chrono::steady_clock::time_point end,
                     ServerWait& wait) noexcept {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - wait.now());
  if (left.count() <= 0) {
    return false;
  }
  const unsigned direction = library.aio_get_direction(handle);
  const bool read = (direction & LIBNBD_AIO_DIRECTION_READ) != 0;
  const bool write = (direction & LIBNBD_AIO_DIRECTION_WRITE) != 0;
  pollfd ready{.fd = library.aio_get_fd(handle),
               .events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)),
               .revents = 0};
  const int count = wait.poll(ready, left);
  if (count <= 0) {
    return count < 0 && errno == EINTR;
  }
  const bool can_read = read && ((ready.revents & POLLIN) != 0 || !write);
  static_cast<void>(can_read ? library.aio_notify_read(handle) : library.aio_notify_write(handle));
  return true;
}

}  // namespace dm::host
