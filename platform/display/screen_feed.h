// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/input_sink.h"
#include "core/backend/screen.h"
#include "core/ports/video_memory.h"
#include "platform/display/area.h"
#include "platform/display/protocol.h"
#include "platform/linux/loop/alarm.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/unique_fd.h"

#include <chrono>
#include <cstdint>
#include <span>

namespace dm::display {

/// The worker's end: gives the display what the screen shows, and the guest what its viewers type.
/// Without a viewer nothing runs: no timer, and Xen tracks no page. While a viewer waits for a
/// picture the screen is looked at 30 times a second, and 3 times when nothing changes. A look
/// costs one operation of the hypervisor, or a picture that is drawn (Screen::kMostDrawnPixels).
///
/// The other end may have been taken over: its messages are checked, and sixteen of them are taken
/// in one turn of the loop. Nothing of what it says is believed but what its viewers may do anyway.
/// Thread rule: the loop's thread only. No allocation after construction.
class ScreenFeed {
 public:
  /// All outlive the feed.
  struct Ports {
    host::Loop& loop;
    Screen& screen;
    VideoMemory& video;
    InputSink& input;
  };
  struct Counters {
    std::uint64_t pictures = 0;  ///< handed over
    std::uint64_t looks = 0;
    std::uint64_t keys = 0;
    std::uint64_t moves = 0;      ///< of the pointer
    std::uint64_t nonsense = 0;   ///< no message, or one that may not come
    std::uint64_t untracked = 0;  ///< looks of which Xen did not say what has changed
  };

  ScreenFeed(const Ports& ports, host::UniqueFd line, MappedArea area);
  ScreenFeed(const ScreenFeed&) = delete;
  ScreenFeed& operator=(const ScreenFeed&) = delete;
  ~ScreenFeed() = default;

  /// False: the loop cannot watch the line, or has no timer.
  [[nodiscard]] bool ok() noexcept { return line_.ok() && alarm_.prepare(); }
  /// Eight characters count, and none of them is zero.
  void set_password(std::string_view password) noexcept;
  [[nodiscard]] bool has_viewers() const noexcept { return shown_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  void on_line() noexcept;
  void on_tick() noexcept;
  void take(const Message& message) noexcept;
  void say(const Message& message) noexcept;
  void begin() noexcept;
  void end() noexcept;
  void hurry() noexcept;
  void arm() noexcept;
  void tell_state() noexcept;
  [[nodiscard]] bool look(const Surface& now) noexcept;
  [[nodiscard]] bool draw(const Surface& now) noexcept;
  [[nodiscard]] bool find_dirty(const Surface& now) noexcept;
  void hand_over(const Surface& now) noexcept;

  Ports ports_;
  MappedArea area_;
  host::Watch line_;
  host::Alarm alarm_;
  Surface last_;               ///< that the display has
  bool shown_ = false;         ///< there is a display
  bool waiting_ = false;       ///< for a picture
  bool everything_ = false;    ///< the next picture is all of it
  std::uint32_t half_ = 0;     ///< of the drawn pictures: the one that is shown
  unsigned hot_ = 0;           ///< looks in a row of which most pages had changed
  std::uint64_t cool_at_ = 0;  ///< the look from which on pages are tracked again
  std::chrono::milliseconds pause_;
  Message state_{.kind = Kind::state};  ///< that was told last
  Counters counters_;
};

}  // namespace dm::display
