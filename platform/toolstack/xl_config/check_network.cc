// SPDX-License-Identifier: MIT
// Network cards: vif=[ ... ]. xl 4.17 leaves a piece out that it does not understand, says so on
// its standard error alone, and starts the guest without it: here that is an error.
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <limits>

namespace dm::toolstack {

namespace {

constexpr std::string_view kFreeKeys[] = {"ip",      "gatewaydev", "netdev", "script",
                                          "backend", "forwarddev", "accel"};

/// COLO's keys: only the whole of a row makes libxl write something.
constexpr std::array<std::array<std::string_view, 4>, 12> kColoRows = {{
    {"sock_mirror_id", "sock_mirror_ip", "sock_mirror_port"},
    {"sock_compare_pri_in_id", "sock_compare_pri_in_ip", "sock_compare_pri_in_port"},
    {"sock_compare_sec_in_id", "sock_compare_sec_in_ip", "sock_compare_sec_in_port"},
    {"sock_compare_notify_id", "sock_compare_notify_ip", "sock_compare_notify_port"},
    {"sock_redirector0_id", "sock_redirector0_ip", "sock_redirector0_port"},
    {"sock_redirector1_id", "sock_redirector1_ip", "sock_redirector1_port"},
    {"sock_redirector2_id", "sock_redirector2_ip", "sock_redirector2_port"},
    {"filter_mirror_queue", "filter_mirror_outdev"},
    {"filter_redirector0_queue", "filter_redirector0_indev"},
    {"filter_redirector0_queue", "filter_redirector0_outdev"},
    {"filter_redirector1_queue", "filter_redirector1_outdev"},
    {"compare_pri_in", "compare_sec_in", "compare_out", "compare_notify_dev"},
}};
/// Known to xl, and for the other side of a replication, or for nothing at all.
constexpr std::string_view kColoUnused[] = {"filter_redirector1_indev",
                                            "sock_sec_redirector0_id",
                                            "sock_sec_redirector0_ip",
                                            "sock_sec_redirector0_port",
                                            "sock_sec_redirector1_id",
                                            "sock_sec_redirector1_ip",
                                            "sock_sec_redirector1_port",
                                            "filter_sec_redirector0_queue",
                                            "filter_sec_redirector0_indev",
                                            "filter_sec_redirector0_outdev",
                                            "filter_sec_redirector1_queue",
                                            "filter_sec_redirector1_indev",
                                            "filter_sec_redirector1_outdev",
                                            "filter_sec_rewriter0_queue",
                                            "checkpoint_host",
                                            "checkpoint_port"};

struct CardSpec {
  std::string model = "rtl8139";  // xl's default
  std::string mac;
  std::string bridge = "xenbr0";
  std::string name;
  std::optional<unsigned> id;
  bool emulated = true;
  std::vector<std::string> colo;  ///< the keys it has
};

/// As strtoul() in base 16 reads it: what it reads is taken away. Nothing for no number, or one
/// above 255.
std::optional<unsigned> take_hex_byte(std::string_view& text) {
  const std::string owned{text};
  char* end = nullptr;
  const auto value = static_cast<unsigned>(std::strtoul(owned.c_str(), &end, 16));
  if (end == owned.c_str() || value > 0xff) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - owned.c_str()));
  return value;
}

/// xl's idea of a MAC: six numbers in hexadecimal, one character of any kind between two, and
/// whatever follows. Empty for anything else.
std::string read_mac(std::string_view text) {
  std::string mac;
  for (unsigned i = 0; i < 6; ++i) {
    text.remove_prefix(i == 0 || text.empty() ? 0 : 1);
    const auto byte = take_hex_byte(text);
    if (!byte) {
      return {};
    }
    std::array<char, sizeof ":00"> digits{};
    std::snprintf(digits.data(), digits.size(), ":%02x", *byte);
    mac += digits.data() + (i == 0 ? 1 : 0);
  }
  return mac;
}

