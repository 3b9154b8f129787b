// SPDX-License-Identifier: MIT
#include "bench/peer/guest/xen_side.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace peer {

void die(const std::string& what) {
  std::fprintf(stderr, "guest: %s (errno %d: %s)\n", what.c_str(), errno, std::strerror(errno));
  std::exit(1);
}

Clock::Clock() {
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t first = ticks();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds{20}) {
  }
  const std::uint64_t last = ticks();
  const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - start;
  ns_per_tick_ = passed.count() / static_cast<double>(last - first);
}

namespace {

std::byte* make_file(const std::string& path, std::uint64_t bytes) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ::posix_fallocate(file, 0, static_cast<off_t>(bytes)) != 0) {
    die("cannot make " + path);
  }
  void* const at =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
  ::close(file);
  if (at == MAP_FAILED) {
    die("cannot map " + path);
  }
  return static_cast<std::byte*>(at);
}

}  // namespace

XenSide::XenSide(std::string folder, std::uint64_t ram_bytes, std::uint32_t slow_ns)
    : folder_{std::move(folder)}, ram_bytes_{ram_bytes} {
  ram_ = make_file(folder_ + "/ram", ram_bytes);
  slots_ = make_file(folder_ + "/slots", 8192);
  control_ = reinterpret_cast<Control*>(
      make_file(folder_ + "/control", (sizeof(Control) + 4095) & ~std::uint64_t{4095}));
  control_->ram_pages = ram_bytes / 4096;
  control_->slow_ns = slow_ns;
  wake_ = ::eventfd(0, EFD_CLOEXEC);
  quick_ = ::eventfd(0, EFD_CLOEXEC);
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    die("no socket pair");
  }
  events_ = pair[0];
  theirs_ = pair[1];
  control_->guest_pid = ::getpid();
  control_->events_fd = theirs_;
  control_->wake_fd = wake_;
  control_->quick_fd = quick_;
  // Our own children may take descriptors out of us, also where ptrace is confined (yama).
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
}

XenSide::~XenSide() {
  for (const int descriptor : {events_, theirs_, wake_, quick_}) {
    ::close(descriptor);
  }
}

bool XenSide::claimed(RangeKind kind, std::uint64_t first, std::uint64_t last) const noexcept {
  for (const Range& range : control_->ranges) {
    if (range.kind == kind && range.first <= first && last <= range.last) {
      return true;
    }
  }
  return false;
}

void XenSide::take_unmasks() noexcept {
  std::array<std::uint32_t, 64> ports{};
  const ssize_t got = ::recv(events_, ports.data(), sizeof ports, MSG_DONTWAIT);
  for (ssize_t i = 0; i < got / 4; ++i) {
    if (ports[static_cast<std::size_t>(i)] == kRemotePort + kLocalPortOffset) {
      masked_ = false;
    }
  }
}

void XenSide::signal() noexcept {
  if (control_->by_eventfd.load(std::memory_order_acquire) != 0) {
    signal_by_eventfd();
    return;
  }
  if (masked_) {
    take_unmasks();
  }
  if (masked_) {
    pending_ = true;
    return;
  }
  masked_ = true;
  const std::uint32_t port = kRemotePort + kLocalPortOffset;
  static_cast<void>(!::send(events_, &port, sizeof port, MSG_NOSIGNAL));
}

void XenSide::signal_by_eventfd() noexcept {
  const std::uint64_t one = 1;
  if (control_->masked.exchange(1) == 0) {
    static_cast<void>(!::write(quick_, &one, sizeof one));
    return;
  }
  control_->pending = 1;
  // The port may have been unmasked in between; whoever takes the pending bit delivers.
  if (control_->masked.load() == 0 && control_->pending.exchange(0) != 0 &&
      control_->masked.exchange(1) == 0) {
    static_cast<void>(!::write(quick_, &one, sizeof one));
  }
}

