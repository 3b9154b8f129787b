// SPDX-License-Identifier: MIT
// The screen: sockets for viewers before the fork, the worker's end of them after it.
#include "core/obs/log.h"
#include "ioreq/daemon/session.h"
#include "platform/display/area.h"
#include "platform/display/launcher.h"
#include "platform/display/listeners.h"
#include "platform/linux/error_text.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace dm {

/// What the supervisor needs to show the screen. A stub domain has none of it: libxl has dom0 show
/// its screens.
Result<> Session::prepare_screen(HvmBroker::Parts& to) {
  if (!config_.vnc || !config_.vga) {
    return {};
  }
  auto program = display::Launcher::find_program();
  if (!program) {
    return program.error();
  }
  auto listeners = display::listen_for_viewers(*config_.vnc);
  if (!listeners) {
    return listeners.error();
  }
  auto area = display::make_area();
  if (!area) {
    return area.error();
  }
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail("no sockets for the screen: ", host::error_text(errno));
  }
  screen_line_ = host::UniqueFd{ends[0]};
  screen_area_ = std::move(area->writable);
  screen_place_ = {listeners->host, listeners->service, config_.vnc->password};
  to.socket = listeners->path;
  to.screen.emplace();
  to.screen->viewers = std::move(listeners->viewers);
  to.screen->browsers = std::move(listeners->browsers);
  to.screen->program = std::move(*program);
  to.screen->line = host::UniqueFd{ends[1]};
  to.screen->area = std::move(area->readable);
  to.screen->arguments = {"--domid", std::to_string(config_.domid), "--name", config_.name};
  if (!config_.keymap.empty()) {
    to.screen->arguments.insert(to.screen->arguments.end(), {"--keymap", config_.keymap});
  }
  if (config_.vnc->password) {
    to.screen->arguments.emplace_back("--password");
  }
  log::info("VNC: viewers of the screen connect to ", std::string_view{screen_place_.host},
            screen_place_.host.empty() ? "" : ", port ", std::string_view{screen_place_.service});
  return {};
}

Result<> Session::open_screen() {
  if (!screen_line_ || machine_->screen() == nullptr) {
    return {};
  }
  auto area = display::MappedArea::map(screen_area_.get(), true);
  if (!area) {
    return area.error();
  }
  screen_area_.reset();
  const display::ScreenFeed::Ports ports{.loop = loop_,
                                         .screen = *machine_->screen(),
                                         .video = *xen_->video(),
                                         .input = machine_->input()};
  screen_ = std::make_unique<display::ScreenFeed>(ports, std::move(screen_line_), std::move(*area));
  if (!screen_->ok()) {
    return Error{"the loop cannot watch the screen's viewers"};
  }
  return {};
}

}  // namespace dm
