// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/nbd/nbd_library.h"

#include <poll.h>

#include <chrono>

// Thread rule: the thread that uses the handle.

namespace dm::host {

/// The time, and sleeping until a server can be spoken to. A test puts its own in this place, and
/// is the server while somebody sleeps.
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

/// Nothing more comes from the server, for whatever reason.
[[nodiscard]] bool has_ended(const NbdLibrary& library, nbd_handle* handle) noexcept;

/// Sleeps until the server of `handle`'s connection can be spoken to, and does that. False when
/// nothing could be done until `end`; libnbd keeps what went wrong otherwise.
[[nodiscard]] bool wait_for_server(const NbdLibrary& library,
                                   nbd_handle* handle,
                                   std::chrono::steady_clock::time_point end,
                                   ServerWait& wait = ServerWait::real()) noexcept;

}  // namespace dm::host
