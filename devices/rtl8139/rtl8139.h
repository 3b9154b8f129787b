// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/inspector.h"
#include "core/pci/pci_bus.h"
#include "core/ports/unplug.h"
#include "core/result.h"
#include "devices/rtl8139/chip.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace dm::rtl8139 {

/// A network card: the RTL8139C+, 10ec:8139 revision 20h, on the PCI bus. Both BARs show the same
/// registers; its interrupt is INTA. Thread rule: the loop's thread only. No allocation after
/// construction.
class Rtl8139 final : public PciFunction {
 public:
  struct Setup {
    PciBdf where;
    MacAddress mac{};
    std::span<const std::byte> rom;  ///< for network boot; empty: none. Must outlive the card.
  };
  struct Ports {
    PciBus& pci;
    IrqRouter& irqs;
    GuestMemory& memory;
    TimerQueue& timers;
    WorkQueue& work;
    NetBackend& backend;
  };
  /// Fails when the slot is taken. Everything in `ports` must outlive the card.
  [[nodiscard]] static Result<std::unique_ptr<Rtl8139>> create(const Setup& setup,
                                                               const Ports& ports);
  ~Rtl8139() override = default;

  /// Leaves the machine for good if the request names cards. On return nothing is in flight, and
  /// the back end is free. Idempotent. Always true: a card has no data to make durable.
  bool unplug(UnplugRequest request) noexcept;
  /// As after power-on, configuration space included. A card that has left stays away.
  void reset() noexcept;
  /// The end of S3: as after power-on, except for configuration space, which no firmware sets up
  /// again. A card that has left stays away.
  void wake() noexcept { chip_.wake(); }

  /// From pause() to resume() the card touches nothing of the guest. Between the two, state() and
  /// restore() may be called. The caller stops guest time too.
  void pause() noexcept { chip_.pause(); }
  void resume() noexcept { chip_.resume(); }
  /// A RARP broadcast from the station address: whatever is between learns where the address is.
  /// None where the link is down.
  void announce() noexcept { chip_.announce(); }
  [[nodiscard]] CardState state() const noexcept;
  /// Replaces the state. False, and nothing changes, when the state is not valid.
  [[nodiscard]] bool restore(const CardState& state) noexcept;

  /// A row of "network" for a card that has not left. `name` is the row's.
  void inspect(Inspector& to, std::string_view name) const;

  [[nodiscard]] const Chip& chip() const noexcept { return chip_; }

 private:
  Rtl8139(const Setup& setup, const Ports& ports);

  void config_written(std::uint8_t offset, std::uint8_t size) noexcept override;
  void config_reading(std::uint8_t offset, std::uint8_t size) noexcept override;

  Chip chip_;
  std::uint64_t aborts_shown_ = 0;
};

}  // namespace dm::rtl8139
