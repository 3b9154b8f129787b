// SPDX-License-Identifier: MIT
#include "devices/fw_cfg/items.h"

#include "core/net/big_endian.h"
#include "devices/fw_cfg/regs.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

// Of boot_rom.S.
extern "C" const std::byte dm_boot_rom_begin[];  // NOLINT(*-avoid-c-arrays): a label
extern "C" const std::byte dm_boot_rom_end[];    // NOLINT(*-avoid-c-arrays)

namespace dm::fw_cfg {

namespace {

namespace key = regs::key;

template <class T>
[[nodiscard]] Item number(std::uint16_t where, T value) {
  Item item{.key = where, .bytes = std::vector<std::byte>(sizeof value), .size = sizeof value};
  std::memcpy(item.bytes.data(), &value, sizeof value);  // little endian, as the machine
  return item;
}

[[nodiscard]] Item bytes(std::uint16_t where, std::span<const std::byte> from) {
  return {.key = where,
          .bytes = {from.begin(), from.end()},
          .size = static_cast<std::uint32_t>(from.size())};
}

[[nodiscard]] Item text(std::uint16_t where, std::string_view from) {
  return bytes(where, std::as_bytes(std::span{from}));
}

struct File {
  std::string_view name;
  std::span<const std::byte> bytes;
};

/// The files behind the directory that names them.
void add_files(std::vector<Item>& items, std::span<const File> files) {
  constexpr std::size_t kEntry = 8 + regs::kNameBytes;
  std::vector<std::byte> directory(4 + files.size() * kEntry);
  inet::put32(directory, 0, static_cast<std::uint32_t>(files.size()));
  auto where = key::kFirstFile;
  std::span<std::byte> rest = std::span{directory}.subspan(4);
  for (const File& file : files) {
    inet::put32(rest, 0, static_cast<std::uint32_t>(file.bytes.size()));
    inet::put16(rest, 4, where);
    std::memcpy(rest.subspan(8).data(), file.name.data(),
                std::min(file.name.size(), regs::kNameBytes - 1));
    rest = rest.subspan(kEntry);
    items.push_back(bytes(where++, file.bytes));
  }
  items.push_back(bytes(key::kDirectory, directory));
}

/// Makes the sum of all bytes zero by the one at `place`.
void balance(std::span<std::byte> all, std::size_t place) {
  unsigned sum = 0;
  all[place] = std::byte{0};
  for (const std::byte one : all) {
    sum += std::to_integer<unsigned>(one);
  }
  all[place] = static_cast<std::byte>(0x100U - (sum & 0xffU));
}

}  // namespace

std::vector<std::byte> boot_rom() {
  // PnP BIOS 1.0A, "Option ROM Header" and "Expansion Header for Plug and Play".
  constexpr std::size_t kSizeAt = 2;
  constexpr std::size_t kUnit = 512;
  constexpr std::size_t kPnpAt = 0x1a;
  constexpr std::size_t kPnpBytes = 32;
  constexpr std::size_t kPnpSum = 9;
  std::vector<std::byte> rom{dm_boot_rom_begin, dm_boot_rom_end};
  const std::size_t units = (rom.size() + 1 + kUnit - 1) / kUnit;
  rom.resize(units * kUnit);
  rom[kSizeAt] = static_cast<std::byte>(units);
  std::uint16_t pnp = 0;
  std::memcpy(&pnp, &rom[kPnpAt], sizeof pnp);
  balance(std::span{rom}.subspan(pnp, kPnpBytes), kPnpSum);
  balance(rom, rom.size() - 1);
  return rom;
}

std::vector<Item> make_items(const Boot& boot) {
  constexpr std::string_view kRom = "genroms/kernel.bin";
  const std::string order = "/rom@" + std::string{kRom} + '\0';
  const boot::LinuxImage& image = boot.image;
  std::vector<Item> items;
  items.push_back(text(key::kSignature, "QEMU"));
  items.push_back(number(key::kId, key::kHasPorts | key::kHasDma));
  items.push_back(number(key::kCpus, static_cast<std::uint16_t>(boot.vcpus)));
  items.push_back(number(key::kMostCpus, static_cast<std::uint16_t>(boot.most_vcpus)));
  items.push_back(number(key::kKernelAddress, boot::kKernelAddress));
  items.push_back(number(key::kKernelSize, image.kernel_size));
  items.push_back({.key = key::kKernelData,
                   .file = &boot.kernel,
                   .offset = image.kernel_offset,
                   .size = image.kernel_size});
  items.push_back(number(key::kInitrdSize, image.initrd_size));
  if (boot.initrd != nullptr) {
    items.push_back({.key = key::kInitrdData, .file = boot.initrd, .size = image.initrd_size});
  }
  items.push_back(number(key::kCommandLineAddress, boot::kCommandLineAddress));
  items.push_back(
      number(key::kCommandLineSize, static_cast<std::uint32_t>(image.command_line.size())));
  items.push_back(bytes(key::kCommandLineData, image.command_line));
  items.push_back(number(key::kSetupAddress, boot::kSetupAddress));
  items.push_back(number(key::kSetupSize, static_cast<std::uint32_t>(image.setup.size())));
  items.push_back(bytes(key::kSetupData, image.setup));
  const std::array<File, 3> files{File{"bootorder", std::as_bytes(std::span{order})},
                                  File{"etc/e820", {}}, File{kRom, boot.rom}};
  add_files(items, files);
  return items;
}

}  // namespace dm::fw_cfg
