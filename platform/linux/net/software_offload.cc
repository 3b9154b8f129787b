// SPDX-License-Identifier: MIT
#include "platform/linux/net/software_offload.h"

#include "core/bounds.h"
#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "core/net/headers.h"

#include <algorithm>
#include <cstring>

namespace dm::host {

using inet::Checksum;

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

/// The IP header is behind Ethernet's, and a tag.
bool SoftwareOffload::read_headers() noexcept {
  const bool tagged = headers_ >= inet::kEthernetHeader &&
                      inet::get16(original_, inet::kEtherType) == inet::kTypeVlan;
  places_ = inet::tcp_places(offload_.gso == Gso::tcp4,
                             inet::kEthernetHeader + (tagged ? inet::kVlanTag : 0),
                             offload_.checksum_start, static_cast<std::uint32_t>(headers_));
  return offload_.segment_size != 0 &&
         payload_ <= bounds::kSegmentsPerSend * offload_.segment_size &&
         offload_.checksum_offset == inet::kTcpChecksum && inet::fits(places_) &&
         inet::are_apart(places_);
}

std::span<iovec> SoftwareOffload::next() noexcept {
  const bool cut = offload_.gso != Gso::none;
  const std::size_t bytes =
      cut ? std::min<std::size_t>(offload_.segment_size, payload_ - sent_) : payload_;
  header_ = original_;
  parts_[0] = {header_.data(), headers_};
  const std::size_t count = 1 + slice(headers_ + sent_, bytes);
  Checksum payload;
  for (std::size_t i = 1; i < count; ++i) {
    payload.add({static_cast<const std::byte*>(parts_[i].iov_base), parts_[i].iov_len});
  }
  if (cut) {
    make_segment(static_cast<std::uint32_t>(bytes));
    inet::complete_checksum(header_, places_, payload.sum());
  } else {
    complete(payload.sum());
  }
  sent_ += bytes;
  started_ = true;
  return std::span{parts_}.first(count);
}

/// The header of the next `bytes` of payload. What its checksum field holds is not relied on.
void SoftwareOffload::make_segment(std::uint32_t bytes) noexcept {
  inet::make_headers(header_, places_,
                     {.from = static_cast<std::uint32_t>(sent_),
                      .bytes = bytes,
                      .number = static_cast<std::uint32_t>(sent_ / offload_.segment_size),
                      .first = sent_ == 0,
                      .last = sent_ + bytes == payload_});
  const std::uint64_t pseudo = inet::pseudo_sum(header_, places_, inet::l4_length(places_, bytes));
  inet::put_sum(header_, places_.l4_checksum, inet::fold(pseudo));
}

/// The checksum of a frame that stays one, in a field that holds the sum of what is not in the
/// frame.
void SoftwareOffload::complete(std::uint64_t payload) noexcept {
  const std::size_t start = offload_.checksum_start;
  Checksum sum;
  sum.add(std::span{header_}.subspan(start, headers_ - start));
  sum.add_last(payload);
  inet::put_sum(header_, start + offload_.checksum_offset, sum.complement_not_0());
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

}  // namespace dm::host
