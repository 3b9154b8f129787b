// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/io_handler.h"
#include "core/irq/irq_line.h"
#include "core/ports/domain_control.h"
#include "devices/chipset/cmos.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace dm::chipset {

struct AcpiBlockState {
  static constexpr std::size_t kCpuBytes = 32;

  std::uint16_t pmcntrl = 0;
  std::uint8_t apmc = 0;
  std::uint8_t apms = 0;
  std::uint16_t gpe_status = 0;
  std::uint16_t gpe_enable = 0;
  std::array<std::uint8_t, kCpuBytes> cpus{};  ///< bit n: vCPU n is there
};
static_assert(sizeof(AcpiBlockState) == 40);  // a new member: describe it, validate it

template <class Visitor>
void describe(Visitor& v, AcpiBlockState& s) {
  v.field(1, "pmcntrl", s.pmcntrl);
  v.field(2, "apmc", s.apmc);
  v.field(3, "apms", s.apms);
  v.field(4, "gpe_status", s.gpe_status);
  v.field(5, "gpe_enable", s.gpe_enable);
  v.field(6, "cpus", s.cpus);
}
[[nodiscard]] bool validate(const AcpiBlockState& s) noexcept;
/// How many vCPUs a machine must have that can go on from this state.
[[nodiscard]] unsigned vcpus_needed(const AcpiBlockState& s) noexcept;

/// The registers behind Xen's ACPI tables for which the device model answers: PM1a_CNT, the APM
/// ports that switch ACPI on, general purpose events, and what the DSDT's hotplug methods read.
/// This class knows no port number.
///
/// The SCI is high while an enabled event is pending. Xen drives the same interrupt for PM1 events
/// and may lower it without telling us, because it keeps one level for both. So while an event is
/// pending, the SCI is asserted again at each new event and each write to the general purpose
/// events. Thread rule: the loop's thread only. Sources: ACPI 2.0, 4.7.3 and 4.7.4; Xen
/// tools/libacpi.
class AcpiBlock {
 public:
  /// vCPUs 0 to vcpus_online-1 are online. On S3, `cmos` gets the mark by which firmware knows a
  /// resume.
  AcpiBlock(IrqLine sci,
            DomainControl& control,
            CmosRam& cmos,
            unsigned vcpus_online,
            unsigned vcpus_max) noexcept;

  [[nodiscard]] std::uint64_t read_pm1_control(IoAccess a) const noexcept;
  void write_pm1_control(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_apm(IoAccess a) const noexcept;
  void write_apm(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_gpe(IoAccess a) const noexcept;
  void write_gpe(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_pci_hotplug(IoAccess a) noexcept;
  [[nodiscard]] std::uint64_t read_cpus(IoAccess a) const noexcept;
  void write_nothing(IoAccess a, std::uint64_t value) noexcept;

  /// Adds a vCPU: sets its bit and raises the CPU hotplug event. False when it is online already,
  /// or when `index` is not below vcpus_max. Management calls this, not the guest.
  bool plug_vcpu(unsigned index) noexcept;
  [[nodiscard]] bool vcpu_online(unsigned index) const noexcept;
  [[nodiscard]] unsigned vcpus_online() const noexcept;

  /// Power-on values, except for the vCPUs: those that are online stay online.
  void reset() noexcept;
  [[nodiscard]] const AcpiBlockState& state() const noexcept { return state_; }
  void restore(const AcpiBlockState& s) noexcept;

 private:
  void enter_sleep() noexcept;
  void update_sci() noexcept;

  IrqLine sci_;
  DomainControl& control_;
  CmosRam& cmos_;
  unsigned vcpus_max_;
  AcpiBlockState state_;
};

}  // namespace dm::chipset
