// SPDX-License-Identifier: MIT
// Packets: from pieces of guest memory to what the back end takes.
#include "core/bounds.h"
#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "core/net/headers.h"
#include "devices/rtl8139/transmitter.h"

#include <algorithm>

namespace dm::rtl8139 {

namespace {

using inet::get16;
using inet::put16;
using inet::put_sum;

constexpr std::uint32_t kIpv4Fragment = 6;
constexpr unsigned kMoreFragmentsAndOffset = 0x3fff;
constexpr std::uint32_t kIpv4Protocol = 9;
constexpr std::uint32_t kUdpChecksum = 6;
/// A packet in more segments than this is no driver's: 64 KiB at an MSS of 64.
constexpr std::uint32_t kMostSegments = 1024;

/// What short frames are filled up with. Nobody writes it: the back end sends from it.
std::array<std::byte, kShortestFrame> zeros{};

}  // namespace

inet::HeaderPlaces Transmitter::Ip::places(std::uint32_t headers_end) const noexcept {
  return {.ip = at,
          .ip_checksum = at + inet::kIpv4Checksum,
          .l4 = l4,
          .l4_checksum = l4 + (tcp ? inet::kTcpChecksum : kUdpChecksum),
          .end = headers_end,
          .ipv4 = true,
          .tcp = tcp};
}

nic::Fragments Transmitter::fragments(const Packet& packet) const noexcept {
  return {.address = std::span{address_}.subspan(packet.first, packet.count).data(),
          .length = std::span{length_}.subspan(packet.first, packet.count).data(),
          .count = packet.count};
}

/// The first bytes of the packet, into the private copy.
bool Transmitter::copy_front(const Packet& packet, std::span<std::byte> to) noexcept {
  const bool copied = fragments(packet).copy_front(memory_, to);
  shared_.counters.master_aborts += copied ? 0U : 1U;
  return copied;
}

/// Bytes [from, from+bytes) of the packet as spans of the guest's pages.
bool Transmitter::gather(const Packet& packet, std::uint32_t from, std::uint32_t bytes) noexcept {
  const bool all = fragments(packet).gather(memory_, buffer_, from, bytes, Dma::from_guest);
  shared_.counters.master_aborts += all ? 0U : 1U;
  return all;
}

/// IPv4, behind one tag at most. Every place that is given lies in `front`, the first bytes of a
/// frame of `bytes`, and every length in the frame; else the header is none.
Transmitter::Ip Transmitter::read_headers(std::span<const std::byte> front,
                                          std::uint32_t bytes) const noexcept {
  Ip ip{.at = kEthernetHeader};
  if (front.size() >= kEthernetHeader + kVlanTag && get16(front, kVlanOffset) == inet::kTypeVlan) {
    ip.at += kVlanTag;
  }
  if (front.size() < ip.at + inet::kIpv4Header || get16(front, ip.at - 2) != inet::kTypeIpv4 ||
      std::to_integer<unsigned>(front[ip.at]) >> 4U != 4) {
    return {};
  }
  const std::uint32_t header = inet::ipv4_length(front[ip.at]);
  const std::uint32_t total = get16(front, ip.at + inet::kIpv4Length);
  ip.end = total != 0 ? ip.at + total : bytes;
  ip.l4 = ip.at + header;
  if (header < inet::kIpv4Header || ip.l4 > front.size() || ip.l4 > ip.end || ip.end > bytes) {
    return {};
  }
  ip.header = header;
  const unsigned protocol = std::to_integer<unsigned>(front[ip.at + kIpv4Protocol]);
  ip.tcp = protocol == inet::kProtocolTcp;
  const std::uint32_t shortest = ip.tcp ? inet::kTcpHeader : inet::kUdpHeader;
  const bool known = ip.tcp || protocol == inet::kProtocolUdp;
  if (!known || (get16(front, ip.at + kIpv4Fragment) & kMoreFragmentsAndOffset) != 0 ||
      ip.l4 + shortest > ip.end || ip.l4 + shortest > front.size()) {
    return ip;
  }
  const std::uint32_t l4_header =
      ip.tcp ? inet::tcp_length(front[ip.l4 + inet::kTcpOffsetByte]) : shortest;
  if (l4_header >= shortest && ip.l4 + l4_header <= ip.end) {
    ip.l4_header = l4_header;
  }
  return ip;
}

/// Each piece may lie across two windows; header and padding are two more.
bool Transmitter::fits_pieces(const Packet& packet) const noexcept {
  return pieces_.size() + packet.count * 2 + 2 <= DmaBuffer::kMaxSpans;
}

/// Makes header and spans of a packet that is one frame.
Transmitter::Fate Transmitter::prepare_frame(const Packet& packet,
                                             NetOffload& offload,
                                             std::uint32_t& private_bytes) noexcept {
  using O = TxOpts1;
  if (packet.bytes < kEthernetHeader) {
    return Fate::done;
  }
  if (packet.bytes > kLongestFrame - kFcsBytes - kVlanTag) {
    return Fate::bad;
  }
  private_bytes = TxOpts2::TAGC::test(packet.opts2) ? kVlanOffset : 0;
  Ip ip;
  if ((packet.opts1 & (O::IPCS::kMask | O::UDPCS::kMask | O::TCPCS::kMask)) != 0) {
    const auto front = header().first(std::min(packet.bytes, kLongestHeader));
    if (!copy_front(packet, front)) {
      return Fate::bad;
    }
    ip = read_headers(front, packet.bytes);
    const bool l4 =
        ip.l4_header != 0 && (ip.tcp ? O::TCPCS::test(packet.opts1) : O::UDPCS::test(packet.opts1));
    ip.l4_header = l4 ? ip.l4_header : 0;
    const std::uint32_t changed =
        l4 ? ip.l4 + (ip.tcp ? inet::kTcpHeader : inet::kUdpHeader) : ip.l4;
    private_bytes = ip.ok() ? changed : private_bytes;
  } else if (!copy_front(packet, header().first(private_bytes))) {
    return Fate::bad;
  }
  if (!gather(packet, private_bytes, packet.bytes - private_bytes)) {
    return Fate::bad;
  }
  if (ip.ok()) {
    put_checksums(packet, ip, offload, private_bytes);
  }
  return Fate::frame;
}

/// What the header's field held is ignored. The host sums to the end of the frame, and this card to
/// that of the datagram: where they differ, it is done here.
void Transmitter::put_checksums(const Packet& packet,
                                const Ip& ip,
                                NetOffload& offload,
                                std::uint32_t private_bytes) noexcept {
  const auto h = header().first(private_bytes);
  const inet::HeaderPlaces places = ip.places(private_bytes);
  if (TxOpts1::IPCS::test(packet.opts1)) {
    put_sum(h, places.ip_checksum, 0);
    put_sum(h, places.ip_checksum, nic::sum_of_range(h, {}, ip.at, ip.l4).complement());
  }
  if (ip.l4_header == 0) {
    return;
  }
  put_sum(h, places.l4_checksum, inet::fold(inet::pseudo_sum(h, places, ip.end - ip.l4)));
  if (ip.end == packet.bytes && !shared_.loopback) {
    offload.needs_checksum = true;
    offload.checksum_start = static_cast<std::uint16_t>(ip.l4);
    offload.checksum_offset = static_cast<std::uint16_t>(places.l4_checksum - ip.l4);
    return;
  }
  const inet::Checksum sum = nic::sum_of_range(h, buffer_.part(), ip.l4, ip.end);
  put_sum(h, places.l4_checksum, ip.tcp ? sum.complement() : sum.complement_not_0());
}

/// Header and spans, behind the pieces of other frames. The header has been finished but for the
/// tag, which goes between the addresses and the rest.
void Transmitter::add_pieces(const Packet& packet,
                             std::uint32_t size,
                             NetOffload& offload) noexcept {
  std::uint32_t total = size;
  if (TxOpts2::TAGC::test(packet.opts2)) {
    const auto room = header_room();
    std::copy_n(header().begin(), kVlanOffset, room.begin());
    put16(room, kVlanOffset, inet::kTypeVlan);
    put16(room, kVlanOffset + 2,
          tag_in_word(static_cast<std::uint16_t>(TxOpts2::TAG::get(packet.opts2))));
    total += kVlanTag;
    offload.checksum_start = static_cast<std::uint16_t>(offload.checksum_start +
                                                        (offload.needs_checksum ? kVlanTag : 0));
    offload.header_length = static_cast<std::uint16_t>(offload.header_length +
                                                       (offload.gso != Gso::none ? kVlanTag : 0));
    pieces_.push_back(room.first(total));
  } else if (size != 0) {
    pieces_.push_back(header().first(size));
  }
  for (const auto span : buffer_.part()) {
    pieces_.push_back(span);
    total += static_cast<std::uint32_t>(span.size());
  }
  if (total < kShortestFrame) {
    pieces_.push_back(std::span{zeros}.first(kShortestFrame - total));
    total = kShortestFrame;
  }
  if (!shared_.loopback) {
    meter_.sent(total);
  }
}

/// Hands the packet under way over, alone.
SendStatus Transmitter::offer(const Packet& packet,
                              std::uint32_t size,
                              NetOffload offload) noexcept {
  pieces_.clear();
  add_pieces(packet, size, offload);
  if (shared_.loopback) {
    loop_.put(pieces_);
    return SendStatus::sent;
  }
  const SendStatus status = backend_.send(offload, pieces_);
  shared_.counters.tx_parts += status == SendStatus::sent ? 1U : 0U;
  return status;
}

Transmitter::Sent Transmitter::send_frame(const Packet& packet) noexcept {
  if (shared_.loopback && loop_.busy()) {
    return Sent::busy;
  }
  if (!shared_.loopback && !shared_.link) {
    return Sent::bad;
  }
  NetOffload offload;
  std::uint32_t private_bytes = 0;
  buffer_.begin_part();
  if (prepare_frame(packet, offload, private_bytes) != Fate::frame) {
    return Sent::bad;
  }
  switch (offer(packet, private_bytes, offload)) {
    case SendStatus::full:
      return Sent::full;
    case SendStatus::failed:
      return Sent::bad;
    case SendStatus::sent:
      break;
  }
  return Sent::all;
}

/// The headers of the run of payload that begins at tx_sent.
void Transmitter::make_segment_headers(const Packet& packet,
                                       const Ip& ip,
                                       std::uint32_t chunk,
                                       bool last,
                                       NetOffload& offload) noexcept {
  const std::uint32_t sent = shared_.state.tx_sent;
  const std::uint32_t mss = TxOpts1::MSS::get(packet.opts1);
  const std::uint32_t end = ip.l4 + ip.l4_header;
  const inet::HeaderPlaces places = ip.places(end);
  const auto h = header().first(end);
  inet::make_headers(
      h, places,
      {.from = sent, .bytes = chunk, .number = sent / mss, .first = sent == 0, .last = last});
  put_sum(h, places.l4_checksum,
          inet::fold(inet::pseudo_sum(h, places, inet::l4_length(places, chunk))));
  if (shared_.loopback) {
    put_sum(h, places.l4_checksum,
            nic::sum_of_range(h, buffer_.part(), ip.l4, end + chunk).complement());
    return;
  }
  offload.needs_checksum = true;
  offload.checksum_start = static_cast<std::uint16_t>(ip.l4);
  offload.checksum_offset = inet::kTcpChecksum;
  if (chunk > mss) {
    offload.gso = Gso::tcp4;
    offload.header_length = static_cast<std::uint16_t>(end);
    offload.segment_size = static_cast<std::uint16_t>(mss);
    offload.ecn = (std::to_integer<unsigned>(h[ip.l4 + inet::kTcpFlagsByte]) & inet::kTcpCwr) != 0;
  }
}

/// A long TCP packet: one run of its segments. The length in its IP header is not looked at: it
/// would have to say more than such a field can.
Transmitter::Sent Transmitter::send_segments(const Packet& packet) noexcept {
  if (shared_.loopback && loop_.busy()) {
    return Sent::busy;
  }
  const std::uint32_t mss = TxOpts1::MSS::get(packet.opts1);
  const auto front = header().first(std::min(packet.bytes, kLongestHeader));
  if (front.size() < kEthernetHeader + inet::kIpv4Header || mss == 0) {
    return Sent::bad;
  }
  if (!copy_front(packet, front)) {
    return Sent::bad;
  }
  const bool in_data = get16(front, kVlanOffset) == inet::kTypeVlan;
  put16(front, kEthernetHeader + (in_data ? kVlanTag : 0) + inet::kIpv4Length, 0);
  const Ip ip = read_headers(front, packet.bytes);
  const std::uint32_t headers = ip.l4 + ip.l4_header;
  if (!ip.tcp || ip.l4_header == 0 || headers > front.size()) {
    return Sent::bad;
  }
  const std::uint32_t payload = packet.bytes - headers;
  const std::uint32_t sent = shared_.state.tx_sent;
  if ((payload + mss - 1) / mss > kMostSegments || (sent != 0 && sent >= payload)) {
    return Sent::bad;
  }
  const std::size_t at_once =
      shared_.loopback ? 1 : std::min(backend_.most_segments(), bounds::kSegmentsPerSend);
  const std::uint32_t left = payload - sent;
  const std::uint32_t chunk = nic::bytes_at_once(left, mss, headers - ip.at, at_once);
  buffer_.begin_part();
  if (!gather(packet, headers + sent, chunk)) {
    return Sent::bad;
  }
  NetOffload offload;
  make_segment_headers(packet, ip, chunk, chunk == left, offload);
  switch (offer(packet, headers, offload)) {
    case SendStatus::full:
      return Sent::full;
    case SendStatus::failed:
      return Sent::bad;
    case SendStatus::sent:
      break;
  }
  shared_.state.tx_sent = sent + chunk;
  return chunk == left ? Sent::all : Sent::part;
}

}  // namespace dm::rtl8139
