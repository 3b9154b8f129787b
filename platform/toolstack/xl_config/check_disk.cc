// SPDX-License-Identifier: MIT
// Disks: the -drive and -device that libxl makes of a disk specification.
#include "platform/toolstack/command_line/key_values.h"
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace dm::toolstack {

namespace {

bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}
/// "a" is 0, "z" 25, "aa" 26.
std::optional<unsigned> letters_to_index(std::string_view& text, unsigned most) noexcept {
  unsigned index = 0;
  std::size_t length = 0;
  while (length < text.size() && text[length] >= 'a' && text[length] <= 'z') {
    index = index * 26 + static_cast<unsigned>(text[length] - 'a') + 1;
    ++length;
    if (index > most + 1) {
      return std::nullopt;
    }
  }
  text.remove_prefix(length);
  return length == 0 ? std::nullopt : std::optional{index - 1};
}

/// Of the extended numbering (xen-vbd-interface(7)).
constexpr unsigned kMostDisks = 1U << 20U;

struct BusNames {
  std::string_view prefix;
  Vdev::Bus bus;
  unsigned most;
  unsigned parts;
};
constexpr BusNames kBuses[] = {{"xvd", Vdev::Bus::xen, kMostDisks - 1, 255},
                               {"hd", Vdev::Bus::ide, 3, 63},
                               {"sd", Vdev::Bus::scsi, 15, 15}};

unsigned device_number(Vdev::Bus bus, unsigned disk, unsigned part) noexcept {
  switch (bus) {
    case Vdev::Bus::ide:
      return (disk < 2 ? 3U : 22U) << 8U | (disk & 1U) << 6U | part;
    case Vdev::Bus::scsi:
      return 8U << 8U | disk << 4U | part;
    case Vdev::Bus::xen:
    case Vdev::Bus::number:
      break;
  }
  return disk < 16 && part < 16 ? 202U << 8U | disk << 4U | part : 1U << 28U | disk << 8U | part;
}

/// What QEMU calls it. With the kernel's back end it is always raw, which is what xl wants then.
std::string qemu_format(const DiskSpec& disk) {
  return disk.format == "vhd" ? "vpc" : disk.format == "empty" ? "raw" : disk.format;
}

/// xl-disk-configuration(5) has relative paths below /dev; a script's target is its own affair.
std::string path_of(const DiskSpec& disk) {
  if (disk.script) {
    return "/dev/DISK-OF-THE-SCRIPT";  // known when the script has run
  }
  const bool whole = starts_with(disk.target, "/") || names_protocol(disk.target);
  return whole ? disk.target : "/dev/" + disk.target;
}

/// A number as strtoul() and scanf's %i take it: decimal, 0x1f or 017, after blanks and a plus.
std::optional<unsigned> take_number(std::string_view& text, unsigned most) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size()));
  text.remove_prefix(starts_with(text, "+") ? 1 : 0);
  unsigned base = 10;
  if (starts_with(text, "0x") || starts_with(text, "0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (starts_with(text, "0")) {
    base = 8;
  }
  unsigned value = 0;
  const auto parsed =
      std::from_chars(text.data(), text.data() + text.size(), value, static_cast<int>(base));
  if (parsed.ec != std::errc{} || value > most) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return value;
}

/// d4p1 is xvde1.
std::optional<Vdev> parse_numbered(std::string_view name) noexcept {
  constexpr unsigned kMostParts = 256;
  name.remove_prefix(1);
  const auto disk = take_number(name, kMostDisks - 1);
  if (!disk || !starts_with(name, "p")) {
    return std::nullopt;
  }
  name.remove_prefix(1);
  const auto part = take_number(name, kMostParts - 1);
  if (!part || !name.empty()) {
    return std::nullopt;
  }
  return Vdev{Vdev::Bus::xen, *disk, device_number(Vdev::Bus::xen, *disk, *part)};
}

}  // namespace

std::optional<Vdev> parse_vdev(std::string_view name) noexcept {
  if (starts_with(name, "d")) {
    return parse_numbered(name);
  }
  for (const BusNames& names : kBuses) {
    if (!starts_with(name, names.prefix)) {
      continue;
    }
    std::string_view rest = name.substr(names.prefix.size());
    const auto disk = letters_to_index(rest, names.most);
    const auto part = rest.empty() ? 0U : parse_number<unsigned>(rest, 1, names.parts);
    if (!disk || !part || starts_with(rest, "0")) {
      return std::nullopt;
    }
    return Vdev{names.bus, *disk, device_number(names.bus, *disk, *part)};
  }
  const auto number =
      name.empty() ? 0U : take_number(name, std::numeric_limits<std::int32_t>::max());
  return number && name.empty() ? std::optional{Vdev{Vdev::Bus::number, 0, *number}} : std::nullopt;
}

/// libxl takes the words of hdtype in any case.
bool Translator::has_ahci() {
  return same_word(read.text("hdtype").value_or("ide"), "ahci");
}

void Translator::disks() {
  if (has_ahci()) {
    add(read.line("hdtype"), "-device", "ahci,id=ahci0");
  }
  for (const XlValue* const spec : read.list("disk")) {
    disk(*spec);
  }
}

