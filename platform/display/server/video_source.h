// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace dm::display {

/// Video memory, mapped once and for reading. The mapping follows the pages wherever the card puts
/// them. A page that is not there reads as zeros. Thread rule: any.
class VideoSource {
 public:
  /// Of a guest: through a handle that is bound to it, opened for this and closed again. `at` and
  /// `bytes` come from the worker and may be anything: only this guest's pages can be had.
  [[nodiscard]] static Result<VideoSource> of_guest(std::uint32_t domid,
                                                    std::uint64_t at,
                                                    std::uint64_t bytes);
  /// Of a file, for tests and benchmarks.
  [[nodiscard]] static Result<VideoSource> of_file(int file, std::uint64_t bytes);

  VideoSource(VideoSource&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}
  VideoSource& operator=(VideoSource&&) = delete;
  VideoSource(const VideoSource&) = delete;
  VideoSource& operator=(const VideoSource&) = delete;
  ~VideoSource();

  /// The guest writes it at any moment.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  explicit VideoSource(std::span<std::byte> bytes) noexcept : bytes_{bytes} {}
  std::span<std::byte> bytes_;  ///< mapped for reading
};

}  // namespace dm::display
