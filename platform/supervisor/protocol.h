// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

/// The messages between supervisor and worker; README.md has the table. One message is one datagram
/// of 8 bytes on a SOCK_SEQPACKET pair, so no message can be cut or run into the next. Both ends
/// are one program on one machine, so numbers are in its byte order. No system call, no allocation.
/// Thread rule: any thread.
namespace dm::supervisor {

inline constexpr std::uint8_t kVersion = 1;

/// A new kind goes to the end. The meaning of a number never changes.
enum class Kind : std::uint8_t {
  serving = 1,  ///< worker: the ioreq server `value` exists, and vCPUs may wait for it
  leaving = 2,  ///< worker: it ends on purpose, and the server has gone; `value` is 0
  sleep = 3,    ///< worker, asks: the guest's ACPI sleep state shall be `value`, 0 or 3
  done = 4,     ///< supervisor: what was asked is done; `value` is 0 or a positive errno value
  disc = 5,     ///< worker, asks: what is in CD-ROM drive `value` now, an IDE position, 0 to 3
};
[[nodiscard]] constexpr bool asks(Kind kind) noexcept {
  return kind == Kind::sleep || kind == Kind::disc;
}

struct Message {
  Kind kind;
  std::uint32_t value = 0;

  friend constexpr bool operator==(const Message&, const Message&) noexcept = default;
};

/// A message as it is sent.
struct Wire {
  std::uint8_t version;
  std::uint8_t kind;
  std::uint16_t zero;
  std::uint32_t value;
};
inline constexpr std::size_t kMessageBytes = sizeof(Wire);
static_assert(kMessageBytes == 8 && std::has_unique_object_representations_v<Wire>);

using MessageBytes = std::array<std::byte, kMessageBytes>;

[[nodiscard]] constexpr MessageBytes encode(const Message& message) noexcept {
  return std::bit_cast<MessageBytes>(Wire{.version = kVersion,
                                          .kind = static_cast<std::uint8_t>(message.kind),
                                          .zero = 0,
                                          .value = message.value});
}

/// The bytes as a message, whatever its kind and value.
[[nodiscard]] constexpr std::optional<Wire> unpack(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() != kMessageBytes) {
    return std::nullopt;
  }
  MessageBytes whole{};
  for (std::size_t i = 0; i < whole.size(); ++i) {
    whole[i] = bytes[i];
  }
  const auto wire = std::bit_cast<Wire>(whole);
  return wire.version == kVersion && wire.zero == 0 ? std::optional{wire} : std::nullopt;
}

/// Returns the worker's message, or nothing if the bytes are none: another length or version, an
/// unknown kind, a value that the kind cannot have. `bytes` may be anything.
[[nodiscard]] constexpr std::optional<Message> parse_worker(
    std::span<const std::byte> bytes) noexcept {
  const auto unpacked = unpack(bytes);
  if (!unpacked) {
    return std::nullopt;
  }
  const Wire& wire = *unpacked;
  switch (static_cast<Kind>(wire.kind)) {
    case Kind::serving:
      // ioservid_t, Xen public header hvm/dm_op.h
      return wire.value <= 0xffff ? std::optional{Message{Kind::serving, wire.value}}
                                  : std::nullopt;
    case Kind::leaving:
      return wire.value == 0 ? std::optional{Message{Kind::leaving}} : std::nullopt;
    case Kind::sleep:
      // HVM_PARAM_ACPI_S_STATE, Xen public header hvm/params.h: awake, and suspended to memory
      return wire.value == 0 || wire.value == 3 ? std::optional{Message{Kind::sleep, wire.value}}
                                                : std::nullopt;
    case Kind::disc:
      return wire.value <= 3 ? std::optional{Message{Kind::disc, wire.value}} : std::nullopt;
    case Kind::done:
      break;
  }
  return std::nullopt;
}

/// Returns the supervisor's answer, an errno value, or nothing if the bytes are none.
[[nodiscard]] constexpr std::optional<int> parse_supervisor(
    std::span<const std::byte> bytes) noexcept {
  constexpr std::uint32_t kMostErrno = 4095;  // Linux include/linux/err.h
  const auto wire = unpack(bytes);
  if (!wire || static_cast<Kind>(wire->kind) != Kind::done || wire->value > kMostErrno) {
    return std::nullopt;
  }
  return static_cast<int>(wire->value);
}

/// What the supervisor knows of its worker, from the worker's messages.
class Account {
 public:
  enum class Phase : std::uint8_t {
    starting,  ///< no server yet: a death needs no answer, the toolstack sees the process end
    serving,   ///< a sudden death leaves vCPUs that wait
    leaving,   ///< the worker's end is orderly
  };

  /// Takes a message. False: these bytes are no message, or one that may not come now. Nothing
  /// changes then, and nothing will change later: after one such message the supervisor ignores
  /// this worker, so it takes the worker's end for a sudden one if the worker was serving.
  [[nodiscard]] constexpr bool hear(std::span<const std::byte> bytes) noexcept {
    const auto message = deaf_ ? std::nullopt : parse_worker(bytes);
    deaf_ = !message || !take(*message);
    asked_ = !deaf_ && asks(message->kind) ? message : std::nullopt;
    return !deaf_;
  }
  /// What the message that was heard last asks for, if it asks for something.
  [[nodiscard]] constexpr const std::optional<Message>& asked() const noexcept { return asked_; }
  [[nodiscard]] constexpr Phase phase() const noexcept { return phase_; }
  /// The server's id; valid when phase() is not `starting`. 0 for a worker that leaves without
  /// having served.
  [[nodiscard]] constexpr std::uint16_t server() const noexcept { return server_; }

 private:
  [[nodiscard]] constexpr bool take(const Message& message) noexcept {
    if (message.kind == Kind::serving && phase_ == Phase::starting) {
      phase_ = Phase::serving;
      server_ = static_cast<std::uint16_t>(message.value);
      return true;
    }
    if (message.kind == Kind::leaving && phase_ != Phase::leaving) {
      phase_ = Phase::leaving;
      return true;
    }
    return asks(message.kind) && phase_ == Phase::serving;
  }

  Phase phase_ = Phase::starting;
  bool deaf_ = false;
  std::uint16_t server_ = 0;
  std::optional<Message> asked_;
};

}  // namespace dm::supervisor
