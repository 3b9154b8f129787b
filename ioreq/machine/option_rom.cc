// SPDX-License-Identifier: MIT
#include "ioreq/machine/option_rom.h"

#include "core/obs/log.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

namespace dm {

namespace {

/// Of `card`, as a sentence names it.
Result<std::vector<std::byte>> read_rom(const std::string& card,
                                        const std::optional<std::string>& given,
                                        std::span<const char* const> usual) {
  std::string path;
  std::ifstream file;
  const auto open = [&](const std::string& name) {
    path = name;
    file.open(path, std::ios::binary | std::ios::ate);
    return file.is_open();
  };
  if (given == "" || (!given && std::ranges::none_of(usual, open))) {
    return std::vector<std::byte>{};
  }
  if (given) {
    static_cast<void>(open(*given));  // that it is not there is said below
  }
  const auto size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size <= 0 || size > static_cast<std::streamoff>(kMaxRom)) {
    return Error{"the option ROM " + path + " of " + card +
                 " cannot be read, is empty or larger than 16 MiB; romfile= without a name does "
                 "without"};
  }
  std::vector<std::byte> rom(static_cast<std::size_t>(size));
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(rom.data()), size)) {
    return Error{"the option ROM " + path + " cannot be read"};
  }
  return rom;
}

}  // namespace

std::span<const char* const> usual_roms(const NicConfig& nic) noexcept {
  return nic.model == kRtl8139Model ? kUsualRtl8139Roms : kUsualRoms;
}

Result<std::vector<std::byte>> read_option_rom(const NicConfig& nic,
                                               std::span<const char* const> usual) {
  return read_rom("network card " + nic.id, nic.rom, usual);
}

Result<std::vector<std::byte>> read_option_rom(const VgaConfig& vga, const char* usual) {
  auto rom = read_rom("the graphics card", vga.rom, std::span{&usual, 1});
  if (rom && rom->empty() && !vga.rom) {
    log::warning("there is no VGA BIOS ", usual,
                 ": with SeaBIOS the screen stays black until the guest's own driver runs (the "
                 "package seabios has it)");
  }
  return rom;
}

}  // namespace dm
