// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace dm::toolstack {

/// A regular file that is read here and there. Thread rule: one thread.
class SavedFile {
 public:
  /// Fails with one line, which names the file, when it cannot be opened or is not regular: a pipe
  /// has no places to go to.
  [[nodiscard]] static Result<SavedFile> open(const std::string& path);
  /// Of an open file of `size` bytes.
  SavedFile(host::UniqueFd fd, std::uint64_t size) noexcept;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Fills `to` from `offset` on. False when the file has not so much, or cannot be read.
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> to) const noexcept;

 private:
  host::UniqueFd fd_;
  std::uint64_t size_;
};

/// What a device model has saved: a part of a file.
struct DeviceModelPart {
  std::uint64_t offset = 0;  ///< bytes
  std::uint64_t length = 0;  ///< bytes; all of them are there
  bool in_stream = false;    ///< the file is a whole guest, and this a record in it
  /// The stream ends before its END record: xl restore would not take it.
  bool cut_behind = false;
};

/// Finds what the device model has saved, in a file that `xl save` wrote or in one that has nothing
/// else in it (/var/lib/xen/qemu-save.N). Every byte is hostile. Only the heads of records are
/// read, at most kMostRecords of them, so a large guest takes no longer. Fails with one line.
///
/// Sources: Xen 4.17, tools/xl/xl.h (struct save_file_header), docs/specs/libxl-migration-stream
/// .pandoc, docs/specs/libxc-migration-stream.pandoc.
[[nodiscard]] Result<DeviceModelPart> find_device_model(const SavedFile& file);
/// A guest of 1 TiB has some 300,000, of 4 MiB each.
inline constexpr unsigned kMostRecords = 1U << 24U;

}  // namespace dm::toolstack
