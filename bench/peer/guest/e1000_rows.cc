// SPDX-License-Identifier: MIT
#include "bench/peer/guest/e1000.h"
#include "bench/peer/guest/rows.h"

#include <poll.h>

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>

namespace peer {

namespace {

constexpr unsigned kPerTail = 32;
constexpr unsigned kDrained = 2000;

/// Frames that the host's side of the tap has seen.
std::uint64_t seen_frames(const std::string& tap) {
  std::ifstream file{"/sys/class/net/" + tap + "/statistics/rx_packets"};
  std::uint64_t count = 0;
  file >> count;
  return count;
}

void transmit(Session& s, E1000& card, const std::string& row, std::size_t bytes) {
  if (!s.wants(row)) {
    return;
  }
  std::vector<std::byte> frame(bytes);
  for (std::size_t i = 0; i < frame.size(); ++i) {
    frame[i] = static_cast<std::byte>(i * 7);
  }
  frame[0] = std::byte{0x02};
  frame[12] = std::byte{0x88};
  frame[13] = std::byte{0xb5};
  {
    Wire wire{s.options.tap};
    if (!card.send(frame, 3) || !wire.expect(frame)) {
      s.wrong(row, "the frame on the wire is not the one sent");
      return;
    }
  }
  const std::uint64_t before = seen_frames(s.options.tap);
  const std::size_t count = s.times(2000);
  s.repeat(
      row, count, [&](std::size_t) { return card.send(frame, kPerTail); },
      static_cast<double>(bytes * kPerTail), 0, kPerTail);
  const std::uint64_t sent = (count + std::min<std::size_t>(count / 10 + 1, 200)) * kPerTail;
  for (int i = 0; i < 1000 && seen_frames(s.options.tap) - before < sent; ++i) {
    ::poll(nullptr, 0, 1);
  }
  if (seen_frames(s.options.tap) - before != sent) {
    s.wrong(row, "sent " + std::to_string(sent) + " frames, on the wire " +
                     std::to_string(seen_frames(s.options.tap) - before));
  }
}

void transmit_tso(Session& s, E1000& card) {
  if (!s.wants("e1000_tx_tso_64k")) {
    return;
  }
  constexpr std::uint32_t kPayload = 65160;
  // Ethernet, IPv4 without options, TCP without options; lengths and checksums are the card's to
  // fill in.
  std::array<std::uint8_t, 54> header{
      0x02, 0, 0,    0, 0,  9, 0x00, 0x16, 0x3e, 1, 2,    3,    0x08, 0x00, 0x45, 0, 0,    0,
      0,    0, 0x40, 0, 64, 6, 0,    0,    10,   9, 0,    1,    10,   9,    0,    2, 0x10, 0,
      0x20, 0, 0,    0, 0,  1, 0,    0,    0,    1, 0x50, 0x10, 0xff, 0xff, 0,    0, 0,    0};
  constexpr unsigned kTogether = 4;  // in flight, as a TCP connection's window has them
  s.repeat(
      "e1000_tx_tso_64k", s.times(1000),
      [&](std::size_t) {
        return card.send_tso(std::as_bytes(std::span{header}), kPayload, 1460, kTogether);
      },
      kPayload, 0, kTogether);
}

void receive(Session& s, E1000& card, const std::string& row, std::uint32_t bytes) {
  if (!s.wants(row)) {
    return;
  }
  card.enable_receiver();
  Wire wire{s.options.tap};
  std::uint32_t injected = 1;
  std::uint32_t expected = 1;
  Samples samples{100};
  const std::size_t rounds = s.times(20);
  const Subject::Usage before = s.subject.usage();
  const std::uint64_t calls_before = s.subject.system_calls();
  for (std::size_t i = 0; i < rounds; ++i) {
    if (!wire.inject(kDrained, bytes, injected)) {
      s.wrong(row, "the tap's queue does not take the frames");
      return;
    }
    ::poll(nullptr, 0, 5);
    const std::uint64_t begin = Clock::ticks();
    if (!card.receive(kDrained, bytes, expected)) {
      s.wrong(row, "a frame was lost, late or changed before number " + std::to_string(expected));
      return;
    }
    samples.add((Clock::ticks() - begin) / kDrained);
    wire.forget();
  }
  const Subject::Use used = s.subject.used_since(before);
  const auto frames = static_cast<double>(rounds * kDrained);
  const double median = samples.at(0.5, s.clock);
  std::ostringstream fields;
  fields << "\"n\": " << frames << ", \"median_ns\": " << median
         << ", \"p99_ns\": " << samples.at(0.99, s.clock)
         << ", \"cpu_ns\": " << static_cast<double>(used.cpu_ns) / frames
         << ", \"bytes_per_s\": " << bytes / median * 1e9;
  if (s.options.count_calls) {
    fields << ", \"calls\": "
           << static_cast<double>(s.subject.system_calls() - calls_before) / frames;
  }
  s.report(row, fields.str());
}

/// From the receiver's switching on to a frame that already waits: a driver's `ifup`.
void first_frame(Session& s, E1000& card) {
  if (!s.wants("e1000_rx_first")) {
    return;
  }
  Wire wire{s.options.tap};
  std::uint32_t number = 1;
  if (!wire.inject(4, 60, number)) {
    s.wrong("e1000_rx_first", "the tap's queue does not take the frames");
    return;
  }
  const std::uint64_t begin = Clock::ticks();
  card.enable_receiver();
  std::uint32_t expected = 1;
  if (!card.receive(4, 60, expected)) {
    s.wrong("e1000_rx_first", "the waiting frames did not come");
    return;
  }
  s.report("e1000_rx_first",
           "\"n\": 1, \"median_ns\": " + std::to_string(s.clock.ns(Clock::ticks() - begin)));
}

}  // namespace

void run_e1000_rows(Session& s) {
  if (!s.wants_of("e1000")) {
    return;
  }
  E1000 card{s.cpu, s.xen, s.pci};
  if (s.options.tap.empty()) {
    s.not_there("e1000_tx_60", "no tap");
    return;
  }
  if (!card.set_up()) {
    s.not_there("e1000_tx_60", "no 82540EM");
    return;
  }
  transmit(s, card, "e1000_tx_60", 60);
  transmit(s, card, "e1000_tx_1514", 1514);
  transmit_tso(s, card);
  first_frame(s, card);
  receive(s, card, "e1000_rx_60", 60);
  receive(s, card, "e1000_rx_1514", 1514);
}

}  // namespace peer
