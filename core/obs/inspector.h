// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dm {

/// Port to whoever wants to see what is in a device: a tree of named values. A device writes at the
/// top of the tree, beside the others: what is said under one name, or a row of a list that devices
/// of a kind share. Names are for people and for scripts: they stay as they are. May allocate; for
/// the management side. Thread rule: the loop's thread only.
class Inspector {
 public:
  Inspector() = default;
  Inspector(const Inspector&) = delete;
  Inspector& operator=(const Inspector&) = delete;
  virtual ~Inspector() = default;

  virtual void flag(std::string_view name, bool value) = 0;
  virtual void number(std::string_view name, std::uint64_t value) = 0;
  /// A number that people read in hexadecimal: addresses and data.
  virtual void hex(std::string_view name, std::uint64_t value) = 0;
  virtual void text(std::string_view name, std::string_view value) = 0;
  virtual void numbers(std::string_view name, std::span<const std::uint64_t> values) = 0;
  virtual void bytes(std::string_view name, std::span<const std::uint8_t> values) = 0;

  /// What is said during its life is said under a name of its own.
  class Part {
   public:
    Part(Inspector& to, std::string_view name) : to_{to} { to_.open(name); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part() { to_.close(); }

   private:
    Inspector& to_;
  };
  /// The same as one more row of a list.
  class Row {
   public:
    Row(Inspector& to, std::string_view list) : to_{to} { to_.open_row(list); }
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;
    ~Row() { to_.close(); }

   private:
    Inspector& to_;
  };

 private:
  virtual void open(std::string_view name) = 0;
  virtual void open_row(std::string_view list) = 0;
  virtual void close() noexcept = 0;
};

}  // namespace dm
