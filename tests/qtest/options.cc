// SPDX-License-Identifier: MIT
#include "tests/qtest/options.h"

#include "tests/qtest/options_parse.h"

#include <algorithm>
#include <utility>

namespace dm::qtest {

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
/// Below the addresses that libqos gives to BARs.
constexpr std::uint64_t kMostMiB = 3072;
constexpr unsigned kMostCpus = 128;

}  // namespace

bool one_of(std::string_view value, std::initializer_list<std::string_view> these) {
  return std::ranges::find(these, value) != these.end();
}

const OptionParser::Option OptionParser::kOptions[] = {
    {"-qtest", true, &OptionParser::take_qtest},
    {"-qtest-log", true, &OptionParser::take_log},
    {"-machine", true, &OptionParser::take_machine},
    {"-M", true, &OptionParser::take_machine},
    {"-accel", true, &OptionParser::take_accel},
    {"-m", true, &OptionParser::take_memory},
    {"-smp", true, &OptionParser::take_smp},
    {"-display", true, &OptionParser::take_none},
    {"-vga", true, &OptionParser::take_none},
    {"-audio", true, &OptionParser::take_none},
    {"-monitor", true, &OptionParser::take_none},
    {"-parallel", true, &OptionParser::take_none},
    {"-nodefaults", false, &OptionParser::take_nothing},
    {"-S", false, &OptionParser::take_paused},
    {"-run-with", true, &OptionParser::take_run_with},
    {"-chardev", true, &OptionParser::take_chardev},
    {"-mon", true, &OptionParser::take_mon},
    {"-qmp", true, &OptionParser::take_qmp},
    {"-serial", true, &OptionParser::take_serial},
    {"-drive", true, &OptionParser::take_drive},
    {"-blockdev", true, &OptionParser::take_blockdev},
    {"-device", true, &OptionParser::take_device},
    {"-global", true, &OptionParser::take_global},
    {"-netdev", true, &OptionParser::take_netdev},
    {"-nic", true, &OptionParser::take_nic},
    {"-net", true, &OptionParser::take_none},
};

Result<Options> parse_options(std::span<const std::string_view> arguments) {
  return OptionParser{}.run(arguments);
}

Result<Options> OptionParser::run(std::span<const std::string_view> arguments) {
  options_.machine.name = "qtest";
  options_.machine.xen_platform = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    if (name.starts_with("--")) {
      name.remove_prefix(1);
    }
    const auto* const option = std::find_if(std::begin(kOptions), std::end(kOptions),
                                            [name](const Option& o) { return o.name == name; });
    if (option == std::end(kOptions)) {
      return fail("option ", arguments[i], " is not understood; tests/qtest/README.md has a list");
    }
    std::string_view value;
    if (option->has_value) {
      if (++i == arguments.size()) {
        return fail("option ", name, " needs a value");
      }
      value = arguments[i];
    }
    if (const Why why = (this->*option->take)(value); !why.empty()) {
      return fail(name, value.empty() ? "" : " ", value, ": ", why);
    }
  }
  if (!has_qtest_) {
    return Error{"-qtest unix:PATH or -qtest stdio is missing"};
  }
  if (const Why why = place_drives(); !why.empty()) {
    return Error{why};
  }
  return std::move(options_);
}

OptionParser::Why OptionParser::take_qtest(std::string_view value) {
  if (value != "stdio" && !value.starts_with("unix:")) {
    return "only unix:PATH, where the test listens, and stdio";
  }
  if (value != "stdio") {
    options_.qtest = value.substr(5);
    if (options_.qtest.empty() || options_.qtest.find(',') != std::string::npos) {
      return "the socket's path, and nothing after it";
    }
  }
  has_qtest_ = true;
  return {};
}

OptionParser::Why OptionParser::take_log(std::string_view value) {
  options_.log = one_of(value, {"none", "/dev/null"}) ? std::string_view{} : value;
  return {};
}

OptionParser::Why OptionParser::take_machine(std::string_view value) {
  constexpr std::string_view kKeys[] = {"accel"};
  const auto keys = toolstack::KeyValues::split(value, {.known = kKeys, .positional = "type"});
  if (!keys) {
    return keys.error().message;
  }
  const auto type = keys->get("type");
  if (type != "pc" && type != "xenfv" && !type.starts_with("pc-i440fx-")) {
    return "the machines are pc and xenfv, a pc with Xen's platform device";
  }
  options_.machine.xen_platform = type == "xenfv";
  return keys->find("accel") ? take_accel(keys->get("accel")) : Why{};
}

OptionParser::Why OptionParser::take_accel(std::string_view value) {
  return value == "qtest" ? Why{} : "there are no processors: only qtest";
}

