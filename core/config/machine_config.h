// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dm {

/// What the toolstack asked for, checked: everything here can be built. Plain data; made by
/// platform/toolstack from libxl's command line, read by the composition root.

enum class ImageFormat : std::uint8_t { raw, host_device };

struct DiskConfig {
  std::string path;    ///< empty: a CD drive without a disc
  unsigned index = 0;  ///< IDE position 0-3: channel index/2, drive index%2
  bool cdrom = false;
  bool read_only = false;
  ImageFormat format = ImageFormat::raw;
  /// Past the page cache (O_DIRECT), through a few buffers of our own: for a stub domain, which has
  /// no memory for a page cache and loses it when it ends.
  bool direct = false;
  std::string id;  ///< libxl's name for the drive, "ide-5632"; empty for disks
};

struct SerialConfig {
  std::string backend;  ///< as QEMU's -serial: "pty", "null", "stdio", "file:P", "unix:P,...",
                        ///< "tcp:...", "/dev/..."
};

struct NicConfig {
  std::string id;     ///< "nic0"
  std::string model;  ///< "e1000"
  std::array<std::uint8_t, 6> mac{};
  std::string tap_name;  ///< "vif7.0-emu"; empty when tap_fd is set
  int tap_fd = -1;
  std::string interface;  ///< an existing one, shared by a packet socket; the tap's fields mean
                          ///< nothing then
  std::string bridge;     ///< information only
  std::optional<std::string> rom;  ///< file of the option ROM; empty: none; absent: the usual one,
                                   ///< where it is
};

struct QmpSocketConfig {
  std::string id;    ///< "libxl-cmd"
  std::string path;  ///< to create and listen on; empty when fd is set
  int fd = -1;       ///< an already listening socket, inherited
};

/// How long the serving thread looks for the guest's next request before it sleeps.
struct SpinConfig {
  enum class Mode : std::uint8_t { automatic, off, always };
  Mode mode = Mode::automatic;
  unsigned microseconds = 0;  ///< longest spin, 1 to 1000; for always only
};

struct MachineConfig {
  std::uint32_t domid = 0;
  std::string name;
  unsigned vcpus_online = 1;
  unsigned vcpus_max = 1;
  std::uint64_t memory_mib = 0;  ///< information only
  std::string boot_order = "cda";
  bool xen_platform = true;  ///< the xen-platform PCI device: -machine xenfv
  bool acpi = true;
  bool start_paused = false;       ///< -S
  std::optional<int> incoming_fd;  ///< -incoming fd:F
  std::vector<DiskConfig> disks;
  std::array<std::optional<SerialConfig>, 4> serial;
  std::vector<NicConfig> nics;
  std::vector<QmpSocketConfig> qmp;
  SpinConfig spin;
  std::vector<std::string> notes;  ///< accepted options that change nothing, for the log

  // Privilege (libxl's dm_restrict=1).
  bool restrict_domid = false;
  std::string chroot;
  std::string run_as;
};

}  // namespace dm
