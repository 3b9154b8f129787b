// SPDX-License-Identifier: MIT
// The two ways from a card to an interface that the kernel has already, as a stub domain has its
// netfront: a packet socket on it, and a tap with a bridge between them. The interface is one end
// of a veth pair in a network namespace of the program's own; the other end is the network. A row
// is the processor's time for a frame from end to end, so `in` contains the other end's send, which
// `in/floor` shows alone. Needs root.

#include "platform/linux/loop/loop.h"
#include "platform/linux/net/net.h"

#include <benchmark/benchmark.h>

#include <sched.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using Mac = std::array<std::uint8_t, 6>;
constexpr Mac kGuest{2, 0, 0, 0, 0, 1};
constexpr Mac kNetwork{2, 0, 0, 0, 0, 2};
constexpr std::size_t kHeaders = 54;  ///< Ethernet 14, IPv4 20, TCP 20

enum class Way { packet, tap_and_bridge, nobody };

/// A TCP segment (RFC 9293) from one to the other. Nobody looks at its checksums: the far ends have
/// no address.
std::vector<std::byte> frame_of(const Mac& to, const Mac& from, std::size_t size) {
  std::vector<std::byte> frame(size);
  std::memcpy(frame.data(), to.data(), to.size());
  std::memcpy(frame.data() + 6, from.data(), from.size());
  const auto length = static_cast<std::uint16_t>(size - 14);
  const std::uint8_t rest[]{0x08,
                            0x00,
                            0x45,
                            0,
                            static_cast<std::uint8_t>(length >> 8U),
                            static_cast<std::uint8_t>(length & 0xffU),
                            0,
                            0,
                            0x40,
                            0,
                            64,
                            6,
                            0,
                            0,
                            10,
                            0,
                            0,
                            1,
                            10,
                            0,
                            0,
                            2};
  std::memcpy(frame.data() + 12, rest, sizeof rest);
  frame[46] = std::byte{0x50};  // data offset: five words
  return frame;
}

dm::NetOffload offload_of(std::size_t size) {
  if (size <= 1514) {
    return {};
  }
  return {.needs_checksum = true,
          .gso = dm::Gso::tcp4,
          .header_length = kHeaders,
          .segment_size = 1460,
          .checksum_start = 34,
          .checksum_offset = 16};
}

struct Silent final : dm::NetClient {
  void on_receivable() noexcept override {}
  void on_sendable() noexcept override {}
  void on_link(bool /*up*/) noexcept override {}
};

bool run(const std::string& commands) {
  return std::system(("set -e; " + commands).c_str()) == 0;  // NOLINT: constants of this file
}

/// Quiet ends: no address, no neighbour discovery.
bool lay_out(Way way) {
  if (::unshare(CLONE_NEWNET) != 0) {
    return false;
  }
  constexpr auto kPair =
      "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6;"
      "ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up;";
  constexpr auto kBridge =
      "for i in /proc/sys/net/bridge/*; do echo 0 > $i; done 2> /dev/null;"  // no packet filter
      "ip link add br0 type bridge; ip link set eth0 master br0; ip link set br0 up;"
      "ip tuntap add dev tap0 mode tap vnet_hdr; ip link set tap0 master br0; ip link set tap0 up;";
  return run(kPair) && (way != Way::tap_and_bridge || run(kBridge));
}

/// The guest's card and the network's, and the cable between them.
class Network {
 public:
  explicit Network(Way way) {
    if (!lay_out(way)) {
      return;
    }
    far_ = open(kNetwork, "far0", "");
    if (way == Way::packet) {
      near_ = open(kGuest, "eth0", "");
    } else if (way == Way::tap_and_bridge) {
      near_ = open(kGuest, "", "tap0");
    }
    there_ = far_ != nullptr && (near_ != nullptr || way == Way::nobody);
    if (near_ != nullptr) {
      near_->accept_offloads(true, true);
      near_->want_receive(true);
    }
  }

