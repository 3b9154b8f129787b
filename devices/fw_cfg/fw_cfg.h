// SPDX-License-Identifier: MIT
#pragma once

#include "core/device_ports.h"
#include "core/io/pio_bus.h"
#include "core/mem/guest_memory.h"
#include "core/obs/inspector.h"
#include "core/result.h"
#include "core/time/work.h"
#include "devices/fw_cfg/items.h"
#include "devices/fw_cfg/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace dm::fw_cfg {

/// QEMU's firmware configuration device: a guest selects an item by its key, and reads it byte by
/// byte or has the device write it to memory. Nothing can be written. A guest has it only if it is
/// started from a kernel of the host; its firmware looks for it, and boots from the option ROM that
/// it finds there. Thread rule: the loop's thread only. Source: QEMU docs/specs/fw_cfg.rst.
class FwCfg {
 public:
  /// What one unit of work moves at most: some 30 us from the page cache.
  static constexpr std::uint32_t kUnitBytes = 256U * 1024U;

  /// Fails when its ports are taken. The files of the items outlive the device.
  [[nodiscard]] static Result<std::unique_ptr<FwCfg>> create(std::vector<Item> items,
                                                             const DevicePorts& ports);

  void pause() noexcept { work_.cancel(); }
  void resume() noexcept;
  void reset() noexcept;
  [[nodiscard]] const State& state() const noexcept { return state_; }
  [[nodiscard]] bool restore(const State& saved) noexcept;
  void inspect(Inspector& to, std::string_view name) const;

 private:
  struct Counters {
    std::uint64_t operations = 0;
    std::uint64_t errors = 0;   ///< of them
    std::uint64_t ignored = 0;  ///< begun while another one ran
    std::uint64_t moved = 0;    ///< bytes, by operations
  };

  FwCfg(std::vector<Item> items, const DevicePorts& ports) noexcept;
  [[nodiscard]] std::uint64_t read_port(IoAccess a) noexcept;
  void write_port(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::size_t read_run(IoAccess a, std::span<std::byte> to) noexcept;
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): a handler is a member
  [[nodiscard]] std::size_t write_run(IoAccess a, std::span<const std::byte> from) noexcept;
  [[nodiscard]] std::uint64_t read_dma(IoAccess a) noexcept;
  void write_dma(IoAccess a, std::uint64_t value) noexcept;

  void select(std::uint16_t key) noexcept;
  [[nodiscard]] const Item* selected() const noexcept;
  /// Of the selected item from its offset on, zeros behind its end. False: the file cannot be read.
  [[nodiscard]] bool take(std::span<std::byte> to) noexcept;
  void begin(std::uint64_t operation) noexcept;
  [[nodiscard]] bool run_unit() noexcept;
  [[nodiscard]] bool move(const Item* item, std::uint32_t bytes) noexcept;
  void end(bool good) noexcept;

  const std::vector<Item> items_;
  GuestMemory& memory_;
  State state_;
  Counters counters_;
  /// A part of the selected item's file, for who reads byte by byte.
  std::array<std::byte, 4096> ahead_{};
  std::uint64_t ahead_at_ = 0;   ///< in the item
  std::size_t ahead_bytes_ = 0;  ///< 0: nothing is there
  Work work_;
  PioClaim port_claim_;
  PioClaim dma_claim_;  ///< last: the guest reaches a whole device or none
};

}  // namespace dm::fw_cfg
