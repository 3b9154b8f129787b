// SPDX-License-Identifier: MIT
// A network of two ends in a namespace of the test's own, frames to send over it, and a second
// opinion about checksums and segments.
#pragma once

#include "platform/linux/loop/loop.h"
#include "platform/linux/net/net.h"
#include "platform/linux/net/packet_net.h"
#include "platform/linux/net/tap_net.h"

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support.h"

namespace dm::test {

using Bytes = std::vector<std::byte>;

/// Ethernet 14, IPv4 20, TCP 20 with 12 of options.
inline constexpr std::size_t kTcpHeaders = 66;

[[nodiscard]] Bytes udp_frame(std::size_t payload);
/// With IPv4's checksum right, and in TCP's field the sum of the pseudo-header, length included.
[[nodiscard]] Bytes tcp_frame(std::size_t payload);
[[nodiscard]] NetOffload gso_of(std::uint16_t segment);
/// Leaves of a UDP frame's checksum what a driver leaves for hardware to complete.
[[nodiscard]] NetOffload start_sum(Bytes& frame);
[[nodiscard]] bool udp_sum_is_right(const Bytes& frame);
/// `frames` are `large`, cut every `segment` bytes: every header field and checksum, every byte.
void check_cut(const Bytes& large, std::size_t segment, const std::vector<Bytes>& frames);

struct NetEars final : NetClient {
  explicit NetEars(NetBackend& of) : backend{of} { backend.attach(this); }
  ~NetEars() override { backend.attach(nullptr); }
  void on_receivable() noexcept override { ++receivable; }
  void on_sendable() noexcept override { ++sendable; }
  void on_link(bool up) noexcept override { links += up ? '+' : '-'; }

  NetBackend& backend;
  int receivable = 0;
  int sendable = 0;
  std::string links;
};

/// This thread in a new network namespace, until it goes.
class Namespace {
 public:
  Namespace();
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;
  ~Namespace();
  [[nodiscard]] bool there() const noexcept { return there_; }

 private:
  host::UniqueFd before_;
  bool there_ = false;
};

/// A tap, and a packet socket on its interface.
class Cable {
 public:
  struct Inherited {};
  struct WithoutHeader {};

  Cable() : Cable{0} {}
  /// The tap is opened by somebody else, as a toolstack does that says fd=.
  explicit Cable(Inherited);
  /// Likewise, and it carries bare frames.
  explicit Cable(WithoutHeader);

  /// False, with a word about it, where this cannot be tried: no root, no tun.
  [[nodiscard]] bool there() const noexcept { return packet != nullptr; }
  [[nodiscard]] SendStatus send(NetBackend& from, Bytes frame, const NetOffload& offload = {});
  [[nodiscard]] bool wait(NetBackend& at);
  /// The next frame, or nothing after a while.
  [[nodiscard]] Bytes take(NetBackend& at, NetOffload* offload = nullptr);
  [[nodiscard]] std::vector<Bytes> take_all(NetBackend& at);
  void set_up(bool up);
  void set_mtu(int mtu);
  [[nodiscard]] unsigned long promiscuity() const;

 private:
  /// `flags` as for TUNSETIFF, of the tap to inherit; 0: it is made by name.
  explicit Cable(short flags);
  [[nodiscard]] std::unique_ptr<NetBackend> make_tap(short flags);

  Namespace own_;
  host::UniqueFd
      control_;  ///< for set_up(), which a process may do that can make no socket any more

 public:
  host::Loop loop;
  std::unique_ptr<NetBackend> tap;
  std::unique_ptr<host::PacketNet> packet;
  std::optional<NetEars> tap_client;
  std::optional<NetEars> packet_client;
};

}  // namespace dm::test
