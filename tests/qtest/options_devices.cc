// SPDX-License-Identifier: MIT
// Disks, CD-ROM drives and network cards of the command line.
#include "tests/qtest/options_parse.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace dm::qtest {

namespace {

using toolstack::KeyValues;

/// The first card's slot, and QEMU's first address.
constexpr unsigned kFirstSlot = 4;
constexpr std::array<std::uint8_t, 6> kFirstMac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

/// `blkdebug::FILE` is FILE with flushes that can be held.
std::string take_file(std::string_view file, Drive& drive) {
  constexpr std::string_view kDebug = "blkdebug:";
  if (!file.starts_with(kDebug)) {
    drive.disk.path = file;
    return {};
  }
  file.remove_prefix(kDebug.size());
  if (!file.starts_with(':')) {
    return "blkdebug with a file of errors to inject is not supported, blkdebug::FILE is";
  }
  drive.holdable = true;
  drive.disk.path = file.substr(1);
  return {};
}

}  // namespace

OptionParser::Why OptionParser::take_drive(std::string_view value) {
  constexpr std::string_view kKeys[] = {"file",   "if",    "index",    "media",  "format", "id",
                                        "driver", "cache", "readonly", "rerror", "werror"};
  const auto keys = KeyValues::split(value, {.known = kKeys, .open_ended = "file"});
  if (!keys) {
    return keys.error().message;
  }
  Drive drive;
  drive.id = keys->get("id");
  if (Why why = take_file(keys->get("file"), drive); !why.empty()) {
    return why;
  }
  if (keys->get("driver") == "null-co") {
    drive.disk.path = kNullDisk;
  } else if (keys->find("driver")) {
    return "of drivers there is null-co";
  }
  if (!one_of(keys->get("format"), {"", "raw"})) {
    return "images are raw";
  }
  if (!one_of(keys->get("cache"), {"", "writeback"})) {
    return "the write cache is on: only cache=writeback";
  }
  if (!one_of(keys->get("rerror"), {"", "report"}) ||
      !one_of(keys->get("werror"), {"", "report"})) {
    return "drives report errors to the guest, they do not stop it: only report";
  }
  drive.disk.cdrom = keys->get("media") == "cdrom";
  drive.disk.read_only = drive.disk.cdrom || keys->get("readonly") == "on";
  const auto interface = keys->get("if");
  if (!one_of(interface, {"", "ide", "none"})) {
    return "only if=ide and if=none";
  }
  drive.for_ide = interface != "none";
  if (const auto index = keys->find("index"); index && drive.for_ide) {
    drive.position = dm::parse_number<unsigned>(*index, 0, 3);
    if (!drive.position) {
      return "index is 0 to 3";
    }
  }
  if (drive.disk.path.empty() && !drive.disk.cdrom) {
    return "a disk needs file=";
  }
  drives_.push_back(std::move(drive));
  return {};
}

OptionParser::Why OptionParser::take_blockdev(std::string_view value) {
  constexpr std::string_view kKeys[] = {"driver", "node-name", "filename", "read-only"};
  const auto keys =
      KeyValues::split(value, {.known = kKeys, .positional = "driver", .open_ended = "filename"});
  if (!keys) {
    return keys.error().message;
  }
  Drive drive;
  drive.id = keys->get("node-name");
  drive.disk.path = keys->get("filename");
  drive.disk.read_only = keys->get("read-only") == "on";
  if (keys->get("driver") == "null-co") {
    drive.disk.path = kNullDisk;
  } else if (keys->get("driver") != "file") {
    return "of drivers there are file and null-co";
  }
  if (drive.id.empty() || drive.disk.path.empty()) {
    return "node-name= and filename= are needed";
  }
  drives_.push_back(std::move(drive));
  return {};
}

OptionParser::Why OptionParser::take_device(std::string_view value) {
  constexpr std::string_view kIde[] = {"drive", "bus", "unit", "serial", "ver", "id"};
  constexpr std::string_view kCard[] = {"netdev", "mac", "id", "addr", "bus"};
  const auto model = value.substr(0, value.find(','));
  const bool cdrom = model == "ide-cd";
  const bool ide = cdrom || model == "ide-hd";
  if (!ide && model != "e1000" && model != "e1000-82540em") {
    return "of devices there are ide-hd, ide-cd and e1000";
  }
  const auto keys = KeyValues::split(
      value,
      {.known = ide ? std::span<const std::string_view>{kIde} : kCard, .positional = "model"});
  if (!keys) {
    return keys.error().message;
  }
  return ide ? add_ide(*keys, cdrom) : add_card(*keys);
}

OptionParser::Why OptionParser::add_ide(const KeyValues& keys, bool cdrom) {
  IdeDevice device{.drive = std::string{keys.get("drive")},
                   .cdrom = cdrom,
                   .bus = std::nullopt,
                   .unit = std::nullopt,
                   .serial = std::string{keys.get("serial")},
                   .firmware = std::string{keys.get("ver")}};
  if (const auto bus = keys.find("bus"); bus) {
    if (!one_of(*bus, {"ide.0", "ide.1"})) {
      return "bus is ide.0 or ide.1";
    }
    device.bus = *bus == "ide.1" ? 1 : 0;
  }
  if (const auto unit = keys.find("unit"); unit) {
    device.unit = dm::parse_number<unsigned>(*unit, 0, 1);
    if (!device.unit) {
      return "unit is 0 or 1";
    }
  }
  if (device.drive.empty() && !cdrom) {
    return "a disk needs drive=";
  }
  ide_devices_.push_back(std::move(device));
  return {};
}

