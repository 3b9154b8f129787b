// SPDX-License-Identifier: MIT
// Several frames in one system call, over a real tap and a real packet socket, and over sockets
// that have little room.
#include "platform/linux/net/frame_ring.h"
#include "platform/linux/net/vnet_channel.h"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "net_rig.h"

namespace {

using namespace dm;
using namespace dm::test;

constexpr std::size_t kMost = bounds::kFramesPerSend;

/// Frames of different lengths, and what hands them over.
struct Frames {
  explicit Frames(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      bytes.push_back(udp_frame(100 + i * 7));
    }
    for (Bytes& frame : bytes) {
      pieces.push_back({std::span{frame}.first(20), std::span{frame}.subspan(20)});
    }
    for (const auto& of_frame : pieces) {
      outgoing.push_back({.offload = {}, .pieces = of_frame});
    }
  }
  std::vector<Bytes> bytes;
  std::vector<std::array<std::span<std::byte>, 2>> pieces;
  std::vector<Outgoing> outgoing;
};

/// Two ends of a socket that keeps frames apart, as a tap does. The first has little room.
struct Narrow {
  Narrow() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(
        ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    from.reset(ends[0]);
    to.reset(ends[1]);
    const int room = 4096;
    BOOST_REQUIRE(::setsockopt(from.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0);
  }
  /// Numbers of the frames that have arrived.
  std::vector<std::size_t> arrived() {
    std::vector<std::size_t> numbers;
    std::array<std::byte, 2048> frame;
    while (::read(to.get(), frame.data(), frame.size()) > 0) {
      numbers.push_back(std::to_integer<std::size_t>(frame[0]));
    }
    return numbers;
  }
  host::UniqueFd from;
  host::UniqueFd to;
};

/// A card's end over such a socket, which can be full as a busy interface can.
class NarrowChannel final : public host::VnetChannel {
 public:
  NarrowChannel(host::Loop& loop, host::UniqueFd fd)
      : VnetChannel{loop, {.fd = std::move(fd), .name = "narrow", .interface = {}}} {}
  void accept_offloads(bool /*checksum*/, bool /*gso*/) noexcept override {}
  void set_promiscuous(bool /*on*/) noexcept override {}

 private:
  [[nodiscard]] Arrived read_frame(std::span<iovec> parts) noexcept override {
    const ssize_t bytes = ::readv(fd(), parts.data(), static_cast<int>(parts.size()));
    return {.bytes = bytes, .truncated = false};
  }
};

/// Frame `i` begins with the byte i.
struct Rows {
  Rows() {
    for (std::size_t i = 0; i < kMost; ++i) {
      bytes[i].fill(static_cast<std::byte>(i));
      parts[i] = {iovec{bytes[i].data(), 12}, iovec{bytes[i].data(), bytes[i].size()}};
      rows[i] = parts[i];
    }
  }
  std::array<std::array<std::byte, 700>, kMost> bytes{};
  std::array<std::array<iovec, 2>, kMost> parts{};
  std::array<std::span<iovec>, kMost> rows;
};

[[nodiscard]] std::unique_ptr<host::FrameRing> ring_of(int fd) {
  auto ring = host::FrameRing::make(fd);
  if (!ring) {
    BOOST_TEST_MESSAGE("NOT RUN: this kernel has no io_uring with deferred work");
  }
  return ring;
}

BOOST_AUTO_TEST_SUITE(net_batch)

BOOST_AUTO_TEST_CASE(frames_handed_over_together_cross_in_order_and_unchanged) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  for (std::size_t count = 1; count <= kMost; ++count) {
    Frames frames{count};
    for (const bool from_tap : {true, false}) {
      NetBackend& from = from_tap ? *cable.tap : static_cast<NetBackend&>(*cable.packet);
      NetBackend& to = from_tap ? static_cast<NetBackend&>(*cable.packet) : *cable.tap;
      const NetBackend::Counters before = from.counters();
      const SentMany done = from.send_many(frames.outgoing);
      BOOST_TEST(done.sent == count);
      BOOST_TEST((done.status == SendStatus::sent));
      std::size_t bytes = 0;
      for (const Bytes& frame : frames.bytes) {
        BOOST_TEST((cable.take(to) == frame));
        bytes += frame.size();
      }
      BOOST_TEST(from.counters().sent - before.sent == count);
      BOOST_TEST(from.counters().sent_bytes - before.sent_bytes == bytes);
    }
  }
}

BOOST_AUTO_TEST_CASE(each_frame_has_its_own_checksum_request) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  Frames frames{6};
  for (std::size_t i = 0; i < frames.bytes.size(); ++i) {
    frames.outgoing[i].offload = start_sum(frames.bytes[i]);
  }
  const SentMany done = cable.packet->send_many(frames.outgoing);
  BOOST_TEST(done.sent == 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    const Bytes got = cable.take(*cable.tap);
    BOOST_TEST(got.size() == frames.bytes[i].size());
    BOOST_TEST(udp_sum_is_right(got));
  }
}