OptionParser::Why OptionParser::take_memory(std::string_view value) {
  if (value.starts_with("size=")) {
    value.remove_prefix(5);
  }
  std::uint64_t unit = 1;
  if (value.ends_with('G')) {
    unit = 1024;
  }
  if (value.ends_with('G') || value.ends_with('M')) {
    value.remove_suffix(1);
  }
  const auto count = dm::parse_number<std::uint64_t>(value, 1, kMostMiB);
  if (!count || *count * unit > kMostMiB) {
    return "MiB, or a number and M or G; at most 3072 MiB";
  }
  options_.ram = *count * unit * kMiB;
  return {};
}

OptionParser::Why OptionParser::take_smp(std::string_view value) {
  if (value.starts_with("cpus=")) {
    value.remove_prefix(5);
  }
  const auto cpus = dm::parse_number<unsigned>(value, 1, kMostCpus);
  if (!cpus) {
    return "a number from 1 to 128";
  }
  options_.machine.vcpus_online = options_.machine.vcpus_max = *cpus;
  return {};
}

OptionParser::Why OptionParser::take_none(std::string_view value) {
  return value == "none" ? Why{} : "there is none: only none";
}

/// Nothing is there that was not asked for.
OptionParser::Why OptionParser::take_nothing(std::string_view /*value*/) {
  return {};
}

OptionParser::Why OptionParser::take_paused(std::string_view /*value*/) {
  options_.machine.start_paused = true;
  return {};
}

OptionParser::Why OptionParser::take_run_with(std::string_view value) {
  if (!one_of(value, {"exit-with-parent", "exit-with-parent=on"})) {
    return "only exit-with-parent=on";
  }
  options_.exit_with_parent = true;
  return {};
}

OptionParser::Why OptionParser::take_chardev(std::string_view value) {
  constexpr std::string_view kKeys[] = {"id", "path"};
  const auto keys = toolstack::KeyValues::split(
      value, {.known = kKeys, .positional = "type", .open_ended = "path"});
  if (!keys) {
    return keys.error().message;
  }
  const std::string type{keys->get("type")};
  const std::string path{keys->get("path")};
  if (!one_of(type, {"socket", "file", "null"}) || (path.empty() && type != "null")) {
    return "socket and file, with path=, and null; a socket is connected to";
  }
  const std::string spec = type == "null" ? type : (type == "file" ? "file:" : "unix:") + path;
  chardevs_.push_back({std::string{keys->get("id")}, spec, type == "socket" ? path : ""});
  return {};
}

OptionParser::Why OptionParser::take_mon(std::string_view value) {
  constexpr std::string_view kKeys[] = {"chardev", "mode"};
  const auto keys = toolstack::KeyValues::split(value, {.known = kKeys, .positional = "chardev"});
  if (!keys) {
    return keys.error().message;
  }
  if (keys->get("mode") != "control") {
    return "there is no human monitor: only mode=control";
  }
  mons_.emplace_back(keys->get("chardev"));
  return {};
}

OptionParser::Why OptionParser::take_qmp(std::string_view value) {
  if (!value.starts_with("unix:") || value.find(',') != std::string_view::npos) {
    return "only unix:PATH, where the test listens";
  }
  options_.monitors.emplace_back(value.substr(5));
  return {};
}

OptionParser::Why OptionParser::take_serial(std::string_view value) {
  if (serials_ == options_.machine.serial.size()) {
    return "there are four serial ports";
  }
  if (value != "none") {
    options_.machine.serial.at(serials_) = SerialConfig{std::string{value}};
  }
  ++serials_;
  return {};
}

const Chardev* OptionParser::find_chardev(std::string_view id) const {
  const auto found = std::ranges::find(chardevs_, id, &Chardev::id);
  return found == chardevs_.end() ? nullptr : &*found;
}

/// Everything has been read: what devices name is there, or is not.
OptionParser::Why OptionParser::place_drives() {
  for (auto& serial : options_.machine.serial) {
    if (serial && serial->backend.starts_with("chardev:")) {
      const Chardev* const chardev = find_chardev(std::string_view{serial->backend}.substr(8));
      if (chardev == nullptr) {
        return "-serial " + serial->backend + ": there is no such -chardev";
      }
      serial->backend = chardev->spec;
    }
  }
  for (const std::string& mon : mons_) {
    const Chardev* const chardev = find_chardev(mon);
    if (chardev == nullptr || chardev->path.empty()) {
      return "-mon chardev=" + mon + ": there is no such -chardev socket";
    }
    options_.monitors.push_back(chardev->path);
  }
  for (const IdeDevice& device : ide_devices_) {
    if (Why why = place(device); !why.empty()) {
      return why;
    }
  }
  for (const Drive& drive : drives_) {
    const auto position = drive.position ? drive.position : free_position(0, 3);
    if (drive.for_ide && (!position || taken_.at(*position))) {
      return "-drive " + drive.id + ": its place on the IDE channels is taken";
    }
    if (drive.for_ide) {
      put(drive, *position);
    }
  }
  for (const Card& card : cards_) {
    if (Why why = place(card); !why.empty()) {
      return why;
    }
  }
  return {};
}

}  // namespace dm::qtest
