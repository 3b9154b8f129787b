// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dm::chipset {

/// A disk's physical geometry, as its IDENTIFY data says.
struct DiskGeometry {
  std::uint16_t cylinders = 0;
  std::uint8_t heads = 0;
  std::uint8_t sectors = 0;
};

/// The first contents, as far as the machine's owner decides them.
struct CmosPresets {
  /// Letters as in libxl's -boot order=: a floppy, c disk, d CD-ROM, n network. Other letters are
  /// skipped; the first three count.
  std::string_view boot_order = "cda";
  /// Makes firmware require a boot signature on floppies.
  bool check_floppy_signature = false;
  /// By IDE position: channel 0 master, slave, channel 1 master, slave. Hard disks only.
  std::array<std::optional<DiskGeometry>, 4> disks{};
};

struct CmosState {
  static constexpr std::uint8_t kFirst =
      0x0e;  ///< below are the clock's registers, which are Xen's
  static constexpr std::size_t kSize = 0x80 - kFirst;

  std::array<std::uint8_t, kSize> bytes{};
  std::uint8_t index = 0;
};
static_assert(sizeof(CmosState) == 115);  // a new member: describe it, validate it

template <class Visitor>
void describe(Visitor& v, CmosState& s) {
  v.field(1, "bytes", s.bytes);
  v.field(2, "index", s.index);
}
[[nodiscard]] bool validate(const CmosState& s) noexcept;

/// Bytes 0x0E-0x7F of the battery-backed memory beside the clock. The settings that firmware reads
/// are set here; hvmloader writes the memory sizes itself. Thread rule: the loop's thread only.
/// Sources: IBM AT BIOS layout, SeaBIOS src/hw/rtc.h, README.
class CmosRam {
 public:
  explicit CmosRam(const CmosPresets& presets) noexcept;

  /// Selects a byte. Bit 7 masks NMI on a PC and is not part of the index.
  void select(std::uint8_t index) noexcept;
  [[nodiscard]] std::uint8_t read() const noexcept;
  void write(std::uint8_t value) noexcept;

  /// Writes the code that makes SeaBIOS, after a reset, wake the system instead of booting it.
  void mark_suspend_to_ram() noexcept;

  [[nodiscard]] const CmosState& state() const noexcept { return state_; }
  void restore(const CmosState& s) noexcept { state_ = s; }

 private:
  [[nodiscard]] std::uint8_t& at(std::uint8_t index) noexcept {
    return state_.bytes[index - CmosState::kFirst];
  }
  void preset_boot_order(std::string_view order, bool check_floppy_signature) noexcept;
  void preset_disk(unsigned position, const DiskGeometry& geometry) noexcept;

  CmosState state_;
};

}  // namespace dm::chipset
