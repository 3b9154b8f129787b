// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/ports/disc_image.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dm {

struct ChardevInfo {
  std::string label;     ///< "serial0"
  std::string filename;  ///< "pty:/dev/pts/5"
  bool open = true;
};

/// A drive. `image` is empty if there is no medium.
struct DriveInfo {
  std::string name;  ///< "ide0-hd1", as QEMU names it; libxl's own for CD-ROMs
  std::string image;
  bool removable = false;
  bool tray_open = false;
  bool locked = false;  ///< by the guest
  bool read_only = false;
  std::uint64_t size = 0;  ///< bytes
  std::string format = "raw";
  BlockStats stats;
};

struct PciWindowInfo {
  unsigned bar = 0;
  bool io = false;
  bool prefetchable = false;
  std::uint64_t size = 0;     ///< bytes
  std::uint64_t address = 0;  ///< 0: not mapped
};

/// A function of PCI bus 0, as its configuration space describes it.
struct PciFunctionInfo {
  std::string name;
  unsigned device = 0;
  unsigned function = 0;
  std::uint16_t vendor_id = 0;
  std::uint16_t device_id = 0;
  std::uint16_t subsystem_vendor_id = 0;
  std::uint16_t subsystem_id = 0;
  std::uint16_t class_code = 0;  ///< class and subclass
  std::uint8_t irq_line = 0;
  std::uint8_t irq_pin = 0;  ///< 0: none
  std::vector<PciWindowInfo> windows;
};

enum class PlugResult : std::uint8_t {
  done,
  already_there,
  out_of_range,  ///< at or beyond vcpus_max()
  no_acpi,       ///< acpi=0: the guest could not be told
};

enum class DiscChange : std::uint8_t {
  done,
  no_such_drive,  ///< no CD-ROM drive of this name
  locked,         ///< by the guest, which has been asked to let the disc go
};

/// Port from the management side (QMP) to the running machine. The guest reaches nothing here, so
/// strings and allocation are fine. Thread rule: the loop's thread only.
class MachineControl {
 public:
  MachineControl() = default;
  MachineControl(const MachineControl&) = delete;
  MachineControl& operator=(const MachineControl&) = delete;
  virtual ~MachineControl() = default;

  [[nodiscard]] virtual std::vector<ChardevInfo> chardevs() const = 0;
  [[nodiscard]] virtual unsigned vcpus_online() const noexcept = 0;
  [[nodiscard]] virtual unsigned vcpus_max() const noexcept = 0;
  /// True if vCPU `index` is online. False at or beyond vcpus_max().
  [[nodiscard]] virtual bool vcpu_online(unsigned index) const noexcept = 0;
  virtual PlugResult plug_vcpu(unsigned index) noexcept = 0;
  [[nodiscard]] virtual std::vector<DriveInfo> drives() const = 0;
  /// Opens the tray of a CD-ROM drive and takes its disc out. An empty drive never refuses. A
  /// locked one refuses without `force`.
  virtual DiscChange eject(std::string_view drive, bool force) noexcept = 0;
  /// Puts another disc in and closes the tray. Fails and changes nothing when the image cannot be
  /// opened. Calls `done` once, from inside this call or later from the loop. If the machine is
  /// destroyed before, `done` is not called.
  using Inserted = std::function<void(Result<DiscChange>)>;
  virtual void insert(std::string_view drive, std::unique_ptr<DiscImage> image, Inserted done) = 0;
  [[nodiscard]] virtual std::vector<PciFunctionInfo> pci_functions() const = 0;
  /// Starts and stops dirty tracking. While it is on, the hypervisor is told of every guest page
  /// that a device writes, at the latest by the end of stop(). Idempotent.
  virtual void track_dirty(bool on) noexcept = 0;
  /// The end of S3: wakes the devices, and the guest goes on. Does nothing unless the guest sleeps.
  virtual void wake() noexcept = 0;
  [[nodiscard]] virtual bool running() const noexcept = 0;
  /// True for a machine that was started with -S, until the first cont.
  [[nodiscard]] virtual bool prelaunch() const noexcept = 0;
  virtual void cont() noexcept = 0;  ///< idempotent
  /// Stops the machine. Returns when no device I/O is in flight that could touch guest memory or a
  /// disk, and all that disks have acknowledged is on stable storage, or durable() is false.
  virtual void stop() noexcept = 0;
  /// False when the last stop() could not make durable what a disk had acknowledged.
  [[nodiscard]] virtual bool durable() const noexcept = 0;
  /// All that the guest can see of the devices, as bytes for another device model. Call it while
  /// the machine is stopped. Saves are numbered. `padding`: bytes behind the state that belong to
  /// it and mean nothing.
  [[nodiscard]] virtual std::vector<std::byte> save(std::size_t padding) = 0;
  /// The end of a live save, after save(): another device model is about to open the images, while
  /// this one still exists. Nothing of ours keeps it from that then, and nothing is written any
  /// more, not even at the end. cont() takes the images back. False when one stays here, and the
  /// log says why: the guest must not go on elsewhere.
  [[nodiscard]] virtual bool hand_over() noexcept = 0;
  virtual void quit() noexcept = 0;  ///< ends the process, as SIGTERM does
};

}  // namespace dm
