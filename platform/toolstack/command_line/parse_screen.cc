// SPDX-License-Identifier: MIT
// What a guest shows and where: the graphics card, VNC, other displays.
#include "platform/toolstack/command_line/parse.h"

#include <algorithm>
#include <bit>
#include <string>

namespace dm::toolstack {

namespace {

constexpr unsigned kMostVideoMib = 256;
constexpr std::uint16_t kLeastPixels = 320;
constexpr std::uint16_t kMostPixels = 4095;  ///< what a monitor's data can say

/// The number that a key has, or `usual` without the key. False when it is none.
template <class T>
[[nodiscard]] bool take_number(
    const KeyValues& keys, std::string_view key, T least, T most, T& to) noexcept {
  const auto given = keys.find(key);
  const auto number = given ? parse_number<T>(*given, least, most) : std::optional<T>{to};
  to = number.value_or(to);
  return number.has_value();
}

/// "HOST:DISPLAY", ":DISPLAY", "[ADDRESS]:DISPLAY", "unix:PATH". False: it is none of them.
[[nodiscard]] bool take_place(std::string_view place, VncConfig& vnc) {
  constexpr std::string_view kUnix = "unix:";
  constexpr unsigned kMostDisplay = 65535 - 5900;
  if (place.starts_with(kUnix)) {
    vnc.path = place.substr(kUnix.size());
    return !vnc.path.empty();
  }
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) {
    return false;
  }
  const auto display = parse_number<unsigned>(place.substr(colon + 1), 0, kMostDisplay);
  std::string_view host = place.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  vnc.host = host;
  vnc.display = display.value_or(0);
  return display.has_value();
}

/// What it says beside the place. False: it makes no sense, and `parse` has been told.
[[nodiscard]] bool take_vnc_options(Parse& parse,
                                    std::string_view value,
                                    const KeyValues& keys,
                                    VncConfig& vnc) {
  const auto password = keys.find("password");
  vnc.password = password && *password != "off";
  if (keys.find("to")) {
    unsigned last = 0;
    if (!take_number(keys, "to", 0U, 65535U - 5900U, last)) {
      parse.broken("vnc", value, "to= is the last display to try");
      return false;
    }
    vnc.last = std::max(last, vnc.display);
  }
  if (const auto port = keys.find("websocket"); port && *port != "off") {
    vnc.websocket = std::uint16_t{0};
    if (!port->empty() && *port != "on" &&
        !take_number(keys, "websocket", std::uint16_t{1}, std::uint16_t{65535}, *vnc.websocket)) {
      parse.broken("vnc", value, "websocket= is a port");
      return false;
    }
  }
  for (const std::string_view key : {"sasl", "tls-creds", "tls-authz", "sasl-authz", "reverse"}) {
    if (keys.find(key)) {
      parse.broken("vnc", value,
                   "there is no TLS, no SASL and no call from here: leave it out, and reach the "
                   "screen through ssh");
      return false;
    }
  }
  for (const std::string_view key :
       {"share", "connections", "lossy", "non-adaptive", "key-delay-ms", "lock-key-sync",
        "power-control", "audiodev"}) {
    if (keys.find(key)) {
      parse.note("vnc", key, "has no effect: eight viewers, and one that asks for it is alone");
    }
  }
  return true;
}

/// A screen that nobody asked for otherwise: VNC where xl listens by default.
void show_by_vnc(Parse& parse) {
  if (!parse.config.vnc) {
    parse.config.vnc = VncConfig{.host = "127.0.0.1",
                                 .path = {},
                                 .display = 0,
                                 .last = 99,
                                 .websocket = {},
                                 .password = false};
  }
}

}  // namespace

