// SPDX-License-Identifier: MIT
#pragma once

#include "core/device_ports.h"
#include "core/obs/inspector.h"
#include "core/pci/pci_bus.h"
#include "core/ports/unplug.h"
#include "core/result.h"
#include "devices/usb/chip.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace dm::usb {

/// The USB function of the PIIX3, 8086:7020 at 00:01.2: configuration space, and the controller
/// behind BAR 4. Its interrupt is INTD. Thread rule: the loop's thread only. No allocation after
/// construction. Source: Intel 290550-002.
class Piix3Uhci final : public PciFunction {
 public:
  static constexpr PciBdf kBdf{.device = 1, .function = 2};

  /// Fails when the slot is taken. Everything in `ports` must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Piix3Uhci>> create(const Plugged& plugged,
                                                                 const DevicePorts& ports);
  ~Piix3Uhci() override = default;

  /// Null: the port, 0 or 1, is empty.
  [[nodiscard]] HidDevice* device(unsigned port) noexcept { return chip_.device(port); }

  void reset() noexcept;
  /// The end of S3: the controller as after power-on; configuration space stays, since no firmware
  /// sets it up again.
  void wake() noexcept { chip_.reset(); }
  void pause() noexcept { chip_.pause(); }
  void resume() noexcept { chip_.resume(); }
  [[nodiscard]] UhciState state() const noexcept;
  /// Fails when other devices are plugged in.
  [[nodiscard]] Result<> fits(const UhciState& state, UnplugRequest& gone) const;
  /// Replaces the state. False, and nothing changes, when the state is not valid, or another
  /// machine's.
  [[nodiscard]] bool restore(const UhciState& state) noexcept;

  void inspect(Inspector& to, std::string_view name) const;

  [[nodiscard]] const Chip& chip() const noexcept { return chip_; }

 private:
  Piix3Uhci(const Plugged& plugged, const DevicePorts& ports);
  void config_written(std::uint8_t offset, std::uint8_t size) noexcept override;

  Chip chip_;
};

/// "tablet", as xl.cfg's usbdevice has it; "nothing" for none.
[[nodiscard]] std::string_view name_of(HidKind kind) noexcept;

}  // namespace dm::usb
