// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/inspector.h"
#include "core/state/describe.h"
#include "devices/nic/microwire.h"
#include "devices/rtl8139/regs.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// Everything of a card that its guest can find out, as plain aggregates: what is saved, loaded and
/// hashed. The link is computed again.
namespace dm::rtl8139 {

/// The registers, as they lie at their offsets. What a register shows that has a handler for reads
/// is not all in here.
struct RegisterFile {
  RegisterBytes bytes = regs::List::kReset;

  template <class R>
  [[nodiscard]] typename R::Value get(std::size_t index = 0) const noexcept {
    typename R::Value value = 0;
    std::memcpy(&value, &bytes[R::kOffset + index * R::kSize], sizeof value);
    return value;
  }
  template <class R>
  void set(std::uint32_t value, std::size_t index = 0) noexcept {
    const auto stored = static_cast<typename R::Value>(value);
    std::memcpy(&bytes[R::kOffset + index * R::kSize], &stored, sizeof stored);
  }
  /// `test<CR, CR::RE>()`
  template <class R, class F>
  [[nodiscard]] bool test() const noexcept {
    return F::test(get<R>());
  }
  /// Puts what software may write of a register into its place.
  void merge(std::size_t first, const Written& w) noexcept {
    for (std::size_t i = 0; i < 4 && w.lanes >> (8 * i) != 0; ++i) {
      const auto lane = static_cast<std::uint8_t>(w.lanes >> (8 * i));
      const auto mask = static_cast<std::uint8_t>(regs::List::kTables.writable[first + i] & lane);
      std::uint8_t& byte = bytes[first + i];
      byte = static_cast<std::uint8_t>((byte & ~mask) |
                                       (static_cast<std::uint8_t>(w.value >> (8 * i)) & mask));
    }
  }
};

/// Descriptors of a ring of C+ mode at most: behind them it begins anew.
inline constexpr std::size_t kRing = 64;
inline constexpr std::size_t kClassicDescriptors = 4;
/// A packet of C+ mode, all its descriptors.
inline constexpr std::uint32_t kMaxPacket = 65536;

/// What DTCCR copies out. Counters of what a cable without errors never has are not kept.
struct Tally {
  std::uint64_t tx_ok = 0;
  std::uint64_t rx_ok = 0;
  std::uint64_t tx_error = 0;
  std::uint64_t rx_unicast = 0;
  std::uint64_t rx_broadcast = 0;
  std::uint32_t rx_multicast = 0;
  std::uint16_t missed = 0;
};

struct CardState {
  std::array<std::uint8_t, 256> config{};
  RegisterFile file;
  nic::MicrowireState eeprom;
  Tally tally;
  std::uint8_t tx_index = 0;  ///< C+ mode
  std::uint8_t rx_index = 0;
  std::uint8_t classic_index = 0;    ///< C mode: whose turn it is
  std::uint8_t classic_pending = 0;  ///< C mode: descriptors that the driver has handed over
  /// Payload bytes that have gone of the packet at tx_index, which the host cuts in several parts.
  std::uint32_t tx_sent = 0;
  std::uint64_t timer_elapsed = 0;  ///< ns since TCTR was 0; brought up to date by pause()
  std::uint64_t timer_seen = 0;     ///< of these, how far matches of TimerInt have been looked for
  bool mode_written = false;        ///< CpCR, since the last reset
  bool link_was_down = false;       ///< BMSR's link bit latches low until read
  bool link_changed = false;        ///< CSCR's bit, until read
  bool stalled = false;             ///< RDU was said of this stall
};

template <class Visitor>
void describe(Visitor& v, Tally& s) {
  v.field(1, "tx_ok", s.tx_ok);
  v.field(2, "rx_ok", s.rx_ok);
  v.field(3, "tx_error", s.tx_error);
  v.field(4, "rx_unicast", s.rx_unicast);
  v.field(5, "rx_broadcast", s.rx_broadcast);
  v.field(6, "rx_multicast", s.rx_multicast);
  v.field(7, "missed", s.missed);
}

template <class Visitor>
void describe(Visitor& v, CardState& s) {
  v.field(1, "config", s.config);
  v.field(2, "registers", s.file.bytes);
  v.field(3, "eeprom", s.eeprom);
  v.field(4, "tally", s.tally);
  v.field(5, "tx_index", s.tx_index);
  v.field(6, "rx_index", s.rx_index);
  v.field(7, "classic_index", s.classic_index);
  v.field(8, "classic_pending", s.classic_pending);
  v.field(9, "tx_sent", s.tx_sent);
  v.field(10, "timer_elapsed", s.timer_elapsed);
  v.field(11, "timer_seen", s.timer_seen);
  v.field(12, "mode_written", s.mode_written);
  v.field(13, "link_was_down", s.link_was_down);
  v.field(14, "link_changed", s.link_changed);
  v.field(15, "stalled", s.stalled);
}

/// True when every number is one that the card itself could have produced, so that no index, count
/// or length in it can lead out of an array.
[[nodiscard]] bool validate(const CardState& s) noexcept;

/// All registers by their names, but for those of an array that are zero. Allocates.
void show_registers(const RegisterFile& file, Inspector& to);

}  // namespace dm::rtl8139
