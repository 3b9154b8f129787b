// SPDX-License-Identifier: MIT
#pragma once

#include "core/text/number.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm {

/// What the toolstack asked for, checked: everything here can be built. Plain data; made by
/// platform/toolstack from libxl's command line, read by the composition root.

/// What the bytes of an image mean. raw and host_device are the disk itself; the others are served
/// by qemu-nbd.
enum class ImageFormat : std::uint8_t {
  raw,
  host_device,
  qcow,
  qcow2,
  qed,
  vdi,
  vhdx,
  vmdk,
  vpc,  ///< VHD
};

/// In the order of ImageFormat, as QEMU and libxl's command line call them.
inline constexpr std::array<std::string_view, 9> kImageFormatNames = {
    "raw", "host_device", "qcow", "qcow2", "qed", "vdi", "vhdx", "vmdk", "vpc"};

[[nodiscard]] constexpr std::string_view name_of(ImageFormat format) noexcept {
  return kImageFormatNames.at(static_cast<std::size_t>(format));
}
[[nodiscard]] constexpr std::optional<ImageFormat> image_format(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kImageFormatNames.size(); ++i) {
    if (kImageFormatNames.at(i) == name) {
      return static_cast<ImageFormat>(i);
    }
  }
  return std::nullopt;
}
[[nodiscard]] constexpr bool is_raw(ImageFormat format) noexcept {
  return format == ImageFormat::raw || format == ImageFormat::host_device;
}
/// Is this image a server's export rather than a file: nbd:unix:PATH, nbd:HOST:PORT, nbd://...,
/// nbd+unix://...
[[nodiscard]] constexpr bool is_nbd(std::string_view path) noexcept {
  return path.substr(0, 4) == "nbd:" || path.substr(0, 9) == "nbd+unix:";
}

/// Does this image's name begin with a protocol, as rbd:pool/image and http://host/cd.iso do? QEMU
/// asks for a colon before the first slash.
[[nodiscard]] constexpr bool names_protocol(std::string_view path) noexcept {
  const std::size_t at = path.find_first_of(":/");
  return at != std::string_view::npos && path[at] == ':';
}

struct DiskConfig {
  std::string path;    ///< or the address of an NBD export; empty: a CD drive without a disc
  unsigned index = 0;  ///< IDE position 0-3: channel index/2, drive index%2
  bool cdrom = false;
  bool read_only = false;
  ImageFormat format = ImageFormat::raw;
  /// Past the page cache (O_DIRECT), through a few buffers of our own: for a stub domain, which has
  /// no memory for a page cache and loses it when it ends.
  bool direct = false;
  std::string id;  ///< libxl's name for the drive, "ide-5632"; empty for disks
  /// Of IDENTIFY DEVICE, at most 20 and 8 characters; empty: made from the position, and ours.
  /// libxl sends none.
  std::string serial;
  std::string firmware;
};

struct SerialConfig {
  /// As QEMU's -serial: "pty", "null", "stdio", "file:P", "unix:P,...", "tcp:...", "/dev/..."
  std::string backend;
};

/// The models of network cards, as QEMU and libxl's command line call them.
inline constexpr std::string_view kE1000Model = "e1000";
inline constexpr std::string_view kRtl8139Model = "rtl8139";

struct NicConfig {
  std::string id;     ///< "nic0"
  std::string model;  ///< one of those above
  std::array<std::uint8_t, 6> mac{};
  std::string tap_name;  ///< "vif7.0-emu"; empty when tap_fd is set
  int tap_fd = -1;
  /// An existing one, shared by a packet socket; the tap's fields mean nothing then.
  std::string interface;
  std::string bridge;  ///< information only
  /// File of the option ROM; empty: none; absent: the usual one, where it is installed.
  std::optional<std::string> rom;
};

/// A Linux kernel of the host that the guest is started from, instead of a boot loader on its disk.
struct KernelConfig {
  std::string path;
  std::string initrd;        ///< path; empty: none
  std::string command_line;  ///< empty: none
};

/// The standard VGA card.
struct VgaConfig {
  unsigned memory_mib = 16;    ///< video memory: a power of two, 1 to 256
  std::uint16_t width = 1280;  ///< what its monitor likes best, 320 to 4095 pixels
  std::uint16_t height = 800;
  std::optional<std::string> rom;  ///< as NicConfig::rom
};

/// Where viewers of the screen connect (VNC).
struct VncConfig {
  std::string host;              ///< an address in numbers, or "localhost"; empty: all of IPv4
  std::string path;              ///< of a unix socket; host and display mean nothing then
  unsigned display = 0;          ///< TCP port 5900 + display
  std::optional<unsigned> last;  ///< if that is taken, those after it are tried, up to this one
  /// The port for browsers; 0: 5700 and the display's number.
  std::optional<std::uint16_t> websocket;
  bool password = false;  ///< nobody gets in until one was set
};

/// What can be plugged into the USB controller.
enum class UsbDevice : std::uint8_t { tablet, mouse, keyboard };

/// In the order of UsbDevice, as QEMU and libxl's command line call them.
inline constexpr std::array<std::string_view, 3> kUsbDeviceNames = {"tablet", "mouse", "keyboard"};

[[nodiscard]] constexpr std::string_view name_of(UsbDevice device) noexcept {
  return kUsbDeviceNames.at(static_cast<std::size_t>(device));
}

/// The PIIX3's USB controller.
struct UsbConfig {
  static constexpr std::size_t kPorts = 2;
  std::vector<UsbDevice> devices;  ///< in its ports, from the first; at most kPorts
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

/// Xen public header xen.h, DOMID_FIRST_RESERVED: ids from here on are not domains.
inline constexpr std::uint32_t kFirstReservedDomid = 0x7ff0;
/// The id of a guest: dom0 is none.
[[nodiscard]] inline std::optional<std::uint32_t> parse_domid(std::string_view text) noexcept {
  return parse_number<std::uint32_t>(text, 1, kFirstReservedDomid - 1);
}

struct MachineConfig {
  std::uint32_t domid = 0;
  std::string name;
  unsigned vcpus_online = 1;
  unsigned vcpus_max = 1;
  std::uint64_t memory_mib = 0;  ///< information only
  std::string boot_order = "cda";
  bool pv = false;           ///< -machine xenpv: no machine, only PV backends for a PV domain
  bool xen_platform = true;  ///< the xen-platform PCI device: -machine xenfv
  bool acpi = true;
  bool start_paused = false;       ///< -S
  std::optional<int> incoming_fd;  ///< -incoming fd:F
  std::vector<DiskConfig> disks;
  std::array<std::optional<SerialConfig>, 4> serial;
  std::optional<VgaConfig> vga;
  std::optional<VncConfig> vnc;  ///< without a graphics card there is nothing to show
  std::string keymap;            ///< of viewers' keyboards, "de"; empty: "us"
  std::optional<KernelConfig> kernel;
  std::optional<UsbConfig> usb;
  std::vector<NicConfig> nics;
  std::vector<QmpSocketConfig> qmp;
  SpinConfig spin;
  std::vector<std::string> notes;  ///< accepted options that change nothing, for the log

  // Privilege (libxl's dm_restrict=1).
  bool restrict_domid = false;
  std::string chroot;
  std::string run_as;
  /// After the start the process may not do what its backends of PV devices need.
  [[nodiscard]] bool gives_up_privileges() const noexcept {
    return restrict_domid || !chroot.empty() || !run_as.empty();
  }
};

}  // namespace dm
