// SPDX-License-Identifier: MIT
#include "ioreq/daemon/open_backends.h"

#include "core/boot/linux_image.h"
#include "core/obs/log.h"
#include "ioreq/machine/option_rom.h"
#include "platform/linux/chardev/chardev.h"
#include "platform/linux/image/boot_file.h"
#include "platform/linux/image/disk.h"
#include "platform/linux/net/net.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

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

/// Without its initial ramdisk a kernel is not started: it would look for its disk in vain.
Result<Backends::Boot> open_kernel(const KernelConfig& config, std::uint64_t memory) {
  auto kernel = host::HostBootFile::open("kernel", config.path);
  if (!kernel) {
    return kernel.error();
  }
  std::unique_ptr<BootFile> initrd;
  if (!config.initrd.empty()) {
    auto opened = host::HostBootFile::open("ramdisk", config.initrd);
    if (!opened) {
      return opened.error();
    }
    if ((*opened)->size() != 0) {
      initrd = std::move(*opened);
    }
  }
  std::vector<std::byte> head(std::min<std::uint64_t>(boot::kMostSetup, (*kernel)->size()));
  if (!(*kernel)->read(0, head)) {
    return fail("kernel ", config.path, ": it cannot be read");
  }
  auto image = boot::prepare_linux({.head = head,
                                    .kernel_size = (*kernel)->size(),
                                    .initrd_size = initrd != nullptr ? initrd->size() : 0,
                                    .command_line = config.command_line,
                                    .memory = memory});
  if (!image) {
    return fail("kernel ", config.path, ": ", image.error().message,
                ". kernel= in xl.cfg has to name a Linux kernel as it is in /boot");
  }
  log::info("kernel ", std::string_view{config.path}, ", ", (*kernel)->size(), " bytes; ramdisk ",
            initrd != nullptr ? initrd->name() : std::string_view{"none"}, ", ",
            initrd != nullptr ? initrd->size() : 0,
            " bytes; command line: ", std::string_view{config.command_line});
  return Backends::Boot{
      .kernel = std::move(*kernel), .initrd = std::move(initrd), .image = std::move(*image)};
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
  if (config.kernel) {
    auto boot = open_kernel(*config.kernel, config.memory_mib << 20U);
    if (!boot) {
      return boot.error();
    }
    backends.boot = std::move(*boot);
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
