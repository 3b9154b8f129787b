// SPDX-License-Identifier: MIT
#pragma once

#include "core/time/work.h"
#include "platform/linux/chardev/chardev.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/unique_fd.h"

#include <string_view>

namespace dm::host {

/// `pipe:PATH` for a regular file: its bytes are input, once, from the beginning to the end; output
/// is dropped. libxl gives a stub domain the state to restore in this way. Thread rule: the loop's
/// thread only.
class FileSource final : public Chardev {
 public:
  FileSource(Loop& loop, UniqueFd file);

  void attach(CharClient* client) noexcept override;
  std::size_t write(std::span<const std::byte> bytes) noexcept override;
  std::size_t read(std::span<std::byte> to) noexcept override;
  void set_break(bool) noexcept override {}
  void set_line(std::uint32_t, std::uint8_t, std::uint8_t, char) noexcept override {}
  void set_outputs(bool, bool) noexcept override {}
  [[nodiscard]] std::string_view description() const noexcept override { return "pipe"; }
  [[nodiscard]] CharCounters counters() const noexcept override { return counters_; }

 private:
  bool tell() noexcept;

  UniqueFd file_;
  Work turn_;
  CharClient* client_ = nullptr;
  CharCounters counters_;
  bool ended_ = false;  ///< a PV console asks whenever its guest prints
};

}  // namespace dm::host
