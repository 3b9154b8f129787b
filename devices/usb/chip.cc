// SPDX-License-Identifier: MIT
#include "devices/usb/chip.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace dm::usb {

namespace {

using namespace regs;  // NOLINT(google-build-using-namespace): the datasheet's names
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 1ms reads better

constexpr std::chrono::nanoseconds kFrame{1ms};
constexpr std::uint64_t kMostCaughtUp = 16;
constexpr std::chrono::nanoseconds kQuick{200ms};
constexpr std::chrono::nanoseconds kIdle{1s};
constexpr std::uint64_t kMediumFrames = 8;
constexpr std::uint64_t kSlowFrames = 32;

constexpr std::uint8_t kComplete = 1;  // of UhciState::causes
constexpr std::uint8_t kShort = 2;

constexpr std::uint16_t merged(std::uint16_t old,
                               std::uint16_t value,
                               std::uint16_t lanes) noexcept {
  return static_cast<std::uint16_t>((old & ~lanes) | (value & lanes));
}

constexpr std::uint16_t with(std::uint16_t word, std::uint64_t mask) noexcept {
  return static_cast<std::uint16_t>(word | mask);
}
constexpr std::uint16_t without(std::uint16_t word, std::uint64_t mask) noexcept {
  return static_cast<std::uint16_t>(word & ~mask);
}

constexpr bool is_port(unsigned offset) noexcept {
  return offset >= PORTSC::kOffset && offset < PORTSC::kOffset + 2 * kPorts;
}

}  // namespace

Chip::Chip(const Ports& ports, IrqLine irq, const Plugged& plugged)
    : memory_{ports.memory},
      timers_{ports.timers},
      irq_{std::move(irq)},
      schedule_{ports.memory, *this},
      timer_{Timer::bind<&Chip::on_tick>(ports.timers, *this)},
      work_{Work::bind<&Chip::run>(ports.work, *this)} {
  ReportListener& listener = *this;
  for (unsigned i = 0; i < kPorts; ++i) {
    if (plugged.at(i) != HidKind::none) {
      devices_.at(i).emplace(plugged.at(i), i, timers_, listener);
    }
  }
  reset_ports();
}

bool Chip::runs() const noexcept {
  return USBCMD::RS::test(state_.command);
}

/// Does the guest let the controller look at the lists?
bool Chip::walks() const noexcept {
  return runs() && bus_master_ && !paused_ && !USBCMD::GRESET::test(state_.command) &&
         !USBCMD::EGSM::test(state_.command);
}

bool Chip::port_active(unsigned port) const noexcept {
  constexpr auto kBits = kMask16<PORTSC::PE, PORTSC::SUSP, PORTSC::RESET>;
  return (ports_.at(port) & kBits) == kMask16<PORTSC::PE>;
}

HidDevice* Chip::at(std::uint8_t address) noexcept {
  for (unsigned i = 0; i < kPorts; ++i) {
    if (devices_.at(i) && port_active(i) && devices_.at(i)->address() == address) {
      return &*devices_.at(i);
    }
  }
  return nullptr;
}

// Time.

/// Whole frames since state_.frame began.
std::uint64_t Chip::passed() const noexcept {
  return runs() && !paused_ ? static_cast<std::uint64_t>((timers_.now() - started_) / kFrame) : 0;
}

std::uint16_t Chip::frame_number() const noexcept {
  return static_cast<std::uint16_t>((state_.frame + passed()) & FRNUM::NUMBER::kMax);
}

/// What the clock has counted becomes state.
void Chip::stop_clock() noexcept {
  if (runs()) {
    state_.frame_part = static_cast<std::uint32_t>(((timers_.now() - started_) % kFrame).count());
    state_.frame = frame_number();
  }
}

void Chip::start() noexcept {
  started_ = timers_.now() - std::chrono::nanoseconds{state_.frame_part};
  walked_ = 0;
  state_.status = without(state_.status, USBSTS::HCHALTED::kMask);
}

void Chip::halt() noexcept {
  stop_clock();
  state_.frame_part = 0;
  state_.command = without(state_.command, USBCMD::RS::kMask);
  state_.status = with(state_.status, USBSTS::HCHALTED::kMask);
}

/// Something has happened after which the guest is likely to do more.
void Chip::touched() noexcept {
  touched_ = timers_.now();
  arm();
}

void Chip::arm() noexcept {
  const auto idle = timers_.now() - touched_;
  const bool active = port_active(0) || port_active(1);
  if (!walks() || (!active && idle >= kIdle)) {
    timer_.cancel();
    return;
  }
  std::uint64_t frames = 1;
  if (idle >= kQuick) {
    frames = idle >= kIdle ? kSlowFrames : kMediumFrames;
  }
  // A frame that has begun already can be looked at at once.
  const std::uint64_t next = passed() + (walked_ <= passed() && frames == 1 ? 0 : frames);
  timer_.arm(started_ + kFrame * static_cast<std::int64_t>(next));
}

