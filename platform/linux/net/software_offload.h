// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/net/segment.h"

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::host {

/// Does the offloads for a descriptor without virtio_net_hdr: it inserts the checksum and cuts a
/// large TCP frame. Headers are made in a private copy; payload stays where it is. No allocation.
/// Thread rule: one thread.
class SoftwareOffload {
 public:
  static constexpr std::size_t kMaxHeader = 256;
  static constexpr std::size_t kMaxParts = 302;

  /// `frame` must stay valid as long as this object.
  SoftwareOffload(const NetOffload& offload, std::span<const std::span<std::byte>> frame) noexcept;

  /// False: its headers are not what `offload` says, or it would make more than
  /// bounds::kSegmentsPerSend frames. There is nothing to send.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool done() const noexcept { return sent_ >= payload_ && started_; }
  /// The next frame, ready to send; valid until the call after.
  [[nodiscard]] std::span<iovec> next() noexcept;

 private:
  [[nodiscard]] bool read_headers() noexcept;
  void make_segment(std::uint32_t bytes) noexcept;
  void complete(std::uint64_t payload) noexcept;
  [[nodiscard]] std::size_t slice(std::size_t from, std::size_t bytes) noexcept;

  const NetOffload offload_;
  std::span<const std::span<std::byte>> frame_;
  std::array<std::byte, kMaxHeader> original_{};
  std::array<std::byte, kMaxHeader> header_{};
  std::array<iovec, kMaxParts> parts_{};
  std::size_t size_ = 0;       ///< of the frame
  std::size_t headers_ = 0;    ///< bytes that are copied
  inet::HeaderPlaces places_;  ///< of a frame to be cut
  std::size_t payload_ = 0;
  std::size_t sent_ = 0;  ///< of the payload
  bool started_ = false;
  bool ok_ = false;
};

}  // namespace dm::host
