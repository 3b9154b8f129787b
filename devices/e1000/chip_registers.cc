// SPDX-License-Identifier: MIT
// What an access of a register does.
#include "devices/e1000/chip.h"
#include "devices/e1000/regs.h"

namespace dm::e1000 {

namespace {

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

[[nodiscard]] constexpr bool is_counter(std::uint16_t word) noexcept {
  return word >= CRCERRS::kWord && word <= TSCTFC::kWord;
}

}  // namespace

std::uint32_t Chip::read(std::uint32_t offset) noexcept {
  if (offset < kRegisterBytes) [[likely]] {
    const Decoded& d = List::kDecode[offset / 4];
    if (d.read == Does::plain) [[likely]] {
      return file_.word[d.word];
    }
    if (d.read == Does::act) {
      return read_acting(d.word);
    }
  } else if (is_diagnostic(offset)) {
    return 0;
  }
  ++shared_.counters.unknown_accesses;
  return 0;
}

std::uint32_t Chip::read_acting(std::uint16_t word) noexcept {
  switch (word) {
    case ICR::kWord:
      return interrupts_.take();
    case ICS::kWord:
      return file_.get<ICR>();  // VxWorks looks here, without taking them
    case RDLEN::kWord:
    case TDLEN::kWord:
      return file_.word[word] & kReadableLength;
    default:
      break;
  }
  if (!is_counter(word)) {
    return 0;
  }
  const std::uint32_t value = file_.word[word];
  file_.word[word] = 0;
  if (word == GORCH::kWord || word == GOTCH::kWord || word == TORH::kWord || word == TOTH::kWord) {
    file_.word[word - 1U] = 0;
  }
  return value;
}

void Chip::write(std::uint32_t offset, std::uint32_t value) noexcept {
  if (offset < kRegisterBytes) [[likely]] {
    const Decoded& d = List::kDecode[offset / 4];
    if (d.write == Does::act) {
      write_acting(d.word, value, d.writable);
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
  const auto writable = static_cast<std::uint32_t>(CTRL::Layout::kWritable);
  file_.set<CTRL>(CTRL::PHY_RST::with(value & writable, 0));
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
  file_.set<RCTL>(value & static_cast<std::uint32_t>(RCTL::Layout::kWritable));
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
  file_.set<TCTL>(value & static_cast<std::uint32_t>(TCTL::Layout::kWritable));
  transmitter_.kick();
}

/// Ring registers. What was fetched from the old ring is not used in the new one.
bool Chip::write_ring(std::uint16_t word, std::uint32_t value) noexcept {
  switch (word) {
    case RDT::kWord:
      file_.word[word] = value;
      receiver_.wrote_tail();
      return true;
    case TDT::kWord:
      file_.word[word] = value;
      transmitter_.kick();
      return true;
    case RDBAL::kWord:
    case RDBAH::kWord:
    case RDLEN::kWord:
    case RDH::kWord:
      receiver_.leave_ring();
      file_.word[word] = word == RDLEN::kWord ? ring_length(value) : value;
      receiver_.kick();
      return true;
    case TDBAL::kWord:
    case TDBAH::kWord:
    case TDLEN::kWord:
    case TDH::kWord:
      transmitter_.leave_ring();
      file_.word[word] = word == TDLEN::kWord ? ring_length(value) : value;
      transmitter_.kick();
      return true;
    default:
      return false;
  }
}

void Chip::write_acting(std::uint16_t word, std::uint32_t value, std::uint32_t writable) noexcept {
  if (write_ring(word, value & writable)) {
    return;
  }
  switch (word) {
    case CTRL::kWord:
      return write_ctrl(value);
    case EECD::kWord:
      return eeprom_.write_eecd(value);
    case EERD::kWord:
      return eeprom_.write_eerd(value);
    case MDIC::kWord:
      return write_mdic(value);
    case ICR::kWord:
      return interrupts_.clear(value);
    case ITR::kWord:
      return interrupts_.write_itr(value);
    case ICS::kWord:
      return interrupts_.raise(value);
    case IMS::kWord:
      return interrupts_.unmask(value);
    case IMC::kWord:
      return interrupts_.mask(value);
    case RCTL::kWord:
      return write_rctl(value);
    case TCTL::kWord:
      return write_tctl(value);
    case RDTR::kWord:
      file_.word[word] = value & writable;
      if (RDTR::FPD::test(value)) {
        interrupts_.flush_received();
      }
      return;
    case CTRL_EXT::kWord:
      file_.word[word] = CTRL_EXT::EE_RST::with(value & writable, 0);
      if (CTRL_EXT::EE_RST::test(value)) {
        eeprom_.load();
        receiver_.filters_changed();
      }
      return;
    case PBA::kWord:
      file_.word[word] = PBA::TXA::with(value & writable, 64 - (value & 0x3fU));
      return;
    default:
      file_.word[word] = value & writable;  // RAL, RAH
      receiver_.filters_changed();
      return;
  }
}

}  // namespace dm::e1000
