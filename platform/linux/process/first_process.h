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

/// What the first and only program of a domain does, where other systems have an init. Thread rule:
/// start-up, while the process has one thread. Source: Linux
/// Documentation/filesystems/ramfs-rootfs-initramfs.rst, Documentation/admin-guide/devices.rst,
/// Documentation/admin-guide/kernel-parameters.rst (parameters of modules).

/// Mounts /proc, /sys and /dev. What is mounted already stays.
[[nodiscard]] Result<> mount_kernel_filesystems();

/// One line of a list of kernel modules.
struct KernelModule {
  std::string file;        ///< in the directory of the list
  std::string parameters;  ///< "name=value name=value", empty for none
};

/// Parses a list of kernel modules. It has a line for each module, in the order in which to load
/// them: the file's name and, after a blank, its parameters. Empty lines and lines that begin with
/// # are ignored. Fails for a name that is not in the list's own directory, and for a character
/// that no name or parameter has.
[[nodiscard]] Result<std::vector<KernelModule>> parse_module_list(std::string_view text);

/// The system call finit_module(2): 0, or -1 and errno.
using InsertModule = int (*)(int file, const char* parameters);
[[nodiscard]] int insert_module(int file, const char* parameters) noexcept;

/// Loads the modules that DIRECTORY/list names, and returns their number. (A kernel may have as
/// modules what a device model needs.) If there is no list, as in the ramdisk for a kernel of our
/// own, nothing is loaded. A module that the kernel has already is fine. Any other error is one
/// line that names the module.
[[nodiscard]] Result<std::size_t> load_modules(const std::string& directory,
                                               InsertModule insert = insert_module);

/// Writes the time since the kernel's start and the domain's free memory to the log: "0.812 s:
/// arguments are read; 9120 of 17400 KiB free".
void log_stage(std::string_view what) noexcept;

/// Makes the consoles beside the first one raw. A console forgets its mode when its last descriptor
/// is closed, so they stay open as long as this object.
class RawConsoles {
 public:
  /// /dev/hvc1 to /dev/hvcK, as many as there are; `directory` is /dev.
  [[nodiscard]] static RawConsoles open(const std::string& directory);
  [[nodiscard]] std::size_t size() const noexcept { return open_.size(); }

 private:
  std::vector<UniqueFd> open_;
};

/// Makes standard error never wait: a console that nobody empties would hold up the guest. Lines
/// that do not fit are lost. Only for the calling process: its parent's standard error still waits.
[[nodiscard]] Result<> never_wait_for_console();

/// Runs `work` in a new process and waits for it for at most `time`, since work that hangs must not
/// keep the domain. If there is no memory for the process, the work is not done. Meanwhile, no
/// child may end for which somebody else waits.
void try_for(std::chrono::milliseconds time, const std::function<void()>& work) noexcept;

/// Waits up to half a second until standard error has been read, then ends the domain.
[[noreturn]] void power_off() noexcept;

}  // namespace dm::host
