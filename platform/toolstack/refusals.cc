// SPDX-License-Identifier: MIT
#include "platform/toolstack/refusals.h"

#include <algorithm>
#include <array>
#include <utility>

namespace dm::toolstack {

namespace {

constexpr std::size_t kMaxDetails = 12;
constexpr std::size_t kMaxDetailBytes = 160;
constexpr std::size_t kMaxBroken = 12;

// In the order of Unserved. Setting names and values: xl.cfg(5).
// clang-format off
constexpr std::array<RefusalText, static_cast<std::size_t>(Unserved::count_)> kTexts{{
    {"a VGA card", "vga", "vga=\"none\" (without a vga line xl asks for a Cirrus card)"},
    {"a passed-through graphics card", "gfx_passthru", "gfx_passthru=0"},
    {"a VNC server with a password", "vncpasswd", "vnc=0, and no vncpasswd line"},
    {"an SDL window", "sdl", "sdl=0"},
    {"SPICE", "spice", "spice=0"},
    {"USB", "usb", "usb=0, and no usbdevice or usbversion line"},
    {"a sound card", "soundhw", "no soundhw line"},
    {"an emulated network card", "vif", "vif=[ 'type=vif,...' ] (the PV interface without an emulated card)"},
    {"a network card other than an e1000", "vif",
     "vif=[ 'model=e1000,...' ], or vif=[ 'type=vif,...' ] for the PV interface alone (without a model xl asks for an rtl8139)"},
    {"more than eight emulated network cards", "vif", "vif=[ 'type=vif,...' ] for some of them"},
    {"a SCSI disk", "disk", "disk=[ '...,vdev=hda,...' ] (hda to hdd, or xvda to xvdd) instead of sda"},
    {"AHCI disks", "hdtype", "hdtype=\"ide\", or no hdtype line"},
    {"a disk image of a format unknown to stubdm", "disk",
     "disk=[ 'format=qcow2,...' ] (or raw, qcow, qed, vhd) with an image converted by 'qemu-img convert -O qcow2'"},
    {"a disk for PV drivers alone that is not raw", "disk",
     "disk=[ '...,vdev=hda,...' ] (hda to hdd), or format=raw with an image converted by 'qemu-img convert -O raw'"},
    {"a CD-ROM drive", "disk", "disk=[ ... ] without entries that say devtype=cdrom, cdrom or :cdrom"},
    {"a CD-ROM drive beyond the four IDE positions", "disk", "disk=[ '...,vdev=hdc,devtype=cdrom' ] (hda to hdd)"},
    {"a kernel started without the disk's boot loader", "kernel, ramdisk, cmdline",
     "no kernel, ramdisk, cmdline, root or extra line: the guest boots from its disk"},
    {"a serial port that leads to something unknown", "serial",
     "serial=\"pty\" (or null, stdio, none, file:PATH, pipe:PATH, unix:PATH,server,nowait, tcp:HOST:PORT,server,nowait, /dev/TTY)"},
    {"more than four serial ports", "serial", "serial=[ ... ] with at most four entries"},
    {"a PV console channel", "channel", "no channel line"},
    {"COLO replication", "(the command, not xl.cfg)", "no -c: start replication without COLO"},
    {"PCI passthrough", "pci", "no pci line"},
    {"a saved guest to go on with", "(xl restore or xl migrate, not xl.cfg)", "'xl create': the guest has to boot anew"},
    {"a device unknown to stubdm", "device_model_args", "device_model_args and device_model_args_hvm without it"},
    {"an option unknown to stubdm", "device_model_args", "device_model_args and device_model_args_hvm without it"},
}};
// clang-format on

/// Names and paths come from a configuration file: they must not break the message into lines of
/// their own making.
std::string printable(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    const auto code = static_cast<unsigned char>(c);
    c = code < 0x20 || code == 0x7f ? '?' : c;
  }
  return result;
}

}  // namespace

const RefusalText& refusal_text(Unserved what) noexcept {
  return kTexts[static_cast<std::size_t>(what)];
}

void RefusalList::add(Unserved what, std::string_view detail) {
  auto entry = std::find_if(entries_.begin(), entries_.end(),
                            [what](const Entry& e) { return e.what == what; });
  if (entry == entries_.end()) {
    entry = entries_.insert(entries_.end(), Entry{what, {}, {}});
  }
  if (entry->arguments.size() < kMaxDetails &&
      (entry->arguments.empty() || entry->arguments.back() != argument_)) {
    entry->arguments.push_back(argument_);
  }
  const std::string kept = printable(detail.substr(0, kMaxDetailBytes));
  auto& details = entry->details;
  if (kept.empty() || std::find(details.begin(), details.end(), kept) != details.end()) {
    return;
  }
  if (details.size() == kMaxDetails) {
    ++entry->more;
    return;
  }
  details.push_back(kept);
}

void RefusalList::add_broken(std::string_view message) {
  if (broken_.size() == kMaxBroken) {
    ++more_broken_;
    return;
  }
  broken_.push_back({printable(message), {argument_}});
}

bool RefusalList::has(Unserved what) const noexcept {
  return std::any_of(entries_.begin(), entries_.end(),
                     [what](const Entry& e) { return e.what == what; });
}

std::vector<RefusalList::Line> RefusalList::settings() const {
  std::vector<Line> lines;
  for (const Entry& entry : entries_) {
    const RefusalText& refusal = refusal_text(entry.what);
    std::string text{refusal.setting};
    text.append(": write ").append(refusal.write);
    text.append(". It asks for ").append(refusal.seen);
    const char* separator = ": ";
    for (const std::string& detail : entry.details) {
      text.append(std::exchange(separator, ", ")).append(detail);
    }
    if (entry.more != 0) {
      text.append(" and ").append(std::to_string(entry.more)).append(" more");
    }
    lines.push_back({std::move(text), entry.arguments});
  }
  return lines;
}

std::vector<RefusalList::Line> RefusalList::broken() const {
  std::vector<Line> lines = broken_;
  if (more_broken_ != 0) {
    lines.push_back({std::string{"and "}.append(std::to_string(more_broken_)).append(" more"), {}});
  }
  return lines;
}

std::string RefusalList::message() const {
  std::string text;
  if (!entries_.empty()) {
    text = "this guest's configuration asks for what stubdm does not have. Change in its xl.cfg:";
  }
  for (const Line& line : settings()) {
    text.append("\n  ").append(line.text);
  }
  if (!broken_.empty()) {
    text.append(text.empty() ? "" : "\n").append("these arguments make no sense:");
  }
  for (const Line& line : broken()) {
    text.append("\n  ").append(line.text);
  }
  return text;
}

}  // namespace dm::toolstack
