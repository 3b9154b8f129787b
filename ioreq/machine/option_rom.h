// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"

#include <cstddef>
#include <vector>

namespace dm {

/// What boots a guest from the network: Debian's package ipxe-qemu.
inline constexpr const char* kUsualRom = "/usr/lib/ipxe/qemu/pxe-e1000.rom";
/// Bytes; the most that a PCI function's ROM window can show.
inline constexpr std::size_t kMaxRom = std::size_t{16} << 20;

/// The option ROM of a card: the file that romfile= names, none where it names nothing, and without
/// romfile= the usual one, which need not be there. The error says what is wrong with the file, and
/// how to do without. At start-up only.
[[nodiscard]] Result<std::vector<std::byte>> read_option_rom(const NicConfig& nic,
                                                             const char* usual = kUsualRom);

}  // namespace dm
