// SPDX-License-Identifier: MIT
// What an access of a register does.
#include "core/reg/handlers.h"
#include "devices/e1000/chip.h"
#include "devices/e1000/regs.h"

#include <type_traits>
#include <utility>

namespace dm::e1000 {

namespace {

using reg::On;
using namespace regs;  // NOLINT(google-build-using-namespace): this file is about nothing else

// Diagnostic memory, answered with zeros: the packet buffer, flexible filters, and the 82542's
// place of the FIFO pointers (8254x SDM, chapter 13).
[[nodiscard]] constexpr bool is_diagnostic(std::uint32_t offset) noexcept {
  return offset >= 0x10000 || (offset >= 0x9000 && offset < 0xa000) ||
         (offset >= 0x8000 && offset < 0x8020);
}

// A ring's length: what software can read of it (13.4.27, 13.4.38: bits 6:0 are ignored and read
// 0), and what is left of it for a ring of fewer than eight descriptors, of which the manual says
// nothing.
constexpr std::uint32_t kReadableLength = 0xfff80;
constexpr std::uint32_t kShortLength = 0x00070;

[[nodiscard]] constexpr std::uint32_t ring_length(std::uint32_t value) noexcept {
  const std::uint32_t readable = value & kReadableLength;
  return readable != 0 ? readable : value & kShortLength;
}

/// What a ring register holds after the write of `value`.
template <class R>
[[nodiscard]] constexpr std::uint32_t ring_register(std::uint32_t value) noexcept {
  const std::uint32_t kept = value & kWritable<R>;
  return std::is_same_v<R, RDLEN> || std::is_same_v<R, TDLEN> ? ring_length(kept) : kept;
}

}  // namespace

/// Who acts when a register is accessed (core/reg/handlers.h). In the order of regs.h.
struct Chip::Handlers {
  template <class... Rows>
  using OnRead = reg::ReadHandlers<Chip, std::uint32_t, List, Rows...>;
  template <class... Rows>
  using OnWrite = reg::WriteHandlers<Chip, std::uint32_t, List, Rows...>;

  // clang-format off
  using Read = OnRead<
      On<ICR,            &Chip::interrupts_, &Interrupts::take>,
      On<ICS,            &Chip::read_ics>,
      On<RDLEN,          &Chip::read_ring_length<RDLEN>>,
      On<TDLEN,          &Chip::read_ring_length<TDLEN>>,
      On<ReadClears,     &Chip::read_counter>,
      On<ReadClearsPair, &Chip::read_octets>>;

