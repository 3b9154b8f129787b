// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/device.h"
#include "core/device_ports.h"
#include "core/io/mmio_bus.h"
#include "core/io/pio_bus.h"
#include "core/irq/irq_line.h"
#include "core/mem/guest_memory.h"
#include "core/obs/black_box.h"
#include "core/obs/log.h"
#include "core/obs/pulse.h"
#include "core/pci/pci_bus.h"
#include "core/ports/domain_control.h"
#include "core/ports/event_loop.h"
#include "core/ports/io_claims.h"
#include "core/ports/ioreq_port.h"
#include "core/ports/irq_sink.h"
#include "core/ports/memory_mapper.h"
#include "core/ports/unplug.h"
#include "core/ports/video_memory.h"
#include "core/result.h"
#include "core/time/timer.h"
#include "core/time/work.h"
#include "devices/ata/atapi_drive.h"
#include "ioreq/dispatcher.h"
#include "ioreq/machine/announcer.h"
#include "ioreq/machine/backends.h"
#include "ioreq/machine/input.h"
#include "ioreq/machine/make_devices.h"
#include "ioreq/poller.h"
#include "ioreq/server.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dm {

/// What a machine needs from its platform. All of it outlives the machine.
struct MachineHost {
  IoClaims& claims;
  IrqSink& irqs;
  MemoryMapper& memory;
  IoreqPort& ioreq;
  DomainControl& domain;
  const Clock& clock;
  EventLoop& events;
  VideoMemory* video = nullptr;  ///< of a configuration with a graphics card
  BlackBox* black_box = nullptr;
  Pulse* pulse = nullptr;  ///< null: nobody looks whether the loop comes round
  GuestMemory::Limits memory_limits{};
  std::span<const DeviceMaker> more_devices{};  ///< beside those of the PC, behind them
};

/// The whole PC: buses, chips, disks, serial ports, and the loop that serves them. The same class
/// runs on Xen and on the simulated host. Thread rule: the loop's thread only.
class Machine final : private UnplugHandler, private DomainControl {
 public:
  /// Fails when a device cannot have its ports or slot: the hypervisor refused, or the
  /// configuration makes no sense.
  [[nodiscard]] static Result<std::unique_ptr<Machine>> create(const MachineConfig& config,
                                                               const MachineHost& host,
                                                               Backends backends,
                                                               ioreq::SpinPolicy spin);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() override;

  [[nodiscard]] ioreq::Poller& poller() noexcept { return poller_; }
  [[nodiscard]] ioreq::Server& server() noexcept { return server_; }

  // What management and tests have to do with by kind.
  [[nodiscard]] chipset::Chipset& chipset() noexcept { return *devices_.chipset; }
  [[nodiscard]] const chipset::Chipset& chipset() const noexcept { return *devices_.chipset; }
  [[nodiscard]] const ide::Piix3Ide& ide() const noexcept { return *devices_.ide; }
  /// The CD-ROM drive at an IDE position, or null.
  [[nodiscard]] ata::AtapiDrive* cd_drive(std::size_t position) noexcept;
  [[nodiscard]] const std::array<uart16550::SerialPort*, 4>& serial() const noexcept {
    return devices_.serial;
  }
  [[nodiscard]] const std::vector<e1000::E1000*>& cards() const noexcept { return devices_.cards; }

  /// Null: there is no graphics card.
  [[nodiscard]] const vga::Vga* screen() const noexcept { return devices_.screen; }
  [[nodiscard]] vga::Vga* screen() noexcept { return devices_.screen; }

  /// Where a viewer's keys and pointer go.
  [[nodiscard]] Input& input() noexcept { return *input_; }
  /// Null: there is none. What is plugged into it takes a person's input.
  [[nodiscard]] usb::Piix3Uhci* usb() noexcept { return devices_.usb; }

