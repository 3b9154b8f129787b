// SPDX-License-Identifier: MIT
#include "tests/example_device/echo.h"

#include <chrono>
#include <cstdint>

namespace dm::example {

namespace {

struct EchoState {
  std::uint8_t written = 0;  ///< the byte that is on its way
  std::uint8_t heard = 0;    ///< the byte that has come back
  bool under_way = false;
  bool interrupt = false;  ///< until the byte is read
};

template <class Visitor>
void describe(Visitor& v, EchoState& s) {
  v.field(1, "written", s.written);
  v.field(2, "heard", s.heard);
  v.field(3, "under_way", s.under_way);
  v.field(4, "interrupt", s.interrupt);
}
bool validate(const EchoState& s) noexcept {
  return !s.under_way || !s.interrupt;  // a new byte takes the interrupt back
}

class Echo {
 public:
  explicit Echo(const DevicePorts& ports) noexcept
      : timer_{Timer::bind<&Echo::come_back>(ports.timers, *this)},
        irq_{ports.irqs.isa(10)},
        claim_{ports.pio.claim(
            {0xee0, 0xee0}, IoHandler::bind<&Echo::read, &Echo::write>(*this), "echo")} {}
  [[nodiscard]] const PioClaim& claim() const noexcept { return claim_; }

  void reset() noexcept {
    irq_.set(false);
    (void)restore({});
  }
  [[nodiscard]] const EchoState& state() const noexcept { return state_; }
  [[nodiscard]] bool restore(const EchoState& saved) noexcept {
    if (!validate(saved)) {
      return false;
    }
    state_ = saved;
    irq_.adopt(state_.interrupt);
    timer_.cancel();
    if (state_.under_way) {
      timer_.arm_in(kDelay);  // anew
    }
    return true;
  }

 private:
  static constexpr std::chrono::milliseconds kDelay{1};

  [[nodiscard]] std::uint64_t read(IoAccess /*a*/) noexcept {
    raise(false);
    return state_.heard;
  }
  void write(IoAccess /*a*/, std::uint64_t value) noexcept {
    raise(false);
    state_.written = static_cast<std::uint8_t>(value);
    state_.under_way = true;
    timer_.arm_in(kDelay);
  }
  void come_back() noexcept {
    state_.heard = state_.written;
    state_.under_way = false;
    raise(true);
  }
  void raise(bool on) noexcept {
    state_.interrupt = on;
    irq_.set(on);
  }

  EchoState state_;
  Timer timer_;
  IrqLine irq_;
  PioClaim claim_;  ///< last: the guest reaches a whole device or none
};

}  // namespace

Result<std::unique_ptr<Device>> make_echo(const DevicePorts& ports) {
  auto echo = std::make_unique<Echo>(ports);
  if (!echo->claim().ok()) {
    return fail("echo: its port is held by ", echo->claim().holder());
  }
  return device_of("echo", std::move(echo));
}

}  // namespace dm::example
