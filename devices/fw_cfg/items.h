// SPDX-License-Identifier: MIT
#pragma once

#include "core/boot/linux_image.h"
#include "core/ports/boot_file.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace dm::fw_cfg {

/// What a guest can read under one key: bytes that are kept, or a part of a file.
struct Item {
  std::uint16_t key = 0;
  std::vector<std::byte> bytes{};
  BootFile* file = nullptr;  ///< null: `bytes` are all
  std::uint64_t offset = 0;  ///< in the file
  std::uint32_t size = 0;    ///< bytes
};

/// What firmware needs to start a kernel: the signature, the numbers of vCPUs, the kernel in its
/// four parts, and as files the option ROM that loads it (`rom`), the order that puts that ROM
/// first, and an empty list of RAM, without which SeaBIOS adds QEMU's to Xen's. The files outlive
/// the items. `initrd` may be null. Sources: QEMU docs/specs/fw_cfg.rst; SeaBIOS src/fw/paravirt.c,
/// src/optionroms.c, src/boot.c.
struct Boot {
  const boot::LinuxImage& image;
  BootFile& kernel;
  BootFile* initrd;
  std::span<const std::byte> rom;
  unsigned vcpus;
  unsigned most_vcpus;
};
[[nodiscard]] std::vector<Item> make_items(const Boot& boot);

/// The option ROM: of our own, as it is assembled (boot_rom.S), with its checksums.
[[nodiscard]] std::vector<std::byte> boot_rom();

}  // namespace dm::fw_cfg
