// SPDX-License-Identifier: MIT
#include "devices/chipset/acpi_block.h"

#include "devices/chipset/byte_io.h"
#include "devices/chipset/piix4_regs.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace dm::chipset {

using piix4::GPE0;
using piix4::PMCNTRL;

namespace {

constexpr unsigned kBits = 8;
constexpr unsigned kMostVcpus = AcpiBlockState::kCpuBytes * kBits;

constexpr std::uint8_t cpu_bit(unsigned index) noexcept {
  return static_cast<std::uint8_t>(1U << index % kBits);
}

/// `word` with the bytes of an access replaced: what an 8-, 16- or 32-bit write at `a.offset` makes
/// of it.
constexpr std::uint32_t merge(std::uint32_t word, IoAccess a, std::uint64_t value) noexcept {
  const std::uint64_t mask = all_ones(a.size) << (kBits * a.offset);
  return static_cast<std::uint32_t>((word & ~mask) | (value << (kBits * a.offset) & mask));
}

}  // namespace

bool validate(const AcpiBlockState& s) noexcept {
  return (s.pmcntrl & ~PMCNTRL::Kept::kWritable) == 0;
}

unsigned vcpus_needed(const AcpiBlockState& s) noexcept {
  unsigned needed = 0;
  for (unsigned i = 0; i < kMostVcpus; ++i) {
    needed = (s.cpus[i / kBits] & cpu_bit(i)) != 0 ? i + 1 : needed;
  }
  return needed;
}

AcpiBlock::AcpiBlock(IrqLine sci,
                     DomainControl& control,
                     CmosRam& cmos,
                     unsigned vcpus_online,
                     unsigned vcpus_max) noexcept
    : sci_{std::move(sci)},
      control_{control},
      cmos_{cmos},
      vcpus_max_{std::min(vcpus_max, kMostVcpus)} {
  for (unsigned i = 0; i < std::min(vcpus_online, vcpus_max_); ++i) {
    state_.cpus[i / kBits] |= cpu_bit(i);
  }
}

void AcpiBlock::reset() noexcept {
  restore({.cpus = state_.cpus});
}

void AcpiBlock::restore(const AcpiBlockState& s) noexcept {
  state_ = s;
  update_sci();
}

std::uint64_t AcpiBlock::read_pm1_control(IoAccess a) const noexcept {
  return std::uint64_t{state_.pmcntrl} >> (kBits * a.offset);
}

void AcpiBlock::write_pm1_control(IoAccess a, std::uint64_t value) noexcept {
  const auto written = merge(state_.pmcntrl, a, value);
  state_.pmcntrl = static_cast<std::uint16_t>(written & PMCNTRL::Kept::kWritable);
  if (PMCNTRL::SUS_EN::test(written)) {
    enter_sleep();
  }
}

void AcpiBlock::enter_sleep() noexcept {
  switch (PMCNTRL::SUS_TYP::get(state_.pmcntrl)) {
    case PMCNTRL::kSoftOff:
      control_.shutdown(ShutdownReason::poweroff);
      break;
    case PMCNTRL::kSuspendToRam:
      cmos_.mark_suspend_to_ram();
      control_.suspend_to_ram();
      break;
    default:
      break;  // states that the DSDT does not offer
  }
}

std::uint64_t AcpiBlock::read_apm(IoAccess a) const noexcept {
  return read_bytes(
      a, [this](std::uint64_t at) noexcept { return at == 0 ? state_.apmc : state_.apms; });
}

void AcpiBlock::write_apm(IoAccess a, std::uint64_t value) noexcept {
  write_bytes(a, value, [this](std::uint64_t at, std::uint8_t byte) noexcept {
    if (at != 0) {
      state_.apms = byte;
      return;
    }
    state_.apmc = byte;
    // What SMM code would do: hvmloader gives up when SCI_EN does not follow.
    if (byte == piix4::kAcpiEnable || byte == piix4::kAcpiDisable) {
      state_.pmcntrl = PMCNTRL::SCI_EN::with(state_.pmcntrl, byte == piix4::kAcpiEnable ? 1 : 0);
    }
  });
}

std::uint64_t AcpiBlock::read_gpe(IoAccess a) const noexcept {
  const std::uint32_t block = state_.gpe_status | std::uint32_t{state_.gpe_enable} << GPE0::EN::kLo;
  return block >> (kBits * a.offset);
}

void AcpiBlock::write_gpe(IoAccess a, std::uint64_t value) noexcept {
  const std::uint32_t cleared = GPE0::STS::get(merge(0, a, value));
  const std::uint32_t enables =
      merge(GPE0::EN::with(std::uint32_t{0}, state_.gpe_enable), a, value);
  state_.gpe_status = static_cast<std::uint16_t>(state_.gpe_status & ~cleared);
  state_.gpe_enable = static_cast<std::uint16_t>(GPE0::EN::get(enables));
  update_sci();
}

/// No slot is ever added, ejected or removable.
// NOLINTNEXTLINE(readability-convert-member-functions-to-static): a handler is a member
std::uint64_t AcpiBlock::read_pci_hotplug(IoAccess /*a*/) noexcept {
  return 0;
}

std::uint64_t AcpiBlock::read_cpus(IoAccess a) const noexcept {
  return read_bytes(a, [this](std::uint64_t at) noexcept {
    return at < state_.cpus.size() ? state_.cpus[at] : std::uint8_t{0};
  });
}

void AcpiBlock::write_nothing(IoAccess /*a*/, std::uint64_t /*value*/) noexcept {}

bool AcpiBlock::plug_vcpu(unsigned index) noexcept {
  if (index >= vcpus_max_ || (state_.cpus[index / kBits] & cpu_bit(index)) != 0) {
    return false;
  }
  state_.cpus[index / kBits] |= cpu_bit(index);
  state_.gpe_status |= GPE0::kCpuHotplug;
  update_sci();
  return true;
}

bool AcpiBlock::vcpu_online(unsigned index) const noexcept {
  return index < kMostVcpus && (state_.cpus[index / kBits] & cpu_bit(index)) != 0;
}

unsigned AcpiBlock::vcpus_online() const noexcept {
  unsigned count = 0;
  for (const std::uint8_t byte : state_.cpus) {
    count += static_cast<unsigned>(std::popcount(byte));
  }
  return count;
}

void AcpiBlock::update_sci() noexcept {
  const bool standing = (state_.gpe_status & state_.gpe_enable) != 0;
  // QUIRK(Xen): its PM1 code may have lowered the line; a change makes it look again.
  if (standing && sci_.level()) {
    sci_.set(false);
  }
  sci_.set(standing);
}

}  // namespace dm::chipset
