// SPDX-License-Identifier: MIT
#include "tests/qtest/board.h"

#include "core/addr.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dm::qtest {

namespace {

constexpr std::uint16_t kConfigAddress = 0xcf8;
constexpr std::uint16_t kConfigData = 0xcfc;
constexpr std::uint32_t kConfigEnable = 0x80000000;

/// A timer that arms itself anew at every nanosecond would keep us for ever.
constexpr unsigned kMostSteps = 100'000;

/// The size of the access at `gpa` when `left` bytes are still to be done: naturally aligned.
std::uint8_t mmio_step(std::uint64_t gpa, std::size_t left) noexcept {
  std::uint8_t size = 4;
  while (size > 1 && (size > left || gpa % size != 0)) {
    size /= 2;
  }
  return size;
}

}  // namespace

bool Board::Idle::wait(std::optional<std::chrono::nanoseconds> until) noexcept {
  asleep = true;
  timeout = until;
  board_.setup_.poll();
  return false;
}

void Board::Idle::poll() noexcept {
  board_.setup_.poll();
}

void Board::Domain::shutdown(ShutdownReason reason) noexcept {
  board_.ended(reason);
}

Board::Board(Setup setup)
    : setup_{std::move(setup)},
      fw_cfg_{setup_.ram, setup_.config.vcpus_online},
      memory_{setup_.ram} {}

Result<std::unique_ptr<Board>> Board::create(Setup setup, Backends backends) {
  std::unique_ptr<Board> board{new Board{std::move(setup)}};
  auto machine = Machine::create(board->setup_.config,
                                 {.claims = board->claims_,
                                  .irqs = board->pins_,
                                  .memory = board->memory_,
                                  .ioreq = board->port_,
                                  .domain = board->domain_,
                                  .clock = board->clock_,
                                  .events = board->idle_},
                                 std::move(backends), {.mode = ioreq::SpinPolicy::Mode::off});
  if (!machine) {
    return machine.error();
  }
  board->machine_ = std::move(*machine);
  board->settle();
  return board;
}

std::uint64_t Board::send(const rig::RawRequest& request, unsigned vcpu) {
  rig::fill_slot(port_.slots(), request, vcpu);
  settle();
  return rig::take_answer(port_.slots(), vcpu);
}

void Board::settle() {
  do {
    idle_.asleep = false;
    while (!idle_.asleep && machine_->poller().turn()) {
    }
  } while (!machine_->work().empty());
}

std::chrono::nanoseconds Board::now() const noexcept {
  return clock_.now().time_since_epoch();
}

std::optional<std::chrono::nanoseconds> Board::next_timer() {
  settle();
  return idle_.timeout;
}

void Board::advance_to(std::chrono::nanoseconds to) {
  for (unsigned step = 0; now() < to; ++step) {
    const auto rest = to - now();
    const auto next = step < kMostSteps ? next_timer() : std::nullopt;
    const auto wanted = std::max(next.value_or(rest), std::chrono::nanoseconds{1});
    clock_.advance(std::min(wanted, rest));
  }
  settle();
}

// Ports.

bool Board::is_config_cycle(std::uint16_t port) const noexcept {
  return port >= kConfigData && port < kConfigData + 4 && (config_latch_ & kConfigEnable) != 0;
}

PciBdf Board::latched_function() const noexcept {
  return {static_cast<std::uint8_t>(config_latch_ >> 11U & 0x1fU),
          static_cast<std::uint8_t>(config_latch_ >> 8U & 7U)};
}

bool Board::function_is_there(PciBdf bdf) const noexcept {
  const bool bus_0 = (config_latch_ & 0x00ff0000U) == 0;
  return bus_0 && std::ranges::any_of(claims_.pci(), [bdf](const MmioRange& claim) {
           return claim.first == bdf.devfn();
         });
}

/// libqos leaves bits 1:0 of the register in the address and reads at CFCh, which QEMU takes as
/// meant. The 82441FX and Xen take them from the data port alone.
std::uint32_t Board::latched_register(std::uint16_t port) const noexcept {
  return ((config_latch_ & 0xffU) | (port & 3U)) & 0xffU;
}

std::uint32_t Board::in(std::uint16_t port, std::uint8_t size) {
  if (is_config_cycle(port)) {
    const PciBdf bdf = latched_function();
    const std::uint64_t value =
        function_is_there(bdf) ? config_read(bdf, latched_register(port), size) : all_ones(size);
    return static_cast<std::uint32_t>(value);
  }
  if (port == FwCfg::kData && size == 1) {
    return fw_cfg_.read();
  }
  return static_cast<std::uint32_t>(pio_read(port, size));
}

void Board::out(std::uint16_t port, std::uint8_t size, std::uint32_t value) {
  if (is_config_cycle(port)) {
    const PciBdf bdf = latched_function();
    if (function_is_there(bdf)) {
      config_write(bdf, latched_register(port), size, value);
    }
    return;
  }
  if (port == FwCfg::kSelector && size == 2) {
    fw_cfg_.select(static_cast<std::uint16_t>(value));
    return;
  }
  if (port == kConfigAddress && size == 4) {
    config_latch_ = value;  // and the device model hears of it too, as from Xen
  }
  pio_write(port, size, value);
}

// Memory.

bool Board::reachable(std::uint64_t gpa, std::size_t size) noexcept {
  if (size > ~gpa) {
    return false;
  }
  const std::size_t outside = size - ram_part(gpa, size);
  return outside <= kMostMmio;
}

std::size_t Board::ram_part(std::uint64_t gpa, std::size_t size) noexcept {
  const std::uint64_t ram = memory_.ram().size();
  return gpa < ram ? static_cast<std::size_t>(std::min<std::uint64_t>(size, ram - gpa)) : 0;
}

bool Board::read(std::uint64_t gpa, std::span<std::byte> to) {
  if (!reachable(gpa, to.size())) {
    return false;
  }
  if (const std::size_t ram = ram_part(gpa, to.size()); ram != 0) {
    std::memcpy(to.data(), memory_.ram().subspan(gpa, ram).data(), ram);
    to = to.subspan(ram);
    gpa += ram;
  }
  while (!to.empty()) {
    const std::uint8_t size = mmio_step(gpa, to.size());
    const std::uint64_t value = mmio_read(gpa, size);
    std::memcpy(to.data(), &value, size);
    to = to.subspan(size);
    gpa += size;
  }
  return true;
}

bool Board::write(std::uint64_t gpa, std::span<const std::byte> from) {
  if (!reachable(gpa, from.size())) {
    return false;
  }
  if (const std::size_t ram = ram_part(gpa, from.size()); ram != 0) {
    std::memcpy(memory_.ram().subspan(gpa, ram).data(), from.data(), ram);
    from = from.subspan(ram);
    gpa += ram;
  }
  while (!from.empty()) {
    const std::uint8_t size = mmio_step(gpa, from.size());
    std::uint64_t value = 0;
    std::memcpy(&value, from.data(), size);
    mmio_write(gpa, size, value);
    from = from.subspan(size);
    gpa += size;
  }
  return true;
}

}  // namespace dm::qtest
