// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/command_line/stub_arguments.h"
#include "platform/toolstack/qmp/qmp_migration.h"

#include <chrono>
#include <cstddef>
#include <string>

namespace dm {

/// Where a stub domain's device model writes its state: console 1, which the program behind
/// `-machine xenpv` in dom0 writes into /var/lib/xen/qemu-save.N. libxl calls it /dev/fdset/1.
///
/// The kernel's write(2) returns when the last byte is in the console's ring of 2048 bytes, and
/// nothing tells when dom0 has taken it out. So a state has as many bytes of padding behind it:
/// when those are in the ring, the state is out of it.
///
/// stubdm in dom0 begins the file anew for each state, and says so in xenstore. QEMU does not: a
/// second state would be behind the first, or in a file that libxl has removed. So it is refused
/// there. Thread rule: the loop's thread only. Source: libxl_dm.c, libxl_dom_suspend.c; Linux
/// drivers/tty/hvc/hvc_xen.c.
class SaveConsole {
 public:
  static constexpr std::size_t kPadding = 2048;  ///< bytes; XENCONS_OUT, Xen io/console.h
  /// For dom0 to take the state out. It has much to do while a guest moves.
  static constexpr std::chrono::milliseconds kPatience{20'000};

  /// `tty` is /dev/hvc1. If it cannot be opened, every save fails and says why.
  SaveConsole(const std::string& tty, bool begins_anew);

  /// For the state of one save. An error is one line.
  [[nodiscard]] Result<toolstack::StateTarget> begin(const std::string& name);

 private:
  host::UniqueFd tty_;
  int error_ = 0;  ///< of opening it
  bool begins_anew_;
  bool used_ = false;
};

/// Whether the program in dom0 begins the file of console 1 anew for each state.
[[nodiscard]] bool saves_begin_anew(const toolstack::XenstoreReader& xenstore);

}  // namespace dm
