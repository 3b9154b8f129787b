// SPDX-License-Identifier: MIT
// What an access of a register does.
#include "core/reg/handlers.h"
#include "devices/rtl8139/chip.h"
#include "devices/rtl8139/regs.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace dm::rtl8139 {

namespace {

using reg::On;
using namespace regs;  // NOLINT(google-build-using-namespace): this file is about nothing else

/// The registers from `first` on, bytes of one of them.
[[nodiscard]] std::uint32_t stored(const RegisterFile& file, const Decoded& d) noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, &file.bytes[d.first], d.size);
  return value;
}

}  // namespace

/// Who acts when a register is accessed (core/reg/handlers.h). In the order of regs.h.
struct Chip::Handlers {
  template <class... Rows>
  using OnRead = reg::ReadHandlers<Chip, std::uint32_t, List, Rows...>;
  template <class... Rows>
  using OnWrite = reg::WriteHandlers<Chip, Written, List, Rows...>;

  // clang-format off
  using Read = OnRead<
      On<CR,     &Chip::read_cr>,
      On<IMR,    &Chip::read_imr>,
      On<ISR,    &Chip::read_isr>,
      On<TCTR,   &Chip::interrupts_, &Interrupts::count>,
      On<EECR,   &Chip::eeprom_, &Eeprom::read>,
      On<MSR,    &Chip::phy_, &Phy::read_msr>,
      On<TSADS,  &Chip::read_tsad>,
      On<BMSR,   &Chip::phy_, &Phy::read_bmsr>,
      On<ANLPAR, &Chip::phy_, &Phy::read_anlpar>,
      On<CSCR,   &Chip::phy_, &Phy::read_cscr>>;

  using Write = OnWrite<
      On<IDR0,     &Chip::write_address>,
      On<IDR4,     &Chip::write_address>,
      On<TSD,      &Chip::write_tsd>,
      On<TSAD,     &Chip::write_tsad>,
      On<CR,       &Chip::write_cr>,
      On<CAPR,     &Chip::write_capr>,
      On<IMR,      &Chip::write_imr>,
      On<ISR,      &Chip::write_isr>,
      On<TCR,      &Chip::write_tcr>,
      On<RCR,      &Chip::write_rcr>,
      On<TCTR,     &Chip::write_tctr>,
      On<MPC,      &Chip::write_mpc>,
      On<EECR,     &Chip::write_eecr>,
      On<Locked,   &Chip::write_locked>,
      On<TimerInt, &Chip::interrupts_, &Interrupts::write_interval>,
      On<HLTCLK,   &Chip::write_hltclk>,
      On<BMCR,     &Chip::write_locked>,
      On<TPPoll,   &Chip::write_tppoll>,
      On<CpCR,     &Chip::write_cpcr>,
      On<RDSAR,    &Chip::write_rdsar>>;
  // clang-format on
};

std::uint64_t Chip::read(IoAccess a) noexcept {
  std::uint64_t value = 0;
  for (std::size_t done = 0; done < a.size;) {
    const std::size_t at = a.offset + done;
    const Decoded& d = List::kDecode[at];
    const std::size_t skipped = at - d.first;
    const std::size_t bytes = std::min<std::size_t>(a.size - done, d.size - skipped);
    std::uint32_t word = 0;
    if (acts(d.read)) {
      word = Handlers::Read::table()[handler_of(d.read)](*this, d.first);
    } else if (d.known()) [[likely]] {
      word = stored(file_, d);
    } else {
      ++shared_.counters.unknown_accesses;
    }
    const std::uint64_t part =
        std::uint64_t{word} >> (8 * skipped) & all_ones(static_cast<std::uint8_t>(bytes));
    value |= part << (8 * done);
    done += bytes;
  }
  return value;
}

