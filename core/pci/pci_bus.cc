// SPDX-License-Identifier: MIT
#include "core/pci/pci_bus.h"

#include "core/range.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>

namespace dm {

namespace {

constexpr std::uint8_t kCommandOffset = 0x04;
constexpr std::uint8_t kStatusOffset = 0x06;
constexpr std::uint64_t kInterruptStatus = 1U << 3U;    // of the status register
constexpr std::uint64_t kInterruptDisable = 1U << 10U;  // of the command register
constexpr std::uint8_t kPinOffset = 0x3d;
constexpr std::uint8_t kFirstBar = 0x10;
constexpr std::uint8_t kPastBars = 0x28;
constexpr std::uint64_t kIoSpace = 0x10000;
constexpr std::uint64_t kMemorySpace = std::uint64_t{1} << 32;

constexpr std::uint8_t kRomOffset = 0x30;
constexpr std::uint32_t kRomEnable = 1;
constexpr std::uint32_t kSmallestRom = 2048;  // bits 10:1 of the register are reserved

constexpr std::uint8_t bar_offset(std::uint8_t index) noexcept {
  return index == kRomBar ? kRomOffset : static_cast<std::uint8_t>(kFirstBar + 4 * index);
}
/// Fixed low bits of a BAR, PCI 2.1 6.2.5.1.
constexpr std::uint32_t bar_type_bits(BarKind kind) noexcept {
  switch (kind) {
    case BarKind::io:
      return 1;
    case BarKind::memory:
    case BarKind::rom:
      return 0;
    case BarKind::prefetchable:
      return 8;
  }
  return 0;
}

}  // namespace

std::uint64_t PciBus::read(PciBdf at, std::uint8_t reg, std::uint8_t size) noexcept {
  PciFunction* const function = functions_[at.devfn()];
  if (function == nullptr) {
    ++unclaimed_;
    return all_ones(size);
  }
  return function->read_config(reg, size);
}

void PciBus::write(PciBdf at, std::uint8_t reg, std::uint8_t size, std::uint64_t value) noexcept {
  PciFunction* const function = functions_[at.devfn()];
  if (function == nullptr) {
    ++unclaimed_;
    return;
  }
  function->write_config(reg, size, value);
}

bool PciBus::attach(PciFunction& function) noexcept {
  PciFunction*& slot = functions_[function.bdf_.devfn()];
  if (slot != nullptr || !claims_.claim_pci(function.bdf_)) {
    return false;
  }
  slot = &function;
  return true;
}

void PciBus::detach(PciFunction& function) noexcept {
  functions_[function.bdf_.devfn()] = nullptr;
  claims_.release_pci(function.bdf_);
}

void PciBus::retry_refused(const PciFunction& except) noexcept {
  for (PciFunction* const function : functions_) {
    if (function == nullptr || function == &except) {
      continue;
    }
    for (auto& bar : function->bars_) {
      if (bar.refused()) {
        function->update_window(bar);
      }
    }
  }
}

PciFunction::PciFunction(PciBus& bus, PciBdf bdf, std::string_view name, Config config)
    : bus_{bus}, bdf_{bdf}, name_{name}, config_{config} {
  present_ = bus_.attach(*this);
  if (!present_) {
    throw std::runtime_error("PCI slot " + std::to_string(bdf.device) + "." +
                             std::to_string(bdf.function) + " is not to be had for " +
                             std::string{name});
  }
  if (config_.read(kPinOffset, 1) != 0) {
    config_.allow(kCommandOffset, 2, kInterruptDisable);
  }
}

PciFunction::~PciFunction() {
  unplug();
}

PciFunction::Bar& PciFunction::new_bar(std::uint8_t index,
                                       BarKind kind,
                                       std::uint32_t size,
                                       IoHandler handler,
                                       std::string_view name) {
  const std::uint32_t type = bar_type_bits(kind);
  config_.preset(bar_offset(index), 4, type);
  config_.allow(bar_offset(index), 4, ~(size - 1) & ~std::uint32_t{0xf} & 0xffffffffU);
  if (kind == BarKind::io) {
    config_.allow(bar_offset(index), 4, ~(size - 1) & ~std::uint32_t{3} & 0xffffffffU);
  }
  Bar bar;
  bar.index = index;
  bar.kind = kind;
  bar.size = size;
  bar.handler = handler;
  bar.name = name;
  return bars_.emplace_back(std::move(bar));
}

void PciFunction::add_bar(std::uint8_t index,
                          BarKind kind,
                          std::uint32_t size,
                          IoHandler handler,
                          std::string_view name) {
  static_cast<void>(new_bar(index, kind, size, handler, name));
}

void PciFunction::add_memory_bar(std::uint8_t index,
                                 std::uint32_t size,
                                 IoHandler handler,
                                 std::string_view name) {
  new_bar(index, BarKind::prefetchable, size, handler, name).memory = true;
}

void PciFunction::add_rom(std::span<const std::byte> image, std::string_view name) {
  const auto size = std::bit_ceil(std::max(static_cast<std::uint32_t>(image.size()), kSmallestRom));
  add_bar(kRomBar, BarKind::rom, size,
          IoHandler::bind<&PciFunction::read_rom, &PciFunction::write_rom>(*this), name);
  config_.allow(kRomOffset, 4, (~(size - 1) | kRomEnable) & 0xffffffffU);
  rom_ = image;
}

std::uint64_t PciFunction::read_rom(IoAccess a) noexcept {
  std::uint64_t value = all_ones(a.size);
  if (a.offset < rom_.size()) {
    std::memcpy(&value, rom_.data() + a.offset,
                std::min<std::size_t>(a.size, rom_.size() - a.offset));
  }
  return value;
}

std::uint64_t PciFunction::read_config(std::uint8_t offset, std::uint8_t size) noexcept {
  config_reading(offset, size);
  // A dword read at 0xfd or beyond: the part past the end reads ones.
  std::uint64_t value = config_.read(offset, size);
  if (const unsigned inside = static_cast<unsigned>(kConfigSize - offset); inside < size) {
    value |= all_ones(size) & ~all_ones(static_cast<std::uint8_t>(inside));
  }
  const bool status = offset <= kStatusOffset && kStatusOffset < offset + size;
  if (status && interrupt_ != nullptr && interrupt_->level()) {
    value |= kInterruptStatus << (8U * (kStatusOffset - offset));
  }
  return value;
}

void PciFunction::update_interrupt() noexcept {
  if (interrupt_ != nullptr) {
    interrupt_->mask(pci::CommandBits::INTD::test(config_.read(kCommandOffset, 2)));
  }
}

void PciFunction::write_config(std::uint8_t offset,
                               std::uint8_t size,
                               std::uint64_t value) noexcept {
  config_.write(offset, size, value);
  const Range<unsigned> touched{offset, offset + size - 1U};
  const bool command = touched.overlaps({kCommandOffset, kCommandOffset + 1U});
  const bool base = touched.overlaps({kFirstBar, kPastBars - 1U});
  const bool rom = touched.overlaps({kRomOffset, kRomOffset + 3U});
  if (command) {
    update_interrupt();
  }
  if (command || base || rom) {
    update_windows();
  }
  config_written(offset, size);
}

bool PciFunction::bus_master() const noexcept {
  return present_ && pci::CommandBits::BME::test(config_.read(kCommandOffset, 2));
}

void PciFunction::reset_config() noexcept {
  config_.reset();
  update_interrupt();
  update_windows();
}

void PciFunction::restore_config(const Config::Bytes& saved) noexcept {
  config_.bytes() = saved;
  config_.sanitize();
  update_interrupt();
  update_windows();
}

void PciFunction::unplug() noexcept {
  if (!present_) {
    return;
  }
  present_ = false;
  update_windows();
  bus_.detach(*this);
}

bool PciFunction::bar_mapped(std::uint8_t index) const noexcept {
  const auto bar = std::ranges::find(bars_, index, &Bar::index);
  return bar != bars_.end() && bar->mapped();
}

std::optional<PciFunction::Window> PciFunction::window(std::size_t number) const noexcept {
  if (number >= bars_.size()) {
    return std::nullopt;
  }
  const Bar& bar = bars_[number];
  return Window{.index = bar.index,
                .kind = bar.kind,
                .size = bar.size,
                .base = bar.mapped() ? bar.mapped_at : 0};
}

/// Where the registers want the window, or 0 for nowhere.
std::uint64_t PciFunction::wanted_base(const Bar& bar) const noexcept {
  const std::uint64_t command = config_.read(kCommandOffset, 2);
  const bool is_io = bar.kind == BarKind::io;
  const bool decode =
      is_io ? pci::CommandBits::IOSE::test(command) : pci::CommandBits::MSE::test(command);
  const std::uint64_t written = config_.read(bar_offset(bar.index), 4);
  if (bar.kind == BarKind::rom && (written & kRomEnable) == 0) {
    return 0;
  }
  const std::uint64_t base = written & ~std::uint64_t{bar.size - 1} & 0xffffffffU;
  const bool fits = within(0, is_io ? kIoSpace : kMemorySpace, base, bar.size);
  // All ones, as sizing leaves it, is the topmost window: software that sizes with decode on does
  // not mean it.
  const bool sizing = base == (0xffffffffU & ~std::uint64_t{bar.size - 1});
  return present_ && decode && fits && !sizing ? base : 0;
}

bool PciFunction::update_window(Bar& bar) noexcept {
  const std::uint64_t base = wanted_base(bar);
  if (bar.mapped() && bar.mapped_at == base) {
    return false;
  }
  const bool released = bar.mapped();
  bar.pio = PioClaim{};
  bar.mmio = MmioClaim{};
  if (base != 0 && bar.kind == BarKind::io) {
    bar.pio = bus_.pio_.claim(
        {static_cast<std::uint16_t>(base), static_cast<std::uint16_t>(base + bar.size - 1)},
        bar.handler, bar.name);
  } else if (base != 0 && bar.memory) {
    bar.mmio = bus_.mmio_.reserve({base, base + bar.size - 1}, bar.handler, bar.name);
    if (bar.mmio.ok() && !memory_wanted(bar.index, base)) {
      bar.mmio = MmioClaim{};
    }
  } else if (base != 0) {
    bar.mmio = bus_.mmio_.claim({base, base + bar.size - 1}, bar.handler, bar.name);
  }
  bar.mapped_at = base;
  return released;
}

void PciFunction::update_windows() noexcept {
  bool released = false;
  for (Bar& bar : bars_) {
    released = update_window(bar) || released;
  }
  if (!released) {
    return;
  }
  for (Bar& bar : bars_) {
    if (bar.refused()) {
      update_window(bar);  // another of its own was in the way
    }
  }
  bus_.retry_refused(*this);
}

}  // namespace dm
