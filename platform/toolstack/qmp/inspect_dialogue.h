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

/// The conversation with a device model to inspect it, without the socket: bytes in, commands out.
/// The guest may have taken over the other side, which may then say anything. So bytes and messages
/// are limited, and anything unexpected ends the dialogue. Thread rule: one thread.
class InspectDialogue {
 public:
  /// Most bytes that the other side may send. stubdm's own answer has some 30 KiB.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  /// Most messages: a greeting, two answers, and the events that QEMU sends meanwhile.
  static constexpr unsigned kMostMessages = 64;

  enum class State : std::uint8_t { talking, answered, failed };

  explicit InspectDialogue(std::uint32_t domid,
                           std::string_view command = "x-stubdm-inspect",
                           const boost::json::object& arguments = {});

  /// Takes the next bytes, in pieces of any size.
  State feed(std::string_view bytes);
  /// Call it when the other side has hung up, or when the time is over.
  void give_up() noexcept;
  /// Returns what to send now; each command is returned once.
  [[nodiscard]] std::string take_command();
  [[nodiscard]] State state() const noexcept { return state_; }
  /// Call it when the state is not `talking` any more. The answer, or one line about what is wrong,
  /// without any word of the other side.
  [[nodiscard]] Result<boost::json::object> result();

 private:
  enum class Awaited : std::uint8_t { greeting, capabilities, inspection };

  void take_message();
  void fail_because(std::string_view why);

  ObjectScanner scanner_;
  std::string domain_;
  std::string question_;
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
