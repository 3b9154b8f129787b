// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/bounds.h"
#include "tests/fuzz/host_calls.h"
#include "tests/fuzz/input.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace dm::fuzz {

/// The other end of a network card's cable: frames come as an input says, with offload data that
/// nobody has checked; what the card sends is looked at, both ends of each piece too.
class FuzzCable {
 public:
  static constexpr std::size_t kMostWaiting = 8;
  static constexpr std::size_t kLongestFrame = 65'535 + 18;  ///< IP packet, Ethernet header, a tag

  FuzzCable() = default;
  FuzzCable(const FuzzCable&) = delete;
  FuzzCable& operator=(const FuzzCable&) = delete;
  ~FuzzCable() { require(client_ == nullptr, "a card lets go of its cable"); }

  [[nodiscard]] std::unique_ptr<NetBackend> open() { return std::make_unique<Handle>(*this); }

  /// The frame begins with `head`; the rest of `size` is a pattern.
  void deliver(std::span<const std::uint8_t> head, std::size_t size, const NetOffload& offload) {
    if (waiting_.size() < kMostWaiting && size != 0) {
      waiting_.push_back({{head.begin(), head.end()}, size, offload});
    }
    if (client_ != nullptr && wanted_ && !waiting_.empty()) {
      client_->on_receivable();
    }
  }
  void answer_with(SendStatus status) noexcept {
    const bool was_full = answer_ == SendStatus::full;
    answer_ = status;
    if (was_full && status != SendStatus::full && refused_ && client_ != nullptr) {
      refused_ = false;
      client_->on_sendable();
    }
  }
  [[nodiscard]] bool link() const noexcept { return link_; }
  void set_link(bool up) noexcept {
    link_ = up;
    if (client_ != nullptr) {
      client_->on_link(up);
    }
  }

 private:
  struct Frame {
    std::vector<std::uint8_t> head;
    std::size_t size;
    NetOffload offload;
  };

  class Handle final : public NetBackend {
   public:
    explicit Handle(FuzzCable& cable) noexcept : cable_{cable} {}
    void attach(NetClient* client) noexcept override { cable_.client_ = client; }
    [[nodiscard]] std::size_t most_frames() const noexcept override {
      return bounds::kFramesPerSend;
    }
    [[nodiscard]] SendStatus send(const NetOffload& offload,
                                  std::span<const std::span<std::byte>> frame) noexcept override {
      return cable_.send(offload, frame);
    }
    [[nodiscard]] Received receive(NetOffload& offload,
                                   std::span<const std::span<std::byte>> pieces) noexcept override {
      return cable_.receive(offload, pieces);
    }
    void want_receive(bool on) noexcept override {
      ++host_calls.system;
      cable_.wanted_ = on;
    }
    void accept_offloads(bool checksum, bool gso) noexcept override {
      require(checksum || !gso, "large frames come without their sums");
    }
    void set_promiscuous(bool /*on*/) noexcept override { ++host_calls.system; }
    [[nodiscard]] bool link_up() const noexcept override { return cable_.link_; }
    [[nodiscard]] const Counters& counters() const noexcept override { return cable_.counters_; }
    [[nodiscard]] std::string_view name() const noexcept override { return "fuzz"; }

   private:
    FuzzCable& cable_;
  };

  [[nodiscard]] static std::size_t checked_size(std::span<const std::span<std::byte>> pieces) {
    require(!pieces.empty() && pieces.size() <= NetBackend::kMostPieces,
            "a frame has as many pieces as a backend takes");
    std::size_t size = 0;
    for (const auto piece : pieces) {
      require(!piece.empty(), "no piece of a frame is empty");
      size += piece.size();
    }
    return size;
  }
  [[nodiscard]] SendStatus send(const NetOffload& offload,
                                std::span<const std::span<std::byte>> frame) noexcept {
    const std::size_t size = checked_size(frame);
    host_calls.sent(size);
    require(size <= kLongestFrame + 14, "a frame is no longer than a card can send");
    require(!offload.needs_checksum ||
                offload.checksum_start + std::size_t{offload.checksum_offset} + 2 <= size,
            "a sum's place is inside the frame");
    require(offload.gso == Gso::none || (offload.segment_size != 0 && offload.header_length < size),
            "what is to be cut has a header and a size of pieces");
    require(offload.gso == Gso::none ||
                size - offload.header_length <=
                    bounds::kSegmentsPerSend * std::size_t{offload.segment_size},
            "a host is asked for a bounded number of frames");
    for (const auto piece : frame) {
      sink_ = std::to_integer<unsigned>(piece.front() ^ piece.back());
    }
    refused_ = answer_ == SendStatus::full;
    return answer_;
  }
  [[nodiscard]] Received receive(NetOffload& offload,
                                 std::span<const std::span<std::byte>> pieces) noexcept {
    const std::size_t room = checked_size(pieces);
    ++host_calls.system;
    if (waiting_.empty()) {
      return {};
    }
    const Frame frame = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    offload = frame.offload;
    const std::size_t size = std::min(room, frame.size);
    std::size_t at = 0;
    for (const auto piece : pieces) {
      const std::size_t part = std::min(piece.size(), size - at);
      for (std::size_t i = 0; i < part && at + i < frame.head.size(); ++i) {
        piece[i] = std::byte{frame.head[at + i]};
      }
      if (part != 0 && at + part > frame.head.size()) {
        piece[part - 1] = std::byte{0x55};
      }
      at += part;
    }
    return {.size = size, .truncated = size < frame.size};
  }

  NetClient* client_ = nullptr;
  std::vector<Frame> waiting_;
  NetBackend::Counters counters_;
  SendStatus answer_ = SendStatus::sent;
  bool refused_ = false;
  bool wanted_ = false;
  bool link_ = true;
  volatile unsigned sink_ = 0;
};

}  // namespace dm::fuzz
