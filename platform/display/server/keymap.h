// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace dm::display {

/// Which key makes a symbol, for viewers that send symbols (X11 keysyms) and no scan codes. Read
/// once, from xkeyboard-config by libxkbcommon, before the display gives up the file system. Thread
/// rule: any.
class Keymap {
 public:
  struct Key {
    std::uint8_t code = 0;  ///< scan code of set 1, bit 7 for the prefix E0h
    bool shift = false;     ///< only together with Shift
    bool third = false;     ///< only together with AltGr
    bool letter = false;    ///< Caps Lock and Shift both change it
  };

  /// `layout`: as in xl.cfg's keymap, "de", "en-us", "pt-br". Fails when there is no such layout.
  [[nodiscard]] static Result<Keymap> load(const std::string& layout);

  [[nodiscard]] std::optional<Key> find(std::uint32_t symbol) const;
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

 private:
  std::unordered_map<std::uint32_t, Key> keys_;
};

/// The scan code of a Linux key code (linux/input-event-codes.h), or 0: a PC keyboard has no such
/// key.
[[nodiscard]] std::uint8_t scan_code(std::uint32_t linux_code) noexcept;

}  // namespace dm::display
