// SPDX-License-Identifier: MIT
// The whole machine against a guest and a host that do anything. An input is a program: one byte
// says which machine, then steps follow, each a byte that says what and the bytes that it needs.
#include "tests/fuzz/card_steps.h"
#include "tests/fuzz/fuzz_pc.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace dm::fuzz {

namespace {

constexpr unsigned kMostSteps = 200;
constexpr std::uint8_t kFirstCdStep = 240;
constexpr std::uint8_t kFirstCardStep = 200;  ///< in a machine with a card
constexpr unsigned kStepsOfCard = 50;         ///< between two looks at a card's registers
constexpr unsigned kMostCompared = 1;
constexpr unsigned kMostMoves = 1;  ///< a second machine is the dearest step of all

struct Ports {
  std::uint16_t first;
  std::uint16_t count;
};
/// What a PC of ours claims, as firmware leaves it, with a neighbour on each side.
constexpr Ports kPorts[]{
    {0x1ef, 10}, {0x16f, 10},  {0x3f5, 3},  {0x375, 3},     {0x3f7, 10},    {0x2f7, 10},
    {0x3e7, 10}, {0x2e7, 10},  {0x6f, 4},   {0x5f, 7},      {0x91, 3},      {0xcf7, 10},
    {0xb000, 8}, {0xb1, 4},    {0xafdf, 6}, {0xadff, 34},   {0xaeff, 34},   {0x00, 18},
    {0x80, 17},  {0xbf, 34},   {0x10, 16},  {0xbfff, 0x12}, {0xc0ff, 0x20}, {0x1f0, 1},
    {0x3f8, 6},  {0xc000, 16}, {0xfffc, 4},
};
constexpr std::uint16_t kChannel[]{0x1f0, 0x170};
/// Commands that lead somewhere; any other byte comes by a plain write.
constexpr std::uint8_t kCommands[]{0x20, 0x24, 0x29, 0x30, 0x34, 0x39, 0xc4, 0xc5, 0xce,
                                   0xc8, 0x25, 0xca, 0x35, 0x3d, 0xec, 0x06, 0xe7, 0xea,
                                   0xb0, 0xc6, 0xef, 0x40, 0x42, 0x91, 0x90, 0xf8, 0x27};

class Program {
 public:
  Program(const std::uint8_t* data, std::size_t size)
      : in_{data, size}, shape_{in_.byte()}, pc_{std::make_unique<FuzzPc>(shape_)} {}

  void run() {
    if (!in_.flag()) {
      pc_->set_up_as_firmware_does();
    }
    for (unsigned step = 0; step < kMostSteps && !in_.empty(); ++step) {
      one_step(in_.byte());
      pc_->check();
      if (step % kStepsOfCard == kStepsOfCard - 1) {
        pc_->check_cards();
      }
    }
    pc_->let_everything_end();
    pc_->check();
    pc_->check_cards();
    pc_->pause();
  }

 private:
  void one_step(std::uint8_t what) {
    if (what >= kFirstCdStep) {
      return what % 4 == 0 ? pc_->change_disc(in_.flag()) : packet_command();
    }
    if (shape_.card && what >= kFirstCardStep) {
      return CardSteps{in_, *pc_}.one(what);
    }
    switch (what % 20) {
      case 0:
        return write_port();
      case 1:
        return read_port();
      case 2:
        return touch_memory_space();
      case 3:
        return touch_config_space();
      case 4:
        return raw_slot();
      case 5:
        return string_operation();
      case 6:
        return write_ram();
      case 7:
        return write_prds();
      case 8:
        return ide_command();
      case 9:
        return bus_master();
      case 10:
        return move_pages();
      case 11:
        return pc_->advance(std::chrono::microseconds{1} * (std::int64_t{1} << in_.below(32)));
      case 12:
        return turn();
      case 13:
        return script_disk();
      case 14:
        return serial_line();
      case 15:
        return stop_and_go();
      case 16:
        return move_machine();
      case 17:
        return unplug();
      case 18:
        return move_data();
      default:
        return serial_registers();
    }
  }

