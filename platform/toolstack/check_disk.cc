// SPDX-License-Identifier: MIT
// Disks: the -drive and -device that libxl makes of a disk specification.
#include "platform/toolstack/check_translate.h"
#include "platform/toolstack/key_values.h"

#include <array>
#include <utility>

namespace dm::toolstack {

namespace {

bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}
bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
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

struct BusNames {
  std::string_view prefix;
  Vdev::Bus bus;
  unsigned most;
  unsigned parts;
};
constexpr BusNames kBuses[] = {{"xvd", Vdev::Bus::xen, (1U << 20U) - 1, 15},
                               {"hd", Vdev::Bus::ide, 3, 63},
                               {"sd", Vdev::Bus::scsi, 15, 15}};

unsigned device_number(Vdev::Bus bus, unsigned disk, unsigned part) noexcept {
  switch (bus) {
    case Vdev::Bus::ide:
      return (disk < 2 ? 3U : 22U) << 8U | (disk & 1U) << 6U | part;
    case Vdev::Bus::scsi:
      return 8U << 8U | disk << 4U | part;
    case Vdev::Bus::xen:
      break;
  }
  return disk < 16 ? 202U << 8U | disk << 4U | part : 1U << 28U | disk << 8U | part;
}

/// xl says raw unless told otherwise, and the guest would find the image's header on its disk.
std::string_view format_by_name(std::string_view path) noexcept {
  static constexpr std::array<std::string_view, 5> kEnds = {".qcow2", ".qcow", ".vhd", ".vmdk",
                                                            ".qed"};
  for (const std::string_view end : kEnds) {
    if (ends_with(path, end)) {
      return end.substr(1);
    }
  }
  return {};
}

/// What QEMU calls it. With the kernel's back end it is always raw, which is what xl wants then.
std::string qemu_format(const DiskSpec& disk) {
  return disk.format == "vhd" ? "vpc" : disk.format == "empty" ? "raw" : disk.format;
}

/// A path of xl is below /dev unless it begins at the root; a script's target is its own affair.
std::string path_of(const DiskSpec& disk) {
  if (!disk.script.empty()) {
    return "/dev/DISK-OF-THE-SCRIPT";  // known when the script has run
  }
  return starts_with(disk.target, "/") || is_nbd(disk.target) ? disk.target : "/dev/" + disk.target;
}

}  // namespace

std::optional<Vdev> parse_vdev(std::string_view name) noexcept {
  for (const BusNames& names : kBuses) {
    if (!starts_with(name, names.prefix)) {
      continue;
    }
    std::string_view rest = name.substr(names.prefix.size());
    const auto disk = letters_to_index(rest, names.most);
    const auto part = rest.empty() ? 0U : parse_number<unsigned>(rest, 1, names.parts);
    if (!disk || !part) {
      return std::nullopt;
    }
    return Vdev{names.bus, *disk, device_number(names.bus, *disk, *part)};
  }
  return std::nullopt;
}

void Translator::disks() {
  if (read.text("hdtype").value_or("ide") == "ahci") {
    add(read.line("hdtype"), "-device", "ahci,id=ahci0");
  }
  for (const XlValue* const spec : read.list("disk")) {
    disk(*spec);
  }
}

/// What xl or the guest would stumble over, whatever stubdm can serve. False for what ends xl.
bool Translator::plausible(const DiskSpec& disk, unsigned line) {
  const bool raw = disk.format == "raw";
  if (disk.backend_type == "phy" && !raw && disk.format != "empty") {
    error(line, "disk: xl refuses backendtype=phy with format=" + disk.format);
    return false;
  }
  if (disk.format == "empty" && !disk.cdrom) {
    error(line, "disk: only a CD-ROM drive can be empty");
    return false;
  }
  const bool nbd = raw && disk.script.empty() && is_nbd(disk.target);
  if (nbd && disk.backend_type != "qdisk") {
    error(line, "disk: xl looks for a file of the name " + shown(disk.target) +
                    ": write backendtype=qdisk with it");
  }
  const bool ours_alone = !disk.cdrom && (nbd || !raw);
  if (ours_alone && (restrict_ || stub_) && read.on("xen_platform_pci", true)) {
    hint(line, "disk: " + shown(disk.target) + " has no PV back end with " +
                   (restrict_ ? "dm_restrict" : "device_model_stubdomain_override") +
                   "=1: a guest with PV drivers gives the emulated "
                   "disk up and waits for one. xen_platform_pci=0 keeps PV drivers out");
  }
  if (raw && !nbd && !disk.cdrom && disk.backend_type == "qdisk" && restrict_) {
    error(line,
          "disk: with dm_restrict=1 nobody serves backendtype=qdisk, and the guest's PV driver "
          "would wait for it: leave backendtype out");
  }
  if (disk.specification == "virtio") {
    error(line, "disk: specification=virtio needs a device model of its own: leave it out");
  }
  const std::string_view by_name = raw && !disk.cdrom ? format_by_name(disk.target) : "";
  if (!by_name.empty()) {
    hint(line, "disk: " + shown(disk.target) + " looks like a " + std::string{by_name} +
                   " image and is taken as raw, which is what this line says");
  }
  const bool file = raw && !disk.cdrom && disk.script.empty() && starts_with(disk.target, "/") &&
                    !starts_with(disk.target, "/dev/");
  if (restrict_ && file) {
    hint(line, "disk: dm_restrict=1 limits files to 256 KiB: the guest cannot write to the image " +
                   shown(disk.target) + " until its PV drivers take over. Block devices work");
  }
  return true;
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
  if (parsed->cdrom) {
    cd(*parsed, *vdev, spec.line);
  } else {
    hard_disk(*parsed, *vdev, spec.line);
  }
}

void Translator::cd(const DiskSpec& disk, const Vdev& vdev, unsigned line) {
  if (vdev.disk > 4) {
    return;  // libxl's bound, although IDE has four places
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
  const bool ahci = read.text("hdtype").value_or("ide") == "ahci" && vdev.disk < 6;
  if (disk.colo) {
    return add(line, "-drive", "if=ide,index=" + n + ",driver=quorum");
  }
  if (vdev.bus == Vdev::Bus::scsi) {
    add(line, "-drive",
        file + ",id=scsi0-hd" + n + format + ",if=none,readonly=" + (disk.writable ? "off" : "on") +
            ",cache=writeback");
    return add(line, "-device", "scsi-hd,drive=scsi0-hd" + n + ",scsi-id=" + n);
  }
  if (!ahci && vdev.disk >= 4) {
    if (disk.format != "raw" && restrict_) {
      out.later.push_back(
          {Unserved::pv_image_format, shown(disk.target) + " is " + qemu_format(disk), line});
    }
    out.pv_disks.push_back(shown(disk.vdev) + ": " + shown(disk.target));
    return;
  }
  if (!disk.writable) {
    return error(line, "disk: xl refuses a read-only " + shown(disk.vdev) +
                           ": write access=rw, or vdev=xvde or later (for PV drivers alone)");
  }
  if (ahci) {
    add(line, "-drive", file + ",if=none,id=ahcidisk-" + n + format + ",cache=writeback");
    return add(line, "-device", "ide-hd,bus=ahci0." + n + ",unit=0,drive=ahcidisk-" + n);
  }
  add(line, "-drive", file + ",if=ide,index=" + n + ",media=disk" + format + ",cache=writeback");
}

}  // namespace dm::toolstack
