// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace dm {

/// What a guest with PV drivers asks to lose, by a write to port 0x10 (Xen:
/// docs/misc/hvm-emulated-unplug.pandoc).
struct UnplugRequest {
  bool ide_disks = false;            ///< every IDE disk; CD-ROMs stay
  bool ide_secondary_disks = false;  ///< every IDE disk but the primary master
  bool nics = false;                 ///< every emulated network card

  /// Does the disk at this IDE position leave? A CD-ROM drive never does.
  [[nodiscard]] constexpr bool takes_disk(std::size_t position) const noexcept {
    return ide_disks || (ide_secondary_disks && position != 0);
  }
};

/// Port from the xen-platform device to the machine, which holds the disks and cards. Returns when
/// their data is durable, nothing of them is in flight and they have left the machine, because the
/// guest's PV drivers open the same images next. Idempotent. Thread rule: the loop's thread only.
/// Source: Xen docs/misc/hvm-emulated-unplug.pandoc.
class UnplugHandler {
 public:
  UnplugHandler() = default;
  UnplugHandler(const UnplugHandler&) = delete;
  UnplugHandler& operator=(const UnplugHandler&) = delete;
  virtual ~UnplugHandler() = default;

  virtual void unplug(UnplugRequest request) noexcept = 0;
};

}  // namespace dm
