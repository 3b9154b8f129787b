// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

// Xen's public headers use the integer types without including them.
// clang-format off
#include <stdint.h>
#include <xen/xen.h>
#include <xen/hvm/ioreq.h>
// clang-format on

namespace dm::ioreq {

/// A private copy of one request. All checks and uses go to this copy, so a slot is read exactly
/// once (XSA-197).
struct Request {
  std::uint64_t addr;
  std::uint64_t data;
  std::uint32_t count;
  std::uint32_t size;
  std::uint8_t type;
  bool data_is_ptr;
  bool is_read;
  bool descending;  ///< the guest's direction flag
};

/// The page of request slots that Xen and we share: 128 slots of 32 bytes, slot i for vCPU i. We do
/// not use the C bit-fields of the public header: `state` shares its byte with `data_is_ptr`, `dir`
/// and `df`, and must be read and written atomically. Thread rule: the loop's thread only. Source:
/// Xen public header hvm/ioreq.h.
class SlotPage {
 public:
  static constexpr unsigned kSlots = 128;

  explicit SlotPage(std::byte* page) noexcept : page_{page} {}

  [[nodiscard]] bool ready(unsigned slot) const noexcept {
    return (flags(slot).load(std::memory_order_relaxed) & kStateMask) == STATE_IOREQ_READY;
  }

  /// Takes a request if there is one: reads the state with acquire order, copies the request, and
  /// sets the state to "in process".
  [[nodiscard]] bool take(unsigned slot, Request& request) const noexcept {
    const auto state = flags(slot);
    const std::uint8_t bits = state.load(std::memory_order_acquire);
    if ((bits & kStateMask) != STATE_IOREQ_READY) {
      return false;
    }
    const std::byte* const at = page_ + std::size_t{slot} * kSlotSize;
    std::memcpy(&request.addr, at + offsetof(::ioreq, addr), sizeof request.addr);
    std::memcpy(&request.data, at + offsetof(::ioreq, data), sizeof request.data);
    std::memcpy(&request.count, at + offsetof(::ioreq, count), sizeof request.count);
    std::memcpy(&request.size, at + offsetof(::ioreq, size), sizeof request.size);
    std::memcpy(&request.type, at + kTypeOffset, sizeof request.type);
    request.data_is_ptr = (bits & kDataIsPtr) != 0;
    request.is_read = (bits & kDir) != 0;
    request.descending = (bits & kDf) != 0;
    state.store(with_state(bits, STATE_IOREQ_INPROCESS), std::memory_order_relaxed);
    return true;
  }

  /// Writes the answer: `data` first, then the state with release order. Xen reads nothing else.
  void answer(unsigned slot, std::uint64_t data) const noexcept {
    std::memcpy(page_ + std::size_t{slot} * kSlotSize + offsetof(::ioreq, data), &data,
                sizeof data);
    const auto state = flags(slot);
    state.store(with_state(state.load(std::memory_order_relaxed), STATE_IORESP_READY),
                std::memory_order_release);
  }

 private:
  static constexpr std::size_t kSlotSize = 32;
  static constexpr std::size_t kFlagsOffset = 30;  ///< state:4 data_is_ptr:1 dir:1 df:1
  static constexpr std::size_t kTypeOffset = 31;
  static constexpr std::uint8_t kStateMask = 0x0f;
  static constexpr std::uint8_t kDataIsPtr = 0x10;
  static constexpr std::uint8_t kDir = 0x20;
  static constexpr std::uint8_t kDf = 0x40;
  static_assert(sizeof(::ioreq) == kSlotSize && offsetof(::ioreq, vp_eport) == 24);

  [[nodiscard]] std::atomic_ref<std::uint8_t> flags(unsigned slot) const noexcept {
    // A byte of the shared page; std::byte storage may be seen as unsigned char.
    return std::atomic_ref<std::uint8_t>{
        *reinterpret_cast<std::uint8_t*>(page_ + std::size_t{slot} * kSlotSize + kFlagsOffset)};
  }
  [[nodiscard]] static constexpr std::uint8_t with_state(std::uint8_t bits,
                                                         unsigned state) noexcept {
    return static_cast<std::uint8_t>((bits & static_cast<std::uint8_t>(~kStateMask)) | state);
  }

  std::byte* page_;
};

}  // namespace dm::ioreq