std::optional<unsigned> OptionParser::free_position(unsigned first, unsigned last) const {
  for (unsigned position = first; position <= last; ++position) {
    if (!taken_.at(position)) {
      return position;
    }
  }
  return std::nullopt;
}

OptionParser::Why OptionParser::place(const IdeDevice& device) {
  Drive empty;
  Drive* drive = &empty;
  if (!device.drive.empty()) {
    const auto found = std::ranges::find(drives_, device.drive, &Drive::id);
    if (found == drives_.end() || found->for_ide || std::exchange(found->used, true)) {
      return "-device with drive=" + device.drive + ": there is no such drive that is free";
    }
    drive = &*found;
  }
  drive->disk.cdrom = device.cdrom;
  drive->disk.read_only = drive->disk.read_only || device.cdrom;
  drive->disk.serial = device.serial;
  drive->disk.firmware = device.firmware;
  const unsigned bus = device.bus.value_or(0);
  const auto position = device.unit ? std::optional{2 * bus + *device.unit}
                                    : free_position(2 * bus, device.bus ? 2 * bus + 1 : 3);
  if (!position || taken_.at(*position)) {
    return "-device with drive=" + device.drive + ": its place on the IDE channels is taken";
  }
  put(*drive, *position);
  return {};
}

void OptionParser::put(const Drive& drive, unsigned position) {
  DiskConfig disk = drive.disk;
  disk.index = position;
  if (!disk.cdrom && disk.serial.empty()) {
    disk.serial = global_serial_;
  }
  if (!disk.cdrom && disk.firmware.empty()) {
    disk.firmware = global_firmware_;
  }
  options_.machine.disks.push_back(std::move(disk));
  options_.holdable.at(position) = drive.holdable;
  taken_.at(position) = true;
}

OptionParser::Why OptionParser::take_global(std::string_view value) {
  constexpr std::string_view kSerial = "ide-hd.serial=";
  constexpr std::string_view kFirmware = "ide-hd.ver=";
  if (value.starts_with(kSerial)) {
    global_serial_ = value.substr(kSerial.size());
  } else if (value.starts_with(kFirmware)) {
    global_firmware_ = value.substr(kFirmware.size());
  } else {
    return "of properties there are ide-hd.serial and ide-hd.ver";
  }
  return {};
}

OptionParser::Why OptionParser::take_netdev(std::string_view value) {
  constexpr std::string_view kKeys[] = {"id", "fd", "hubid"};
  const auto keys = KeyValues::split(value, {.known = kKeys, .positional = "type"});
  if (!keys) {
    return keys.error().message;
  }
  Netdev netdev{.id = std::string{keys->get("id")}, .cable = {}};
  if (keys->get("type") == "socket") {
    const auto fd = dm::parse_number<int>(keys->get("fd"), 3, 1 << 20);
    if (!fd) {
      return "a socket needs fd=, from 3 on";
    }
    netdev.cable.fd = *fd;
  } else if (!one_of(keys->get("type"), {"user", "hubport"})) {
    return "socket with fd=; user and hubport, which lead nowhere";
  }
  netdevs_.push_back(std::move(netdev));
  return {};
}

OptionParser::Why OptionParser::take_nic(std::string_view value) {
  if (value == "none") {
    return {};
  }
  constexpr std::string_view kKeys[] = {"model", "mac", "id"};
  const auto keys = KeyValues::split(value, {.known = kKeys, .positional = "type"});
  if (!keys) {
    return keys.error().message;
  }
  if (keys->get("type") != "user" || keys->get("model") != "e1000") {
    return "none, or user,model=e1000, which leads nowhere";
  }
  return add_card(*keys);
}

OptionParser::Why OptionParser::add_card(const KeyValues& keys) {
  if (!one_of(keys.get("bus"), {"", "pci.0"})) {
    return "bus is pci.0";
  }
  cards_.push_back({std::string{keys.get("id")}, std::string{keys.get("netdev")},
                    std::string{keys.get("mac")}, std::string{keys.get("addr")}});
  return {};
}

OptionParser::Why OptionParser::place(const Card& card) {
  NicConfig nic;
  const std::size_t number = options_.machine.nics.size();
  nic.id = card.id.empty() ? "nic" + std::to_string(number) : card.id;
  nic.model = "e1000";
  nic.rom = "";
  nic.mac = kFirstMac;
  nic.mac.back() = static_cast<std::uint8_t>(nic.mac.back() + number);
  if (number == 8) {
    return "there are at most eight network cards";
  }
  if (!card.mac.empty()) {
    const auto mac = toolstack::parse_mac(card.mac);
    if (!mac) {
      return "-device e1000 with mac=" + card.mac + ": not an address";
    }
    nic.mac = *mac;
  }
  unsigned slot = kFirstSlot + static_cast<unsigned>(number);
  const auto text = card.address.substr(0, card.address.find('.'));
  if (!text.empty()) {
    unsigned wanted = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, wanted, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != end || wanted != slot) {
      return "-device e1000 with addr=" + card.address + ": the cards are in slots 4, 5, ...";
    }
  }
  Cable cable;
  if (!card.netdev.empty()) {
    const auto found = std::ranges::find(netdevs_, card.netdev, &Netdev::id);
    if (found == netdevs_.end()) {
      return "-device e1000 with netdev=" + card.netdev + ": there is no such -netdev";
    }
    cable = found->cable;
  }
  options_.machine.nics.push_back(std::move(nic));
  options_.cables.push_back(cable);
  return {};
}

}  // namespace dm::qtest
