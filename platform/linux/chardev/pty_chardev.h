// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/chardev/visited_chardev.h"
#include "platform/linux/loop/loop.h"

#include <memory>
#include <string>

namespace dm::host {

/// `serial = "pty"`: a pseudo-terminal whose other end `xl console` (or screen, or cat) opens
/// whenever somebody wants to look.
///
/// The slave is not held open, so that hang-up means what it says; end of file on our side is that
/// state, not an error. Its raw mode stays (it belongs to the pair) and is put back after each
/// reader. What a reader has typed stays in the pair when it goes, and the device reads it when it
/// has room.
class PtyChardev final : public VisitedChardev {
 public:
  static Result<std::unique_ptr<Chardev>> open(Loop& loop);

  PtyChardev(Loop& loop, UniqueFd master, const std::string& slave_path);

 private:
  void on_left() noexcept override;
};

}  // namespace dm::host
