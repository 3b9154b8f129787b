// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dm::nic {

inline constexpr std::size_t kEepromWords = 64;

/// A Microwire part in the middle of a conversation.
struct MicrowireState {
  std::array<std::uint16_t, kEepromWords> words{};
  std::uint32_t shift = 0;    ///< bits from the driver, since the start bit
  std::uint8_t bits = 0;      ///< how many
  std::uint8_t out_bits = 0;  ///< bits of `out` still to come
  std::uint16_t out = 0;
  std::uint8_t address = 0;  ///< of the word that goes out
  bool reading = false;
  bool write_enabled = false;
  bool data_out = true;  ///< DO
};

template <class Visitor>
void describe(Visitor& v, MicrowireState& s) {
  v.field(1, "words", s.words);
  v.field(2, "shift", s.shift);
  v.field(3, "bits", s.bits);
  v.field(4, "out_bits", s.out_bits);
  v.field(5, "out", s.out);
  v.field(6, "address", s.address);
  v.field(7, "reading", s.reading);
  v.field(8, "write_enabled", s.write_enabled);
  v.field(9, "data_out", s.data_out);
}

/// True when the part itself could be in this state.
[[nodiscard]] bool validate(const MicrowireState& s) noexcept;

/// The serial EEPROM 93C46, 64 words of 16 bits, seen from its wires: chip select, clock, data in,
/// data out. Drivers read all words bit by bit, in thousands of accesses, so each wire change takes
/// only a few operations. What software writes stays until the card goes. Thread rule: the loop's
/// thread only. Source: the 93C46's datasheet, instruction set.
class Microwire {
 public:
  /// What follows the last bit of a word that is read, while the part stays selected.
  enum class AfterWord : std::uint8_t {
    next_word,        ///< as the datasheet has it
    new_instruction,  ///< FreeBSD's driver of the 8139 gives the next one without a pause
  };
  Microwire(MicrowireState& state, AfterWord after) noexcept : s_{state}, after_{after} {}

  /// Chip select changed: its rise starts a conversation, and its fall the writing of a word.
  void select(bool on) noexcept;
  /// The clock rose while the part was selected.
  void clock(bool data_in) noexcept;

 private:
  void next_bit() noexcept;
  void instruction() noexcept;

  MicrowireState& s_;
  AfterWord after_;
};

}  // namespace dm::nic
