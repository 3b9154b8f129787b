// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/io_handler.h"
#include "core/obs/log.h"
#include "core/ports/domain_control.h"
#include "core/ports/unplug.h"
#include "devices/chipset/guest_log.h"

#include <cstdint>

namespace dm::chipset {

struct UnplugPortsState {
  std::uint8_t flags = 0;
  std::uint16_t unplugged =
      0;  ///< every known mask bit that was ever written; an unplug is for good
  std::uint16_t product = 0;
  std::uint32_t build = 0;
};
static_assert(sizeof(UnplugPortsState) == 12);  // a new member: describe it, validate it

template <class Visitor>
void describe(Visitor& v, UnplugPortsState& s) {
  v.field(1, "flags", s.flags);
  v.field(2, "unplugged", s.unplugged);
  v.field(3, "product", s.product);
  v.field(4, "build", s.build);
}
[[nodiscard]] bool validate(const UnplugPortsState& s) noexcept;

/// The protocol by which a guest's PV drivers find Xen's platform device, unplug emulated disks and
/// network cards, and write to the host's log. The fixed ports have all registers; BAR 0 has some
/// of them too. An unplug is complete when the write is answered, because the PV drivers open the
/// same images next. Thread rule: the loop's thread only. Source: Xen
/// docs/misc/hvm-emulated-unplug.pandoc; README for the rest.
class UnplugPorts {
 public:
  UnplugPorts(DomainControl& control, UnplugHandler& unplug) noexcept
      : control_{control}, unplug_{unplug} {}

  [[nodiscard]] std::uint64_t read_fixed(IoAccess a) const noexcept;
  void write_fixed(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_bar(IoAccess a) const noexcept;
  void write_bar(IoAccess a, std::uint64_t value) noexcept;

  [[nodiscard]] const UnplugPortsState& state() const noexcept { return state_; }
  /// Unplugs again what was unplugged and locks again what was locked. A saved state holds only the
  /// request: it contains neither the absence of the devices nor Xen's memory types.
  void restore(const UnplugPortsState& s) noexcept;
  /// Number of writes that mean nothing.
  [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }

 private:
  void write_flags(std::uint8_t value) noexcept;
  void unplug(std::uint16_t mask) noexcept;
  void note_driver(std::uint32_t build) noexcept;

  DomainControl& control_;
  UnplugHandler& unplug_;
  UnplugPortsState state_;
  GuestLog guest_log_;
  log::Limit notes_;
  std::uint64_t ignored_ = 0;
};

}  // namespace dm::chipset
