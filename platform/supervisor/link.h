// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/black_box.h"
#include "core/result.h"
#include "platform/linux/unique_fd.h"
#include "platform/supervisor/protocol.h"

#include <cstdint>
#include <utility>

namespace dm::supervisor {

/// The worker's end of what it shares with its supervisor: the socket, and the page with the last
/// requests. Thread rule: the loop's thread only.
class Link {
 public:
  /// `box` is never unmapped: it must last as long as the process.
  Link(host::UniqueFd line, BlackBox& box) noexcept : line_{std::move(line)}, box_{&box} {}
  Link(Link&&) noexcept = default;
  Link& operator=(Link&&) = delete;
  /// Calls leave(): destroying the link is an orderly end.
  ~Link() { leave(); }

  /// Tells the supervisor of the ioreq server. From now on, a sudden death of the worker crashes
  /// the guest and destroys this server. Call it once. Fails when the supervisor cannot be told:
  /// then nobody would clean up.
  [[nodiscard]] Result<> serve(std::uint16_t server) noexcept;
  /// Tells the supervisor that the worker ends on purpose. Call it when the server is destroyed.
  /// Idempotent.
  void leave() noexcept;

  /// Readable when the supervisor has ended or has said something; hear() tells which. The link
  /// keeps the descriptor.
  [[nodiscard]] int descriptor() const noexcept { return line_.get(); }
  enum class Heard : std::uint8_t {
    nothing,
    nonsense,  ///< a message; the supervisor sends none today, so it was dropped
    gone,      ///< nobody will clean up after us any more
  };
  /// Takes one message at most. Never waits.
  [[nodiscard]] Heard hear() noexcept;

  /// The page in which the server records requests. Valid as long as the process.
  [[nodiscard]] BlackBox& black_box() noexcept { return *box_; }

 private:
  /// Returns 0 or a positive errno value.
  [[nodiscard]] int say(const Message& message) noexcept;

  host::UniqueFd line_;  ///< none once it is moved from
  BlackBox* box_;
  bool left_ = false;
};

}  // namespace dm::supervisor
