// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "core/text/number.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace dm::toolstack {

/// How to split the argument of one option at its commas: "id=net0,ifname=vif7.0-emu,script=no".
struct KeyRules {
  std::span<const std::string_view> known{};
  std::string_view positional{};  ///< the name of a first value without a key: "e1000,id=nic0"
  /// The key whose value may hold commas. libxl escapes no comma, so a piece that does not start
  /// with a known key belongs to this value: a file may be called "/a,b". A path that holds
  /// ",KNOWN=" cannot be told from a new key. If that makes a key appear twice, the argument is
  /// refused, not guessed at.
  std::string_view open_ended{};
  bool any_key = false;  ///< keys outside `known` are kept instead of being refused
};

/// The pieces of one argument. They are views into the argument, which must outlive them.
class KeyValues {
 public:
  [[nodiscard]] static Result<KeyValues> split(std::string_view text, const KeyRules& rules);

  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const noexcept;
  /// Empty when the key is not there.
  [[nodiscard]] std::string_view get(std::string_view key) const noexcept {
    return find(key).value_or(std::string_view{});
  }

 private:
  struct Pair {
    std::string_view key;
    std::string_view value;
  };
  std::vector<Pair> pairs_;
};

/// "00:16:3e:aa:bb:cc", and nothing else.
[[nodiscard]] std::optional<std::array<std::uint8_t, 6>> parse_mac(std::string_view text) noexcept;

}  // namespace dm::toolstack
