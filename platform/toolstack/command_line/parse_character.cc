// SPDX-License-Identifier: MIT
// Serial ports, and the sockets that QMP is spoken on.
#include "platform/toolstack/command_line/parse.h"

#include <algorithm>
#include <array>
#include <string>

namespace dm::toolstack {

namespace {

constexpr std::size_t kMaxMonitors = 8;
constexpr std::array<std::string_view, 4> kSerialWords = {"pty", "null", "stdio", "none"};
constexpr std::array<std::string_view, 5> kSerialPrefixes = {
    "file:", "pipe:", "unix:", "tcp:", "/dev/"};

bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}

/// True for what is not a socket of ours to serve, but a part of something refused.
bool refuse_chardev(Parse& parse, std::string_view value) {
  static constexpr KeyRules kRules{.positional = "backend", .any_key = true};
  const auto keys = KeyValues::split(value, kRules);
  if (!keys) {
    return false;
  }
  if (keys->get("backend") == "spicevmc") {
    parse.refusals.leave_out(Unserved::spice, "spicevmc");
    return true;
  }
  if (starts_with(keys->get("id"), "libxl-channel")) {
    parse.refusals.add(Unserved::channel, keys->get("id"));
    return true;
  }
  if (keys->find("host") ||
      keys->find("port")) {  // libxl gives a TCP socket to COLO's proxies only
    parse.refusals.add(Unserved::colo, keys->get("id"));
    return true;
  }
  return false;
}

ChardevArgument* find_chardev(Parse& parse, std::string_view id) noexcept {
  const auto found = std::find_if(parse.chardevs.begin(), parse.chardevs.end(),
                                  [id](const ChardevArgument& c) { return c.id == id; });
  return found == parse.chardevs.end() ? nullptr : &*found;
}

/// libxl 4.17 writes server=on,wait=off, older ones server,nowait.
bool listens_without_waiting(const KeyValues& keys) noexcept {
  return keys.get("server") == "on" && (keys.get("wait") == "off" || keys.get("nowait") == "on");
}

}  // namespace

void take_chardev(Parse& parse, std::string_view name, std::string_view value) {
  if (refuse_chardev(parse, value)) {
    return;
  }
  static constexpr std::string_view kKeys[] = {"backend", "id",   "path",  "fd",
                                               "server",  "wait", "nowait"};
  const auto keys =
      parse.split(name, value, {.known = kKeys, .positional = "backend", .open_ended = "path"});
  if (!keys) {
    return;
  }
  ChardevArgument chardev;
  chardev.text = value;
  chardev.id = keys->get("id");
  chardev.path = keys->get("path");
  const auto fd = keys->find("fd");
  const auto fd_number = fd ? parse_number<int>(*fd, 0, 65535) : std::nullopt;
  if (keys->get("backend") != "socket" || !listens_without_waiting(*keys)) {
    parse.broken(name, value, "not a socket with server=on,wait=off");
  } else if (chardev.id.empty() || find_chardev(parse, chardev.id) != nullptr) {
    parse.broken(name, value, "without an id= of its own");
  } else if (fd ? !fd_number || !chardev.path.empty() : chardev.path.empty()) {
    parse.broken(name, value, "neither path= nor fd= with the number of a descriptor");
  } else {
    chardev.fd = fd_number.value_or(-1);
    parse.chardevs.push_back(chardev);
  }
}

void take_monitor(Parse& parse, std::string_view name, std::string_view value) {
  static constexpr std::string_view kKeys[] = {"chardev", "mode", "pretty"};
  const auto keys = parse.split(name, value, {.known = kKeys, .positional = "chardev"});
  if (!keys) {
    return;
  }
  if (keys->get("mode") != "control" || keys->get("pretty") == "on") {
    parse.broken(name, value, "QMP only: mode=control, not pretty");
    return;
  }
  parse.monitors.push_back({value, keys->get("chardev")});
}

void take_serial(Parse& parse, std::string_view, std::string_view value) {
  auto& serial = parse.config.serial;
  if (parse.serials == serial.size()) {
    parse.refusals.add(Unserved::serial_count, {});
    return;
  }
  const unsigned port = parse.serials++;
  const bool known =
      std::find(kSerialWords.begin(), kSerialWords.end(), value) != kSerialWords.end() ||
      std::any_of(kSerialPrefixes.begin(), kSerialPrefixes.end(), [value](std::string_view p) {
        return starts_with(value, p) && value.size() > p.size();
      });
  if (!known) {
    parse.refusals.add(Unserved::serial_backend, value.empty() ? "(nothing)" : value);
  } else if (value != "none") {  // it keeps its place: serial=["none","pty"] is COM2 alone
    serial[port] = SerialConfig{std::string{value}};
  }
}

void join_monitors(Parse& parse) {
  for (const MonitorArgument& monitor : parse.monitors) {
    ChardevArgument* const chardev = find_chardev(parse, monitor.chardev);
    if (chardev == nullptr || chardev->use != Use::none) {
      parse.broken(
          "mon", monitor.text,
          chardev == nullptr ? "there is no such -chardev" : "its -chardev has a user already");
      continue;
    }
    chardev->use = Use::served;
    if (parse.config.qmp.size() == kMaxMonitors) {
      parse.broken("mon", monitor.text, "more than eight QMP sockets");
      continue;
    }
    parse.config.qmp.push_back({std::string{chardev->id}, std::string{chardev->path}, chardev->fd});
  }
  for (const ChardevArgument& chardev : parse.chardevs) {
    if (chardev.use == Use::none && !parse.is_left_alone(chardev.id)) {
      parse.broken("chardev", chardev.text, "nothing uses it");
    }
  }
}

}  // namespace dm::toolstack
