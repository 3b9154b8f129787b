// SPDX-License-Identifier: MIT
// A network card whose rings are filled as a driver fills them, doorbells by direct dispatch, a
// host that takes and gives frames at no cost. One operation is one tail write. Shared by
// bench_e1000 and bench_count_card.
#pragma once

#include "bench/keep.h"
#include "core/bounds.h"
#include "devices/e1000/e1000.h"
#include "tests/drivers/e1000_driver.h"
#include "tests/rig/sim_guest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace dm::bench {

/// Takes frames without looking at them. Gives `budget` frames of one kind: the headers are
/// written, the payload is what the buffers hold, since copying it would be the kernel's time.
class NullNet final : public NetBackend {
 public:
  std::array<std::byte, 192> head{};
  std::size_t head_size = 0;
  std::size_t size = 0;
  NetOffload offload;
  std::uint64_t budget = 0;
  NetClient* client = nullptr;
  std::uint64_t bytes = 0;

  void attach(NetClient* who) noexcept override { client = who; }
  [[nodiscard]] std::size_t most_frames() const noexcept override { return bounds::kFramesPerSend; }
  SendStatus send(const NetOffload& /*offload*/,
                  std::span<const std::span<std::byte>> frame) noexcept override {
    for (const auto piece : frame) {
      bytes += piece.size();
    }
    return SendStatus::sent;
  }
  Received receive(NetOffload& out,
                   std::span<const std::span<std::byte>> pieces) noexcept override {
    if (budget == 0) {
      return {};
    }
    --budget;
    std::memcpy(pieces[0].data(), head.data(), std::min(head_size, pieces[0].size()));
    if (head_size > pieces[0].size()) {
      std::memcpy(pieces[1].data(), head.data() + pieces[0].size(), head_size - pieces[0].size());
    }
    out = offload;
    return {.size = size, .truncated = false};
  }
  void want_receive(bool /*on*/) noexcept override {}
  void accept_offloads(bool /*checksum*/, bool /*gso*/) noexcept override {}
  void set_promiscuous(bool /*on*/) noexcept override {}
  [[nodiscard]] bool link_up() const noexcept override { return true; }
  [[nodiscard]] const Counters& counters() const noexcept override { return counters_; }
  [[nodiscard]] std::string_view name() const noexcept override { return "null"; }

 private:
  Counters counters_;
};

struct CardRig {
  using D = drivers::E1000Driver;
  static constexpr std::uint32_t kRing = 256;
  static constexpr std::uint32_t kBatch = 32;
  static constexpr std::uint32_t kSegments = 45;  ///< of a large send or frame
  static constexpr std::uint32_t kSegmentSize = 1448;
  static constexpr std::uint32_t kHeaders = 66;  ///< Ethernet 14, IPv4 20, TCP 20 + 12
  static constexpr std::uint32_t kSendDescriptors = 18;
  static constexpr std::uint32_t kLargeSends = kRing / kSendDescriptors;
  static constexpr e1000::MacAddress kMac{0x00, 0x16, 0x3e, 0x12, 0x34, 0x56};

  rig::SimGuest guest;
  NullNet net;
  std::unique_ptr<e1000::E1000> card =
      e1000::E1000::create({.where = {4, 0}, .mac = kMac, .rom = {}},
                           {.pci = guest.pci(),
                            .irqs = guest.irqs(),
                            .memory = guest.memory(),
                            .timers = guest.timers(),
                            .work = guest.work(),
                            .backend = net})
          .value();
  D driver{guest};
  std::uint32_t tail = 0;
  std::uint32_t eecd = 0x42;

  CardRig() {
    driver.map();
    driver.open_tx(kRing);
    driver.open_rx(kRing, D::RCTL_BAM | D::RCTL_SECRC);
    driver.set(D::IMS, D::TXDW | D::RXT0);
  }

  std::uint64_t read_status() { return guest.mmio().read(D::kBar0 + D::STATUS, 4); }
  /// One edge of the EEPROM's clock as Linux makes it: EECD, then STATUS.
  std::uint64_t eeprom_edge() {
    eecd ^= 1U;
    guest.mmio().write(D::kBar0 + D::EECD, 4, eecd);
    return read_status();
  }

