// SPDX-License-Identifier: MIT
// A guest's driver for an RTL8139C+, in C mode and in C+ mode. Every number is typed from what
// Linux' 8139cp.c and 8139too.c write; nothing comes from the device's own headers.
#pragma once

#include "tests/rig/sim_guest.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

namespace dm::drivers {

class Rtl8139Driver {
 public:
  using Bytes = std::vector<std::byte>;

  static constexpr std::uint32_t IDR = 0x00, MAR = 0x08, TSD = 0x10, TSAD = 0x20, RBSTART = 0x30,
                                 CR = 0x37, CAPR = 0x38, CBR = 0x3a, IMR = 0x3c, ISR = 0x3e,
                                 TCR = 0x40, RCR = 0x44, TCTR = 0x48, MPC = 0x4c, CFG9346 = 0x50,
                                 CONFIG1 = 0x52, TIMER = 0x54, MSR = 0x58, CONFIG3 = 0x59,
                                 CONFIG4 = 0x5a, HLTCLK = 0x5b, TSADS = 0x60, BMCR = 0x62,
                                 BMSR = 0x64, CSCR = 0x74, CONFIG5 = 0xd8, TPPOLL = 0xd9,
                                 RMS = 0xda, CPCR = 0xe0, RDSAR = 0xe4;
  static constexpr std::uint16_t ROK = 1, RER = 2, TOK = 4, TER = 8, RDU = 0x10, PUN = 0x20,
                                 SWINT = 0x100, TIMEOUT = 0x4000;
  static constexpr std::uint8_t RST = 0x10, RE = 8, TE = 4, BUFE = 1;
  static constexpr std::uint32_t AAP = 1, APM = 2, AM = 4, AB = 8, WRAP = 0x80;
  static constexpr std::uint32_t OWN = 1U << 31U, EOR = 1U << 30U, FS = 1U << 29U, LS = 1U << 28U,
                                 LGSEN = 1U << 27U, IPCS = 1U << 18U, UDPCS = 1U << 17U,
                                 TCPCS = 1U << 16U;
  static constexpr std::uint16_t CPTX = 1, CPRX = 2, MULRW = 8, DAC = 0x10, RXCHK = 0x20,
                                 RXVLAN = 0x40;

  static constexpr std::uint16_t kBar0 = 0xc100;
  static constexpr std::uint32_t kBar1 = 0xf2000000;
  // Where the rings and buffers are in the guest's memory
  static constexpr std::uint64_t kTxRing = 0x10000, kRxRing = 0x20000, kTxBuffers = 0x100000,
                                 kRxBuffers = 0x400000, kClassicRing = 0x800000, kTally = 0x30000;
  static constexpr std::uint32_t kRing = 64, kRxSize = 1536;

  struct Frame {
    Bytes bytes;  ///< without FCS
    std::uint32_t opts1 = 0;
    std::uint32_t opts2 = 0;
  };

  explicit Rtl8139Driver(rig::SimGuest& guest, PciBdf bdf = {.device = 4})
      : guest_{guest}, bdf_{bdf} {}

  /// What firmware does: BARs and the command register.
  void map() {
    guest_.config_write(bdf_, 0x10, 4, kBar0);
    guest_.config_write(bdf_, 0x14, 4, kBar1);
    guest_.config_write(bdf_, 0x04, 2, 0x0007);
  }
  [[nodiscard]] std::uint32_t get(std::uint32_t reg, std::uint8_t size) {
    return static_cast<std::uint32_t>(guest_.mmio_read(kBar1 + reg, size));
  }
  void set(std::uint32_t reg, std::uint8_t size, std::uint32_t value) {
    guest_.mmio_write(kBar1 + reg, size, value);
  }
  [[nodiscard]] std::uint32_t get8(std::uint32_t reg) { return get(reg, 1); }
  [[nodiscard]] std::uint32_t get16(std::uint32_t reg) { return get(reg, 2); }
  [[nodiscard]] std::uint32_t get32(std::uint32_t reg) { return get(reg, 4); }
  void set8(std::uint32_t reg, std::uint32_t value) { set(reg, 1, value); }
  void set16(std::uint32_t reg, std::uint32_t value) { set(reg, 2, value); }
  void set32(std::uint32_t reg, std::uint32_t value) { set(reg, 4, value); }
  [[nodiscard]] bool irq() const { return guest_.intx(bdf_.device, 0); }
  /// Takes all causes, as an interrupt's handler does.
  std::uint32_t take_causes() {
    const std::uint32_t causes = get16(ISR);
    set16(ISR, causes);
    return causes;
  }

  // EEPROM, as 8139too and 8139cp: every edge by hand.
  [[nodiscard]] std::uint16_t read_eeprom(unsigned word, unsigned address_bits = 6) {
    set8(CFG9346, 0x80);
    set8(CFG9346, 0x88);
    const unsigned command = 6U << address_bits | word;
    for (unsigned i = address_bits + 5; i-- != 0;) {
      const std::uint32_t bit = (command >> i & 1U) != 0 ? 2 : 0;
      set8(CFG9346, 0x88 | bit);
      set8(CFG9346, 0x8c | bit);
    }
    set8(CFG9346, 0x88);
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 16; ++i) {
      set8(CFG9346, 0x8c);
      value = value << 1U | (get8(CFG9346) & 1U);
      set8(CFG9346, 0x88);
    }
    set8(CFG9346, 0);
    return static_cast<std::uint16_t>(value);
  }

