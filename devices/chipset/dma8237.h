// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/pio_bus.h"
#include "devices/chipset/dma_controller.h"

#include <array>
#include <cstdint>

namespace dm::chipset {

struct Dma8237State {
  DmaControllerState low;   ///< channels 0-3
  DmaControllerState high;  ///< channels 4-7
  std::array<std::uint8_t, 16> pages{};
};

template <class Visitor>
void describe(Visitor& v, Dma8237State& s) {
  v.field(1, "low", s.low);
  v.field(2, "high", s.high);
  v.field(3, "pages", s.pages);
}
[[nodiscard]] inline bool validate(const Dma8237State& s) noexcept {
  return validate(s.low) && validate(s.high);
}

/// The PIIX3's two DMA controllers, at 0x00-0x0F and at every second port of 0xC0-0xDF, and the
/// page registers at 0x80-0x8F. Firmware sets them up; no device of this machine uses them. Under
/// Xen, port 0x80 goes to the real hardware and never comes here. Thread rule: the loop's thread
/// only. Source: Intel 290550-002, I/O address map.
class Dma8237 {
 public:
  /// Throws std::runtime_error when the ports are not to be had.
  explicit Dma8237(PioBus& pio);

  void reset() noexcept { restore({}); }
  [[nodiscard]] Dma8237State state() const noexcept {
    return {low_.state(), high_.state(), pages_};
  }
  void restore(const Dma8237State& s) noexcept;

 private:
  [[nodiscard]] std::uint64_t read_low(IoAccess a) noexcept;
  void write_low(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_high(IoAccess a) noexcept;
  void write_high(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_pages(IoAccess a) const noexcept;
  void write_pages(IoAccess a, std::uint64_t value) noexcept;

  DmaController low_;
  DmaController high_;
  std::array<std::uint8_t, 16> pages_{};
  PioClaim low_claim_;
  PioClaim high_claim_;
  PioClaim pages_claim_;
};

}  // namespace dm::chipset
