// SPDX-License-Identifier: MIT
// What a network card costs inside the process: rings filled as a driver fills them, doorbells by
// direct dispatch, a host that takes and gives frames at no cost. Every row shows heap allocations
// and locks for each operation, and the program fails when there is one. One operation is one tail
// write; the rate of frames (or of segments, as the guest sees them) stands beside it.

#include "devices/e1000/e1000.h"

#include "bench/counted.h"
#include "tests/drivers/e1000_driver.h"
#include "tests/rig/sim_guest.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace {

using D = dm::drivers::E1000Driver;
using dm::bench::Counted;

/// Takes frames without looking at them. Gives `budget` frames of one kind: the headers are
/// written, the payload is what the buffers hold, since copying it would be the kernel's time.
class NullNet final : public dm::NetBackend {
 public:
  std::array<std::byte, 192> head{};
  std::size_t head_size = 0;
  std::size_t size = 0;
  dm::NetOffload offload;
  std::uint64_t budget = 0;
  dm::NetClient* client = nullptr;
  std::uint64_t bytes = 0;

  void attach(dm::NetClient* who) noexcept override { client = who; }
  dm::SendStatus send(const dm::NetOffload& /*offload*/,
                      std::span<const std::span<std::byte>> frame) noexcept override {
    for (const auto piece : frame) {
      bytes += piece.size();
    }
    return dm::SendStatus::sent;
  }
  dm::Received receive(dm::NetOffload& out,
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

struct Machine {
  static constexpr std::uint32_t kRing = 256;
  static constexpr std::uint32_t kBatch = 32;
  static constexpr dm::e1000::MacAddress kMac{0x00, 0x16, 0x3e, 0x12, 0x34, 0x56};

  dm::rig::SimGuest guest;
  NullNet net;
  std::unique_ptr<dm::e1000::E1000> card =
      dm::e1000::E1000::create({.where = {4, 0}, .mac = kMac, .rom = {}},
                               {.pci = guest.pci(),
                                .irqs = guest.irqs(),
                                .memory = guest.memory(),
                                .timers = guest.timers(),
                                .work = guest.work(),
                                .backend = net})
          .value();
  D driver{guest};
  std::uint32_t tail = 0;

  Machine() {
    driver.map();
    driver.open_tx(kRing);
    driver.open_rx(kRing, D::RCTL_BAM | D::RCTL_SECRC);
    driver.set(D::IMS, D::TXDW | D::RXT0);
  }
  void tail_write(std::uint32_t reg, std::uint32_t count) {
    tail = (tail + count) % kRing;
    guest.mmio().write(D::kBar0 + reg, 4, tail);
    while (guest.work().run_one()) {
    }
    benchmark::DoNotOptimize(guest.mmio().read(D::kBar0 + D::ICR, 4));
  }
};

void transmit(benchmark::State& state) {
  Machine m;
  const auto size = static_cast<std::uint32_t>(state.range(0));
  for (std::uint32_t i = 0; i < Machine::kRing; ++i) {
    m.driver.put_legacy(D::kTxBuffers + i * 2048, size, D::EOP | D::IFCS | D::RS);
  }
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.tail_write(D::TDT, Machine::kBatch);
    }
  }
  state.SetItemsProcessed(state.iterations() * Machine::kBatch);
}

