// SPDX-License-Identifier: MIT
// Any saved state. An input is a byte that says which machine and then what follows the header of a
// state; it gets a header that fits, so that every input comes to where fields are read. One
// machine in eight gets the input as the whole file instead.
#include "ioreq/machine/machine_state.h"
#include "tests/drivers/atapi_driver.h"
#include "tests/drivers/e1000_driver.h"
#include "tests/drivers/ide_driver.h"
#include "tests/drivers/uart_driver.h"
#include "tests/fuzz/fuzz_pc.h"

#include <boost/crc.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size)
    __attribute__((weak));

namespace dm::fuzz {

namespace {

using drivers::AtapiDriver;
using drivers::BusMasterDriver;
using Card = drivers::E1000Driver;
using Uart = drivers::UartDriver;

constexpr std::uint16_t kCom1 = 0x3f8;
constexpr std::uint16_t kCom2 = 0x2f8;

/// MDIC: read register 1 of PHY 1.
constexpr std::uint32_t kReadPhyStatus = 2U << 26U | 1U << 21U | 1U << 16U;

constexpr std::uint8_t kWholeFile = 0xe0;  ///< these bits of the first byte

/// Format 1 began with the field of number 1, two bytes; the others begin with the length of a
/// name, and the shortest that there is has three letters. Format 2 is format 3 without a list's
/// end.
std::uint32_t format_of(std::span<const std::uint8_t> fields) {
  return fields.size() >= 2 && fields[0] == 1 && fields[1] == 0 ? 1 : 3;
}

std::vector<std::byte> with_header(std::span<const std::uint8_t> fields) {
  const std::uint32_t version = format_of(fields);
  const std::uint32_t number = version == 1 ? 0 : 1;
  boost::crc_32_type crc;
  if (version != 1) {
    crc.process_bytes(&number, sizeof number);
  }
  crc.process_bytes(fields.data(), fields.size());
  std::vector<std::byte> file(kSavedHeader + fields.size());
  const std::uint32_t words[]{version, static_cast<std::uint32_t>(file.size()), crc.checksum(),
                              number};
  std::memcpy(file.data(), "stubdm-s", 8);
  std::memcpy(file.data() + 8, words, sizeof words);
  std::copy_n(reinterpret_cast<const std::byte*>(fields.data()), fields.size(),
              file.begin() + kSavedHeader);
  return file;
}

/// Both channels of the IDE controller. Their drivers use memory in the first island only.
std::array<BusMasterDriver, 2> channels(FuzzPc& pc) {
  const std::span ram{Ram::get().base(), Ram::kIslands[0].pages * 4096};
  return {BusMasterDriver{pc, ram, 0}, BusMasterDriver{pc, ram, 1}};
}

/// Frames and descriptors for a card that may be in any state.
void use_card(FuzzPc& pc) {
  constexpr std::uint64_t kCard = FuzzPc::kCardRegisters;
  pc.config_write({4, 0}, 0x10, 4, FuzzPc::kCardRegisters);
  pc.config_write({4, 0}, 0x04, 2, 7);
  for (const std::uint32_t reg : {Card::STATUS, Card::ICR, Card::EECD, Card::MDIC, Card::RDH,
                                  Card::TDH, Card::GPRC, Card::RA}) {
    (void)pc.mmio_read(kCard + reg, 4);
  }
  pc.cable.deliver({}, 60, {});
  NetOffload large;
  large.needs_checksum = true;
  large.gso = Gso::tcp4;
  large.segment_size = 1460;
  pc.cable.deliver({}, 9000, large);
  for (const std::uint32_t tail : {7U, 3U}) {
    pc.mmio_write(kCard + Card::RDT, 4, tail);
    pc.mmio_write(kCard + Card::TDT, 4, tail);
    (void)pc.machine().poller().turn();
  }
  pc.mmio_write(kCard + Card::EERD, 4, 1);
  pc.mmio_write(kCard + Card::MDIC, 4, kReadPhyStatus);
}

/// What a guest does that finds itself in the middle of anything.
void go_on(FuzzPc& pc) {
  constexpr std::uint16_t kOthers[]{0x60, 0x64,   0x71,  0x92,  0xb004,
                                    0xb2, 0xafe0, 0xcf8, 0xcfc, 0x10};
  const auto read = [&pc](std::uint16_t port) {
    (void)pc.inb(port);
    (void)pc.inl(port);
  };
  auto ide = channels(pc);
  for (const auto& channel : ide) {
    read(channel.status_port());
    read(channel.control_port());
  }
  for (const std::uint16_t reg : {Uart::kRbr, Uart::kIir, Uart::kLsr, Uart::kMsr}) {
    read(static_cast<std::uint16_t>(kCom1 + reg));
  }
  for (const std::uint16_t port : kOthers) {
    read(port);
  }
  for (const std::uint16_t offset : {std::uint16_t{0}, std::uint16_t{2}, std::uint16_t{4}}) {
    read(static_cast<std::uint16_t>(ide[0].bm_port() + offset));
  }
  for (const auto& channel : ide) {
    pc.rep_ins(channel.data_port(), 2, 0x1000, 300);
    pc.rep_outs(channel.data_port(), 4, 0x1000, 300);
  }
  for (auto& channel : ide) {
    channel.bm_command(0);
    channel.bm_table(0x2000);
    channel.bm_command(BusMasterDriver::START | BusMasterDriver::TO_MEMORY);
  }
  pc.let_everything_end();
  for (const std::uint16_t base : {kCom1, kCom2}) {
    for (std::uint16_t i = 0; i < 8; ++i) {
      pc.outb(static_cast<std::uint16_t>(base + i), 0x1b);
      (void)pc.inb(static_cast<std::uint16_t>(base + i));
    }
  }
  if (!pc.machine().cards().empty()) {
    use_card(pc);
  }
  pc.outb(0x60, 0xf4);
  pc.outb(0x64, 0xa9);
  ide[0].control(BusMasterDriver::SRST);
  ide[0].control(0);
  ide[0].command(BusMasterDriver::IDENTIFY);
  pc.advance(std::chrono::seconds{10});
  pc.let_everything_end();
}

void run(Input in) {
  const auto choice = in.byte();
  const auto rest = in.bytes(in.size());
  const auto* const raw = reinterpret_cast<const std::byte*>(rest.data());
  const bool whole_file = (choice & kWholeFile) == kWholeFile;
  const auto file = whole_file ? std::vector<std::byte>{raw, raw + rest.size()} : with_header(rest);
  if (const auto length = saved_state_length(file); length) {
    require(*length >= kSavedHeader && *length <= kMaxSavedState, "a file's length is possible");
  }
  FuzzPc pc{Shape{choice}};
  if (!pc.load_hostile(file)) {
    return;
  }
  const auto again = pc.machine().save();
  require(read_saved_state(again).has_value(), "what is loaded can be saved");
  pc.resume();
  go_on(pc);
  pc.check();
  pc.pause();
}

/// A command of a kind that goes on for a while, and some of its data.
void begin_command(FuzzPc& pc, BusMasterDriver& channel, std::mt19937& random) {
  using Ata = BusMasterDriver;
  constexpr std::uint8_t kCommands[]{
      Ata::READ_SECTORS,     Ata::READ_MULTIPLE, Ata::WRITE_SECTORS, Ata::WRITE_MULTIPLE,
      Ata::READ_DMA,         Ata::WRITE_DMA,     Ata::IDENTIFY,      Ata::DATA_SET_MANAGEMENT,
      Ata::READ_SECTORS_EXT, Ata::FLUSH_CACHE};
  const auto lba = static_cast<std::uint32_t>(random() & 0xffU);
  const auto unit = static_cast<unsigned>(random() & 1U);
  channel.lba28(unit, lba, 7);
  channel.command(kCommands[random() % std::size(kCommands)]);
  (void)pc.machine().poller().turn();
  pc.rep_ins(channel.data_port(), 2, 0x1000, static_cast<std::uint32_t>(random() % 300));
}

/// A packet to the CD-ROM drive, or the beginning of one, and some of what it answers.
void begin_packet(FuzzPc& pc, BusMasterDriver& channel, std::mt19937& random) {
  using Cd = AtapiDriver;
  constexpr std::uint8_t kPackets[]{Cd::READ_10, Cd::READ_CD, Cd::MODE_SELECT_10, Cd::INQUIRY,
                                    Cd::READ_12};
  const auto any = [&random](unsigned below) { return static_cast<unsigned>(random() % below); };
  const unsigned features = any(2);
  AtapiDriver::announce(channel, 1, features, any(1U << 13U) & ~1U);
  const auto packet =
      Cd::cdb({kPackets[any(std::size(kPackets))], 0x10, 0, 0, any(64), 1, 0, 0, any(64), 0xf8});
  const unsigned bytes = 2 * any(7);
  for (unsigned i = 0; i < bytes; i += 2) {
    pc.outw(channel.data_port(), static_cast<std::uint16_t>(packet[i] | packet[i + 1] << 8U));
  }
  (void)pc.machine().poller().turn();
  pc.rep_ins(channel.data_port(), 2, 0x1000, any(300));
}

void open_rings(FuzzPc& pc, std::mt19937& random) {
  const auto set = [&pc](std::uint32_t reg, std::uint32_t value) {
    pc.mmio_write(FuzzPc::kCardRegisters + reg, 4, value);
  };
  set(Card::TDBAL, 0x6000);
  set(Card::TDLEN, 256);
  set(Card::RDBAL, 0x6000);
  set(Card::RDLEN, 256);
  set(Card::RCTL, Card::RCTL_BAM | Card::RCTL_MPE | Card::RCTL_UPE | Card::RCTL_EN);
  set(Card::TCTL, 0x0003f0f0 | Card::TCTL_PSP | Card::TCTL_EN);
  set(Card::MDIC, kReadPhyStatus);
  set(Card::IMS, static_cast<std::uint32_t>(random() & 0xffU));
}

/// A state from the life of a machine: what a fuzzer starts from.
std::vector<std::byte> sample(const Shape& shape, std::mt19937& random) {
  Ram::get().reset();
  FuzzPc pc{shape};
  pc.set_up_as_firmware_does();
  auto ide = channels(pc);
  for (auto& channel : ide) {
    begin_command(pc, channel, random);
  }
  if (shape.cdrom) {
    begin_packet(pc, ide[1], random);
  }
  if (shape.card) {
    open_rings(pc, random);
    use_card(pc);
  }
  pc.outb(kCom1 + Uart::kFcr, 0x81);
  pc.outb(kCom1 + Uart::kIer, static_cast<std::uint8_t>(random() & 15U));
  pc.outb(kCom1 + Uart::kMcr, static_cast<std::uint8_t>(random() & 31U));
  for (unsigned i = 0; i < random() % 20; ++i) {
    pc.outb(kCom1 + Uart::kThr, static_cast<std::uint8_t>(i));
  }
  pc.outb(0x64, 0xaa);
  pc.outb(0x60, 0xf2);
  if (random() % 4 == 0) {
    pc.outw(0x10, random() & 7U);
  }
  pc.pause();
  return pc.machine().save();
}

/// One of the devices of format 3.
std::span<std::uint8_t> random_device(std::span<std::uint8_t> rest, std::mt19937& random) {
  std::vector<std::span<std::uint8_t>> states;
  while (!rest.empty() && rest.size() >= rest[0] + 5U) {
    std::uint32_t length = 0;
    std::memcpy(&length, rest.data() + 1 + rest[0], sizeof length);
    rest = rest.subspan(rest[0] + 5U);
    if (length > rest.size()) {
      break;
    }
    states.push_back(rest.first(length));
    rest = rest.subspan(length);
  }
  return states.empty() ? rest : states[random() % states.size()];
}

/// Somewhere in the fields: goes down where a payload looks like fields again, and ends at a value.
std::span<std::uint8_t> random_value(std::span<std::uint8_t> fields, std::mt19937& random) {
  constexpr std::size_t kFieldHeader = 6;
  std::vector<std::span<std::uint8_t>> payloads;
  std::span<std::uint8_t> rest = fields;
  while (rest.size() >= kFieldHeader) {
    std::uint32_t length = 0;
    std::memcpy(&length, rest.data() + 2, sizeof length);
    length &= 0x7fffffffU;  // the highest bit: a packed array
    if (length > rest.size() - kFieldHeader) {
      break;
    }
    payloads.push_back(rest.subspan(kFieldHeader, length));
    rest = rest.subspan(kFieldHeader + length);
  }
  if (payloads.empty() || !rest.empty()) {
    return fields;
  }
  return random_value(payloads[random() % payloads.size()], random);
}

}  // namespace

}  // namespace dm::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data,
                                               std::size_t size,
                                               std::size_t max_size,
                                               unsigned seed);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data,
                                               std::size_t size,
                                               std::size_t max_size,
                                               unsigned seed) {
  std::mt19937 random{seed};
  if (size < 64 && random() % 4 != 0) {
    const auto choice = static_cast<std::uint8_t>(random() % 0xe0U);
    const auto file = dm::fuzz::sample(dm::fuzz::Shape{choice}, random);
    const std::size_t fields = std::min(file.size() - dm::kSavedHeader, max_size - 1);
    data[0] = choice;
    std::memcpy(data + 1, file.data() + dm::kSavedHeader, fields);
    return fields + 1;
  }
  if (size < 2 || random() % 8 == 0) {
    return LLVMFuzzerMutate != nullptr ? LLVMFuzzerMutate(data, size, max_size) : size;
  }
  for (auto n = random() % 3 + 1; n > 0; --n) {
    const std::span all{data + 1, size - 1};
    const auto fields = dm::fuzz::format_of(all) == 1 ? all : dm::fuzz::random_device(all, random);
    const auto value = dm::fuzz::random_value(fields, random);
    if (value.empty()) {
      continue;
    }
    std::uint8_t& byte = value[random() % value.size()];
    switch (random() % 4) {
      case 0:
        byte = static_cast<std::uint8_t>(byte ^ 1U << random() % 8);
        break;
      case 1:
        byte = static_cast<std::uint8_t>(random() & 0xffU);
        break;
      case 2:
        byte = random() % 2 == 0 ? 0 : 0xff;
        break;
      default:
        byte = static_cast<std::uint8_t>(byte + (random() % 2 == 0 ? 1 : 255));
        break;
    }
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::Ram::get().reset();
  dm::fuzz::run(dm::fuzz::Input{data, size});
  return 0;
}
