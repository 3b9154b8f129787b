// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "core/result.h"
#include "core/state/saved_header.h"
#include "platform/linux/chardev/chardev.h"
#include "platform/linux/unique_fd.h"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace dm::host {

/// The file that a stub domain's console 1 fills, /var/lib/xen/qemu-save.N: what libxl sends as the
/// state of the guest's devices. A console's file is opened once and grows with every save, but
/// libxl sends all of it, and after a save that failed it has removed it. So each state of stubdm
/// begins the file anew, by its path. Where that or a write fails, the file is removed: libxl then
/// finds none, the save fails, and the guest goes on.
///
/// What does not begin as a state of stubdm (a stub domain with QEMU) is written as it comes, as
/// into file:PATH, until the byte budget is used. Writes at once: when the console's ring is empty,
/// the file has it all. Thread rule: the loop's thread only. Source: libxl_dm.c, libxl_console.c.
class StateFile final : public Chardev {
 public:
  /// True for `file:PATH` where PATH is such a file.
  [[nodiscard]] static bool is_one(std::string_view spec) noexcept;
  /// Truncates the file, as QEMU does. The directory is kept open: the path has to lead there after
  /// the process has another root. The error says what is wrong.
  [[nodiscard]] static Result<std::unique_ptr<Chardev>> open(std::string_view spec,
                                                             const CharLimits& limits);

  void attach(CharClient*) noexcept override {}
  std::size_t write(std::span<const std::byte> bytes) noexcept override;
  std::size_t read(std::span<std::byte>) noexcept override { return 0; }
  void set_break(bool) noexcept override {}
  void set_line(std::uint32_t, std::uint8_t, std::uint8_t, char) noexcept override {}
  void set_outputs(bool, bool) noexcept override {}
  [[nodiscard]] std::string_view description() const noexcept override { return "file"; }
  [[nodiscard]] bool begins_anew_with_each_state() const noexcept override { return true; }
  [[nodiscard]] CharCounters counters() const noexcept override { return counters_; }

 private:
  StateFile(std::string name, UniqueFd directory, std::uint64_t budget);

  /// Opens the file empty, whatever has become of it.
  [[nodiscard]] bool begin() noexcept;
  std::size_t take_header(std::span<const std::byte> bytes) noexcept;
  void keep(std::span<const std::byte> bytes) noexcept;
  void give_up(std::string_view why) noexcept;

  const std::string name_;  ///< in the directory
  const UniqueFd directory_;
  const std::uint64_t budget_;  ///< bytes of what is no state of ours; 0: none
  UniqueFd file_;               ///< closed after an error, until the next state
  std::array<std::byte, state::kSavedHeader> header_{};
  std::size_t header_size_ = 0;
  std::size_t left_ = 0;    ///< bytes of the state that is coming
  bool foreign_ = false;    ///< no state of ours began: all is written as it comes
  std::uint64_t kept_ = 0;  ///< bytes of that
  CharCounters counters_;
  log::Limit log_{2};
};

}  // namespace dm::host
