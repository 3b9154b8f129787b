// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <chrono>
#include <cstddef>
#include <span>

namespace dm::host {

/// Reads until `to` is full. The descriptor blocks. Fails at a read error, at the end of the file,
/// and when a stream gives nothing for `patience`: a console has no end.
[[nodiscard]] Result<> read_whole(int fd,
                                  std::span<std::byte> to,
                                  std::chrono::milliseconds patience = std::chrono::hours{1});
/// Writes all of `from`. The descriptor blocks. Fails at a write error: a full disk, a file that
/// would grow beyond RLIMIT_FSIZE.
[[nodiscard]] Result<> write_whole(int fd, std::span<const std::byte> from);

}  // namespace dm::host
