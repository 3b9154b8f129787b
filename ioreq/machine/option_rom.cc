// SPDX-License-Identifier: MIT
#include "ioreq/machine/option_rom.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace dm {

Result<std::vector<std::byte>> read_option_rom(const NicConfig& nic,
                                               std::span<const char* const> usual) {
  std::string path;
  std::ifstream file;
  const auto open = [&](const std::string& name) {
    path = name;
    file.open(path, std::ios::binary | std::ios::ate);
    return file.is_open();
  };
  if (nic.rom == "" || (!nic.rom && std::ranges::none_of(usual, open))) {
    return std::vector<std::byte>{};
  }
  if (nic.rom) {
    static_cast<void>(open(*nic.rom));  // that it is not there is said below
  }
  const auto size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size <= 0 || size > static_cast<std::streamoff>(kMaxRom)) {
    return Error{"the option ROM " + path + " of network card " + nic.id +
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

}  // namespace dm