  std::uint16_t port() {
    const std::size_t which = in_.below(std::size(kPorts) + 1);
    if (which == std::size(kPorts)) {
      return in_.take<std::uint16_t>();
    }
    const Ports& range = kPorts[which];
    return static_cast<std::uint16_t>(range.first + in_.below(range.count));
  }
  std::uint8_t size(unsigned largest) {
    return static_cast<std::uint8_t>(1U << in_.below(largest));
  }

  void write_port() {
    const auto at = port();
    const auto bytes = size(3);
    pc_->pio_write(at, bytes, bytes == 1 ? in_.byte() : in_.take<std::uint32_t>());
  }
  void read_port() {
    const auto at = port();
    const auto bytes = size(3);
    (void)pc_->pio_read(at, bytes);
  }
  void touch_memory_space() {
    const auto choice = in_.byte();
    const std::uint64_t base = (choice & 1U) != 0 ? 0xf2000000U : in_.take<std::uint64_t>();
    const std::uint64_t at = base + in_.take<std::uint16_t>();
    const auto bytes = size(4);
    if ((choice & 2U) != 0) {
      (void)pc_->mmio_read(at, bytes);
    } else {
      pc_->mmio_write(at, bytes, in_.take<std::uint64_t>());
    }
  }
  void touch_config_space() {
    constexpr PciBdf kFunctions[]{{0, 0}, {1, 0}, {1, 1}, {1, 3}, {2, 0}, {3, 0}, {4, 0}};
    const auto choice = in_.byte();
    const PciBdf bdf = kFunctions[choice % std::size(kFunctions)];
    const auto reg = in_.byte();
    const auto bytes = size(3);
    if ((choice & 0x80U) != 0) {
      (void)pc_->config_read(bdf, reg, bytes);
    } else {
      pc_->config_write(bdf, reg, bytes, in_.take<std::uint32_t>());
    }
  }
  void raw_slot() {
    const auto choice = in_.byte();
    const auto raw = in_.take<std::array<std::byte, 32>>();
    std::copy(raw.begin(), raw.end(), pc_->slots() + choice % FuzzPc::kVcpus * raw.size());
    if ((choice & 0x80U) == 0) {
      pc_->serve();
    }
  }
  void string_operation() {
    const auto choice = in_.byte();
    const auto bytes = size(choice >= 0xc0 ? 4 : 3);
    const auto count = in_.take<std::uint16_t>() & 0x1fffU;
    pc_->send({.addr = (choice & 8U) != 0 ? in_.take<std::uint64_t>() : port(),
               .data = (choice & 4U) != 0 ? in_.take<std::uint64_t>() : Ram::address(in_),
               .count = count,
               .size = bytes,
               .type = static_cast<std::uint8_t>(choice >> 4U & 3U),
               .data_is_ptr = (choice & 0x40U) == 0,
               .read = (choice & 1U) != 0,
               .descending = (choice & 2U) != 0},
              0);
  }
  void write_ram() {
    const auto at = Ram::address(in_);
    const auto bytes = in_.bytes(std::min<std::size_t>(in_.below(64), Ram::room(at)));
    std::memcpy(Ram::get().base() + at, bytes.data(), bytes.size());
  }
  /// Descriptors as the bus master wants them: address, bytes, end mark.
  void write_prds() {
    std::uint64_t table = Ram::address(in_) & ~std::uint64_t{3};
    const auto entries = in_.below(8) + 1;
    for (std::size_t i = 0; i < entries && Ram::room(table) >= 8; ++i, table += 8) {
      const auto choice = in_.byte();
      const auto base = static_cast<std::uint32_t>((choice & 2U) != 0 ? in_.take<std::uint32_t>()
                                                                      : Ram::address(in_));
      const std::uint32_t bytes = in_.take<std::uint16_t>();
      const std::uint32_t last = i + 1 == entries && (choice & 1U) == 0 ? 0x80000000U : 0;
      const std::uint64_t prd = base | std::uint64_t{bytes | last} << 32U;
      std::memcpy(Ram::get().base() + table, &prd, sizeof prd);
    }
  }
  void ide_command() {
    const auto choice = in_.byte();
    const std::uint16_t base = kChannel[choice & 1U];
    pc_->outb(static_cast<std::uint16_t>(base + 6),
              static_cast<std::uint8_t>(0xa0U | (choice & 0x50U) | (choice >> 1U & 3U)));
    const auto lba = in_.take<std::array<std::uint8_t, 3>>();
    const auto count = in_.byte();
    for (unsigned round = (choice & 8U) != 0 ? 2 : 1; round > 0; --round) {
      pc_->outb(static_cast<std::uint16_t>(base + 1), round == 2 ? 0 : in_.byte());
      pc_->outb(static_cast<std::uint16_t>(base + 2), round == 2 ? choice >> 5U : count);
      pc_->outb(static_cast<std::uint16_t>(base + 3), lba[0]);
      pc_->outb(static_cast<std::uint16_t>(base + 4), round == 2 ? 0 : lba[1]);
      pc_->outb(static_cast<std::uint16_t>(base + 5), round == 2 ? 0 : lba[2]);
    }
    pc_->outb(static_cast<std::uint16_t>(base + 7), kCommands[in_.below(std::size(kCommands))]);
  }
  /// A packet to the CD-ROM drive: an operation code that leads somewhere, or any.
  void packet_command() {
    constexpr std::uint8_t kPackets[]{0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28,
                                      0x2b, 0x42, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x55,
                                      0x5a, 0xa8, 0xad, 0xb9, 0xbb, 0xbd, 0xbe};
    const auto choice = in_.byte();
    const auto limit = in_.take<std::uint16_t>();
    auto packet = in_.take<std::array<std::uint8_t, 12>>();
    if ((choice & 2U) == 0) {
      packet[0] = kPackets[packet[0] % std::size(kPackets)];
    }
    if ((choice & 4U) == 0) {  // an address on the disc
      packet[2] = packet[3] = 0;
      packet[4] &= 1U;
    }
    if ((choice & 8U) != 0) {
      pc_->outb(0x177, (choice & 0x10U) != 0 ? 0x08 : 0xa1);
    }
    pc_->outb(0x176, 0xb0);
    pc_->outb(0x171, choice & 1U);
    pc_->outb(0x174, limit & 0xffU);
    pc_->outb(0x175, static_cast<std::uint8_t>(limit >> 8U));
    pc_->outb(0x177, 0xa0);
    for (std::size_t i = 0; i < packet.size(); i += 2) {
      pc_->outw(0x170, static_cast<std::uint16_t>(packet[i] | packet[i + 1] << 8U));
    }
  }
  void bus_master() {
    const auto choice = in_.byte();
    const auto base = static_cast<std::uint16_t>((choice & 1U) != 0 ? 0xc008 : 0xc000);
    if ((choice & 2U) != 0) {
      pc_->outl(static_cast<std::uint16_t>(base + 4),
                static_cast<std::uint32_t>(Ram::address(in_)));
    }
    if ((choice & 4U) != 0) {
      pc_->outb(static_cast<std::uint16_t>(base + 2), choice >> 3U);
    }
    pc_->outb(base, in_.byte());
  }
  void move_pages() {
    const auto choice = in_.byte();
    const auto gfn = Ram::address(in_) >> 12U;
    Ram::get().set_present(gfn, (choice & 1U) != 0);
    if ((choice & 2U) == 0) {
      pc_->send({.type = 8}, 0);  // INVALIDATE
    }
  }
  void turn() {
    for (std::size_t n = in_.below(16) + 1; n > 0; --n) {
      pc_->turn();
    }
  }
  void script_disk() {
    const auto choice = in_.byte();
    FuzzDisk* const disk = pc_->disks[choice & 3U].get();
    if (disk == nullptr) {
      return;
    }
    switch (choice >> 2U & 7U) {
      case 0:
      case 1:
        disk->hold = true;
        break;
      case 2:
        disk->hold = false;
        disk->complete_all();
        break;
      case 3:
        disk->complete(in_.byte());
        break;
      case 4:
      case 5:
        disk->fail_next = 1 + (choice >> 6U);
        disk->failure = (choice & 0x20U) != 0 ? BlockStatus::no_space : BlockStatus::io_error;
        disk->progress = in_.take<std::uint16_t>();
        break;
      case 6:
        disk->flushes_fail = true;  // for ever, as the interface demands
        break;
      default:
        disk->complete(0);
        break;
    }
  }
  void serial_line() {
    const auto choice = in_.byte();
    FuzzLine& line = pc_->lines[choice & 3U];
    switch (choice >> 2U & 3U) {
      case 0:
        line.send(in_.bytes(choice >> 4U));
        break;
      case 1:
        line.make_room(choice >> 4U);
        break;
      case 2:
        line.send_break();
        break;
      default:
        line.set_lines({.cts = (choice & 0x10U) != 0,
                        .dsr = (choice & 0x20U) != 0,
                        .dcd = (choice & 0x40U) != 0,
                        .ri = (choice & 0x80U) != 0});
        break;
    }
  }
  /// While it is stopped the other ends go on, and nothing of it reaches the guest.
  void stop_and_go() {
    pc_->pause();
    // Saving is dear, and most of what it finds it finds at once.
    const bool compare = compared_++ < kMostCompared;
    const auto before = compare ? pc_->fields() : std::vector<std::byte>{};
    for (std::size_t n = in_.below(4); n > 0; --n) {
      serial_line();
      pc_->machine().pause();
    }
    require(!compare || same_bytes(pc_->fields(), before), "a paused machine does not change");
    pc_->resume();
  }
  void move_machine() {
    const auto choice = in_.byte();
    if (choice % 8 != 0 || moves_ == kMostMoves) {
      return;
    }
    ++moves_;
    const bool go_on_there = (choice & 0x80U) == 0;
    auto other = pc_->moved();
    if (go_on_there) {
      pc_ = std::move(other);
    }
    pc_->resume();
  }
  /// Or, by bits that mean nothing otherwise, S3.
  void unplug() {
    const auto choice = in_.byte();
    if ((choice & 0xf0U) == 0xf0U) {
      pc_->sleep_and_wake();
    } else if ((choice & 0x40U) == 0) {
      pc_->outw(0x10, choice & 0x0fU);
    } else {
      pc_->outb((choice & 1U) != 0 ? 0xc104 : 0xc108, choice >> 1U & 3U);
    }
  }
  void move_data() {
    const auto choice = in_.byte();
    const std::uint16_t at = kChannel[choice & 1U];
    const auto bytes = static_cast<std::uint8_t>((choice & 2U) != 0 ? 4 : 2);
    const std::uint32_t count = (choice & 4U) != 0 ? in_.byte() : 512U / bytes;
    const auto ram = Ram::address(in_);
    if ((choice & 8U) != 0) {
      pc_->rep_ins(at, bytes, ram, count, (choice & 0x10U) != 0);
    } else {
      pc_->rep_outs(at, bytes, ram, count, (choice & 0x10U) != 0);
    }
  }
  void serial_registers() {
    constexpr std::uint16_t kBases[]{0x3f8, 0x2f8, 0x3e8, 0x2e8};
    const auto choice = in_.byte();
    const auto at = static_cast<std::uint16_t>(kBases[choice & 3U] + (choice >> 2U & 7U));
    if ((choice & 0x20U) != 0) {
      (void)pc_->inb(at);
    } else {
      pc_->outb(at, in_.byte());
    }
  }

  Input in_;
  const Shape shape_;
  std::unique_ptr<FuzzPc> pc_;
  unsigned moves_ = 0;
  unsigned compared_ = 0;
};

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::Ram::get().reset();
  dm::fuzz::Program program{data, size};
  program.run();
  return 0;
}
