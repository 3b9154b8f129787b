// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/chardev/visited_chardev.h"
#include "platform/linux/loop/loop.h"

#include <memory>
#include <string>

namespace dm::host {

/// `serial = "pty"`: a pseudo-terminal. `xl console` (or screen, or cat) opens its other end
/// whenever somebody wants to look.
///
/// We do not hold the slave open, so a hang-up means that the last reader has gone; an end of file
/// on our side means the same and is not an error. The pair's raw mode stays, and is set again
/// after each reader. What a reader typed before leaving stays in the pair, and the device reads it
/// when it has room. Thread rule: the loop's thread only. Source: pty(7).
class PtyChardev final : public VisitedChardev {
 public:
  static Result<std::unique_ptr<Chardev>> open(Loop& loop);

  PtyChardev(Loop& loop, UniqueFd master, const std::string& slave_path);

 private:
  void on_left() noexcept override;
};

}  // namespace dm::host
