// SPDX-License-Identifier: MIT
// Network cards: vif=[ ... ].
#include "platform/toolstack/check_translate.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace dm::toolstack {

namespace {

constexpr std::string_view kKeys[] = {
    "type",  "mac",  "bridge",     "netdev", "gatewaydev", "ip",  "script",  "backend", "vifname",
    "model", "rate", "forwarddev", "accel",  "devid",      "mtu", "trusted", "vlan"};

struct CardSpec {
  std::string model = "rtl8139";  // xl's default
  std::string mac;
  std::string bridge = "xenbr0";
  std::string name;
  bool emulated = true;
  bool colo = false;
};

/// What is wrong with a piece, or nothing.
std::string take(CardSpec& card, const SpecPair& pair) {
  const std::string key{pair.key};
  if (!pair.value && key != "trusted") {
    return "vif: xl does not understand '" + shown(key) + "': it wants KEY=VALUE";
  }
  const std::string value{pair.value.value_or("")};
  if (key == "type") {
    card.emulated = value == "ioemu";
    return card.emulated || value == "vif" ? "" : "vif: type is vif or ioemu, not " + shown(value);
  }
  if (key == "model") {
    card.model = value;
  } else if (key == "mac") {
    card.mac = value;
  } else if (key == "bridge") {
    card.bridge = value;
  } else if (key == "vifname") {
    card.name = value;
  } else if (key.substr(0, 5) == "colo_") {
    card.colo = true;
  } else if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys)) {
    return "vif: xl does not understand '" + shown(key) + "'";
  }
  return {};
}

/// xl makes one up, in Xen's own range.
std::string some_mac(unsigned index) {
  char text[sizeof "00:16:3e:00:00:00"];
  std::snprintf(text, sizeof text, "00:16:3e:00:%02x:%02x", index >> 8U & 0xffU, index & 0xffU);
  return text;
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
  for (const SpecPair& pair : split_spec(spec.text)) {
    const std::string wrong = take(card, pair);
    if (!wrong.empty()) {
      return error(spec.line, wrong);
    }
  }
  ++out.pv_cards;  // an emulated card comes beside a PV one
  if (!card.emulated) {
    return;
  }
  const std::string n = std::to_string(index);
  add(spec.line, "-device",
      card.model + ",id=nic" + n + ",netdev=net" + n +
          ",mac=" + (card.mac.empty() ? some_mac(index) : card.mac));
  add(spec.line, "-netdev",
      "type=tap,id=net" + n + ",ifname=" + (card.name.empty() ? "vif1." + n : card.name) +
          "-emu,br=" + card.bridge + ",script=no,downscript=no");
  if (card.colo) {
    add(spec.line, "-object", "filter-mirror");
  }
}

}  // namespace dm::toolstack
