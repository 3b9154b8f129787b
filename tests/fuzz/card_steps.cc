// SPDX-License-Identifier: MIT
// Register offsets and descriptor bits: 8254x SDM, chapters 3 and 13.
#include "tests/fuzz/card_steps.h"

#include <array>
#include <cstring>

namespace dm::fuzz {

namespace {

constexpr std::uint64_t kRegisters = FuzzPc::kCardRegisters;
constexpr std::uint16_t kIoAddr = FuzzPc::kCardPorts;
constexpr std::uint16_t kIoData = kIoAddr + 4;

/// Where something happens, or where an array begins.
constexpr std::uint16_t kInteresting[]{
    0x0000, 0x0008, 0x0010, 0x0014, 0x0018, 0x0020, 0x0038, 0x00c0, 0x00c4, 0x00c8, 0x00d0,
    0x00d8, 0x0100, 0x0400, 0x1000, 0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x2820, 0x282c,
    0x2c00, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x3820, 0x3828, 0x382c, 0x4000, 0x4074,
    0x40d0, 0x5000, 0x5200, 0x53fc, 0x5400, 0x5404, 0x5478, 0x5600, 0x57fc, 0x5800, 0x5808,
};
constexpr std::size_t kMostDescriptors = 12;

/// The rings that set_up_ring() gives the card, 16 descriptors each and more by choice.
constexpr std::uint32_t kSendRing = 0x6000;
constexpr std::uint32_t kReceiveRing = 0x7000;

void put_descriptor(std::uint64_t at, std::uint64_t low, std::uint64_t high) {
  if (Ram::room(at) >= 16) {
    std::memcpy(Ram::get().base() + at, &low, 8);
    std::memcpy(Ram::get().base() + at + 8, &high, 8);
  }
}

}  // namespace

void CardSteps::one(std::uint8_t what) {
  switch (what & 7U) {
    case 0:
      return write_register();
    case 1:
      return read_register();
    case 2:
      return indirect();
    case 3:
      return set_up_ring();
    case 4:
      return give_buffers();
    case 5:
      return send_descriptors();
    case 6:
      return frame_arrives();
    default:
      return cable();
  }
}

std::uint32_t CardSteps::reg() {
  const std::size_t which = in_.below(std::size(kInteresting) + 1);
  return which == std::size(kInteresting) ? in_.take<std::uint32_t>() & 0x1fffcU
                                          : kInteresting[which];
}

void CardSteps::set(std::uint32_t reg, std::uint32_t value) {
  pc_.mmio_write(kRegisters + reg, 4, value);
}

void CardSteps::write_register() {
  const std::uint32_t at = reg();
  set(at, in_.take<std::uint32_t>());
}

void CardSteps::read_register() {
  (void)pc_.mmio_read(kRegisters + reg(), 4);
}

/// IOADDR and IODATA (SDM 13.3), of any size and at any place in the window.
void CardSteps::indirect() {
  const auto choice = in_.byte();
  pc_.outl(kIoAddr, (choice & 1U) != 0 ? in_.take<std::uint32_t>() : reg());
  const auto port = static_cast<std::uint16_t>(kIoData + ((choice & 2U) != 0 ? choice >> 6U : 0));
  const auto bytes = static_cast<std::uint8_t>((choice & 4U) != 0 ? 1U << (choice >> 4U & 1U) : 4);
  if ((choice & 8U) != 0) {
    (void)pc_.pio_read(port, bytes);
  } else {
    pc_.pio_write(port, bytes, in_.take<std::uint32_t>());
  }
}

/// Both rings and both engines, as a driver's probe leaves them.
void CardSteps::set_up_ring() {
  const auto choice = in_.byte();
  const std::uint32_t bytes = 128U << (choice >> 6U);
  set(0x3800, kSendRing);
  set(0x3804, 0);
  set(0x3808, bytes);
  set(0x3810, 0);
  set(0x3818, 0);
  set(0x2800, kReceiveRing);
  set(0x2804, 0);
  set(0x2808, bytes);
  set(0x2810, 0);
  set(0x2818, 0);
  set(0x5000, (choice & 1U) != 0 ? 0x300 : 0);           // RXCSUM: IPOFL, TUOFL
  set(0x0000, (choice & 2U) != 0 ? 0x40000240 : 0x240);  // CTRL: VME, SLU
  set(0x00d0, 0x9d);                                     // IMS
  set(0x0100,
      0x0000801aU | (choice & 4U) << 3U | (choice & 0x18U) << 13U |
          ((choice & 0x20U) != 0 ? 0x02000000U : 0));  // RCTL: EN, UPE, MPE, BAM; LPE, BSIZE, BSEX
  set(0x0400, 0x0003f0fa);                             // TCTL: EN, PSP
}

void CardSteps::give_buffers() {
  const auto choice = in_.byte();
  for (unsigned i = 0; i < 16; ++i) {
    put_descriptor(kReceiveRing + i * 16, Ram::address(in_), 0);
  }
  set(0x2818, choice);
}

/// A context for TCP over IPv4 that makes sense, with any MSS, and headers to match where the next
/// data descriptor may point.
void CardSteps::put_segmentation(std::uint64_t at) {
  // TUCSE 0, TUCSO 50, TUCSS 34, IPCSE 33, IPCSO 24, IPCSS 14.
  constexpr std::uint64_t kOffsets = 0x000032220021180e;
  const std::uint64_t mss = in_.byte() & 0x0fU;
  put_descriptor(at, kOffsets, std::uint64_t{0x27000000} | std::uint64_t{54} << 40U | mss << 48U);
  const std::uint64_t to = Ram::address(in_);
  if (Ram::room(to) >= 54) {
    std::array<std::uint8_t, 54> headers{};
    headers[12] = 0x08;
    headers[14] = 0x45;
    headers[23] = 6;
    headers[46] = 0x50;
    std::memcpy(Ram::get().base() + to, headers.data(), headers.size());
  }
}

/// Legacy, context and data descriptors, good and bad, with one tail write.
void CardSteps::send_descriptors() {
  const std::size_t count = in_.below(kMostDescriptors) + 1;
  std::uint32_t tail = static_cast<std::uint32_t>(pc_.mmio_read(kRegisters + 0x3818, 4)) & 31U;
  for (std::size_t i = 0; i < count; ++i, tail = (tail + 1) & 31U) {
    const auto choice = in_.byte();
    const std::uint64_t at = kSendRing + std::uint64_t{tail} * 16;
    const std::uint64_t dext = (choice & 1U) != 0 ? 0x20000000U : 0;
    if (dext != 0 && (choice & 0xe2U) == 0xe2U) {
      put_segmentation(at);
      continue;
    }
    if (dext != 0 && (choice & 2U) != 0) {  // context: IPCSS.. TUCSE, PAYLEN, TUCMD, HDRLEN, MSS
      put_descriptor(at, in_.take<std::uint64_t>(),
                     (in_.take<std::uint64_t>() & ~std::uint64_t{0xf00000}) | dext);
      continue;
    }
    const std::uint64_t address =
        (choice & 4U) != 0 ? in_.take<std::uint64_t>() : Ram::address(in_);
    const std::uint64_t length = std::uint64_t{in_.take<std::uint16_t>()} >> (choice >> 6U) * 4U;
    const std::uint64_t command = std::uint64_t{in_.byte()} << 24U;
    const std::uint64_t last = (choice & 8U) != 0 ? 0x09000000U : 0;  // EOP, RS
    const std::uint64_t type = dext != 0 ? 0x00100000U : 0;
    put_descriptor(at, address,
                   ((command | length | last | type) & ~std::uint64_t{0x20000000}) | dext |
                       std::uint64_t{in_.take<std::uint16_t>()} << 40U);
  }
  set(0x3818, tail);
}

/// With offload data as a host would never give it, and as it would.
void CardSteps::frame_arrives() {
  const auto choice = in_.byte();
  const std::size_t size = (choice & 1U) != 0 ? in_.take<std::uint16_t>() : in_.byte() + 14U;
  NetOffload offload;
  offload.needs_checksum = (choice & 2U) != 0;
  offload.checksum_valid = (choice & 4U) != 0;
  offload.ecn = (choice & 8U) != 0;
  offload.gso = (choice & 0x10U) == 0 ? Gso::none : (choice & 0x20U) != 0 ? Gso::tcp4 : Gso::tcp6;
  if ((choice & 0x40U) != 0) {
    offload.header_length = in_.take<std::uint16_t>();
    offload.segment_size = in_.take<std::uint16_t>();
    offload.checksum_start = in_.take<std::uint16_t>();
    offload.checksum_offset = in_.take<std::uint16_t>();
  } else {
    offload.header_length = 54;
    offload.segment_size = 1460;
    offload.checksum_start = 34;
    offload.checksum_offset = 16;
  }
  std::array<std::uint8_t, 96> head{0x01, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45};
  head[46] = 0x50;
  const auto own = in_.bytes((choice & 0x80U) != 0 ? head.size() : 16);
  std::copy(own.begin(), own.end(), head.begin() + ((choice & 0x80U) != 0 ? 0 : 12));
  pc_.cable.deliver(std::span{head}.first(std::min(head.size(), size)), size, offload);
}

void CardSteps::cable() {
  const auto choice = in_.byte();
  if ((choice & 8U) != 0) {
    return pc_.cable.set_link((choice & 1U) != 0);
  }
  constexpr SendStatus kAnswers[]{SendStatus::sent, SendStatus::full, SendStatus::sent,
                                  SendStatus::failed};
  pc_.cable.answer_with(kAnswers[choice & 3U]);
}

}  // namespace dm::fuzz