/// Digits at the front, taken away, as strtoull() reads them without a base: a leading zero makes
/// them octal, as far as they are that. 0 for none, and for what does not fit into 32 bits.
struct Count {
  std::uint32_t value = 0;
  bool whole = true;  ///< no digit was left over
};
Count take_count(std::string_view& text) noexcept {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  const int base = !text.empty() && text[0] == '0' ? 8 : 10;
  Count count;
  const auto parsed = std::from_chars(text.data(), text.data() + end, count.value, base);
  count.whole = parsed.ptr == text.data() + end;
  count.value = parsed.ec == std::errc{} ? count.value : 0;
  text.remove_prefix(end);
  return count;
}
bool take_word(std::string_view& text, std::string_view word) noexcept {
  const bool there = text.substr(0, word.size()) == word;
  text.remove_prefix(there ? word.size() : 0);
  return there;
}

/// Microseconds of 20ms, 3us, 1s or 1; 0 for anything else, and for what 32 bits have no room for.
std::uint64_t interval_of(std::string_view text) noexcept {
  constexpr std::uint64_t kLongest = 0xffff'ffff;
  const Count count = take_count(text);
  const bool micro = take_word(text, "u");
  const bool milli = !micro && take_word(text, "m");
  const std::uint64_t unit = micro || !count.whole ? 1 : milli ? 1000 : 1'000'000;
  take_word(text, "s");
  return text.empty() && count.value <= kLongest / unit ? count.value * unit : 0;
}

/// 10Mb/s, 250KB/s@20ms: a number, a unit, and how often (libxlu_vif.c). xl ends for anything else.
bool is_rate(std::string_view text) noexcept {
  constexpr std::uint64_t kUsually = 50'000;
  const Count count = take_count(text);
  const std::uint64_t unit = take_word(text, "G")   ? 1'000'000'000
                             : take_word(text, "M") ? 1'000'000
                             : take_word(text, "K") ? 1000
                                                    : 1;
  const bool bits = take_word(text, "b");
  if ((!bits && !take_word(text, "B")) || !take_word(text, "/s")) {
    return false;
  }
  const std::uint64_t interval = take_word(text, "@") ? interval_of(text)
                                 : text.empty()       ? kUsually
                                                      : 0;
  const std::uint64_t rate = count.value * (count.whole ? unit : 1) / (bits ? 8 : 1);
  return count.value != 0 && interval != 0 &&
         rate <= std::numeric_limits<std::uint64_t>::max() / interval;
}

/// strtoul() passes over blanks and takes a sign.
bool begins_with_number(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size()));
  text.remove_prefix(!text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0);
  return !text.empty() && text[0] >= '0' && text[0] <= '9';
}

bool is_colo_key(std::string_view key) noexcept {
  const auto holds = [key](const auto& words) {
    return std::find(std::begin(words), std::end(words), key) != std::end(words);
  };
  return holds(kColoUnused) || std::any_of(kColoRows.begin(), kColoRows.end(), holds);
}

bool replicates(const CardSpec& card) {
  return std::any_of(kColoRows.begin(), kColoRows.end(), [&card](const auto& row) {
    return std::all_of(row.begin(), row.end(), [&card](std::string_view key) {
      return key.empty() || std::find(card.colo.begin(), card.colo.end(), key) != card.colo.end();
    });
  });
}

/// What is wrong with a number, or nothing.
std::string check_number(std::string_view key, std::string_view value) {
  return begins_with_number(value)
             ? std::string{}
             : "xl wants a number for " + std::string{key} + ", not '" + shown(value) + "'";
}

/// What is wrong with KEY=VALUE, or nothing.
std::string take(CardSpec& card, std::string_view key, std::string_view value) {
  static constexpr std::string_view kColo = "colo_";
  if (key == "type") {
    card.emulated = value != "vif";
    return value == "ioemu" || value == "vif" ? ""
                                              : "type is vif or ioemu, not '" + shown(value) + "'";
  }
  if (key == "mac") {
    card.mac = read_mac(value);
    return card.mac.empty() ? "xl wants six numbers in hexadecimal for mac, as 00:16:3e:01:02:03, "
                              "not '" +
                                  shown(value) + "': leave mac out and xl makes one up"
                            : "";
  }
  if (key == "rate") {
    return is_rate(value)
               ? ""
               : "xl wants a rate such as 10Mb/s or 250KB/s@20ms, not '" + shown(value) + "'";
  }
  if (key == "devid") {
    card.id = static_cast<unsigned>(std::strtoul(std::string{value}.c_str(), nullptr, 10));
    return check_number(key, value);
  }
  if (key == "mtu") {
    return check_number(key, value);
  }
  if (key == "model") {
    card.model = value;
  } else if (key == "bridge") {
    card.bridge = value;
  } else if (key == "vifname") {
    card.name = value;
  } else if (key.substr(0, kColo.size()) == kColo && is_colo_key(key.substr(kColo.size()))) {
    card.colo.emplace_back(key.substr(kColo.size()));
  } else if (std::find(std::begin(kFreeKeys), std::end(kFreeKeys), key) == std::end(kFreeKeys)) {
    return "xl does not understand '" + shown(key) + "' and leaves it out";
  }
  return {};
}

