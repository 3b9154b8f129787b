// SPDX-License-Identifier: MIT
// While it serves, and how it ends.
#include "ioreq/daemon/session.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/process/start_pages.h"

#include <cerrno>
#include <csignal>

namespace dm {

void Session::on_domain_gone() noexcept {
  log::info("domain ", config_.domid, " has vanished: ending");
  end(Ending::Cause::domain_gone);
}

bool Session::launch() noexcept {
  if (auto enabled = xen_->server().enable(); !enabled) {
    failure_ = enabled.error();
    ending_.note(Ending::Cause::start_failed);
    return false;
  }
  return true;
}

bool Session::pause_others() noexcept {
  return !pv_ || pv_->backends().pause();
}

void Session::resume_others() noexcept {
  if (pv_) {
    pv_->backends().resume();
  }
}

bool Session::hand_over_others() noexcept {
  return !pv_ || pv_->backends().hand_over();
}

void Session::take_back_others() noexcept {
  if (pv_) {
    pv_->backends().take_back();
  }
}

void Session::on_signal() noexcept {
  const bool hang_up = signals_.last() == SIGHUP;
  log::info("signal ", signals_.last(), hang_up ? ": ending" : ": ending, and the guest with it");
  end(hang_up ? Ending::Cause::hang_up : Ending::Cause::signal);
}

void Session::on_supervisor() noexcept {
  switch (supervisor_->hear()) {
    case supervisor::Link::Heard::gone:
      log::error(
          "the supervisor was killed: nobody would clean up after this process, so it ends, and "
          "the guest with it");
      end(Ending::Cause::supervisor_died);
      return;
    case supervisor::Link::Heard::nonsense:
      complaints_.warning("the supervisor says what is no message");
      break;
    case supervisor::Link::Heard::nothing:
      break;
  }
  supervisor_line_.await_readable();
}

void Session::end(Ending::Cause cause) noexcept {
  ending_.note(cause);
  if (machine_ != nullptr) {
    machine_->poller().stop();
  }
}

/// What the guest has written is safe first; then it stops, while the server that its vCPUs may
/// wait for is still there.
void Session::end_guest() noexcept {
  machine_->make_durable();
  if (ending_.crashes_guest()) {
    xen_->domain().shutdown(ShutdownReason::crash);
  }
}

Result<> Session::run() {
  host::drop_start_pages();
  if (!machine_->poller().run()) {
    log::info("domain ", config_.domid, " is gone: ending");
    ending_.note(Ending::Cause::domain_gone);
  }
  machine_->stop_listening();
  pv_.reset();
  end_guest();
  if (failure_) {
    return *failure_;
  }
  return {};
}

/// In a stub domain: what the host has put into a drive, if it has.
host::UniqueFd Session::fetch_disc(std::string_view drive) noexcept {
  host::UniqueFd disc;
  for (const DiskConfig& disk : config_.disks) {
    if (disk.cdrom && disk.id == drive) {
      const int error =
          supervisor_->ask({.kind = supervisor::Kind::disc, .value = disk.index}, disc);
      if (error != 0 && error != ENOENT) {
        complaints_.warning("CD-ROM drive ", drive,
                            ": its new disc is not to be had: ", host::error_text(error));
      }
    }
  }
  return disc;
}

}  // namespace dm
