// SPDX-License-Identifier: MIT
// What a guest's settings say of screens: VNC, SDL, SPICE, the graphics card. There are the
// standard VGA card and VNC; what asks for another gets these, with a hint.
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>

namespace dm::toolstack {

/// libxl gives a stub domain no screen: VNC, SDL and SPICE are not on its command line.
void Translator::display() {
  if (stub_) {
    const bool locked = vnc_ && !read.text("vncpasswd").value_or("").empty();
    for (const std::string_view name : {"vnc", "sdl", "spice"}) {
      const unsigned line = read.line(name == "vnc" && locked ? "vncpasswd" : name);
      if (name == "vnc" ? locked || (line != 0 && vnc_) : read.on(name, false)) {
        hint(line, std::string{name} + ": libxl gives a stub domain no screen: it has no effect");
      }
    }
  } else if (vnc_) {
    vnc();
  } else {
    add(read.line("vnc"), "-vnc", "none");
  }
  add(0, "-display", "none");
  if (sdl_ && !stub_) {
    add(read.line("sdl"), "-display", "sdl");
  }
  if (read.on("opengl", false)) {
    hint(read.line("opengl"), "opengl: it is for an SDL window, and none opens: it has no effect");
  }
  if (const auto keymap = read.text("keymap")) {
    add(read.line("keymap"), "-k", std::string{*keymap});
  }
}

void Translator::vnc() {
  const unsigned line = read.line("vnc");
  const std::string listen{read.text("vnclisten").value_or("127.0.0.1")};
  const std::int64_t display = read.number("vncdisplay").value_or(0);
  const auto password = read.text("vncpasswd");
  std::string value = listen;
  if (listen.find(':') == std::string::npos) {
    value += ":" + std::to_string(display);
  } else if (display != 0) {
    error(read.line("vncdisplay"), "vncdisplay: xl refuses it beside a vnclisten with a display");
  }
  const bool locked = password && !password->empty();
  value += locked ? ",password=on" : "";
  value += read.on("vncunused", true) ? ",to=99" : "";
  add(locked ? read.line("vncpasswd") : line, "-vnc", value);
}

void Translator::graphics() {
  if (read.on("nographic", false) && !sdl_ && !vnc_) {
    add(read.line("nographic"), "-nographic");
  }
  if (read.on("spice", false) && !stub_) {
    add(read.line("spice"), "-spice",
        "port=" + std::to_string(read.number("spiceport").value_or(0)));
    if (read.on("spicevdagent", false)) {
      add(read.line("spicevdagent"), "-device", "virtio-serial");
    }
  }
  const auto vga = read.text("vga");
  const bool std_vga = !vga && read.on("stdvga", false);
  const unsigned line = vga ? read.line("vga") : read.line("stdvga");
  const std::string_view kind = vga ? *vga : std_vga ? "stdvga" : "cirrus";
  const std::int64_t least = kind == "stdvga" ? 16 : kind == "cirrus" ? 8 : kind == "qxl" ? 128 : 0;
  const std::int64_t asked = read.number("videoram").value_or(least);
  if (asked < least) {
    error(read.line("videoram"), "videoram: xl wants at least " + std::to_string(least) +
                                     " with this vga: leave videoram out");
  }
  video_mib_ = kind == "none" ? 0 : std::clamp<std::int64_t>(asked, 0, 1 << 20);
  const std::string mib = std::to_string(video_mib_);
  if (kind == "stdvga") {
    add(line, "-device", "VGA,vgamem_mb=" + mib);
  } else if (kind == "cirrus") {
    add(line, "-device", "cirrus-vga,vgamem_mb=" + mib);
  } else if (kind == "qxl") {
    const std::string half = std::to_string(video_mib_ / 2);
    add(line, "-device", "qxl-vga,vram_size_mb=" + half + ",ram_size_mb=" + half);
  } else if (kind != "none") {
    error(line, "vga: xl knows none, stdvga, cirrus and qxl, not '" + shown(kind) + "'");
  }
  screen_hints(line, kind);
  boot();
}

void Translator::screen_hints(unsigned line, std::string_view kind) {
  if (kind == "cirrus") {
    hint(line,
         "vga: the guest gets the standard VGA card; a guest that has Cirrus drivers installed "
         "falls back to its generic ones");
  }
  const bool power_of_two = (video_mib_ & (video_mib_ - 1)) == 0;
  if ((kind == "cirrus" || kind == "stdvga") && (!power_of_two || video_mib_ > 256)) {
    hint(read.line("videoram"),
         "videoram: the card has a power of two of MiB, at most 256; the rest is lost");
  }
  if ((kind == "cirrus" || kind == "stdvga") && stub_) {
    hint(line,
         "vga: a stub domain whose kernel has the fix for XSA-482 cannot give the guest video "
         "memory, and the guest does not start: write vga=\"none\" there");
  }
}

}  // namespace dm::toolstack
