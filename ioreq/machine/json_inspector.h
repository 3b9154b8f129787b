// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/inspector.h"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm {

/// What devices report, as JSON. Bytes become one string of hexadecimal digits, which is cut when
/// it is too long to read.
class JsonInspector final : public Inspector {
 public:
  static constexpr std::size_t kMaxBytes = 256;
  static constexpr std::size_t kAllBytes = SIZE_MAX;

  /// Writes into `top`, which outlives this object. A name that has a value already gets the new
  /// one. `max_bytes`: how many bytes of one value are shown.
  explicit JsonInspector(boost::json::object& top, std::size_t max_bytes = kMaxBytes)
      : inside_{&top}, max_bytes_{max_bytes} {}

  void flag(std::string_view name, bool value) override;
  void number(std::string_view name, std::uint64_t value) override;
  void hex(std::string_view name, std::uint64_t value) override;
  void text(std::string_view name, std::string_view value) override;
  void numbers(std::string_view name, std::span<const std::uint64_t> values) override;
  void bytes(std::string_view name, std::span<const std::uint8_t> values) override;

  /// As hex() and bytes() write them.
  [[nodiscard]] static std::string hex(std::uint64_t value);
  [[nodiscard]] static std::string hex(std::span<const std::uint8_t> bytes,
                                       std::size_t max_bytes = kMaxBytes);

 private:
  void open(std::string_view name) override;
  void open_row(std::string_view list) override;
  void close() noexcept override;

  /// Where values go is last. An object stays where it is while one inside it is written.
  std::vector<boost::json::object*> inside_;
  std::size_t max_bytes_;
};

}  // namespace dm
