// SPDX-License-Identifier: MIT
#include "bench/peer/guest/e1000.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>

namespace peer {

namespace {

struct Descriptor {
  std::uint64_t address;
  std::uint32_t low;   ///< length and command; for received frames length and checksum
  std::uint32_t high;  ///< status and the rest
};

constexpr std::uint32_t kEop = 0x01000000;
constexpr std::uint32_t kIfcs = 0x02000000;
constexpr std::uint32_t kTse = 0x04000000;
constexpr std::uint32_t kRs = 0x08000000;
constexpr std::uint32_t kDext = 0x20000000;
constexpr std::uint32_t kDataType = 0x00100000;
constexpr std::uint32_t kDone = 0x01;

[[nodiscard]] std::uint32_t peek_status(const Descriptor& descriptor) noexcept {
  return *static_cast<const volatile std::uint32_t*>(&descriptor.high);
}

constexpr std::array<std::uint8_t, 6> kMac{0x00, 0x16, 0x3e, 0x01, 0x02, 0x03};

}  // namespace

bool E1000::set_up() noexcept {
  const auto function = pci_.find(0x8086, 0x100e);
  if (!function) {
    return false;
  }
  pci_.place_bar(*function, 0, static_cast<std::uint32_t>(kBase));
  pci_.place_bar(*function, 1, 0xc101);
  pci_.enable(*function, 0x7);
  if (!xen_.claimed(range_mmio, kBase, kBase + 3)) {
    return false;
  }
  set(0x00000, get(0x00000) | 0x04000000);  // CTRL.RST
  for (int i = 0; (get(0x00000) & 0x04000000) != 0; ++i) {
    if (i > 10000) {
      return false;
    }
  }
  set(0x000d8, 0xffffffff);                 // IMC
  set(0x00000, get(0x00000) | 0x00000040);  // CTRL.SLU
  if (get(0x05400) != 0x013e1600 || (get(0x05404) & 0xffff) != 0x0302) {
    return false;  // RAL0, RAH0: the address of the command line, out of the EEPROM
  }
  std::memset(xen_.at<std::byte>(kTxRing), 0, kRing * sizeof(Descriptor));
  std::memset(xen_.at<std::byte>(kRxRing), 0, kRing * sizeof(Descriptor));
  set(0x03800, static_cast<std::uint32_t>(kTxRing));
  set(0x03804, 0);
  set(0x03808, kRing * sizeof(Descriptor));
  set(0x03810, 0);
  set(0x03818, 0);
  set(0x00410, 0x00602008);  // TIPG
  set(0x00400, 0x0003f0fa);  // TCTL: EN, PSP, CT, COLD
  set(0x02800, static_cast<std::uint32_t>(kRxRing));
  set(0x02804, 0);
  set(0x02808, kRing * sizeof(Descriptor));
  set(0x02810, 0);
  set(0x02818, 0);
  set(0x000d0, 0x00000091);  // IMS: TXDW, RXDMT0, RXT0
  return true;
}

bool E1000::wait_done(unsigned index) noexcept {
  const auto* const ring = xen_.at<Descriptor>(kTxRing);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{2};
  for (unsigned rounds = 1; (peek_status(ring[index]) & kDone) == 0; ++rounds) {
    __builtin_ia32_pause();
    if (rounds % 4096 == 0) {
      xen_.deliver_pending();
      if (std::chrono::steady_clock::now() > until) {
        return false;
      }
    }
  }
  static_cast<void>(causes());
  return true;
}

bool E1000::send(std::span<const std::byte> frame, unsigned count) noexcept {
  auto* const ring = xen_.at<Descriptor>(kTxRing);
  unsigned last = 0;
  for (unsigned i = 0; i < count; ++i) {
    const std::uint64_t buffer = kTxBuffers + std::uint64_t{tx_tail_} * 2048;
    std::memcpy(xen_.at<std::byte>(buffer), frame.data(), frame.size());
    ring[tx_tail_] = {.address = buffer,
                      .low = static_cast<std::uint32_t>(frame.size()) | kEop | kIfcs | kRs,
                      .high = 0};
    last = tx_tail_;
    tx_tail_ = (tx_tail_ + 1) % kRing;
  }
  set(0x03818, tx_tail_);
  return wait_done(last);
}

bool E1000::send_tso(std::span<const std::byte> header,
                     std::uint32_t payload,
                     std::uint16_t mss,
                     unsigned requests) noexcept {
  unsigned last = 0;
  for (unsigned i = 0; i < requests; ++i) {
    last = queue_tso(header, payload, mss);
    set(0x03818, tx_tail_);
  }
  return wait_done(last);
}

unsigned E1000::queue_tso(std::span<const std::byte> header,
                          std::uint32_t payload,
                          std::uint16_t mss) noexcept {
  auto* const ring = xen_.at<Descriptor>(kTxRing);
  const auto put = [&](std::uint64_t first, std::uint32_t low, std::uint32_t high) {
    ring[tx_tail_] = {.address = first, .low = low, .high = high};
    const unsigned index = tx_tail_;
    tx_tail_ = (tx_tail_ + 1) % kRing;
    return index;
  };
  // TCP/IP context: IPCSS 14, IPCSO 24, IPCSE 33, TUCSS 34, TUCSO 50, TUCSE 0 (to the end).
  const std::uint64_t offsets =
      14U | 24U << 8 | 33U << 16 | std::uint64_t{34} << 32 | std::uint64_t{50} << 40;
  put(offsets, payload | 0x07000000U | kDext,
      static_cast<std::uint32_t>(header.size()) << 8 | std::uint32_t{mss} << 16);
  std::memcpy(xen_.at<std::byte>(kTxBuffers), header.data(), header.size());
  const std::uint32_t common = kDataType | kDext | kTse | kIfcs;
  put(kTxBuffers, static_cast<std::uint32_t>(header.size()) | common, 0x0300);
  unsigned last = 0;
  for (std::uint32_t at = 0; at < payload; at += 4096) {
    const std::uint32_t bytes = payload - at < 4096 ? payload - at : 4096;
    const bool end = at + bytes == payload;
    // Scattered pages, as a socket's are.
    const std::uint64_t page = kTxBuffers + 4096 + std::uint64_t{at / 4096 * 7 % 16} * 8192;
    last = put(page, bytes | common | (end ? kEop | kRs : 0), 0x0300);
  }
  return last;
}

void E1000::enable_receiver() noexcept {
  rx_next_ = rx_tail_ = 0;
  set(0x00100, 0);
  set(0x02810, 0);           // RDH
  set(0x02818, 0);           // RDT
  set(0x00100, 0x0000801a);  // RCTL: EN, UPE, MPE, BAM; 2048-byte buffers
}

bool E1000::receive(unsigned count, std::uint32_t length, std::uint32_t& number) noexcept {
  auto* const ring = xen_.at<Descriptor>(kRxRing);
  const auto give = [&](unsigned buffers) {
    for (unsigned i = 0; i < buffers; ++i) {
      ring[rx_tail_] = {
          .address = kRxBuffers + std::uint64_t{rx_tail_} * 2048, .low = 0, .high = 0};
      rx_tail_ = (rx_tail_ + 1) % kRing;
    }
    set(0x02818, rx_tail_);
  };
  // Exactly as many buffers as frames come, so that the card has none left at the end.
  unsigned to_give = count;
  unsigned first = to_give < kRing - 1 ? to_give : kRing - 1;
  give(first);
  to_give -= first;
  unsigned returned = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  for (unsigned got = 0; got < count; ++got) {
    for (unsigned rounds = 1; (peek_status(ring[rx_next_]) & kDone) == 0; ++rounds) {
      __builtin_ia32_pause();
      if (rounds % 4096 == 0) {
        xen_.deliver_pending();
        if (std::chrono::steady_clock::now() > until) {
          return false;
        }
      }
    }
    std::uint32_t found = 0;
    std::memcpy(&found, xen_.at<std::byte>(kRxBuffers + std::uint64_t{rx_next_} * 2048 + 14), 4);
    const std::uint32_t bytes = ring[rx_next_].low & 0xffff;
    if (found != number++ || (bytes != length && bytes != length + 4)) {
      return false;
    }
    rx_next_ = (rx_next_ + 1) % kRing;
    // Linux gives buffers back 16 at a time.
    if (++returned == 16 && to_give != 0) {
      const unsigned now = to_give < 16 ? to_give : 16;
      give(now);
      to_give -= now;
      returned = 0;
    }
  }
  static_cast<void>(causes());
  return true;
}

Wire::Wire(const std::string& tap) {
  socket_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(tap.c_str()));
  const int bytes = 64 << 20;
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
  if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    socket_ = -1;
  }
}

