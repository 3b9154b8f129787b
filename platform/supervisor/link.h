// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/black_box.h"
#include "core/obs/pulse.h"
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
  /// `pulse` is never unmapped either. `timer` wakes the supervisor, to look at the pulse.
  Link(host::UniqueFd line, BlackBox& box, Pulse& pulse, host::UniqueFd timer) noexcept
      : line_{std::move(line)}, box_{&box}, pulse_{&pulse}, timer_{std::move(timer)} {}
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

  /// Asks the supervisor for something that this process may not do, and waits for its answer, for
  /// two seconds at most: 0 or a positive errno value. EPIPE when it does not answer, EPROTO when
  /// it answers nonsense; from then on it is not asked any more.
  /// If a descriptor comes with the answer, `to` has it (close-on-exec), else none.
  [[nodiscard]] int ask(const Message& question, host::UniqueFd& to) noexcept;
  /// The same for what is answered without one.
  [[nodiscard]] int ask(const Message& question) noexcept {
    host::UniqueFd none;
    return ask(question, none);
  }

  /// Readable when the supervisor has ended or has said something; hear() tells which. The link
  /// keeps the descriptor.
  [[nodiscard]] int descriptor() const noexcept { return line_.get(); }
  enum class Heard : std::uint8_t {
    nothing,
    nonsense,  ///< a message; nothing was asked, so it was dropped
    gone,      ///< nobody will clean up after us any more
  };
  /// Takes one message at most. Never waits.
  [[nodiscard]] Heard hear() noexcept;

  /// The page in which the server records requests. Valid as long as the process.
  [[nodiscard]] BlackBox& black_box() noexcept { return *box_; }
  /// What the supervisor looks at, and the timer that it is woken by; null and -1 where nobody
  /// looks. The link keeps the timer.
  [[nodiscard]] Pulse* pulse() noexcept { return pulse_; }
  [[nodiscard]] int pulse_timer() const noexcept { return timer_.get(); }

 private:
  /// Returns 0 or a positive errno value.
  [[nodiscard]] int say(const Message& message) noexcept;

  host::UniqueFd line_;  ///< none once it is moved from
  BlackBox* box_;
  Pulse* pulse_ = nullptr;
  host::UniqueFd timer_;
  bool left_ = false;
  bool unanswered_ = false;  ///< a late answer would be taken for another one's
};

}  // namespace dm::supervisor
