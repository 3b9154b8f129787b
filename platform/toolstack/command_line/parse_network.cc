// SPDX-License-Identifier: MIT
// Network cards (-device MODEL,netdev=...) and their -netdev.
#include "platform/toolstack/command_line/parse.h"

#include <algorithm>
#include <string>

namespace dm::toolstack {

namespace {

constexpr std::size_t kMaxCards = 8;
/// IFNAMSIZ without the final zero (Linux, uapi/linux/if.h).
constexpr std::size_t kMaxInterfaceName = 15;

bool is_interface_name(std::string_view name) noexcept {
  const auto bad = [](char c) { return c <= ' ' || c == '/' || c == ':' || c == '%' || c == 0x7f; };
  return !name.empty() && name.size() <= kMaxInterfaceName && name != "." && name != ".." &&
         std::none_of(name.begin(), name.end(), bad);
}

NetdevArgument* find_netdev(Parse& parse, std::string_view id) noexcept {
  const auto found = std::find_if(parse.netdevs.begin(), parse.netdevs.end(),
                                  [id](const NetdevArgument& n) { return n.id == id; });
  return found == parse.netdevs.end() ? nullptr : &*found;
}

void join_card(Parse& parse, const CardArgument& card) {
  NetdevArgument* const netdev = find_netdev(parse, card.netdev);
  if (netdev == nullptr || netdev->use != Use::none) {
    parse.broken("device", card.text,
                 netdev == nullptr ? "there is no such -netdev" : "its -netdev has a user already");
    return;
  }
  netdev->use = Use::served;
  NicConfig nic;
  nic.id = card.id;
  nic.model = card.model;
  nic.mac = card.mac;
  if (card.rom) {
    nic.rom = std::string{*card.rom};
  }
  (netdev->shared ? nic.interface : nic.tap_name) = netdev->ifname;
  nic.tap_fd = netdev->fd;
  nic.bridge = netdev->bridge;
  parse.config.nics.push_back(std::move(nic));
}

}  // namespace

void take_card(Parse& parse, std::string_view model, std::string_view value) {
  static constexpr std::string_view kKeys[] = {"id", "netdev", "mac", "romfile"};
  const auto keys = parse.split("device", value, {.known = kKeys, .positional = "model"});
  if (!keys) {
    return;
  }
  const auto mac = parse_mac(keys->get("mac"));
  if (!mac || keys->get("netdev").empty()) {
    parse.broken("device", value, "not a card with a netdev= and a mac= of six bytes");
    return;
  }
  const CardArgument card{.text = value,
                          .model = model,
                          .id = keys->get("id"),
                          .netdev = keys->get("netdev"),
                          .mac = *mac,
                          .argument = parse.refusals.argument(),
                          .rom = keys->find("romfile")};
  if (parse.cards.size() == kMaxCards) {
    parse.refusals.add(Unserved::nic_count, card.id);
    parse.cards_of_other_models.push_back(card.netdev);
  } else {
    parse.cards.push_back(card);
  }
}

void take_other_card(Parse& parse, const KeyValues& device) {
  const std::string_view id = device.get("id");
  std::string seen{device.get("model")};
  seen.append(" (").append(id.empty() ? device.get("netdev") : id).append(")");
  parse.refusals.add(Unserved::nic_model, seen);
  parse.cards_of_other_models.push_back(device.get("netdev"));
}

void take_netdev(Parse& parse, std::string_view name, std::string_view value) {
  static constexpr std::string_view kKeys[] = {"type",   "id",         "ifname", "br",
                                               "script", "downscript", "fd"};
  const auto keys = parse.split(name, value, {.known = kKeys, .positional = "type"});
  if (!keys) {
    return;
  }
  NetdevArgument netdev;
  netdev.text = value;
  netdev.argument = parse.refusals.argument();
  netdev.id = keys->get("id");
  netdev.ifname = keys->get("ifname");
  netdev.bridge = keys->get("br");
  const auto fd = keys->find("fd");
  const auto fd_number = fd ? parse_number<int>(*fd, 0, 65535) : std::nullopt;
  netdev.shared = keys->get("type") == "packet";
  if ((keys->get("type") != "tap" && !netdev.shared) || netdev.id.empty()) {
    parse.broken(name, value, "neither type=tap nor our own type=packet, with an id=");
  } else if (netdev.shared && fd) {
    parse.broken(name, value, "type=packet shares an interface of the host, ifname=");
  } else if (find_netdev(parse, netdev.id) != nullptr) {
    parse.broken(name, value, "a second netdev of this id");
  } else if (fd ? !fd_number || !netdev.ifname.empty() : !is_interface_name(netdev.ifname)) {
    parse.broken(
        name, value,
        "neither ifname= with an interface name of 1 to 15 characters nor fd= with a number");
  } else {
    for (const std::string_view script : {"script", "downscript"}) {
      const auto path = keys->find(script);
      if (path && *path != "no") {
        parse.note(name, value, "scripts are not run: that is the toolstack's part");
        break;
      }
    }
    netdev.fd = fd_number.value_or(-1);
    parse.netdevs.push_back(netdev);
  }
}

void take_net(Parse& parse, std::string_view name, std::string_view value) {
  if (value != "none") {
    parse.broken(name, value, "only -net none is known");
  }
}

void join_cards(Parse& parse) {
  for (const std::string_view id : parse.cards_of_other_models) {
    if (NetdevArgument* const netdev = find_netdev(parse, id)) {
      netdev->use = Use::refused;
    }
  }
  for (const CardArgument& card : parse.cards) {
    parse.refusals.set_argument(card.argument);
    join_card(parse, card);
  }
  for (const NetdevArgument& netdev : parse.netdevs) {
    parse.refusals.set_argument(netdev.argument);
    if (netdev.use == Use::none) {
      parse.broken("netdev", netdev.text, "no -device uses it");
    }
  }
}

}  // namespace dm::toolstack
