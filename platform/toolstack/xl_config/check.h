// SPDX-License-Identifier: MIT
#pragma once

#include "platform/toolstack/command_line/command_line.h"

#include <string>
#include <string_view>

namespace dm::toolstack {

/// What `stubdm --check GUEST.cfg` prints, and its exit status.
struct CheckReport {
  static constexpr int kServed = 0;      ///< as it is; or it needs no device model
  static constexpr int kMustChange = 1;  ///< something in the file keeps the guest from starting
  static constexpr int kUnreadable = 2;  ///< no such file, or xl could not read it

  int exit_status = kServed;
  std::string text;  ///< with its line end
};

/// Judges the text of an xl.cfg file, without a guest and without Xen. It makes the command line
/// that libxl 4.17 would make and gives it to parse_command_line(). `file` names the text in
/// messages. Thread rule: any thread.
[[nodiscard]] CheckReport check_guest(std::string_view file, std::string_view text);
/// The same for a file on disk.
[[nodiscard]] CheckReport check_guest_file(const std::string& path);

}  // namespace dm::toolstack
