// SPDX-License-Identifier: MIT
#include "devices/nic/landing.h"

#include "core/net/checksum.h"

#include <algorithm>
#include <cstring>

namespace dm::nic {

Landing::Landing()
    : spill_memory_{std::make_unique_for_overwrite<std::byte[]>(kSpill)},
      spill_{spill_memory_.get(), kSpill} {}

Received Landing::receive(NetBackend& backend, NetOffload& offload, std::uint32_t head) noexcept {
  in_head_ = head;
  pieces_.clear();
  pieces_.push_back(std::span{head_}.first(head));
  const auto spans = buffer_.spans();
  pieces_.insert(pieces_.end(), spans.begin(), spans.end());
  const std::size_t in_front = head + buffer_.size();
  pieces_.push_back(spill_.first(in_front < kSpill ? kSpill - in_front : 0));
  return backend.receive(offload, pieces_);
}

std::uint64_t Landing::sum_behind_head(std::uint32_t size) const noexcept {
  inet::Checksum checksum;
  std::uint32_t left = size - std::min(size, in_head_);
  for (std::size_t i = 1; i < pieces_.size() && left != 0; ++i) {
    const auto part = pieces_[i].first(std::min<std::size_t>(left, pieces_[i].size()));
    checksum.add(part);
    left -= static_cast<std::uint32_t>(part.size());
  }
  return checksum.sum();
}

bool Landing::finish_checksum(std::uint32_t size,
                              const NetOffload& offload,
                              std::uint32_t& in_head,
                              bool& moved) noexcept {
  const std::uint32_t start = offload.checksum_start;
  const std::uint32_t at = start + offload.checksum_offset;
  moved = at + 2 > in_head;
  if (moved) {
    in_head = lengthen_head(size);
  }
  if (start >= in_head || at + 2 > in_head) {
    return false;
  }
  inet::Checksum checksum;
  checksum.add(std::span{head_}.subspan(start, in_head - start));
  checksum.add_last(moved ? inet::sum_bytes(spill_.data() + in_head, size - in_head)
                          : sum_behind_head(size));
  inet::put_sum(head_, at, checksum.complement_not_0());
  return true;
}

std::uint32_t Landing::lengthen_head(std::uint32_t size) noexcept {
  linearize(size);
  const std::uint32_t in_head = std::min(size, kHeadRoom);
  std::copy_n(spill_.begin(), in_head, head_.begin());
  return in_head;
}

void Landing::linearize(std::uint32_t size) noexcept {
  const std::uint32_t in_front =
      std::min(size, static_cast<std::uint32_t>(in_head_ + buffer_.size()));
  std::memmove(spill_.data() + in_front, spill_.data(), size - in_front);
  std::uint32_t at = std::min(size, in_head_);
  std::copy_n(head_.begin(), at, spill_.begin());
  for (const auto span : buffer_.spans()) {
    const auto part = span.first(std::min<std::size_t>(span.size(), in_front - at));
    std::memcpy(spill_.data() + at, part.data(), part.size());
    at += static_cast<std::uint32_t>(part.size());
  }
}

}  // namespace dm::nic
