// SPDX-License-Identifier: MIT
#include "platform/linux/net/net_header.h"

#include "core/net/headers.h"
#include "core/range.h"

namespace dm::host {

namespace {

using inet::kTcpHeader;

/// Byte `at` of a scattered frame; 0 beyond its end.
std::byte byte_at(std::span<const std::span<std::byte>> frame, std::size_t at) noexcept {
  for (const std::span<std::byte> piece : frame) {
    if (at < piece.size()) {
      return piece[at];
    }
    at -= piece.size();
  }
  return std::byte{0};
}

/// A TCP frame that is to be cut: its headers end where the TCP header says, inside the frame.
bool read_gso(const NetHeader& header,
              std::span<const std::span<std::byte>> frame,
              std::size_t size,
              NetOffload& offload) noexcept {
  switch (header.gso_type & ~NetHeader::kGsoEcn) {
    case NetHeader::kGsoTcp4:
      offload.gso = Gso::tcp4;
      break;
    case NetHeader::kGsoTcp6:
      offload.gso = Gso::tcp6;
      break;
    default:
      return false;  // UFO, USO: never asked for
  }
  offload.ecn = (header.gso_type & NetHeader::kGsoEcn) != 0;
  offload.segment_size = header.gso_size;
  if (!offload.needs_checksum || header.gso_size == 0 ||
      offload.checksum_offset != inet::kTcpChecksum ||
      !within(0, size, offload.checksum_start, kTcpHeader)) {
    return false;
  }
  const std::uint32_t tcp_header =
      inet::tcp_length(byte_at(frame, offload.checksum_start + inet::kTcpOffsetByte));
  if (tcp_header < kTcpHeader || !within(0, size, offload.checksum_start, tcp_header)) {
    return false;
  }
  offload.header_length = static_cast<std::uint16_t>(offload.checksum_start + tcp_header);
  return true;
}

}  // namespace

NetHeader to_header(const NetOffload& offload) noexcept {
  NetHeader header{};
  if (offload.needs_checksum) {
    header.flags = NetHeader::kNeedsChecksum;
    header.csum_start = offload.checksum_start;
    header.csum_offset = offload.checksum_offset;
  }
  if (offload.gso != Gso::none) {
    header.gso_type = offload.gso == Gso::tcp4 ? NetHeader::kGsoTcp4 : NetHeader::kGsoTcp6;
    if (offload.ecn) {
      header.gso_type |= NetHeader::kGsoEcn;
    }
    header.hdr_len = offload.header_length;
    header.gso_size = offload.segment_size;
  }
  return header;
}

std::optional<NetOffload> from_header(const NetHeader& header,
                                      std::span<const std::span<std::byte>> frame,
                                      std::size_t size) noexcept {
  NetOffload offload;
  offload.checksum_valid = (header.flags & NetHeader::kDataValid) != 0;
  if ((header.flags & NetHeader::kNeedsChecksum) != 0) {
    offload.needs_checksum = true;
    offload.checksum_start = header.csum_start;
    offload.checksum_offset = header.csum_offset;
    if (!within(0, size, std::uint64_t{header.csum_start} + header.csum_offset,
                sizeof(std::uint16_t))) {
      return std::nullopt;
    }
  }
  if (header.gso_type != NetHeader::kGsoNone && !read_gso(header, frame, size, offload)) {
    return std::nullopt;
  }
  return offload;
}

}  // namespace dm::host
