// SPDX-License-Identifier: MIT
#pragma once

#include "tests/drivers/vga_driver.h"
#include "tests/rig/guest_instructions.h"

#include <span>
#include <string_view>

namespace dm::test {

/// A program of a guest that makes a picture. It uses no value that it reads, so that a recorder
/// can run it too: the same programs run on QEMU (screens_of_qemu.py).
struct Screen {
  std::string_view name;
  void (*make)(rig::GuestInstructions& guest, drivers::VgaDriver& driver);
};

[[nodiscard]] std::span<const Screen> screens() noexcept;

/// Of width, height and the picture as red, green and blue bytes; as QEMU 7.2 showed it.
struct Golden {
  std::string_view name;
  unsigned width;
  unsigned height;
  unsigned crc;  ///< CRC-32
};

}  // namespace dm::test
