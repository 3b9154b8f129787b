// SPDX-License-Identifier: MIT
// A guest's driver for an 82540EM. Every number is typed from Intel's 8254x Software Developer's
// Manual; nothing comes from the device's own headers.
#pragma once

#include "tests/rig/sim_guest.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

namespace dm::drivers {

using Bytes = std::vector<std::byte>;

class E1000Driver {
 public:
  // Registers
  static constexpr std::uint32_t CTRL = 0x0000, STATUS = 0x0008, EECD = 0x0010, EERD = 0x0014,
                                 CTRL_EXT = 0x0018, MDIC = 0x0020, FCAL = 0x0028, FCAH = 0x002c,
                                 FCT = 0x0030, VET = 0x0038, ICR = 0x00c0, ITR = 0x00c4,
                                 ICS = 0x00c8, IMS = 0x00d0, IMC = 0x00d8, RCTL = 0x0100,
                                 FCTTV = 0x0170, TXCW = 0x0178, TCTL = 0x0400, TIPG = 0x0410,
                                 PBA = 0x1000, FCRTH = 0x2168, RDBAL = 0x2800, RDBAH = 0x2804,
                                 RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818, RDTR = 0x2820,
                                 RXDCTL = 0x2828, RADV = 0x282c, TDBAL = 0x3800, TDBAH = 0x3804,
                                 TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818, TIDV = 0x3820,
                                 TXDCTL = 0x3828, TADV = 0x382c, GPRC = 0x4074, RXCSUM = 0x5000,
                                 MTA = 0x5200, RA = 0x5400, VFTA = 0x5600, WUC = 0x5800,
                                 MANC = 0x5820;
  // Bits
  static constexpr std::uint32_t CTRL_FD = 1U << 0U, CTRL_SLU = 1U << 6U, CTRL_RST = 1U << 26U,
                                 CTRL_VME = 1U << 30U, CTRL_PHY_RST = 1U << 31U;
  static constexpr std::uint32_t STATUS_LU = 1U << 1U;
  static constexpr std::uint32_t EECD_SK = 1, EECD_CS = 2, EECD_DI = 4, EECD_DO = 8,
                                 EECD_REQ = 0x40, EECD_GNT = 0x80, EECD_PRES = 0x100;
  static constexpr std::uint32_t TXDW = 1, TXQE = 2, LSC = 4, RXDMT0 = 0x10, RXO = 0x40,
                                 RXT0 = 0x80, MDAC = 0x200;
  static constexpr std::uint32_t RCTL_EN = 2, RCTL_SBP = 4, RCTL_UPE = 8, RCTL_MPE = 0x10,
                                 RCTL_LPE = 0x20, RCTL_LBM = 0xc0, RCTL_BAM = 0x8000,
                                 RCTL_VFE = 1U << 18U, RCTL_CFIEN = 1U << 19U, RCTL_CFI = 1U << 20U,
                                 RCTL_BSEX = 1U << 25U, RCTL_SECRC = 1U << 26U;
  static constexpr std::uint32_t TCTL_EN = 2, TCTL_PSP = 8;
  // Transmit descriptors: command in bits 31:24 of the second quadword's low half
  static constexpr std::uint8_t EOP = 0x01, IFCS = 0x02, IC = 0x04, TSE = 0x04, RS = 0x08,
                                DEXT = 0x20, VLE = 0x40, IDE = 0x80;
  static constexpr std::uint8_t TU_TCP = 0x01, TU_IP = 0x02, TU_TSE = 0x04;
  static constexpr std::uint8_t IXSM = 0x01, TXSM = 0x02;
  // Receive descriptors: status
  static constexpr std::uint8_t DD = 0x01, RX_EOP = 0x02, RX_IXSM = 0x04, RX_VP = 0x08,
                                RX_TCPCS = 0x20, RX_IPCS = 0x40, RX_PIF = 0x80;

  static constexpr std::uint32_t kBar0 = 0xf2000000;
  static constexpr std::uint16_t kBar1 = 0xc100;
  // Where the rings and buffers are in the guest's memory
  static constexpr std::uint64_t kTxRing = 0x10000, kRxRing = 0x20000, kTxBuffers = 0x100000,
                                 kRxBuffers = 0x400000;

