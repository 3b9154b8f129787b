// SPDX-License-Identifier: MIT
// Settings that are a word of a list, and lists of such words: what ends xl 4.17 (xl_parse.c) or
// libxl although no device model is concerned.
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>
#include <array>
#include <limits>

namespace dm::toolstack {

namespace {

using Words = std::span<const std::string_view>;

struct Choice {
  std::string_view setting;
  Words words;
  bool any_case = true;      ///< libxl's own words; xl's own are in lower case
  std::int64_t numbers = 0;  ///< 0 to numbers - 1 do as well, by their place in a list
};

constexpr std::string_view kHdtypes[] = {"ide", "ahci"};
constexpr std::string_view kBioses[] = {"seabios", "ovmf", "rombios", "unknown"};
constexpr std::string_view kTimerModes[] = {"delay_for_missed_ticks", "no_delay_for_missed_ticks",
                                            "no_missed_ticks_pending", "one_missed_tick_pending",
                                            "unknown"};
constexpr std::string_view kTscModes[] = {"default", "always_emulate", "native", "native_paravirt"};
constexpr std::string_view kAltp2m[] = {"disabled", "mixed", "external", "limited"};
constexpr std::string_view kVendors[] = {"none", "xenserver"};
constexpr std::string_view kGraphics[] = {"default", "igd"};
constexpr std::string_view kPassthrough[] = {"default", "disabled", "enabled", "sync_pt",
                                             "share_pt"};
constexpr std::string_view kVuarts[] = {"unknown", "sbsa_uart"};
constexpr std::string_view kGics[] = {"default", "v2", "v3"};
constexpr std::string_view kTees[] = {"none", "optee"};
constexpr std::string_view kGenids[] = {"generate", "none"};
constexpr std::string_view kActions[] = {"destroy",   "restart",          "rename-restart",
                                         "preserve",  "coredump-destroy", "coredump-restart",
                                         "soft-reset"};
constexpr std::string_view kSounds[] = {"ac97", "adlib", "cs4231a", "es1370", "gus", "hda", "sb16"};
constexpr std::string_view kEnlightenments[] = {"base",
                                                "freq",
                                                "time_ref_count",
                                                "reference_tsc",
                                                "hcall_remote_tlb_flush",
                                                "apic_assist",
                                                "crash_ctl",
                                                "synic",
                                                "stimer",
                                                "hcall_ipi",
                                                "no_vp_limit",
                                                "cpu_hotplug",
                                                "ex_processor_masks"};

constexpr std::int64_t kAnyNumber = std::numeric_limits<std::int64_t>::max();
constexpr Choice kChoices[] = {
    {"hdtype", kHdtypes},
    {"bios", kBioses},
    {"timer_mode", kTimerModes, true, 4},
    {"tsc_mode", kTscModes, true, 4},
    {"altp2m", kAltp2m, true, 4},
    {"vendor_device", kVendors},
    {"gfx_passthru", kGraphics, true, kAnyNumber},
    {"passthrough", kPassthrough},
    {"vuart", kVuarts},
    {"gic_version", kGics},
    {"tee", kTees},
    {"soundhw", kSounds},
    {"ms_vm_genid", kGenids, false},
    {"on_poweroff", kActions, false},
    {"on_reboot", kActions, false},
    {"on_watchdog", kActions, false},
    {"on_crash", kActions, false},
    {"on_soft_reset", kActions, false},
};

bool holds(Words words, std::string_view text, bool any_case) {
  return std::any_of(words.begin(), words.end(), [text, any_case](std::string_view word) {
    return any_case ? same_word(word, text) : word == text;
  });
}

/// "ide or ahci", "a, b or c"; what libxl calls unknown nobody should write.
std::string listed(Words words) {
  std::string all;
  const bool hidden = words.back() == "unknown";
  const std::size_t count = words.size() - (hidden ? 1 : 0);
  for (std::size_t i = 0; i < count; ++i) {
    all.append(i == 0 ? "" : i + 1 == count ? " and " : ", ").append(words[i]);
  }
  return all;
}

}  // namespace

bool is_uuid(std::string_view text) noexcept {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return text.size() == kForm.size() &&
         std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           const bool hex =
               (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           return form == '-' ? c == '-' : hex;
         });
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

void Translator::words() {
  for (const Choice& choice : kChoices) {
    const auto text = read.text(choice.setting);
    if (!text || holds(choice.words, *text, choice.any_case)) {
      continue;
    }
    const auto number = choice.numbers != 0 ? read.plain_number(choice.setting) : std::nullopt;
    if (number && *number >= 0 && *number < choice.numbers) {
      continue;
    }
    error(read.line(choice.setting), std::string{choice.setting} + ": xl knows " +
                                         listed(choice.words) + ", not '" + shown(*text) + "'");
  }
  if (const auto uuid = read.text("uuid"); uuid && !is_uuid(*uuid)) {
    error(read.line("uuid"),
          "uuid: xl wants 36 characters such as "
          "5ed4d1b6-1e2c-4a6f-9b4e-0a6c1b1f2d3e, not '" +
              shown(*uuid) + "'");
  }
  for (const std::string_view name :
       {"max_grant_frames", "max_grant_version", "max_maptrack_frames"}) {
    const auto number = read.plain_number(name);
    if (read.find(name) != nullptr &&
        (!number || *number < 0 || *number > std::numeric_limits<std::int32_t>::max())) {
      error(read.line(name), std::string{name} + ": xl wants a number from 0 to 2147483647");
    }
  }
}

/// viridian is a number, or a list in which a '!' takes a word away again.
void Translator::word_lists() {
  const XlSetting* const viridian = read.find("viridian");
  if (viridian != nullptr && !viridian->value.is_list) {
    (void)read.number("viridian");  // says what xl ignores
  }
  for (const XlValue& item :
       viridian != nullptr ? std::span{viridian->value.items} : std::span<const XlValue>{}) {
    std::string_view word = item.text;
    const bool whole = word == "all" || word == "defaults";
    word.remove_prefix(word.substr(0, 1) == "!" ? 1 : 0);
    if (item.is_list || (!whole && !holds(kEnlightenments, word, true))) {
      error(item.line, "viridian: xl knows all, defaults, " + listed(kEnlightenments) + ", not '" +
                           shown(item.text) + "'");
    }
  }
  const XlSetting* const machine_check = read.find("mca_caps");
  if (machine_check == nullptr) {
    return;
  }
  const auto& items = machine_check->value.items;
  if (!machine_check->value.is_list ||
      std::any_of(items.begin(), items.end(), [](const XlValue& v) { return v.text != "lmce"; })) {
    error(machine_check->line, "mca_caps: xl knows [ 'lmce' ] alone");
  }
}

}  // namespace dm::toolstack