/// One unit: one frame.
bool Chip::run() noexcept {
  if (!walks()) {
    arm();
    return false;
  }
  const std::uint64_t now = passed();
  walked_ = std::max(walked_, now + 1 - std::min(now + 1, kMostCaughtUp));
  if (walked_ <= now) {
    const std::uint64_t index = (state_.frame + walked_) & FRNUM::INDEX::kMax;
    ++walked_;
    end_frame(schedule_.walk(Gpa{state_.frame_list + 4 * index}));
  }
  if (walks() && walked_ <= now) {
    return true;
  }
  arm();
  return false;
}

void Chip::end_frame(const FrameResult& result) noexcept {
  ++counters_.frames;
  counters_.transactions += result.transactions;
  std::uint64_t status = 0;
  if (result.complete || result.short_packet) {
    status |= USBSTS::USBINT::kMask;
    state_.causes = static_cast<std::uint8_t>(state_.causes | (result.complete ? kComplete : 0U) |
                                              (result.short_packet ? kShort : 0U));
  }
  status |= result.error ? USBSTS::USBERR::kMask : 0;
  status |= result.process_error ? USBSTS::HCPE::kMask : 0;
  status |= result.system_error ? USBSTS::HSE::kMask : 0;
  state_.status = with(state_.status, status);
  if (result.process_error || result.system_error) {
    ++counters_.faults;
    halt();
  }
  if (result.control_ended) {
    touched_ = timers_.now();
  }
  update_interrupt();
}

/// A report is fetched in the next frame that asks for it. A device that sleeps wakes its host, if
/// it may (USB 1.1, 11.9; UHCI 1.1, 2.1.1 and 2.1.7).
void Chip::report_waits(unsigned port) noexcept {
  const bool global = USBCMD::EGSM::test(state_.command);
  const bool asleep = PORTSC::SUSP::test(ports_.at(port)) || global;
  if (asleep && devices_.at(port)->may_wake() && PORTSC::PE::test(ports_.at(port))) {
    ports_.at(port) = with(ports_.at(port), PORTSC::RD::kMask);
    state_.status = with(state_.status, USBSTS::RD::kMask);
    if (global) {
      state_.command = with(state_.command, USBCMD::FGR::kMask);
    }
    update_interrupt();
  }
  touched();
  if (walks() && port_active(port)) {
    work_.schedule();
  }
}

// Registers.

std::uint64_t Chip::read(IoAccess a) noexcept {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < a.size;) {
    const auto offset = static_cast<unsigned>(a.offset) + i;
    const unsigned odd = offset & 1U;
    value |= std::uint64_t{static_cast<std::uint16_t>(read_word(offset - odd) >> (8 * odd))}
             << (8 * i);
    i += 2 - odd;
  }
  return value;
}

std::uint16_t Chip::read_word(unsigned offset) const noexcept {
  if (is_port(offset)) {
    return ports_.at((offset - PORTSC::kOffset) / 2);
  }
  switch (offset) {
    case USBCMD::kOffset:
      return state_.command;
    case USBSTS::kOffset:
      return state_.status;
    case USBINTR::kOffset:
      return state_.interrupt_enable;
    case FRNUM::kOffset:
      return frame_number();
    case FLBASEADD::kOffset:
      return static_cast<std::uint16_t>(state_.frame_list);
    case FLBASEADD::kOffset + 2:
      return static_cast<std::uint16_t>(state_.frame_list >> 16U);
    case SOFMOD::kOffset:
      return state_.sof_modify;
    default:
      return kNoPort;
  }
}

void Chip::write(IoAccess a, std::uint64_t value) noexcept {
  for (unsigned i = 0; i < a.size;) {
    const auto offset = static_cast<unsigned>(a.offset) + i;
    const unsigned odd = offset & 1U;
    const unsigned bytes = std::min(2 - odd, a.size - i);
    const auto lanes = static_cast<std::uint16_t>((bytes == 2 ? 0xffffU : 0xffU) << (8 * odd));
    write_word(offset - odd, static_cast<std::uint16_t>(value >> (8 * i) << (8 * odd)), lanes);
    i += bytes;
  }
  update_interrupt();
  touched();
}

void Chip::write_word(unsigned offset, std::uint16_t value, std::uint16_t lanes) noexcept {
  if (is_port(offset)) {
    write_port((offset - PORTSC::kOffset) / 2, value, lanes);
    return;
  }
  switch (offset) {
    case USBCMD::kOffset:
      write_command(merged(state_.command, value, lanes));
      break;
    case USBSTS::kOffset: {
      const auto cleared = static_cast<std::uint16_t>(value & lanes & USBSTS::kClearable);
      state_.status = without(state_.status, cleared);
      state_.causes = USBSTS::USBINT::test(cleared) ? std::uint8_t{0} : state_.causes;
      break;
    }
    case USBINTR::kOffset:
      state_.interrupt_enable = merged(state_.interrupt_enable, value, lanes) & USBINTR::kStored;
      break;
    case FRNUM::kOffset:
      if (!runs()) {  // 2.1.4: while halted only
        state_.frame = merged(state_.frame, value, lanes) & FRNUM::NUMBER::kMask;
      }
      break;
    case FLBASEADD::kOffset:
    case FLBASEADD::kOffset + 2: {
      const unsigned shift = 8 * (offset - FLBASEADD::kOffset);
      const std::uint32_t mask = std::uint32_t{lanes} << shift;
      state_.frame_list = ((state_.frame_list & ~mask) | (std::uint32_t{value} << shift & mask)) &
                          FLBASEADD::kStored;
      break;
    }
    case SOFMOD::kOffset:
      state_.sof_modify = merged(state_.sof_modify, value, lanes) & SOFMOD::kStored;
      break;
    default:
      break;
  }
}