  struct RxStatus {
    std::uint16_t length;
    std::uint16_t checksum;
    std::uint8_t status;
    std::uint8_t errors;
    std::uint16_t special;
  };
  static_assert(sizeof(RxStatus) == 8);
  struct RxFrame {
    Bytes bytes;
    RxStatus last;
    unsigned descriptors;
  };
  struct Context {
    std::uint8_t ipcss, ipcso;
    std::uint16_t ipcse;
    std::uint8_t tucss, tucso;
    std::uint16_t tucse;
    std::uint32_t paylen;
    std::uint8_t tucmd;
    std::uint8_t hdrlen;
    std::uint16_t mss;
  };

  explicit E1000Driver(rig::SimGuest& guest, PciBdf bdf = {.device = 4})
      : guest_{guest}, bdf_{bdf} {}

  /// What firmware does: BARs and the command register.
  void map() {
    guest_.config_write(bdf_, 0x10, 4, kBar0);
    guest_.config_write(bdf_, 0x14, 4, kBar1);
    guest_.config_write(bdf_, 0x04, 2, 0x0007);
  }

  [[nodiscard]] std::uint32_t get(std::uint32_t reg) {
    return static_cast<std::uint32_t>(guest_.mmio_read(kBar0 + reg, 4));
  }
  void set(std::uint32_t reg, std::uint32_t value) { guest_.mmio_write(kBar0 + reg, 4, value); }
  [[nodiscard]] std::uint32_t get_indirect(std::uint32_t reg) {
    guest_.outl(kBar1, reg);
    return guest_.inl(kBar1 + 4);
  }
  void set_indirect(std::uint32_t reg, std::uint32_t value) {
    guest_.outl(kBar1, reg);
    guest_.outl(kBar1 + 4, value);
  }
  [[nodiscard]] bool irq() const { return guest_.intx(bdf_.device, 0); }

  // EEPROM, the way Linux goes for this part: every edge by hand.
  void eecd(std::uint32_t bits) {
    set(EECD, bits);
    (void)get(STATUS);
  }
  void shift_out(std::uint32_t data, unsigned bits) {
    for (unsigned i = bits; i-- != 0;) {
      const std::uint32_t level = EECD_REQ | EECD_CS | ((data >> i & 1U) != 0 ? EECD_DI : 0U);
      eecd(level);
      eecd(level | EECD_SK);
      eecd(level);
    }
  }
  [[nodiscard]] std::uint16_t shift_in() {
    std::uint32_t data = 0;
    for (unsigned i = 0; i < 16; ++i) {
      eecd(EECD_REQ | EECD_CS | EECD_SK);
      data = data << 1U | ((get(EECD) & EECD_DO) != 0 ? 1U : 0U);
      eecd(EECD_REQ | EECD_CS);
    }
    return static_cast<std::uint16_t>(data);
  }
  [[nodiscard]] std::uint16_t read_eeprom_by_wire(unsigned address) {
    set(EECD, get(EECD) | EECD_REQ);
    if ((get(EECD) & EECD_GNT) == 0) {
      throw std::runtime_error("no grant");
    }
    eecd(EECD_REQ);
    eecd(EECD_REQ | EECD_CS);
    shift_out(6, 3);
    shift_out(address, 6);
    const std::uint16_t word = shift_in();
    eecd(EECD_REQ);
    eecd(EECD_REQ | EECD_SK);
    eecd(EECD_REQ);
    set(EECD, 0);
    return word;
  }
  [[nodiscard]] std::uint16_t read_eeprom(unsigned address) {
    set(EERD, 1U | address << 8U);
    if ((get(EERD) & 0x10U) == 0) {
      throw std::runtime_error("EERD is not done");
    }
    return static_cast<std::uint16_t>(get(EERD) >> 16U);
  }