/// Every model of graphics card that is accepted is the standard VGA card.
void take_vga(Parse& parse, std::string_view value) {
  static constexpr std::string_view kKeys[] = {"vgamem_mb", "romfile", "edid", "xres", "yres"};
  const auto keys = parse.split("device", value, {.known = kKeys, .positional = "model"});
  if (!keys) {
    return;
  }
  VgaConfig vga;
  unsigned mib = vga.memory_mib;
  if (!take_number(*keys, "vgamem_mb", 1U, 1U << 20U, mib) ||
      !take_number(*keys, "xres", kLeastPixels, kMostPixels, vga.width) ||
      !take_number(*keys, "yres", kLeastPixels, kMostPixels, vga.height)) {
    parse.broken("device", value,
                 "not a graphics card with vgamem_mb= in MiB, and xres= and yres= of 320 to 4095");
    return;
  }
  if (parse.config.vga) {
    parse.broken("device", value, "a second graphics card: there is one screen");
    return;
  }
  vga.memory_mib = std::min(std::bit_floor(mib), kMostVideoMib);
  if (const auto rom = keys->find("romfile")) {
    vga.rom = std::string{*rom};
  }
  if (keys->get("model") != "VGA") {
    parse.note("device", value,
               "the guest gets the standard VGA card; a guest that has Cirrus drivers installed "
               "falls back to its generic ones");
  }
  if (vga.memory_mib != mib) {
    const std::string why =
        std::to_string(vga.memory_mib) + " MiB of video memory: a power of two, at most 256";
    parse.note("device", value, why);
  }
  if (keys->get("edid") == "off") {
    parse.note("device", value, "its monitor says what it is all the same");
  }
  parse.config.vga = vga;
}

void take_vnc(Parse& parse, std::string_view name, std::string_view value) {
  // Nothing listens unless it is asked for (XSA-119).
  parse.config.vnc.reset();
  if (value == "none") {
    return;
  }
  static constexpr std::string_view kKeys[] = {
      "password", "to",           "websocket",     "share",        "connections", "lossy",
      "sasl",     "tls-creds",    "tls-authz",     "sasl-authz",   "reverse",     "non-adaptive",
      "audiodev", "key-delay-ms", "lock-key-sync", "power-control"};
  static constexpr KeyRules kRules{.known = kKeys, .positional = "display"};
  const auto keys = parse.split(name, value, kRules);
  if (!keys) {
    return;
  }
  VncConfig vnc;
  if (!take_place(keys->get("display"), vnc)) {
    parse.broken(name, value,
                 "not HOST:DISPLAY or unix:PATH: see vnclisten and vncdisplay in xl.cfg");
    return;
  }
  if (take_vnc_options(parse, value, *keys, vnc)) {
    parse.config.vnc = vnc;
  }
}

void take_keymap(Parse& parse, std::string_view name, std::string_view value) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  constexpr std::size_t kMost = 32;
  if (value.empty() || value.size() > kMost || !std::ranges::all_of(value, good)) {
    parse.broken(name, value, "not the name of a keyboard's layout, such as de or en-us");
    return;
  }
  parse.config.keymap = value;
}

void take_spice(Parse& parse, std::string_view /*name*/, std::string_view value) {
  parse.refusals.leave_out(Unserved::spice, std::string{"-spice "}.append(value));
  parse.shown_by_vnc = true;
}

void take_sdl(Parse& parse, std::string_view /*name*/, std::string_view /*value*/) {
  parse.refusals.leave_out(Unserved::sdl, "-sdl");
  parse.shown_by_vnc = true;
}

void take_display(Parse& parse, std::string_view /*name*/, std::string_view value) {
  const std::string_view kind = value.substr(0, value.find(','));
  if (kind == "none") {
    return;
  }
  std::string seen = "-display ";
  seen.append(value);
  // libxl writes none and sdl. Others come from device_model_args.
  for (const std::string_view window : {"sdl", "gtk", "curses", "egl-headless", "spice-app"}) {
    if (kind == window) {
      parse.refusals.leave_out(Unserved::sdl, seen);
      parse.shown_by_vnc = true;
      return;
    }
  }
  parse.refusals.add(Unserved::unknown_option, seen);
}

void join_screen(Parse& parse) {
  if (parse.shown_by_vnc && parse.config.vga) {
    show_by_vnc(parse);
  }
  if (parse.config.vnc && !parse.config.vga) {
    parse.note("vnc", {}, "there is no graphics card, so there is no screen to show");
  }
}

}  // namespace dm::toolstack