  [[nodiscard]] bool there() const noexcept { return there_; }
  [[nodiscard]] dm::NetBackend& near() noexcept { return *near_; }
  [[nodiscard]] dm::NetBackend& far() noexcept { return *far_; }

  /// Until frames come through, since a bridge takes up to a second to see that a port is up; then
  /// it has also learnt who is where. False: they never do.
  [[nodiscard]] bool get_going() {
    if (near_ == nullptr) {
      return true;
    }
    std::vector<std::byte> room(std::size_t{1} << 17U);
    bool came = false;
    for (int i = 0; i < 300 && !came; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
      (void)send(*near_, kNetwork, kGuest, 60);
      (void)send(*far_, kGuest, kNetwork, 60);
      while (take(*near_, room) != 0) {
        came = true;
      }
    }
    return came;
  }

  static dm::SendStatus send(dm::NetBackend& at, const Mac& to, const Mac& from, std::size_t size) {
    auto frame = frame_of(to, from, size);
    std::span<std::byte> piece{frame};
    return at.send(offload_of(size), {&piece, 1});
  }
  static std::size_t take(dm::NetBackend& at, std::span<std::byte> room) {
    dm::NetOffload offload;
    return at.receive(offload, {&room, 1}).size;
  }

  /// The kernel may bring a frame a moment later.
  static std::size_t await(dm::NetBackend& at, std::span<std::byte> room) {
    std::size_t size = 0;
    for (int i = 0; i < 10'000 && size == 0; ++i) {
      size = take(at, room);
    }
    return size;
  }

 private:
  std::unique_ptr<dm::NetBackend> open(const Mac& mac, const char* shared, const char* tap) {
    dm::NicConfig config;
    config.id = "nic0";
    config.mac = mac;
    config.interface = shared;
    config.tap_name = tap;
    auto made = dm::host::open_net(loop_, config);
    if (!made) {
      return nullptr;
    }
    (*made)->attach(&silent_);
    return std::move(*made);
  }

  Silent silent_;
  dm::host::Loop loop_;
  std::unique_ptr<dm::NetBackend> near_;
  std::unique_ptr<dm::NetBackend> far_;
  bool there_ = false;
};

enum class Direction { out, in };

void frames(benchmark::State& state, Direction direction, Way way) {
  Network network{way};
  if (!network.there() || !network.get_going()) {
    state.SkipWithError("no network of our own (root, ip, veth, tun and bridge are needed)");
    return;
  }
  const bool out = direction == Direction::out;
  const bool taken = !out && way != Way::nobody;
  const auto size = static_cast<std::size_t>(state.range(0));
  auto frame = out ? frame_of(kNetwork, kGuest, size) : frame_of(kGuest, kNetwork, size);
  std::span<std::byte> piece{frame};
  const auto offload = offload_of(size);
  auto& from = out ? network.near() : network.far();
  std::vector<std::byte> room(std::size_t{1} << 17U);
  std::int64_t lost = 0;
  for (auto _ : state) {
    const bool sent = from.send(offload, {&piece, 1}) == dm::SendStatus::sent;
    lost += !sent || (taken && Network::await(network.near(), room) != size) ? 1 : 0;
  }
  if (lost * 100 > state.iterations()) {
    state.SkipWithError("frames were refused or lost");
  }
}

void add_rows() {
  struct Row {
    const char* name;
    Direction direction;
    Way way;
  };
  for (const Row& row : {Row{"out/packet", Direction::out, Way::packet},
                         Row{"out/tap_and_bridge", Direction::out, Way::tap_and_bridge},
                         Row{"in/packet", Direction::in, Way::packet},
                         Row{"in/tap_and_bridge", Direction::in, Way::tap_and_bridge},
                         Row{"in/floor", Direction::in, Way::nobody}}) {
    benchmark::RegisterBenchmark(row.name, frames, row.direction, row.way)
        ->Arg(60)
        ->Arg(1514)
        ->Arg(60054)
        ->UseRealTime();
  }
}

}  // namespace

int main(int argc, char** argv) {
  add_rows();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
