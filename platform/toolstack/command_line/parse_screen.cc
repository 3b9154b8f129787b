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
  // VNC is on unless xl.cfg says vnc=0, so it means little that it is asked for: query-vnc says
  // that there is none, and nothing listens (explicit opt-in only: XSA-119). A password is another
  // matter: libxl would go on to set it and end the guest when it cannot.
  if (value == "none") {
    return;
  }
  static constexpr KeyRules kRules{.positional = "display", .any_key = true};
  const auto vnc = parse.split(name, value, kRules);
  if (!vnc) {
    return;
  }
  const auto password = vnc->find("password");
  if (password && *password != "off") {
    parse.refusals.add(Unserved::vnc_password, "password=on");
    return;
  }
  parse.note(name, value, "there is no VNC server yet; vnc=0 in xl.cfg says the same");
}

void take_display(Parse& parse, std::string_view, std::string_view value) {
  if (value == "none") {
    return;
  }
  std::string seen = "-display ";
  seen.append(value);
  // libxl writes none and sdl. Any other comes from device_model_args.
  parse.refusals.add(
      value.substr(0, value.find(',')) == "sdl" ? Unserved::sdl : Unserved::unknown_option, seen);
}

}  // namespace dm::toolstack
