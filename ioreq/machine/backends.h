// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/backend/chardev.h"
#include "core/backend/net.h"
#include "core/boot/linux_image.h"
#include "core/ports/boot_file.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace dm {

/// The back ends of disks, network cards and serial ports. They are opened before the guest is
/// touched, so a missing image ends the start early.
struct Backends {
  struct Nic {
    std::unique_ptr<NetBackend> cable;
    std::vector<std::byte> rom;  ///< for network boot; empty: none
  };

  std::array<std::unique_ptr<BlockBackend>, 4> disks;  ///< by IDE position; also discs
  std::array<bool, 4> cdroms{};  ///< a CD-ROM drive there, with a disc or without
  std::array<std::unique_ptr<CharBackend>, 4> serial;
  std::vector<Nic> nics;           ///< in the order of the configuration's
  std::vector<std::byte> vga_rom;  ///< VGA BIOS; empty: none

  /// What the guest is started from, instead of a disk.
  struct Boot {
    std::unique_ptr<BootFile> kernel;
    std::unique_ptr<BootFile> initrd;  ///< null: none
    boot::LinuxImage image;            ///< of `kernel`
  };
  std::optional<Boot> boot;
};

}  // namespace dm
