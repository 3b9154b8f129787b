// SPDX-License-Identifier: MIT
// The screen: sockets for viewers before the fork, the worker's end of them after it.
#include "core/obs/log.h"
#include "ioreq/daemon/session.h"
#include "ioreq/machine/inspect.h"
#include "ioreq/machine/screenshot.h"
#include "platform/display/area.h"
#include "platform/display/launcher.h"
#include "platform/display/listeners.h"
#include "platform/linux/error_text.h"

#include <sys/socket.h>

#include <algorithm>
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

/// In both homes, with or without viewers. An empty answer: there is no screen.
void Session::add_screenshot_command() {
  static constexpr std::int64_t kMostLine = 65535;
  const toolstack::QmpParameters parameters{{"first", toolstack::QmpParameter::Type::integer}};
  commands_.add(
      "x-stubdm-screen", parameters, [this](toolstack::QmpCall& call) -> toolstack::QmpResult {
        if (machine_->screen() == nullptr) {
          return boost::json::object{};
        }
        const boost::json::value* const first = call.arguments.if_contains("first");
        const std::int64_t line = first != nullptr && first->is_int64() ? first->get_int64() : 0;
        return screenshot(*machine_->screen(), xen_->video()->bytes(),
                          static_cast<std::uint32_t>(std::clamp<std::int64_t>(line, 0, kMostLine)));
      });
}

/// The machine, and who looks at it.
boost::json::object Session::inspect_all() const {
  boost::json::object all = inspect(*machine_, config_);
  if (screen_) {
    const display::ScreenFeed::Counters& counters = screen_->counters();
    all["viewers"] = {{"there", screen_->has_viewers()}, {"looks", counters.looks},
                      {"pictures", counters.pictures},   {"not_tracked", counters.untracked},
                      {"keys", counters.keys},           {"moves", counters.moves},
                      {"nonsense", counters.nonsense}};
  }
  return all;
}

}  // namespace dm
