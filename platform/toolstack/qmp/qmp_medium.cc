// SPDX-License-Identifier: MIT
// Discs of CD-ROM drives, as qapi/block.json of QEMU 7.2 has them. libxl 4.17 (libxl_disk.c): xl
// cd-insert sends query-version, eject, add-fd, blockdev-change-medium; xl cd-eject the first two.
#include "platform/toolstack/qmp/qmp_medium.h"

#include <fcntl.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxPath = 4096;

QmpError error(std::string desc) {
  return {kGenericError, std::move(desc)};
}

/// A string; nothing where it is missing or something else.
std::optional<std::string> text(const json::object& arguments, std::string_view key) {
  const json::value* const value = arguments.if_contains(key);
  const json::string* const string = value != nullptr ? value->if_string() : nullptr;
  return string != nullptr && string->size() <= kMaxPath
             ? std::optional{std::string{string->data(), string->size()}}
             : std::nullopt;
}

/// "id" since QEMU 2.8, "device" before.
std::optional<std::string> drive_of(const json::object& arguments) {
  if (arguments.contains("id") && arguments.contains("device")) {
    return std::nullopt;
  }
  auto id = text(arguments, "id");
  return id ? id : text(arguments, "device");
}

QmpResult changed(DiscChange change, const std::string& drive) {
  const std::string name = drive.substr(0, 64);
  switch (change) {
    case DiscChange::done:
      return json::object{};
    case DiscChange::locked:
      return error("the guest has locked the tray of " + name +
                   " and has been asked to open it: try again when it has");
    case DiscChange::no_such_drive:
      break;
  }
  return QmpError{kDeviceNotFound, "there is no CD-ROM drive " + name};
}

QmpResult eject(MachineControl& machine, const json::object& arguments) {
  const auto drive = drive_of(arguments);
  const json::value* const force = arguments.if_contains("force");
  if (!drive) {
    return error("Need exactly one of 'device' and 'id'");
  }
  return changed(machine.eject(*drive, force != nullptr && force->get_bool()), *drive);
}

/// What the commands for a new disc need.
struct Medium {
  MachineControl& machine;
  const FdSets& sets;
  NameDisc name_disc;
};

/// Answers when the image is open, which takes a moment unless it is raw.
QmpResult insert(QmpCall& call,
                 const Medium& medium,
                 const std::string& drive,
                 const std::string& filename,
                 ImageFormat format) {
  host::UniqueFd file;
  if (FdSets::is_name(filename)) {
    auto opened = medium.sets.open(filename, O_RDONLY);
    if (!opened) {
      return error(opened.error().message);
    }
    file = std::move(*opened);
  }
  medium.machine.insert(drive, medium.name_disc(filename, std::move(file), format),
                        [later = call.defer(), drive](const Result<DiscChange>& inserted) {
                          later->answer(inserted ? changed(*inserted, drive)
                                                 : QmpResult{error(inserted.error().message)});
                        });
  return json::object{};
}

/// Formats are never guessed: without one it is raw, as QEMU's own default must not be
/// (CVE-2008-2004).
std::optional<ImageFormat> format_of(const json::object& arguments, std::string_view member) {
  if (!arguments.contains(member)) {
    return ImageFormat::raw;
  }
  return image_format(text(arguments, member).value_or(std::string{}));
}

QmpError unknown_format() {
  return error("the format is none of raw, qcow, qcow2, qed, vdi, vhdx, vmdk and vpc");
}

QmpResult change_medium(const Medium& medium, QmpCall& call) {
  const json::object& arguments = call.arguments;
  const auto drive = drive_of(arguments);
  const auto filename = text(arguments, "filename");
  const auto mode = text(arguments, "read-only-mode");
  if (!drive) {
    return error("Need exactly one of 'device' and 'id'");
  }
  if (!filename || filename->empty()) {
    return error("'filename' has to name an image");
  }
  if (const json::value* const force = arguments.if_contains("force");
      force != nullptr && force->get_bool()) {
    return error("'force' is not for a change here: eject with 'force' comes before it");
  }
  const auto format = format_of(arguments, "format");
  if (!format) {
    return unknown_format();
  }
  if (arguments.contains("read-only-mode") && mode != "retain" && mode != "read-only") {
    return error("a disc can only be read: 'read-only-mode' is retain or read-only");
  }
  return insert(call, medium, *drive, *filename, *format);
}

/// The command before QEMU 2.3: the image is the "target", its format the "arg".
QmpResult change(const Medium& medium, QmpCall& call) {
  const json::object& arguments = call.arguments;
  const auto drive = text(arguments, "device");
  const auto target = text(arguments, "target");
  if (drive == "vnc") {
    return error("the password of a screen is changed by change-vnc-password");
  }
  if (!drive || !target || target->empty()) {
    return error("'device' has to name a drive and 'target' an image");
  }
  const auto format = format_of(arguments, "arg");
  if (!format) {
    return unknown_format();
  }
  return insert(call, medium, *drive, *target, *format);
}

}  // namespace

void add_medium_commands(QmpCommands& commands,
                         MachineControl& machine,
                         const FdSets& sets,
                         NameDisc name_disc) {
  using Type = QmpParameter::Type;
  using Presence = QmpParameter::Presence;
  const Medium medium{machine, sets, std::move(name_disc)};
  commands.add("eject", {{"device"}, {"force", Type::boolean}, {"id"}},
               [&machine](QmpCall& call) { return eject(machine, call.arguments); });
  commands.add("blockdev-change-medium",
               {{"device"},
                {"id"},
                {"filename", Type::string, Presence::required},
                {"format"},
                {"force", Type::boolean},
                {"read-only-mode"}},
               [medium](QmpCall& call) { return change_medium(medium, call); });
  commands.add("change",
               {{"device", Type::string, Presence::required},
                {"target", Type::string, Presence::required},
                {"arg"}},
               [medium](QmpCall& call) { return change(medium, call); });
}

}  // namespace dm::toolstack
