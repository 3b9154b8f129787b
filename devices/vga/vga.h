// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/screen.h"
#include "core/io/mmio_bus.h"
#include "core/io/pio_bus.h"
#include "core/obs/inspector.h"
#include "core/pci/pci_bus.h"
#include "core/ports/unplug.h"
#include "core/ports/video_memory.h"
#include "core/result.h"
#include "core/time/timer.h"
#include "devices/vga/chip.h"
#include "devices/vga/picture.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace dm::vga {

/// The standard VGA card, 1234:1111, on the PCI bus. BAR 0 is video memory, BAR 2 has the registers
/// once more, the expansion ROM is the VGA BIOS. The command register switches the legacy ports and
/// the window at A0000h too (PCI 2.1, 6.2.2). It has no interrupt.
///
/// Video memory is memory of the guest that follows BAR 0, lazily: while the BAR is not enabled, or
/// is being sized, the pages stay where they are. They leave when something else is claimed there.
/// Moving them is dear, so the guest can do it sixteen times a second; after that BAR 0 waits.
/// Thread rule: the loop's thread only. No allocation after construction. Source: QEMU 7.2,
/// hw/display/vga-pci.c and docs/specs/standard-vga.txt.
class Vga final : public PciFunction, public Screen, private MovableMemory {
 public:
  struct Setup {
    PciBdf where;
    Monitor monitor;
    std::span<const std::byte> rom;  ///< VGA BIOS; empty: none. Must outlive the card.
  };
  struct Ports {
    PciBus& pci;
    PioBus& pio;
    MmioBus& mmio;
    GuestMemory& memory;
    TimerQueue& timers;
    VideoMemory& video;
  };
  struct Counters {
    std::uint64_t moves = 0;
    std::uint64_t refused = 0;     ///< something else is where the guest wants it
    std::uint64_t delayed = 0;     ///< too many moves
    std::uint64_t in_the_way = 0;  ///< stayed where something else was claimed
  };

  /// Fails when the slot is taken. Everything in `ports` must outlive the card.
  [[nodiscard]] static Result<std::unique_ptr<Vga>> create(const Setup& setup, const Ports& ports);
  ~Vga() override;

  /// As after power-on, configuration space and the place of video memory included.
  void reset() noexcept;
  /// The end of S3: as after power-on, but for configuration space, which no firmware sets up
  /// again.
  void wake() noexcept { chip_.reset(); }
  [[nodiscard]] State state() const noexcept;
  /// Replaces the state. False, and nothing changes, when the state is not valid or has another
  /// size of video memory.
  [[nodiscard]] bool restore(const State& saved) noexcept;
  /// In the words of xl.cfg.
  [[nodiscard]] Result<> fits(const State& saved, UnplugRequest& gone) const;
  void inspect(Inspector& to, std::string_view name) const;

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

  // Screen
  [[nodiscard]] Surface surface() const noexcept override { return surface_of(chip_.state()); }
  void draw(const Surface& surface, std::span<std::uint8_t> pixels) noexcept override {
    vga::draw(chip_.state(), ports_.video.bytes(), surface, pixels);
  }
  [[nodiscard]] bool take_written() noexcept override {
    return chip_.take_written() || ports_.memory.tracks_dirty();
  }

 private:
  Vga(const Setup& setup, const Ports& ports);

  void config_written(std::uint8_t offset, std::uint8_t size) noexcept override;
  [[nodiscard]] bool memory_wanted(std::uint8_t index, std::uint64_t base) noexcept override;
  void make_room(MmioRange range) noexcept override;
  [[nodiscard]] bool may_move() noexcept;
  [[nodiscard]] bool move(Gpa to) noexcept;
  void follow_command() noexcept;
  void on_retry() noexcept { retry_windows(); }

  Ports ports_;
  Chip chip_;
  Counters counters_;
  Timer retry_;
  GuestTime second_{};  ///< the begin of the one whose moves are counted
  unsigned moves_in_second_ = 0;
  PioClaim mono_;
  PioClaim colour_;
  PioClaim dispi_;
  MmioClaim window_;
};

}  // namespace dm::vga
