// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::host {

/// The ones' complement sum of the Internet protocols (RFC 1071), over bytes in pieces of any
/// length.
class InternetSum {
 public:
  void add(std::span<const std::byte> bytes) noexcept;
  void add_word(std::uint16_t value) noexcept { sum_ += value; }
  /// As it stands in a packet: big-endian, complemented.
  [[nodiscard]] std::uint16_t complement() const noexcept;

 private:
  std::uint64_t sum_ = 0;
  bool odd_ = false;  ///< the next byte is the low half of a word
};

/// Does by itself what a descriptor without virtio_net_hdr cannot be asked for: puts in the
/// checksum, cuts a large TCP frame. Headers are made in a private copy, payload is referred to
/// where it lies. No allocation.
class SoftwareOffload {
 public:
  static constexpr std::size_t kMaxHeader = 256;
  static constexpr std::size_t kMaxParts = 302;

  /// `frame` stays valid while this lives.
  SoftwareOffload(const NetOffload& offload, std::span<const std::span<std::byte>> frame) noexcept;

  /// False: its headers are not what `offload` says, there is nothing to send.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool done() const noexcept { return sent_ >= payload_ && started_; }
  /// The next frame, ready to send; valid until the call after.
  [[nodiscard]] std::span<iovec> next() noexcept;

 private:
  [[nodiscard]] bool read_headers() noexcept;
  void make_headers(std::size_t from, std::size_t bytes) noexcept;
  void make_ip(std::size_t from, std::size_t bytes) noexcept;
  void put16(std::size_t at, std::uint16_t value) noexcept;
  void put32(std::size_t at, std::uint32_t value) noexcept;
  [[nodiscard]] std::uint16_t get16(std::size_t at) const noexcept;
  [[nodiscard]] std::uint32_t get32(std::size_t at) const noexcept;
  [[nodiscard]] std::size_t slice(std::size_t from, std::size_t bytes) noexcept;

  const NetOffload offload_;
  std::span<const std::span<std::byte>> frame_;
  std::array<std::byte, kMaxHeader> original_{};
  std::array<std::byte, kMaxHeader> header_{};
  std::array<iovec, kMaxParts> parts_{};
  std::size_t size_ = 0;     ///< of the frame
  std::size_t headers_ = 0;  ///< bytes that are copied
  std::size_t network_ = 0;  ///< where the IP header begins
  std::size_t payload_ = 0;
  std::size_t sent_ = 0;  ///< of the payload
  bool started_ = false;
  bool ok_ = false;
};

}  // namespace dm::host
