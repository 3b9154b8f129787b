// SPDX-License-Identifier: MIT
#include "platform/display/server/keymap.h"

#include <linux/input-event-codes.h>
#include <xkbcommon/xkbcommon.h>

#include <array>
#include <memory>
#include <string_view>

namespace dm::display {

namespace {

struct Unref {
  void operator()(xkb_context* context) const noexcept { xkb_context_unref(context); }
  void operator()(xkb_keymap* keymap) const noexcept { xkb_keymap_unref(keymap); }
};

/// X11 keycodes are Linux's plus this.
constexpr std::uint32_t kX11Offset = 8;

/// QEMU's names of keymaps, which guides and libvirt use, and what xkeyboard-config calls them.
struct Alias {
  std::string_view qemu;
  const char* layout;
  const char* variant;
};
constexpr Alias kAliases[] = {
    {"en-us", "us", ""}, {"en-gb", "gb", ""}, {"de-ch", "ch", "de"}, {"fr-ch", "ch", "fr"},
    {"fr-be", "be", ""}, {"fr-ca", "ca", ""}, {"nl-be", "be", ""},   {"pt-br", "br", ""},
    {"ja", "jp", ""},    {"sv", "se", ""},    {"da", "dk", ""},      {"cz", "cz", ""},
    {"sl", "si", ""},    {"et", "ee", ""},    {"ar", "ara", ""},
};

/// Those behind the first 88, whose codes are the scan codes, but for the keypad's.
struct Extended {
  std::uint32_t linux_code;
  std::uint8_t scan_code;
};
constexpr Extended kExtended[] = {
    {KEY_RO, 0x73},       {KEY_KATAKANAHIRAGANA, 0x70},
    {KEY_HENKAN, 0x79},   {KEY_MUHENKAN, 0x7b},
    {KEY_KPENTER, 0x9c},  {KEY_RIGHTCTRL, 0x9d},
    {KEY_KPSLASH, 0xb5},  {KEY_SYSRQ, 0xb7},
    {KEY_RIGHTALT, 0xb8}, {KEY_HOME, 0xc7},
    {KEY_UP, 0xc8},       {KEY_PAGEUP, 0xc9},
    {KEY_LEFT, 0xcb},     {KEY_RIGHT, 0xcd},
    {KEY_END, 0xcf},      {KEY_DOWN, 0xd0},
    {KEY_PAGEDOWN, 0xd1}, {KEY_INSERT, 0xd2},
    {KEY_DELETE, 0xd3},   {KEY_PAUSE, 0xc6},
    {KEY_LEFTMETA, 0xdb}, {KEY_RIGHTMETA, 0xdc},
    {KEY_COMPOSE, 0xdd},  {KEY_YEN, 0x7d},
    {KEY_KPCOMMA, 0x7e},  {KEY_KPEQUAL, 0x59},
};

/// What has to be held for this level, as far as a PC keyboard can.
void note_modifiers(xkb_keymap* map,
                    xkb_keycode_t code,
                    xkb_level_index_t level,
                    Keymap::Key& key) {
  std::array<xkb_mod_mask_t, 8> masks{};
  const std::size_t count =
      xkb_keymap_key_get_mods_for_level(map, code, 0, level, masks.data(), masks.size());
  const auto bit = [map](const char* name) -> xkb_mod_mask_t {
    const xkb_mod_index_t index = xkb_keymap_mod_get_index(map, name);
    return index == XKB_MOD_INVALID ? 0 : xkb_mod_mask_t{1} << index;
  };
  if (count != 0) {
    key.shift = (masks[0] & bit(XKB_MOD_NAME_SHIFT)) != 0;
    key.third = (masks[0] & (bit("Mod5") | bit("LevelThree"))) != 0;
  }
}

}  // namespace

std::uint8_t scan_code(std::uint32_t linux_code) noexcept {
  if (linux_code >= KEY_ESC && linux_code <= KEY_KPDOT) {
    return static_cast<std::uint8_t>(linux_code);
  }
  if (linux_code >= KEY_102ND && linux_code <= KEY_F12) {
    return static_cast<std::uint8_t>(linux_code);
  }
  for (const Extended& key : kExtended) {
    if (key.linux_code == linux_code) {
      return key.scan_code;
    }
  }
  return 0;
}

Result<Keymap> Keymap::load(const std::string& layout) {
  const std::unique_ptr<xkb_context, Unref> context{xkb_context_new(static_cast<xkb_context_flags>(
      XKB_CONTEXT_NO_ENVIRONMENT_NAMES | XKB_CONTEXT_NO_SECURE_GETENV))};
  if (!context) {
    return Error{"the keyboard's layouts cannot be read"};
  }
  xkb_context_set_log_level(context.get(), XKB_LOG_LEVEL_CRITICAL);
  xkb_rule_names names{
      .rules = "evdev", .model = "pc105", .layout = layout.c_str(), .variant = "", .options = ""};
  for (const Alias& alias : kAliases) {
    if (alias.qemu == layout) {
      names.layout = alias.layout;
      names.variant = alias.variant;
    }
  }
  const std::unique_ptr<xkb_keymap, Unref> map{
      xkb_keymap_new_from_names(context.get(), &names, XKB_KEYMAP_COMPILE_NO_FLAGS)};
  if (!map) {
    return fail("keymap \"", layout,
                "\": xkeyboard-config has no such layout (its list is in "
                "/usr/share/X11/xkb/rules/base.lst)");
  }
  Keymap result;
  // The lowest level of a symbol wins, and on it the first key.
  constexpr xkb_level_index_t kLevels = 4;
  for (xkb_level_index_t level = 0; level < kLevels; ++level) {
    for (xkb_keycode_t code = xkb_keymap_min_keycode(map.get());
         code <= xkb_keymap_max_keycode(map.get()); ++code) {
      Key key{.code = code >= kX11Offset ? scan_code(code - kX11Offset) : std::uint8_t{0}};
      const xkb_keysym_t* symbols = nullptr;
      if (key.code == 0 ||
          xkb_keymap_key_get_syms_by_level(map.get(), code, 0, level, &symbols) != 1) {
        continue;
      }
      note_modifiers(map.get(), code, level, key);
      key.letter = xkb_keysym_to_upper(*symbols) != xkb_keysym_to_lower(*symbols);
      result.keys_.emplace(*symbols, key);
    }
  }
  return result;
}

std::optional<Keymap::Key> Keymap::find(std::uint32_t symbol) const {
  const auto found = keys_.find(symbol);
  return found != keys_.end() ? std::optional{found->second} : std::nullopt;
}

}  // namespace dm::display
