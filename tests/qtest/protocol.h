// SPDX-License-Identifier: MIT
#pragma once

#include "tests/qtest/board.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::qtest {

/// QEMU's qtest protocol without its transport: a line in, lines out. Interrupt changes become
/// lines of their own when they happen, before the answer to what caused them. Every line is
/// answered; what cannot be done is answered FAIL with a reason, and changes nothing. Source: QEMU,
/// docs/devel/testing/qtest.rst and what libqtest sends. Thread rule: as Board.
class Protocol {
 public:
  /// Bytes that one command can move.
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  /// The longest line that a command can be: kMostBytes in hexadecimal, and the words before them.
  static constexpr std::size_t kMostLine = 2 * kMostBytes + 256;

  explicit Protocol(Board& board);
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;
  ~Protocol();

  /// Is the guest running? Its accesses fail while it is not. Empty: always.
  std::function<bool()> running{};

  /// Carries out one command; `line` is without its end.
  void execute(std::string_view line);
  /// What there is to send: whole lines.
  [[nodiscard]] std::string take_output();

 private:
  using Words = std::span<const std::string_view>;
  struct Command {
    std::string_view name;
    std::size_t arguments;  ///< words after the name, at least
    bool needs_guest;       ///< a running one
    void (Protocol::*run)(Words words);
    std::string_view usage;
  };
  static const Command kCommands[];

  void answer(std::string_view text);
  void ok(std::string_view value = {});
  void fail(std::string_view why);

  void port_in(Words words);
  void port_out(Words words);
  void read_value(Words words);
  void write_value(Words words);
  void read_bytes(Words words);
  void write_bytes(Words words);
  void fill_bytes(Words words);
  void read_base64(Words words);
  void write_base64(Words words);
  void intercept_in(Words words);
  void intercept_out(Words words);
  void clock_step(Words words);
  void clock_set(Words words);
  void endianness(Words words);
  void no_such_pin(Words words);
  void no_modules(Words words);

  /// ADDR and SIZE of a command that moves bytes; false: it is answered.
  struct Range {
    std::uint64_t address;
    std::size_t size;
  };
  /// ADDR and SIZE, or nothing when the answer was given.
  [[nodiscard]] std::optional<Range> range(Words words);
  /// The bytes of the guest there, or nothing when the answer was given.
  [[nodiscard]] std::optional<std::vector<std::byte>> load(Words words);
  void store(std::uint64_t address, std::span<const std::byte> bytes);
  void move_clock(std::uint64_t to);
  void pin_changed(std::size_t pin, bool level);
  void tell_pin(std::size_t pin, bool level);

  Board& board_;
  std::string output_;
  bool intercepts_ = false;
};

}  // namespace dm::qtest
