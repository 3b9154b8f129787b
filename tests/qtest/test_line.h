// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/unique_fd.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dm::qtest {

/// The test program's connection, which each of its commands comes over and waits for. It is a
/// member of the loop's own set, so that a command costs a wait, a read and a write, and nothing of
/// Asio. Thread rule: the loop's thread only.
class TestLine {
 public:
  /// Connects to the unix socket at `path`. `loop` outlives the result.
  [[nodiscard]] static Result<std::unique_ptr<TestLine>> connect(host::Loop& loop,
                                                                 const std::string& path);
  TestLine(host::Loop& loop, host::UniqueFd socket);
  TestLine(const TestLine&) = delete;
  TestLine& operator=(const TestLine&) = delete;
  ~TestLine();

  /// Appends what has come, when the loop says that something has. False: the other end is gone.
  [[nodiscard]] bool receive(std::string& to);
  /// Output waits where the socket is full: a test that asks reads.
  void send(std::string_view bytes) noexcept;

 private:
  void flush() noexcept;

  host::Loop& loop_;
  host::UniqueFd socket_;
  std::string waiting_;
  std::optional<host::Watch> writable_;  ///< while the socket is full
};

}  // namespace dm::qtest
