// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/chardev/break_decoder.h"
#include "platform/linux/chardev/stream_chardev.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/tty_mode.h"

#include <array>

namespace dm::host {

/// A real serial line of the host, or a Xen console of a stub domain (/dev/hvcN), in raw mode.
///
/// Linux has no event for modem inputs on which one could wait without a thread (TIOCMIWAIT
/// blocks). So they are read whenever something happens on the port, and then every 100 ms for ten
/// seconds. After that, a change is seen with the next byte or MCR write. So a guest that waits for
/// CTS sees it come, and an idle port wakes nobody. Thread rule: the loop's thread only. Source:
/// termios(3), ioctl_tty(2).
class TtyChardev final : public StreamChardev {
 public:
  static constexpr std::chrono::milliseconds kLineCheck{100};
  static constexpr unsigned kLineChecks = 100;

  static Result<std::unique_ptr<Chardev>> open(Loop& loop, const std::string& path);

  TtyChardev(Loop& loop, const std::string& path, UniqueFd tty);

  std::size_t read(std::span<std::byte> to) noexcept override;
  void set_break(bool on) noexcept override;
  void set_line(std::uint32_t baud,
                std::uint8_t data_bits,
                std::uint8_t stop_bits,
                char parity) noexcept override;
  void set_outputs(bool dtr, bool rts) noexcept override;

 private:
  /// What the guest's registers ask for. Sent at the end of a turn, so that a loop of register
  /// writes is one system call.
  struct Wanted {
    std::uint32_t baud = 0;  ///< 0: as the host has it
    std::uint8_t data_bits = 8;
    std::uint8_t stop_bits = 1;
    char parity = 'n';
    bool dtr = true;
    bool rts = true;
    bool break_on = false;

    friend bool operator==(const Wanted&, const Wanted&) = default;
  };

  void on_lost() noexcept override;
  void on_turn() noexcept override;
  void apply() noexcept;
  void check_lines() noexcept;
  void on_line_check() noexcept;

  TtyMode mode_;
  std::array<std::byte, 64> raw_;  ///< of a UART: input with its marks
  std::span<const std::byte> undecoded_;
  BreakDecoder decoder_;
  bool break_came_ = false;  ///< and waits to be told; nothing behind it is given before
  bool has_lines_;           ///< a UART; a console has no modem lines
  Wanted wanted_;
  Wanted applied_;
  int inputs_ = -1;  ///< TIOCM bits last seen
  unsigned checks_left_ = 0;
  Alarm line_check_;
};

}  // namespace dm::host
