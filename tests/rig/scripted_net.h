// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/bounds.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace dm::rig {

using Bytes = std::vector<std::byte>;

/// The other end of a card's cable, played by the test: remembers what is sent, stalls, refuses,
/// and has frames to give.
class ScriptedNet final : public NetBackend {
 public:
  struct Frame {
    Bytes bytes;
    NetOffload offload;
    std::size_t pieces = 0;  ///< in how many it came
  };

  // The test's side.
  std::vector<Frame> sent;
  std::size_t room = std::numeric_limits<std::size_t>::max();  ///< frames that send() still takes
  bool refuse = false;                                         ///< send() fails
  std::size_t refuse_at = std::numeric_limits<std::size_t>::max();  ///< the frame behind so many
  std::size_t calls = 0;                            ///< of send() and of send_many(), each one
  std::size_t segments = bounds::kSegmentsPerSend;  ///< that send() cuts
  std::size_t together = bounds::kFramesPerSend;    ///< frames that a call takes
  std::vector<std::vector<std::size_t>> offered;    ///< sizes of the pieces of each receive()
  std::vector<bool> promiscuous;                    ///< every set_promiscuous()
  std::size_t wants = 0;                            ///< calls of want_receive()
  bool wanted = false;
  bool checksum_accepted = false;
  bool gso_accepted = false;
  NetClient* client = nullptr;

  /// A frame arrives. Told at once when the card wants to hear of it.
  void arrive(Bytes bytes, NetOffload offload = {}) {
    queue_.push_back({std::move(bytes), offload});
    poll();
  }
  /// What a loop does when the descriptor is readable.
  void poll() {
    if (wanted && !queue_.empty() && client != nullptr) {
      client->on_receivable();
    }
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return queue_.size(); }
  void make_room(std::size_t frames) {
    room = frames;
    if (stalled_ && room != 0 && client != nullptr) {
      stalled_ = false;
      client->on_sendable();
    }
  }
  void set_link(bool up) {
    link_ = up;
    if (client != nullptr) {
      client->on_link(up);
    }
  }

  // The card's side.
  void attach(NetClient* who) noexcept override { client = who; }
  [[nodiscard]] std::size_t most_segments() const noexcept override { return segments; }
  SendStatus send(const NetOffload& offload,
                  std::span<const std::span<std::byte>> frame) noexcept override {
    ++calls;
    if (refuse || counters_.sent == refuse_at) {
      refuse_at = std::numeric_limits<std::size_t>::max();
      ++counters_.send_failed;
      return SendStatus::failed;
    }
    if (room == 0) {
      stalled_ = true;
      ++counters_.full;
      return SendStatus::full;
    }
    --room;
    Frame out{.bytes = {}, .offload = offload, .pieces = frame.size()};
    for (const auto piece : frame) {
      out.bytes.insert(out.bytes.end(), piece.begin(), piece.end());
    }
    ++counters_.sent;
    counters_.sent_bytes += out.bytes.size();
    sent.push_back(std::move(out));
    return SendStatus::sent;
  }
  [[nodiscard]] std::size_t most_frames() const noexcept override { return together; }
  SentMany send_many(std::span<const Outgoing> frames) noexcept override {
    const std::size_t before = calls;
    const SentMany done = NetBackend::send_many(frames);
    calls = before + 1;
    return done;
  }
  Received receive(NetOffload& offload,
                   std::span<const std::span<std::byte>> pieces) noexcept override {
    std::vector<std::size_t> sizes;
    for (const auto piece : pieces) {
      sizes.push_back(piece.size());
    }
    offered.push_back(sizes);
    if (queue_.empty()) {
      return {};
    }
    const Waiting frame = std::move(queue_.front());
    queue_.pop_front();
    offload = frame.offload;
    std::size_t at = 0;
    for (const auto piece : pieces) {
      const std::size_t part = std::min(piece.size(), frame.bytes.size() - at);
      if (part != 0) {
        std::memcpy(piece.data(), frame.bytes.data() + at, part);
      }
      at += part;
    }
    ++counters_.received;
    counters_.received_bytes += at;
    return {.size = at, .truncated = at < frame.bytes.size()};
  }
  void want_receive(bool on) noexcept override {
    wanted = on;
    ++wants;
    if (on) {
      poll();
    }
  }
  void accept_offloads(bool checksum, bool gso) noexcept override {
    checksum_accepted = checksum;
    gso_accepted = gso;
  }
  void set_promiscuous(bool on) noexcept override { promiscuous.push_back(on); }
  [[nodiscard]] bool link_up() const noexcept override { return link_; }
  [[nodiscard]] const Counters& counters() const noexcept override { return counters_; }
  [[nodiscard]] std::string_view name() const noexcept override { return "scripted"; }

 private:
  struct Waiting {
    Bytes bytes;
    NetOffload offload;
  };
  std::deque<Waiting> queue_;
  Counters counters_;
  bool stalled_ = false;
  bool link_ = true;
};

}  // namespace dm::rig