void XenSide::deliver_pending() noexcept {
  if (pending_) {
    take_unmasks();
    if (!masked_) {
      pending_ = false;
      signal();
    }
  }
}

void XenSide::sleep_until_woken() noexcept {
  // An event held back by the mask is delivered by the hypervisor as soon as the port is unmasked;
  // here, by looking again.
  pollfd wait{.fd = wake_, .events = POLLIN, .revents = 0};
  if (!pending_ || ::poll(&wait, 1, 1) == 1) {
    std::uint64_t count = 0;
    static_cast<void>(!::read(wake_, &count, sizeof count));
  }
  deliver_pending();
}

void XenSide::drain_wakes() noexcept {
  pollfd wait{.fd = wake_, .events = POLLIN, .revents = 0};
  std::uint64_t count = 0;
  if (::poll(&wait, 1, 0) == 1) {
    static_cast<void>(!::read(wake_, &count, sizeof count));
  }
}

namespace {
constexpr std::uint8_t kReady = 1;
constexpr std::uint8_t kAnswered = 3;
}  // namespace

std::uint64_t Vcpu::request(std::uint8_t type,
                            std::uint64_t address,
                            unsigned size,
                            bool read,
                            std::uint64_t data,
                            std::uint32_t count,
                            bool pointer) noexcept {
  ++requests_;
  std::byte* const slot = xen_.slot();
  std::memcpy(slot, &address, 8);
  std::memcpy(slot + 8, &data, 8);
  std::memcpy(slot + 16, &count, 4);
  std::memcpy(slot + 20, &size, 4);
  std::memcpy(slot + 31, &type, 1);
  const auto flags = static_cast<std::uint8_t>((pointer ? 0x10 : 0) | (read ? 0x20 : 0));
  const std::atomic_ref<std::uint8_t> state{*reinterpret_cast<std::uint8_t*>(slot + 30)};
  state.store(static_cast<std::uint8_t>(flags | kReady), std::memory_order_release);
  xen_.signal();
  std::uint64_t rounds = 0;
  while ((state.load(std::memory_order_acquire) & 0x0f) != kAnswered) {
    if (wait_ == Wait::sleep) {
      xen_.sleep_until_woken();
    } else {
      __builtin_ia32_pause();
      if (++rounds % 1024 == 0) {
        xen_.deliver_pending();
      }
      if (rounds > 2'000'000'000) {
        die("no answer to a request at " + std::to_string(address));
      }
    }
  }
  std::uint64_t answer = 0;
  std::memcpy(&answer, slot + 8, 8);
  state.store(flags, std::memory_order_relaxed);
  return size >= 8 ? answer : answer & ((std::uint64_t{1} << (size * 8)) - 1);
}

std::uint32_t Vcpu::config_read(unsigned devfn, unsigned reg, unsigned size) noexcept {
  if (!xen_.claimed(range_pci, devfn, devfn)) {
    return 0xffffffffU;  // Xen answers for functions that nobody registered
  }
  return static_cast<std::uint32_t>(request(2, std::uint64_t{devfn} << 32 | reg, size, true, 0));
}

void Vcpu::config_write(unsigned devfn, unsigned reg, unsigned size, std::uint32_t value) noexcept {
  if (xen_.claimed(range_pci, devfn, devfn)) {
    request(2, std::uint64_t{devfn} << 32 | reg, size, false, value);
  }
}

bool Vcpu::wait_line(const std::atomic<std::uint8_t>& line) noexcept {
  if (line.load(std::memory_order_acquire) != 0) {
    return true;
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{2};
  for (unsigned rounds = 1; line.load(std::memory_order_acquire) == 0; ++rounds) {
    if (wait_ == Wait::sleep) {
      xen_.sleep_until_woken();
    } else {
      __builtin_ia32_pause();
    }
    if (rounds % 4096 == 0 && std::chrono::steady_clock::now() > until) {
      return false;
    }
  }
  return true;
}

}  // namespace peer
