// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace dm::test {

/// A guest's end of a PV console, as hvc_xen works it. Offsets typed from Xen's public header
/// io/console.h: in[1024], out[2048], in_cons, in_prod, out_cons, out_prod.
class ConsoleDriver {
 public:
  explicit ConsoleDriver(std::byte* page) noexcept : page_{page} {}

  /// Puts in what fits.
  std::size_t print(std::string_view text) {
    std::uint32_t prod = word(0xc0c);
    const std::uint32_t cons = word(0xc08);
    std::size_t sent = 0;
    for (; sent < text.size() && prod - cons < 2048; ++sent) {
      page_[0x400 + (prod++ & 2047U)] = static_cast<std::byte>(text[sent]);
    }
    set(0xc0c, prod);
    return sent;
  }
  [[nodiscard]] std::string read() {
    std::uint32_t cons = word(0xc00);
    const std::uint32_t prod = word(0xc04);
    std::string text;
    for (; cons != prod && text.size() < 1024; ++cons) {
      text.push_back(static_cast<char>(page_[cons & 1023U]));
    }
    set(0xc00, cons);
    return text;
  }
  [[nodiscard]] std::uint32_t unsent() const { return word(0xc0c) - word(0xc08); }

  [[nodiscard]] std::uint32_t word(std::size_t offset) const {
    return std::atomic_ref<std::uint32_t>{*at(offset)}.load(std::memory_order_acquire);
  }
  void set(std::size_t offset, std::uint32_t value) {
    std::atomic_ref<std::uint32_t>{*at(offset)}.store(value, std::memory_order_release);
  }

 private:
  [[nodiscard]] std::uint32_t* at(std::size_t offset) const {
    return static_cast<std::uint32_t*>(static_cast<void*>(page_ + offset));
  }

  std::byte* page_;
};

}  // namespace dm::test
