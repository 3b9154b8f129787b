// SPDX-License-Identifier: MIT
#include "ioreq/daemon/open_backends.h"

#include "platform/linux/chardev.h"
#include "platform/linux/disk.h"
#include "platform/linux/net.h"

#include <cstddef>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace dm {

namespace {

/// What boots a guest from the network: Debian's package ipxe-qemu.
constexpr const char* kDefaultRom = "/usr/lib/ipxe/qemu/pxe-e1000.rom";
constexpr std::size_t kMaxRom = std::size_t{16} << 20;

/// The option ROM of a card. Without romfile= a missing one is no fault.
Result<std::vector<std::byte>> read_rom(const NicConfig& nic) {
  const std::string path = nic.rom.value_or(kDefaultRom);
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  if (path.empty() || (!file && !nic.rom)) {
    return std::vector<std::byte>{};
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

Result<Backends::Nic> open_nic(const NicConfig& config, boost::asio::io_context& context) {
  auto cable = host::open_net(context, config);
  if (!cable) {
    return cable.error();
  }
  auto rom = read_rom(config);
  if (!rom) {
    return rom.error();
  }
  return Backends::Nic{.cable = std::move(*cable), .rom = std::move(*rom)};
}

}  // namespace

Result<Backends> open_backends(const MachineConfig& config, boost::asio::io_context& context) {
  Backends backends;
  for (const DiskConfig& disk : config.disks) {
    backends.cdroms.at(disk.index) = disk.cdrom;
    if (disk.cdrom && disk.path.empty()) {
      continue;
    }
    auto opened = host::open_disk(context, disk);
    if (!opened) {
      return opened.error();
    }
    backends.disks.at(disk.index) = std::move(*opened);
  }
  for (std::size_t i = 0; i < config.serial.size(); ++i) {
    if (!config.serial[i]) {
      continue;
    }
    auto opened = host::open_chardev(context, config.serial[i]->backend);
    if (!opened) {
      return opened.error();
    }
    backends.serial[i] = std::move(*opened);
  }
  for (const NicConfig& nic : config.nics) {
    auto opened = open_nic(nic, context);
    if (!opened) {
      return opened.error();
    }
    backends.nics.push_back(std::move(*opened));
  }
  return backends;
}

}  // namespace dm
