// SPDX-License-Identifier: MIT
#include "devices/nic/segment_header.h"

#include "core/net/big_endian.h"
#include "core/net/headers.h"
#include "devices/nic/frame.h"

#include <algorithm>

namespace dm::nic {

using inet::get16;
using inet::kIpv4Header;
using inet::kTcpChecksum;
using inet::kTcpHeader;
using inet::kTcpOffsetByte;
using inet::kTypeIpv4;
using inet::kTypeIpv6;

std::uint32_t SegmentHeader::length_of(std::span<const std::byte> head,
                                       const NetOffload& offload) noexcept {
  const std::uint32_t at = std::uint32_t{offload.checksum_start} + kTcpOffsetByte;
  if (at >= head.size()) {
    return 0;
  }
  return offload.checksum_start + inet::tcp_length(head[at]);
}

bool SegmentHeader::take(std::span<const std::byte> head,
                         std::uint32_t size,
                         const NetOffload& offload) noexcept {
  const std::uint32_t length = length_of(head, offload);
  const std::uint32_t tcp = offload.checksum_start;
  if (!offload.needs_checksum || offload.checksum_offset != kTcpChecksum ||
      offload.segment_size == 0 || length < tcp + kTcpHeader || length > head.size() ||
      length > kRoom || length >= size || tcp < kEthernetHeader + kIpv4Header) {
    return false;
  }
  const bool v4 = offload.gso == Gso::tcp4;
  const std::uint16_t type = v4 ? kTypeIpv4 : kTypeIpv6;
  std::uint32_t ip = kEthernetHeader;
  if (get16(head, kVlanOffset) != type) {
    ip += kVlanTag;
    if (get16(head, kVlanOffset + kVlanTag) != type) {
      return false;
    }
  }
  const unsigned version = std::to_integer<unsigned>(head[ip]) >> 4U;
  const inet::HeaderPlaces places = inet::tcp_places(v4, ip, tcp, length);
  if (version != (v4 ? 4U : 6U) || !inet::fits(places) || !inet::are_apart(places)) {
    return false;
  }
  std::copy_n(head.begin(), length, template_.begin());
  places_ = places;
  segment_ = offload.segment_size;
  l4_length_ = size - tcp;
  cuts_ = true;
  next = 0;
  return true;
}

void SegmentHeader::take_plain(std::span<const std::byte> head, std::uint32_t payload) noexcept {
  places_.end = static_cast<std::uint32_t>(std::min<std::size_t>(head.size(), kRoom));
  std::copy_n(head.begin(), places_.end, template_.begin());
  segment_ = payload;
  cuts_ = false;
  next = 0;
}

void SegmentHeader::tag_stripped() noexcept {
  places_ = inet::tcp_places(places_.ipv4, places_.ip - kVlanTag, places_.l4 - kVlanTag,
                             places_.end - kVlanTag);
}

std::span<std::byte> SegmentHeader::header(std::uint32_t index,
                                           std::uint32_t payload,
                                           std::uint64_t sum,
                                           bool last) noexcept {
  if (!cuts_) {
    return original();
  }
  const inet::HeaderPlaces places = places_;
  std::copy_n(template_.begin(), places.end, header_.begin());
  const auto h = std::span{header_}.first(places.end);
  inet::make_headers(h, places,
                     {.from = index * segment_,
                      .bytes = payload,
                      .number = index,
                      .first = index == 0,
                      .last = last});
  // The field holds the pseudo-header's sum with the length of all segments.
  inet::change_length(h, places, l4_length_, inet::l4_length(places, payload));
  inet::complete_checksum(h, places, sum);
  return h;
}

}  // namespace dm::nic
