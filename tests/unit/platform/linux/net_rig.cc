// SPDX-License-Identifier: MIT
#include "net_rig.h"

#include <boost/test/unit_test.hpp>

#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace dm::test {

namespace {

constexpr const char* kInterface = "cable0";

void put16(Bytes& frame, std::size_t at, std::size_t value) {
  frame[at] = static_cast<std::byte>(value >> 8U & 0xffU);
  frame[at + 1] = static_cast<std::byte>(value & 0xffU);
}
std::uint32_t get16(const Bytes& frame, std::size_t at) {
  return std::to_integer<std::uint32_t>(frame[at]) << 8U |
         std::to_integer<std::uint32_t>(frame[at + 1]);
}
std::uint32_t get32(const Bytes& frame, std::size_t at) {
  return get16(frame, at) << 16U | get16(frame, at + 2);
}

/// RFC 1071, the plain way.
std::uint32_t sum16(const Bytes& frame, std::size_t from, std::size_t to, std::uint32_t start = 0) {
  std::uint64_t sum = start;
  for (std::size_t i = from; i < to; ++i) {
    sum += std::to_integer<std::uint64_t>(frame[i]) << ((i - from) % 2 == 0 ? 8U : 0U);
  }
  while (sum > 0xffff) {
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return static_cast<std::uint32_t>(sum);
}
std::uint32_t pseudo_header(const Bytes& frame, std::uint32_t protocol) {
  const auto length = static_cast<std::uint32_t>(frame.size() - 34);
  return sum16(frame, 26, 34, protocol + length);
}

/// Ethernet and IPv4 headers for so many bytes behind them; the local experimental addresses.
Bytes ip_frame(std::uint8_t protocol, std::size_t behind) {
  Bytes frame(34 + behind);
  const unsigned char start[34]{0x02, 0,    0, 0, 0,    1,    0x02, 0, 0,  0,        0, 2,
                                0x08, 0x00,  // Ethernet
                                0x45, 0,    0, 0, 0x12, 0x34, 0x40, 0, 64, protocol, 0, 0,  // IPv4
                                10,   0,    0, 1, 10,   0,    0,    2};
  std::memcpy(frame.data(), start, sizeof start);
  put16(frame, 16, 20 + behind);
  put16(frame, 24, ~sum16(frame, 14, 34));
  for (std::size_t i = 34; i < frame.size(); ++i) {
    frame[i] = pattern(i * 7);
  }
  return frame;
}

}  // namespace

Bytes udp_frame(std::size_t payload) {
  Bytes frame = ip_frame(17, 8 + payload);
  put16(frame, 34, 9);
  put16(frame, 36, 9);
  put16(frame, 38, 8 + payload);
  put16(frame, 40, 0);
  return frame;
}

Bytes tcp_frame(std::size_t payload) {
  Bytes frame = ip_frame(6, 32 + payload);
  std::memset(frame.data() + 34, 0, 32);
  put16(frame, 34, 1000);
  put16(frame, 36, 2000);
  put16(frame, 38, 0xffff);  // so that the sequence number wraps
  put16(frame, 40, 0xf000);
  frame[46] = std::byte{0x80};  // 32 bytes of header
  frame[47] = std::byte{0x19};  // ACK, PSH, FIN
  put16(frame, 48, 512);
  put16(frame, 50, pseudo_header(frame, 6));
  frame[54] = frame[55] = std::byte{1};  // no-operation options
  return frame;
}

NetOffload gso_of(std::uint16_t segment) {
  return {.needs_checksum = true,
          .gso = Gso::tcp4,
          .header_length = kTcpHeaders,
          .segment_size = segment,
          .checksum_start = 34,
          .checksum_offset = 16};
}

NetOffload start_sum(Bytes& frame) {
  put16(frame, 40, pseudo_header(frame, 17));
  return {.needs_checksum = true, .checksum_start = 34, .checksum_offset = 6};
}

bool udp_sum_is_right(const Bytes& frame) {
  return frame.size() > 42 && get16(frame, 40) != 0 &&
         sum16(frame, 34, frame.size(), pseudo_header(frame, 17)) == 0xffff;
}

void check_cut(const Bytes& large, std::size_t segment, const std::vector<Bytes>& frames) {
  const std::size_t payload = large.size() - kTcpHeaders;
  BOOST_TEST_REQUIRE(frames.size() == (payload + segment - 1) / segment);
  std::size_t at = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Bytes& one = frames[i];
    const bool last = i + 1 == frames.size();
    const std::size_t bytes = last ? payload - at : segment;
    BOOST_TEST_REQUIRE(one.size() == kTcpHeaders + bytes);
    BOOST_TEST(std::equal(one.begin() + kTcpHeaders, one.end(),
                          large.begin() + static_cast<std::ptrdiff_t>(kTcpHeaders + at)));
    BOOST_TEST(get16(one, 16) == one.size() - 14);
    BOOST_TEST(get16(one, 18) == ((get16(large, 18) + i) & 0xffffU));
    BOOST_TEST(sum16(one, 14, 34) == 0xffffU);
    BOOST_TEST(get32(one, 38) == get32(large, 38) + static_cast<std::uint32_t>(at));
    BOOST_TEST((one[47] == (last ? std::byte{0x19} : std::byte{0x10})));
    BOOST_TEST(sum16(one, 34, one.size(), pseudo_header(one, 6)) == 0xffffU);
    at += bytes;
  }
}

