// SPDX-License-Identifier: MIT
#include "core/io/mmio_bus.h"

#include <algorithm>

namespace dm {

MmioClaim MmioBus::claim(MmioRange range, IoHandler handler, std::string_view name) noexcept {
  return add({.range = range, .handler = handler, .name = name, .used = true});
}

MmioClaim MmioBus::reserve(MmioRange range, IoHandler handler, std::string_view name) noexcept {
  return add({.range = range, .handler = handler, .name = name, .used = true, .reserved = true});
}

MmioClaim MmioBus::add(const Region& region) noexcept {
  for (const std::uint8_t number : by_address_) {
    if (regions_[number].range.overlaps(region.range)) {
      return {ClaimStatus::overlap, regions_[number].name};
    }
  }
  auto* const free = std::ranges::find(regions_, false, &Region::used);
  if (free == regions_.end()) {
    return {ClaimStatus::table_full, {}};
  }
  if (!region.reserved) {
    if (movable_ != nullptr) {
      movable_->make_room(region.range);
    }
    if (!claims_.claim_mmio(region.range)) {
      return {ClaimStatus::refused, {}};
    }
  }
  *free = region;
  const auto number = static_cast<std::uint8_t>(free - regions_.begin());
  const auto at =
      std::ranges::lower_bound(by_address_, region.range.first, {},
                               [this](std::uint8_t n) { return regions_[n].range.first; });
  by_address_.insert(at, number);
  return {*this, number};
}

void MmioBus::release(std::uint16_t index) noexcept {
  if (!regions_[index].reserved) {
    claims_.release_mmio(regions_[index].range);
  }
  regions_[index] = Region{};
  by_address_.erase(std::ranges::find(by_address_, static_cast<std::uint8_t>(index)));
}

MmioBus::Region* MmioBus::find(std::uint64_t address, std::uint8_t size) noexcept {
  if (Region& last = regions_[hint_]; last.used && last.range.holds(address, size)) [[likely]] {
    return &last;
  }
  const auto above = std::ranges::upper_bound(
      by_address_, address, {}, [this](std::uint8_t n) { return regions_[n].range.first; });
  if (above == by_address_.begin()) {
    return nullptr;
  }
  const std::uint8_t number = *(above - 1);
  if (!regions_[number].range.holds(address, size)) {
    return nullptr;
  }
  hint_ = number;
  return &regions_[number];
}

std::uint64_t MmioBus::read(std::uint64_t address, std::uint8_t size) noexcept {
  Region* const region = find(address, size);
  if (region == nullptr) {
    ++unclaimed_;
    return all_ones(size);
  }
  ++region->reads;
  return region->handler.read({address - region->range.first, size}) & all_ones(size);
}

void MmioBus::write(std::uint64_t address, std::uint8_t size, std::uint64_t value) noexcept {
  Region* const region = find(address, size);
  if (region == nullptr) {
    ++unclaimed_;
    return;
  }
  ++region->writes;
  region->handler.write({address - region->range.first, size}, value & all_ones(size));
}

}  // namespace dm
