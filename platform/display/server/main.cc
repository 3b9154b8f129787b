// SPDX-License-Identifier: MIT
// stubdm-display: shows a guest's screen to its viewers. The supervisor starts it; README.md tells
// what it is given.
#include "core/obs/log.h"
#include "core/text/number.h"
#include "platform/display/area.h"
#include "platform/display/program.h"
#include "platform/display/protocol.h"
#include "platform/display/server/canvas.h"
#include "platform/display/server/confined.h"
#include "platform/display/server/display.h"
#include "platform/display/server/keymap.h"
#include "platform/display/server/video_source.h"
#include "platform/display/server/viewers.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace {

using dm::Result;

constexpr const char* kHelp =
    "stubdm-display: shows the screen of a guest to VNC viewers.\n"
    "\n"
    "stubdm starts it when the first viewer comes, and it ends when the last one has gone. It is\n"
    "not for people: write vnc=1 into the guest's xl.cfg, and connect a viewer.\n";

struct Options {
  std::uint32_t domid = 0;
  std::string name;
  std::string keymap = "us";
  bool password = false;
  bool video_file = false;  ///< for tests and benchmarks: video memory is a file that is open
};

[[nodiscard]] Result<Options> read_options(std::span<char*> arguments) {
  Options options;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view name{arguments[i]};
    if (name == "--password" || name == "--video-file") {
      (name == "--password" ? options.password : options.video_file) = true;
      continue;
    }
    if (i + 1 == arguments.size()) {
      return dm::fail("stubdm-display: '", name, "' is no argument, or has no value");
    }
    const std::string_view value{arguments[++i]};
    const auto number = dm::parse_number<std::uint32_t>(value, 0, 0x7fff);
    if (name == "--name") {
      options.name = value;
    } else if (name == "--keymap") {
      options.keymap = value;
    } else if (name == "--domid" && number) {
      options.domid = *number;
    } else {
      return dm::fail("stubdm-display: '", name, " ", value, "' is no argument");
    }
  }
  return options;
}

/// Asks the worker where video memory lies, and waits for its answer.
[[nodiscard]] Result<> greet_worker() {
  constexpr int kPatienceMilliseconds = 5000;
  const auto hello = dm::display::encode({.kind = dm::display::Kind::hello});
  if (::send(dm::display::kLine, hello.data(), hello.size(), MSG_NOSIGNAL) < 0) {
    return dm::Error{"stubdm-display: there is no device model. It is started by stubdm alone"};
  }
  for (;;) {
    pollfd look{.fd = dm::display::kLine, .events = POLLIN, .revents = 0};
    std::array<std::byte, dm::display::kMessageBytes> bytes{};
    if (::poll(&look, 1, kPatienceMilliseconds) <= 0 ||
        ::recv(dm::display::kLine, bytes.data(), bytes.size(), MSG_DONTWAIT) <= 0) {
      return dm::Error{"stubdm-display: the device model does not answer"};
    }
    const auto message = dm::display::parse(bytes);
    if (message && message->kind == dm::display::Kind::here) {
      return {};
    }
  }
}

[[nodiscard]] Result<> show(const Options& options) {
  using namespace dm::display;
  auto keymap = Keymap::load(options.keymap);
  if (!keymap) {
    dm::log::warning(std::string_view{keymap.error().message}, "; \"us\" is taken instead");
    keymap = Keymap::load("us");
    if (!keymap) {
      return keymap.error();
    }
  }
  auto area = MappedArea::map(kArea, false);
  if (!area) {
    return area.error();
  }
  if (auto greeted = greet_worker(); !greeted) {
    return greeted;
  }
  const Area& said = area->get();
  auto video = options.video_file
                   ? VideoSource::of_file(kVideo, said.video_bytes)
                   : VideoSource::of_guest(options.domid, said.video_at, said.video_bytes);
  if (!video) {
    return video.error();
  }
  Canvas canvas{said, video->bytes()};
  ToWorker input{kLine};
  Viewers viewers{{.name = options.name,
                   .password = options.password,
                   .canvas = canvas,
                   .area = said,
                   .keymap = *keymap,
                   .input = input}};
  warm_up();
  if (auto confined = confine_display(options.domid); !confined) {
    return confined;
  }
  serve(canvas, viewers, {.control = kControl, .line = kLine});
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments{argv, static_cast<std::size_t>(argc)};
  if (arguments.size() == 2 && std::string_view{arguments[1]} == "--help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  // Started by a descriptor, it has that for a name.
  static_cast<void>(::prctl(PR_SET_NAME, dm::display::kProgramName));
  try {
    const auto options = read_options(arguments);
    const auto shown = options ? show(*options) : Result<>{options.error()};
    if (!shown) {
      dm::log::error(std::string_view{shown.error().message});
      return 1;
    }
  } catch (const std::exception& failure) {
    dm::log::error("the screen cannot be shown any more: ", failure.what());
    return 1;
  }
  // Nothing is left to be done, and what libraries do at the end is not allowed any more.
  ::_exit(0);
}
