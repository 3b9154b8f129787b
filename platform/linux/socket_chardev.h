// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/stream_chardev.h"

#include <string>

namespace dm::host {

/// `unix:` and `tcp:`. As a server it has one client at a time (others wait in the kernel's queue)
/// and takes the next when that one goes; as a client it connects once, at start. Without a peer,
/// output is dropped and DCD, DSR and CTS are down.
class SocketChardev final : public StreamChardev {
 public:
  /// `spec` with its "unix:" or "tcp:".
  static Result<std::unique_ptr<Chardev>> open(boost::asio::io_context& context,
                                               std::string_view spec);

  struct Listening {};
  SocketChardev(boost::asio::io_context& context,
                std::string description,
                Listening,
                UniqueFd listener,
                std::string path_to_remove);
  SocketChardev(boost::asio::io_context& context, std::string description, UniqueFd connection);
  ~SocketChardev() override;

 private:
  void on_lost() noexcept override;
  void on_incoming() noexcept;

  std::string path_;  ///< the socket file we made
  Watch listener_;
  Alarm retry_;
};

}  // namespace dm::host
