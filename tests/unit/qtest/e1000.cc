// SPDX-License-Identifier: MIT
// Of QEMU's e1000e-test, for the 82540EM's legacy descriptors, what passes through more than the
// card: options, the cable on a socket, the interrupt inputs. The unit tests of devices/e1000 have
// the rest. Register numbers typed from the PCI/PCI-X Family of Gigabit Ethernet
// Controllers Software Developer's Manual.
#include "tests/qtest/client.h"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>

#include <cstring>

namespace dm::qtest {
namespace {

constexpr std::uint32_t kBar = 0xe0000000;
constexpr std::uint32_t CTRL = 0x0000, ICR = 0x00c0, IMS = 0x00d0, RCTL = 0x0100, TCTL = 0x0400,
                        RDBAL = 0x2800, RDLEN = 0x2808, RDT = 0x2818, TDBAL = 0x3800,
                        TDLEN = 0x3808, TDT = 0x3818, RAL = 0x5400, RAH = 0x5404;
constexpr std::uint32_t TXDW = 0x01, LSC = 0x04, RXT0 = 0x80;
constexpr std::uint8_t DD = 0x01, EOP = 0x02;
constexpr unsigned kIntx = 16 + 4 * 4;  // slot 4, INTA: where Xen has it

constexpr std::uint64_t kTxRing = 0x100000, kRxRing = 0x101000, kTxBuffer = 0x110000,
                        kRxBuffers = 0x120000;
constexpr std::uint32_t kRing = 8;
constexpr std::size_t kRxBuffer = 2048;

std::vector<std::byte> frame(std::size_t size, unsigned salt) {
  std::vector<std::byte> out(size, std::byte{0xff});  // to everybody
  for (std::size_t i = 6; i < size; ++i) {
    out[i] = static_cast<std::byte>((i + salt) & 0xffU);
  }
  return out;
}

/// Two ends of a cable; the server inherits one.
struct Cable {
  Cable() {
    std::array<int, 2> ends{};
    BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    ours.reset(ends[0]);
    cards.reset(ends[1]);
  }
  void send(std::span<const std::byte> bytes) const {
    const auto n = static_cast<std::uint8_t>(bytes.size() >> 8U);
    std::vector<std::byte> out{std::byte{0}, std::byte{0}, std::byte{n},
                               static_cast<std::byte>(bytes.size() & 0xffU)};
    out.insert(out.end(), bytes.begin(), bytes.end());
    BOOST_TEST_REQUIRE(::send(ours.get(), out.data(), out.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(out.size()));
  }
  [[nodiscard]] std::vector<std::byte> take() const {
    std::array<std::uint8_t, 4> length{};
    BOOST_TEST_REQUIRE(::recv(ours.get(), length.data(), 4, MSG_WAITALL) == 4);
    std::vector<std::byte> out(std::size_t{length[2]} * 256 + length[3]);
    BOOST_TEST_REQUIRE(::recv(ours.get(), out.data(), out.size(), MSG_WAITALL) ==
                       static_cast<ssize_t>(out.size()));
    return out;
  }
  host::UniqueFd ours;
  host::UniqueFd cards;
};

struct Card : Cable, Client {
  Card()
      : Client{"-nodefaults -netdev socket,fd=" + std::to_string(cards.get()) +
               ",id=hs0 -device e1000,netdev=hs0,mac=52:54:00:ab:cd:ef,addr=04.0"} {
    BOOST_TEST_REQUIRE(pci.dword(0x00) == 0x100e8086U);
    BOOST_TEST_REQUIRE(pci.place(0, kBar) == 0x20000U);
    pci.enable();
    BOOST_TEST_REQUIRE(reg(RAL) == 0xab005452U);  // as -device says
    BOOST_TEST_REQUIRE(reg(RAH) == 0x8000efcdU);
    intercept();
    reg(CTRL, reg(CTRL) | 1U << 26U);  // RST
    clock_step(10'000'000);
    reg(CTRL, reg(CTRL) | 1U << 6U);  // SLU
    (void)reg(ICR);
    open_rings();
  }
  std::uint32_t reg(std::uint32_t at) { return readl(kBar + at); }
  void reg(std::uint32_t at, std::uint32_t value) { writel(kBar + at, value); }

  void open_rings() {
    memory(kTxRing, std::vector<std::byte>(kRing * 16));
    reg(TDBAL, kTxRing);
    reg(TDLEN, kRing * 16);
    reg(TCTL, 1U << 1U | 1U << 3U);  // EN, PSP
    std::vector<std::uint64_t> ring(std::size_t{kRing} * 2);
    for (std::size_t i = 0; i < kRing; ++i) {
      ring[2 * i] = kRxBuffers + i * kRxBuffer;
    }
    memory(kRxRing, std::as_bytes(std::span{ring}));
    reg(RDBAL, kRxRing);
    reg(RDLEN, kRing * 16);
    reg(RDT, kRing - 1);
    reg(RCTL, 1U << 1U | 1U << 15U | 1U << 26U);  // EN, BAM, SECRC
    reg(IMS, TXDW | RXT0 | LSC);
  }
  std::uint8_t byte_at(std::uint64_t address) {
    return std::to_integer<std::uint8_t>(memory(address, 1).front());
  }
  using Client::memory;

