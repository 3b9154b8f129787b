// SPDX-License-Identifier: MIT
#include "platform/linux/nbd_wait.h"

#include <poll.h>

#include <cerrno>

namespace dm::host {

bool has_ended(const NbdLibrary& library, nbd_handle* handle) noexcept {
  return library.aio_is_dead(handle) != 0 || library.aio_is_closed(handle) != 0;
}

bool wait_for_server(const NbdLibrary& library,
                     nbd_handle* handle,
                     std::chrono::steady_clock::time_point end) noexcept {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  if (left.count() <= 0) {
    return false;
  }
  const unsigned direction = library.aio_get_direction(handle);
  const bool read = (direction & LIBNBD_AIO_DIRECTION_READ) != 0;
  const bool write = (direction & LIBNBD_AIO_DIRECTION_WRITE) != 0;
  pollfd ready{.fd = library.aio_get_fd(handle),
               .events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)),
               .revents = 0};
  const int count = ::poll(&ready, 1, static_cast<int>(left.count()));
  if (count <= 0) {
    return count < 0 && errno == EINTR;
  }
  const bool can_read = read && ((ready.revents & POLLIN) != 0 || !write);
  static_cast<void>(can_read ? library.aio_notify_read(handle) : library.aio_notify_write(handle));
  return true;
}

}  // namespace dm::host