void Chip::write_command(std::uint16_t value) noexcept {
  if (USBCMD::HCRESET::test(value)) {
    reset_controller();
    return;
  }
  const bool ran = runs();
  if (USBCMD::GRESET::test(value) && !USBCMD::GRESET::test(state_.command)) {
    reset_ports();
  }
  if (ran && !USBCMD::RS::test(value)) {
    halt();
  }
  state_.command = value & USBCMD::kStored;
  if (!ran && runs()) {
    start();
  }
}

void Chip::write_port(unsigned port, std::uint16_t value, std::uint16_t lanes) noexcept {
  std::uint16_t& is = ports_.at(port);
  std::uint16_t stored = merged(is, value, lanes) & PORTSC::kStored;
  const bool reset = PORTSC::RESET::test(stored);
  if (reset && !PORTSC::RESET::test(is) && devices_.at(port)) {
    devices_.at(port)->bus_reset();
  }
  if (reset || !PORTSC::CCS::test(is)) {
    stored = without(stored, PORTSC::PE::kMask);
  }
  const auto cleared = static_cast<std::uint16_t>(value & lanes & PORTSC::kClearable);
  is = with(without(without(is, PORTSC::kStored), cleared), stored);
}

/// A root hub after its reset sees what is plugged in as new.
void Chip::reset_ports() noexcept {
  for (unsigned i = 0; i < kPorts; ++i) {
    ports_.at(i) = kMask16<PORTSC::ONE>;
    if (devices_.at(i)) {
      devices_.at(i)->bus_reset();
      ports_.at(i) = kMask16<PORTSC::ONE, PORTSC::CCS, PORTSC::CSC>;
    }
  }
}

void Chip::update_interrupt() noexcept {
  const std::uint16_t enable = state_.interrupt_enable;
  const std::uint16_t status = state_.status;
  irq_.set(((state_.causes & kComplete) != 0 && USBINTR::IOCE::test(enable)) ||
           ((state_.causes & kShort) != 0 && USBINTR::SPIE::test(enable)) ||
           (USBSTS::USBERR::test(status) && USBINTR::TOCRCE::test(enable)) ||
           (USBSTS::RD::test(status) && USBINTR::RIE::test(enable)) ||
           (status & kMask16<USBSTS::HCPE, USBSTS::HSE>) != 0);
}

void Chip::set_bus_master(bool on) noexcept {
  if (on != bus_master_) {
    bus_master_ = on;
    touched();
  }
}

// The machine's side.

void Chip::reset() noexcept {
  for (auto& device : devices_) {
    if (device) {
      device->reset();
    }
  }
  reset_controller();
}

void Chip::reset_controller() noexcept {
  state_ = {};
  reset_ports();
  update_interrupt();
  work_.cancel();
  arm();
}

void Chip::pause() noexcept {
  if (paused_) {
    return;
  }
  stop_clock();
  paused_ = true;
  timer_.cancel();
  work_.cancel();
  for (auto& device : devices_) {
    if (device) {
      device->pause();
    }
  }
}

void Chip::resume() noexcept {
  if (!paused_) {
    return;
  }
  paused_ = false;
  if (runs()) {
    start();
  }
  for (auto& device : devices_) {
    if (device) {
      device->resume();
    }
  }
  touched();
}

UhciState Chip::state() const noexcept {
  UhciState out = state_;
  if (runs() && !paused_) {
    out.frame_part = static_cast<std::uint32_t>(((timers_.now() - started_) % kFrame).count());
    out.frame = frame_number();
  }
  out.port0 = ports_[0];
  out.port1 = ports_[1];
  out.device0 = devices_[0] ? devices_[0]->state() : HidState{};
  out.device1 = devices_[1] ? devices_[1]->state() : HidState{};
  return out;
}

void Chip::restore(const UhciState& state) noexcept {
  state_ = state;
  ports_ = {state.port0, state.port1};
  if (devices_[0]) {
    devices_[0]->restore(state.device0);
  }
  if (devices_[1]) {
    devices_[1]->restore(state.device1);
  }
  if (runs() && !paused_) {
    start();
  }
  update_interrupt();
  touched();
}

}  // namespace dm::usb