  // PHY
  std::uint32_t mdic(std::uint32_t op, unsigned reg, std::uint16_t data, unsigned phy = 1) {
    set(MDIC, data | reg << 16U | phy << 21U | op << 26U);
    const std::uint32_t result = get(MDIC);
    if ((result & 1U << 28U) == 0) {
      throw std::runtime_error("MDIC is not ready");
    }
    return result;
  }
  [[nodiscard]] std::uint16_t phy(unsigned reg) {
    const std::uint32_t result = mdic(2, reg, 0);
    if ((result & 1U << 30U) != 0) {
      throw std::runtime_error("MDIC error");
    }
    return static_cast<std::uint16_t>(result);
  }
  void phy(unsigned reg, std::uint16_t value) { (void)mdic(1, reg, value); }

  // Rings
  void open_tx(std::uint32_t count = 64) {
    tx_count_ = count;
    tx_next_ = 0;
    clear(kTxRing, count);
    set(TDBAL, kTxRing);
    set(TDBAH, 0);
    set(TDLEN, count * 16);
    set(TDH, 0);
    set(TDT, 0);
    set(TCTL, TCTL_EN | TCTL_PSP | 0x0f0U | 0x40000U);
  }
  /// Buffers of `size` bytes for all but one descriptor.
  void open_rx(std::uint32_t count = 64,
               std::uint32_t rctl = RCTL_BAM | RCTL_SECRC,
               std::uint32_t size = 2048) {
    rx_count_ = count;
    rx_next_ = 0;
    rx_size_ = size;
    clear(kRxRing, count);
    for (std::uint32_t i = 0; i < count; ++i) {
      guest_.poke(kRxRing + i * 16, kRxBuffers + std::uint64_t{i} * size);
    }
    set(RDBAL, kRxRing);
    set(RDBAH, 0);
    set(RDLEN, count * 16);
    set(RDH, 0);
    set(RDT, 0);
    set(RCTL, rctl | RCTL_EN | buffer_code(size));
    set(RDT, count - 1);
  }

  void put_tx(std::uint64_t first, std::uint64_t second) {
    guest_.poke(kTxRing + tx_next_ * 16, first);
    guest_.poke(kTxRing + tx_next_ * 16 + 8, second);
    tx_next_ = (tx_next_ + 1) % tx_count_;
  }
  void put_legacy(std::uint64_t at,
                  std::uint32_t length,
                  std::uint8_t cmd,
                  std::uint8_t cso = 0,
                  std::uint8_t css = 0,
                  std::uint16_t special = 0) {
    put_tx(at, length | std::uint64_t{cso} << 16U | std::uint64_t{cmd} << 24U |
                   std::uint64_t{css} << 40U | std::uint64_t{special} << 48U);
  }
  void put_data(std::uint64_t at,
                std::uint32_t length,
                std::uint8_t cmd,
                std::uint8_t popts = 0,
                std::uint16_t special = 0) {
    put_tx(at, length | 1U << 20U | static_cast<std::uint64_t>(cmd | DEXT) << 24U |
                   std::uint64_t{popts} << 40U | std::uint64_t{special} << 48U);
  }
  void put_context(const Context& c, std::uint8_t extra = 0) {
    put_tx(c.ipcss | std::uint64_t{c.ipcso} << 8U | std::uint64_t{c.ipcse} << 16U |
               std::uint64_t{c.tucss} << 32U | std::uint64_t{c.tucso} << 40U |
               std::uint64_t{c.tucse} << 48U,
           c.paylen | std::uint64_t{static_cast<std::uint8_t>(c.tucmd | DEXT | extra)} << 24U |
               std::uint64_t{c.hdrlen} << 40U | std::uint64_t{c.mss} << 48U);
  }
  void ring_doorbell() { set(TDT, tx_next_); }
  /// One frame, one legacy descriptor, as firmware drivers send.
  void send(std::span<const std::byte> frame, std::uint8_t cmd = EOP | IFCS | RS) {
    put_memory(kTxBuffers, frame);
    put_legacy(kTxBuffers, static_cast<std::uint32_t>(frame.size()), cmd);
    ring_doorbell();
  }
  [[nodiscard]] std::uint8_t tx_status(std::uint32_t slot) {
    return guest_.peek<std::uint8_t>(kTxRing + std::uint64_t{slot} * 16 + 12);
  }
  [[nodiscard]] std::uint32_t tx_slot() const { return tx_next_; }

