// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace dm {

/// What Device::save() has said, and who said it.
struct SavedDevice {
  std::string name;
  std::vector<std::byte> bytes;
};

/// The file. A stream may have more after it, and a reader of one learns from the first
/// kSavedHeader bytes how much to read.
inline constexpr std::size_t kSavedHeader = 24;
inline constexpr std::size_t kMaxSavedState = std::size_t{1} << 20;
inline constexpr std::size_t kMaxSavedDevices = 64;

/// Format 2. The devices in the order of their machine.
[[nodiscard]] std::vector<std::byte> write_saved_state(std::span<const SavedDevice> devices);
/// Bytes of the whole file, kSavedHeader to kMaxSavedState, from its header.
[[nodiscard]] Result<std::size_t> saved_state_length(std::span<const std::byte> bytes);
/// Hostile bytes in; the devices as the file has them, or one message. Formats 1 and 2. What is
/// said of each is still hostile: Device::check() looks at it.
[[nodiscard]] Result<std::vector<SavedDevice>> read_saved_state(std::span<const std::byte> bytes);

}  // namespace dm
