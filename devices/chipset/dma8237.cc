// SPDX-License-Identifier: MIT
#include "devices/chipset/dma8237.h"

#include "devices/chipset/byte_io.h"
#include "devices/chipset/fixed_ports.h"

namespace dm::chipset {

namespace {
constexpr std::uint8_t low_register(std::uint64_t at) noexcept {
  return static_cast<std::uint8_t>(at & 0x0fU);
}
/// The second chip sits on A4-A1: odd ports are aliases of the even ones below them.
constexpr std::uint8_t high_register(std::uint64_t at) noexcept {
  return static_cast<std::uint8_t>(at >> 1U & 0x0fU);
}
}  // namespace

Dma8237::Dma8237(PioBus& pio)
    : low_claim_{claim_fixed(pio,
                             {0x00, 0x0f},
                             IoHandler::bind<&Dma8237::read_low, &Dma8237::write_low>(*this),
                             "DMA channels 0-3")},
      high_claim_{claim_fixed(pio,
                              {0xc0, 0xdf},
                              IoHandler::bind<&Dma8237::read_high, &Dma8237::write_high>(*this),
                              "DMA channels 4-7")},
      pages_claim_{claim_fixed(pio,
                               {0x80, 0x8f},
                               IoHandler::bind<&Dma8237::read_pages, &Dma8237::write_pages>(*this),
                               "DMA pages")} {}

void Dma8237::restore(const Dma8237State& s) noexcept {
  low_.restore(s.low);
  high_.restore(s.high);
  pages_ = s.pages;
}

std::uint64_t Dma8237::read_low(IoAccess a) noexcept {
  return read_bytes(a, [this](std::uint64_t at) noexcept { return low_.read(low_register(at)); });
}

void Dma8237::write_low(IoAccess a, std::uint64_t value) noexcept {
  write_bytes(a, value, [this](std::uint64_t at, std::uint8_t byte) noexcept {
    low_.write(low_register(at), byte);
  });
}

std::uint64_t Dma8237::read_high(IoAccess a) noexcept {
  return read_bytes(a, [this](std::uint64_t at) noexcept { return high_.read(high_register(at)); });
}

void Dma8237::write_high(IoAccess a, std::uint64_t value) noexcept {
  write_bytes(a, value, [this](std::uint64_t at, std::uint8_t byte) noexcept {
    high_.write(high_register(at), byte);
  });
}

std::uint64_t Dma8237::read_pages(IoAccess a) const noexcept {
  return read_bytes(a, [this](std::uint64_t at) noexcept { return pages_[at % pages_.size()]; });
}

void Dma8237::write_pages(IoAccess a, std::uint64_t value) noexcept {
  write_bytes(a, value, [this](std::uint64_t at, std::uint8_t byte) noexcept {
    pages_[at % pages_.size()] = byte;
  });
}

}  // namespace dm::chipset