/// Two disks of one number end xl; two in one place would end the device model. False when that has
/// been told.
bool Translator::has_place(const DiskSpec& disk, const Vdev& vdev, unsigned line) {
  static constexpr std::array<std::string_view, 4> kPlaces = {
      "first IDE channel, master", "first IDE channel, slave", "second IDE channel, master",
      "second IDE channel, slave"};
  const auto number = numbers_.emplace(vdev.number, line);
  if (!number.second) {
    error(line, "disk: vdev " + shown(disk.vdev) + " is there already, in line " +
                    std::to_string(number.first->second) + ", and xl refuses that: write another");
    return false;
  }
  const bool emulated = vdev.bus != Vdev::Bus::number && (disk.cdrom || !on_port(vdev));
  if (!emulated || vdev.disk >= kPlaces.size()) {
    return true;
  }
  const auto place = places_.emplace(vdev.disk, disk.vdev);
  if (!place.second) {
    error(line, "disk: vdev " + shown(disk.vdev) + " is the same place as " +
                    shown(place.first->second) + " (" + std::string{kPlaces.at(vdev.disk)} +
                    "), and xl makes an IDE disk of each: write a free one of hda to hdd, or xvde "
                    "and later for PV drivers alone");
  }
  return place.second;
}

/// Of a controller of its own: SCSI or AHCI.
bool Translator::on_port(const Vdev& vdev) {
  constexpr unsigned kAhciPorts = 6;
  return vdev.bus == Vdev::Bus::scsi || (has_ahci() && vdev.disk < kAhciPorts);
}

void Translator::disk(const XlValue& spec) {
  const auto parsed = parse_disk_spec(spec.text);
  if (!parsed) {
    return error(spec.line, parsed.error().message);
  }
  const auto vdev = parse_vdev(parsed->vdev);
  if (!vdev) {
    return error(spec.line, "disk: no such vdev: " + shown(parsed->vdev));
  }
  if (!plausible(*parsed, spec.line)) {
    return;
  }
  // libxl finds no path for the device model to what another domain serves, and no place for a
  // number.
  const bool pv_alone =
      vdev->bus == Vdev::Bus::number || (parsed->backend_domain && parsed->format != "empty");
  if (!pv_alone && !has_place(*parsed, *vdev, spec.line)) {
    return;
  }
  disk_hints(*parsed, spec.line);
  if (pv_alone) {
    pv_disk(*parsed, spec.line);
  } else if (parsed->cdrom) {
    cd(*parsed, *vdev, spec.line);
  } else {
    hard_disk(*parsed, *vdev, spec.line);
  }
}

void Translator::pv_disk(const DiskSpec& disk, unsigned line) {
  if (disk.backend_domain) {
    out.pv_disks.push_back(shown(disk.vdev) + ": " + shown(disk.target) + ", from domain " +
                           shown(*disk.backend_domain));
    return;
  }
  if (disk.format != "raw" && disk.format != "empty" && restrict_) {
    out.later.push_back(
        {Unserved::pv_image_format, shown(disk.target) + " is " + qemu_format(disk), line});
  }
  out.pv_disks.push_back(shown(disk.vdev) + ": " +
                         (disk.target.empty() ? "empty" : shown(disk.target)));
}

void Translator::cd(const DiskSpec& disk, const Vdev& vdev, unsigned line) {
  if (vdev.disk > 4) {
    return pv_disk(disk, line);  // libxl's bound, although IDE has four places
  }
  const std::string id = std::to_string(vdev.number);
  const std::string medium = ",file=" + path_of(disk) + ",format=" + qemu_format(disk);
  add(line, "-drive", "if=none,readonly=on,id=ide-" + id + (disk.target.empty() ? "" : medium));
  add(line, "-device",
      "ide-cd,id=ide-" + id + ",drive=ide-" + id + ",bus=ide." + std::to_string(vdev.disk / 2) +
          ",unit=" + std::to_string(vdev.disk % 2));
}

void Translator::hard_disk(const DiskSpec& disk, const Vdev& vdev, unsigned line) {
  const std::string file = "file=" + path_of(disk);
  const std::string format = ",format=" + qemu_format(disk);
  const std::string n = std::to_string(vdev.disk);
  const bool own_port = on_port(vdev);
  if (!own_port && vdev.disk >= 4) {
    return pv_disk(disk, line);
  }
  if (vdev.bus != Vdev::Bus::scsi && !disk.writable) {
    return error(line, "disk: xl refuses a read-only " + shown(disk.vdev) +
                           ": write access=rw, or vdev=xvde or later (for PV drivers alone: the "
                           "guest cannot boot from it)");
  }
  if (disk.colo) {
    return add(line, "-drive", "if=ide,index=" + n + ",driver=quorum");
  }
  if (vdev.bus == Vdev::Bus::scsi) {
    add(line, "-drive",
        file + ",id=scsi0-hd" + n + format + ",if=none,readonly=" + (disk.writable ? "off" : "on") +
            ",cache=writeback");
    return add(line, "-device", "scsi-hd,drive=scsi0-hd" + n + ",scsi-id=" + n);
  }
  if (own_port) {
    add(line, "-drive", file + ",if=none,id=ahcidisk-" + n + format + ",cache=writeback");
    return add(line, "-device", "ide-hd,bus=ahci0." + n + ",unit=0,drive=ahcidisk-" + n);
  }
  add(line, "-drive", file + ",if=ide,index=" + n + ",media=disk" + format + ",cache=writeback");
}

}  // namespace dm::toolstack
