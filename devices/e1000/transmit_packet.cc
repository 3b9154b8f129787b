// SPDX-License-Identifier: MIT
// Packets: from fragments to what the backend takes.
#include "core/bounds.h"
#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "core/net/headers.h"
#include "core/net/segment.h"
#include "devices/e1000/regs.h"
#include "devices/e1000/statistics.h"
#include "devices/e1000/transmitter.h"

#include <algorithm>

namespace dm::e1000 {

namespace {

using inet::get16;
using inet::kIpv6Header;
using inet::kTcpChecksum;
using inet::kTcpCwr;
using inet::kTcpFlagsByte;
using inet::kTcpOffsetByte;
using inet::kTypeIpv4;
using inet::kTypeIpv6;
using inet::kTypeVlan;
using inet::put16;
using inet::put_sum;
using regs::TCTL;

constexpr std::uint32_t kLongestSegment = kLongestFrame - 96;  // header and payload
constexpr std::uint32_t kLongestHeader = 240;

/// Where a context says that the headers are.
[[nodiscard]] inet::HeaderPlaces places_of(const TxContext& c) noexcept {
  return {.ip = c.ipcss,
          .ip_checksum = c.ipcso,
          .l4 = c.tucss,
          .l4_checksum = c.tucso,
          .end = c.hdrlen,
          .ipv4 = c.ipv4,
          .tcp = c.tcp};
}

/// What short frames are filled up with. Nobody writes it: the backend sends from it.
std::array<std::byte, kShortestFrame> zeros{};

}  // namespace

Transmitter::Sent Transmitter::drop() noexcept {
  ++shared_.counters.tx_dropped;
  buffer_.release();
  return Sent::all;
}

Transmitter::Sent Transmitter::send_part() noexcept {
  if (packet_.discard || packet_.bytes < kEthernetHeader) {
    return drop();
  }
  if (shared_.loopback) {
    if (loop_.busy()) {
      return Sent::busy;
    }
  } else if (!shared_.link) {
    return drop();
  }
  return packet_.segment ? send_segments() : send_frame();
}

nic::Fragments Transmitter::fragments() const noexcept {
  return {.address = packet_.address.data(),
          .length = packet_.length.data(),
          .count = packet_.fragments};
}

/// The first bytes of the packet, into the private copy.
bool Transmitter::copy_header(std::uint32_t size) noexcept {
  const bool copied = fragments().copy_front(memory_, header().first(size));
  shared_.counters.master_aborts += copied ? 0U : 1U;
  return copied;
}

/// Bytes [from, from+length) of the packet as spans of the guest's pages.
bool Transmitter::gather(std::uint32_t from, std::uint32_t length) noexcept {
  const bool all = fragments().gather(memory_, buffer_, from, length, Dma::from_guest);
  shared_.counters.master_aborts += all ? 0U : 1U;
  return all;
}

/// A request for a checksum, dropped when it does not fit the frame. `end` is inclusive, 0 the end
/// of the packet (8254x SDM, 3.3.6).
Transmitter::Sum Transmitter::sum_of(std::uint32_t start,
                                     std::uint32_t at,
                                     std::uint32_t end) const noexcept {
  const std::uint32_t total = packet_.bytes;
  if (start >= total || at + 2 > total || (end != 0 && end < start)) {
    return {};
  }
  return {
      .wanted = true, .start = start, .at = at, .end = end == 0 || end >= total ? total : end + 1};
}

/// Sums [start, end) of private header and gathered spans and stores the complement, in the header.
void Transmitter::insert(const Sum& sum, std::uint32_t size, bool zero_means_none) noexcept {
  const inet::Checksum checksum =
      nic::sum_of_range(header().first(size), buffer_.part(), sum.start, sum.end);
  put_sum(header(), sum.at, zero_means_none ? checksum.complement_not_0() : checksum.complement());
}

/// Moves the addresses into the tag's room and puts the tag between them and the rest.
void Transmitter::insert_tag() noexcept {
  const auto room = header_room();
  std::copy_n(header().begin(), kVlanOffset, room.begin());
  put16(room, kVlanOffset, file_.get<regs::VET>());
  put16(room, kVlanOffset + 2, packet_.special);
}

Cast Transmitter::cast(std::uint32_t size) const noexcept {
  constexpr std::size_t kAddress = 6;
  if (size >= kAddress) {
    return cast_of(header().data());
  }
  const auto spans = buffer_.part();
  return !spans.empty() && spans[0].size() >= kAddress ? cast_of(spans[0].data()) : Cast::unicast;
}

/// Header and spans, behind the pieces of other frames. The header has been finished but for the
/// tag. How many bytes they are.
std::uint32_t Transmitter::add_pieces(std::uint32_t size, NetOffload& offload) noexcept {
  std::uint32_t total = size;
  if (packet_.insert_vlan) {
    insert_tag();
    total += kVlanTag;
    if (offload.needs_checksum) {
      offload.checksum_start = static_cast<std::uint16_t>(offload.checksum_start + kVlanTag);
    }
    if (offload.gso != Gso::none) {
      offload.header_length = static_cast<std::uint16_t>(offload.header_length + kVlanTag);
    }
    pieces_.push_back(header_room().first(size + kVlanTag));
  } else if (size != 0) {
    pieces_.push_back(header().first(size));
  }
  for (const auto span : buffer_.part()) {
    pieces_.push_back(span);
    total += static_cast<std::uint32_t>(span.size());
  }
  if (total < kShortestFrame && file_.test<TCTL, TCTL::PSP>()) {
    pieces_.push_back(std::span{zeros}.first(kShortestFrame - total));
  }
  return total;
}

/// Hands the packet under way over, alone.
SendStatus Transmitter::offer(std::uint32_t size, NetOffload offload) noexcept {
  pieces_.clear();
  const std::uint32_t total = add_pieces(size, offload);
  SendStatus status = SendStatus::sent;
  if (shared_.loopback) {
    loop_.put(pieces_);
  } else {
    meter_.sent(total);
    status = backend_.send(offload, pieces_);
  }
  buffer_.release();
  shared_.counters.tx_parts += status == SendStatus::sent ? 1U : 0U;
  return status;
}

/// Makes header and spans of a packet that is one frame. False: it is to be dropped.
bool Transmitter::prepare_frame(NetOffload& offload, std::uint32_t& private_bytes) noexcept {
  const std::uint32_t total = packet_.bytes;
  if (total > kLongestFrame - kFcsBytes - kVlanTag) {
    return false;
  }
  const TxContext& c = packet_.context;
  Sum ip;
  Sum l4;
  if (packet_.insert_l4) {
    l4 = packet_.legacy ? sum_of(packet_.css, packet_.cso, 0) : sum_of(c.tucss, c.tucso, c.tucse);
  }
  if (packet_.insert_ip) {
    ip = sum_of(c.ipcss, c.ipcso, c.ipcse);
  }
  // The host sums to the end of the frame only, and stores behind where it began.
  const bool passed_on = l4.wanted && l4.end == total && l4.start <= l4.at &&
                         l4.start >= kEthernetHeader && !shared_.loopback;
  private_bytes = packet_.insert_vlan ? kVlanOffset : 0;
  if (ip.wanted) {
    private_bytes = std::max(private_bytes, ip.at + 2);
  }
  if (passed_on) {
    offload.needs_checksum = true;
    offload.checksum_start = static_cast<std::uint16_t>(l4.start);
    offload.checksum_offset = static_cast<std::uint16_t>(l4.at - l4.start);
  } else if (l4.wanted) {
    private_bytes = std::max(private_bytes, l4.at + 2);
  }
  if (!copy_header(private_bytes) || !gather(private_bytes, total - private_bytes)) {
    return false;
  }
  if (ip.wanted) {
    insert(ip, private_bytes, false);
  }
  if (l4.wanted && !passed_on) {
    insert(l4, private_bytes, false);
  }
  return true;
}

/// Frames that went out, counted as the wire has them.
void Transmitter::count_frame(std::uint32_t wire, Cast to) noexcept {
  count_transmitted(file_, std::max(wire, kShortestFrame), 1, to);
}

Transmitter::Sent Transmitter::send_frame() noexcept {
  NetOffload offload;
  std::uint32_t private_bytes = 0;
  if (!prepare_frame(offload, private_bytes)) {
    return drop();
  }
  const Cast to = cast(private_bytes);
  const std::uint32_t wire = bytes_on_wire();
  switch (offer(private_bytes, offload)) {
    case SendStatus::full:
      return Sent::full;
    case SendStatus::failed:
      ++shared_.counters.tx_dropped;
      return Sent::all;
    case SendStatus::sent:
      break;
  }
  count_frame(wire, to);
  return Sent::all;
}

/// Every offset that the context gives lies in the header, and the header in the packet.
bool Transmitter::segments_make_sense() const noexcept {
  const TxContext& c = packet_.context;
  const std::uint32_t header = c.hdrlen;
  return c.mss != 0 && header >= kEthernetHeader && header <= kLongestHeader &&
         header <= packet_.bytes && c.ipcss >= kVlanOffset && c.tucss >= kEthernetHeader &&
         inet::fits(places_of(c)) && header + c.mss <= kLongestSegment;
}

/// Only TCP has an equivalent on the host's side, behind a tag that the host knows. The rest is cut
/// here, a frame in each unit.
bool Transmitter::host_can_cut() const noexcept {
  const TxContext& c = packet_.context;
  return c.tcp && !shared_.loopback && c.tucso == c.tucss + kTcpChecksum &&
         (!packet_.insert_vlan || file_.get<regs::VET>() == kTypeVlan);
}

/// Does the header say what the context says of its place and length? The host goes by the header
/// (Linux: skb_mac_gso_segment(), inet_gso_segment(), ipv6_gso_segment(), tcp_gso_segment()).
bool Transmitter::header_is_as_said() const noexcept {
  const TxContext& c = packet_.context;
  const auto h = header();
  const std::uint32_t ip = c.tucss - c.ipcss;
  const bool ip_fits = c.ipv4 ? inet::ipv4_length(h[c.ipcss]) == ip : ip == kIpv6Header;
  const bool type_fits =
      c.ipcss == kEthernetHeader && get16(h, c.ipcss - 2U) == (c.ipv4 ? kTypeIpv4 : kTypeIpv6);
  return type_fits && ip_fits &&
         c.tucss + inet::tcp_length(h[c.tucss + kTcpOffsetByte]) == c.hdrlen;
}

/// Bytes of payload that one hand-over takes along, all or a multiple of the MSS: as many segments
/// as the host is to cut in one go, and no more than a datagram's length field can say. A host that
/// takes bytes of the header for payload makes more segments of it.
std::uint32_t Transmitter::at_once(std::uint32_t left) const noexcept {
  const TxContext& c = packet_.context;
  const std::size_t in_send = std::min(backend_.most_segments(), bounds::kSegmentsPerSend);
  const std::size_t of_header = header_is_as_said() ? 0 : c.hdrlen / c.mss + 1U;
  return nic::bytes_at_once(left, c.mss, c.hdrlen - std::uint32_t{c.ipcss},
                            in_send > of_header ? in_send - of_header : 1);
}

/// The header of the run of payload that begins at packet_.sent (8254x SDM, 3.5). `whole`: it is
/// for several segments at once, cut later by the host, which counts on from here. Only then does
/// the congestion flag go: this part leaves it in each segment that it cuts.
void Transmitter::patch_header(std::uint32_t chunk, bool last, bool whole) noexcept {
  const auto h = header();
  const inet::HeaderPlaces places = places_of(packet_.context);
  inet::make_headers(h, places,
                     {.from = packet_.sent,
                      .bytes = chunk,
                      .number = packet_.sent / packet_.context.mss,
                      .first = !whole || packet_.sent == 0,
                      .last = last});
  // The driver's pseudo-header sum is without the length, which changes from segment to segment.
  inet::change_length(h, places, 0, inet::l4_length(places, chunk));
}

void Transmitter::count_sent(std::uint32_t header, std::uint32_t chunk, Cast to) noexcept {
  const std::uint32_t mss = packet_.context.mss;
  const std::uint32_t full = chunk / mss;
  const std::uint32_t rest = chunk % mss;
  const std::uint32_t wire = header + (packet_.insert_vlan ? kVlanTag : 0);
  count_transmitted(file_, std::max(wire + mss, kShortestFrame), full, to);
  count_transmitted(file_, std::max(wire + rest, kShortestFrame), rest != 0 || full == 0 ? 1 : 0,
                    to);
}

Transmitter::Sent Transmitter::send_segments() noexcept {
  if (!segments_make_sense()) {
    count<regs::TSCTFC>(file_);
    return drop();
  }
  const TxContext& c = packet_.context;
  const std::uint32_t payload = packet_.bytes - c.hdrlen;
  const std::uint32_t left = payload - packet_.sent;
  if (!copy_header(c.hdrlen)) {
    return drop();
  }
  const bool whole = host_can_cut();
  const std::uint32_t chunk = whole ? at_once(left) : std::min<std::uint32_t>(left, c.mss);
  const bool last = chunk == left;
  if (!gather(c.hdrlen + packet_.sent, chunk)) {
    return drop();
  }
  patch_header(chunk, last, whole);
  NetOffload offload;
  if (!shared_.loopback && c.tucso >= c.tucss) {
    offload.needs_checksum = true;
    offload.checksum_start = c.tucss;
    offload.checksum_offset = static_cast<std::uint16_t>(c.tucso - c.tucss);
  } else {
    const std::uint32_t end = c.hdrlen + chunk;
    insert({.wanted = true, .start = c.tucss, .at = c.tucso, .end = end}, c.hdrlen, !c.tcp);
  }
  if (whole && chunk > c.mss) {
    offload.gso = c.ipv4 ? Gso::tcp4 : Gso::tcp6;
    offload.header_length = c.hdrlen;
    offload.segment_size = c.mss;
    offload.ecn = (std::to_integer<unsigned>(header()[c.tucss + kTcpFlagsByte]) & kTcpCwr) != 0;
  }
  const Cast to = cast(c.hdrlen);
  switch (offer(c.hdrlen, offload)) {
    case SendStatus::full:
      return Sent::full;
    case SendStatus::failed:
      ++shared_.counters.tx_dropped;
      count<regs::TSCTFC>(file_);
      return Sent::all;
    case SendStatus::sent:
      break;
  }
  count_sent(c.hdrlen, chunk, to);
  packet_.sent += chunk;
  if (!last) {
    return Sent::part;
  }
  count<regs::TSCTC>(file_);
  return Sent::all;
}

}  // namespace dm::e1000