Wire::~Wire() {
  ::close(socket_);
}

bool Wire::inject(unsigned count, std::uint32_t length, std::uint32_t& number) noexcept {
  std::array<std::uint8_t, 1600> frame{};
  std::memcpy(frame.data(), kMac.data(), 6);
  frame[6] = 0x02;
  frame[12] = 0x88;  // an experimental EtherType
  frame[13] = 0xb5;
  for (unsigned i = 0; i < count; ++i) {
    std::memcpy(frame.data() + 14, &number, 4);
    ++number;
    if (::send(socket_, frame.data(), length, 0) != static_cast<ssize_t>(length)) {
      return false;
    }
  }
  return true;
}

bool Wire::expect(std::span<const std::byte> frame) noexcept {
  std::array<std::byte, 2048> got{};
  for (int i = 0; i < 100; ++i) {
    pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, 500) != 1) {
      return false;
    }
    const ssize_t bytes = ::recv(socket_, got.data(), got.size(), 0);
    if (bytes >= static_cast<ssize_t>(frame.size()) &&
        std::memcmp(got.data(), frame.data(), frame.size()) == 0) {
      return true;
    }
  }
  return false;
}

void Wire::forget() noexcept {
  std::array<std::byte, 64> got{};
  while (::recv(socket_, got.data(), got.size(), MSG_DONTWAIT) > 0) {
  }
}

}  // namespace peer