  void fill_ring_with_frames(std::uint32_t size) {
    for (std::uint32_t i = 0; i < kRing; ++i) {
      driver.put_legacy(D::kTxBuffers + i * 2048, size, D::EOP | D::IFCS | D::RS);
    }
  }
  void transmit_batch() { tail_write(D::TDT, kBatch); }

  /// As Linux sends: a context, then header and payload in descriptors of 4 KiB.
  void fill_ring_with_large_sends() {
    constexpr std::uint32_t kPayload = kSegments * kSegmentSize;
    fill_head(kHeaders + kPayload);
    std::ranges::copy(std::span{net.head}.first(kHeaders),
                      guest.ram().subspan(D::kTxBuffers).begin());
    for (std::uint32_t send = 0; send < kLargeSends; ++send) {
      driver.put_context({.ipcss = 14,
                          .ipcso = 24,
                          .ipcse = 33,
                          .tucss = 34,
                          .tucso = 50,
                          .tucse = 0,
                          .paylen = kPayload,
                          .tucmd = D::TU_TCP | D::TU_IP | D::TU_TSE,
                          .hdrlen = kHeaders,
                          .mss = kSegmentSize});
      for (std::uint32_t i = 0; i < kSendDescriptors - 1; ++i) {
        // The headers, then pages.
        const std::uint32_t bytes = i == 0 ? kHeaders : std::min(4096U, kPayload - (i - 1) * 4096);
        const bool last = i == kSendDescriptors - 2;
        driver.put_data(D::kTxBuffers + i * 8192, bytes,
                        static_cast<std::uint8_t>(D::TSE | D::IFCS | (last ? D::EOP | D::RS : 0)),
                        D::TXSM | D::IXSM);
      }
    }
  }
  void transmit_large_sends() {
    guest.mmio().write(D::kBar0 + D::TDH, 4, 0);
    tail = 0;
    tail_write(D::TDT, kLargeSends * kSendDescriptors);
  }

  void expect_frames(std::uint32_t size) {
    fill_head(size);
    tail = kRing - 1;
  }
  void receive_batch() { receive(kBatch, kBatch); }

  /// 45 segments in one frame of the host, cut into the guest's buffers; their checksums are
  /// computed here, which the kernel had left out.
  void expect_large_frames() {
    expect_frames(kHeaders + kSegments * kSegmentSize);
    net.offload = {.needs_checksum = true,
                   .checksum_valid = false,
                   .ecn = false,
                   .gso = Gso::tcp4,
                   .header_length = kHeaders,
                   .segment_size = kSegmentSize,
                   .checksum_start = 34,
                   .checksum_offset = 16};
  }
  void receive_large_frame() { receive(1, kSegments); }

 private:
  void tail_write(std::uint32_t reg, std::uint32_t count) {
    tail = (tail + count) % kRing;
    guest.mmio().write(D::kBar0 + reg, 4, tail);
    while (guest.work().run_one()) {
    }
    keep(guest.mmio().read(D::kBar0 + D::ICR, 4));
  }
  void receive(std::uint64_t frames, std::uint32_t buffers) {
    net.budget = frames;
    net.client->on_receivable();
    tail_write(D::RDT, buffers);
  }
  void put16(std::size_t at, unsigned value) {
    net.head.at(at) = static_cast<std::byte>(value >> 8U);
    net.head.at(at + 1) = static_cast<std::byte>(value & 0xffU);
  }
  /// Ethernet, IPv4, TCP with 12 bytes of options, for our address.
  void fill_head(std::size_t size) {
    for (std::size_t i = 0; i < 6; ++i) {
      net.head.at(i) = std::byte{kMac.at(i)};
    }
    put16(12, 0x0800);
    net.head[14] = std::byte{0x45};
    put16(16, static_cast<unsigned>(size - 14));
    net.head[23] = std::byte{6};
    net.head[46] = std::byte{0x80};
    net.head_size = kHeaders;
    net.size = size;
  }
};

}  // namespace dm::bench
