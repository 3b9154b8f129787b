// SPDX-License-Identifier: MIT
#include "devices/usb/schedule.h"

#include "core/bounds.h"
#include "core/range.h"

#include <array>
#include <cstddef>
#include <span>

namespace dm::usb {

namespace {

using namespace regs;  // NOLINT(google-build-using-namespace): the datasheet's names

// A link is a mapping at most. A transaction has a buffer that may lie across two windows, and two
// words that are written back; and the frame's pointer is read.
static_assert(1 + kLinksPerFrame + 4 * (kBytesPerFrame / kBytesPerTransaction) <=
              bounds::kMapsPerUnit);

constexpr std::uint32_t address_of(std::uint32_t link) noexcept {
  return link & static_cast<std::uint32_t>(Link::ADDRESS::kMask);
}

/// A 32-bit bus master reaches nothing beyond.
constexpr bool reachable(std::uint32_t at, std::uint32_t bytes) noexcept {
  return within(0, std::uint64_t{1} << 32U, at, bytes);
}

/// From "bytes - 1" in 11 bits, where all ones is 0 bytes.
constexpr std::uint32_t length_of(std::uint32_t field) noexcept {
  return (field + 1) & TdControl::ACTLEN::kMax;
}

}  // namespace

FrameResult Schedule::walk(Gpa entry) noexcept {
  result_ = {};
  queue_ = {};
  spent_ = since_mark_ = 0;
  mark_ = 0;
  stride_ = 1;
  std::uint32_t link = 0;
  if (!memory_.read(entry, link)) {
    static_cast<void>(no_memory());
    return result_;
  }
  for (unsigned i = 0; i < kLinksPerFrame && spent_ < kBytesPerFrame && !Link::T::test(link); ++i) {
    if (!(Link::Q::test(link) ? enter(link) : step(link))) {
      break;
    }
  }
  return result_;
}

/// A circle of queues, as a driver makes it to use what is left of a frame (3.4.2.2), is left when
/// it has come round without progress. Brent's way to find that out keeps one queue in mind, and
/// twice as long each time.
bool Schedule::circled(std::uint32_t link) noexcept {
  if (address_of(link) == mark_ && since_mark_ != 0) {
    return true;
  }
  if (since_mark_ == 0 || since_mark_ >= stride_) {
    mark_ = address_of(link);
    stride_ = since_mark_ == 0 ? 1 : stride_ * 2;
    since_mark_ = 0;
  }
  ++since_mark_;
  return false;
}

/// False: the frame ends here.
bool Schedule::enter(std::uint32_t& link) noexcept {
  if (circled(link)) {
    return false;
  }
  QueueHead head{};
  if (!memory_.read(Gpa{address_of(link)}, head)) {
    return no_memory() != Next::stop;
  }
  const bool empty = Link::T::test(head.element);
  queue_ = {.open = !empty, .address = address_of(link), .link = head.link};
  link = empty ? head.link : head.element;
  return true;
}

bool Schedule::step(std::uint32_t& link) noexcept {
  const Gpa at{address_of(link)};
  TransferDescriptor td{};
  if (!memory_.read(at, td)) {
    return no_memory() != Next::stop;
  }
  const Next next = run(at, td);
  if (next == Next::stop) {
    return false;
  }
  if (next == Next::queue || !queue_.open) {
    link = queue_.open && next == Next::queue ? queue_.link : td.link;
    queue_.open = false;
    return true;
  }
  // The TD is done: the queue goes on with the next, now or when its turn comes again (3.4.1).
  if (!memory_.write(Gpa{queue_.address + QueueHead::kElement}, td.link)) {
    return no_memory() != Next::stop;
  }
  if (Link::VF::test(td.link) && !Link::T::test(td.link) && !Link::Q::test(td.link)) {
    link = td.link;
  } else {
    link = queue_.link;
    queue_.open = false;
  }
  return true;
}

Schedule::Next Schedule::run(const Gpa& at, TransferDescriptor& td) noexcept {
  if (!TdControl::ACTIVE::test(td.control)) {
    // Asked for all the same (3.2.2, IOC).
    result_.complete = result_.complete || TdControl::IOC::test(td.control);
    return Next::queue;
  }
  const std::uint32_t before = td.control;
  spent_ += kBytesPerTransaction;
  const Next next = transact(td);
  if (td.control != before && !memory_.write(at + TransferDescriptor::kControl, td.control)) {
    return no_memory();
  }
  if (!TdControl::ACTIVE::test(td.control)) {
    result_.complete = result_.complete || TdControl::IOC::test(td.control);
    ++result_.transactions;
    since_mark_ = 0;  // progress
  }
  return next;
}

Schedule::Next Schedule::transact(TransferDescriptor& td) noexcept {
  const std::uint32_t pid = TdToken::PID::get(td.token);
  const bool known = pid == TdToken::kIn || pid == TdToken::kOut || pid == TdToken::kSetup;
  if (!known || length_of(TdToken::MAXLEN::get(td.token)) > TdToken::kMostBytes) {
    result_.process_error = true;
    return Next::stop;
  }
  HidDevice* const device = bus_.at(static_cast<std::uint8_t>(TdToken::ADDRESS::get(td.token)));
  if (device == nullptr) {
    return no_data(td, Handshake::silent);
  }
  const Next next = pid == TdToken::kIn ? in(td, device) : setup_or_out(td, device);
  result_.control_ended = device->control_ended() || result_.control_ended;
  return next;
}

Schedule::Next Schedule::setup_or_out(TransferDescriptor& td, HidDevice* device) noexcept {
  const std::uint32_t bytes = length_of(TdToken::MAXLEN::get(td.token));
  const bool is_setup = TdToken::PID::get(td.token) == TdToken::kSetup;
  const std::uint32_t endpoint = TdToken::ENDPT::get(td.token);
  spent_ += bytes;
  // A device does not answer what it cannot have understood (USB 1.1, 8.4.5).
  if (bytes > kMaxPacket || (is_setup && (bytes != kMaxPacket || endpoint != 0))) {
    return no_data(td, Handshake::silent);
  }
  std::array<std::uint8_t, kMaxPacket> data{};
  const auto part = std::span{data}.first(bytes);
  if (bytes != 0 && (!reachable(td.buffer, bytes) ||
                     !memory_.read_bytes(Gpa{td.buffer}, std::as_writable_bytes(part)))) {
    return no_memory();
  }
  const Handshake handshake =
      is_setup ? device->setup(data) : device->out(endpoint, TdToken::TOGGLE::test(td.token), part);
  return handshake == Handshake::ack ? finish(td, bytes) : no_data(td, handshake);
}

Schedule::Next Schedule::in(TransferDescriptor& td, HidDevice* device) noexcept {
  const std::uint32_t endpoint = TdToken::ENDPT::get(td.token);
  const InPacket packet = device->in(endpoint);
  if (packet.handshake != Handshake::ack) {
    return no_data(td, packet.handshake);
  }
  spent_ += packet.length;
  const std::uint32_t most = length_of(TdToken::MAXLEN::get(td.token));
  if (packet.toggle != TdToken::TOGGLE::test(td.token)) {
    // What the host has already: it acknowledges that and waits for the next (USB 1.1, 8.6.4).
    device->accept(endpoint, packet, false);
    return Next::queue;
  }
  if (packet.length > most) {
    td.control = TdControl::BABBLE::with(td.control, 1);
    return failed(td);
  }
  const auto data = std::span{packet.data}.first(packet.length);
  if (packet.length != 0 && (!reachable(td.buffer, packet.length) ||
                             !memory_.write_bytes(Gpa{td.buffer}, std::as_bytes(data)))) {
    return no_memory();
  }
  device->accept(endpoint, packet, true);
  const Next next = finish(td, packet.length);
  if (packet.length < most && TdControl::SPD::test(td.control)) {
    result_.short_packet = true;
    return queue_.open ? Next::queue : next;  // the queue stays where it is (3.2.2, SPD)
  }
  return next;
}

Schedule::Next Schedule::finish(TransferDescriptor& td, std::uint32_t bytes) noexcept {
  td.control = TdControl::ACTLEN::with(td.control, (bytes - 1) & TdControl::ACTLEN::kMax);
  td.control = TdControl::NAK::with(TdControl::ACTIVE::with(td.control, 0), 0);
  return Next::stay;
}

Schedule::Next Schedule::no_data(TransferDescriptor& td, Handshake handshake) noexcept {
  if (handshake == Handshake::nak) {
    td.control = TdControl::NAK::with(td.control, 1);
    return Next::queue;
  }
  if (handshake == Handshake::silent) {
    // The controller tries as often as CERR says; there is no reason why it should get better.
    td.control = TdControl::CERR::with(TdControl::TIMEOUT::with(td.control, 1), 0);
  }
  return failed(td);
}

Schedule::Next Schedule::failed(TransferDescriptor& td) noexcept {
  td.control = TdControl::STALLED::with(TdControl::ACTIVE::with(td.control, 0), 1);
  result_.error = true;
  return Next::queue;
}

Schedule::Next Schedule::no_memory() noexcept {
  result_.system_error = true;
  return Next::stop;
}

}  // namespace dm::usb
