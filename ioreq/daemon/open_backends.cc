// SPDX-License-Identifier: MIT
#include "ioreq/daemon/open_backends.h"

#include "ioreq/machine/option_rom.h"
#include "platform/linux/chardev/chardev.h"
#include "platform/linux/image/disk.h"
#include "platform/linux/net/net.h"

#include <cstddef>
#include <utility>

namespace dm {

namespace {

Result<Backends::Nic> open_nic(const NicConfig& config, host::Loop& loop) {
  auto cable = host::open_net(loop, config);
  if (!cable) {
    return cable.error();
  }
  auto rom = read_option_rom(config, usual_roms(config));
  if (!rom) {
    return rom.error();
  }
  return Backends::Nic{.cable = std::move(*cable), .rom = std::move(*rom)};
}

}  // namespace

Result<Backends> open_backends(const MachineConfig& config,
                               const UnplugRequest& gone,
                               host::Loop& loop) {
  Backends backends;
  for (const DiskConfig& disk : config.disks) {
    backends.cdroms.at(disk.index) = disk.cdrom;
    if (disk.cdrom ? disk.path.empty() : gone.takes_disk(disk.index)) {
      continue;
    }
    auto opened = host::open_disk(loop, disk);
    if (!opened) {
      return opened.error();
    }
    backends.disks.at(disk.index) = std::move(*opened);
  }
  for (std::size_t i = 0; i < config.serial.size(); ++i) {
    if (!config.serial[i]) {
      continue;
    }
    auto opened = host::open_chardev(loop, config.serial[i]->backend);
    if (!opened) {
      return opened.error();
    }
    backends.serial[i] = std::move(*opened);
  }
  if (config.vga) {
    auto rom = read_option_rom(*config.vga);
    if (!rom) {
      return rom.error();
    }
    backends.vga_rom = std::move(*rom);
  }
  for (const NicConfig& nic : config.nics) {
    auto opened = open_nic(nic, loop);
    if (!opened) {
      return opened.error();
    }
    backends.nics.push_back(std::move(*opened));
  }
  return backends;
}

}  // namespace dm
