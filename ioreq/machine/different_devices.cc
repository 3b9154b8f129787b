// SPDX-License-Identifier: MIT
#include "ioreq/machine/different_devices.h"

#include "core/text/printable.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>

namespace dm {

namespace {

using Names = std::set<std::string, std::less<>>;

constexpr std::string_view kCard = "nic";
constexpr std::string_view kSerial = "serial";
constexpr std::string_view kScreen = "vga";
constexpr std::string_view kBoot = "fw_cfg";

std::size_t cards_in(const Names& names) {
  return static_cast<std::size_t>(std::ranges::count_if(
      names, [](const std::string& name) { return name.starts_with(kCard); }));
}

/// "serial: COM2 was there and is not there"; the cards are counted instead.
std::string one_device(std::string_view name, bool was_there) {
  const std::string change = was_there ? " was there and is not" : " was not there and is";
  if (name.starts_with(kSerial) && name.size() == kSerial.size() + 1 && name.back() >= '0' &&
      name.back() < '9') {
    return "serial: COM" + std::string(1, static_cast<char>(name.back() + 1)) + change;
  }
  if (name == kScreen) {
    return std::string{"vga: the graphics card (any but \"none\")"} + change;
  }
  if (name == kBoot) {
    return std::string{"kernel: a kernel of the host"} + change;
  }
  return "device " + printable(name) + change;
}

}  // namespace

std::vector<std::string> different_devices(std::span<const SavedDevice> saved,
                                           std::span<const std::unique_ptr<Device>> here) {
  std::vector<std::string> texts;
  Names then;
  Names now;
  for (const SavedDevice& device : saved) {
    if (!then.insert(device.name).second) {
      texts.push_back("the saved state is damaged: it has " + printable(device.name) + " twice");
    }
  }
  for (const auto& device : here) {
    now.emplace(device->name());
  }
  Names all = then;
  all.insert(now.begin(), now.end());
  const bool same_cards = cards_in(then) == cards_in(now);
  for (const std::string& name : all) {
    if (then.contains(name) != now.contains(name) && (same_cards || !name.starts_with(kCard))) {
      texts.push_back(one_device(name, then.contains(name)));
    }
  }
  if (!same_cards) {
    texts.push_back("vif: emulated network cards (model=e1000) were " +
                    std::to_string(cards_in(then)) + " and are " + std::to_string(cards_in(now)));
  }
  return texts;
}

}  // namespace dm
