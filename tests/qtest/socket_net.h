// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/unique_fd.h"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace dm::qtest {

/// The other end of a card's cable in the hands of the test program: QEMU's `-netdev socket,fd=N`.
/// A stream, each frame after its length in four bytes, big-endian. What the card leaves to be
/// done, checksums and segments, is done here. Thread rule: the loop's thread only.
class SocketNet final : public NetBackend {
 public:
  static constexpr std::size_t kMaxFrame = 65'536;
  static constexpr std::size_t kReadAtOnce = 65'536;

  SocketNet(host::Loop& loop, host::UniqueFd socket);

  void attach(NetClient* client) noexcept override { client_ = client; }
  [[nodiscard]] SendStatus send(const NetOffload& offload,
                                std::span<const std::span<std::byte>> frame) noexcept override;
  [[nodiscard]] Received receive(NetOffload& offload,
                                 std::span<const std::span<std::byte>> pieces) noexcept override;
  void want_receive(bool on) noexcept override;
  void accept_offloads(bool /*checksum*/, bool /*gso*/) noexcept override {}
  void set_promiscuous(bool /*on*/) noexcept override {}
  [[nodiscard]] bool link_up() const noexcept override { return true; }
  [[nodiscard]] const Counters& counters() const noexcept override { return counters_; }
  [[nodiscard]] std::string_view name() const noexcept override { return "socket"; }

 private:
  void on_readable() noexcept;
  void on_writable() noexcept;
  /// Bytes of the frame that is whole in input_; 0: none is.
  [[nodiscard]] std::size_t whole_frame() noexcept;
  /// Reads on; false when nothing has come.
  [[nodiscard]] bool fill();
  void flush() noexcept;
  [[nodiscard]] bool append_plain(std::span<const std::span<std::byte>> frame);
  [[nodiscard]] bool append_finished(const NetOffload& offload,
                                     std::span<const std::span<std::byte>> frame);

  host::Watch socket_;
  NetClient* client_ = nullptr;
  std::vector<std::byte> unsent_;
  std::size_t sent_ = 0;          ///< of unsent_
  std::vector<std::byte> input_;  ///< less than a frame more than the card has asked for
  std::size_t taken_ = 0;         ///< of input_
  bool ended_ = false;            ///< no more comes: the test program is gone, or breaks the rules
  bool wanted_ = false;
  bool stalled_ = false;
  Counters counters_;
};

}  // namespace dm::qtest
