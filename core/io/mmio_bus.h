// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/io_handler.h"
#include "core/io/region_claim.h"
#include "core/ports/io_claims.h"
#include "core/range.h"

#include <boost/container/static_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dm {

class MmioBus;
using MmioClaim = RegionClaim<MmioBus>;

/// Memory of the guest that lies where BARs may go: a card's video memory. The hypervisor finds
/// memory before it asks who has claimed an address, so a region that is claimed over such memory
/// would never be reached.
class MovableMemory {
 public:
  MovableMemory() = default;
  MovableMemory(const MovableMemory&) = delete;
  MovableMemory& operator=(const MovableMemory&) = delete;
  virtual ~MovableMemory() = default;

  /// `range` is about to be claimed: moves away what lies there.
  virtual void make_room(MmioRange range) noexcept = 0;
};

/// Memory-mapped regions: a sorted array of at most 64 regions, and a hint to the last one found,
/// since a driver stays on one card. An address that no region has reads all ones and drops writes,
/// and both are counted. An access that leaves its region gets the same answer, because Xen
/// delivers only whole accesses. Thread rule: the loop's thread only. No allocation.
class MmioBus {
 public:
  static constexpr std::size_t kMaxRegions = 64;

  struct Region {
    MmioRange range{};
    IoHandler handler;
    std::string_view name;  ///< static storage
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    bool used = false;
    bool reserved = false;  ///< unknown to the hypervisor
  };

  explicit MmioBus(IoClaims& claims) noexcept : claims_{claims} {}
  MmioBus(const MmioBus&) = delete;
  MmioBus& operator=(const MmioBus&) = delete;

  [[nodiscard]] MmioClaim claim(MmioRange range, IoHandler handler, std::string_view name) noexcept;
  /// As claim(), for a place where memory of the guest lies or will lie: the hypervisor is not
  /// told, since the guest's accesses end in that memory. `handler` answers what reaches us all the
  /// same.
  [[nodiscard]] MmioClaim reserve(MmioRange range,
                                  IoHandler handler,
                                  std::string_view name) noexcept;
  /// Who moves away when a region is claimed; null: nobody. It outlives every claim, or takes
  /// itself back.
  void set_movable(MovableMemory* movable) noexcept { movable_ = movable; }

  [[nodiscard]] std::uint64_t read(std::uint64_t address, std::uint8_t size) noexcept;
  void write(std::uint64_t address, std::uint8_t size, std::uint64_t value) noexcept;

  [[nodiscard]] std::uint64_t unclaimed() const noexcept { return unclaimed_; }
  /// Every slot of the table, used or not.
  [[nodiscard]] const std::array<Region, kMaxRegions>& regions() const noexcept { return regions_; }

 private:
  friend MmioClaim;
  [[nodiscard]] MmioClaim add(const Region& region) noexcept;
  void release(std::uint16_t index) noexcept;
  [[nodiscard]] Region* find(std::uint64_t address, std::uint8_t size) noexcept;

  IoClaims& claims_;
  MovableMemory* movable_ = nullptr;
  std::array<Region, kMaxRegions> regions_{};                              ///< stable numbers
  boost::container::static_vector<std::uint8_t, kMaxRegions> by_address_;  ///< numbers, ascending
  std::uint8_t hint_ = 0;
  std::uint64_t unclaimed_ = 0;
};

}  // namespace dm
