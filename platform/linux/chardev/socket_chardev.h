// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/chardev/stream_chardev.h"
#include "platform/linux/listen_socket.h"
#include "platform/linux/loop/loop.h"

#include <memory>
#include <optional>
#include <string_view>

namespace dm::host {

/// `unix:` and `tcp:`. A server has one client at a time (others wait in the kernel's queue) and
/// takes the next when that one goes. A client connects once, at start. Without a peer, output is
/// dropped and DCD, DSR and CTS are down.
///
/// A peer has gone when its connection has ended, or when it says that it will send no more,
/// because a TCP peer that closes says nothing else. The guest can still read what the peer sent.
/// Thread rule: the loop's thread only.
class SocketChardev final : public StreamChardev {
 public:
  /// `spec` with its "unix:" or "tcp:".
  static Result<std::unique_ptr<Chardev>> open(Loop& loop, std::string_view spec);

  struct Listening {
    UniqueFd fd;
    std::optional<ListenSocket> file;  ///< of a unix socket
  };
  SocketChardev(Loop& loop, Style style, Listening at);
  SocketChardev(Loop& loop, Style style, UniqueFd connection);
  void stop_listening() noexcept override;

 private:
  void on_lost() noexcept override;
  void on_incoming() noexcept;
  bool accept_next() noexcept;

  std::optional<ListenSocket> file_;  ///< goes with us
  Watch listener_;
  Alarm retry_;
};

}  // namespace dm::host
