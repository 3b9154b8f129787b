// SPDX-License-Identifier: MIT
#pragma once

#include "ioreq/machine/machine.h"
#include "platform/sim/sim_platform.h"
#include "tests/fuzz/fuzz_backends.h"
#include "tests/fuzz/fuzz_cable.h"
#include "tests/fuzz/fuzz_host.h"
#include "tests/rig/guest_instructions.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dm::fuzz {

/// Which machine: made of one byte of the input.
struct Shape {
  explicit Shape(std::uint8_t choice) noexcept
      : acpi{(choice & 1U) == 0},
        xen_platform{(choice & 2U) == 0},
        two_drives{(choice & 4U) != 0},
        large{(choice & 8U) != 0},
        ports{1U + (choice >> 4U & 3U)},
        screen{ports == 4},
        kernel{ports == 3},
        card{(choice & 0x40U) != 0},
        other_card{card && ports == 3},
        usb{ports == 2 && !acpi},
        cdrom{(choice & 0x80U) != 0} {}
  bool acpi;
  bool xen_platform;
  bool two_drives;  ///< on the first channel; one more on the second, always
  bool large;       ///< more than LBA28 reaches
  unsigned ports;   ///< serial
  bool screen;      ///< with four of them: a byte has no bit left
  bool kernel;      ///< with three of them: started from a file of the host
  bool card;        ///< a network card
  bool other_card;  ///< and an rtl8139, with three of the ports
  bool usb;         ///< with two of the ports and without ACPI: a tablet and a keyboard
  bool cdrom;       ///< as secondary slave
};

/// The whole PC on the strict host. Throws away nothing: what must hold is checked, here and in the
/// host below.
class FuzzPc final : public rig::GuestInstructions {
 public:
  static constexpr unsigned kVcpus = 4;
  /// Where set_up_as_firmware_does() puts the network card's BARs: behind the 16 MiB of the
  /// platform device, which would keep it from its own.
  static constexpr std::uint32_t kCardRegisters = 0xf3020000;
  static constexpr std::uint16_t kCardPorts = 0xc200;
  static constexpr std::uint32_t kOtherCardRegisters = 0xf3060000;
  static constexpr std::uint16_t kOtherCardPorts = 0xc300;
  static constexpr std::uint16_t kUsbPorts = 0xc400;
  /// And the graphics card's: video memory lies there already.
  static constexpr std::uint32_t kScreenMemory = 0xf1000000;
  static constexpr std::uint32_t kScreenRegisters = 0xf3050000;

  /// `more`: devices beside those of the shape.
  explicit FuzzPc(const Shape& shape, std::span<const DeviceMaker> more = {});
  ~FuzzPc() override;

  [[nodiscard]] Machine& machine() noexcept { return *machine_; }
  [[nodiscard]] std::byte* slots() noexcept { return port_.slots(); }

  /// BARs, PMBASE and bus mastering as firmware sets them.
  void set_up_as_firmware_does();
  /// Serves every slot, and looks that each request was answered and nothing else touched.
  void serve();
  /// One round of the loop.
  void turn();
  using GuestInstructions::send;
  std::uint64_t send(const rig::RawRequest& request, unsigned vcpu) override;

  /// What holds between any two requests.
  void check() const;
  /// The same of network cards; dear, since each has thousands of registers.
  void check_cards() const;
  /// Pauses, and looks at all that holds in a paused machine.
  void pause();
  void resume();
  /// S3 and back, as far as it reaches devices.
  void sleep_and_wake();
  /// The host takes the disc out of the CD-ROM drive, or tries to; or puts it in again.
  void change_disc(bool force);
  /// Backends give what they have until nothing moves; that has to come.
  void let_everything_end();
  /// What save() would write of devices, without a checksum, which takes time.
  [[nodiscard]] std::vector<std::byte> fields() const;
  /// Saves, loads into a new machine, and looks that it is the same one.
  [[nodiscard]] std::unique_ptr<FuzzPc> moved();
  /// Loads what may be anything. Interrupts need not be what they were in any other machine then.
  [[nodiscard]] bool load_hostile(std::span<const std::byte> bytes);
  void advance(std::chrono::nanoseconds by);

  std::array<std::unique_ptr<FuzzDisk>, 4> disks;
  std::array<FuzzLine, 4> lines;
  FuzzCable cable;
  FuzzCable other_cable;

 private:
  static constexpr std::size_t kCd = 3;
  /// What waits in the slots.
  struct Waiting {
    std::uint64_t requests = 0;
    std::uint64_t items = 0;
  };
  [[nodiscard]] Waiting waiting();

  Shape shape_;
  std::span<const DeviceMaker> more_;
  FuzzClaims claims_;
  FuzzIrqs irqs_;
  FuzzMemory memory_;
  sim::SimIoreqPort port_{kVcpus};
  FuzzDomain domain_;
  sim::SimClock clock_;
  FuzzLoop loop_;
  std::optional<FuzzVideo> video_;
  std::unique_ptr<Machine> machine_;
};

}  // namespace dm::fuzz