BOOST_AUTO_TEST_CASE(bare_taps_take_frames_one_by_one) {
  Cable cable{Cable::WithoutHeader{}};
  if (!cable.there()) {
    return;
  }
  Narrow narrow;
  BOOST_TEST(cable.tap->most_frames() == 1U);
  BOOST_TEST(cable.packet->most_frames() == (ring_of(narrow.from.get()) ? kMost : 1U));
  Frames frames{5};
  const SentMany done = cable.tap->send_many(frames.outgoing);
  BOOST_TEST(done.sent == 5U);
  for (const Bytes& frame : frames.bytes) {
    BOOST_TEST((cable.take(*cable.packet) == frame));
  }
}

BOOST_AUTO_TEST_CASE(an_interface_that_is_down_fails_the_first_and_the_others_are_not_tried) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  cable.set_up(false);
  Frames frames{5};
  for (NetBackend* from : {cable.tap.get(), static_cast<NetBackend*>(cable.packet.get())}) {
    const std::uint64_t failed = from->counters().send_failed;
    const SentMany done = from->send_many(frames.outgoing);
    BOOST_TEST(done.sent == 0U);
    BOOST_TEST((done.status == SendStatus::failed));
    BOOST_TEST(from->counters().send_failed == failed + 1);
  }
}

BOOST_AUTO_TEST_CASE(what_finds_no_room_ends_the_row_and_overtakes_nothing) {
  Narrow narrow;
  const auto ring = ring_of(narrow.from.get());
  if (!ring) {
    return;
  }
  Rows rows;
  std::size_t at = 0;
  std::vector<std::size_t> seen;
  std::size_t rounds = 0;
  for (; at < kMost && rounds < 2 * kMost; ++rounds) {
    const auto left = std::span<const std::span<iovec>>{rows.rows}.subspan(at);
    const host::FrameRing::Written done = ring->write(left);
    BOOST_TEST(done.bytes == done.frames * 712);
    if (done.frames < left.size()) {
      BOOST_TEST(done.error == EAGAIN);
    } else {
      BOOST_TEST(done.error == 0);
    }
    at += done.frames;
    for (const std::size_t number : narrow.arrived()) {
      seen.push_back(number);
    }
  }
  BOOST_TEST(at == kMost);
  BOOST_TEST(rounds > 1U);  // else it never was full
  BOOST_REQUIRE(seen.size() == kMost);
  for (std::size_t i = 0; i < kMost; ++i) {
    BOOST_TEST(seen[i] == i);
  }
}

/// While a watch waits for room it cannot rest, so it has to when room has come.
BOOST_AUTO_TEST_CASE(frames_for_a_card_that_had_to_wait_for_room_wake_nobody) {
  for (const bool leaves : {false, true}) {
    Narrow narrow;
    host::Loop loop;
    NarrowChannel channel{loop, std::move(narrow.from)};
    NetEars ears{channel};
    channel.want_receive(true);
    run_for(loop, 5ms);
    Frames frames{1};
    while (channel.send({}, frames.pieces[0]) == SendStatus::sent) {
    }
    BOOST_TEST(channel.counters().full == 1U);
    channel.want_receive(false);
    if (leaves) {
      channel.attach(nullptr);
    }
    BOOST_TEST(!narrow.arrived().empty());
    run_for(loop, 5ms);
    BOOST_TEST(ears.sendable == (leaves ? 0 : 1));
    const auto wakeups = loop.counters().wakeups;
    for (int i = 0; i < 20; ++i) {
      BOOST_TEST(::write(narrow.to.get(), frames.bytes[0].data(), 100) == 100);
      (void)loop.wait(0ns);
    }
    BOOST_TEST(loop.counters().wakeups == wakeups);
    BOOST_TEST(ears.receivable == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_peer_that_has_gone_is_an_error_of_the_first_frame) {
  Narrow narrow;
  const auto ring = ring_of(narrow.from.get());
  if (!ring) {
    return;
  }
  narrow.to.reset();
  Rows rows;
  for (int i = 0; i < 3; ++i) {  // and the ring is as good as before
    const host::FrameRing::Written done = ring->write(rows.rows);
    BOOST_TEST(done.frames == 0U);
    BOOST_TEST(done.error == EPIPE);
  }
}

BOOST_AUTO_TEST_CASE(a_tap_can_be_made_again_at_once_when_its_ring_has_gone) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  for (int i = 0; i < 5; ++i) {
    auto tap = host::TapNet::create(cable.loop, "again0");
    BOOST_REQUIRE(tap.has_value());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
