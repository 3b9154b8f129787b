// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dm {

/// The bytes that a device's save() gave, with the device's name.
struct SavedDevice {
  std::string name;
  std::vector<std::byte> bytes;
};

/// The file. A stream may have more bytes after it. The first kSavedHeader bytes tell a reader how
/// much to read.
inline constexpr std::size_t kSavedHeader = 24;
inline constexpr std::size_t kMaxSavedState = std::size_t{1} << 20;
inline constexpr std::size_t kMaxSavedDevices = 64;

/// Writes format 2, with the devices in the order of their machine.
[[nodiscard]] std::vector<std::byte> write_saved_state(std::span<const SavedDevice> devices);
/// The length of the whole file in bytes, from its header: kSavedHeader to kMaxSavedState.
[[nodiscard]] Result<std::size_t> saved_state_length(std::span<const std::byte> bytes);
/// The format, from the header of which saved_state_length() has told the length.
[[nodiscard]] std::uint32_t saved_state_format(std::span<const std::byte> bytes);
/// Reads formats 1 and 2 from hostile bytes. Returns the devices as the file has them, or one
/// message. The bytes of each device are still hostile: Device::check() looks at them.
[[nodiscard]] Result<std::vector<SavedDevice>> read_saved_state(std::span<const std::byte> bytes);

}  // namespace dm
