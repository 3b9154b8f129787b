// SPDX-License-Identifier: MIT
// Lists of devices and resources beyond disks and cards: what ends xl 4.17 while it reads them
// (xl_parse.c), whatever a device model can serve.
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <limits>

namespace dm::toolstack {

namespace {

using Words = std::span<const std::string_view>;

/// "KEY=VALUE,KEY=VALUE": xl passes over blanks before a piece and knows keys by "KEY=" alone.
struct SpecRule {
  std::string_view setting;
  Words keys;
  Words needed;
  std::string_view chosen;  ///< the key whose value is one of `words`, in any case
  Words words;
  bool whole = true;  ///< a piece without '=' is an error, not the end
};

constexpr std::string_view kShareKeys[] = {"security_model", "path", "tag", "backend"};
constexpr std::string_view kShareNeeds[] = {"path", "security_model", "tag"};
constexpr std::string_view kTpmKeys[] = {"backend", "uuid"};
constexpr std::string_view kBackend[] = {"backend"};
constexpr std::string_view kScreenKeys[] = {"backend", "be-alloc", "connectors"};
constexpr std::string_view kScreenNeeds[] = {"connectors"};
constexpr std::string_view kKeyboardKeys[] = {"backend",
                                              "backend-type",
                                              "unique-id",
                                              "feature-disable-keyboard",
                                              "feature-disable-pointer",
                                              "feature-abs-pointer",
                                              "feature-raw-pointer",
                                              "feature-multi-touch",
                                              "multi-touch-width",
                                              "multi-touch-height",
                                              "multi-touch-num-contacts",
                                              "width",
                                              "height"};
constexpr std::string_view kKeyboardNeeds[] = {"backend-type"};
constexpr std::string_view kKeyboardTypes[] = {"qemu", "linux"};
constexpr std::string_view kUsbKeys[] = {"type", "version", "ports"};
constexpr std::string_view kUsbTypes[] = {"auto", "pv", "devicemodel", "qusb"};
constexpr std::string_view kUsbDeviceKeys[] = {"type", "hostbus", "hostaddr", "controller", "port"};
constexpr std::string_view kUsbDeviceTypes[] = {"hostdev"};

constexpr SpecRule kRules[] = {
    {"p9", kShareKeys, kShareNeeds, {}, {}, false},
    {"vtpm", kTpmKeys, kBackend, {}, {}, false},
    {"pvcalls", kBackend, {}, {}, {}, false},
    {"vdispl", kScreenKeys, kScreenNeeds, {}, {}},
    {"vkb", kKeyboardKeys, kKeyboardNeeds, "backend-type", kKeyboardTypes},
    {"usbctrl", kUsbKeys, {}, "type", kUsbTypes},
    {"usbdev", kUsbDeviceKeys, {}, "type", kUsbDeviceTypes},
};

template <class Range>
bool holds(const Range& range, std::string_view word) {
  return std::find(std::begin(range), std::end(range), word) != std::end(range);
}

/// What is wrong with one entry, or nothing.
std::string check_spec(const SpecRule& rule, std::string_view spec) {
  std::vector<std::string_view> seen;
  while (!spec.empty()) {
    const std::size_t end = std::min(spec.find(','), spec.size());
    std::string_view piece = spec.substr(0, end);
    spec.remove_prefix(std::min(end + 1, spec.size()));
    if (piece.empty()) {
      continue;
    }
    piece.remove_prefix(std::min(piece.find_first_not_of(' '), piece.size()));
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos && !rule.whole) {
      break;
    }
    const std::string_view key = piece.substr(0, equals);
    if (equals == std::string_view::npos || !holds(rule.keys, key)) {
      return "xl does not understand '" + shown(piece) + "'";
    }
    const std::string_view value = piece.substr(equals + 1);
    const auto same = [value](std::string_view word) { return same_word(word, value); };
    if (key == "uuid" && !is_uuid(value)) {
      return "xl wants 36 characters for uuid, not '" + shown(value) + "'";
    }
    if (key == rule.chosen && std::none_of(rule.words.begin(), rule.words.end(), same)) {
      return "xl knows no " + std::string{key} + "=" + shown(value);
    }
    seen.push_back(key);
  }
  for (const std::string_view needed : rule.needed) {
    if (!holds(seen, needed)) {
      return "xl wants " + std::string{needed} + "=... in it";
    }
  }
  return {};
}

/// A number as strtoul() takes it off the front; nothing when there is none.
std::optional<std::uint64_t> take_number(std::string_view& text, int base) {
  const std::string owned{text};
  char* end = nullptr;
  const std::uint64_t value = std::strtoul(owned.c_str(), &end, base);
  if (end == owned.c_str()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - owned.c_str()));
  return value;
}

bool take_mark(std::string_view& text, char mark) noexcept {
  const bool there = !text.empty() && text[0] == mark;
  text.remove_prefix(there ? 1 : 0);
  return there;
}

constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();

/// 3f8, 3f8-3ff
bool is_ports(std::string_view text) {
  const auto first = take_number(text, 16);
  if (!first || *first >= kMost) {
    return false;
  }
  if (!take_mark(text, '-')) {
    return true;  // xl complains of what follows, and goes on
  }
  const auto last = take_number(text, 16);
  return last && text.empty() && *last < kMost;
}

bool is_irq(std::string_view text) {
  const auto number = take_number(text, 10);
  return number && text.empty() && *number < kMost;
}

/// fd000,10 or fd000,10@f0000
bool is_memory(std::string_view text) {
  return take_number(text, 16) && take_mark(text, ',') && take_number(text, 16) &&
         (text.empty() || (take_mark(text, '@') && take_number(text, 16) && text.empty()));
}

/// all, 3, 0-3, ^1, nodes:0, cut at commas. With `some` there has to be one that is not taken away:
/// xl looks at that when the file says how many vCPUs there are.
bool is_cpus(std::string_view text, bool some) {
  constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
  bool empty = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.empty()) {
      continue;
    }
    const bool without = take_mark(one, '^');
    empty = empty && without;
    for (const std::string_view nodes : {"node:", "nodes:"}) {
      if (one.substr(0, nodes.size()) == nodes) {
        one.remove_prefix(nodes.size());
        break;
      }
    }
    if (one == "all" && !without) {
      continue;
    }
    const auto first = take_number(one, 10);
    const auto last = take_mark(one, '-') ? take_number(one, 10) : first;
    if (!first || !last || *last < *first || *last == kNone || !one.empty()) {
      return false;
    }
  }
  return !(some && empty);
}

struct FormRule {
  std::string_view setting;
  bool (*good)(std::string_view);
  std::string_view form;
};
constexpr FormRule kForms[] = {
    {"ioports", is_ports, "ports in hexadecimal, 3f8 or 3f8-3ff"},
    {"irqs", is_irq, "numbers"},
    {"iomem", is_memory, "pages in hexadecimal, START,COUNT or START,COUNT@GFN"},
};

}  // namespace

void Translator::specs() {
  for (const SpecRule& rule : kRules) {
    for (const XlValue* const spec : read.list(rule.setting)) {
      if (const std::string wrong = check_spec(rule, spec->text); !wrong.empty()) {
        error(spec->line, std::string{rule.setting} + ": " + wrong);
      }
    }
  }
  for (const FormRule& rule : kForms) {
    const XlSetting* const setting = read.find(rule.setting);
    if (setting == nullptr || !setting->value.is_list) {
      continue;  // xl ignores it, as it says
    }
    for (const XlValue& item : setting->value.items) {
      if (item.is_list || !rule.good(item.text)) {
        error(item.line, std::string{rule.setting} + ": xl wants " + std::string{rule.form} +
                             ", not '" + shown(item.text) + "'");
      }
    }
  }
  for (const std::string_view name : {"cpus", "cpus_soft"}) {
    cpus(name);
  }
  for (const std::string_view name : {"vnuma", "vsnd"}) {
    lists_of_lists(name);
  }
  if (const auto text = read.text("device_model_args_pv")) {
    error(read.line("device_model_args_pv"), "device_model_args_pv: xl wants a list: [ '...' ]");
  }
}

/// One text for all vCPUs, or a list of which xl reads as many as there are vCPUs, and no further
/// than a list in it.
void Translator::cpus(std::string_view name) {
  const XlSetting* const setting = read.find(name);
  if (setting == nullptr) {
    return;
  }
  const XlValue& value = setting->value;
  const auto vcpus = std::max({read.plain_number("vcpus").value_or(0),
                               read.plain_number("maxvcpus").value_or(0), std::int64_t{0}});
  const std::span<const XlValue> items =
      value.is_list ? std::span{value.items} : std::span<const XlValue>{&value, 1};
  const std::size_t most = value.is_list ? static_cast<std::size_t>(vcpus) : 1;
  for (std::size_t i = 0; i < std::min(items.size(), most) && !items[i].is_list; ++i) {
    if (!is_cpus(items[i].text, name == "cpus" && vcpus != 0)) {
      error(items[i].line, std::string{name} +
                               ": xl wants CPUs, such as all, 0-3,^1 or node:0, not '" +
                               shown(items[i].text) + "'");
    }
  }
}

/// Of virtual NUMA nodes and sound cards each is a list itself.
void Translator::lists_of_lists(std::string_view name) {
  const XlSetting* const setting = read.find(name);
  if (setting == nullptr) {
    return;
  }
  for (const XlValue& item : setting->value.items) {
    if (!item.is_list) {
      error(item.line,
            std::string{name} + ": xl wants a list of lists, not '" + shown(item.text) + "'");
    }
  }
}

}  // namespace dm::toolstack
