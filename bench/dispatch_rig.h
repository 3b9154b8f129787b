// SPDX-License-Identifier: MIT
// A machine whose devices answer at no cost: what is left is the way to them. Shared by
// bench_dispatch, which takes times, and bench_count_*, which count instructions.
#pragma once

#include "core/pci/header.h"
#include "core/pci/pci_bus.h"
#include "tests/rig/sim_guest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace dm::bench {

struct CheapDevice {
  std::uint64_t value = 0x60;
  std::uint64_t read(IoAccess a) noexcept { return value + a.offset; }
  void write(IoAccess /*a*/, std::uint64_t v) noexcept { value = v; }
  std::size_t read_run(IoAccess /*a*/, std::span<std::byte> to) noexcept {
    std::memcpy(to.data(), sector.data(), std::min(to.size(), sector.size()));
    return to.size();
  }
  std::size_t write_run(IoAccess /*a*/, std::span<const std::byte> from) noexcept {
    return from.size();
  }
  std::array<std::byte, 512> sector{};
};

class CheapFunction final : public PciFunction {
 public:
  explicit CheapFunction(PciBus& bus) : PciFunction{bus, {1, 0}, "function", Config{Map{}}} {}

 private:
  using Map = reg::Map<256, pci::VID<0x8086>, pci::DID<0x7000>, pci::PCICMD<7>>;
};

struct DispatchRig {
  // The requests that a guest's accesses become.
  static constexpr rig::RawRequest kPortRead{.addr = 0x3fd, .size = 1, .type = 0, .read = true};
  static constexpr rig::RawRequest kPortWrite{.addr = 0x3f8, .data = 'x', .size = 1, .type = 0};
  static constexpr rig::RawRequest kPortMiss{.addr = 0x300, .size = 1, .type = 0, .read = true};
  static constexpr rig::RawRequest kMmioRead{
      .addr = 0xf0000008, .size = 4, .type = 1, .read = true};
  static constexpr rig::RawRequest kConfigRead{
      .addr = std::uint64_t{1 << 3} << 32, .size = 4, .type = 2, .read = true};
  static constexpr rig::RawRequest kRepInswSector{.addr = 0x1f0,
                                                  .data = 0x10000,
                                                  .count = 256,
                                                  .size = 2,
                                                  .type = 0,
                                                  .data_is_ptr = true,
                                                  .read = true};

  rig::SimGuest guest;
  CheapDevice device;
  CheapDevice disk;
  CheapFunction function{guest.pci()};
  PioClaim uart = guest.pio().claim(
      {0x3f8, 0x3ff}, IoHandler::bind<&CheapDevice::read, &CheapDevice::write>(device), "uart");
  PioClaim data = guest.pio().claim({0x1f0, 0x1f3},
                                    IoHandler::bind_with_runs<&CheapDevice::read,
                                                              &CheapDevice::write,
                                                              &CheapDevice::read_run,
                                                              &CheapDevice::write_run>(disk),
                                    "data");
  MmioClaim card =
      guest.mmio().claim({0xf0000000, 0xf001ffff},
                         IoHandler::bind<&CheapDevice::read, &CheapDevice::write>(device),
                         "card");

  std::uint64_t read_port() { return guest.pio().read(0x3fd, 1); }
  std::uint64_t read_missing_port() { return guest.pio().read(0x300, 1); }
  std::uint64_t read_mmio() { return guest.mmio().read(0xf0000008, 4); }
  std::uint64_t read_config() { return guest.pci().read({1, 0}, 0, 4); }
};

}  // namespace dm::bench
