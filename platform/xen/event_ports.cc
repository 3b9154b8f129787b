// SPDX-License-Identifier: MIT
#include "platform/xen/event_ports.h"

#include <xen/sys/evtchn.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace dm::xen {

namespace {

/// The ring of a descriptor overflowed (more events than bound ports: cannot be, but then it reads
/// EFBIG for ever).
[[nodiscard]] bool restart_ring(int descriptor) noexcept {
  return ::ioctl(descriptor, IOCTL_EVTCHN_RESET) == 0;
}

}  // namespace

std::optional<std::size_t> take_events(int descriptor, std::span<evtchn_port_t> ports) noexcept {
  ssize_t got = 0;
  do {
    got = ::read(descriptor, ports.data(), ports.size_bytes());
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    const bool usable = errno == EAGAIN || (errno == EFBIG && restart_ring(descriptor));
    return usable ? std::optional<std::size_t>{0} : std::nullopt;
  }
  const std::size_t count = static_cast<std::size_t>(got) / sizeof(evtchn_port_t);
  if (count == 0) {
    return std::nullopt;
  }
  const std::size_t bytes = count * sizeof(evtchn_port_t);
  ssize_t put = 0;
  do {
    put = ::write(descriptor, ports.data(), bytes);
  } while (put < 0 && errno == EINTR);
  if (put != static_cast<ssize_t>(bytes)) {
    return std::nullopt;
  }
  return count;
}

}  // namespace dm::xen
