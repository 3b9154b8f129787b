// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/ports/domain_control.h"
#include "core/ports/event_loop.h"
#include "core/result.h"
#include "ioreq/machine/machine.h"
#include "platform/sim/sim_platform.h"
#include "tests/qtest/fw_cfg.h"
#include "tests/qtest/pins.h"
#include "tests/rig/guest_instructions.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace dm::qtest {

/// The product's machine on the simulated host, and around it what Xen does for a guest: memory,
/// configuration cycles, interrupt inputs, a clock. Every access fills a request slot and is served
/// by the product's own loop, which then runs until it would sleep. Thread rule: one thread.
class Board final : private rig::GuestInstructions {
 public:
  struct Setup {
    MachineConfig config;
    std::size_t ram = std::size_t{128} << 20;  ///< bytes, from address 0
    /// Runs what backends have, without sleeping. Empty: they need nothing.
    std::function<void()> poll = [] {};
  };

  [[nodiscard]] static Result<std::unique_ptr<Board>> create(Setup setup, Backends backends);

  // A guest's accesses. `size` 1, 2 or 4; `port` and what follows it below 65536.
  [[nodiscard]] std::uint32_t in(std::uint16_t port, std::uint8_t size);
  void out(std::uint16_t port, std::uint8_t size, std::uint32_t value);
  /// RAM and MMIO alike. What is not RAM is reached by naturally aligned accesses of at most four
  /// bytes, and reads all ones where nothing answers. False, with nothing done, when more than
  /// kMostMmio bytes of it are not RAM or the range wraps.
  [[nodiscard]] bool read(std::uint64_t gpa, std::span<std::byte> to);
  [[nodiscard]] bool write(std::uint64_t gpa, std::span<const std::byte> from);

  /// Serves, works and polls until the machine would sleep.
  void settle();
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept;
  /// Moves the clock, from timer to timer; not backwards.
  void advance_to(std::chrono::nanoseconds to);
  /// How long until the next timer; none: there is none.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> next_timer();

  [[nodiscard]] Pins& pins() noexcept { return pins_; }
  [[nodiscard]] Machine& machine() noexcept { return *machine_; }
  [[nodiscard]] const MachineConfig& config() const noexcept { return setup_.config; }

  /// The guest has ended itself: called once.
  std::function<void(ShutdownReason)> ended = [](ShutdownReason) {};

  static constexpr std::size_t kMostMmio = std::size_t{64} << 10;

 private:
  /// Tells when the machine's loop has nothing more to do.
  class Idle final : public EventLoop {
   public:
    explicit Idle(Board& board) noexcept : board_{board} {}
    bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept override;
    void poll() noexcept override;

    bool asleep = false;
    std::optional<std::chrono::nanoseconds> timeout;  ///< until the next timer

   private:
    Board& board_;
  };
  class Domain final : public DomainControl {
   public:
    explicit Domain(Board& board) noexcept : board_{board} {}
    void shutdown(ShutdownReason reason) noexcept override;
    void suspend_to_ram() noexcept override {}
    void protect_rom(std::uint64_t, std::uint32_t, bool) noexcept override {}

   private:
    Board& board_;
  };

  explicit Board(Setup setup);

  std::uint64_t send(const rig::RawRequest& request, unsigned vcpu) override;
  using GuestInstructions::send;

  /// Configuration mechanism 1, Xen's part: does the latch lead this access to a function?
  [[nodiscard]] bool is_config_cycle(std::uint16_t port) const noexcept;
  [[nodiscard]] bool function_is_there(PciBdf bdf) const noexcept;
  [[nodiscard]] PciBdf latched_function() const noexcept;
  [[nodiscard]] std::uint32_t latched_register(std::uint16_t port) const noexcept;

  [[nodiscard]] bool reachable(std::uint64_t gpa, std::size_t size) noexcept;
  [[nodiscard]] std::size_t ram_part(std::uint64_t gpa, std::size_t size) noexcept;

  Setup setup_;
  FwCfg fw_cfg_;
  sim::SimClaims claims_;
  Pins pins_;
  sim::SimMemory memory_;
  sim::SimIoreqPort port_{1};
  Domain domain_{*this};
  sim::SimClock clock_;
  Idle idle_{*this};
  std::uint32_t config_latch_ = 0;
  std::unique_ptr<Machine> machine_;
};

}  // namespace dm::qtest
