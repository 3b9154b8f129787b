// SPDX-License-Identifier: MIT
#pragma once

#include "platform/display/server/canvas.h"
#include "platform/display/server/viewers.h"

#include <cstdint>

namespace dm::display {

/// Sends what viewers do to the worker. A worker that does not read loses it.
class ToWorker final : public ViewerInput {
 public:
  explicit ToWorker(int line) noexcept : line_{line} {}
  void key(std::uint8_t code, bool down) override;
  void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) override;
  void pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) override;
  void release() override;

 private:
  int line_;
};

struct Lines {
  int control;  ///< to the supervisor
  int line;     ///< to the worker
};
/// Shows the screen until the supervisor lets go, which it does when nobody has looked for a while.
void serve(Canvas& canvas, Viewers& viewers, const Lines& lines);

/// Has libraries open what they open at their first use: after it they need no file.
void warm_up();

}  // namespace dm::display
