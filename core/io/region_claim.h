// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace dm {

enum class ClaimStatus : std::uint8_t {
  unclaimed,
  ok,
  overlap,     ///< another region of ours has part of it
  table_full,  ///< no room in the bus's own table
  refused,     ///< the hypervisor said no
};

/// A claimed region. The destructor releases it. Move-only. A bus makes it, and must outlive it.
template <class Bus>
class RegionClaim {
 public:
  RegionClaim() noexcept = default;
  RegionClaim(Bus& bus, std::uint16_t index) noexcept
      : bus_{&bus}, index_{index}, status_{ClaimStatus::ok} {}
  RegionClaim(ClaimStatus why, std::string_view holder) noexcept : status_{why}, holder_{holder} {}
  RegionClaim(RegionClaim&& other) noexcept { swap(other); }
  RegionClaim& operator=(RegionClaim&& other) noexcept {
    RegionClaim taken{std::move(other)};
    swap(taken);
    return *this;
  }
  RegionClaim(const RegionClaim&) = delete;
  RegionClaim& operator=(const RegionClaim&) = delete;
  ~RegionClaim() { release(); }

  void release() noexcept {
    if (bus_ != nullptr) {
      bus_->release(index_);
      bus_ = nullptr;
      status_ = ClaimStatus::unclaimed;
    }
  }
  [[nodiscard]] bool ok() const noexcept { return status_ == ClaimStatus::ok; }
  [[nodiscard]] ClaimStatus status() const noexcept { return status_; }
  /// Who holds the region already, when status() is overlap.
  [[nodiscard]] std::string_view holder() const noexcept { return holder_; }

 private:
  void swap(RegionClaim& other) noexcept {
    std::swap(bus_, other.bus_);
    std::swap(index_, other.index_);
    std::swap(status_, other.status_);
    std::swap(holder_, other.holder_);
  }

  Bus* bus_ = nullptr;
  std::uint16_t index_ = 0;
  ClaimStatus status_ = ClaimStatus::unclaimed;
  std::string_view holder_;
};

}  // namespace dm
