// SPDX-License-Identifier: MIT
// A viewer for dom0, which has no screen:
//   viewer PORT|PATH COMMAND...
//   shot FILE   the screen as a picture (PPM), once it has stood still for half a second
//   type TEXT   keys of a US keyboard, by symbols; \n is Enter
//   codes TEXT  the same by scan codes
//   move DX DY  the pointer, by so much
//   point X Y   the pointer, to this place of the screen
//   click       its left button
//   size        prints width and height
//   stall SECONDS  asks for pictures and reads nothing
// Exit status 1: the screen could not be had.
#include "tests/rig/rfb_client.h"

#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <span>

namespace {

using dm::rig::RfbClient;

bool is_quiet(const RfbClient& viewer) {
  pollfd look{.fd = viewer.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&look, 1, 500) == 0;
}

bool shoot(RfbClient& viewer, const char* file) {
  viewer.ask(false);
  for (int i = 0; i < 40 && viewer.update(); ++i) {
    viewer.ask(true);
    if (is_quiet(viewer)) {
      break;
    }
  }
  std::ofstream out{file, std::ios::binary};
  out << "P6\n" << viewer.width << ' ' << viewer.height << "\n255\n";
  for (const std::uint32_t pixel : viewer.pixels) {
    out.put(static_cast<char>(pixel >> 16 & 0xff));
    out.put(static_cast<char>(pixel >> 8 & 0xff));
    out.put(static_cast<char>(pixel & 0xff));
  }
  return viewer.ok() && static_cast<bool>(out);
}

/// Scan codes of a US keyboard, for what the lab types.
std::uint32_t code_of(char c) {
  static constexpr std::string_view kRows[] = {
      "\x1b"
      "1234567890-=",
      "qwertyuiop[]\n", "asdfghjkl;'`", "\\zxcvbnm,./"};
  static constexpr std::uint32_t kFirst[] = {0x01, 0x10, 0x1e, 0x2b};
  for (std::size_t row = 0; row < 4; ++row) {
    if (const auto at = kRows[row].find(c); at != std::string_view::npos) {
      return kFirst[row] + static_cast<std::uint32_t>(at);
    }
  }
  return c == ' ' ? 0x39 : 0;
}

void type(RfbClient& viewer, std::string_view text, bool by_codes) {
  constexpr std::uint32_t kEnter = 0xff0d;  // X11 keysym
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool enter = text.substr(i, 2) == "\\n";
    const char c = enter ? '\n' : text[i];
    i += enter ? 1 : 0;
    for (const bool down : {true, false}) {
      if (by_codes) {
        viewer.scan_code(code_of(c), down);
      } else {
        viewer.key(enter ? kEnter : static_cast<std::uint32_t>(c), down);
      }
    }
    ::usleep(30'000);  // a guest in an emulated machine needs its time
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments{argv, static_cast<std::size_t>(argc)};
  if (arguments.size() < 3) {
    std::fputs("viewer PORT|PATH COMMAND...\n", stderr);
    return 2;
  }
  const int port = std::atoi(arguments[1]);
  RfbClient viewer =
      port > 0 ? RfbClient{static_cast<std::uint16_t>(port)} : RfbClient{std::string{arguments[1]}};
  if (!viewer.join()) {
    std::fputs("viewer: there is no screen\n", stderr);
    return 1;
  }
  viewer.understand(std::array{RfbClient::raw, RfbClient::new_size, RfbClient::qemu_key,
                               RfbClient::pointer_mode});
  for (std::size_t i = 2; i < arguments.size() && viewer.ok(); ++i) {
    const std::string_view command{arguments[i]};
    const auto value = [&] { return i + 1 < arguments.size() ? arguments[++i] : argv[argc]; };
    if (command == "shot") {
      if (!shoot(viewer, value())) {
        return 1;
      }
    } else if (command == "type" || command == "codes") {
      type(viewer, value(), command == "codes");
    } else if (command == "move") {
      const int dx = std::atoi(value());
      viewer.point(static_cast<std::uint32_t>(0x7fff + dx),
                   static_cast<std::uint32_t>(0x7fff + std::atoi(value())), 0);
    } else if (command == "point") {
      const int x = std::atoi(value());
      viewer.point(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(std::atoi(value())),
                   0);
      ::usleep(500'000);  // a tablet reports where the pointer is when it is asked
    } else if (command == "click") {
      viewer.point(0x7fff, 0x7fff, 1);
      viewer.point(0x7fff, 0x7fff, 0);
    } else if (command == "size") {
      std::printf("%u %u\n", viewer.width, viewer.height);
    } else if (command == "stall") {
      const int seconds = std::atoi(value());
      for (int second = 0; second < seconds * 10; ++second) {
        viewer.ask(false);
        ::usleep(100'000);
      }
    }
  }
  ::usleep(200'000);
  return viewer.ok() ? 0 : 1;
}
