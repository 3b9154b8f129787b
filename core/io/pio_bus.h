// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/io_handler.h"
#include "core/io/region_claim.h"
#include "core/ports/io_claims.h"
#include "core/range.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dm {

class PioBus;
using PioClaim = RegionClaim<PioBus>;

/// The guest's 64 Ki ports, with an index from each port to its region, so finding a device is one
/// load. The bus answers every access: a port that no device has claimed reads all ones and drops
/// writes, and both are counted. An access that leaves a region is split into bytes, low byte
/// first, as on an ISA bus. Costs: no allocation, no lock, one indirect call, one counter. Thread
/// rule: the loop's thread only.
class PioBus {
 public:
  static constexpr std::size_t kMaxRegions = 255;

  struct Region {
    PortRange range{};
    IoHandler handler;
    std::string_view name;  ///< static storage
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    bool used = false;
  };

  explicit PioBus(IoClaims& claims) noexcept : claims_{claims} {}
  PioBus(const PioBus&) = delete;
  PioBus& operator=(const PioBus&) = delete;

  /// First come, first served: a range that overlaps a held one is refused, whoever asks.
  [[nodiscard]] PioClaim claim(PortRange range, IoHandler handler, std::string_view name) noexcept;

  [[nodiscard]] std::uint64_t read(std::uint16_t port, std::uint8_t size) noexcept;
  void write(std::uint16_t port, std::uint8_t size, std::uint64_t value) noexcept;
  /// `rep ins` and `rep outs`: buffers hold a whole number of items.
  void read_run(std::uint16_t port, std::uint8_t size, std::span<std::byte> to) noexcept;
  void write_run(std::uint16_t port, std::uint8_t size, std::span<const std::byte> from) noexcept;

  [[nodiscard]] std::span<const Region> regions() const noexcept { return regions_; }
  [[nodiscard]] std::uint64_t unclaimed() const noexcept { return unclaimed_; }

 private:
  friend PioClaim;
  void release(std::uint16_t index) noexcept;
  /// The region that holds all of [port, port+size), or null.
  [[nodiscard]] Region* whole(std::uint16_t port, std::uint8_t size) noexcept;

  IoClaims& claims_;
  std::array<std::uint8_t, 65536> index_{};  ///< 0: nobody; else region number + 1
  std::array<Region, kMaxRegions> regions_{};
  std::uint64_t unclaimed_ = 0;
};

}  // namespace dm
