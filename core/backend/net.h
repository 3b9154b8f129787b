// SPDX-License-Identifier: MIT
#pragma once

#include "core/bounds.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dm {

enum class Gso : std::uint8_t { none, tcp4, tcp6 };

/// What travels beside a frame: virtio_net_hdr's meaning (virtio 1.1, 5.1.6), without its layout.
/// Offsets are bytes from the start of the frame, VLAN tag included.
struct NetOffload {
  /// The sum over [checksum_start, end) is still to be put at checksum_start + checksum_offset,
  /// where the pseudo-header's sum stands.
  bool needs_checksum = false;
  bool checksum_valid = false;  ///< received only: the host has verified it
  bool ecn = false;             ///< gso: CWR belongs on the first segment only
  Gso gso = Gso::none;
  /// gso: Ethernet, IP and TCP headers. Of a received frame only a hint (Linux says how much was
  /// linear): the card goes by checksum_start, which such frames always have.
  std::uint16_t header_length = 0;
  std::uint16_t segment_size = 0;  ///< gso: payload bytes in each frame but the last
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};

enum class SendStatus : std::uint8_t {
  sent,
  full,    ///< nothing was taken: offer the frame again after on_sendable()
  failed,  ///< the host refused this frame for good; counted here as a drop
};

/// One of several frames that are handed over together.
struct Outgoing {
  NetOffload offload;
  std::span<const std::span<std::byte>> pieces;  ///< kMostPieces in all frames together
};

/// What became of several frames.
struct SentMany {
  std::size_t sent = 0;  ///< frames, from the first on
  /// Of the next frame, when there is one: `failed` or `full`. Those behind it were not tried.
  SendStatus status = SendStatus::sent;
};

struct Received {
  std::size_t size = 0;    ///< bytes of the frame; 0: none is waiting
  bool truncated = false;  ///< the frame was longer than the pieces; its end is lost
};

/// What a backend tells the card. Called from the loop, never from inside send() or receive().
class NetClient {
 public:
  NetClient() = default;
  NetClient(const NetClient&) = delete;
  NetClient& operator=(const NetClient&) = delete;
  virtual ~NetClient() = default;

  /// While receiving is wanted: a frame is waiting. Once is enough until receive() has said 0, or
  /// receiving was wanted anew.
  virtual void on_receivable() noexcept = 0;
  virtual void on_sendable() noexcept = 0;  ///< send() said full, and has room again
  virtual void on_link(bool up) noexcept = 0;
};

/// The other end of a network card's cable: tap, packet socket. Vectored system calls on the
/// guest's own pages, one for each frame or for several; no queue of its own, so what nobody reads
/// stays in the kernel, which is the flow control. Frames are without FCS. Thread rule: the loop's
/// thread only.
class NetBackend {
 public:
  /// Neither a frame to send nor the place for one to receive has more pieces. None is empty.
  static constexpr std::size_t kMostPieces = 264;

  struct Counters {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t sent_bytes = 0;  ///< of frames, without FCS
    std::uint64_t received_bytes = 0;
    std::uint64_t send_failed = 0;
    std::uint64_t receive_failed = 0;  ///< frames whose offload data made no sense
    std::uint64_t full = 0;            ///< times that send() had to say so
  };

  NetBackend() = default;
  NetBackend(const NetBackend&) = delete;
  NetBackend& operator=(const NetBackend&) = delete;
  virtual ~NetBackend() = default;

  /// Null when the card goes.
  virtual void attach(NetClient* client) noexcept = 0;
  /// How many frames send() may be asked to make of one. 1: it cannot cut, or each frame costs it a
  /// call; the card cuts then, a frame in each unit of its work.
  [[nodiscard]] virtual std::size_t most_segments() const noexcept {
    return bounds::kSegmentsPerSend;
  }
  /// With a gso, `frame` makes at most most_segments() frames.
  [[nodiscard]] virtual SendStatus send(const NetOffload& offload,
                                        std::span<const std::span<std::byte>> frame) noexcept = 0;
  /// How many frames send_many() takes in one call of the host. 1: each frame costs it a call; the
  /// card hands over one in each unit of its work then.
  [[nodiscard]] virtual std::size_t most_frames() const noexcept { return 1; }
  /// Hands over up to most_frames() frames, in order, none of them with a gso.
  [[nodiscard]] virtual SentMany send_many(std::span<const Outgoing> frames) noexcept {
    SentMany done;
    while (done.sent < frames.size() && done.status == SendStatus::sent) {
      done.status = send(frames[done.sent].offload, frames[done.sent].pieces);
      done.sent += done.status == SendStatus::sent ? 1U : 0U;
    }
    return done;
  }
  /// Scatters one frame over `pieces`, in order. Size 0: none waits, or the backend is broken.
  /// `offload` is to be filled in whole. What the host says in it is not believed by the card, so
  /// it need not be checked before.
  [[nodiscard]] virtual Received receive(NetOffload& offload,
                                         std::span<const std::span<std::byte>> pieces) noexcept = 0;
  /// Whether on_receivable() is wanted. Off at first, and again whenever the card has no buffers.
  virtual void want_receive(bool on) noexcept = 0;

  /// Offloads that received frames may carry: with `checksum`, needs_checksum; with `gso` too,
  /// frames of up to 64 KiB. Both off at first. What the backend cannot do it leaves off.
  virtual void accept_offloads(bool checksum, bool gso) noexcept = 0;
  /// Every frame on the wire, not those of `mac` only. For a backend that sees the host's whole
  /// interface; a tap gives everything anyhow.
  virtual void set_promiscuous(bool on) noexcept = 0;
  [[nodiscard]] virtual bool link_up() const noexcept = 0;
  [[nodiscard]] virtual const Counters& counters() const noexcept = 0;
  /// For messages: "tap:vif7.0-emu".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

}  // namespace dm
