// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/toolstack/qmp/qmp_framing.h"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// What is said with a device model to inspect it, without the socket: bytes in, commands out. The
/// other side may have been taken over by its guest and says what it likes: what is taken of it is
/// bounded, in bytes and in messages, and anything unexpected ends the dialogue.
class InspectDialogue {
 public:
  /// Of all that the other side says. stubdm's own answer has some 30 KiB.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  /// Greeting, two answers, and what else QEMU says meanwhile (events).
  static constexpr unsigned kMostMessages = 64;

  enum class State : std::uint8_t { talking, answered, failed };

  explicit InspectDialogue(std::uint32_t domid);

  /// Takes what has come, in pieces of any size.
  State feed(std::string_view bytes);
  /// The other side has hung up, or time is over.
  void give_up() noexcept;
  /// What is to be sent now, once.
  [[nodiscard]] std::string take_command();
  [[nodiscard]] State state() const noexcept { return state_; }
  /// When no longer talking: the answer, or one line about what is wrong, with no word of the other
  /// side's in it.
  [[nodiscard]] Result<boost::json::object> result();

 private:
  enum class Awaited : std::uint8_t { greeting, capabilities, inspection };

  void take_message();
  void fail_because(std::string_view why);

  ObjectScanner scanner_;
  std::string domain_;
  std::string message_;
  std::string command_;
  std::string why_;
  boost::json::object answer_;
  std::size_t bytes_ = 0;
  unsigned messages_ = 0;
  Awaited awaited_ = Awaited::greeting;
  State state_ = State::talking;
};

}  // namespace dm::toolstack
