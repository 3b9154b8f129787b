// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/chardev.h"
#include "core/result.h"
#include "platform/linux/loop/loop.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace dm::host {

struct CharCounters {
  std::uint64_t input = 0;    ///< bytes given to the device
  std::uint64_t output = 0;   ///< bytes the other end has taken
  std::uint64_t dropped = 0;  ///< bytes of output that nobody got
  std::uint64_t reads = 0;    ///< system calls
  std::uint64_t writes = 0;   ///< system calls
};

class Chardev : public CharBackend {
 public:
  [[nodiscard]] virtual CharCounters counters() const noexcept = 0;
  /// As it is where nothing ever waits.
  [[nodiscard]] Output output() const noexcept override {
    return {.waiting = 0, .dropped = counters().dropped};
  }
};

/// For what is not the guest's owner's own choice.
struct CharLimits {
  /// A regular file gets so many bytes, and then one line that says so; 0: no limit.
  std::uint64_t file_bytes = 0;
};

/// Opens what a guest's `serial = "..."` names, in the syntax of QEMU's -serial:
///
///     pty                 a new pseudo-terminal; what it is called is in description()
///     null, none          output is dropped, input never comes
///     stdio               standard input and output
///     file:PATH           output only; the file is truncated, as QEMU does
///     pipe:PATH           PATH.in and PATH.out, else PATH both ways
///     unix:PATH[,server[=on|off]][,wait=off|,nowait]
///     tcp:HOST:PORT[,server...]
///                         HOST is a number, "localhost" or, for a server, empty
///     /dev/...            a serial line, or a console of a stub domain (/dev/hvc3)
///
/// A server has one client at a time and waits for the next when that one goes; it never holds up
/// the guest's start (wait=on is noted and ignored). The error says what is wrong and what to write
/// instead. `loop` outlives the result.
[[nodiscard]] Result<std::unique_ptr<Chardev>> open_chardev(Loop& loop,
                                                            std::string_view spec,
                                                            const CharLimits& limits = {});

}  // namespace dm::host
