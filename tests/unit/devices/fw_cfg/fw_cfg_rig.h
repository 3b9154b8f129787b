// SPDX-License-Identifier: MIT
// A guest that is started from a kernel, and what firmware does with it. Numbers typed anew from
// QEMU, docs/specs/fw_cfg.rst.
#pragma once

#include "devices/fw_cfg/fw_cfg.h"
#include "tests/rig/boot_files.h"
#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dm::test {

inline constexpr std::uint64_t kOperation = 0x7000;  ///< where the guest keeps it
inline constexpr std::uint32_t kRead = 2;
inline constexpr std::uint32_t kSkip = 4;
inline constexpr std::uint32_t kSelect = 8;
inline constexpr std::uint32_t kWrite = 16;

struct BootedGuest {
  BootedGuest() {
    const auto all = std::span{kernel.bytes()};
    auto prepared = boot::prepare_linux({.head = all.first(0xfe00),
                                         .kernel_size = all.size(),
                                         .initrd_size = initrd.size(),
                                         .command_line = "console=ttyS0",
                                         .memory = 0});
    image = std::move(prepared).value();
    auto made = fw_cfg::FwCfg::create(fw_cfg::make_items({.image = image,
                                                          .kernel = kernel,
                                                          .initrd = &initrd,
                                                          .rom = fw_cfg::boot_rom(),
                                                          .vcpus = 2,
                                                          .most_vcpus = 4}),
                                      ports());
    device = std::move(made).value();
  }
  [[nodiscard]] DevicePorts ports() {
    return {.pio = guest.pio(),
            .mmio = guest.mmio(),
            .pci = guest.pci(),
            .irqs = guest.irqs(),
            .timers = guest.timers(),
            .work = guest.work(),
            .memory = guest.memory()};
  }

  void select(std::uint16_t key) { guest.outw(0x510, key); }
  std::string read(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text += static_cast<char>(guest.inb(0x511));
    }
    return text;
  }
  std::string item(std::uint16_t key, std::size_t count) {
    select(key);
    return read(count);
  }
  std::uint32_t number(std::uint16_t key) {
    const std::string text = item(key, 4);
    std::uint32_t value = 0;
    std::memcpy(&value, text.data(), sizeof value);
    return value;
  }
  /// The directory's names, with size and key.
  std::map<std::string, std::pair<std::uint32_t, std::uint16_t>> directory() {
    const auto big = [](const std::string& text, std::size_t at, std::size_t bytes) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < bytes; ++i) {
        value = value << 8U | static_cast<std::uint8_t>(text[at + i]);
      }
      return value;
    };
    std::map<std::string, std::pair<std::uint32_t, std::uint16_t>> all;
    const std::uint32_t count = big(item(0x19, 4), 0, 4);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string entry = read(64);
      all[entry.c_str() + 8] = {big(entry, 0, 4), static_cast<std::uint16_t>(big(entry, 4, 2))};
    }
    return all;
  }

  static std::uint32_t swapped(std::uint32_t value) { return __builtin_bswap32(value); }
  /// Writes an operation and begins it. Work runs by itself unless that was switched off.
  void begin(std::uint32_t control,
             std::uint32_t length,
             std::uint64_t address,
             std::uint64_t at = kOperation) {
    if (at <= guest.ram().size() - 16) {
      guest.poke(at, swapped(control));
      guest.poke(at + 4, swapped(length));
      guest.poke(at + 8, swapped(static_cast<std::uint32_t>(address >> 32U)));
      guest.poke(at + 12, swapped(static_cast<std::uint32_t>(address)));
    }
    guest.outl(0x514, swapped(static_cast<std::uint32_t>(at >> 32U)));
    guest.outl(0x518, swapped(static_cast<std::uint32_t>(at)));
  }
  /// 0: done; 1: an error; else it is under way.
  [[nodiscard]] std::uint32_t result() { return swapped(guest.peek<std::uint32_t>(kOperation)); }
  static std::uint32_t of(std::uint16_t key) { return std::uint32_t{key} << 16U | kSelect; }
  [[nodiscard]] bool holds(std::uint64_t gpa, std::span<const std::byte> bytes) {
    return std::ranges::equal(guest.ram().subspan(gpa, bytes.size()), bytes);
  }

  rig::SimGuest guest;
  rig::MemoryBootFile kernel{rig::make_kernel(3'000'000)};
  rig::MemoryBootFile initrd{std::vector<std::byte>(700'001, std::byte{0x3c})};
  boot::LinuxImage image;
  std::unique_ptr<fw_cfg::FwCfg> device;
};

}  // namespace dm::test
