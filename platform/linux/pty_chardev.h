// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/stream_chardev.h"

namespace dm::host {

/// `serial = "pty"`: a pseudo-terminal whose other end `xl console` (or screen, or cat) opens
/// whenever somebody wants to look.
///
/// The kernel tells us when the last opener goes (hang-up) but not when one comes, so the slave's
/// inode is watched for opens; no timer runs while nobody is there. Meanwhile output stays here,
/// the newest 16 KiB of it and without any system call, and is what a reader sees first: the
/// guest's last screens. The slave is not held open, so that hang-up means what it says; end of
/// file on our side is that state, not an error. Its raw mode stays (it belongs to the pair) and is
/// put back after each reader.
class PtyChardev final : public StreamChardev {
 public:
  static constexpr std::size_t kBacklog = 16384;

  static Result<std::unique_ptr<Chardev>> open(boost::asio::io_context& context);

  PtyChardev(boost::asio::io_context& context, UniqueFd master, const std::string& slave_path);

 private:
  void on_lost() noexcept override;
  void on_opened() noexcept;
  void look() noexcept;
  [[nodiscard]] bool hung_up() const noexcept;

  Watch opens_;
  Alarm look_;  ///< only where inotify is not to be had: looks once a second while nobody is there
};

}  // namespace dm::host
