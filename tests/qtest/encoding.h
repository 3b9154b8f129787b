// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// How the qtest protocol writes numbers and bytes.
namespace dm::qtest {

/// As strtoull() with base 0 takes it: decimal, 0x..., or octal after a 0. Nothing else around it.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text) noexcept;

/// Two digits a byte, without a prefix.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);
/// "0x" and digits, `size` bytes of them; what is missing at the end is zero, what is too much is
/// cut. None when something is not a digit.
[[nodiscard]] std::optional<std::vector<std::byte>> from_hex(std::string_view text,
                                                             std::size_t size);

/// RFC 4648, with padding.
[[nodiscard]] std::string to_base64(std::span<const std::byte> bytes);
[[nodiscard]] std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace dm::qtest
