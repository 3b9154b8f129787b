// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <chrono>
#include <cstddef>
#include <span>

namespace dm::host {

/// Reads until `to` is full. Fails at a read error and at the end of the file, and when the other
/// end of a pipe or socket has kept us waiting for `patience` in all. Waits for a disk as long as
/// the kernel does.
[[nodiscard]] Result<> read_whole(int fd,
                                  std::span<std::byte> to,
                                  std::chrono::milliseconds patience);
/// Writes all of `from`. Fails at a write error: a full disk, a file that would grow beyond
/// RLIMIT_FSIZE. `patience` as above.
[[nodiscard]] Result<> write_whole(int fd,
                                   std::span<const std::byte> from,
                                   std::chrono::milliseconds patience);

}  // namespace dm::host