void Chip::write(IoAccess a, std::uint64_t value) noexcept {
  for (std::size_t done = 0; done < a.size;) {
    const std::size_t at = a.offset + done;
    const Decoded d = List::kDecode[at];
    const std::size_t skipped = at - d.first;
    const std::size_t bytes = std::min<std::size_t>(a.size - done, d.size - skipped);
    const auto lanes =
        static_cast<std::uint32_t>(all_ones(static_cast<std::uint8_t>(bytes)) << (8 * skipped));
    const Written w{
        .value = static_cast<std::uint32_t>(value >> (8 * done) << (8 * skipped)) & lanes,
        .lanes = lanes,
        .whole = bytes == d.size};
    if (acts(d.write)) {
      Handlers::Write::table()[handler_of(d.write)](*this, d.first, w);
    } else if (d.known()) {
      file_.merge(d.first, w);
    } else {
      ++shared_.counters.unknown_accesses;
    }
    done += bytes;
  }
}

std::uint32_t Chip::read_cr() noexcept {
  return CR::BUFE::with(std::uint32_t{file_.get<CR>()}, receiver_.ring_is_empty() ? 1 : 0);
}

/// Drivers of C+ mode give receive descriptors back without a word: whoever polls or unmasks has
/// perhaps done so.
std::uint32_t Chip::read_imr() noexcept {
  receiver_.look();
  return file_.get<IMR>();
}

std::uint32_t Chip::read_isr() noexcept {
  receiver_.look();
  return interrupts_.causes();
}

/// What the four TSD say: TOK in 15:12, TUN in 11:8, TABT in 7:4, OWN in 3:0.
std::uint32_t Chip::read_tsad() noexcept {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < TSD::kCount; ++i) {
    const std::uint32_t tsd = file_.get<TSD>(i);
    const auto put = [&](bool on, std::size_t bit) { word |= (on ? 1U : 0U) << bit; };
    put(TSD::TOK::test(tsd), 12 + i);
    put(TSD::TUN::test(tsd), 8 + i);
    put(TSD::TABT::test(tsd), 4 + i);
    put(TSD::OWN::test(tsd), i);
  }
  return word;
}

void Chip::write_address(std::size_t first, Written w) noexcept {
  file_.merge(first, w);
  receiver_.settings_changed();
}

/// The same place is two registers: a transmit status of C mode, and the command that dumps the
/// tallies. 8139cp gives that command on a closed interface too, when the mode is off again.
void Chip::write_tsd(std::size_t first, Written w) noexcept {
  const bool transmits = file_.test<CR, CR::TE>();
  if (shared_.plus_transmit() || (!transmits && shared_.state.mode_written)) {
    write_tally_command(first, w);
  } else if (w.whole) {
    transmitter_.hand_over((first - TSD::kOffset) / TSD::kSize, w.value);
  }
}

void Chip::write_tally_command(std::size_t first, const Written& w) noexcept {
  file_.merge(first, w);
  const std::uint32_t low = file_.get<TSD>(0);
  if (first == TSD::kOffset && DTCCR::CMD::test(low)) {
    dump_tally((low & DTCCR::kAddress) | std::uint64_t{file_.get<TSD>(1)} << 32U);
    file_.set<TSD>(DTCCR::CMD::with(low, 0), 0);
  }
}

/// One copy of 64 bytes (RTL8169 manual, DTCCR). Errors and collisions do not happen on this cable.
void Chip::dump_tally(std::uint64_t address) noexcept {
  const Tally& t = shared_.state.tally;
  std::array<std::byte, 64> image{};
  const auto put = [&](std::size_t at, auto value) {
    std::memcpy(image.data() + at, &value, sizeof value);
  };
  put(0, t.tx_ok);
  put(8, t.rx_ok);
  put(16, t.tx_error);
  put(28, t.missed);
  put(40, t.rx_unicast);
  put(48, t.rx_broadcast);
  put(56, t.rx_multicast);
  if (shared_.bus_master && !memory_.write_bytes(Gpa{address}, image)) {
    ++shared_.counters.master_aborts;
  }
}

