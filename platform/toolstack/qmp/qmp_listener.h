// SPDX-License-Identifier: MIT
// Internal to the QMP server.
#pragma once

#include "platform/linux/listen_socket.h"
#include "platform/toolstack/qmp/qmp_client.h"
#include "platform/toolstack/qmp/qmp_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace dm::toolstack {

/// One socket that QMP clients connect to.
class QmpServer::Listener final : public std::enable_shared_from_this<QmpServer::Listener> {
 public:
  Listener(boost::asio::io_context& io,
           const QmpCommands& commands,
           const QmpLimits& limits,
           host::ListenSocket socket,
           std::string name);

  [[nodiscard]] Result<> start();
  void close() noexcept;
  void remove(const QmpClient& client) noexcept;
  [[nodiscard]] std::size_t clients() const noexcept { return clients_.size(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  void wait_for_client() noexcept;
  void on_client() noexcept;
  void wait_for_resources();

  boost::asio::io_context& io_;
  const QmpCommands& commands_;
  const QmpLimits& limits_;
  host::ListenSocket file_;
  std::string name_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer retry_;
  std::vector<std::shared_ptr<QmpClient>> clients_;
  bool waiting_ = false;
  bool closed_ = false;
};

}  // namespace dm::toolstack