/// As Linux sends: a context, then header and payload in descriptors of 4 KiB.
void transmit_tso_64k(benchmark::State& state) {
  Machine m;
  constexpr std::uint32_t kPayload = 45 * 1448;
  std::uint32_t used = 0;
  for (; used + 18 <= Machine::kRing; used += 18) {
    m.driver.put_context({.ipcss = 14,
                          .ipcso = 24,
                          .ipcse = 33,
                          .tucss = 34,
                          .tucso = 50,
                          .tucse = 0,
                          .paylen = kPayload,
                          .tucmd = D::TU_TCP | D::TU_IP | D::TU_TSE,
                          .hdrlen = 66,
                          .mss = 1448});
    for (std::uint32_t i = 0; i < 17; ++i) {
      // The headers, then pages.
      const std::uint32_t bytes = i == 0 ? 66 : std::min(4096U, kPayload - (i - 1) * 4096);
      m.driver.put_data(
          D::kTxBuffers + i * 8192, bytes,
          static_cast<std::uint8_t>(D::TSE | D::IFCS | (i == 16 ? D::EOP | D::RS : 0)),
          D::TXSM | D::IXSM);
    }
  }
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.guest.mmio().write(D::kBar0 + D::TDH, 4, 0);
      m.tail = 0;
      m.tail_write(D::TDT, used);
    }
  }
  state.SetItemsProcessed(state.iterations() * (used / 18));
  state.SetBytesProcessed(static_cast<std::int64_t>(m.net.bytes));
}

void put16(std::array<std::byte, 192>& to, std::size_t at, unsigned value) {
  to.at(at) = static_cast<std::byte>(value >> 8U);
  to.at(at + 1) = static_cast<std::byte>(value & 0xffU);
}

/// Ethernet, IPv4, TCP with 12 bytes of options, for our address.
void fill_head(NullNet& net, std::size_t size) {
  for (std::size_t i = 0; i < 6; ++i) {
    net.head.at(i) = std::byte{Machine::kMac.at(i)};
  }
  put16(net.head, 12, 0x0800);
  net.head[14] = std::byte{0x45};
  put16(net.head, 16, static_cast<unsigned>(size - 14));
  net.head[23] = std::byte{6};
  net.head[46] = std::byte{0x80};
  net.head_size = 66;
  net.size = size;
}

void receive(benchmark::State& state) {
  Machine m;
  fill_head(m.net, static_cast<std::size_t>(state.range(0)));
  m.tail = Machine::kRing - 1;
  m.net.budget = 4;
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.net.budget = Machine::kBatch;
      m.net.client->on_receivable();
      m.tail_write(D::RDT, Machine::kBatch);
    }
  }
  state.SetItemsProcessed(state.iterations() * Machine::kBatch);
}

/// 45 segments in one frame of the host, cut into the guest's buffers; their checksums are
/// computed here, which the kernel had left out.
void receive_gso_64k(benchmark::State& state) {
  Machine m;
  constexpr std::uint32_t kSegments = 45;
  fill_head(m.net, 66 + kSegments * 1448);
  m.net.offload = {.needs_checksum = true,
                   .checksum_valid = false,
                   .ecn = false,
                   .gso = dm::Gso::tcp4,
                   .header_length = 66,
                   .segment_size = 1448,
                   .checksum_start = 34,
                   .checksum_offset = 16};
  m.tail = Machine::kRing - 1;
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.net.budget = 1;
      m.net.client->on_receivable();
      m.tail_write(D::RDT, kSegments);
    }
  }
  state.SetItemsProcessed(state.iterations() * kSegments);
  state.SetBytesProcessed(state.iterations() * kSegments * 1448);
}

void read_status(benchmark::State& state) {
  Machine m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      benchmark::DoNotOptimize(m.guest.mmio().read(D::kBar0 + D::STATUS, 4));
    }
  }
}

/// One edge of the EEPROM's clock as Linux makes it: EECD, then STATUS.
void eeprom_edge(benchmark::State& state) {
  Machine m;
  std::uint32_t level = 0x42;
  {
    const Counted counted{state};
    for (auto _ : state) {
      level ^= 1U;
      m.guest.mmio().write(D::kBar0 + D::EECD, 4, level);
      benchmark::DoNotOptimize(m.guest.mmio().read(D::kBar0 + D::STATUS, 4));
    }
  }
}

BENCHMARK(read_status);
BENCHMARK(eeprom_edge);
BENCHMARK(transmit)->Arg(60)->Arg(1514);
BENCHMARK(transmit_tso_64k);
BENCHMARK(receive)->Arg(66)->Arg(1514);
BENCHMARK(receive_gso_64k);

}  // namespace

int main(int argc, char** argv) {
  return dm::bench::run(argc, argv, "bench_e1000");
}
