// SPDX-License-Identifier: MIT
// -drive, and the -device arguments that use one.
#include "platform/toolstack/command_line/parse.h"

#include <algorithm>
#include <array>
#include <string>

namespace dm::toolstack {

namespace {

constexpr unsigned kIdePositions = 4;
constexpr std::array<std::string_view, kIdePositions> kVdev = {"hda", "hdb", "hdc", "hdd"};

// What libxl writes, and after that what others write into device_model_args: known so that it ends
// the file name before it.
constexpr std::string_view kDriveKeys[] = {
    "file",     "if",     "index",  "media",  "format",   "cache",   "cache.direct",
    "readonly", "id",     "driver", "top-id", "snapshot", "discard", "detect-zeroes",
    "aio",      "werror", "rerror", "serial", "bus",      "unit",    "copy-on-read"};
constexpr std::string_view kUnusedKeys[] = {"snapshot", "discard",     "detect-zeroes", "aio",
                                            "werror",   "rerror",      "serial",        "bus",
                                            "unit",     "copy-on-read"};

/// COLO describes its disks by a tree: children.0.file.filename=... The file name must not swallow
/// it.
bool is_colo(std::string_view value) noexcept {
  return value.find(",children.") != std::string_view::npos ||
         value.find(",mode=secondary") != std::string_view::npos;
}

bool take_on_off(std::string_view text, bool& value) noexcept {
  value = text == "on";
  return text == "on" || text == "off";
}

DriveArgument* find_drive(Parse& parse, std::string_view id) noexcept {
  const auto found = std::find_if(
      parse.drives.begin(), parse.drives.end(),
      [id](const DriveArgument& d) { return !d.ide_index && d.id == id && !id.empty(); });
  return found == parse.drives.end() ? nullptr : &*found;
}

/// Never a guess from the content: a guest could write a header that names a host file
/// (CVE-2008-2004, CVE-2013-1922).
bool check_format(Parse& parse, const DriveArgument& drive, ImageFormat& format) {
  if (drive.format.empty()) {
    parse.broken("drive", drive.text, "no format=, and formats are not guessed");
    return false;
  }
  const auto known = image_format(drive.format);
  if (!known) {
    std::string seen{*drive.file};
    parse.refusals.add(Unserved::image_format, seen.append(" is ").append(drive.format));
    return false;
  }
  if (names_protocol(*drive.file) && !is_nbd(*drive.file)) {
    parse.refusals.add(Unserved::image_protocol, *drive.file);
    return false;
  }
  if (is_nbd(*drive.file) && !is_raw(*known)) {
    parse.broken("drive", drive.text, "an NBD export is raw: format=raw");
    return false;
  }
  format = *known;
  return true;
}

/// QEMU's names. All of its modes keep what the guest has flushed here; what is left is whether the
/// host's page cache is used.
bool take_cache(Parse& parse, std::string_view name, const KeyValues& keys, DriveArgument& drive) {
  const auto direct = keys.find("cache.direct");
  if (direct && !take_on_off(*direct, drive.direct)) {
    parse.broken(name, drive.text, "cache.direct= is neither on nor off");
    return false;
  }
  const auto cache = keys.find("cache");
  if (!cache || *cache == "writeback") {
    return true;
  }
  if (*cache == "none" || *cache == "directsync") {
    drive.direct = !direct || drive.direct;
  }
  if (*cache != "none") {
    parse.note(name, drive.text,
               drive.direct
                   ? "cache=none is used: what the guest flushes is on stable storage"
                   : "cache=writeback is used: what the guest flushes is on stable storage");
  }
  return true;
}

void add_disk(Parse& parse, DiskConfig disk, std::string_view text) {
  const auto& disks = parse.config.disks;
  if (std::any_of(disks.begin(), disks.end(),
                  [&](const DiskConfig& d) { return d.index == disk.index; })) {
    std::string why = "a second drive in the place of vdev ";
    parse.broken(disk.cdrom ? "device" : "drive", text, why.append(kVdev[disk.index]));
    return;
  }
  parse.config.disks.push_back(std::move(disk));
}

void join_hard_disk(Parse& parse, const DriveArgument& drive) {
  DiskConfig disk;
  if (!drive.file || drive.file->empty()) {
    parse.broken("drive", drive.text, "no file=");
  } else if (check_format(parse, drive, disk.format)) {
    disk.path = *drive.file;
    disk.direct = drive.direct;
    disk.index = *drive.ide_index;
    disk.read_only = drive.read_only;  // libxl never says so; honoured if somebody does (XSA-142)
    if ((!is_raw(disk.format) || is_nbd(disk.path)) && parse.config.xen_platform &&
        parse.config.gives_up_privileges()) {
      parse.note("drive", drive.text,
                 "it has no PV back end with dm_restrict=1: a guest with PV drivers gives it up "
                 "and waits for one, unless xl.cfg says xen_platform_pci=0");
    }
    add_disk(parse, std::move(disk), drive.text);
  }
}

void join_cd(Parse& parse, const CdArgument& cd) {
  DriveArgument* const drive = find_drive(parse, cd.drive);
  if (drive == nullptr || drive->use != Use::none) {
    parse.broken("device", cd.text,
                 drive == nullptr ? "there is no such -drive" : "its -drive has a user already");
    return;
  }
  drive->use = Use::served;
  DiskConfig disk;
  disk.index = cd.index;
  disk.cdrom = true;
  disk.read_only = true;
  disk.id = cd.id;
  if (drive->file && !drive->file->empty()) {
    if (!check_format(parse, *drive, disk.format)) {
      return;
    }
    disk.path = *drive->file;
    disk.direct = drive->direct;
  }
  add_disk(parse, std::move(disk), cd.text);
}

/// if=ide names its place at once; everything else waits for a -device. False when a message has
/// been left.
bool take_interface(Parse& parse, const KeyValues& keys, DriveArgument& drive) {
  const std::string_view interface = keys.get("if");
  const auto index = keys.find("index");
  if (interface == "none") {
    if (index || drive.id.empty()) {
      parse.broken("drive", drive.text, "if=none takes an id= and no index=");
      return false;
    }
    return true;
  }
  const auto media = keys.find("media");
  drive.ide_index = index ? parse_number<unsigned>(*index, 0, kIdePositions - 1) : std::nullopt;
  if (interface != "ide" || !drive.ide_index || (media && *media != "disk")) {
    parse.broken("drive", drive.text,
                 "not if=none, nor if=ide with an index= of 0 to 3 and media=disk");
    return false;
  }
  return true;
}

}  // namespace

void take_drive(Parse& parse, std::string_view name, std::string_view value) {
  DriveArgument drive;
  drive.text = value;
  drive.argument = parse.refusals.argument();
  if (is_colo(value)) {
    parse.refusals.add(Unserved::colo_disk, {});
    return;
  }
  const auto keys = parse.split(name, value, {.known = kDriveKeys, .open_ended = "file"});
  if (!keys) {
    return;
  }
  if (keys->find("driver") || keys->find("top-id")) {
    parse.refusals.add(Unserved::colo_disk, {});
    return;
  }
  for (const std::string_view key : kUnusedKeys) {
    if (keys->find(key)) {
      std::string why{key};
      parse.broken(name, value, why.append("= is not supported"));
      return;
    }
  }
  drive.id = keys->get("id");
  drive.file = keys->find("file");
  drive.format = keys->get("format");
  const auto read_only = keys->find("readonly");
  if (read_only && !take_on_off(*read_only, drive.read_only)) {
    parse.broken(name, value, "readonly= is neither on nor off");
    return;
  }
  if (find_drive(parse, drive.id) != nullptr) {
    parse.broken(name, value, "a second drive of this id");
    return;
  }
  if (take_cache(parse, name, *keys, drive) && take_interface(parse, *keys, drive)) {
    parse.drives.push_back(drive);
  }
}

void take_cd(Parse& parse, std::string_view value) {
  static constexpr std::string_view kKeys[] = {"id", "drive", "bus", "unit"};
  const auto keys = parse.split("device", value, {.known = kKeys, .positional = "model"});
  if (!keys) {
    return;
  }
  static constexpr std::string_view kBus = "ide.";
  const std::string_view bus = keys->get("bus");
  const bool on_ide = bus.substr(0, kBus.size()) == kBus;
  // libxl offers five places for CD-ROMs where IDE has four: vdev xvde becomes bus ide.2.
  const auto channel =
      on_ide ? parse_number<unsigned>(bus.substr(kBus.size()), 0, 31) : std::nullopt;
  const auto unit = parse_number<unsigned>(keys->get("unit"), 0, 1);
  if (!channel || !unit || keys->get("drive").empty()) {
    parse.broken("device", value, "not an ide-cd with drive=, bus=ide.0 or ide.1, unit=0 or 1");
    return;
  }
  const std::string_view id = keys->find("id") ? keys->get("id") : keys->get("drive");
  const unsigned index = *channel * 2 + *unit;
  if (index >= kIdePositions) {
    parse.refusals.add(Unserved::cdrom_position, id);
    refuse_disk(parse, Unserved::cdrom_position, value);
    return;
  }
  parse.cds.push_back({value, id, keys->get("drive"), index, parse.refusals.argument()});
}

void refuse_disk(Parse& parse, Unserved what, std::string_view value) {
  static constexpr KeyRules kRules{.positional = "model", .any_key = true};
  const auto keys = KeyValues::split(value, kRules);
  DriveArgument* const drive = keys ? find_drive(parse, keys->get("drive")) : nullptr;
  if (drive == nullptr) {
    parse.refusals.add(what, value.substr(0, value.find(',')));
    return;
  }
  drive->use = Use::refused;
  ImageFormat format{};
  if (drive->file) {
    parse.refusals.add(what, *drive->file);
    (void)check_format(parse, *drive, format);  // so that all settings to change are told at once
  }
}

void join_disks(Parse& parse) {
  for (const CdArgument& cd : parse.cds) {
    parse.refusals.set_argument(cd.argument);
    join_cd(parse, cd);
  }
  for (const DriveArgument& drive : parse.drives) {
    parse.refusals.set_argument(drive.argument);
    if (drive.ide_index) {
      join_hard_disk(parse, drive);
    } else if (drive.use == Use::none && !parse.is_left_alone(drive.id)) {
      parse.broken("drive", drive.text, "no -device uses it");
    }
  }
  auto& disks = parse.config.disks;
  std::sort(disks.begin(), disks.end(),
            [](const DiskConfig& a, const DiskConfig& b) { return a.index < b.index; });
}

}  // namespace dm::toolstack
