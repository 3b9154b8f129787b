// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/unique_fd.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace dm::qtest {

/// Connects to the unix socket at `path`.
[[nodiscard]] Result<host::UniqueFd> connect_to(const std::string& path);

/// A stream socket to the test program, which listens. Output waits where the socket is full: a
/// test that asks reads. Thread rule: the loop's thread only.
class Peer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Peer>> connect(host::Loop& loop,
                                                             const std::string& path);
  Peer(host::Loop& loop, host::UniqueFd socket);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// What has come, from the loop; not called from inside send().
  std::function<void(std::string_view)> received = [](std::string_view) {};
  /// The other end is gone.
  std::function<void()> closed = [] {};

  void send(std::string_view bytes) noexcept;
  /// Hangs up once what there is to send is sent. Nothing is called after that.
  void close() noexcept;

 private:
  void on_readable() noexcept;
  void on_writable() noexcept;
  void flush() noexcept;

  host::Watch socket_;
  std::string waiting_;
  bool closing_ = false;
};

}  // namespace dm::qtest
