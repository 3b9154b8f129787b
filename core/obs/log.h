// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace dm::log {

enum class Level : std::uint8_t { error, warning, info };

/// One line under construction, in a fixed buffer: what does not fit is cut. Numbers print in
/// decimal; wrap them in hex() for hexadecimal. What may not reach a terminal is printed as '?'
/// (core/text/printable.h): no guest and no file name gives orders to somebody's terminal.
class Line {
 public:
  static constexpr std::size_t kCapacity = 1000;

  void add(std::string_view text) noexcept;
  void add(const char* text) noexcept { add(std::string_view{text}); }
  void add(bool value) noexcept { add(value ? "yes" : "no"); }
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) void add(T value) noexcept {
    char digits[24];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
    add(std::string_view{std::begin(digits), static_cast<std::size_t>(end - std::begin(digits))});
  }
  struct Hex {
    std::uint64_t value;
  };
  void add(Hex number) noexcept {
    char digits[18] = "0x";
    const auto end = std::to_chars(std::begin(digits) + 2, std::end(digits), number.value, 16).ptr;
    add(std::string_view{std::begin(digits), static_cast<std::size_t>(end - std::begin(digits))});
  }
  [[nodiscard]] std::string_view text() const noexcept { return {std::begin(buffer_), size_}; }

 private:
  char buffer_[kCapacity];
  std::size_t size_ = 0;
};

[[nodiscard]] constexpr Line::Hex hex(std::uint64_t value) noexcept {
  return {value};
}

/// Where finished lines go: standard error (which libxl points at the domain's log file) until
/// changed.
using Sink = void (*)(Level, std::string_view line) noexcept;
void set_sink(Sink sink) noexcept;
/// Total bytes written before the log falls silent, with one last line that says so; 0 for no
/// limit. libxl proposes a budget in XEN_QEMU_CONSOLE_LIMIT so that a guest cannot fill dom0's disk
/// (XSA-180). Lines that pass a Limit have half of it at most, and the log says once when that is
/// used up: a guest that talks for days cannot silence others.
void set_budget(std::uint64_t bytes) noexcept;
void emit(Level level, const Line& line) noexcept;
/// The same for what a guest can cause.
void emit_limited(Level level, const Line& line) noexcept;

template <class... Parts>
void error(const Parts&... parts) noexcept {
  Line line;
  (line.add(parts), ...);
  emit(Level::error, line);
}
template <class... Parts>
void warning(const Parts&... parts) noexcept {
  Line line;
  (line.add(parts), ...);
  emit(Level::warning, line);
}
template <class... Parts>
void info(const Parts&... parts) noexcept {
  Line line;
  (line.add(parts), ...);
  emit(Level::info, line);
}

/// For whatever a guest can cause: at most `burst` lines, then one for every `refill` of real time;
/// what was held back is counted and told with the next line that passes.
class Limit {
 public:
  constexpr explicit Limit(std::uint32_t burst = 5,
                           std::uint64_t refill_ns = 10'000'000'000) noexcept
      : tokens_{burst}, burst_{burst}, refill_ns_{refill_ns} {}

  template <class... Parts>
  void error(const Parts&... parts) noexcept {
    say(Level::error, parts...);
  }
  template <class... Parts>
  void warning(const Parts&... parts) noexcept {
    say(Level::warning, parts...);
  }
  template <class... Parts>
  void info(const Parts&... parts) noexcept {
    say(Level::info, parts...);
  }
  [[nodiscard]] std::uint64_t suppressed() const noexcept { return suppressed_; }

 private:
  template <class... Parts>
  void say(Level level, const Parts&... parts) noexcept {
    std::uint64_t held = 0;
    if (!pass(held)) {
      return;
    }
    Line line;
    (line.add(parts), ...);
    if (held != 0) {
      line.add(" (");
      line.add(held);
      line.add(" like it not shown)");
    }
    emit_limited(level, line);
  }
  [[nodiscard]] bool pass(std::uint64_t& held) noexcept;

  std::uint32_t tokens_;
  std::uint32_t burst_;
  std::uint64_t refill_ns_;
  std::uint64_t last_ns_ = 0;
  std::uint64_t held_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace dm::log
