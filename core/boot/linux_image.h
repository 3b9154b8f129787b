// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// What Linux' boot protocol asks of who loads a kernel. Pure functions on bytes of a file, which
/// are hostile: whoever owns a guest may have made them. Source: Linux,
/// Documentation/arch/x86/boot.rst.
namespace dm::boot {

inline constexpr std::uint32_t kSetupAddress = 0x10000;
inline constexpr std::uint32_t kCommandLineAddress = 0x20000;
inline constexpr std::uint32_t kKernelAddress = 0x100000;
/// Of a file's first bytes, how many prepare_linux() may want to see: the largest setup, which lies
/// below the command line with its heap and stack.
inline constexpr std::size_t kMostSetup = 0xfe00;
/// The longest command line that fits between its address and the BIOS' own data.
inline constexpr std::size_t kMostCommandLine = 0x10000;

struct LinuxFiles {
  std::span<const std::byte> head;  ///< the kernel file's first bytes: kMostSetup, or all
  std::uint64_t kernel_size = 0;    ///< of the whole file
  std::uint64_t initrd_size = 0;    ///< 0: none
  std::string_view command_line;    ///< "" if there is none
  std::uint64_t memory = 0;         ///< the guest's RAM in bytes; 0: not known
};

struct LinuxImage {
  std::vector<std::byte> setup;         ///< for kSetupAddress, with its header filled in
  std::vector<std::byte> command_line;  ///< for kCommandLineAddress, with the zero behind it
  std::uint32_t kernel_offset = 0;      ///< where the file's part for kKernelAddress begins
  std::uint32_t kernel_size = 0;        ///< bytes of that part
  std::uint32_t initrd_size = 0;
};

/// Fails with what the file is, or what does not fit, and what to change.
[[nodiscard]] Result<LinuxImage> prepare_linux(const LinuxFiles& files);

}  // namespace dm::boot
