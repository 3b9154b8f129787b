// SPDX-License-Identifier: MIT
#include "devices/chipset/cmos_ram.h"

namespace dm::chipset {

namespace {

constexpr std::uint8_t kIndexMask = 0x7f;

// Byte numbers, as IBM's AT BIOS and SeaBIOS use them.
constexpr std::uint8_t kShutdownCode = 0x0f;
constexpr std::uint8_t kDiskTypes =
    0x12;  // high nibble: disk 0, low: disk 1; 0Fh: see the extended type
constexpr std::uint8_t kEquipment = 0x14;
constexpr std::uint8_t kExtendedType = 0x19;  // and 1Ah
constexpr std::uint8_t kUserDisk = 0x1b;      // two records of nine bytes: type 47, "user defined"
constexpr std::uint8_t kUserDiskSize = 9;
constexpr std::uint8_t kCentury = 0x32;
constexpr std::uint8_t kBootFlags =
    0x38;  // bits 7:4 third boot device, bit 0: no floppy signature check
constexpr std::uint8_t kTranslation = 0x39;  // two bits for each disk
constexpr std::uint8_t kBootOrder = 0x3d;    // bits 3:0 first boot device, 7:4 second

constexpr std::uint8_t kEquipmentFpu = 0x02;
constexpr std::uint8_t kEquipmentMouse = 0x04;
constexpr std::uint8_t kUserType = 47;
constexpr std::uint8_t kSuspendToRam = 0xfe;

/// SeaBIOS's boot device numbers; 0: no such letter.
constexpr std::uint8_t boot_device(char letter) noexcept {
  switch (letter) {
    case 'a':
      return 1;
    case 'c':
      return 2;
    case 'd':
      return 3;
    case 'n':
      return 4;
    default:
      return 0;
  }
}

/// INT 13h has 10 bits for the cylinder; larger disks need to be addressed by block number.
constexpr std::uint8_t translation(const DiskGeometry& g) noexcept {
  constexpr std::uint8_t kNone = 0;
  constexpr std::uint8_t kLba = 1;
  return g.cylinders <= 1024 && g.heads <= 16 && g.sectors <= 63 ? kNone : kLba;
}

}  // namespace

bool validate(const CmosState& s) noexcept {
  return s.index <= kIndexMask;
}

CmosRam::CmosRam(const CmosPresets& presets) noexcept {
  at(kEquipment) = kEquipmentFpu | kEquipmentMouse;
  at(kCentury) = 0x20;  // BCD; the year is in Xen's part
  preset_boot_order(presets.boot_order, presets.check_floppy_signature);
  for (unsigned position = 0; position < presets.disks.size(); ++position) {
    if (const auto& geometry = presets.disks[position]; geometry) {
      preset_disk(position, *geometry);
    }
  }
}

void CmosRam::preset_boot_order(std::string_view order, bool check_floppy_signature) noexcept {
  unsigned devices = 0;
  unsigned place = 0;
  for (const char letter : order) {
    const std::uint8_t device = boot_device(letter);
    if (device != 0 && place < 3) {
      devices |= unsigned{device} << (4 * place++);
    }
  }
  at(kBootOrder) = static_cast<std::uint8_t>(devices);
  at(kBootFlags) =
      static_cast<std::uint8_t>((devices >> 8) << 4 | (check_floppy_signature ? 0U : 1U));
}

void CmosRam::preset_disk(unsigned position, const DiskGeometry& g) noexcept {
  at(kTranslation) |= static_cast<std::uint8_t>(translation(g) << (2 * position));
  if (position > 1) {
    return;  // the AT knew two disks
  }
  at(kDiskTypes) |= position == 0 ? 0xf0 : 0x0f;
  at(static_cast<std::uint8_t>(kExtendedType + position)) = kUserType;
  const auto low = static_cast<std::uint8_t>(g.cylinders);
  const auto high = static_cast<std::uint8_t>(g.cylinders >> 8);
  const auto control = static_cast<std::uint8_t>(0xc0U | (g.heads > 8 ? 0x08U : 0U));
  // Cylinders, heads, write precompensation (none), control byte, landing zone, sectors.
  const std::array<std::uint8_t, kUserDiskSize> record{low,     high, g.heads, 0xff,     0xff,
                                                       control, low,  high,    g.sectors};
  for (unsigned i = 0; i < record.size(); ++i) {
    at(static_cast<std::uint8_t>(kUserDisk + position * kUserDiskSize + i)) = record[i];
  }
}

void CmosRam::select(std::uint8_t index) noexcept {
  state_.index = index & kIndexMask;
}

std::uint8_t CmosRam::read() const noexcept {
  const std::uint8_t index = state_.index & kIndexMask;
  return index < CmosState::kFirst ? 0xff : state_.bytes[index - CmosState::kFirst];
}

void CmosRam::write(std::uint8_t value) noexcept {
  if (const std::uint8_t index = state_.index & kIndexMask; index >= CmosState::kFirst) {
    at(index) = value;
  }
}

void CmosRam::mark_suspend_to_ram() noexcept {
  at(kShutdownCode) = kSuspendToRam;
}

}  // namespace dm::chipset