void Chip::write_tsad(std::size_t first, Written w) noexcept {
  file_.merge(first, w);
  if (shared_.plus_transmit()) {
    transmitter_.restart();
  }
}

void Chip::write_cr(Written w) noexcept {
  const auto value = static_cast<std::uint8_t>(w.value);
  if (CR::RST::test(value)) {
    reset_soft();
    return;
  }
  const std::uint8_t old = file_.get<CR>();
  if (CR::TE::test(old) && !CR::TE::test(value)) {
    transmitter_.settle();
  }
  file_.merge(CR::kOffset, w);
  if (!CR::TE::test(old) && CR::TE::test(value)) {
    transmitter_.restart();
  }
  if (!CR::RE::test(old) && CR::RE::test(value)) {
    receiver_.restart();
  }
  kick();
}

void Chip::write_capr(Written w) noexcept {
  if (w.whole) {
    file_.merge(CAPR::kOffset, w);
    receiver_.kick();
  }
}

void Chip::write_imr(Written w) noexcept {
  interrupts_.write_mask(w);
  receiver_.look();
}

void Chip::write_isr(Written w) noexcept {
  interrupts_.clear(w.value);
  receiver_.look();
}

void Chip::write_tcr(Written w) noexcept {
  file_.merge(TCR::kOffset, w);
  transmitter_.forget_part();
  update_path();
  kick();
}

/// The ring of C mode begins anew only if its size changes: drivers write RCR for each change of
/// the filters.
void Chip::write_rcr(Written w) noexcept {
  const std::uint32_t old = file_.get<RCR>();
  file_.merge(RCR::kOffset, w);
  const std::uint32_t now = file_.get<RCR>();
  if (RCR::RBLEN::get(old) != RCR::RBLEN::get(now) || !file_.test<CR, CR::RE>()) {
    receiver_.empty_ring();
  }
  if (((old ^ now) & RCR::AAP::kMask) != 0) {
    receiver_.settings_changed();
  }
  receiver_.kick();
}

void Chip::write_tctr(Written w) noexcept {
  if (w.whole) {
    interrupts_.restart_count();
  }
}

void Chip::write_mpc(Written w) noexcept {
  if (w.whole) {
    file_.set<MPC>(0);
  }
}

void Chip::write_eecr(Written w) noexcept {
  if (eeprom_.write(w)) {
    receiver_.settings_changed();
  }
}

void Chip::write_locked(std::size_t first, Written w) noexcept {
  if (EECR::EEM::get(file_.get<EECR>()) == EECR::kUnlock) {
    file_.merge(first, w);
  }
}

/// 'R' runs the clock, 'H' halts it. It only shows.
void Chip::write_hltclk(Written w) noexcept {
  if (w.value == 'R' || w.value == 'H') {
    file_.set<HLTCLK>(w.value == 'R' ? 1 : 0);
  }
}

void Chip::write_tppoll(Written w) noexcept {
  const auto value = static_cast<std::uint8_t>(w.value);
  if (TPPoll::FSWInt::test(value)) {
    interrupts_.raise(ISR::SWInt::kMask);
  }
  if (TPPoll::NPQ::test(value)) {
    transmitter_.kick();
    receiver_.look();
  }
}

void Chip::write_cpcr(Written w) noexcept {
  const bool sent = shared_.plus_transmit();
  const bool received = shared_.plus_receive();
  file_.merge(CpCR::kOffset, w);
  shared_.state.mode_written = true;
  transmitter_.forget_part();
  if (!sent && shared_.plus_transmit()) {
    transmitter_.restart();
  }
  if (received != shared_.plus_receive()) {
    receiver_.change_mode();
  }
  kick();
}

/// The halves come in either order: the address is looked at when it is needed.
void Chip::write_rdsar(std::size_t first, Written w) noexcept {
  file_.merge(first, w);
  receiver_.first_descriptor();
  receiver_.kick();
}

}  // namespace dm::rtl8139
