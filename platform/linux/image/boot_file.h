// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/boot_file.h"
#include "core/result.h"
#include "platform/linux/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace dm::host {

/// A regular file, read through the page cache, which the kernel is asked to fill when it is
/// opened. Reading it may wait for the host's disk, as long as the file is not in the page cache.
/// Thread rule: the loop's thread only.
class HostBootFile final : public BootFile {
 public:
  /// `what` is for messages: "kernel". Fails when it cannot be opened, is no regular file, or has
  /// 4 GiB or more.
  [[nodiscard]] static Result<std::unique_ptr<HostBootFile>> open(std::string_view what,
                                                                  const std::string& path);

  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> to) noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return path_; }

 private:
  HostBootFile(UniqueFd file, std::uint64_t size, std::string path) noexcept
      : file_{std::move(file)}, size_{size}, path_{std::move(path)} {}

  UniqueFd file_;
  std::uint64_t size_;
  std::string path_;
  bool told_ = false;
};

}  // namespace dm::host
