// SPDX-License-Identifier: MIT
// Stand-in for libxenevtchn. The descriptor is one end of a stream whose other end is the guest's
// side: reading gives 32-bit port numbers, which stay masked until they are written back, as
// /dev/xen/evtchn does (Linux: drivers/xen/evtchn.c).
//
// A UNIX stream costs about three times what an eventfd does. A program that uses the library's
// calls, as QEMU does, shall not pay for that: with the first xenevtchn_pending the eventfd takes
// the stream's place under the same number. From then on pending is one read of an eventfd, unmask
// one empty ioctl. A program that reads the descriptor itself keeps the stream, to its
// disadvantage. notify is one write of an eventfd for everybody (an ioctl on Xen).
#include <ctime>

#include "common.h"

using namespace peer;

extern "C" {

struct xenevtchn_handle {
  Connection link;
  Control* control;
};

void* xenevtchn_open(void*, unsigned) {
  auto* const handle = static_cast<xenevtchn_handle*>(calloc(1, sizeof(xenevtchn_handle)));
  if (handle == nullptr || (handle->control = map_control()) == nullptr ||
      !connect_guest(*handle->control, handle->link)) {
    return nullptr;
  }
  return handle;
}
int xenevtchn_close(xenevtchn_handle* h) {
  munmap(h->control, sizeof(Control));
  disconnect_guest(h->link);
  free(h);
  return 0;
}
int xenevtchn_fd(xenevtchn_handle* h) {
  return h->link.events;
}
int xenevtchn_bind_interdomain(xenevtchn_handle* h, std::uint32_t, std::uint32_t remote) {
  one_system_call(h->link.events);
  return static_cast<int>(remote + kLocalPortOffset);
}
int xenevtchn_unbind(xenevtchn_handle* h, std::uint32_t) {
  one_system_call(h->link.events);
  return 0;
}
int xenevtchn_pending(xenevtchn_handle* h) {
  if (h->control->by_eventfd.load(std::memory_order_relaxed) != 0) {
    std::uint64_t count = 0;
    return read(h->link.events, &count, sizeof count) == sizeof count
               ? static_cast<int>(kRemotePort + kLocalPortOffset)
               : -1;
  }
  std::uint32_t port = 0;
  if (read(h->link.events, &port, sizeof port) != sizeof port) {
    return -1;
  }
  h->control->masked = 1;
  const int flags = fcntl(h->link.events, F_GETFL);
  dup3(h->link.quick, h->link.events, O_CLOEXEC);
  fcntl(h->link.events, F_SETFL, flags);
  h->control->by_eventfd.store(1, std::memory_order_release);
  return static_cast<int>(port);
}
int xenevtchn_unmask(xenevtchn_handle* h, std::uint32_t port) {
  if (h->control->by_eventfd.load(std::memory_order_relaxed) == 0) {
    return write(h->link.events, &port, sizeof port) == sizeof port ? 0 : -1;
  }
  h->control->masked.store(0, std::memory_order_seq_cst);
  if (h->control->pending.exchange(0) != 0 && h->control->masked.exchange(1) == 0) {
    const std::uint64_t one = 1;
    return write(h->link.events, &one, sizeof one) == sizeof one ? 0 : -1;
  }
  one_system_call(h->link.events);
  return 0;
}
int xenevtchn_notify(xenevtchn_handle* h, std::uint32_t) {
  wake_guest(h->link.wake);
  if (h->control->slow_ns != 0) {
    // The harness's own check: a device model made slower on purpose must show.
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const long until = now.tv_sec * 1'000'000'000L + now.tv_nsec + h->control->slow_ns;
    do {
      clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec * 1'000'000'000L + now.tv_nsec < until);
  }
  return 0;
}
int xenevtchn_restrict(xenevtchn_handle* h, std::uint16_t) {
  one_system_call(h->link.events);
  return 0;
}

}  // extern "C"
