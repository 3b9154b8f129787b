// SPDX-License-Identifier: MIT
// Any saved state. An input is a byte that says which machine and then what follows the header of a
// state; it gets a header that fits, so that every input comes to where fields are read. One
// machine in eight gets the input as the whole file instead.
#include "ioreq/machine/machine_state.h"
#include "tests/fuzz/fuzz_pc.h"

#include <boost/crc.hpp>

#include <algorithm>
#include <cstring>
#include <random>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size)
    __attribute__((weak));

namespace dm::fuzz {

namespace {

constexpr std::uint8_t kWholeFile = 0xe0;  ///< these bits of the first byte

/// Format 1 began with the field of number 1, two bytes; format 2 begins with the length of a name,
/// and the shortest that there is has three letters.
std::uint32_t format_of(std::span<const std::uint8_t> fields) {
  return fields.size() >= 2 && fields[0] == 1 && fields[1] == 0 ? 1 : 2;
}

std::vector<std::byte> with_header(std::span<const std::uint8_t> fields) {
  boost::crc_32_type crc;
  crc.process_bytes(fields.data(), fields.size());
  std::vector<std::byte> file(kSavedHeader + fields.size());
  const std::uint32_t words[]{format_of(fields), static_cast<std::uint32_t>(file.size()),
                              crc.checksum(), 0};
  std::memcpy(file.data(), "stubdm-s", 8);
  std::memcpy(file.data() + 8, words, sizeof words);
  std::copy_n(reinterpret_cast<const std::byte*>(fields.data()), fields.size(),
              file.begin() + kSavedHeader);
  return file;
}

/// Frames and descriptors for a card that may be in any state.
void use_card(FuzzPc& pc) {
  constexpr std::uint64_t kCard = FuzzPc::kCardRegisters;
  pc.config_write({4, 0}, 0x10, 4, FuzzPc::kCardRegisters);
  pc.config_write({4, 0}, 0x04, 2, 7);
  for (const std::uint32_t reg :
       {0x0008U, 0x00c0U, 0x0010U, 0x0020U, 0x2810U, 0x3810U, 0x4074U, 0x5400U}) {
    (void)pc.mmio_read(kCard + reg, 4);
  }
  pc.cable.deliver({}, 60, {});
  NetOffload large;
  large.needs_checksum = true;
  large.gso = Gso::tcp4;
  large.segment_size = 1460;
  pc.cable.deliver({}, 9000, large);
  for (const std::uint32_t tail : {7U, 3U}) {
    pc.mmio_write(kCard + 0x2818, 4, tail);  // RDT
    pc.mmio_write(kCard + 0x3818, 4, tail);  // TDT
    (void)pc.machine().poller().turn();
  }
  pc.mmio_write(kCard + 0x0014, 4, 1);           // EERD
  pc.mmio_write(kCard + 0x0020, 4, 0x08210000);  // MDIC
}

/// What a guest does that finds itself in the middle of anything.
void go_on(FuzzPc& pc) {
  constexpr std::uint16_t kRegisters[]{0x1f7,  0x3f6, 0x177, 0x376, 0x3f8,  0x3fa,  0x3fd,
                                       0x3fe,  0x60,  0x64,  0x71,  0x92,   0xb004, 0xb2,
                                       0xafe0, 0xcf8, 0xcfc, 0x10,  0xc000, 0xc002, 0xc004};
  for (const std::uint16_t port : kRegisters) {
    (void)pc.inb(port);
    (void)pc.inl(port);
  }
  for (const std::uint16_t data : {std::uint16_t{0x1f0}, std::uint16_t{0x170}}) {
    pc.rep_ins(data, 2, 0x1000, 300);
    pc.rep_outs(data, 4, 0x1000, 300);
  }
  for (const std::uint16_t master : {std::uint16_t{0xc000}, std::uint16_t{0xc008}}) {
    pc.outb(master, 0);
    pc.outl(static_cast<std::uint16_t>(master + 4), 0x2000);
    pc.outb(master, 9);
  }
  pc.let_everything_end();
  for (const std::uint16_t base : {std::uint16_t{0x3f8}, std::uint16_t{0x2f8}}) {
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
  pc.outb(0x3f6, 4);
  pc.outb(0x3f6, 0);
  pc.outb(0x1f7, 0xec);
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

/// A state from the life of a machine: what a fuzzer starts from.
std::vector<std::byte> sample(const Shape& shape, std::mt19937& random) {
  constexpr std::uint8_t kCommands[]{0x20, 0xc4, 0x30, 0xc5, 0xc8, 0xca, 0xec, 0x06, 0x24, 0xe7};
  Ram::get().reset();
  FuzzPc pc{shape};
  pc.set_up_as_firmware_does();
  for (const std::uint16_t base : {std::uint16_t{0x1f0}, std::uint16_t{0x170}}) {
    pc.outb(static_cast<std::uint16_t>(base + 2), 7);
    pc.outb(static_cast<std::uint16_t>(base + 3), static_cast<std::uint8_t>(random() & 0xffU));
    pc.outb(static_cast<std::uint16_t>(base + 6),
            static_cast<std::uint8_t>(0xe0U | (random() & 16U)));
    pc.outb(static_cast<std::uint16_t>(base + 7), kCommands[random() % std::size(kCommands)]);
    (void)pc.machine().poller().turn();
    pc.rep_ins(base, 2, 0x1000, static_cast<std::uint32_t>(random() % 300));
  }
  if (shape.cdrom) {
    constexpr std::uint8_t kPackets[]{0x28, 0xbe, 0x55, 0x12, 0xa8};
    pc.outb(0x176, 0xb0);
    pc.outb(0x171, random() & 1U);
    pc.outb(0x174, static_cast<std::uint8_t>(random() & 0xfeU));
    pc.outb(0x175, static_cast<std::uint8_t>(random() & 31U));
    pc.outb(0x177, 0xa0);
    const std::uint8_t packet[12]{kPackets[random() % std::size(kPackets)], 0x10, 0, 0,
                                  static_cast<std::uint8_t>(random() % 64), 1,    0, 0,
                                  static_cast<std::uint8_t>(random() % 64), 0xf8};
    for (unsigned i = 0; i < 2 * (random() % 7); i += 2) {
      pc.outw(0x170, static_cast<std::uint16_t>(packet[i] | packet[i + 1] << 8U));
    }
    (void)pc.machine().poller().turn();
    pc.rep_ins(0x170, 2, 0x1000, static_cast<std::uint32_t>(random() % 300));
  }
  if (shape.card) {
    for (const std::uint32_t reg : {0x3800U, 0x2800U}) {
      pc.mmio_write(FuzzPc::kCardRegisters + reg, 4, 0x6000);
      pc.mmio_write(FuzzPc::kCardRegisters + reg + 8, 4, 256);
    }
    pc.mmio_write(FuzzPc::kCardRegisters + 0x100, 4, 0x801a);
    pc.mmio_write(FuzzPc::kCardRegisters + 0x400, 4, 0x0003f0fa);
    pc.mmio_write(FuzzPc::kCardRegisters + 0x20, 4, 0x08210000);
    pc.mmio_write(FuzzPc::kCardRegisters + 0xd0, 4, static_cast<std::uint32_t>(random() & 0xffU));
    use_card(pc);
  }
  pc.outb(0x3fa, 0x81);
  pc.outb(0x3f9, static_cast<std::uint8_t>(random() & 15U));
  pc.outb(0x3fc, static_cast<std::uint8_t>(random() & 31U));
  for (unsigned i = 0; i < random() % 20; ++i) {
    pc.outb(0x3f8, static_cast<std::uint8_t>(i));
  }
  pc.outb(0x64, 0xaa);
  pc.outb(0x60, 0xf2);
  if (random() % 4 == 0) {
    pc.outw(0x10, random() & 7U);
  }
  pc.pause();
  return pc.machine().save();
}

/// One of the devices of format 2.
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
