// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/chardev/stream_chardev.h"
#include "platform/linux/loop/loop.h"

#include <string>

namespace dm::host {

/// Output that waits until somebody opens its path: the slave of a pseudo-terminal, or a named
/// pipe.
///
/// The kernel tells us when the last opener goes, but not when one comes. So the inode is watched
/// for opens, and no timer runs while nobody is there. Meanwhile the newest 16 KiB of output stay
/// here, without any system call. A reader sees them first: the guest's last screens. Thread rule:
/// the loop's thread only. Source: inotify(7).
class VisitedChardev : public StreamChardev {
 public:
  static constexpr std::size_t kBacklog = 16384;

 protected:
  VisitedChardev(Loop& loop, std::string description);

  /// Call it once, when the streams are set.
  void wait_for_visitors(const std::string& path);
  /// The last one has gone, and was there as far as we know.
  virtual void on_left() noexcept {}

 private:
  void on_lost() noexcept override;
  void on_opened() noexcept;
  void look() noexcept;

  Watch opens_;
  Alarm look_;  ///< only where inotify is not to be had: looks once a second while nobody is there
};

}  // namespace dm::host