  // C+ mode, as 8139cp: cp_start_hw and cp_init_rings.
  void open_plus(std::uint32_t extra = 0, std::uint32_t count = kRing) {
    count_ = count;
    tx_next_ = 0;
    rx_next_ = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      guest_.poke(kTxRing + std::uint64_t{i} * 16, std::uint32_t{0});
      give_back(i);
    }
    set16(CPCR, extra | DAC | MULRW | CPRX | CPTX);
    set32(RDSAR, static_cast<std::uint32_t>(kRxRing));
    set32(RDSAR + 4, 0);
    set32(TSAD, static_cast<std::uint32_t>(kTxRing));
    set32(TSAD + 4, 0);
    set8(CR, RE | TE);
    set32(RCR, 0x1f00 | AB | APM | AM);
    set32(TCR, 0x03000700);
    set16(IMR, ROK | TOK | TER | RER | RDU | PUN);
  }
  void give_back(std::uint32_t slot) {
    const std::uint64_t at = kRxRing + std::uint64_t{slot} * 16;
    guest_.poke(at + 4, std::uint32_t{0});
    guest_.poke(at + 8, kRxBuffers + std::uint64_t{slot} * 2048);
    guest_.poke(at, OWN | (slot + 1 == count_ ? EOR : 0U) | kRxSize);
  }
  /// One descriptor, at `at`; FS comes with the first, and the doorbell is the caller's.
  void put(std::uint64_t at, std::uint32_t length, std::uint32_t flags, std::uint32_t opts2 = 0) {
    const std::uint64_t d = kTxRing + std::uint64_t{tx_next_} * 16;
    guest_.poke(d + 8, at);
    guest_.poke(d + 4, opts2);
    guest_.poke(d, OWN | (tx_next_ + 1 == count_ ? EOR : 0U) | flags | length);
    tx_next_ = (tx_next_ + 1) % count_;
  }
  void poll() { set8(TPPOLL, 0x40); }
  void send(std::span<const std::byte> frame, std::uint32_t flags = 0, std::uint32_t opts2 = 0) {
    put_memory(kTxBuffers, frame);
    put(kTxBuffers, static_cast<std::uint32_t>(frame.size()), FS | LS | flags, opts2);
    poll();
  }
  [[nodiscard]] std::uint32_t tx_status(std::uint32_t slot) {
    return guest_.peek<std::uint32_t>(kTxRing + std::uint64_t{slot} * 16);
  }
  [[nodiscard]] std::uint32_t tx_slot() const { return tx_next_; }
  /// The next received frame, given back; nothing when there is none.
  std::optional<Frame> take(bool back = true) {
    const std::uint64_t d = kRxRing + std::uint64_t{rx_next_} * 16;
    Frame frame{.bytes = {},
                .opts1 = guest_.peek<std::uint32_t>(d),
                .opts2 = guest_.peek<std::uint32_t>(d + 4)};
    if ((frame.opts1 & OWN) != 0) {
      return std::nullopt;
    }
    const std::uint32_t length = frame.opts1 & 0x1fffU;
    const auto bytes = guest_.ram().subspan(guest_.peek<std::uint64_t>(d + 8), length - 4);
    frame.bytes.assign(bytes.begin(), bytes.end());
    if (back) {
      give_back(rx_next_);
    }
    rx_next_ = (rx_next_ + 1) % count_;
    return frame;
  }

  // C mode, as 8139too: rtl8139_hw_start.
  void open_classic(std::uint32_t size_code = 2, std::uint32_t extra = WRAP) {
    ring_ = 8192U << size_code;
    read_ = 0;
    set8(CR, RE | TE);
    set32(RCR, size_code << 11U | 0x700 | AB | APM | AM | extra);
    set32(TCR, 0x03000700);
    set32(RBSTART, static_cast<std::uint32_t>(kClassicRing));
    set16(IMR, ROK | TOK | TER | RER | PUN);
  }
  void send_classic(unsigned slot, std::span<const std::byte> frame) {
    const std::uint64_t at = kTxBuffers + slot * 0x2000U;
    put_memory(at, frame);
    set32(TSAD + 4 * slot, static_cast<std::uint32_t>(at));
    set32(TSD + 4 * slot, static_cast<std::uint32_t>(frame.size()) | 0x30000);
  }
  /// The next entry of the ring. `wrap`: it does not go around the end.
  std::optional<Frame> take_classic(bool wrap = true) {
    if ((get8(CR) & BUFE) != 0) {
      return std::nullopt;
    }
    const auto header = guest_.peek<std::uint32_t>(kClassicRing + read_);
    const std::uint32_t length = header >> 16U;
    Frame frame{.bytes = Bytes(length - 4), .opts1 = header & 0xffffU, .opts2 = 0};
    for (std::uint32_t i = 0; i < length - 4; ++i) {
      const std::uint32_t at = read_ + 4 + i;
      frame.bytes[i] = guest_.peek<std::byte>(kClassicRing + (wrap ? at : at % ring_));
    }
    read_ = ((read_ + length + 4 + 3) & ~3U) % ring_;
    set16(CAPR, (read_ - 16) & 0xffffU);
    return frame;
  }
  [[nodiscard]] std::uint32_t read_place() const { return read_; }

  void put_memory(std::uint64_t gpa, std::span<const std::byte> from) {
    std::memcpy(guest_.ram().subspan(gpa, from.size()).data(), from.data(), from.size());
  }

 private:
  rig::SimGuest& guest_;
  PciBdf bdf_;
  std::uint32_t count_ = kRing;
  std::uint32_t tx_next_ = 0;
  std::uint32_t rx_next_ = 0;
  std::uint32_t ring_ = 0;
  std::uint32_t read_ = 0;
};

}  // namespace dm::drivers
