// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/unique_fd.h"
#include "platform/toolstack/store/store_wire.h"

#include <poll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dm::toolstack {

/// Stands between the process that serves a guest and xenstored, in the supervisor. A connection to
/// xenstored has all rights of its opener, so the process has none. It speaks to the gate instead,
/// in xenstore's own protocol. The gate passes on what the rules allow (store_rules.h), and every
/// answer. What is not allowed ends the process's connection for good, with a line in the log: a
/// process that asks such a thing has been taken over.
///
/// One message of the process's is under way at a time, so the gate holds at most one message in
/// each direction. The guest and xenstored's other clients are not affected by it. It allocates
/// nothing. Thread rule: one thread. Source: Xen public header io/xs_wire.h.
class StoreGate {
 public:
  /// Both ends are non-blocking streams; a device that takes one message with each write() is fine.
  StoreGate(std::uint32_t domid, host::UniqueFd process, host::UniqueFd store) noexcept
      : domid_{domid}, process_{std::move(process)}, store_{std::move(store)} {}

  /// What to wait for: the process's end, xenstored's. A closed gate waits for nothing (-1).
  static constexpr std::size_t kWaits = 2;
  using Waits = std::array<pollfd, kWaits>;
  [[nodiscard]] Waits waits() const noexcept;
  /// Passes on what can be passed. `ready` is waits() after ppoll(2).
  void run(std::span<const pollfd, kWaits> ready) noexcept;
  [[nodiscard]] bool open() const noexcept { return static_cast<bool>(store_); }

 private:
  static constexpr std::size_t kMessage = sizeof(wire::Header) + wire::kMaxPayload;

  struct Buffer {
    std::array<char, kMessage> bytes;
    std::size_t size = 0;  ///< bytes that are there
    std::size_t sent = 0;  ///< of these

    [[nodiscard]] bool sending() const noexcept { return sent < size; }
  };

  void hear_process() noexcept;
  void hear_store() noexcept;
  /// True when all of it is on its way. False: later, or the gate has closed.
  bool send(Buffer& buffer, int to) noexcept;
  void close(std::string_view why) noexcept;

  std::uint32_t domid_;
  host::UniqueFd process_;
  host::UniqueFd store_;
  Buffer question_{};
  bool whole_ = false;  ///< the question is a whole message, which was found good
  Buffer answer_{};
};

}  // namespace dm::toolstack
