// SPDX-License-Identifier: MIT
#include "tests/rig/guest_instructions.h"

#include <atomic>
#include <cstring>
#include <stdexcept>

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

template <class T>
void store(std::byte* slot, std::size_t at, T value) noexcept {
  std::memcpy(slot + at, &value, sizeof value);
}
}  // namespace

void fill_slot(std::byte* page, const RawRequest& request, unsigned vcpu) {
  std::byte* const slot = page + vcpu * kSlotSize;
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

std::uint64_t take_answer(std::byte* page, unsigned vcpu) {
  std::byte* const slot = page + vcpu * kSlotSize;
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

}  // namespace dm::rig
