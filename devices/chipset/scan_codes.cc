// SPDX-License-Identifier: MIT
#include "devices/chipset/scan_codes.h"

namespace dm::chipset {

namespace {

constexpr std::uint8_t kPrefix = 0xe0;
constexpr std::uint8_t kPausePrefix = 0xe1;
constexpr std::uint8_t kBreak = 0xf0;     ///< sets 2 and 3: before the code
constexpr std::uint8_t kBreakBit = 0x80;  ///< set 1: in the code

using Table = std::array<std::uint8_t, 128>;

/// Set 1 to set 2. It is one table for keys with the prefix E0h and without.
// clang-format off
constexpr Table kSet2{
    0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,
    0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,
    0x0b, 0x02, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,
    0x72, 0x7a, 0x70, 0x71, 0x7f, 0x60, 0x61, 0x78, 0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f,
    0x47, 0x4f, 0x56, 0x5e, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x57, 0x6f,
    0x13, 0x19, 0x39, 0x51, 0x53, 0x5c, 0x5f, 0x62, 0x63, 0x64, 0x65, 0x67, 0x68, 0x6a, 0x6d, 0x6e,
};
/// Set 1 to set 3, keys without the prefix. 0: the set has no such key.
constexpr Table kSet3{
    0x00, 0x08, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x11, 0x1c, 0x1b,
    0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5c, 0x1a, 0x22, 0x21, 0x2a,
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7e, 0x19, 0x29, 0x14, 0x07, 0x0f, 0x17, 0x1f, 0x27,
    0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x76, 0x5f, 0x6c, 0x75, 0x7d, 0x84, 0x6b, 0x73, 0x74, 0x7c, 0x69,
    0x72, 0x7a, 0x70, 0x71, 0x00, 0x00, 0x13, 0x56, 0x5e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
// clang-format on

struct Pair {
  std::uint8_t code;
  std::uint8_t set3;
};
/// The same for keys with it.
constexpr Pair kExtendedSet3[] = {
    {0x1c, 0x79}, {0x1d, 0x58}, {0x35, 0x77}, {0x37, 0x57}, {0x38, 0x39},
    {0x46, 0x62}, {0x47, 0x6e}, {0x48, 0x63}, {0x49, 0x6f}, {0x4b, 0x61},
    {0x4d, 0x6a}, {0x4f, 0x65}, {0x50, 0x60}, {0x51, 0x6d}, {0x52, 0x67},
    {0x53, 0x64}, {0x5b, 0x8b}, {0x5c, 0x8c}, {0x5d, 0x8d},
};

constexpr std::uint8_t kF7 = 0x41;
constexpr std::uint8_t kSysRq = 0x54;

/// Two keys have codes of set 2 that are not in the table.
[[nodiscard]] constexpr std::uint8_t set2_of(std::uint8_t code) noexcept {
  return code == kF7 ? 0x83 : code == kSysRq ? 0x84 : kSet2.at(code & 0x7f);
}

[[nodiscard]] constexpr Table inverse(const Table& table) noexcept {
  Table result{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    result.at(table.at(i)) = static_cast<std::uint8_t>(i);
  }
  return result;
}
constexpr Table kSet1OfSet2 = inverse(kSet2);

[[nodiscard]] std::uint8_t set3_of(std::uint8_t code) noexcept {
  if ((code & kExtendedKey) == 0) {
    return kSet3.at(code);
  }
  for (const Pair& pair : kExtendedSet3) {
    if (pair.code == (code & 0x7f)) {
      return pair.set3;
    }
  }
  return 0;
}

/// One code of set 1 or 2, by its code of set 1.
void put(ScanSequence& to, std::uint8_t set, std::uint8_t code, bool extended, bool down) noexcept {
  if (extended) {
    to.add(kPrefix);
  }
  if (set == 1) {
    to.add(static_cast<std::uint8_t>(code | (down ? 0 : kBreakBit)));
    return;
  }
  if (!down) {
    to.add(kBreak);
  }
  to.add(set2_of(code));
}

/// Sends its break code at once, and nothing when it goes up. With Ctrl it is Break.
void put_pause(ScanSequence& to, std::uint8_t set, bool down, std::uint8_t modifiers) noexcept {
  constexpr std::uint8_t kCtrlCode = 0x1d;
  constexpr std::uint8_t kNumLockCode = 0x45;
  constexpr std::uint8_t kBreakCode = 0x46;
  if (!down) {
    return;
  }
  if ((modifiers & (kLeftCtrl | kRightCtrl)) != 0) {
    put(to, set, kBreakCode, true, true);
    put(to, set, kBreakCode, true, false);
    return;
  }
  for (const bool made : {true, false}) {
    to.add(kPausePrefix);
    put(to, set, kCtrlCode, false, made);
    put(to, set, kNumLockCode, false, made);
  }
}

/// With a Shift that nobody holds around it, but while Ctrl or Shift is held. With Alt it is SysRq.
void put_print(ScanSequence& to, std::uint8_t set, bool down, std::uint8_t modifiers) noexcept {
  constexpr std::uint8_t kShiftCode = 0x2a;
  constexpr std::uint8_t kPrintCode = 0x37;
  if ((modifiers & (kLeftAlt | kRightAlt)) != 0) {
    put(to, set, kSysRq, false, down);
    return;
  }
  const bool alone = (modifiers & (kLeftCtrl | kRightCtrl | kLeftShift | kRightShift)) == 0;
  if (alone && down) {
    put(to, set, kShiftCode, true, true);
  }
  put(to, set, kPrintCode, true, down);
  if (alone && !down) {
    put(to, set, kShiftCode, true, false);
  }
}

}  // namespace

std::uint8_t hold(std::uint8_t modifiers, std::uint8_t code, bool down) noexcept {
  constexpr struct {
    std::uint8_t code;
    Modifier modifier;
  } kKeys[] = {{0x2a, kLeftShift}, {0x36, kRightShift}, {0x1d, kLeftCtrl},
               {0x9d, kRightCtrl}, {0x38, kLeftAlt},    {0xb8, kRightAlt}};
  for (const auto& key : kKeys) {
    if (key.code == code) {
      return static_cast<std::uint8_t>(down ? modifiers | key.modifier
                                            : modifiers & ~unsigned{key.modifier});
    }
  }
  return modifiers;
}

ScanSequence scan_sequence(std::uint8_t set,
                           std::uint8_t code,
                           bool down,
                           std::uint8_t modifiers) noexcept {
  ScanSequence result;
  const std::uint8_t plain = code & 0x7f;
  if (plain == 0) {
    return result;
  }
  if (set == 3) {
    const std::uint8_t its = set3_of(code);
    if (its != 0 && !down) {
      result.add(kBreak);
    }
    if (its != 0) {
      result.add(its);
    }
  } else if (code == kPauseKey) {
    put_pause(result, set, down, modifiers);
  } else if (code == kPrintKey) {
    put_print(result, set, down, modifiers);
  } else {
    put(result, set, plain, (code & kExtendedKey) != 0, down);
  }
  return result;
}

bool translate_set2(std::uint8_t& byte, bool& release) noexcept {
  if (byte == kBreak) {
    release = true;
    return false;
  }
  const std::uint8_t from = byte;
  if (from < kSet1OfSet2.size()) {
    byte = kSet1OfSet2.at(from);
  } else if (from == set2_of(kF7)) {
    byte = kF7;
  } else if (from == set2_of(kSysRq)) {
    byte = kSysRq;
  } else {
    release = false;  // prefixes and answers pass as they are
    return true;
  }
  byte = static_cast<std::uint8_t>(byte | (release ? kBreakBit : 0));
  release = false;
  return true;
}

}  // namespace dm::chipset
