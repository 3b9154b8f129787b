// SPDX-License-Identifier: MIT
// Internal to Viewers: what is behind it, for the callbacks of libvncserver.
#pragma once

#include "platform/display/server/viewers.h"

#include <rfb/rfb.h>
extern "C" {
#include <rfb/rfbregion.h>
}

#include <bitset>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dm::display {

inline constexpr std::uint8_t kQemuMessage = 255;

/// What we keep of one viewer.
struct Viewer {
  std::chrono::steady_clock::time_point handshake{};  ///< its end, at the latest
  std::bitset<256> held{};                            ///< keys, by scan code
  std::uint8_t buttons = 0;
  bool pointer_change = false;  ///< it is told where the pointer goes

  /// True when it held any key or button.
  bool release_keys(ViewerInput& input);
};

struct Viewers::Server {
  explicit Server(const Setup& setup);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  void set_format();
  void press(rfbClientPtr client, std::uint8_t code, bool down);
  void press_symbol(rfbClientPtr client, std::uint32_t symbol, bool down);
  void move(rfbClientPtr client, int buttons, int x, int y);
  [[nodiscard]] bool is_let_in(rfbClientRec& client, std::string_view response);
  void watch();
  void bury();
  void tell_pointer();
  [[nodiscard]] Viewer& viewer_of(rfbClientPtr client) const {
    return *static_cast<Viewer*>(client->clientData);
  }
  static void register_extension();
  static void unregister_extension();

  struct Failure {
    std::string from;
    std::chrono::steady_clock::time_point when;
  };

  std::string name;
  Canvas& canvas;
  const Area& area;
  const Keymap& keymap;
  ViewerInput& input;
  rfbScreenInfoPtr screen = nullptr;
  std::vector<Failure> failures;
  bool absolute = false;
  std::uint8_t leds = 0;
};

[[nodiscard]] Viewers::Server& server_of(rfbClientPtr client);

}  // namespace dm::display
