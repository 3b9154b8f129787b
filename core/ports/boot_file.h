// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dm {

/// A file of the host that a guest is started from: its kernel, its initial ramdisk. Read only, and
/// open as long as the guest lives. Thread rule: the loop's thread only.
class BootFile {
 public:
  BootFile() = default;
  BootFile(const BootFile&) = delete;
  BootFile& operator=(const BootFile&) = delete;
  virtual ~BootFile() = default;

  /// Bytes, as they were when the file was opened.
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
  /// Fills `to` from `offset` on. False when not all of it could be had, as of a file that has
  /// become shorter.
  [[nodiscard]] virtual bool read(std::uint64_t offset, std::span<std::byte> to) noexcept = 0;
  /// For messages: its path.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

}  // namespace dm
