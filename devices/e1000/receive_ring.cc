// SPDX-License-Identifier: MIT
// The receive ring: buffers from the guest, frames into them, reports; and when to ask the backend.
#include "devices/e1000/receiver.h"
#include "devices/e1000/regs.h"
#include "devices/e1000/statistics.h"

#include <algorithm>
#include <array>
#include <atomic>

namespace dm::e1000 {

namespace {

using regs::ICR;
using regs::RCTL;
using regs::RDBAH;
using regs::RDBAL;
using regs::RDH;
using regs::RDLEN;
using regs::RDT;

[[nodiscard]] Gpa ring_base(const RegisterFile& file) noexcept {
  return Gpa{std::uint64_t{file.get<RDBAH>()} << 32U | file.get<RDBAL>()};
}

}  // namespace

Receiver::Receiver(Shared& shared,
                   GuestMemory& memory,
                   Interrupts& interrupts,
                   NetBackend& backend,
                   Loopback& loop,
                   WorkQueue& work,
                   const MacAddress& mac)
    : shared_{shared},
      file_{shared.state.file},
      memory_{memory},
      interrupts_{interrupts},
      backend_{backend},
      loop_{loop},
      work_{Work::bind<&Receiver::run>(work, *this)},
      mac_{mac} {
  loop_.set_reader(work_);
}

bool Receiver::enabled() const noexcept {
  return file_.test<RCTL, RCTL::EN>() && shared_.bus_master && !shared_.paused;
}

/// Descriptors that the guest has given and that hold nothing yet.
std::uint32_t Receiver::available() const noexcept {
  const std::uint32_t size = file_.get<RDLEN>() / kDescriptorSize;
  const std::uint32_t head = file_.get<RDH>();
  const std::uint32_t tail = file_.get<RDT>();
  if (head >= size) {
    return 0;
  }
  if (tail >= size) {
    if (!means_all(tail, size)) {
      return 0;
    }
    return head != 0 || shared_.state.whole_ring ? size - head : 0;
  }
  return tail >= head ? tail - head : tail + size - head;
}

std::uint32_t Receiver::buffer_size() const noexcept {
  const std::uint32_t rctl = file_.get<RCTL>();
  const std::uint32_t code = RCTL::BSIZE::get(rctl);
  // 13.4.22: with BSEX sixteen times as much, but for the reserved code 0.
  return RCTL::BSEX::test(rctl) && code != 0 ? 32768U >> code : 2048U >> code;
}

std::uint32_t Receiver::crc_bytes() const noexcept {
  return file_.test<RCTL, RCTL::SECRC>() ? 0 : kFcsBytes;
}

void Receiver::want(bool on) noexcept {
  if (wanted_ != on) {
    wanted_ = on;
    backend_.want_receive(on);
  }
}

void Receiver::wrote_tail() noexcept {
  shared_.state.whole_ring =
      means_all(file_.get<RDT>(), file_.get<RDLEN>() / kDescriptorSize) && file_.get<RDH>() == 0;
  kick();
}

/// Turning the backend's calls off again is left to run(), which only a frame brings: software may
/// switch RCTL.EN as often as it likes.
void Receiver::kick() noexcept {
  if (!enabled() || shared_.loopback || !shared_.link || available() == 0) {
    return;
  }
  if (pending_.waiting || !dry_) {
    work_.schedule();
  } else {
    want(true);
  }
}

void Receiver::on_receivable() noexcept {
  dry_ = false;
  work_.schedule();
}

void Receiver::filters_changed() noexcept {
  filters_dirty_ = true;
  work_.schedule();
}

void Receiver::tell_backend() noexcept {
  if (!filters_dirty_) {
    return;
  }
  filters_dirty_ = false;
  if (const bool all = needs_everything(); all != promiscuous_) {
    promiscuous_ = all;
    backend_.set_promiscuous(all);
  }
}

bool Receiver::run() noexcept {
  if (shared_.paused) {
    return false;
  }
  if (loop_.busy()) {
    receive_looped();
    return true;
  }
  tell_backend();
  if (!enabled() || shared_.loopback || !shared_.link) {
    want(wanted_ && dry_);  // off when a frame has come, not before: see kick()
    return false;
  }
  buffers_left_ = kSegmentsInUnit;
  if (!pending_.waiting) {
    if (dry_) {
      return false;
    }
    skip_null_buffers();
    if (available() == 0) {
      count<regs::RNBC>(file_);  // nothing is lost: it stays with the host
      delivered();
      want(false);
      return false;
    }
    want(true);
    if (!receive()) {
      dry_ = true;
      return false;
    }
  }
  const bool room = deliver_pending();
  delivered();
  if (!room) {
    want(false);
  }
  return room;
}

/// Copies addresses in, so that at least `wanted` are there if the guest has given as many.
std::size_t Receiver::fetch(std::size_t wanted) noexcept {
  constexpr std::size_t kBlock = 64;
  const std::size_t free = available();
  cached_ = std::min(cached_, free);
  wanted = std::min({wanted, free, kCache});
  while (cached_ < wanted) {
    if (cache_at_ + cached_ + kBlock > kCache) {
      std::copy_n(buffers_.begin() + static_cast<std::ptrdiff_t>(cache_at_), cached_,
                  buffers_.begin());
      cache_at_ = 0;
    }
    const std::uint32_t size = file_.get<RDLEN>() / kDescriptorSize;
    const std::size_t at = (file_.get<RDH>() + cached_) % size;
    const std::size_t count =
        std::min({kBlock, free - cached_, size - at, kCache - cache_at_ - cached_});
    std::array<Descriptor, kBlock> block;
    const Gpa from = ring_base(file_) + at * kDescriptorSize;
    if (count == 0 ||
        !memory_.read_bytes(from, std::as_writable_bytes(std::span{block}.first(count)))) {
      ++shared_.counters.master_aborts;
      break;
    }
    for (std::size_t i = 0; i < count; ++i) {
      buffers_[cache_at_ + cached_ + i] = block[i].address;
    }
    cached_ += count;
  }
  return cached_;
}

/// The second quadword of the descriptor at RDH, with one store, which is what a driver on another
/// processor waits for. All that it tells of is in memory by then.
void Receiver::publish(std::uint64_t status) noexcept {
  const std::uint32_t head = file_.get<RDH>();
  const Gpa at = ring_base(file_) + std::uint64_t{head} * kDescriptorSize + sizeof(std::uint64_t);
  const auto bytes = memory_.piece(at, sizeof status);
  if (bytes.size() == sizeof status) {
    // The ring's base is a multiple of 16, so this is aligned and within a page.
    void* const word = bytes.data();
    std::atomic_ref{*static_cast<std::uint64_t*>(word)}.store(status | RxD::DD::kMask,
                                                              std::memory_order_release);
    memory_.mark_dirty(at, sizeof status);
  } else {
    ++shared_.counters.master_aborts;
  }
  if (head + 1 >= file_.get<RDLEN>() / kDescriptorSize) {
    file_.set<RDH>(0);
    shared_.state.whole_ring = false;
  } else {
    file_.set<RDH>(head + 1);
  }
  if (cached_ != 0) {
    --cached_;
    ++cache_at_;
  }
  published_ = true;
}

/// "Null" descriptors carry no buffer: hardware gives them back and goes on (8254x SDM, 3.2, null
/// descriptor padding).
void Receiver::skip_null_buffers() noexcept {
  for (std::size_t i = 0; i < kCache && fetch(1) != 0 && buffers_[cache_at_] == 0; ++i) {
    publish(0);
  }
}

/// `bytes` of a frame are in the buffers from RDH on.
void Receiver::publish_frame(std::uint32_t bytes, const Seen& seen) noexcept {
  const std::uint32_t room = buffer_size();
  for (; bytes > room; bytes -= room) {
    publish(room);
  }
  publish(RxD::LENGTH::with(seen.status, bytes) | RxD::EOP::kMask);
}

void Receiver::write(std::uint64_t address, std::span<const std::byte> bytes) noexcept {
  if (!bytes.empty() && !memory_.write_bytes(Gpa{address}, bytes)) {
    ++shared_.counters.master_aborts;
  }
}

/// Copies a frame into buffers, padded, with what stands for its FCS; false when there are not
/// enough.
bool Receiver::put(std::span<const std::byte> head,
                   std::span<const std::byte> body,
                   const Seen& seen) noexcept {
  static constexpr std::array<std::byte, kShortestFrame + kFcsBytes> kZeros{};
  const auto size = static_cast<std::uint32_t>(head.size() + body.size());
  const std::uint32_t pad = std::max(size, seen.shortest()) - size;
  const std::uint32_t total = size + pad + crc_bytes();
  const std::uint32_t room = buffer_size();
  const std::uint32_t needed = (total + room - 1) / room;
  const std::size_t cached = fetch(kCache);
  if (static_cast<std::size_t>(
          std::count_if(buffers_.begin() + static_cast<std::ptrdiff_t>(cache_at_),
                        buffers_.begin() + static_cast<std::ptrdiff_t>(cache_at_ + cached),
                        [](std::uint64_t a) { return a != 0; })) < needed) {
    return false;
  }
  buffers_left_ -= std::min<std::size_t>(buffers_left_, needed);
  std::array<std::span<const std::byte>, 3> parts{head, body,
                                                  std::span{kZeros}.first(pad + crc_bytes())};
  std::size_t part = 0;
  for (std::uint32_t left = total; left != 0;) {
    const std::uint64_t address = buffers_[cache_at_];
    if (address == 0) {
      publish(0);
      continue;
    }
    const std::uint32_t here = std::min(left, room);
    for (std::uint32_t at = 0; at < here;) {
      if (parts[part].empty()) {
        ++part;
        continue;
      }
      const auto run = parts[part].first(std::min<std::size_t>(parts[part].size(), here - at));
      write(address + at, run);
      parts[part] = parts[part].subspan(run.size());
      at += static_cast<std::uint32_t>(run.size());
    }
    left -= here;
    publish(left != 0 ? std::uint64_t{here}
                      : RxD::LENGTH::with(seen.status, here) | RxD::EOP::kMask);
  }
  count_received(file_, size + pad + seen.tag, seen.cast);
  return true;
}

/// The end of a unit: one decision on the interrupt.
void Receiver::delivered() noexcept {
  if (!published_) {
    return;
  }
  published_ = false;
  const std::uint32_t ring = file_.get<RDLEN>();
  if (available() * kDescriptorSize <= ring >> (file_.field<RCTL, RCTL::RDMTS>() + 1U)) {
    interrupts_.raise(ICR::RXDMT0::kMask);
  }
  interrupts_.received();
}

/// A frame of our own. What finds no room here is lost, as it would be on the wire.
void Receiver::receive_looped() noexcept {
  const auto frame = loop_.frame();
  if (enabled() && shared_.loopback) {
    Verdict verdict = Verdict::rejected;
    Seen seen;
    std::size_t from = 0;
    if (frame.size() >= kEthernetHeader &&
        length_allowed(static_cast<std::uint32_t>(frame.size()))) {
      verdict = filter(frame);
    }
    if (verdict != Verdict::rejected) {
      seen.cast = cast_of(frame.data());
      from = strip_tag(frame, seen);
      seen.status |= checksum_status(frame.first(frame.size() - from), false);
      seen.status |= verdict == Verdict::inexact ? RxD::PIF::kMask : 0;
      if (!put(frame.first(frame.size() - from), {}, seen)) {
        count<regs::MPC>(file_);
        count<regs::RNBC>(file_);
        interrupts_.raise(ICR::RXO::kMask);
      }
    }
    delivered();
  }
  loop_.take();
}

void Receiver::leave_ring() noexcept {
  cached_ = 0;
  cache_at_ = 0;
}

void Receiver::settle() noexcept {
  leave_ring();
  if (loop_.busy()) {
    receive_looped();
  }
  if (pending_.waiting) {
    drop();
    pending_ = {};
  }
  want(false);
  work_.cancel();
}

void Receiver::reset() noexcept {
  leave_ring();
  loop_.take();
  pending_ = {};
  guess_ = {};
  published_ = false;
  shared_.state.whole_ring = false;
  filters_changed();
}

}  // namespace dm::e1000
