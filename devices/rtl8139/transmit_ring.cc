// SPDX-License-Identifier: MIT
// The ring of C+ mode: descriptors to packets, several packets in one call, reports.
#include "devices/rtl8139/transmitter.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

namespace dm::rtl8139 {

namespace {

using regs::CR;
using regs::ISR;
using regs::TCR;
using regs::TSAD;

static_assert(std::endian::native == std::endian::little);

}  // namespace

Transmitter::Transmitter(Shared& shared,
                         GuestMemory& memory,
                         Interrupts& interrupts,
                         NetBackend& backend,
                         Loopback& loop,
                         WorkQueue& work) noexcept
    : shared_{shared},
      file_{shared.state.file},
      memory_{memory},
      interrupts_{interrupts},
      backend_{backend},
      loop_{loop},
      work_{Work::bind<&Transmitter::run>(work, *this)},
      meter_{work.meter()} {}

bool Transmitter::enabled() const noexcept {
  return file_.test<CR, CR::TE>() && shared_.bus_master && !shared_.paused;
}

void Transmitter::kick() noexcept {
  if (!blocked_ && enabled()) {
    work_.schedule();
  }
}

void Transmitter::on_sendable() noexcept {
  blocked_ = false;
  kick();
}

void Transmitter::restart() noexcept {
  shared_.state.tx_index = 0;
  shared_.state.tx_sent = 0;
  shared_.state.classic_pending = shared_.plus_transmit() ? 0 : shared_.state.classic_pending;
}

void Transmitter::settle() noexcept {
  blocked_ = false;
  work_.cancel();
}

void Transmitter::reset() noexcept {
  settle();
  shared_.state.tx_index = 0;
  shared_.state.tx_sent = 0;
  shared_.state.classic_index = 0;
  shared_.state.classic_pending = 0;
}

bool Transmitter::run() noexcept {
  if (!enabled() || blocked_) {
    return false;
  }
  return shared_.plus_transmit() ? run_plus() : run_classic();
}

Gpa Transmitter::descriptor_at(std::uint8_t index) const noexcept {
  constexpr std::uint64_t kAligned = ~std::uint64_t{0xff};
  const std::uint64_t base =
      (std::uint64_t{file_.get<TSAD>(1)} << 32U | file_.get<TSAD>(0)) & kAligned;
  return Gpa{base} + std::uint64_t{index} * kDescriptorSize;
}

std::uint8_t Transmitter::next_index(std::size_t place) const noexcept {
  const std::uint8_t index = index_[place];
  return Opts1::EOR::test(opts1_[place]) || index + 1U == kRing
             ? 0
             : static_cast<std::uint8_t>(index + 1);
}

/// Copies one descriptor in, once; false when it is not the card's. OWN is read before all else,
/// which the driver wrote before it.
bool Transmitter::fetch(std::size_t place) noexcept {
  if (place < fetched_) {
    return true;
  }
  const std::uint8_t index = place == 0 ? shared_.state.tx_index : next_index(place - 1);
  const auto bytes = memory_.piece(descriptor_at(index), kDescriptorSize);
  if (bytes.size() != kDescriptorSize) {
    ++shared_.counters.master_aborts;
    return false;
  }
  void* const word = bytes.data();
  const std::uint32_t opts1 =
      std::atomic_ref{*static_cast<std::uint32_t*>(word)}.load(std::memory_order_acquire);
  if (!Opts1::OWN::test(opts1)) {
    return false;
  }
  opts1_[place] = opts1;
  std::memcpy(&opts2_[place], bytes.data() + sizeof opts1, sizeof opts2_[place]);
  std::memcpy(&address_[place], bytes.data() + kAddressOffset, sizeof address_[place]);
  length_[place] = TxOpts1::LENGTH::get(opts1);
  index_[place] = index;
  fetched_ = place + 1;
  return true;
}

/// The next packet of the ring; false when there is none yet, or not all of it. One without a
/// beginning or an end is taken to where the next begins, or all around the ring.
bool Transmitter::take(Packet& packet) noexcept {
  packet = {.first = taken_};
  for (std::size_t i = taken_; i < kRing; ++i) {
    const bool around = i != 0 && i == fetched_ && next_index(i - 1) == index_[0];
    if (around || !fetch(i)) {
      return around && taken_ == 0;
    }
    if (packet.count != 0 && Opts1::FS::test(opts1_[i])) {
      return true;
    }
    ++packet.count;
    packet.bytes += length_[i];
    packet.opts1 = opts1_[i];
    packet.opts2 = opts2_[i];
    if (Opts1::LS::test(opts1_[i])) {
      const std::uint32_t fcs = file_.test<TCR, TCR::CRC>() ? kFcsBytes : 0;
      packet.bytes -= std::min(packet.bytes, fcs);
      packet.whole = Opts1::FS::test(opts1_[packet.first]) && packet.bytes <= kMaxPacket;
      return true;
    }
  }
  return taken_ == 0;
}

/// One pass. What goes alone waits for what is before it.
bool Transmitter::run_plus() noexcept {
  fetched_ = 0;
  taken_ = 0;
  ready_.clear();
  frames_.clear();
  pieces_.clear();
  const std::size_t most = std::min(backend_.most_frames(), kFrames);
  Packet packet;
  while (frames_.size() < most && take(packet)) {
    const bool alone = shared_.loopback || (shared_.link && TxOpts1::LGSEN::test(packet.opts1));
    if (packet.whole && alone) {
      if (ready_.empty()) {
        return send_alone(packet);
      }
      break;
    }
    shared_.state.tx_sent = 0;
    Ready ready{.first = packet.first, .count = packet.count, .fate = Fate::bad};
    if (packet.whole) {
      if (!fits_pieces(packet)) {
        break;
      }
      NetOffload offload;
      std::uint32_t private_bytes = 0;
      buffer_.begin_part();
      ready.fate = shared_.link ? prepare_frame(packet, offload, private_bytes) : Fate::done;
      if (ready.fate == Fate::frame) {
        const std::size_t first = pieces_.size();
        add_pieces(packet, private_bytes, offload);
        frames_.push_back(
            {.offload = offload,
             .pieces = std::span<const std::span<std::byte>>{pieces_}.subspan(first)});
      }
    }
    ready_.push_back(ready);
    taken_ += packet.count;
  }
  if (ready_.empty()) {
    shared_.state.tx_sent = 0;
    return false;
  }
  return send_batch();
}

bool Transmitter::wait_for_room() noexcept {
  blocked_ = true;
  return false;
}

/// One call. What was not tried, or found no room, is read from the ring again.
bool Transmitter::send_batch() noexcept {
  const SentMany result = frames_.empty() ? SentMany{} : backend_.send_many(frames_);
  shared_.counters.tx_parts += result.sent;
  std::size_t gone = result.sent;
  bool failed = result.status == SendStatus::failed;
  bool stuck = false;
  std::uint64_t causes = 0;
  for (const Ready& ready : ready_) {
    Ready done = ready;
    if (ready.fate == Fate::frame && gone == 0) {
      if (!failed) {
        break;
      }
      failed = false;
      done.fate = Fate::bad;
    } else if (ready.fate == Fate::frame) {
      --gone;
    }
    causes |= ISR::TOK::kMask | (done.fate == Fate::bad ? ISR::TER::kMask : 0);
    if (!report(done)) {
      stuck = true;
      break;
    }
  }
  frames_.clear();
  buffer_.release();
  interrupts_.raise(causes);
  return result.status == SendStatus::full ? wait_for_room() : !stuck;
}

/// A long packet, or any of a card in loopback.
bool Transmitter::send_alone(const Packet& packet) noexcept {
  const Sent sent = TxOpts1::LGSEN::test(packet.opts1) ? send_segments(packet) : send_frame(packet);
  buffer_.release();
  switch (sent) {
    case Sent::part:
    case Sent::busy:
      return true;
    case Sent::full:
      return wait_for_room();
    case Sent::all:
    case Sent::bad:
      break;
  }
  shared_.state.tx_sent = 0;
  const bool bad = sent == Sent::bad;
  const bool kept =
      report({.first = packet.first, .count = packet.count, .fate = bad ? Fate::bad : Fate::frame});
  interrupts_.raise(ISR::TOK::kMask | (bad ? ISR::TER::kMask : 0));
  return kept;
}

/// The status of a packet's descriptors, in the order of the ring, and the ring moves on. False
/// when a status did not stay: behind it is no memory, or somebody gives descriptors as fast as
/// they are taken. The pass ends there.
bool Transmitter::report(const Ready& done) noexcept {
  constexpr std::uint64_t kStays =
      Opts1::EOR::kMask | Opts1::FS::kMask | Opts1::LS::kMask | TxOpts1::LENGTH::kMask;
  Tally& tally = shared_.state.tally;
  tally.tx_error += done.fate == Fate::bad ? 1U : 0U;
  tally.tx_ok += done.fate == Fate::frame ? 1U : 0U;
  shared_.counters.tx_dropped += done.fate == Fate::frame ? 0U : 1U;
  bool stays = true;
  for (std::size_t i = done.first; i < done.first + done.count; ++i) {
    const Gpa at = descriptor_at(index_[i]);
    const auto bytes = memory_.piece(at, sizeof(std::uint32_t));
    shared_.state.tx_index = next_index(i);
    if (bytes.size() != sizeof(std::uint32_t)) {
      ++shared_.counters.master_aborts;
      stays = false;
      continue;
    }
    void* const word = bytes.data();
    const std::atomic_ref status{*static_cast<std::uint32_t*>(word)};
    status.store(static_cast<std::uint32_t>(opts1_[i] & kStays), std::memory_order_release);
    stays = stays && !Opts1::OWN::test(status.load(std::memory_order_relaxed));
    memory_.mark_dirty(at, sizeof(std::uint32_t));
  }
  return stays;
}

}  // namespace dm::rtl8139
