// SPDX-License-Identifier: MIT
#pragma once

#include "devices/ata/identify.h"
#include "devices/ata/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dm::ata {

using PacketBytes = std::array<std::uint8_t, CdState::kPacket>;

// Numbers of packets and replies are big endian.
[[nodiscard]] constexpr std::uint16_t be16(const PacketBytes& p, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(p[at] << 8U | p[at + 1]);
}
[[nodiscard]] constexpr std::uint32_t be32(const PacketBytes& p, std::size_t at) noexcept {
  return std::uint32_t{be16(p, at)} << 16U | be16(p, at + 2);
}

/// A reply under construction. It is built whole, in a buffer that is larger than any reply.
/// Afterwards it is cut to what the guest asked for.
class Reply {
 public:
  static constexpr std::size_t kLargest = 2052;  ///< READ DVD STRUCTURE

  explicit Reply(std::span<std::uint8_t, kLargest> bytes) noexcept;

  /// Makes the reply `size` bytes long. Bytes are zero until they are set.
  void extend(std::size_t size) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void put8(std::size_t at, unsigned value) noexcept;
  void put16(std::size_t at, unsigned value) noexcept;
  void put32(std::size_t at, std::uint32_t value) noexcept;
  void put_text(std::size_t at, std::span<const char> text) noexcept;

 private:
  std::span<std::uint8_t, kLargest> bytes_;
  std::size_t size_ = 0;
};

/// What replies tell about the drive and its disc.
struct CdFacts {
  const DiskIdentity& identity;
  std::uint32_t blocks;  ///< of the disc; 0: there is no readable disc
  bool tray_open;
  bool locked;
  std::array<std::uint8_t, 2> recovery;  ///< mode page 01h
};

/// False for a disc of more than 80 minutes of CD: it is a DVD.
[[nodiscard]] constexpr bool is_cd(std::uint32_t blocks) noexcept {
  return blocks <= 80U * 60U * 75U;
}

// Each function writes its whole reply. False: a field of the packet asks for something that the
// drive does not have.
void reply_sense(Reply& reply, const Sense& sense) noexcept;
[[nodiscard]] bool reply_inquiry(Reply& reply, const PacketBytes& p, const CdFacts& cd) noexcept;
void reply_capacity(Reply& reply, const CdFacts& cd) noexcept;
[[nodiscard]] bool reply_sub_channel(Reply& reply, const PacketBytes& p) noexcept;
[[nodiscard]] bool reply_toc(Reply& reply, const PacketBytes& p, const CdFacts& cd) noexcept;
[[nodiscard]] bool reply_configuration(Reply& reply,
                                       const PacketBytes& p,
                                       const CdFacts& cd) noexcept;
void reply_event(Reply& reply, std::uint8_t event, const CdFacts& cd) noexcept;
void reply_no_event(Reply& reply) noexcept;
void reply_disc_information(Reply& reply) noexcept;
[[nodiscard]] bool reply_track_information(Reply& reply,
                                           const PacketBytes& p,
                                           const CdFacts& cd) noexcept;
[[nodiscard]] bool reply_dvd_structure(Reply& reply,
                                       const PacketBytes& p,
                                       const CdFacts& cd) noexcept;
void reply_mechanism(Reply& reply, const CdFacts& cd) noexcept;

// atapi_mode.cc
/// The header is 8 bytes long for MODE SENSE(10), 4 for MODE SENSE(6).
[[nodiscard]] bool reply_mode(Reply& reply,
                              const PacketBytes& p,
                              const CdFacts& cd,
                              std::size_t header) noexcept;
/// Checks the parameters of MODE SELECT(10). Returns the new bytes 2 and 3 of page 01h, or nothing
/// when the parameters are wrong.
[[nodiscard]] std::optional<std::array<std::uint8_t, 2>> take_mode_parameters(
    std::span<const std::uint8_t> list, const CdFacts& cd) noexcept;

}  // namespace dm::ata