  // For inspection and tests.
  [[nodiscard]] const PioBus& pio() const noexcept { return pio_; }
  [[nodiscard]] const MmioBus& mmio() const noexcept { return mmio_; }
  [[nodiscard]] const PciBus& pci() const noexcept { return pci_; }
  [[nodiscard]] const GuestMemory& memory() const noexcept { return memory_; }
  [[nodiscard]] const ioreq::Dispatcher& dispatcher() const noexcept { return dispatcher_; }
  [[nodiscard]] const ioreq::Poller& poller() const noexcept { return poller_; }
  [[nodiscard]] const WorkQueue& work() const noexcept { return work_; }
  [[nodiscard]] std::span<const std::unique_ptr<Device>> devices() const noexcept {
    return devices_.all;
  }
  [[nodiscard]] const BlackBox* black_box() const noexcept { return host_.black_box; }

  /// From pause() to resume(), nothing of ours touches guest memory. On return, every write that
  /// was acknowledged has reached its image.
  void pause() noexcept;
  void resume() noexcept;
  /// Sets who is told of pages that devices write; null: nobody.
  void track_dirty(DirtySink* sink) noexcept { memory_.track_dirty(sink); }
  /// For a guest that has come from elsewhere, once it runs: its cards announce themselves, for
  /// some 800 ms of guest time.
  void announce() noexcept { announcer_.start(); }
  /// The end of S3, before the vCPUs run again: devices are as after power-on, except for what only
  /// firmware sets up at boot.
  void wake() noexcept;
  /// Makes all acknowledged data durable: on return it is on stable storage. If that fails, the log
  /// says so, and it returns false. Does nothing once the images are handed over.
  bool make_durable() noexcept;
  /// The end of a live save, after save(): another machine is about to open the images, before this
  /// process ends (BlockBackend::hand_over). Nothing is written any more. False when an image stays
  /// here: the guest must not go on elsewhere.
  [[nodiscard]] bool hand_over() noexcept;
  /// The guest goes on here after all: before resume(), also after a hand_over() that failed. A
  /// disk whose image cannot be had again fails every request, and the log says so.
  void take_back() noexcept;
  /// Call it when the loop has ended. It frees what the guest's next device model needs, however
  /// long the disks take: new clients of serial ports then connect to that one.
  void stop_listening() noexcept;

  /// All that the guest can see of the machine, as bytes, for another machine that continues in its
  /// place. Call it after pause().
  [[nodiscard]] std::vector<std::byte> save() const;
  /// Replaces the state by that of a machine that was saved. Call it between pause() and resume(),
  /// in a machine of the same configuration that has not served a request yet. The bytes are
  /// checked as hostile. Fails, and changes nothing, when they are not what save() could have made
  /// for this machine.
  [[nodiscard]] Result<> load(std::span<const std::byte> bytes);

 private:
  Machine(const MachineHost& host, Backends backends, ioreq::SpinPolicy spin);

  // What chips ask of the whole machine: data is made durable first.
  void shutdown(ShutdownReason reason) noexcept override;
  void suspend_to_ram() noexcept override;
  void protect_rom(std::uint64_t first_gfn, std::uint32_t count, bool read_only) noexcept override;
  void unplug(UnplugRequest request) noexcept override;

  const MachineHost host_;
  Backends backends_;
  PioBus pio_;
  MmioBus mmio_;
  PciBus pci_;
  IrqRouter irqs_;
  TimerQueue timers_;
  WorkQueue work_;
  GuestMemory memory_;
  Devices devices_;
  std::optional<Input> input_;  ///< made with the devices; stays
  Announcer announcer_{*this, timers_};
  ioreq::Dispatcher dispatcher_;
  ioreq::Server server_;
  ioreq::Poller poller_;
  log::Limit complaints_;       ///< the guest can make us flush as often as it likes
  std::uint64_t slept_in_ = 0;  ///< the number of the request that asked for S3 last
  bool ended_ = false;
  bool unplugged_ = false;
  bool handed_over_ = false;
};

}  // namespace dm