/// xl cuts at commas and passes over blanks before a piece; it knows its keys by "KEY=" alone.
std::string read_card(CardSpec& card, std::string_view spec) {
  while (!spec.empty()) {
    const std::size_t end = std::min(spec.find(','), spec.size());
    std::string_view piece = spec.substr(0, end);
    spec.remove_prefix(std::min(end + 1, spec.size()));
    piece.remove_prefix(std::min(piece.find_first_not_of(' '), piece.size()));
    if (piece.empty() || piece == "trusted" || piece == "untrusted") {
      continue;
    }
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos) {
      return "xl does not understand '" + shown(piece) + "': it wants KEY=VALUE";
    }
    const std::string_view key = piece.substr(0, equals);
    if (!key.empty() && (key.back() == ' ' || key.back() == '\t')) {
      return "xl does not understand '" + shown(piece) + "': it wants no blanks around '='";
    }
    std::string wrong = take(card, key, piece.substr(equals + 1));
    if (!wrong.empty()) {
      return wrong;
    }
  }
  return {};
}

/// xl makes one up, in Xen's own range.
std::string some_mac(unsigned index) {
  char text[sizeof "00:16:3e:00:00:00"];
  std::snprintf(text, sizeof text, "00:16:3e:00:%02x:%02x", index >> 8U & 0xffU, index & 0xffU);
  return text;
}

/// Xen's network scripts give an interface this name; an emulated card's has "-emu" behind it.
/// Linux ends at IFNAMSIZ, 16 with the zero.
std::string check_name(const CardSpec& card) {
  constexpr std::size_t kMost = 15;
  constexpr std::string_view kEmulated = "-emu";
  const std::size_t most = card.emulated ? kMost - kEmulated.size() : kMost;
  const bool odd = card.name.find_first_of(" \t/:%") != std::string::npos;
  if (card.name.size() <= most && !odd) {
    return {};
  }
  return "vifname=" + shown(card.name) + " is no name for an interface" +
         (card.emulated ? " and for " + shown(card.name) + "-emu beside it" : "") +
         ": write at most " + std::to_string(most) + " letters and digits";
}

}  // namespace

void Translator::cards() {
  unsigned index = 0;
  for (const XlValue* const spec : read.list("vif")) {
    card(index++, *spec);
  }
  const auto none = [](const MadeArgument& a) { return a.text == "-netdev"; };
  if (std::none_of(out.arguments.begin(), out.arguments.end(), none)) {
    add(0, "-net", "none");
  }
}

void Translator::card(unsigned index, const XlValue& spec) {
  CardSpec card;
  std::string wrong = read_card(card, spec.text);
  wrong = wrong.empty() ? check_name(card) : wrong;
  const unsigned id = card.id.value_or(index);
  if (!card_ids_.insert(id).second && wrong.empty()) {
    wrong = "devid=" + std::to_string(id) + " is another card's: write another, or none";
  }
  if (!wrong.empty()) {
    return error(spec.line, "vif: " + wrong);
  }
  ++out.pv_cards;  // an emulated card comes beside a PV one
  if (!card.emulated) {
    return;
  }
  const std::string n = std::to_string(id);
  const bool none = card.mac.empty() || card.mac == "00:00:00:00:00:00";
  add(spec.line, "-device",
      card.model + ",id=nic" + n + ",netdev=net" + n + ",mac=" + (none ? some_mac(id) : card.mac));
  add(spec.line, "-netdev",
      "type=tap,id=net" + n + ",ifname=vif1." + n + "-emu,br=" + card.bridge +
          ",script=no,downscript=no");
  if (replicates(card)) {
    add(spec.line, "-object", "filter-mirror");
  }
}

}  // namespace dm::toolstack
