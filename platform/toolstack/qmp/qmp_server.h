// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"
#include "platform/toolstack/qmp/qmp_commands.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace dm::host {
class Loop;
}

namespace dm::toolstack {

struct QmpLimits {
  /// Clients served at once on one socket; the next wait in the kernel's backlog until one goes.
  std::size_t max_clients = 4;
  /// Answers that a client has not read. Beyond it, it is dropped.
  std::size_t max_output = 262'144;
  /// A client that reads nothing of a waiting answer for so long is dropped.
  std::chrono::milliseconds write_timeout{10'000};
};

/// QMP on stream unix sockets, as libxl (libxl-cmd) and xentop (libxenstat-cmd) speak it. Serves
/// any number of sockets, each for some clients at once. Nothing a client does ends the process,
/// blocks the loop or grows memory without bound.
///
/// Sockets it has made are removed at its end, given ones are left to their maker. Must not be
/// destroyed from inside a command. Thread rule: the loop's thread only.
class QmpServer {
 public:
  /// `loop` and `commands` outlive the server.
  QmpServer(host::Loop& loop, const QmpCommands& commands, const QmpLimits& limits = {});
  QmpServer(const QmpServer&) = delete;
  QmpServer& operator=(const QmpServer&) = delete;
  ~QmpServer();

  /// Makes the socket at config.path, in place of one that a dead process has left, or takes over
  /// the listening socket config.fd; then accepts clients.
  [[nodiscard]] Result<> listen(const QmpSocketConfig& config);
  /// Clients connected now, on all sockets.
  [[nodiscard]] std::size_t clients() const noexcept;

  class Listener;

 private:
  host::Loop& loop_;
  const QmpCommands& commands_;
  QmpLimits limits_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace dm::toolstack
