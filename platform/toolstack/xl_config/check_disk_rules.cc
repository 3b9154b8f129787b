// SPDX-License-Identifier: MIT
// What libxl 4.17 refuses of a disk that xl has read, and what it makes of it that its owner may
// not expect (libxl_device.c, libxl_disk.c).
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>
#include <array>

namespace dm::toolstack {

namespace {

bool begins(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}
bool ends(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// xl says raw unless told otherwise, and the guest would find the image's header on its disk.
std::string_view format_by_name(std::string_view path) noexcept {
  static constexpr std::array<std::string_view, 5> kEnds = {".qcow2", ".qcow", ".vhd", ".vmdk",
                                                            ".qed"};
  for (const std::string_view end : kEnds) {
    if (ends(path, end)) {
      return end.substr(1);
    }
  }
  return {};
}

/// Why there is no back end for a disk of these words, or nothing.
std::string without_back_end(const DiskSpec& disk) {
  const std::string& type = disk.backend_type;
  const bool empty = disk.format == "empty";
  if (empty && !disk.cdrom) {
    return "only a CD-ROM drive can be empty";
  }
  if (empty && !disk.target.empty()) {
    return "xl refuses format=empty with an image: write no format, or no image";
  }
  if (disk.specification == "virtio") {
    return "specification=virtio: xl wants a device model of its own for it: leave it out";
  }
  if (disk.cdrom && !type.empty() && type != "qdisk") {
    return "xl refuses a CD-ROM drive with backendtype=" + type + ": leave backendtype out";
  }
  if (disk.cdrom && disk.script) {
    return "xl refuses a CD-ROM drive with a script: leave script out";
  }
  if (type == "tap") {
    return "xl has no backendtype=tap any more: leave backendtype out";
  }
  if (type == "standalone") {
    return "xl refuses backendtype=standalone without specification=virtio: leave it out";
  }
  const bool raw = disk.format == "raw";
  if (type == "phy" && !raw) {
    return "xl refuses backendtype=phy with format=" + disk.format + ": leave backendtype out";
  }
  if (type == "phy" && disk.colo) {
    return "xl refuses backendtype=phy with colo: leave both out";
  }
  if (disk.script && (type == "qdisk" || !raw || disk.colo)) {
    return "xl refuses a script (or nbd:, drbd:, iscsi: before the target) with " +
           (type == "qdisk" ? "backendtype=qdisk: leave one of them out"
            : raw           ? std::string{"colo: leave colo out"}
                            : "format=" + disk.format + ": write format=raw");
  }
  return {};
}

}  // namespace

/// False for what ends xl or libxl.
bool Translator::plausible(const DiskSpec& disk, unsigned line) {
  if (const std::string why = without_back_end(disk); !why.empty()) {
    error(line, "disk: " + why);
    return false;
  }
  const bool local = !disk.backend_domain && !disk.script;
  const bool named = local && names_protocol(disk.target) && disk.format != "empty";
  // A CD-ROM drive has qdisk in any case, and libxl has no look at the image of a qdisk.
  if (named && !disk.cdrom && disk.backend_type != "qdisk" &&
      (disk.format == "raw" || !disk.backend_type.empty())) {
    error(line, "disk: xl looks for a file of the name " + shown(disk.target) +
                    ": write backendtype=qdisk with it");
    return !is_nbd(disk.target);
  }
  const bool path = local && !named && !disk.target.empty();
  if (path && disk.target[0] != '/') {
    hint(line, "disk: xl-disk-configuration(5) takes " + shown(disk.target) + " for /dev/" +
                   shown(disk.target) +
                   ", and libxl 4.17 looks for it in the directory where xl is started: write the "
                   "whole path");
  }
  return true;
}

/// What works until the guest's PV drivers come, or not as it is written.
void Translator::disk_hints(const DiskSpec& disk, unsigned line) {
  const bool raw = disk.format == "raw";
  const bool nbd = raw && !disk.script && is_nbd(disk.target);
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
          "would wait for it: leave backendtype out. It asks for a PV back end of a disk");
  }
  const std::string_view by_name = raw && !disk.cdrom ? format_by_name(disk.target) : "";
  if (!by_name.empty()) {
    hint(line, "disk: " + shown(disk.target) + " looks like a " + std::string{by_name} +
                   " image and is taken as raw, which is what this line says");
  }
  const bool file = raw && !disk.cdrom && !disk.script && begins(disk.target, "/") &&
                    !begins(disk.target, "/dev/");
  if (restrict_ && file) {
    hint(line, "disk: dm_restrict=1 limits files to 256 KiB: the guest cannot write to the image " +
                   shown(disk.target) + " until its PV drivers take over. Block devices work");
  }
}

}  // namespace dm::toolstack
