// SPDX-License-Identifier: MIT
// Descriptors: from the ring into a packet, and back when they are done.
#include "devices/e1000/regs.h"
#include "devices/e1000/transmitter.h"

#include <algorithm>
#include <atomic>

namespace dm::e1000 {

namespace {

using regs::ICR;
using regs::TCTL;
using regs::TDBAH;
using regs::TDBAL;
using regs::TDH;
using regs::TDLEN;
using regs::TDT;
using regs::TXDCTL;

// TxPacket::report
constexpr std::uint8_t kReport = 1;
constexpr std::uint8_t kDelay = 2;

[[nodiscard]] std::uint8_t report_flags(std::uint64_t rest) noexcept {
  return static_cast<std::uint8_t>((TxD::RS::test(rest) ? kReport : 0U) |
                                   (TxD::IDE::test(rest) ? kDelay : 0U));
}
[[nodiscard]] Gpa ring_base(const RegisterFile& file) noexcept {
  return Gpa{std::uint64_t{file.get<TDBAH>()} << 32U | file.get<TDBAL>()};
}

}  // namespace

Transmitter::Transmitter(Shared& shared,
                         GuestMemory& memory,
                         Interrupts& interrupts,
                         NetBackend& backend,
                         Loopback& loop,
                         WorkQueue& work) noexcept
    : shared_{shared},
      file_{shared.state.file},
      packet_{shared.state.packet},
      memory_{memory},
      interrupts_{interrupts},
      backend_{backend},
      loop_{loop},
      work_{Work::bind<&Transmitter::run>(work, *this)},
      meter_{work.meter()} {}

bool Transmitter::enabled() const noexcept {
  return file_.test<TCTL, TCTL::EN>() && shared_.bus_master && !shared_.paused;
}

/// A head or a tail outside of the ring stops it, as does a ring without a size.
bool Transmitter::ring_has_more() const noexcept {
  const std::uint32_t size = file_.get<TDLEN>() / kDescriptorSize;
  const std::uint32_t head = file_.get<TDH>();
  const std::uint32_t tail = file_.get<TDT>();
  return head != tail && head < size && (tail < size || means_all(tail, size));
}

void Transmitter::kick() noexcept {
  if (!blocked_ && enabled() && (packet_.complete || ring_has_more())) {
    work_.schedule();
  }
}

void Transmitter::on_sendable() noexcept {
  blocked_ = false;
  kick();
}

/// A packet of which an earlier unit has taken descriptors goes alone: the guest may have seen TDH
/// behind them.
bool Transmitter::run() noexcept {
  if (!enabled() || blocked_) {
    return false;
  }
  const std::size_t most = std::min(backend_.most_frames(), kFrames);
  std::size_t descriptors = 0;
  const bool begun = packet_.open;
  Place from = here();
  Taken taken = take_packet(descriptors);
  while (taken == Taken::packet && !begun && join(from)) {
    from = here();
    taken = frames_.size() < most ? take_packet(descriptors) : Taken::block;
  }
  if (!frames_.empty()) {
    return send_batch();
  }
  switch (taken) {
    case Taken::packet:
      return send_alone();
    case Taken::block:
      return go_on();
    case Taken::nothing:
      break;
  }
  end_batch();
  return false;
}

/// Takes descriptors up to the end of a packet, a block in all.
Transmitter::Taken Transmitter::take_packet(std::size_t& descriptors) noexcept {
  Descriptor d;
  while (!packet_.complete) {
    if (descriptors == kBlock) {
      return Taken::block;
    }
    if (!next(d)) {
      return Taken::nothing;
    }
    take(d);
    ++descriptors;
  }
  return Taken::packet;
}

bool Transmitter::send_alone() noexcept {
  switch (send_part()) {
    case Sent::part:
    case Sent::busy:
      return true;
    case Sent::full:
      return wait_for_room();
    case Sent::all:
      break;
  }
  finish_packet();
  return go_on();
}

/// The end of a unit: is there another?
bool Transmitter::go_on() noexcept {
  const bool more = packet_.complete || ring_has_more();
  if (!more || reports_.size() >= kBlock) {
    end_batch();
  }
  return more;
}

bool Transmitter::wait_for_room() noexcept {
  blocked_ = true;
  end_batch();
  return false;
}

/// Copies what lies between head and tail, up to the end of the ring, into the block.
bool Transmitter::fetch() noexcept {
  const std::uint32_t head = file_.get<TDH>();
  const std::uint32_t tail = file_.get<TDT>();
  const std::uint32_t size = file_.get<TDLEN>() / kDescriptorSize;
  const std::uint32_t end = tail > head ? std::min(tail, size) : size;
  const std::size_t count = std::min<std::size_t>(kBlock, end - head);
  const Gpa at = ring_base(file_) + std::uint64_t{head} * kDescriptorSize;
  if (!memory_.read_bytes(at, std::as_writable_bytes(std::span{cache_}.first(count)))) {
    ++shared_.counters.master_aborts;
    return false;
  }
  cache_at_ = 0;
  cached_ = count;
  return true;
}

/// Takes one descriptor off the ring.
bool Transmitter::next(Descriptor& d) noexcept {
  if (!ring_has_more()) {
    cached_ = 0;  // the tail may have gone back: nothing fetched is known to be still meant
    return false;
  }
  if (cached_ == 0 && !fetch()) {
    return false;
  }
  d = cache_[cache_at_];
  ++cache_at_;
  --cached_;
  progress_ = true;
  return true;
}

void Transmitter::take(const Descriptor& d) noexcept {
  const bool extended = TxD::DEXT::test(d.rest);
  const std::uint64_t type = TxD::DTYP::get(d.rest);
  if (extended && type != TxD::kData) {
    if (type == TxD::kContext) {
      take_context(d);
    }
    if (packet_.open) {
      add_fragment(d, 0);  // reported in its turn
    } else {
      report(static_cast<std::uint16_t>(file_.get<TDH>()), report_flags(d.rest));
    }
  } else {
    if (!packet_.open) {
      open_packet(d);
    }
    add_fragment(d, static_cast<std::uint32_t>(extended ? DataTxD::DTALEN::get(d.rest)
                                                        : LegacyTxD::LENGTH::get(d.rest)));
    if (TxD::EOP::test(d.rest)) {
      close_packet(d);
    }
  }
  const std::uint32_t size = file_.get<TDLEN>() / kDescriptorSize;
  const std::uint32_t head = file_.get<TDH>() + 1;
  if (head < size) {
    file_.set<TDH>(head);
    return;
  }
  file_.set<TDH>(0);
  if (means_all(file_.get<TDT>(), size)) {
    file_.set<TDT>(0);  // that was once
  }
}

/// The contexts for segmentation and for plain checksums are kept apart: drivers set one of them
/// and go on using the other. A packet under way keeps what it began with.
void Transmitter::take_context(const Descriptor& d) noexcept {
  TxContext& c =
      TxD::TSE::test(d.rest) ? shared_.state.segment_context : shared_.state.plain_context;
  using C = ContextTxD;
  c.ipcss = static_cast<std::uint8_t>(C::IPCSS::get(d.address));
  c.ipcso = static_cast<std::uint8_t>(C::IPCSO::get(d.address));
  c.ipcse = static_cast<std::uint16_t>(C::IPCSE::get(d.address));
  c.tucss = static_cast<std::uint8_t>(C::TUCSS::get(d.address));
  c.tucso = static_cast<std::uint8_t>(C::TUCSO::get(d.address));
  c.tucse = static_cast<std::uint16_t>(C::TUCSE::get(d.address));
  c.paylen = static_cast<std::uint32_t>(C::PAYLEN::get(d.rest));
  c.hdrlen = static_cast<std::uint8_t>(C::HDRLEN::get(d.rest));
  c.mss = static_cast<std::uint16_t>(C::MSS::get(d.rest));
  c.tcp = C::TCP::test(d.rest);
  c.ipv4 = C::IP::test(d.rest);
}

void Transmitter::open_packet(const Descriptor& d) noexcept {
  forget_packet();
  packet_.open = true;
  packet_.legacy = !TxD::DEXT::test(d.rest);
  if (!packet_.legacy) {
    packet_.segment = TxD::TSE::test(d.rest);
    packet_.insert_ip = DataTxD::IXSM::test(d.rest);
    packet_.insert_l4 = DataTxD::TXSM::test(d.rest);
    packet_.context = packet_.segment ? shared_.state.segment_context : shared_.state.plain_context;
  }
}

void Transmitter::add_fragment(const Descriptor& d, std::uint32_t length) noexcept {
  const std::size_t n = packet_.fragments;
  if (!packet_.discard && (n == kMaxFragments || packet_.bytes + length > kMaxPacket)) {
    for (std::size_t i = 0; i < n; ++i) {
      report(packet_.slot[i], packet_.report[i]);
    }
    packet_.fragments = 0;
    packet_.discard = true;
  }
  if (packet_.discard) {
    report(static_cast<std::uint16_t>(file_.get<TDH>()), report_flags(d.rest));
    return;
  }
  packet_.address[n] = d.address;
  packet_.length[n] = length;
  packet_.slot[n] = static_cast<std::uint16_t>(file_.get<TDH>());
  packet_.report[n] = report_flags(d.rest);
  ++packet_.fragments;
  packet_.bytes += length;
}

/// "VLE, IFCS, and IC are qualified by EOP" (8254x SDM, 3.3.3.1).
void Transmitter::close_packet(const Descriptor& d) noexcept {
  packet_.complete = true;
  packet_.insert_vlan = TxD::VLE::test(d.rest) && file_.test<regs::CTRL, regs::CTRL::VME>();
  packet_.special = static_cast<std::uint16_t>(TxD::SPECIAL::get(d.rest));
  if (packet_.legacy && !TxD::DEXT::test(d.rest)) {
    packet_.insert_l4 = TxD::IC::test(d.rest);
    packet_.css = static_cast<std::uint8_t>(LegacyTxD::CSS::get(d.rest));
    packet_.cso = static_cast<std::uint8_t>(LegacyTxD::CSO::get(d.rest));
  }
}

/// The arrays stay as they are: `fragments` says how much of them counts.
void Transmitter::forget_packet() noexcept {
  packet_.fragments = 0;
  packet_.bytes = 0;
  packet_.sent = 0;
  packet_.open = false;
  packet_.complete = false;
  packet_.discard = false;
  packet_.legacy = false;
  packet_.segment = false;
  packet_.insert_ip = false;
  packet_.insert_l4 = false;
  packet_.insert_vlan = false;
  packet_.css = 0;
  packet_.cso = 0;
  packet_.special = 0;
}

void Transmitter::finish_packet() noexcept {
  progress_ = true;
  for (std::size_t i = 0; i < packet_.fragments; ++i) {
    report(packet_.slot[i], packet_.report[i]);
  }
  forget_packet();
}

void Transmitter::report(std::uint16_t slot, std::uint8_t flags) noexcept {
  if ((flags & kReport) == 0) {
    return;
  }
  if (reports_.size() == kPending) {
    end_batch();
  }
  reports_.push_back({.slot = slot, .delayable = (flags & kDelay) != 0});
}

/// DD, in the order of the ring: one byte each, the last thing that happens to a descriptor.
void Transmitter::write_back() noexcept {
  const Gpa base = ring_base(file_);
  for (const Report& done : reports_) {
    all_delayable_ = all_delayable_ && done.delayable;
    const Gpa at = base + std::uint64_t{done.slot} * kDescriptorSize + TxD::kStatusByte;
    const auto byte = memory_.piece(at, 1);
    if (byte.empty()) {
      ++shared_.counters.master_aborts;
      continue;
    }
    std::atomic_ref{byte[0]}.store(std::byte{TxD::kDone}, std::memory_order_release);
    memory_.mark_dirty(at, 1);
  }
  reports_.clear();
}

/// One decision on the interrupt for everything since the last one.
void Transmitter::end_batch() noexcept {
  if (!progress_) {
    return;
  }
  progress_ = false;
  const bool any = !reports_.empty();
  write_back();
  std::uint32_t causes = 0;
  if (file_.get<TDH>() == file_.get<TDT>()) {
    causes |= static_cast<std::uint32_t>(ICR::TXQE::kMask);
  }
  if (file_.field<TXDCTL, TXDCTL::LWTHRESH>() != 0) {
    const std::uint32_t size = file_.get<TDLEN>() / kDescriptorSize;
    const std::uint32_t waiting =
        size == 0 ? 0 : (file_.get<TDT>() + size - file_.get<TDH>()) % size;
    if (waiting <= file_.field<TXDCTL, TXDCTL::LWTHRESH>() * 8) {
      causes |= static_cast<std::uint32_t>(ICR::TXD_LOW::kMask);
    }
  }
  const bool delayable = all_delayable_;
  all_delayable_ = true;
  if (any) {
    interrupts_.transmitted(delayable, causes);
  } else {
    interrupts_.raise(causes);
  }
}

void Transmitter::leave_ring() noexcept {
  end_batch();
  cached_ = 0;
  forget_packet();
}

void Transmitter::settle() noexcept {
  end_batch();
  cached_ = 0;
  blocked_ = false;
  work_.cancel();
}

void Transmitter::reset() noexcept {
  work_.cancel();
  reports_.clear();
  all_delayable_ = true;
  progress_ = false;
  blocked_ = false;
  cached_ = 0;
  forget_packet();
  shared_.state.plain_context = {};
  shared_.state.segment_context = {};
}

}  // namespace dm::e1000