  [[nodiscard]] RxStatus rx_status(std::uint32_t slot) {
    return guest_.peek<RxStatus>(kRxRing + std::uint64_t{slot} * 16 + 8);
  }
  /// Takes the next frame off the ring, and gives its buffers back unless told otherwise; empty
  /// when there is none.
  RxFrame take(bool give_back = true) {
    RxFrame frame{.bytes = {}, .last = {}, .descriptors = 0};
    while (true) {
      const RxStatus status = rx_status(rx_next_);
      if ((status.status & DD) == 0) {
        if (frame.descriptors != 0) {
          throw std::runtime_error("a frame without an end");
        }
        return frame;
      }
      const auto at = guest_.peek<std::uint64_t>(kRxRing + std::uint64_t{rx_next_} * 16);
      const auto part = guest_.ram().subspan(at, status.length);
      frame.bytes.insert(frame.bytes.end(), part.begin(), part.end());
      frame.last = status;
      ++frame.descriptors;
      guest_.poke(kRxRing + std::uint64_t{rx_next_} * 16 + 8, std::uint64_t{0});
      const std::uint32_t slot = rx_next_;
      rx_next_ = (rx_next_ + 1) % rx_count_;
      if ((status.status & RX_EOP) != 0) {
        if (give_back) {
          set(RDT, slot);
        }
        return frame;
      }
    }
  }

  void put_memory(std::uint64_t gpa, std::span<const std::byte> from) {
    std::memcpy(guest_.ram().subspan(gpa, from.size()).data(), from.data(), from.size());
  }

  /// What Linux' e1000_probe and e1000_open do, as far as the card notices. The address it finds.
  std::array<std::uint8_t, 6> probe() {
    set(IMC, 0xffffffff);
    set(RCTL, 0);
    set(TCTL, TCTL_PSP);
    (void)get(STATUS);
    guest_.advance(std::chrono::milliseconds{10});
    set_indirect(CTRL, get(CTRL) | CTRL_RST);  // e1000_reset_hw: only through I/O for an 82540
    guest_.advance(std::chrono::milliseconds{5});
    set(MANC, get(MANC) & ~0x2000U);
    set(IMC, 0xffffffff);
    (void)get(ICR);
    std::uint16_t sum = 0;
    std::array<std::uint16_t, 64> words{};
    for (unsigned i = 0; i < 64; ++i) {
      words.at(i) = read_eeprom_by_wire(i);
      sum = static_cast<std::uint16_t>(sum + words.at(i));
    }
    if (sum != 0xbaba) {
      throw std::runtime_error("the EEPROM's checksum is wrong");
    }
    const std::uint32_t id = std::uint32_t{phy(2)} << 16U | phy(3);
    if ((id & 0xfffffff0U) != 0x01410c20U) {
      throw std::runtime_error("not the PHY of an 82540EM");
    }
    std::array<std::uint8_t, 6> mac{};
    for (unsigned i = 0; i < 6; ++i) {
      mac.at(i) = static_cast<std::uint8_t>(words.at(i / 2) >> (i % 2 * 8));
    }
    set(CTRL, get(CTRL) | CTRL_SLU);
    return mac;
  }

 private:
  void clear(std::uint64_t ring, std::uint32_t count) {
    const auto bytes = guest_.ram().subspan(ring, std::size_t{count} * 16);
    std::memset(bytes.data(), 0, bytes.size());
  }
  [[nodiscard]] static std::uint32_t buffer_code(std::uint32_t size) {
    switch (size) {
      case 2048:
        return 0;
      case 1024:
        return 1U << 16U;
      case 512:
        return 2U << 16U;
      case 256:
        return 3U << 16U;
      case 16384:
        return RCTL_BSEX | 1U << 16U;
      case 8192:
        return RCTL_BSEX | 2U << 16U;
      case 4096:
        return RCTL_BSEX | 3U << 16U;
      default:
        throw std::logic_error("no such buffer size");
    }
  }

  rig::SimGuest& guest_;
  PciBdf bdf_;
  std::uint32_t tx_count_ = 0;
  std::uint32_t tx_next_ = 0;
  std::uint32_t rx_count_ = 0;
  std::uint32_t rx_next_ = 0;
  std::uint32_t rx_size_ = 0;
};

}  // namespace dm::drivers
