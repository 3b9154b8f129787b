// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

/// The messages between the process that serves the guest (the worker), the program that shows its
/// screen (the display) and the supervisor that starts it; README.md has the tables. A message is
/// one datagram of 8 bytes on a SOCK_SEQPACKET pair, so none can be cut or run into the next. All
/// ends are programs of one build on one machine. No system call, no allocation. Thread rule: any
/// thread.
namespace dm::display {

inline constexpr std::uint8_t kVersion = 1;

/// A new kind goes to the end. The meaning of a number never changes.
enum class Kind : std::uint8_t {
  // to the worker
  hello = 1,       ///< display: it has started, and shows nothing yet
  want = 2,        ///< display: a viewer waits for a picture
  key = 3,         ///< display: key `x`, `flag` 1 down or 0 up
  pointer = 4,     ///< display: the pointer is at `x`, `y` of 32767, with these buttons
  pointer_by = 5,  ///< display: it has moved by `x`, `y`, which have a sign
  release = 6,     ///< display: nobody holds a key or button any more
  gone = 7,        ///< supervisor: there is no display any more
  // from the worker
  here = 8,     ///< answers `hello`: the area says where video memory lies
  picture = 9,  ///< answers `want`: the area has what is new
  state = 10,   ///< the pointer goes where it is told (`flag` 1) or not (0); `buttons` are the LEDs
};

struct Message {
  Kind kind;
  std::uint16_t x = 0;
  std::uint16_t y = 0;
  std::uint8_t buttons = 0;
  std::uint8_t flag = 0;

  friend constexpr bool operator==(const Message&, const Message&) noexcept = default;
};

/// A message as it is sent.
struct Wire {
  std::uint8_t version;
  std::uint8_t kind;
  std::uint16_t x;
  std::uint16_t y;
  std::uint8_t buttons;
  std::uint8_t flag;
};
inline constexpr std::size_t kMessageBytes = sizeof(Wire);
static_assert(kMessageBytes == 8 && std::has_unique_object_representations_v<Wire>);

using MessageBytes = std::array<std::byte, kMessageBytes>;

[[nodiscard]] constexpr MessageBytes encode(const Message& message) noexcept {
  return std::bit_cast<MessageBytes>(Wire{.version = kVersion,
                                          .kind = static_cast<std::uint8_t>(message.kind),
                                          .x = message.x,
                                          .y = message.y,
                                          .buttons = message.buttons,
                                          .flag = message.flag});
}

/// Returns the message, or nothing if the bytes are none: another length or version, an unknown
/// kind, a value that the kind cannot have. `bytes` may be anything.
[[nodiscard]] constexpr std::optional<Message> parse(std::span<const std::byte> bytes) noexcept {
  constexpr std::uint16_t kMostPlace = 32767;
  if (bytes.size() != kMessageBytes) {
    return std::nullopt;
  }
  MessageBytes whole{};
  for (std::size_t i = 0; i < whole.size(); ++i) {
    whole[i] = bytes[i];
  }
  const auto wire = std::bit_cast<Wire>(whole);
  const Message message{.kind = static_cast<Kind>(wire.kind),
                        .x = wire.x,
                        .y = wire.y,
                        .buttons = wire.buttons,
                        .flag = wire.flag};
  const bool empty = wire.x == 0 && wire.y == 0 && wire.buttons == 0 && wire.flag == 0;
  bool valid = false;
  switch (message.kind) {
    case Kind::hello:
    case Kind::want:
    case Kind::release:
    case Kind::gone:
    case Kind::here:
    case Kind::picture:
      valid = empty;
      break;
    case Kind::key:
      valid = wire.x <= 0xff && wire.y == 0 && wire.buttons == 0 && wire.flag <= 1;
      break;
    case Kind::pointer:
      valid = wire.x <= kMostPlace && wire.y <= kMostPlace && wire.flag == 0;
      break;
    case Kind::pointer_by:
      valid = wire.flag == 0;
      break;
    case Kind::state:
      valid = wire.x == 0 && wire.y == 0 && wire.flag <= 1 && wire.buttons <= 7;
      break;
  }
  return valid && wire.version == kVersion ? std::optional{message} : std::nullopt;
}

/// What the display says to the supervisor, which sends it viewers and nothing else: a message of
/// one byte with one descriptor each.
struct Report {
  std::uint32_t taken = 0;   ///< viewers, of those that were sent
  std::uint32_t lonely = 0;  ///< 1: nobody has looked for a while, and it would like to end
};
inline constexpr std::size_t kReportBytes = sizeof(Report);
static_assert(kReportBytes == 8 && std::has_unique_object_representations_v<Report>);

}  // namespace dm::display
