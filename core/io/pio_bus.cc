// SPDX-License-Identifier: MIT
#include "core/io/pio_bus.h"

#include <algorithm>
#include <cstring>

namespace dm {

PioClaim PioBus::claim(PortRange range, IoHandler handler, std::string_view name) noexcept {
  for (const Region& region : regions_) {
    if (region.used && region.range.overlaps(range)) {
      return {ClaimStatus::overlap, region.name};
    }
  }
  auto* const free = std::ranges::find(regions_, false, &Region::used);
  if (free == regions_.end()) {
    return {ClaimStatus::table_full, {}};
  }
  if (!claims_.claim_ports(range)) {
    return {ClaimStatus::refused, {}};
  }
  *free = Region{.range = range, .handler = handler, .name = name, .used = true};
  const auto number = static_cast<std::uint16_t>(free - regions_.begin());
  std::fill(index_.begin() + range.first, index_.begin() + range.last + 1,
            static_cast<std::uint8_t>(number + 1));
  return {*this, number};
}

void PioBus::release(std::uint16_t index) noexcept {
  Region& region = regions_[index];
  std::fill(index_.begin() + region.range.first, index_.begin() + region.range.last + 1,
            std::uint8_t{0});
  claims_.release_ports(region.range);
  region = Region{};
}

PioBus::Region* PioBus::whole(std::uint16_t port, std::uint8_t size) noexcept {
  const std::uint8_t entry = index_[port];
  if (entry == 0) {
    return nullptr;
  }
  Region& region = regions_[entry - 1U];
  return region.range.holds(port, size) ? &region : nullptr;
}

std::uint64_t PioBus::read(std::uint16_t port, std::uint8_t size) noexcept {
  if (Region* const region = whole(port, size); region != nullptr) [[likely]] {
    ++region->reads;
    const auto offset = static_cast<std::uint64_t>(port - region->range.first);
    return region->handler.read({offset, size}) & all_ones(size);
  }
  if (size == 1) {
    ++unclaimed_;
    return all_ones(1);
  }
  std::uint64_t value = 0;
  for (unsigned i = 0; i < size; ++i) {
    const auto byte = port + i <= 0xffffU ? read(static_cast<std::uint16_t>(port + i), 1) : 0xff;
    value |= byte << (i * 8U);
  }
  return value;
}

void PioBus::write(std::uint16_t port, std::uint8_t size, std::uint64_t value) noexcept {
  if (Region* const region = whole(port, size); region != nullptr) [[likely]] {
    ++region->writes;
    const auto offset = static_cast<std::uint64_t>(port - region->range.first);
    region->handler.write({offset, size}, value & all_ones(size));
    return;
  }
  if (size == 1) {
    ++unclaimed_;
    return;
  }
  for (unsigned i = 0; i < size && port + i <= 0xffffU; ++i) {
    write(static_cast<std::uint16_t>(port + i), 1, value >> (i * 8U) & 0xffU);
  }
}

void PioBus::read_run(std::uint16_t port, std::uint8_t size, std::span<std::byte> to) noexcept {
  while (to.size() >= size) {
    std::size_t done = 0;
    if (Region* const region = whole(port, size); region != nullptr) {
      done = region->handler.read_run(
          {static_cast<std::uint64_t>(port - region->range.first), size}, to);
      region->reads += done / size;
    }
    if (done == 0) {
      const std::uint64_t value = read(port, size);
      std::memcpy(to.data(), &value, size);
      done = size;
    }
    to = to.subspan(std::min(done, to.size()));
  }
}

void PioBus::write_run(std::uint16_t port,
                       std::uint8_t size,
                       std::span<const std::byte> from) noexcept {
  while (from.size() >= size) {
    std::size_t done = 0;
    if (Region* const region = whole(port, size); region != nullptr) {
      done = region->handler.write_run(
          {static_cast<std::uint64_t>(port - region->range.first), size}, from);
      region->writes += done / size;
    }
    if (done == 0) {
      std::uint64_t value = 0;
      std::memcpy(&value, from.data(), size);
      write(port, size, value);
      done = size;
    }
    from = from.subspan(std::min(done, from.size()));
  }
}

}  // namespace dm
