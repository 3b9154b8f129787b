// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/chardev.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::test {

/// The other end of the line, played by the test: types, stalls, hangs up, and remembers all it was
/// told.
class ScriptedChardev final : public CharBackend {
 public:
  struct Line {
    std::uint32_t baud;
    unsigned data_bits;
    unsigned stop_bits;
    char parity;
    friend bool operator==(const Line&, const Line&) = default;
  };

  // The test's side
  void type(std::string_view text) {
    input_ += text;
    client->on_readable();
  }
  /// Bytes there to be read that the device has not been told of yet.
  void type_silently(std::string_view text) { input_ += text; }
  /// How many more bytes write() takes; telling the device when it had been refused something.
  void set_room(std::size_t bytes) {
    room = bytes;
    if (refused && room != 0) {
      refused = false;
      client->on_writable();
    }
  }
  void send_break() { client->on_break(); }
  void set_lines(ModemLines levels) { client->on_lines(levels); }
  [[nodiscard]] std::string_view unread() const { return std::string_view{input_}.substr(read_); }

  CharClient* client = nullptr;
  std::size_t room = std::numeric_limits<std::size_t>::max();
  bool refused = false;
  std::string sent;
  std::uint64_t reads = 0;   ///< calls
  std::uint64_t writes = 0;  ///< calls
  std::vector<Line> lines;
  std::vector<bool> breaks;
  Output told_output;  ///< what output() says
  bool listening = true;
  bool each_state_anew = false;      ///< what begins_anew_with_each_state() says
  std::vector<std::string> outputs;  ///< "DTR RTS", "DTR -", "- RTS", "- -"

  // The device's side
  void attach(CharClient* who) noexcept override { client = who; }
  std::size_t write(std::span<const std::byte> bytes) noexcept override {
    ++writes;
    const std::size_t n = std::min(bytes.size(), room);
    for (const std::byte b : bytes.first(n)) {
      sent.push_back(static_cast<char>(b));
    }
    room -= n;
    refused = refused || n < bytes.size();
    return n;
  }
  std::size_t read(std::span<std::byte> to) noexcept override {
    ++reads;
    const std::size_t n = std::min(to.size(), input_.size() - read_);
    for (std::size_t i = 0; i < n; ++i) {
      to[i] = static_cast<std::byte>(input_[read_ + i]);
    }
    read_ += n;
    return n;
  }
  void set_break(bool on) noexcept override { breaks.push_back(on); }
  void set_line(std::uint32_t baud,
                std::uint8_t data_bits,
                std::uint8_t stop_bits,
                char parity) noexcept override {
    lines.push_back({baud, data_bits, stop_bits, parity});
  }
  void set_outputs(bool dtr, bool rts) noexcept override {
    outputs.push_back(std::string{dtr ? "DTR " : "- "} + (rts ? "RTS" : "-"));
  }
  void stop_listening() noexcept override { listening = false; }
  [[nodiscard]] Output output() const noexcept override { return told_output; }
  [[nodiscard]] std::string_view description() const noexcept override { return "scripted"; }
  [[nodiscard]] bool begins_anew_with_each_state() const noexcept override {
    return each_state_anew;
  }

 private:
  std::string input_;
  std::size_t read_ = 0;
};

/// A character device that the test keeps while a backend owns its handle.
class BorrowedChardev final : public CharBackend {
 public:
  BorrowedChardev(ScriptedChardev& real, std::string name) : real_{real}, name_{std::move(name)} {}
  void attach(CharClient* client) noexcept override { real_.attach(client); }
  std::size_t write(std::span<const std::byte> bytes) noexcept override {
    return real_.write(bytes);
  }
  std::size_t read(std::span<std::byte> to) noexcept override { return real_.read(to); }
  void set_break(bool) noexcept override {}
  void set_line(std::uint32_t, std::uint8_t, std::uint8_t, char) noexcept override {}
  void set_outputs(bool, bool) noexcept override {}
  [[nodiscard]] Output output() const noexcept override { return real_.output(); }
  [[nodiscard]] std::string_view description() const noexcept override { return name_; }
  [[nodiscard]] bool begins_anew_with_each_state() const noexcept override {
    return real_.begins_anew_with_each_state();
  }

 private:
  ScriptedChardev& real_;
  std::string name_;
};

}  // namespace dm::test
