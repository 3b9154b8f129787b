// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

namespace dm::host {

/// A terminal put into raw mode (bytes pass unchanged, no echo, no line editing), and back when the
/// object goes.
class TtyMode {
 public:
  enum class Keys : std::uint8_t {
    pass,     ///< every byte is data
    signals,  ///< Ctrl-C and Ctrl-\ still raise their signals
  };

  TtyMode() noexcept;
  TtyMode(const TtyMode&) = delete;
  TtyMode& operator=(const TtyMode&) = delete;
  ~TtyMode();

  /// False when `fd` is no terminal. `fd` must live as long as this.
  bool make_raw(int fd, Keys keys);
  /// As make_raw, for good.
  static bool make_raw_for_good(int fd) noexcept;

 private:
  struct Saved;
  std::unique_ptr<Saved> saved_;
};

/// Lets breaks come in as marks among the bytes (BreakDecoder).
void mark_breaks(int fd) noexcept;

/// Speed and frame of a real line. Any speed within 50-4000000 is passed on as it is: a divisor
/// gives odd ones.
void set_tty_line(int fd,
                  std::uint32_t baud,
                  std::uint8_t data_bits,
                  std::uint8_t stop_bits,
                  char parity) noexcept;

}  // namespace dm::host
