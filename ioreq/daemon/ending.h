// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm {

/// Why a device model ends, and so what becomes of its guest. A guest that is alive must not be
/// left alone: an access to a device of a server that is gone reads ones, and one that is under way
/// never comes back. So it is ended as crashed, once data is durable and before the server goes,
/// just as the supervisor does after a sudden death.
///
/// Not after SIGHUP, which comes from libxl. It pauses the domain, removes the device model's node
/// in xenstore, sends SIGHUP and destroys the domain (libxl_domain.c, libxl_dm.c); xl, which waits
/// for the domain's end, would take a crash for one and do what on_crash= says. Xen itself keeps
/// the first reason of a domain that has ended already, so nothing is changed there.
class Ending {
 public:
  enum class Cause : std::uint8_t {
    none,
    domain_gone,      ///< nothing is left to be done for it
    hang_up,          ///< SIGHUP
    signal,           ///< SIGTERM, SIGINT: an administrator, a host that shuts down
    quit,             ///< by QMP
    supervisor_died,  ///< nobody would clean up after us
    start_failed,     ///< the guest could not be served after all
  };

  /// The first cause is what counts, but for the domain's end.
  constexpr void note(Cause cause) noexcept {
    if (cause_ == Cause::none || cause == Cause::domain_gone) {
      cause_ = cause;
    }
  }
  [[nodiscard]] constexpr Cause cause() const noexcept { return cause_; }
  [[nodiscard]] constexpr bool crashes_guest() const noexcept {
    return cause_ != Cause::domain_gone && cause_ != Cause::hang_up;
  }

 private:
  Cause cause_ = Cause::none;
};

}  // namespace dm
