// SPDX-License-Identifier: MIT
// Internal to the QMP server.
#pragma once

#include "platform/linux/listen_socket.h"
#include "platform/linux/loop/alarm.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/toolstack/qmp/qmp_client.h"
#include "platform/toolstack/qmp/qmp_server.h"

#include <memory>
#include <string>
#include <vector>

namespace dm::toolstack {

/// One socket to which QMP clients connect. Thread rule: the loop's thread only.
class QmpServer::Listener final {
 public:
  Listener(host::Loop& loop,
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
  void wait_for_resources() noexcept;

  host::Loop& loop_;
  const QmpCommands& commands_;
  const QmpLimits& limits_;
  host::ListenSocket file_;
  std::string name_;
  host::Watch socket_;
  host::Alarm retry_;
  std::vector<std::shared_ptr<QmpClient>> clients_;
  bool closed_ = false;
};

}  // namespace dm::toolstack
