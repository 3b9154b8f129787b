// SPDX-License-Identifier: MIT
#include "platform/toolstack/command_line/refusals.h"

#include "core/text/printable.h"

#include <algorithm>
#include <array>
#include <utility>

namespace dm::toolstack {

namespace {

constexpr std::size_t kMaxDetails = 12;
constexpr std::size_t kMaxDetailBytes = 160;
constexpr std::size_t kMaxBroken = 12;
constexpr std::size_t kMaxWithoutEffect = 32;
constexpr std::string_view kArguments = "device_model_args: ";

// In the order of Unserved. Setting names and values: xl.cfg(5). What is lost stands in each row: a
// guest's owner has to know it before the setting is changed.
// clang-format off
constexpr std::array<RefusalText, static_cast<std::size_t>(Unserved::count_)> kTexts{{
    {"a graphics card other than the standard VGA card", "vga", "vga=\"stdvga\"",
     "The guest gets the standard VGA card, for which every system has a driver: one with drivers "
     "for the other card falls back to its generic ones"},
    {"a graphics card by QEMU's option", "device_model_args", "vga=\"stdvga\" and no -vga",
     "The guest gets the standard VGA card, for which every system has a driver"},
    {"a passed-through graphics card", "gfx_passthru", "gfx_passthru=0",
     "The guest does not get the host's graphics card"},
    {"an SDL window", "sdl", "sdl=0", "The screen is shown by VNC instead"},
    {"SPICE", "spice", "spice=0, and no spiceusbredirection or usbversion line",
     "The screen is shown by VNC instead, without sound, clipboard and USB redirection"},
    {"a USB controller other than the PIIX3's", "usbversion",
     "usbversion=1, or usb=1 instead of it",
     "The guest has USB 1 with two ports, for a tablet, mouse or keyboard alone"},
    {"USB devices other than two of tablet, mouse and keyboard", "usbdevice",
     "usbdevice=[ 'tablet', 'keyboard' ], or another choice of at most two of tablet, mouse and "
     "keyboard, or no usbdevice line",
     "The guest does not get the other devices"},
    {"USB controllers", "usbctrl", "no usbctrl line",
     "The guest has no USB controller, and nothing can be attached to one"},
    {"USB passthrough", "usbdev", "no usbdev line", "The guest does not get the host's device"},
    {"a sound card", "soundhw", "no soundhw line", "The guest has no sound"},
    {"a network card other than an rtl8139 or e1000", "vif",
     "vif=[ 'model=e1000,...' ] (or rtl8139, or no model, which is one), or "
     "vif=[ 'type=vif,...' ] for the PV interface alone",
     "The guest finds a new network card: it needs a driver for Intel's 82540EM or the RTL8139C+, "
     "or PV drivers: else it is offline"},
    {"more than eight emulated network cards", "vif", "vif=[ 'type=vif,...' ] for all but eight",
     "A guest without PV drivers does not see those"},
    {"a SCSI disk", "disk",
     "disk=[ '...,vdev=hda,access=rw,...' ] (a free one of hda to hdd, or xvda to xvdd) instead of "
     "sda, or vdev=xvde and later for PV drivers alone, which may be read-only",
     "The guest sees an IDE disk, or with xvde and later no disk before its PV drivers run: it "
     "cannot boot from that one"},
    {"AHCI disks", "hdtype", "hdtype=\"ide\", or no hdtype line",
     "The guest sees IDE disks, at most four: one that was installed with AHCI alone (Windows) "
     "needs its IDE driver"},
    {"a disk image of a format unknown to stubdm", "disk",
     "disk=[ 'format=qcow2,...' ] (or raw, qcow, qed, vhd) with an image converted by 'qemu-img "
     "convert -O qcow2'",
     "The image has to be converted while the guest is off"},
    {"a disk with an image that is neither a file nor an NBD export", "disk",
     "disk=[ '...,target=/PATH' ] with a file or a block device, such as 'rbd map' or iscsiadm "
     "makes, or backendtype=qdisk and target=nbd://HOST/NAME",
     "The host has to attach the image, or an NBD server has to export it"},
    {"a disk for PV drivers alone that is not raw", "disk",
     "disk=[ '...,vdev=hda,...' ] (hda to hdd), or format=raw with an image converted by 'qemu-img "
     "convert -O raw'",
     "The first is an IDE disk for good, the second takes the room of the whole disk and has no "
     "snapshots"},
    {"a CD-ROM drive beyond the four IDE positions of disks", "disk",
     "disk=[ '...,vdev=hdc,devtype=cdrom' ] (a free one of hda to hdd)",
     "A disk in that position has to go to another, or to xvde and later for PV drivers alone"},
    {"a serial port that leads to something unknown", "serial",
     "serial=\"pty\" (or null, stdio, none, file:PATH, pipe:PATH, unix:PATH,server,nowait, "
     "tcp:HOST:PORT,server,nowait, /dev/TTY)",
     "What the guest writes there comes out elsewhere: with pty at xl console -t serial"},
    {"more than four serial ports", "serial", "serial=[ ... ] with at most four entries",
     "The guest has COM1 to COM4 alone"},
    {"a PV console channel", "channel", "no channel line",
     "Whoever speaks to an agent in the guest by it, as libvirt to its guest agent, does not reach "
     "it"},
    {"COLO's network proxies", "vif",
     "vif=[ ... ] without keys that begin with colo_, and no -c for xl remus",
     "The guest is not replicated"},
    {"a disk replicated by COLO", "disk",
     "disk=[ ... ] without colo, colo-host=, colo-port=, colo-export=, active-disk= and "
     "hidden-disk=, and no -c for xl remus",
     "The disk is not replicated"},
    {"PCI passthrough", "pci", "no pci line", "The guest does not get the host's devices"},
    {"a device unknown to stubdm, a shared directory (9pfs)", "p9", "no p9 line",
     "The guest does without the directory: what it needs has to come by the network or on a disk"},
    {"a device unknown to stubdm", "device_model_args",
     "device_model_args and device_model_args_hvm without it",
     "The guest does without the device"},
    {"an option unknown to stubdm", "device_model_args",
     "device_model_args and device_model_args_hvm without it",
     "What it does for QEMU is not done"},
}};
// clang-format on

std::string listed(const std::vector<std::string>& details, std::size_t more) {
  std::string text;
  const char* separator = "";
  for (const std::string& detail : details) {
    text.append(std::exchange(separator, ", ")).append(detail);
  }
  if (more != 0) {
    text.append(" and ").append(std::to_string(more)).append(" more");
  }
  return text;
}

}  // namespace

const RefusalText& refusal_text(Unserved what) noexcept {
  return kTexts[static_cast<std::size_t>(what)];
}

bool RefusalList::is_by_hand() const noexcept {
  return std::any_of(by_hand_.begin(), by_hand_.end(), [this](const Stretch& stretch) {
    return argument_ >= stretch.first && argument_ < stretch.last;
  });
}

Unserved RefusalList::blamed(Unserved what, std::string_view detail) const noexcept {
  switch (what) {
    // Their texts tell how to write the argument itself.
    case Unserved::vga_option:
    case Unserved::nic_count:
    case Unserved::image_format:
    case Unserved::image_protocol:
    case Unserved::cdrom_position:
    case Unserved::serial_backend:
    case Unserved::serial_count:
      return what;
    default:
      break;
  }
  if (!is_by_hand()) {
    return what;
  }
  return detail.substr(0, 1) == "-" ? Unserved::unknown_option : Unserved::unknown_device;
}

void RefusalList::add(Unserved asked, std::string_view detail) {
  put(entries_, blamed(asked, detail), false, detail);
}

void RefusalList::leave_out(Unserved what, std::string_view detail) {
  put(left_out_, what, is_by_hand(), detail);
}

void RefusalList::put(std::vector<Entry>& entries,
                      Unserved what,
                      bool by_hand,
                      std::string_view detail) const {
  auto entry = std::find_if(entries.begin(), entries.end(), [what, by_hand](const Entry& e) {
    return e.what == what && e.by_hand == by_hand;
  });
  if (entry == entries.end()) {
    entry = entries.insert(entries.end(), Entry{what, {}, {}, 0, by_hand});
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

void RefusalList::add_without_effect(std::string_view option, std::string_view why) {
  if (without_effect_.size() == kMaxWithoutEffect) {
    ++more_without_effect_;
    return;
  }
  std::string text{kArguments};
  text.append(printable(option.substr(0, kMaxDetailBytes))).append(" has no effect: ").append(why);
  without_effect_.push_back({std::move(text), {argument_}});
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
    text.append(". ").append(refusal.cost);
    text.append(". It asks for ").append(refusal.seen);
    if (!entry.details.empty()) {
      text.append(": ").append(listed(entry.details, entry.more));
    }
    lines.push_back({std::move(text), entry.arguments});
  }
  return lines;
}

std::vector<RefusalList::Line> RefusalList::announced() const {
  std::vector<Line> lines;
  for (const Entry& entry : left_out_) {
    const RefusalText& missing = refusal_text(entry.what);
    std::string text{entry.by_hand ? kArguments : missing.setting};
    text.append(entry.by_hand ? "" : ": ").append("the guest starts without ");
    text.append(missing.seen).append(" (").append(listed(entry.details, entry.more));
    text.append("). ").append(missing.cost);
    lines.push_back({std::move(text), entry.arguments});
  }
  lines.insert(lines.end(), without_effect_.begin(), without_effect_.end());
  if (more_without_effect_ != 0) {
    std::string text{kArguments};
    text.append(std::to_string(more_without_effect_)).append(" more options have no effect");
    lines.push_back({std::move(text), {}});
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