  void transmit(std::span<const std::byte> bytes, std::uint32_t slot) {
    memory(kTxBuffer, bytes);
    const std::uint64_t descriptor[] = {kTxBuffer, bytes.size() | std::uint64_t{0x0b} << 24U};
    memory(kTxRing + slot * 16, std::as_bytes(std::span{descriptor}));  // EOP, IFCS, RS
    reg(TDT, (slot + 1) % kRing);
    wait_irq();
    BOOST_TEST((reg(ICR) & TXDW) == TXDW);
    BOOST_TEST((byte_at(kTxRing + slot * 16 + 12) & DD) == DD);
  }
  std::vector<std::byte> receive(std::uint32_t slot) {
    wait_irq();
    BOOST_TEST((reg(ICR) & RXT0) == RXT0);
    BOOST_TEST((byte_at(kRxRing + slot * 16 + 12) & (DD | EOP)) == (DD | EOP));
    const std::size_t length =
        byte_at(kRxRing + slot * 16 + 8) | std::size_t{byte_at(kRxRing + slot * 16 + 9)} << 8U;
    auto bytes = memory(kRxBuffers + slot * kRxBuffer, length);
    const std::uint64_t fresh[] = {kRxBuffers + slot * kRxBuffer, 0};
    memory(kRxRing + slot * 16, std::as_bytes(std::span{fresh}));
    reg(RDT, slot);
    return bytes;
  }
  void wait_irq() {
    BOOST_TEST_REQUIRE(eventually(100'000, [this] { return irq(kIntx); }));
  }

  PciDevice pci{*this, 4, 0};
};

BOOST_AUTO_TEST_SUITE(e1000)

/// The Internet checksum's sum (RFC 1071) of [from, end), folded.
unsigned sum_of(std::span<const std::byte> bytes, std::size_t from, unsigned sum) {
  for (std::size_t i = from; i < bytes.size(); ++i) {
    sum += std::to_integer<unsigned>(bytes[i]) << (i % 2 == 0 ? 8U : 0U);
  }
  while (sum > 0xffff) {
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return sum;
}

BOOST_FIXTURE_TEST_CASE(a_checksum_that_the_card_was_asked_for_is_in_the_frame, Card) {
  constexpr std::size_t kUdp = 34;
  auto bytes = frame(90, 7);
  const auto put = [&](std::size_t at, unsigned value) {
    bytes[at] = static_cast<std::byte>(value >> 8U);
    bytes[at + 1] = static_cast<std::byte>(value & 0xffU);
  };
  put(12, 0x0800);
  put(14, 0x4500);
  put(22, 0x4011);  // TTL, UDP
  put(kUdp + 4, 90 - kUdp);
  // Of the pseudo-header: addresses, protocol, length.
  const unsigned pseudo = sum_of(std::span{bytes}.first(kUdp), 26, 17 + 90 - kUdp);
  put(kUdp + 6, pseudo);
  memory(kTxBuffer, bytes);
  // A context (TUCSS 34, TUCSO 40; DEXT), and the data (EOP, IFCS, RS, DEXT; TXSM).
  const std::uint64_t ring[] = {
      std::uint64_t{kUdp} << 32U | std::uint64_t{kUdp + 6} << 40U, std::uint64_t{0x20} << 24U,
      kTxBuffer, 90U | 1U << 20U | std::uint64_t{0x2b} << 24U | std::uint64_t{2} << 40U};
  memory(kTxRing, std::as_bytes(std::span{ring}));
  reg(TDT, 2);
  wait_irq();
  const auto got = Cable::take();
  BOOST_TEST_REQUIRE(got.size() == 90U);
  BOOST_TEST(sum_of(got, kUdp, pseudo) == 0xffffU);
  BOOST_TEST(quit() == 0);
}

BOOST_FIXTURE_TEST_CASE(rings_wrap_in_both_directions, Card) {
  for (unsigned i = 0; i < 3 * kRing; ++i) {
    const auto out = frame(60 + i * 17, i);
    transmit(out, i % kRing);
    BOOST_TEST((Cable::take() == out));
    const auto in = frame(64 + i * 29, 100 + i);
    Cable::send(in);
    BOOST_TEST((receive(i % kRing) == in));
  }
  BOOST_TEST(quit() == 0);
}

BOOST_FIXTURE_TEST_CASE(the_pci_link_carries_the_interrupt_to_its_isa_input, Card) {
  PciDevice isa{*this, 1, 0};
  isa.byte(0x60, 0x0b);  // PIRQRCA: slot 4, INTA
  transmit(frame(64, 3), 0);
  (void)Cable::take();
  reg(IMS, TXDW);
  reg(0x00c8, TXDW);  // ICS
  BOOST_TEST(irq(kIntx));
  BOOST_TEST(irq(11));
  (void)reg(ICR);
  BOOST_TEST(!irq(kIntx));
  BOOST_TEST(!irq(11));
  BOOST_TEST(quit() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::qtest
