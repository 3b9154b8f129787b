// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace dm {

/// What boots a guest from the network: package ipxe-qemu of Debian 12, and of Debian 13.
inline constexpr std::array kUsualRoms{"/usr/lib/ipxe/qemu/pxe-e1000.rom",
                                       "/usr/share/qemu/pxe-e1000.rom"};
inline constexpr std::array kUsualRtl8139Roms{"/usr/lib/ipxe/qemu/pxe-rtl8139.rom",
                                              "/usr/share/qemu/pxe-rtl8139.rom"};
/// Those of a card's model.
[[nodiscard]] std::span<const char* const> usual_roms(const NicConfig& nic) noexcept;

/// In bytes: the largest ROM window of a PCI function.
inline constexpr std::size_t kMaxRom = std::size_t{16} << 20;

/// The VGA BIOS of the standard VGA card: Debian's package seabios.
inline constexpr const char* kUsualVgaRom = "/usr/share/seabios/vgabios-stdvga.bin";

/// As read_option_rom() of a network card. Without the file a guest with SeaBIOS has no screen
/// before its own driver runs, and the log says so; UEFI needs none.
[[nodiscard]] Result<std::vector<std::byte>> read_option_rom(const VgaConfig& vga,
                                                             const char* usual = kUsualVgaRom);

/// Reads the option ROM of a card: the file that romfile= names; nothing if romfile= is empty;
/// without romfile= the first of the usual files; there may be none. The error says what is wrong
/// with the file, and how to do without it. Thread rule: start-up only.
[[nodiscard]] Result<std::vector<std::byte>> read_option_rom(const NicConfig& nic,
                                                             std::span<const char* const> usual);

}  // namespace dm