Namespace::Namespace() : before_{::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)} {
  there_ = before_ && ::unshare(CLONE_NEWNET) == 0;
  if (!there_) {
    std::cout << "NOT RUN: no network namespace of our own (run as root)\n";
  }
}

Namespace::~Namespace() {
  if (there_) {
    (void)::setns(before_.get(), CLONE_NEWNET);
  }
}

Cable::Cable(Inherited) : Cable{short{IFF_TAP | IFF_NO_PI | IFF_VNET_HDR}} {}

Cable::Cable(WithoutHeader) : Cable{short{IFF_TAP | IFF_NO_PI}} {}

Cable::Cable(short flags) {
  if (!own_.there()) {
    return;
  }
  tap = make_tap(flags);
  if (tap == nullptr) {
    return;
  }
  tap_client.emplace(*tap);
  set_up(true);
  BOOST_TEST(run_until(loop, [&] { return tap->link_up(); }));
  tap_client->links.clear();
  auto made = host::PacketNet::create(loop, kInterface, {2, 0, 0, 0, 0, 1});
  BOOST_TEST_REQUIRE(made.has_value());
  packet = std::move(*made);
  packet_client.emplace(*packet);
  set_mtu(1500);
  tap->want_receive(true);
  packet->want_receive(true);
  run_for(loop, 5ms);
  (void)take_all(*tap);  // what IPv6 has to say about a new interface
  (void)take_all(*packet);
  tap_client->receivable = 0;
}

std::unique_ptr<NetBackend> Cable::make_tap(short flags) {
  NicConfig card;
  card.id = "nic0";
  if (flags == 0) {
    card.tap_name = kInterface;
    auto made = host::open_net(loop, card);
    if (made) {
      return std::move(*made);
    }
    std::cout << "NOT RUN: " << made.error().message << '\n';
    return nullptr;
  }
  host::UniqueFd fd{::open("/dev/net/tun", O_RDWR | O_CLOEXEC)};
  ifreq request{};
  std::strcpy(request.ifr_name, kInterface);
  request.ifr_flags = flags;
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) {
    std::cout << "NOT RUN: no tap interface can be made here\n";
    return nullptr;
  }
  card.tap_fd = fd.release();
  auto made = host::open_net(loop, card);
  BOOST_TEST_REQUIRE(made.has_value());
  return std::move(*made);
}

SendStatus Cable::send(NetBackend& from, Bytes frame, const NetOffload& offload) {
  std::span<std::byte> piece{frame};
  return from.send(offload, {&piece, 1});
}

bool Cable::wait(NetBackend& at) {
  NetEars& ears = &at == tap.get() ? *tap_client : *packet_client;
  return run_until(
      loop, [&] { return ears.receivable != 0; }, 1000ms);
}

Bytes Cable::take(NetBackend& at, NetOffload* offload) {
  Bytes room(std::size_t{1} << 17);
  NetOffload ignored;
  const auto receive = [&] {
    std::span<std::byte> piece{room};
    return at.receive(offload != nullptr ? *offload : ignored, {&piece, 1});
  };
  Received got = receive();
  for (int i = 0; got.size == 0 && i < 50; ++i) {
    run_for(loop, 2ms);
    got = receive();
  }
  room.resize(got.size);
  return room;
}

std::vector<Bytes> Cable::take_all(NetBackend& at) {
  std::vector<Bytes> frames;
  for (Bytes one = take(at); !one.empty(); one = take(at)) {
    frames.push_back(std::move(one));
  }
  return frames;
}

void Cable::set_up(bool up) {
  if (!control_) {
    control_ = host::UniqueFd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  }
  // Nobody's neighbour discovery among the test's frames.
  if (FILE* const file = std::fopen(
          (std::string{"/proc/sys/net/ipv6/conf/"} + kInterface + "/disable_ipv6").c_str(), "w")) {
    std::fputs("1", file);
    std::fclose(file);
  }
  ifreq request{};
  std::strcpy(request.ifr_name, kInterface);
  request.ifr_flags = static_cast<short>(up ? IFF_UP | IFF_NOARP : IFF_NOARP);
  BOOST_TEST_REQUIRE(::ioctl(control_.get(), SIOCSIFFLAGS, &request) == 0);
}

/// What packet sockets asked for is no flag of the interface; `ip` shows how many have.
unsigned long Cable::promiscuity() const {
  std::string words;
  if (FILE* const pipe = ::popen((std::string{"ip -d link show "} + kInterface).c_str(), "r")) {
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
      words += static_cast<char>(c);
    }
    ::pclose(pipe);
  }
  const std::string name = "promiscuity ";
  const std::size_t at = words.find(name);
  BOOST_TEST_REQUIRE(at != std::string::npos);
  return std::stoul(words.substr(at + name.size()));
}

void Cable::set_mtu(int mtu) {
  const host::UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request{};
  std::strcpy(request.ifr_name, kInterface);
  request.ifr_mtu = mtu;
  BOOST_TEST_REQUIRE(::ioctl(socket.get(), SIOCSIFMTU, &request) == 0);
}

}  // namespace dm::test
