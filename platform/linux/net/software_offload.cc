// SPDX-License-Identifier: MIT
#include "platform/linux/net/software_offload.h"

#include "core/bounds.h"
#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "core/range.h"

#include <algorithm>
#include <cstring>

namespace dm::host {

namespace {

using inet::Checksum;
using inet::get16;
using inet::get32;
using inet::put16;
using inet::put32;
using inet::put_sum;

// Ethernet, IEEE 802.3 and 802.1Q.
constexpr std::size_t kEtherType = 12;
constexpr std::size_t kEtherHeader = 14;
constexpr std::size_t kVlanTag = 4;
constexpr std::uint16_t kTypeVlan = 0x8100;
// IPv4, RFC 791, and IPv6, RFC 8200.
constexpr std::size_t kIp4TotalLength = 2;
constexpr std::size_t kIp4Id = 4;
constexpr std::size_t kIp4Checksum = 10;
constexpr std::size_t kIp4Source = 12;
constexpr std::size_t kIp4Header = 20;
constexpr std::size_t kIp6PayloadLength = 4;
constexpr std::size_t kIp6Source = 8;
constexpr std::size_t kIp6Header = 40;
// TCP, RFC 9293.
constexpr std::size_t kTcpSequence = 4;
constexpr std::size_t kTcpFlags = 13;
constexpr std::size_t kTcpChecksum = 16;
constexpr std::size_t kTcpHeader = 20;
constexpr std::uint16_t kProtocolTcp = 6;
constexpr std::byte kFin{0x01};
constexpr std::byte kPsh{0x08};
constexpr std::byte kCwr{0x80};

}  // namespace

SoftwareOffload::SoftwareOffload(const NetOffload& offload,
                                 std::span<const std::span<std::byte>> frame) noexcept
    : offload_{offload}, frame_{frame} {
  for (const std::span<std::byte> piece : frame_) {
    size_ += piece.size();
  }
  headers_ = offload_.gso != Gso::none
                 ? offload_.header_length
                 : std::size_t{offload_.checksum_start} + offload_.checksum_offset + 2;
  if (headers_ > kMaxHeader || headers_ > size_) {
    return;
  }
  std::size_t copied = 0;
  for (const std::span<std::byte> piece : frame_) {
    const std::size_t part = std::min(piece.size(), headers_ - copied);
    std::memcpy(original_.data() + copied, piece.data(), part);
    copied += part;
  }
  payload_ = size_ - headers_;
  ok_ = offload_.gso == Gso::none || read_headers();
}

bool SoftwareOffload::read_headers() noexcept {
  network_ = kEtherHeader +
             (headers_ >= kEtherHeader && get16(original_, kEtherType) == kTypeVlan ? kVlanTag : 0);
  const std::size_t ip = offload_.gso == Gso::tcp4 ? kIp4Header : kIp6Header;
  return offload_.segment_size != 0 &&
         payload_ <= bounds::kSegmentsPerSend * offload_.segment_size &&
         offload_.checksum_offset == kTcpChecksum && offload_.checksum_start >= network_ + ip &&
         within(0, headers_, offload_.checksum_start, kTcpHeader);
}

std::span<iovec> SoftwareOffload::next() noexcept {
  const bool cut = offload_.gso != Gso::none;
  const std::size_t bytes =
      cut ? std::min<std::size_t>(offload_.segment_size, payload_ - sent_) : payload_;
  header_ = original_;
  parts_[0] = {header_.data(), headers_};
  const std::size_t count = 1 + slice(headers_ + sent_, bytes);
  if (cut) {
    make_headers(sent_, bytes);
  }
  // From the original field on when there is nothing to cut: it holds the pseudo-header's sum.
  Checksum sum;
  if (cut) {
    const std::size_t addresses = network_ + (offload_.gso == Gso::tcp4 ? kIp4Source : kIp6Source);
    const std::size_t length = offload_.gso == Gso::tcp4 ? 8 : 32;
    sum.add(std::span{header_}.subspan(addresses, length));
    std::array<std::byte, 4> protocol_and_length{};
    put16(protocol_and_length, 0, kProtocolTcp);
    put16(protocol_and_length, 2,
          static_cast<std::uint32_t>(headers_ - offload_.checksum_start + bytes));
    sum.add(protocol_and_length);
    put_sum(header_, std::size_t{offload_.checksum_start} + kTcpChecksum, 0);
  }
  sum.add(std::span{header_}.subspan(offload_.checksum_start, headers_ - offload_.checksum_start));
  for (std::size_t i = 1; i < count; ++i) {
    sum.add({static_cast<const std::byte*>(parts_[i].iov_base), parts_[i].iov_len});
  }
  put_sum(header_, std::size_t{offload_.checksum_start} + offload_.checksum_offset,
          sum.complement());
  sent_ += bytes;
  started_ = true;
  return std::span{parts_}.first(count);
}

/// Payload [from, from+bytes) of the frame as parts 1 and on; how many.
std::size_t SoftwareOffload::slice(std::size_t from, std::size_t bytes) noexcept {
  std::size_t count = 0;
  for (const std::span<std::byte> piece : frame_) {
    if (from >= piece.size()) {
      from -= piece.size();
      continue;
    }
    const std::size_t part = std::min(piece.size() - from, bytes);
    if (part == 0 || count + 1 == kMaxParts) {
      break;
    }
    parts_[++count] = {piece.data() + from, part};
    bytes -= part;
    from = 0;
  }
  return count;
}

void SoftwareOffload::make_headers(std::size_t from, std::size_t bytes) noexcept {
  make_ip(from, bytes);
  const std::size_t tcp = offload_.checksum_start;
  put32(header_, tcp + kTcpSequence,
        get32(original_, tcp + kTcpSequence) + static_cast<std::uint32_t>(from));
  std::byte& flags = header_[tcp + kTcpFlags];
  if (from + bytes < payload_) {
    flags &= ~(kFin | kPsh);
  }
  if (from != 0) {
    flags &= ~kCwr;
  }
}

void SoftwareOffload::make_ip(std::size_t from, std::size_t bytes) noexcept {
  if (offload_.gso == Gso::tcp6) {
    put16(header_, network_ + kIp6PayloadLength,
          static_cast<std::uint32_t>(headers_ - network_ - kIp6Header + bytes));
    return;
  }
  put16(header_, network_ + kIp4TotalLength,
        static_cast<std::uint32_t>(headers_ - network_ + bytes));
  put16(header_, network_ + kIp4Id,
        static_cast<std::uint32_t>(get16(original_, network_ + kIp4Id) +
                                   from / offload_.segment_size));
  put_sum(header_, network_ + kIp4Checksum, 0);
  Checksum sum;
  sum.add(std::span{header_}.subspan(network_, offload_.checksum_start - network_));
  put_sum(header_, network_ + kIp4Checksum, sum.complement());
}

}  // namespace dm::host
