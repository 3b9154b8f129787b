// SPDX-License-Identifier: MIT
#include "devices/e1000/receive_segments.h"

#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "core/net/headers.h"
#include "devices/e1000/shared.h"

#include <algorithm>
#include <cstring>

namespace dm::e1000 {

namespace {

using inet::Checksum;
using inet::fold;
using inet::get16;
using inet::get32;
using inet::get_sum;
using inet::kIpv4Header;
using inet::kIpv6Header;
using inet::kTcpChecksum;
using inet::kTcpCwr;
using inet::kTcpFinPsh;
using inet::kTcpFlagsByte;
using inet::kTcpHeader;
using inet::kTcpOffsetByte;
using inet::kTypeIpv4;
using inet::kTypeIpv6;
using inet::put16;
using inet::put32;
using inet::put_sum;

}  // namespace

std::uint32_t SegmentHeader::length_of(std::span<const std::byte> head,
                                       const NetOffload& offload) noexcept {
  const std::uint32_t at = std::uint32_t{offload.checksum_start} + kTcpOffsetByte;
  if (at >= head.size()) {
    return 0;
  }
  return offload.checksum_start + (std::to_integer<unsigned>(head[at]) >> 4U) * 4;
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
  if (version != (v4 ? 4U : 6U) || tcp < ip + (v4 ? kIpv4Header : kIpv6Header)) {
    return false;
  }
  std::copy_n(head.begin(), length, template_.begin());
  length_ = length;
  segment_ = offload.segment_size;
  ip_ = ip;
  tcp_ = tcp;
  l4_length_ = size - tcp;
  gso_ = offload.gso;
  next = 0;
  return true;
}

void SegmentHeader::take_plain(std::span<const std::byte> head, std::uint32_t payload) noexcept {
  length_ = static_cast<std::uint32_t>(std::min<std::size_t>(head.size(), kRoom));
  std::copy_n(head.begin(), length_, template_.begin());
  segment_ = payload;
  gso_ = Gso::none;
  next = 0;
}

void SegmentHeader::tag_stripped() noexcept {
  length_ -= kVlanTag;
  ip_ -= kVlanTag;
  tcp_ -= kVlanTag;
}

std::span<std::byte> SegmentHeader::header(std::uint32_t index,
                                           std::uint32_t payload,
                                           std::uint64_t sum,
                                           bool last) noexcept {
  if (gso_ == Gso::none) {
    return original();
  }
  std::copy_n(template_.begin(), length_, header_.begin());
  const auto h = std::span{header_}.first(length_);
  if (gso_ == Gso::tcp4) {
    put16(h, ip_ + 2, length_ - ip_ + payload);
    put16(h, ip_ + 4, get16(h, ip_ + 4) + index);
    put16(h, ip_ + 10, 0);
    const std::uint32_t stated = (std::to_integer<unsigned>(h[ip_]) & 15U) * 4;
    const std::uint32_t ip_header =
        stated >= kIpv4Header && ip_ + stated <= tcp_ ? stated : kIpv4Header;
    Checksum checksum;
    checksum.add(h.subspan(ip_, ip_header));
    put_sum(h, ip_ + 10, checksum.complement());
  } else {
    put16(h, ip_ + 4, length_ - ip_ - kIpv6Header + payload);
  }
  put32(h, tcp_ + 4, get32(h, tcp_ + 4) + index * segment_);
  std::byte& flags = h[tcp_ + kTcpFlagsByte];
  if (!last) {
    flags &= ~std::byte{kTcpFinPsh};
  }
  if (index != 0) {
    flags &= ~std::byte{kTcpCwr};
  }
  // The field holds the pseudo-header's sum with the length of all segments: that goes, this one's
  // comes.
  std::array<std::byte, 4> lengths{};
  put16(lengths, 0, l4_length_);
  put16(lengths, 2, length_ - tcp_ + payload);
  const std::uint64_t pseudo = std::uint64_t{get_sum(h, tcp_ + kTcpChecksum)} +
                               static_cast<std::uint16_t>(~get_sum(lengths, 0)) +
                               get_sum(lengths, 2);
  put_sum(h, tcp_ + kTcpChecksum, fold(pseudo));
  Checksum checksum;
  checksum.add(h.subspan(tcp_));
  put_sum(h, tcp_ + kTcpChecksum,
          static_cast<std::uint16_t>(~fold(std::uint64_t{fold(checksum.sum())} + fold(sum))));
  return h;
}

}  // namespace dm::e1000
