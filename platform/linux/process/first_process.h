// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/unique_fd.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::host {

/// What the first and only program of a domain does where other systems have an init.
/// Thread rule: start-up, while the process has one thread. Source: Linux
/// Documentation/filesystems/ramfs-rootfs-initramfs.rst, Documentation/admin-guide/devices.rst,
/// Documentation/admin-guide/kernel-parameters.rst (parameters of modules).

/// /proc, /sys and /dev. What is mounted already stays.
[[nodiscard]] Result<> mount_kernel_filesystems();

/// One line of a list of kernel modules.
struct KernelModule {
  std::string file;        ///< in the directory of the list
  std::string parameters;  ///< "name=value name=value", empty for none
};

/// What a list says: a line for each module in the order to load them, the file's name and after a
/// blank its parameters. Empty lines and lines that begin with # say nothing. An error for a name
/// that is not one of the list's own directory, and for a character that no name or parameter has.
[[nodiscard]] Result<std::vector<KernelModule>> parse_module_list(std::string_view text);

/// The system call finit_module(2): 0, or -1 and errno.
using InsertModule = int (*)(int file, const char* parameters);
[[nodiscard]] int insert_module(int file, const char* parameters) noexcept;

/// Loads what DIRECTORY/list names, for a kernel that has as modules what a device model needs; how
/// many were named. No list, as in the ramdisk for a kernel of our own: nothing to load. What the
/// kernel has already is fine; for anything else the error is one line that names the module.
[[nodiscard]] Result<std::size_t> load_modules(const std::string& directory,
                                               InsertModule insert = insert_module);

/// Writes to the log how long after the kernel's start this was, and what memory the domain has
/// left: "0.812 s: arguments are read; 9120 of 17400 KiB free".
void log_stage(std::string_view what) noexcept;

/// The consoles beside the first one, raw from now on. A console forgets its mode when its last
/// descriptor is closed, so they stay open as long as this object.
class RawConsoles {
 public:
  /// /dev/hvc1 to /dev/hvcK, as many as there are; `directory` is /dev.
  [[nodiscard]] static RawConsoles open(const std::string& directory);
  [[nodiscard]] std::size_t size() const noexcept { return open_.size(); }

 private:
  std::vector<UniqueFd> open_;
};

/// From now on standard error never waits: a console that nobody empties would hold up the guest.
/// Lines that do not fit are lost. Only for the calling process: its parent's keeps waiting.
[[nodiscard]] Result<> never_wait_for_console();

/// Does `work` in a process of its own and waits for it, for `time` at most: what may hang must not
/// keep the domain. Not done at all where there is no memory for the process. No other child may
/// end meanwhile that somebody else waits for.
void try_for(std::chrono::milliseconds time, const std::function<void()>& work) noexcept;

/// Lets what was written to standard error leave, if somebody takes it within half a second, then
/// ends the domain.
[[noreturn]] void power_off() noexcept;

}  // namespace dm::host
