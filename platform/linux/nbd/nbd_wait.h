// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/nbd/nbd_library.h"

#include <poll.h>

#include <chrono>

// Thread rule: the thread that uses the handle.

namespace dm::host {

/// The time, and how to sleep until a server can be spoken to. A test replaces it, and acts as the
/// server while the caller sleeps.
class ServerWait {
 public:
  ServerWait() = default;
  ServerWait(const ServerWait&) = delete;
  ServerWait& operator=(const ServerWait&) = delete;
  virtual ~ServerWait() = default;

  [[nodiscard]] virtual std::chrono::steady_clock::time_point now() noexcept;
  /// As poll(2).
  [[nodiscard]] virtual int poll(pollfd& ready, std::chrono::milliseconds time) noexcept;

  /// The host's.
  [[nodiscard]] static ServerWait& real() noexcept;
};

/// True if nothing more comes from the server, for any reason.
[[nodiscard]] bool has_ended(const NbdLibrary& library, nbd_handle* handle) noexcept;

/// Sleeps until libnbd can read from or write to the server of `handle`'s connection, and does
/// that. False when nothing could be done until `end`, or when libnbd failed; libnbd keeps the
/// error.
[[nodiscard]] bool wait_for_server(const NbdLibrary& library,
                                   nbd_handle* handle,
                                   std::chrono::steady_clock::time_point end,
                                   ServerWait& wait = ServerWait::real()) noexcept;

}  // namespace dm::host
