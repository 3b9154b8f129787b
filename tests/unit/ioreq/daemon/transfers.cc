// SPDX-License-Identifier: MIT
// Numbers are typed from ATA/ATAPI-6, MMC-3, the 8254x SDM, the 16550A's datasheet, the PS/2
// Technical Reference and the datasheets of PIIX3 and PIIX4.
#include "tests/unit/ioreq/daemon/transfers.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>

namespace dm::test {

namespace {

using drivers::AtapiDriver;
using drivers::IdeDriver;
using rig::ScriptedBlock;
using Bytes = std::vector<std::byte>;

Bytes sectors(std::uint64_t first, unsigned count) {
  Bytes all;
  for (unsigned i = 0; i < count; ++i) {
    const auto one = ScriptedBlock::pattern(first + i);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

void stamp(ScriptedBlock& disk, std::uint64_t first, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    disk.stamp(first + i);
  }
}

Bytes on_disk(const ScriptedBlock& disk, std::uint64_t first, unsigned count) {
  Bytes all(std::size_t{count} * 512);
  disk.read(first * 512, all);
  return all;
}

void check_same(std::span<const std::byte> a, std::span<const std::byte> b) {
  BOOST_TEST(rig::same(a, b));
}

// Disks.

constexpr std::uint32_t kHere = 0x100000;

void read_word_by_word(MovingPc& pc) {
  stamp(pc.disks[0], 7, 1);
  pc.ide0.lba28(0, 7, 1);
  pc.ide0.command(IdeDriver::READ_SECTORS);
  (void)pc.ide0.wait();
  Bytes got;
  constexpr std::uint32_t kWords = 40;  // then all others at once
  for (std::uint32_t i = 0; i < kWords; ++i) {
    const std::uint16_t word = pc.inw(0x1f0);
    got.push_back(static_cast<std::byte>(word & 0xffU));
    got.push_back(static_cast<std::byte>(word >> 8U));
  }
  pc.rep_ins(0x1f0, 2, kHere, 256 - kWords);
  const auto rest = pc.ram().subspan(kHere, 512 - 2 * kWords);
  got.insert(got.end(), rest.begin(), rest.end());
  check_same(got, sectors(7, 1));
}

void read_sectors(MovingPc& pc) {
  stamp(pc.disks[1], 100, 4);
  pc.ide0.lba28(1, 100, 4);
  pc.ide0.command(IdeDriver::READ_SECTORS);
  check_same(pc.ide0.read_data(4), sectors(100, 4));
}

void read_blocks(MovingPc& pc) {
  stamp(pc.disks[2], 100, 21);
  pc.ide1.lba28(0, 100, 21);
  pc.ide1.command(IdeDriver::READ_MULTIPLE);
  check_same(pc.ide1.read_data(21, 16), sectors(100, 21));
}

void write_sectors(MovingPc& pc) {
  pc.ide0.lba28(0, 50, 3);
  pc.ide0.command(IdeDriver::WRITE_SECTORS);
  pc.ide0.write_data(sectors(50, 3));
  BOOST_TEST((pc.ide0.wait() & IdeDriver::ERR) == 0);
  check_same(on_disk(pc.disks[0], 50, 3), sectors(50, 3));
}

void write_blocks(MovingPc& pc) {
  pc.ide0.lba48(1, 50, 20);
  pc.ide0.command(0x39);  // WRITE MULTIPLE EXT
  pc.ide0.write_data(sectors(50, 20), 16);
  BOOST_TEST((pc.ide0.wait() & IdeDriver::ERR) == 0);
  check_same(on_disk(pc.disks[1], 50, 20), sectors(50, 20));
}

constexpr unsigned kLong = 3000;  ///< sectors: several units of work

std::array<IdeDriver::Prd, 24> regions() {
  std::array<IdeDriver::Prd, 24> all{};
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    all[i] = {kHere + i * 0x10000, 0x10000};
  }
  all.back().bytes = kLong * 512 - 23 * 0x10000;
  return all;
}

void read_by_dma(MovingPc& pc) {
  stamp(pc.disks[0], 1000, kLong);
  const auto result = pc.ide0.read_dma(0, 1000, kLong, regions());
  BOOST_TEST((result.status & IdeDriver::ERR) == 0);
  BOOST_TEST(result.irq);
  check_same(pc.ram().subspan(kHere, std::size_t{kLong} * 512), sectors(1000, kLong));
}

void write_by_dma(MovingPc& pc) {
  std::ranges::copy(sectors(5, kLong), pc.ram().begin() + kHere);
  const auto result = pc.ide0.write_dma(1, 5, kLong, regions());
  BOOST_TEST((result.status & IdeDriver::ERR) == 0);
  check_same(on_disk(pc.disks[1], 5, kLong), sectors(5, kLong));
}

void trim(MovingPc& pc) {
  stamp(pc.disks[0], 64, 16);
  const std::uint64_t ranges[2]{64 | std::uint64_t{8} << 48U, 76 | std::uint64_t{2} << 48U};
  std::ranges::fill(pc.ram().subspan(kHere, 512), std::byte{0});
  std::memcpy(pc.ram().data() + kHere, ranges, sizeof ranges);
  const IdeDriver::Prd region{kHere, 512};
  pc.ide0.prepare_dma({&region, 1});
  pc.ide0.lba28(0, 0, 1);
  pc.ide0.out(1, 1);  // TRIM
  pc.ide0.command(IdeDriver::DATA_SET_MANAGEMENT);
  BOOST_TEST((pc.ide0.run_dma(false).status & IdeDriver::ERR) == 0);
  check_same(on_disk(pc.disks[0], 72, 4), sectors(72, 4));
  check_same(on_disk(pc.disks[0], 64, 8), Bytes(8 * 512));
}

void identify_verify_and_flush(MovingPc& pc) {
  BOOST_TEST(pc.ide1.identify(0)[60] == 16384);
  pc.ide0.lba28(0, 3, 200);
  pc.ide0.command(0x40);  // READ VERIFY SECTORS
  BOOST_TEST((pc.ide0.wait() & IdeDriver::ERR) == 0);
  pc.ide0.command(IdeDriver::FLUSH_CACHE);
  BOOST_TEST((pc.ide0.wait() & IdeDriver::ERR) == 0);
}

// The CD-ROM drive.

void cd_settles(MovingPc& pc) {
  for (int i = 0; i < 5 && pc.cd.ready() != AtapiDriver::Sense{}; ++i) {
  }
}

void read_disc(MovingPc& pc) {
  stamp(pc.disks[3], 40, 12);
  cd_settles(pc);
  const auto r = pc.cd.packet(AtapiDriver::read10(10, 3), 1000);
  BOOST_TEST(r.ok());
  BOOST_TEST(r.bursts.size() > 3U);
  check_same(std::as_bytes(std::span{r.data}), sectors(40, 12));
}

void read_disc_by_dma(MovingPc& pc) {
  stamp(pc.disks[3], 40, 400);
  cd_settles(pc);
  const std::array prds{IdeDriver::Prd{kHere, 0x10000}, IdeDriver::Prd{kHere + 0x10000, 0x10000},
                        IdeDriver::Prd{kHere + 0x20000, 0x10000},
                        IdeDriver::Prd{kHere + 0x30000, 0x2000}};
  BOOST_TEST(pc.cd.packet_dma(AtapiDriver::read10(10, 100), prds).ok());
  check_same(pc.ram().subspan(kHere, 400 * 512), sectors(40, 400));
}

void select_mode(MovingPc& pc) {
  cd_settles(pc);
  const std::vector<std::uint8_t> page{0, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0x20, 7, 0, 0, 0, 0};
  const auto set = AtapiDriver::cdb({AtapiDriver::MODE_SELECT_10, 0x10, 0, 0, 0, 0, 0, 0, 16});
  BOOST_TEST(pc.cd.packet(set, 0xfffe, page).ok());
  const auto get = pc.cd.packet(AtapiDriver::cdb({0x5a, 0, 1, 0, 0, 0, 0, 0, 16}));
  BOOST_TEST_REQUIRE(get.data.size() == 16U);
  BOOST_TEST(get.data[11] == 7);
}

// The network card.

constexpr std::uint32_t kTxRing = 0x30000;
constexpr std::uint32_t kRxRing = 0x20000;
constexpr std::uint32_t kRingSize = 32;

void open_card(MovingPc& pc) {
  pc.card(0x0000, 0x00000240);  // CTRL: SLU, 1000 Mb/s
  pc.card(0x3800, kTxRing);     // TDBAL, TDLEN, TDH, TDT
  pc.card(0x3808, kRingSize * 16);
  pc.card(0x3810, 0);
  pc.card(0x3818, 0);
  pc.card(0x2800, kRxRing);  // RDBAL, RDLEN, RDH
  pc.card(0x2808, kRingSize * 16);
  pc.card(0x2810, 0);
  pc.card(0x00d0, 0x0000009d);  // IMS
  pc.card(0x0400, 0x0000000a);  // TCTL: EN, PSP
  pc.card(0x0100, 0x0003801a);  // RCTL: EN, UPE, MPE, BAM, buffers of 256 bytes
}

void put_descriptor(
    MovingPc& pc, std::uint32_t ring, std::uint32_t index, std::uint64_t low, std::uint64_t high) {
  std::memcpy(pc.ram().data() + ring + index * 16, &low, sizeof low);
  std::memcpy(pc.ram().data() + ring + index * 16 + 8, &high, sizeof high);
}

Bytes frame_of(std::size_t size, unsigned seed) {
  Bytes frame(size);
  for (std::size_t i = 0; i < size; ++i) {
    frame[i] = static_cast<std::byte>(i < 6 ? 0xff : i * 13 + seed);
  }
  return frame;
}

void send_piece_by_piece(MovingPc& pc) {
  open_card(pc);
  const std::size_t before = pc.cables[0].sent.size();
  const Bytes frame = frame_of(900, 3);
  std::ranges::copy(frame, pc.ram().begin() + kHere);
  for (std::uint32_t i = 0; i < 9; ++i) {  // IFCS, RS; EOP in the last
    put_descriptor(pc, kTxRing, i, kHere + i * 100U, 100U | (i == 8 ? 0x0bU : 0x0aU) << 24U);
    pc.card(0x3818, i + 1);
  }
  BOOST_TEST(pc.card(0x3810) == 9U);
  BOOST_TEST_REQUIRE(pc.cables[0].sent.size() == before + 1);
  check_same(pc.cables[0].sent.back().bytes, frame);
}

/// IPv4 and TCP, 20 bytes each, behind 14 of Ethernet.
void send_segments(MovingPc& pc) {
  constexpr std::uint32_t kHeader = 54;
  constexpr std::uint32_t kPayload = 40000;
  pc.cables[0].segments = 1;  // so that each unit takes a part of it
  open_card(pc);
  const std::size_t before = pc.cables[0].sent.size();
  Bytes packet = frame_of(kHeader + kPayload, 5);
  const std::uint8_t header[]{0x08, 0x00, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6};
  std::memcpy(packet.data() + 12, header, sizeof header);
  packet[46] = std::byte{0x50};
  std::ranges::copy(packet, pc.ram().begin() + kHere);
  // TCP, IP, TSE, DEXT
  put_descriptor(
      pc, kTxRing, 0,
      14U | 24U << 8U | 33U << 16U | std::uint64_t{34} << 32U | std::uint64_t{50} << 40U,
      kPayload | 0x27U << 24U | std::uint64_t{kHeader} << 40U | std::uint64_t{1000} << 48U);
  for (std::uint32_t i = 0; i < 4; ++i) {
    const std::uint32_t size = i == 3 ? kHeader + kPayload - 3 * 12000 : 12000;
    put_descriptor(pc, kTxRing, 1 + i, kHere + i * 12000U,
                   size | 1U << 20U | (i == 3 ? 0x2fU : 0x2eU) << 24U | std::uint64_t{3} << 40U);
  }
  pc.card(0x3818, 5);
  BOOST_TEST(pc.card(0x3810) == 5U);
  Bytes payload;
  for (std::size_t i = before; i < pc.cables[0].sent.size(); ++i) {
    const Bytes& one = pc.cables[0].sent[i].bytes;
    payload.insert(payload.end(), one.begin() + kHeader, one.end());
  }
  check_same(payload, std::span{packet}.subspan(kHeader));
}

void receive_frames(MovingPc& pc) {
  open_card(pc);
  for (std::uint32_t i = 0; i < kRingSize; ++i) {
    put_descriptor(pc, kRxRing, i, kHere + i * 256U, 0);
  }
  pc.card(0x2818, kRingSize - 1);
  for (unsigned i = 0; i < 4; ++i) {
    const Bytes frame = frame_of(700 + i, i);
    pc.cables[0].arrive(frame);
    pc.work();
    (void)pc.card(0x00c0);  // ICR
  }
  BOOST_TEST(pc.card(0x2810) == 12U);  // three buffers each
  for (unsigned i = 0; i < 4; ++i) {
    check_same(pc.ram().subspan(kHere + i * 768U, 700 + i), frame_of(700 + i, i));
  }
}

void read_eeprom_by_wire(MovingPc& pc) {
  constexpr unsigned kSk = 1;
  constexpr unsigned kCs = 2;
  constexpr unsigned kDi = 4;
  constexpr unsigned kDo = 8;
  constexpr unsigned kReq = 0x40;
  const auto clock = [&pc](unsigned level) {
    pc.card(0x10, kReq | kCs | level);
    pc.card(0x10, kReq | kCs | level | kSk);
    const bool out = (pc.card(0x10) & kDo) != 0;
    pc.card(0x10, kReq | kCs | level);
    return out;
  };
  pc.card(0x10, kReq);
  pc.card(0x10, kReq | kCs);
  for (unsigned bit = 9; bit-- != 0;) {  // READ: 110, and the address of word 1
    clock(((0x181U >> bit) & 1U) != 0 ? kDi : 0);
  }
  unsigned word = 0;
  for (unsigned bit = 0; bit < 16; ++bit) {
    word = word << 1U | (clock(0) ? 1U : 0U);
  }
  pc.card(0x10, 0);
  BOOST_TEST(word == 0x123eU);  // bytes 2 and 3 of 00:16:3e:12:34:56
}

void read_phy(MovingPc& pc) {
  pc.card(0x0020, 0x08210000);  // MDIC: read of the PHY's status
  BOOST_TEST((pc.card(0x0020) >> 28U) == 1U);
}

// The rest.

void talk_over_a_line(MovingPc& pc) {
  constexpr std::uint16_t kCom2 = 0x2f8;
  pc.outb(kCom2 + 2, 0x81);  // FIFOs on, trigger at 8
  pc.outb(kCom2 + 1, 0x07);
  const std::string text = "as it is typed";
  pc.lines[1].type(text);
  pc.pass(std::chrono::milliseconds{50});
  std::string got;
  while ((pc.inb(kCom2 + 5) & 1U) != 0) {
    got.push_back(static_cast<char>(pc.inb(kCom2)));
  }
  BOOST_TEST(got == text);
  const std::size_t before = pc.lines[1].sent.size();
  pc.lines[1].set_room(4);
  for (const char c : text) {
    pc.outb(kCom2, static_cast<std::uint8_t>(c));
  }
  pc.lines[1].set_room(100);
  pc.pass(std::chrono::milliseconds{50});
  BOOST_TEST(pc.lines[1].sent.substr(before) == text);
}

void talk_to_keyboard_and_mouse(MovingPc& pc) {
  const auto answer = [&pc] {
    BOOST_TEST((pc.inb(0x64) & 1U) == 1U);
    return unsigned{pc.inb(0x60)};
  };
  pc.outb(0x60, 0xed);  // LEDs
  BOOST_TEST(answer() == 0xfaU);
  pc.outb(0x60, 0x07);
  BOOST_TEST(answer() == 0xfaU);
  pc.outb(0x60, 0xf2);  // who is it?
  BOOST_TEST(answer() == 0xfaU);
  BOOST_TEST(answer() == 0xabU);
  (void)answer();
  pc.outb(0x64, 0xd4);
  pc.outb(0x60, 0xe8);  // the mouse's resolution
  BOOST_TEST(answer() == 0xfaU);
  pc.outb(0x64, 0xd4);
  pc.outb(0x60, 0x02);
  BOOST_TEST(answer() == 0xfaU);
  pc.outb(0x64, 0xd4);
  pc.outb(0x60, 0xe9);  // its status
  BOOST_TEST(answer() == 0xfaU);
  (void)answer();
  BOOST_TEST(answer() == 2U);
  (void)answer();
}

void set_up_chips(MovingPc& pc) {
  pc.outb(0x70, 0x40);
  pc.outb(0x71, 0x77);
  pc.outl(0xcf8, 0x80000860);
  pc.outb(0x70, 0x40);
  BOOST_TEST(pc.inb(0x71) == 0x77U);
  BOOST_TEST(pc.inl(0xcf8) == 0x80000860U);
  pc.outb(0x0c, 0);  // the DMA controller's flip-flop, and a base address in two writes
  pc.outb(0x04, 0x34);
  pc.outb(0x04, 0x12);
  pc.outb(0x0c, 0);
  BOOST_TEST(pc.inb(0x04) == 0x34U);
  BOOST_TEST(pc.inb(0x04) == 0x12U);
  pc.config_write({1, 0}, 0x61, 1, 11);
  BOOST_TEST(pc.config_read({1, 0}, 0x61, 1) == 11U);
  BOOST_TEST(pc.irqs.link_route(1) == 11U);
}

constexpr Transfer kTransfers[]{
    {"read_word_by_word", read_word_by_word},
    {"read_sectors", read_sectors},
    {"read_blocks", read_blocks},
    {"write_sectors", write_sectors},
    {"write_blocks", write_blocks},
    {"read_by_dma", read_by_dma},
    {"write_by_dma", write_by_dma},
    {"trim", trim},
    {"identify_verify_and_flush", identify_verify_and_flush},
    {"read_disc", read_disc},
    {"read_disc_by_dma", read_disc_by_dma},
    {"select_mode", select_mode},
    {"send_piece_by_piece", send_piece_by_piece},
    {"send_segments", send_segments},
    {"receive_frames", receive_frames},
    {"read_eeprom_by_wire", read_eeprom_by_wire},
    {"read_phy", read_phy},
    {"talk_over_a_line", talk_over_a_line},
    {"talk_to_keyboard_and_mouse", talk_to_keyboard_and_mouse},
    {"set_up_chips", set_up_chips},
};

}  // namespace

std::vector<Transfer> transfers() {
  return {std::begin(kTransfers), std::end(kTransfers)};
}

}  // namespace dm::test
