// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "core/state/saved_header.h"

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

using state::kMaxSavedState;
using state::kSavedHeader;
inline constexpr std::size_t kMaxSavedDevices = 64;

/// What a save adds to the devices.
struct SavedFrame {
  std::uint32_t number = 1;  ///< which save of its device model
  std::size_t padding = 0;   ///< bytes behind the devices that mean nothing
};

/// Writes format 3, with the devices in the order of their machine.
[[nodiscard]] std::vector<std::byte> write_saved_state(std::span<const SavedDevice> devices);
/// Replaces the frame of what write_saved_state() gave: its number and padding, length and
/// checksum.
void frame_saved_state(std::vector<std::byte>& saved, const SavedFrame& frame);
/// The length of the whole file in bytes, from its header: kSavedHeader to kMaxSavedState.
[[nodiscard]] Result<std::size_t> saved_state_length(std::span<const std::byte> bytes);
/// Reads formats 1 to 3 from hostile bytes; a stream may have more of them behind. Returns the
/// devices as the file has them, or one message. The bytes of each device are still hostile:
/// Device::check() looks at them.
[[nodiscard]] Result<std::vector<SavedDevice>> read_saved_state(std::span<const std::byte> bytes);

}  // namespace dm
