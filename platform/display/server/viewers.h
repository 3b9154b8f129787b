// SPDX-License-Identifier: MIT
#pragma once

#include "platform/display/server/canvas.h"
#include "platform/display/server/keymap.h"
#include "platform/linux/unique_fd.h"

#include <poll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dm::display {

/// What viewers do to the guest.
class ViewerInput {
 public:
  ViewerInput() = default;
  ViewerInput(const ViewerInput&) = delete;
  ViewerInput& operator=(const ViewerInput&) = delete;
  virtual ~ViewerInput() = default;

  virtual void key(std::uint8_t code, bool down) = 0;
  virtual void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) = 0;
  virtual void pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) = 0;
  virtual void release() = 0;
};

/// The viewers of a screen: RFB 3.8 by libvncserver, inside a WebSocket too (RFC 6143, RFC 6455).
/// There is one object in a process. Sockets come in by add(), already connected. File transfer,
/// clipboards, scaling and text chat are off. A viewer that does not read for five seconds in the
/// middle of a picture is closed; meanwhile the others wait. Thread rule: the display's only
/// thread.
class Viewers {
 public:
  static constexpr std::size_t kMost = 8;

  struct Server;  ///< internal
  struct Setup {
    std::string name;       ///< of the guest
    bool password = false;  ///< nobody gets in without the area's
    Canvas& canvas;
    const Area& area;
    const Keymap& keymap;
    ViewerInput& input;
  };
  explicit Viewers(const Setup& setup);
  Viewers(const Viewers&) = delete;
  Viewers& operator=(const Viewers&) = delete;
  ~Viewers();

  /// One more; it is closed at once when there are too many.
  void add(host::UniqueFd socket);
  [[nodiscard]] std::size_t size() const noexcept;

  /// What to wait for: a viewer's bytes, and room for a picture that is ready for it.
  void fill(std::vector<pollfd>& waits) const;
  /// When run() wants to be called in any case.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> deadline() const;
  /// Takes what they have sent, and sends what they wait for and can take.
  void run();

  /// Does a viewer wait for a picture?
  [[nodiscard]] bool wait_for_picture() const;
  /// The canvas has been updated.
  void show(bool resized);
  /// Where the pointer goes, and the keyboard's LEDs.
  void set_state(bool absolute, std::uint8_t leds);

 private:
  std::unique_ptr<Server> server_;
};

}  // namespace dm::display
