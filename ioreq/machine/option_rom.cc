// SPDX-License-Identifier: MIT
#include "ioreq/machine/option_rom.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace dm {

Result<std::vector<std::byte>> read_option_rom(const NicConfig& nic,
                                               std::span<const char* const> usual) {
  std::string path = nic.rom.value_or("");
  if (!nic.rom) {
    const auto there =
        std::ranges::find_if(usual, [](const char* name) { return std::ifstream{name}.is_open(); });
    path = there != usual.end() ? *there : "";
  }
  if (path.empty()) {
    return std::vector<std::byte>{};
  }
  std::ifstream file{path, std::ios::binary | std::ios::ate};
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
