// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::host {

/// Decodes the input of a terminal with PARMRK set (termios(3)): a break is FF 00 00, a byte FF is
/// FF FF, a byte with a framing error is FF 00 and the byte. A mark may be cut at any place between
/// two reads.
class BreakDecoder {
 public:
  struct Step {
    std::size_t used = 0;   ///< bytes of `in`
    std::size_t given = 0;  ///< bytes of `out`
    bool is_break = false;  ///< a break follows what was given; nothing after it was looked at
  };

  /// Runs until `in` is used up, `out` is full, or a break comes.
  [[nodiscard]] Step decode(std::span<const std::byte> in, std::span<std::byte> out) noexcept {
    Step step;
    while (step.used < in.size() && step.given < out.size() && !step.is_break) {
      const std::byte byte = in[step.used++];
      switch (state_) {
        case State::plain:
          if (byte == kMark) {
            state_ = State::marked;
          } else {
            out[step.given++] = byte;
          }
          break;
        case State::marked:
          if (byte == std::byte{0}) {
            state_ = State::error;
          } else {
            state_ = State::plain;
            out[step.given++] = byte;  // FF FF: one FF
          }
          break;
        case State::error:
          state_ = State::plain;
          if (byte == std::byte{0}) {
            step.is_break = true;
          } else {
            out[step.given++] = byte;
          }
          break;
      }
    }
    return step;
  }

 private:
  static constexpr std::byte kMark{0xff};
  enum class State : std::uint8_t { plain, marked, error };

  State state_ = State::plain;
};

}  // namespace dm::host
