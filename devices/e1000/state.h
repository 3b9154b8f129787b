// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/inspector.h"
#include "core/state/describe.h"
#include "devices/e1000/regs.h"
#include "devices/nic/microwire.h"

#include <array>
#include <cstddef>
#include <cstdint>

/// Everything of a card that its guest can find out, as plain aggregates: what is saved, loaded and
/// hashed. The link and the rings' local copies are computed again.
namespace dm::e1000 {

/// The registers, indexed by their offset / 4.
struct RegisterFile {
  std::array<std::uint32_t, kRegisterWords> word = regs::List::kReset;

  template <class R>
  [[nodiscard]] std::uint32_t get() const noexcept {
    return word[R::kWord];
  }
  template <class R>
  void set(std::uint32_t value) noexcept {
    word[R::kWord] = value;
  }
  /// `test<RCTL, RCTL::EN>()`
  template <class R, class F>
  [[nodiscard]] bool test() const noexcept {
    return F::test(word[R::kWord]);
  }
  template <class R, class F>
  [[nodiscard]] std::uint32_t field() const noexcept {
    return F::get(word[R::kWord]);
  }
  template <class A>
  [[nodiscard]] std::uint32_t at(std::size_t index) const noexcept {
    return word[A::kWord + index * A::kStride / 4];
  }
};

using nic::kEepromWords;
using EepromState = nic::MicrowireState;  ///< behind EECD

inline constexpr std::size_t kPhyRegisters = 32;

struct PhyState {
  std::array<std::uint16_t, kPhyRegisters> reg{};
  bool link_was_down = false;  ///< BMSR's link bit latches low until read
};

/// One of the two offload contexts (8254x SDM, 3.3.6).
struct TxContext {
  std::uint8_t ipcss = 0;
  std::uint8_t ipcso = 0;
  std::uint16_t ipcse = 0;
  std::uint8_t tucss = 0;
  std::uint8_t tucso = 0;
  std::uint16_t tucse = 0;
  std::uint32_t paylen = 0;
  std::uint16_t mss = 0;
  std::uint8_t hdrlen = 0;
  bool tcp = false;
  bool ipv4 = false;
};

/// More than any driver uses for a packet; Windows was seen with 45.
inline constexpr std::size_t kMaxFragments = 128;
/// 64 KiB of payload, its headers, and some.
inline constexpr std::uint32_t kMaxPacket = 0x40000;

/// The packet under way: descriptors taken from the ring, whose data has not been sent yet.
struct TxPacket {
  std::array<std::uint64_t, kMaxFragments> address{};
  std::array<std::uint32_t, kMaxFragments> length{};
  std::array<std::uint16_t, kMaxFragments> slot{};   ///< index in the ring
  std::array<std::uint8_t, kMaxFragments> report{};  ///< RS, and IDE in bit 1
  std::uint16_t fragments = 0;
  std::uint32_t bytes = 0;
  std::uint32_t sent = 0;  ///< payload bytes that earlier parts have taken along
  bool open = false;       ///< a data descriptor was seen
  bool complete = false;   ///< the one with EOP too
  bool discard = false;    ///< too long: nothing of it is sent
  bool legacy = false;
  bool segment = false;  ///< TSE
  bool insert_ip = false;
  bool insert_l4 = false;
  bool insert_vlan = false;
  std::uint8_t css = 0;  ///< legacy
  std::uint8_t cso = 0;
  std::uint16_t special = 0;
  TxContext context;  ///< as it was at the first descriptor
};

struct CardState {
  std::array<std::uint8_t, 256> config{};
  RegisterFile file;
  std::uint32_t io_address = 0;
  EepromState eeprom;
  PhyState phy;
  TxContext plain_context;    ///< the last with TSE clear
  TxContext segment_context;  ///< the last with TSE set
  TxPacket packet;
  bool whole_ring = false;  ///< RDT was written as the ring's size (means_all()), and RDH was 0
  bool rx_delayed = false;  ///< RXT0 waits for RDTR or RADV
  bool tx_delayed = false;  ///< TXDW waits for TIDV or TADV
  bool link_event = false;  ///< the next CTRL write with SLU reports the link
  /// INTA# is asserted. It is not while ITR delays it, although a cause is enabled.
  bool pin = false;
};

template <class Visitor>
void describe(Visitor& v, PhyState& s) {
  v.field(1, "reg", s.reg);
  v.field(2, "link_was_down", s.link_was_down);
}

template <class Visitor>
void describe(Visitor& v, TxContext& s) {
  v.field(1, "ipcss", s.ipcss);
  v.field(2, "ipcso", s.ipcso);
  v.field(3, "ipcse", s.ipcse);
  v.field(4, "tucss", s.tucss);
  v.field(5, "tucso", s.tucso);
  v.field(6, "tucse", s.tucse);
  v.field(7, "paylen", s.paylen);
  v.field(8, "mss", s.mss);
  v.field(9, "hdrlen", s.hdrlen);
  v.field(10, "tcp", s.tcp);
  v.field(11, "ipv4", s.ipv4);
}

template <class Visitor>
void describe(Visitor& v, TxPacket& s) {
  v.field(1, "open", s.open);
  if (!s.open) {
    return;
  }
  v.field(2, "address", s.address);
  v.field(3, "length", s.length);
  v.field(4, "slot", s.slot);
  v.field(5, "report", s.report);
  v.field(6, "fragments", s.fragments);
  v.field(7, "bytes", s.bytes);
  v.field(8, "sent", s.sent);
  v.field(9, "complete", s.complete);
  v.field(10, "discard", s.discard);
  v.field(11, "legacy", s.legacy);
  v.field(12, "segment", s.segment);
  v.field(13, "insert_ip", s.insert_ip);
  v.field(14, "insert_l4", s.insert_l4);
  v.field(15, "insert_vlan", s.insert_vlan);
  v.field(16, "css", s.css);
  v.field(17, "cso", s.cso);
  v.field(18, "special", s.special);
  v.field(19, "context", s.context);
}

template <class Visitor>
void describe(Visitor& v, CardState& s) {
  v.field(1, "config", s.config);
  v.field(2, "registers", s.file.word);
  v.field(3, "io_address", s.io_address);
  v.field(4, "eeprom", s.eeprom);
  v.field(5, "phy", s.phy);
  v.field(6, "plain_context", s.plain_context);
  v.field(7, "segment_context", s.segment_context);
  v.field(8, "packet", s.packet);
  v.field(9, "whole_ring", s.whole_ring);
  v.field(10, "rx_delayed", s.rx_delayed);
  v.field(11, "tx_delayed", s.tx_delayed);
  v.field(12, "link_event", s.link_event);
  v.field(13, "pin", s.pin);
}

/// True when every number is one that the card itself could have produced, so that no index, count
/// or length in it can lead out of an array.
[[nodiscard]] bool validate(const CardState& s) noexcept;

/// All registers by their names, but for those of an array that are zero. For people who look into
/// a saved state. Allocates.
void show_registers(const RegisterFile& file, Inspector& to);

}  // namespace dm::e1000
