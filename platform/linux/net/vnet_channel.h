// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/bounds.h"
#include "core/obs/log.h"
#include "core/time/work.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/net/frame_ring.h"
#include "platform/linux/net/link_monitor.h"
#include "platform/linux/net/net_header.h"

#include <boost/container/static_vector.hpp>

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>

namespace dm::host {

/// The common part of tap and packet socket: a descriptor that takes and gives one frame in one
/// vectored call, with a header for offloads in front. Several frames to send are one call where
/// the kernel has what a FrameRing needs. Nothing is buffered here. What the card does not read
/// stays in the kernel's queue. A frame that the kernel does not take is offered again.
///
/// When the interface goes, the link monitor or the next read or write reports it, whichever comes
/// first. Then the link goes down, and frames fail without a system call. Nothing waits for the
/// descriptor, because one without a device is always ready. See README.md, "When an interface
/// goes". Thread rule: the loop's thread only.
class VnetChannel : public NetBackend {
 public:
  ~VnetChannel() override = default;

  void attach(NetClient* client) noexcept override;
  /// Without headers each frame needs its own call, and the kernel may become full between two.
  [[nodiscard]] std::size_t most_segments() const noexcept override {
    return has_header_ ? bounds::kSegmentsPerSend : 1;
  }
  [[nodiscard]] SendStatus send(const NetOffload& offload,
                                std::span<const std::span<std::byte>> frame) noexcept override;
  [[nodiscard]] std::size_t most_frames() const noexcept override {
    return ring_ ? FrameRing::kFrames : 1;
  }
  [[nodiscard]] SentMany send_many(std::span<const Outgoing> frames) noexcept override;
  [[nodiscard]] Received receive(NetOffload& offload,
                                 std::span<const std::span<std::byte>> pieces) noexcept override;
  void want_receive(bool on) noexcept override;
  [[nodiscard]] bool link_up() const noexcept override { return link_.up() && !gone_; }
  [[nodiscard]] const Counters& counters() const noexcept override { return counters_; }
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }

 protected:
  struct Setup {
    UniqueFd fd;  ///< non-blocking
    std::string name;
    std::string interface;  ///< whose link is the card's; empty: always up
    bool has_header = true;
    LinkMonitor::Successor successor = LinkMonitor::Successor::another;
  };
  VnetChannel(Loop& loop, Setup setup);

  [[nodiscard]] int fd() const noexcept { return watch_.fd(); }
  [[nodiscard]] bool has_header() const noexcept { return has_header_; }

  /// The result of one read: bytes including the header, 0 for none, -1 with errno set.
  struct Arrived {
    ssize_t bytes;
    bool truncated;
  };
  [[nodiscard]] virtual Arrived read_frame(std::span<iovec> parts) noexcept = 0;
  /// Puts back what the kernel took out of the frame.
  virtual void restore_frame(std::span<const std::span<std::byte>> /*pieces*/,
                             Received& /*frame*/,
                             NetOffload& /*offload*/) noexcept {}
  /// The interface has come back, or another has taken its place: binds the descriptor to it. False
  /// when that is impossible.
  [[nodiscard]] virtual bool reattach(int /*index*/) noexcept { return false; }

 private:
  [[nodiscard]] SendStatus write_frame(const NetHeader& header,
                                       std::span<const std::span<std::byte>> frame) noexcept;
  [[nodiscard]] SendStatus write_without_header(
      const NetOffload& offload, std::span<const std::span<std::byte>> frame) noexcept;
  [[nodiscard]] bool gather(std::span<const Outgoing> frames) noexcept;
  [[nodiscard]] SendStatus refused(int error) noexcept;
  [[nodiscard]] bool try_again(int error) noexcept;
  void lose(int error) noexcept;
  [[nodiscard]] bool tell_link() noexcept;
  void on_readable() noexcept;
  void on_writable() noexcept;
  void on_link() noexcept;

  std::string name_;
  bool has_header_;
  bool wanted_ = false;
  bool gone_ = false;      ///< the descriptor has no device any more
  bool told_link_ = true;  ///< as the client knows it
  int index_ = 0;          ///< of the interface that the descriptor belongs to
  NetClient* client_ = nullptr;
  Counters counters_;
  log::Limit log_{2};
  std::array<iovec, kMostPieces + FrameRing::kFrames> parts_{};
  std::array<NetHeader, FrameRing::kFrames> headers_{};
  boost::container::static_vector<std::span<iovec>, FrameRing::kFrames> rows_;
  Watch watch_;
  std::unique_ptr<FrameRing> ring_;  ///< null: each frame is a call; goes before its descriptor
  LinkMonitor link_;
  Work news_;  ///< on_link() is not called from inside send() and receive()
};

}  // namespace dm::host