  using Write = OnWrite<
      On<CTRL,     &Chip::write_ctrl>,
      On<EECD,     &Chip::eeprom_, &Eeprom::write_eecd>,
      On<EERD,     &Chip::eeprom_, &Eeprom::write_eerd>,
      On<CTRL_EXT, &Chip::write_ctrl_ext>,
      On<MDIC,     &Chip::write_mdic>,
      On<PBA,      &Chip::write_pba>,
      On<ICR,      &Chip::interrupts_, &Interrupts::clear>,
      On<ITR,      &Chip::interrupts_, &Interrupts::write_itr>,
      On<ICS,      &Chip::interrupts_, &Interrupts::raise>,
      On<IMS,      &Chip::interrupts_, &Interrupts::unmask>,
      On<IMC,      &Chip::interrupts_, &Interrupts::mask>,
      On<RCTL,     &Chip::write_rctl>,
      On<RDBAL,    &Chip::write_receive_ring<RDBAL>>,
      On<RDBAH,    &Chip::write_receive_ring<RDBAH>>,
      On<RDLEN,    &Chip::write_receive_ring<RDLEN>>,
      On<RDH,      &Chip::write_receive_ring<RDH>>,
      On<RDT,      &Chip::write_rdt>,
      On<RDTR,     &Chip::write_rdtr>,
      On<RAL,      &Chip::write_address<RAL>>,
      On<RAH,      &Chip::write_address<RAH>>,
      On<TCTL,     &Chip::write_tctl>,
      On<TDBAL,    &Chip::write_transmit_ring<TDBAL>>,
      On<TDBAH,    &Chip::write_transmit_ring<TDBAH>>,
      On<TDLEN,    &Chip::write_transmit_ring<TDLEN>>,
      On<TDH,      &Chip::write_transmit_ring<TDH>>,
      On<TDT,      &Chip::write_tdt>>;
  // clang-format on
};

std::uint32_t Chip::read(std::uint32_t offset) noexcept {
  if (offset < kRegisterBytes) [[likely]] {
    const Decoded& d = List::kDecode[offset / 4];
    if (d.read == Does::plain) [[likely]] {
      return file_.word[d.word];
    }
    if (acts(d.read)) {
      return Handlers::Read::table()[handler_of(d.read)](*this, d.word);
    }
  } else if (is_diagnostic(offset)) {
    return 0;
  }
  ++shared_.counters.unknown_accesses;
  return 0;
}

/// VxWorks looks here at the causes, without taking them.
std::uint32_t Chip::read_ics() noexcept {
  return file_.get<ICR>();
}

template <class R>
std::uint32_t Chip::read_ring_length() noexcept {
  return file_.get<R>() & kReadableLength;
}

std::uint32_t Chip::read_counter(std::size_t word) noexcept {
  return std::exchange(file_.word[word], 0U);
}

std::uint32_t Chip::read_octets(std::size_t word) noexcept {
  file_.word[word - 1] = 0;
  return std::exchange(file_.word[word], 0U);
}

void Chip::write(std::uint32_t offset, std::uint32_t value) noexcept {
  if (offset < kRegisterBytes) [[likely]] {
    const Decoded& d = List::kDecode[offset / 4];
    if (acts(d.write)) {
      Handlers::Write::table()[handler_of(d.write)](*this, d.word, value);
      return;
    }
    if (d.write == Does::plain) {
      std::uint32_t& word = file_.word[d.word];
      word = (word & ~d.writable) | (value & d.writable);
      return;
    }
    if (d.known()) {
      return;  // read-only
    }
  } else if (is_diagnostic(offset)) {
    return;
  }
  ++shared_.counters.unknown_accesses;
}

void Chip::write_memory(IoAccess a, std::uint64_t value) noexcept {
  const auto offset = static_cast<std::uint32_t>(a.offset);
  if (a.size == 4) [[likely]] {
    write(offset, static_cast<std::uint32_t>(value));
    return;
  }
  if (a.size == 8) {
    write(offset, static_cast<std::uint32_t>(value));
    write(offset + 4, static_cast<std::uint32_t>(value >> 32U));
    return;
  }
  // Narrow writes merge into storage; registers that act are written whole or not at all.
  if (offset < kRegisterBytes && List::kDecode[offset / 4].write == Does::plain) {
    const unsigned shift = (offset & 3U) * 8;
    const auto lanes = static_cast<std::uint32_t>(all_ones(a.size) << shift);
    const std::uint32_t old = file_.word[List::kDecode[offset / 4].word];
    write(offset, (old & ~lanes) | (static_cast<std::uint32_t>(value << shift) & lanes));
  }
}

// Two registers in I/O space: an address, and the data at it (8254x SDM, 13.2.2).
std::uint64_t Chip::read_io(IoAccess a) noexcept {
  const unsigned shift = (a.offset & 3U) * 8;
  std::uint32_t value = 0;
  if ((a.offset & ~std::uint64_t{3}) == kIoAddr) {
    value = shared_.state.io_address;
  } else if ((a.offset & ~std::uint64_t{3}) == kIoData && shared_.state.io_address < kMemoryBar) {
    value = read(shared_.state.io_address & ~3U);
  }
  return value >> shift;
}

void Chip::write_io(IoAccess a, std::uint64_t value) noexcept {
  if (a.size != 4 || (a.offset & 3U) != 0) {
    return;  // dwords only
  }
  if (a.offset == kIoAddr) {
    shared_.state.io_address = static_cast<std::uint32_t>(value);
  } else if (a.offset == kIoData && shared_.state.io_address < kMemoryBar) {
    write(shared_.state.io_address & ~3U, static_cast<std::uint32_t>(value));
  }
}

void Chip::write_ctrl(std::uint32_t value) noexcept {
  if (CTRL::RST::test(value)) {
    reset_mac();
    return;
  }
  file_.set<CTRL>(CTRL::PHY_RST::with(value & kWritable<CTRL>, 0));
  if (CTRL::PHY_RST::test(value)) {
    phy_.reset();
    update_path();
    link_event();
  }
  // Drivers that were not there when the link came up wait for its event after a reset (macOS).
  if (CTRL::SLU::test(value) && shared_.state.link_event) {
    shared_.state.link_event = false;
    if (shared_.link) {
      link_event();
    }
  }
}

void Chip::write_ctrl_ext(std::uint32_t value) noexcept {
  file_.set<CTRL_EXT>(CTRL_EXT::EE_RST::with(value & kWritable<CTRL_EXT>, 0));
  if (CTRL_EXT::EE_RST::test(value)) {
    eeprom_.load();
    receiver_.filters_changed();
  }
}

void Chip::write_mdic(std::uint32_t value) noexcept {
  const Phy::Effect effect = phy_.write_mdic(value);
  if (effect.link_event) {
    link_event();
  }
  if (effect.mdio_done) {
    interrupts_.raise(ICR::MDAC::kMask);
  }
  update_path();
  kick();
}

void Chip::write_rctl(std::uint32_t value) noexcept {
  const std::uint32_t old = file_.get<RCTL>();
  file_.set<RCTL>(value & kWritable<RCTL>);
  if (((old ^ value) & RCTL::UPE::kMask) != 0) {
    receiver_.filters_changed();
  }
  if (((old ^ value) & RCTL::EN::kMask) != 0) {
    receiver_.leave_ring();  // while it is off, software may fill the ring anew
  }
  update_path();
  kick();
}

void Chip::write_tctl(std::uint32_t value) noexcept {
  if (!TCTL::EN::test(value)) {
    transmitter_.settle();
  }
  file_.set<TCTL>(value & kWritable<TCTL>);
  transmitter_.kick();
}

/// What is not for receiving is for transmitting: 64 KiB in all.
void Chip::write_pba(std::uint32_t value) noexcept {
  file_.set<PBA>(PBA::TXA::with(value & kWritable<PBA>, 64 - (value & 0x3fU)));
}

/// What was fetched from the old ring is not used in the new one.
template <class R>
void Chip::write_receive_ring(std::uint32_t value) noexcept {
  receiver_.leave_ring();
  file_.set<R>(ring_register<R>(value));
  receiver_.kick();
}

template <class R>
void Chip::write_transmit_ring(std::uint32_t value) noexcept {
  transmitter_.leave_ring();
  file_.set<R>(ring_register<R>(value));
  transmitter_.kick();
}

void Chip::write_rdt(std::uint32_t value) noexcept {
  file_.set<RDT>(value & kWritable<RDT>);
  receiver_.wrote_tail();
}

void Chip::write_tdt(std::uint32_t value) noexcept {
  file_.set<TDT>(value & kWritable<TDT>);
  transmitter_.kick();
}

void Chip::write_rdtr(std::uint32_t value) noexcept {
  file_.set<RDTR>(value & kWritable<RDTR>);
  if (RDTR::FPD::test(value)) {
    interrupts_.flush_received();
  }
}

/// One of the sixteen addresses.
template <class R>
void Chip::write_address(std::size_t word, std::uint32_t value) noexcept {
  file_.word[word] = value & kWritable<R>;
  receiver_.filters_changed();
}

}  // namespace dm::e1000
