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
  /// Clients served at once on one socket. The next ones wait in the kernel's backlog until one
  /// goes.
  std::size_t max_clients = 4;
  /// Bytes of answers that a client has not read. A client that leaves more unread is dropped.
  std::size_t max_output = 262'144;
  /// A client that reads nothing of a waiting answer for this time is dropped.
  std::chrono::milliseconds write_timeout{10'000};
};

/// QMP on stream unix sockets, as libxl (libxl-cmd) and xentop (libxenstat-cmd) speak it. It serves
/// any number of sockets, each for several clients at once. No client can end the process, block
/// the loop or grow memory without limit.
///
/// The destructor removes sockets that the server has made; a socket that it was given stays. Do
/// not destroy the server from inside a command. Thread rule: the loop's thread only. Source: QEMU
/// docs/interop/qmp-spec.txt.
class QmpServer {
 public:
  /// `loop` and `commands` outlive the server.
  QmpServer(host::Loop& loop, const QmpCommands& commands, const QmpLimits& limits = {});
  QmpServer(const QmpServer&) = delete;
  QmpServer& operator=(const QmpServer&) = delete;
  ~QmpServer();

  /// Makes the socket at config.path (and replaces one that a dead process has left), or takes over
  /// the listening socket config.fd. Then accepts clients. Fails if somebody listens on the path,
  /// or with the errno in words.
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
