// SPDX-License-Identifier: MIT
// The places for received frames: descriptors of C+ mode and the ring of C mode; reports; and when
// to ask the back end.
#include "devices/rtl8139/receiver.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

namespace dm::rtl8139 {

namespace {

using regs::CAPR;
using regs::CBR;
using regs::CR;
using regs::ISR;
using regs::RBSTART;
using regs::RCR;
using regs::RDSAR;

constexpr std::chrono::milliseconds kFirstLook{1};
constexpr std::chrono::milliseconds kLastLook{64};
/// The longest that a descriptor takes, FCS included: longer ones would have LONG set.
constexpr std::uint32_t kLongestInDescriptor = 4096;
/// C mode: the longest frame with its FCS. Drivers have 1.5 KiB of room behind the ring, and Linux
/// resets the receiver on more than 1,540.
constexpr std::uint32_t kLongestInRing = 1532 + kFcsBytes;
constexpr std::uint32_t kEntryHeader = 4;
/// CAPR is so far behind what the driver has read.
constexpr std::uint32_t kReadOffset = 16;
/// With a ring of 64 KiB, RCR.WRAP means nothing.
constexpr std::uint32_t kLargestRing = 3;

[[nodiscard]] constexpr std::uint32_t entry_size(std::uint32_t total) noexcept {
  return (kEntryHeader + total + 3) & ~std::uint32_t{3};
}

static_assert(std::endian::native == std::endian::little);

}  // namespace

Receiver::Receiver(Shared& shared,
                   const Ports& ports,
                   Interrupts& interrupts,
                   Loopback& loop,
                   const MacAddress& mac)
    : shared_{shared},
      file_{shared.state.file},
      memory_{ports.memory},
      interrupts_{interrupts},
      backend_{ports.backend},
      loop_{loop},
      work_{Work::bind<&Receiver::run>(ports.work, *this)},
      timer_{Timer::bind<&Receiver::on_timer>(ports.timers, *this)},
      mac_{mac} {
  loop_.set_reader(work_);
}

bool Receiver::enabled() const noexcept {
  return file_.test<CR, CR::RE>() && shared_.bus_master && !shared_.paused;
}

void Receiver::want(bool on) noexcept {
  if (wanted_ != on) {
    wanted_ = on;
    backend_.want_receive(on);
  }
}

/// Turning the back end's calls off again is left to run(), which only a frame brings: software may
/// switch CR.RE as often as it likes.
void Receiver::kick() noexcept {
  if (!listening()) {
    return;
  }
  Place place;
  if (shared_.plus_receive() ? !read_descriptor(shared_.state.rx_index, place)
                             : !find_in_ring(place)) {
    watch();
    return;
  }
  stop_watching();
  if (pending_.waiting || !dry_) {
    work_.schedule();
  } else {
    want(true);
  }
}

void Receiver::watch() noexcept {
  if (shared_.plus_receive()) {
    waiting_ = true;
    if (!timer_.armed()) {
      timer_.arm_in(patience_);
    }
  }
}

void Receiver::stop_watching() noexcept {
  waiting_ = false;
  timer_.cancel();
}

void Receiver::on_timer() noexcept {
  patience_ = std::min(patience_ * 2, kLastLook);
  look();
}

/// There is no place, and perhaps there are frames: they stay with the host.
void Receiver::stall() noexcept {
  want(false);
  if (shared_.plus_receive() && !shared_.state.stalled) {
    shared_.state.stalled = true;
    interrupts_.raise(ISR::RDU::kMask);
  }
  watch();
}

void Receiver::on_receivable() noexcept {
  dry_ = false;
  work_.schedule();
}

void Receiver::settings_changed() noexcept {
  settings_dirty_ = true;
  work_.schedule();
}

/// Long frames and missing checksums only where descriptors can tell of them: in C mode the host
/// cuts and computes. Every frame, where the station address is not the one that the host knows.
void Receiver::tell_backend() noexcept {
  if (!settings_dirty_) {
    return;
  }
  settings_dirty_ = false;
  const bool all = file_.test<RCR, RCR::AAP>() ||
                   std::memcmp(mac_.data(), &file_.bytes[regs::IDR0::kOffset], mac_.size()) != 0;
  if (all != promiscuous_) {
    promiscuous_ = all;
    backend_.set_promiscuous(all);
  }
  if (const bool plus = shared_.plus_receive(); plus != offloads_) {
    offloads_ = plus;
    backend_.accept_offloads(plus, plus);
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
  if (!listening()) {
    want(wanted_ && dry_);  // off when a frame has come, not before: see kick()
    return false;
  }
  places_left_ = kSegmentsInUnit;
  if (!pending_.waiting) {
    if (dry_) {
      return false;
    }
    if (find_places(1) == 0) {
      stall();
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
    stall();
  }
  return room;
}

Gpa Receiver::descriptor_at(std::uint8_t index) const noexcept {
  constexpr std::uint64_t kAligned = ~std::uint64_t{0xff};
  const std::uint64_t base =
      (std::uint64_t{file_.get<RDSAR>(1)} << 32U | file_.get<RDSAR>(0)) & kAligned;
  return Gpa{base} + std::uint64_t{index} * kDescriptorSize;
}

/// A descriptor that is the card's. OWN is read before all else, which the driver wrote before it.
bool Receiver::read_descriptor(std::uint8_t index, Place& place) noexcept {
  if (file_.get<RDSAR>(0) == 0 && file_.get<RDSAR>(1) == 0) {
    return false;  // no ring
  }
  const auto bytes = memory_.piece(descriptor_at(index), kDescriptorSize);
  if (bytes.size() != kDescriptorSize) {
    ++shared_.counters.master_aborts;
    return false;
  }
  void* const word = bytes.data();
  const std::uint32_t opts =
      std::atomic_ref{*static_cast<std::uint32_t*>(word)}.load(std::memory_order_acquire);
  if (!Opts1::OWN::test(opts)) {
    return false;
  }
  std::memcpy(&place.address[0], bytes.data() + kAddressOffset, sizeof place.address[0]);
  place.length = {std::min<std::uint32_t>(RxOpts1::SIZE::get(opts), kLongestInDescriptor), 0};
  place.index = index;
  place.end_of_ring = Opts1::EOR::test(opts);
  return true;
}

std::uint32_t Receiver::ring_size() const noexcept {
  return 8192U << RCR::RBLEN::get(file_.get<RCR>());
}

std::uint32_t Receiver::read_pointer() const noexcept {
  return (file_.get<CAPR>() + kReadOffset) & ~std::uint32_t{3} & (ring_size() - 1);
}

bool Receiver::ring_is_empty() const noexcept {
  return read_pointer() == file_.get<CBR>();
}

/// Room for the longest entry behind CBR. An entry never fills the ring: its end would look like an
/// empty one.
bool Receiver::find_in_ring(Place& place) const noexcept {
  const std::uint32_t size = ring_size();
  const std::uint32_t at = file_.get<CBR>();
  const std::uint32_t used = (at - read_pointer()) & (size - 1);
  if (entry_size(kLongestInRing) >= size - used) {
    return false;
  }
  const std::uint64_t ring = file_.get<RBSTART>();
  const std::uint32_t rcr = file_.get<RCR>();
  const std::uint32_t from = at + kEntryHeader;
  const bool goes_on = RCR::WRAP::test(rcr) && RCR::RBLEN::get(rcr) != kLargestRing;
  const std::uint32_t first = goes_on ? kLongestInRing : std::min(kLongestInRing, size - from);
  place.address = {ring + from, ring};
  place.length = {first, kLongestInRing - first};
  return true;
}

/// The next places, up to `wanted`.
std::size_t Receiver::find_places(std::size_t wanted) noexcept {
  places_.clear();
  Place place;
  if (!shared_.plus_receive()) {
    if (find_in_ring(place)) {
      places_.push_back(place);
    }
    return places_.size();
  }
  std::uint8_t index = shared_.state.rx_index;
  while (places_.size() < std::min(wanted, kRing) && read_descriptor(index, place)) {
    places_.push_back(place);
    index = place.end_of_ring || index + 1U == kRing ? 0 : static_cast<std::uint8_t>(index + 1);
    if (index == shared_.state.rx_index) {
      break;
    }
  }
  return places_.size();
}

/// `total` bytes, FCS included, are in `place`, the next one.
void Receiver::publish(const Place& place, std::uint32_t total, const Seen& seen) noexcept {
  if (shared_.plus_receive()) {
    publish_descriptor(place, total, seen);
  } else {
    publish_entry(total, seen);
  }
  published_ = true;
  shared_.state.stalled = false;
  patience_ = kFirstLook;
  places_left_ -= std::min<std::size_t>(places_left_, 1);
}

/// Both words with one store, which is what a driver on another processor waits for. All that they
/// tell of is in memory by then.
void Receiver::publish_descriptor(const Place& place,
                                  std::uint32_t total,
                                  const Seen& seen) noexcept {
  using D = RxOpts1;
  std::uint64_t opts = D::LENGTH::with(std::uint64_t{seen.checksum}, total);
  opts |= D::FS::kMask | D::LS::kMask | (place.end_of_ring ? D::EOR::kMask : 0);
  opts |= seen.match == Match::broadcast   ? D::BAR::kMask
          : seen.match == Match::multicast ? D::MAR::kMask
          : seen.match == Match::station   ? D::PAM::kMask
                                           : 0;
  opts |= std::uint64_t{seen.tag} << 32U;
  const Gpa at = descriptor_at(place.index);
  const auto bytes = memory_.piece(at, sizeof opts);
  if (bytes.size() == sizeof opts) {
    // The ring's base is a multiple of 256, so this is aligned and within a page.
    void* const word = bytes.data();
    std::atomic_ref{*static_cast<std::uint64_t*>(word)}.store(opts, std::memory_order_release);
    memory_.mark_dirty(at, sizeof opts);
  } else {
    ++shared_.counters.master_aborts;
  }
  shared_.state.rx_index = place.end_of_ring || place.index + 1U == kRing
                               ? 0
                               : static_cast<std::uint8_t>(place.index + 1);
}

/// The entry's header, behind its bytes, and then CBR.
void Receiver::publish_entry(std::uint32_t total, const Seen& seen) noexcept {
  using H = RxHeader;
  const std::uint64_t cast = seen.match == Match::broadcast   ? H::BAR::kMask
                             : seen.match == Match::multicast ? H::MAR::kMask
                             : seen.match == Match::station   ? H::PAM::kMask
                                                              : 0;
  const auto header = static_cast<std::uint32_t>(H::LENGTH::with(H::ROK::kMask | cast, total));
  const std::uint32_t at = file_.get<CBR>();
  std::atomic_thread_fence(std::memory_order_release);
  if (!memory_.write(Gpa{file_.get<RBSTART>()} + at, header)) {
    ++shared_.counters.master_aborts;
  }
  file_.set<CBR>((at + entry_size(total)) & (ring_size() - 1));
}

/// The end of a unit: one cause for all that it has brought.
void Receiver::delivered() noexcept {
  if (published_) {
    published_ = false;
    interrupts_.raise(ISR::ROK::kMask);
  }
}

/// A frame of our own. What finds no room here is lost, as it would be on the wire.
void Receiver::receive_looped() noexcept {
  const auto frame = loop_.frame();
  if (enabled() && shared_.loopback) {
    Seen seen;
    if (frame.size() >= kEthernetHeader) {
      seen.match = match(file_, frame);
    }
    if (seen.match != Match::none) {
      const std::uint32_t tag = strip_tag(frame, seen);
      const auto rest = frame.first(frame.size() - tag);
      note_checksums(rest, false, seen);
      if (!put(rest, {}, seen)) {
        miss();
      }
    }
    delivered();
  }
  loop_.take();
}

void Receiver::first_descriptor() noexcept {
  shared_.state.rx_index = 0;
  shared_.state.stalled = false;
  patience_ = kFirstLook;
}

void Receiver::empty_ring() noexcept {
  file_.set<CAPR>(CAPR::kReset);
  file_.set<CBR>(0);
}

void Receiver::restart() noexcept {
  if (pending_.waiting) {
    pending_ = {};
    miss();
  }
  stop_watching();
  first_descriptor();
  empty_ring();
}

void Receiver::change_mode() noexcept {
  restart();
  settings_changed();
}

void Receiver::settle() noexcept {
  if (loop_.busy()) {
    receive_looped();
  }
  if (pending_.waiting) {
    pending_ = {};
    miss();
  }
  stop_watching();
  want(false);
  work_.cancel();
}

void Receiver::reset() noexcept {
  loop_.take();
  pending_ = {};
  guess_ = {};
  published_ = false;
  stop_watching();
  first_descriptor();
  empty_ring();
  settings_changed();
}

}  // namespace dm::rtl8139
