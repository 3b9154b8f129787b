// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/unique_fd.h"

#include <sys/types.h>

#include <cstddef>
#include <span>

/// A message on a Unix socket with at most one descriptor beside it (unix(7), SCM_RIGHTS). Neither
/// function waits, raises SIGPIPE or allocates. Thread rule: any thread. Source: POSIX sendmsg,
/// recvmsg.
namespace dm::host {

/// `descriptor` -1: none. Returns the bytes sent, or -1 with errno.
[[nodiscard]] ssize_t send_with_descriptor(int socket,
                                           std::span<std::byte> bytes,
                                           int descriptor) noexcept;

/// Returns the bytes received, or -1 with errno. `to` has the descriptor (close-on-exec), or none;
/// the kernel drops others, for which there is no room.
[[nodiscard]] ssize_t receive_with_descriptor(int socket,
                                              std::span<std::byte> bytes,
                                              UniqueFd& to) noexcept;

}  // namespace dm::host
