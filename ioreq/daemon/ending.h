// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm {

/// Why a device model ends, and what then happens to its guest. A guest that is alive must not be
/// left alone. Once the ioreq server is gone, an access to a device reads ones; an access that was
/// in flight before never returns. So the guest is ended as crashed, when its data is durable and
/// before the server goes. The supervisor does the same after a sudden death.
///
/// SIGHUP is different: it comes from libxl. libxl pauses the domain, removes the device model's
/// node in xenstore, sends SIGHUP and destroys the domain (libxl_domain.c, libxl_dm.c). xl waits
/// for the domain's end; it would take our crash for a real one and do what on_crash= says. A
/// domain that has ended already is not changed, since Xen keeps the first reason.
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

  /// Notes a cause. The first one counts, but the domain's end replaces it.
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
