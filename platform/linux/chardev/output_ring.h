// SPDX-License-Identifier: MIT
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace dm::host {

/// Bytes on their way out, in a fixed buffer. Its pages cost nothing until they are used.
class OutputRing {
 public:
  explicit OutputRing(std::size_t capacity)
      : bytes_{std::make_unique_for_overwrite<std::byte[]>(capacity)}, capacity_{capacity} {}

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t room() const noexcept { return capacity_ - size_; }

  /// Takes what fits; returns how much.
  std::size_t push(std::span<const std::byte> bytes) noexcept {
    const std::size_t taken = std::min(bytes.size(), room());
    const std::size_t end = (start_ + size_) % capacity_;
    const std::size_t first = std::min(taken, capacity_ - end);
    if (taken != 0) {
      std::memcpy(bytes_.get() + end, bytes.data(), first);
      std::memcpy(bytes_.get(), bytes.data() + first, taken - first);
    }
    size_ += taken;
    return taken;
  }
  /// Takes everything; the oldest bytes make room. Returns how many were lost.
  std::size_t push_over(std::span<const std::byte> bytes) noexcept {
    const std::size_t skipped = bytes.size() - std::min(bytes.size(), capacity_);
    const auto kept = bytes.subspan(skipped);
    const std::size_t lost = kept.size() - std::min(kept.size(), room());
    pop(lost);
    push(kept);
    return skipped + lost;
  }
  void pop(std::size_t count) noexcept {
    start_ = (start_ + count) % capacity_;
    size_ -= count;
  }
  void clear() noexcept { start_ = size_ = 0; }

  /// What is in it, oldest first, for writev. The second may be empty.
  [[nodiscard]] std::array<iovec, 2> parts() const noexcept {
    const std::size_t first = std::min(size_, capacity_ - start_);
    return {iovec{bytes_.get() + start_, first}, iovec{bytes_.get(), size_ - first}};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_;
  std::size_t start_ = 0;
  std::size_t size_ = 0;
};

}  // namespace dm::host
