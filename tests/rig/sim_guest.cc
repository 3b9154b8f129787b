// SPDX-License-Identifier: MIT
#include "tests/rig/sim_guest.h"

#include <atomic>

namespace dm::rig {

namespace {
// struct ioreq, typed anew from Xen's public header hvm/ioreq.h.
constexpr std::size_t kSlotSize = 32;
constexpr std::size_t kAddr = 0;
constexpr std::size_t kData = 8;
constexpr std::size_t kCount = 16;
constexpr std::size_t kSize = 20;
constexpr std::size_t kFlags = 30;
constexpr std::size_t kType = 31;
constexpr std::uint8_t kNone = 0;
constexpr std::uint8_t kReady = 1;
constexpr std::uint8_t kResponse = 3;
constexpr unsigned kMostUnits = 1'000'000;

template <class T>
void store(std::byte* slot, std::size_t at, T value) noexcept {
  std::memcpy(slot + at, &value, sizeof value);
}
}  // namespace

SimGuest::SimGuest(Options options)
    : sim_memory_{options.ram}, port_{options.vcpus}, memory_{sim_memory_, options.limits} {}

void SimGuest::fill_slot(const RawRequest& request, unsigned vcpu) {
  std::byte* const slot = port_.slots() + vcpu * kSlotSize;
  store(slot, kAddr, request.addr);
  store(slot, kData, request.data);
  store(slot, kCount, request.count);
  store(slot, kSize, request.size);
  store(slot, kType, request.type);
  const auto flags =
      static_cast<std::uint8_t>((request.data_is_ptr ? 0x10 : 0) | (request.read ? 0x20 : 0) |
                                (request.descending ? 0x40 : 0));
  store(slot, kFlags, flags);
  std::atomic_thread_fence(std::memory_order_release);
  store(slot, kFlags, static_cast<std::uint8_t>(flags | kReady));
}

std::uint64_t SimGuest::take_answer(unsigned vcpu) {
  std::byte* const slot = port_.slots() + vcpu * kSlotSize;
  const auto state = static_cast<std::uint8_t>(slot[kFlags]) & 0x0fU;
  if (state != kResponse) {
    throw std::logic_error("request was not answered");
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  std::uint64_t data = 0;
  std::memcpy(&data, slot + kData, sizeof data);
  store(slot, kFlags, kNone);
  return data;
}

std::uint64_t SimGuest::send(const RawRequest& request, unsigned vcpu) {
  fill_slot(request, vcpu);
  server_.serve_ready();
  const std::uint64_t data = take_answer(vcpu);
  if (auto_work_) {
    run_work();
  }
  return data;
}

void SimGuest::advance(std::chrono::nanoseconds by) {
  // In steps from timer to timer, so that a timer which re-arms itself fires as often as it would.
  const GuestTime end = clock_.now() + by;
  for (auto next = timers_.next_deadline(); next && *next <= end; next = timers_.next_deadline()) {
    if (*next > clock_.now()) {
      clock_.set(*next);
    }
    timers_.run_due();
    if (auto_work_) {
      run_work();
    }
  }
  clock_.set(end);
}

void SimGuest::run_work() {
  for (unsigned unit = 0; work_.run_one(); ++unit) {
    if (unit == kMostUnits) {
      throw std::logic_error("deferred work has no end");
    }
  }
}

}  // namespace dm::rig
