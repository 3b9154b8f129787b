// SPDX-License-Identifier: MIT
#include "ioreq/machine/different_devices.h"

#include "core/text/printable.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <string_view>

namespace dm {

namespace {

using Names = std::set<std::string, std::less<>>;

/// A model of network cards: the device's name without its number, and what xl.cfg calls it.
struct Card {
  std::string_view device;
  std::string_view model;
};
constexpr std::array kCards{Card{"nic", "e1000"}, Card{"rtl8139-", "rtl8139"}};
constexpr std::string_view kSerial = "serial";
constexpr std::string_view kScreen = "vga";
constexpr std::string_view kBoot = "fw_cfg";
constexpr std::string_view kUsb = "uhci";

std::size_t count(const Card& card, const Names& names) {
  return static_cast<std::size_t>(std::ranges::count_if(
      names, [&card](const std::string& name) { return name.starts_with(card.device); }));
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
  if (name == kUsb) {
    return std::string{"usb: the USB controller (usb, usbdevice, usbversion=1)"} + change;
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
  const auto counted = [&](std::string_view name) {
    return std::ranges::any_of(kCards, [&](const Card& card) {
      return name.starts_with(card.device) && count(card, then) != count(card, now);
    });
  };
  for (const std::string& name : all) {
    if (then.contains(name) != now.contains(name) && !counted(name)) {
      texts.push_back(one_device(name, then.contains(name)));
    }
  }
  for (const Card& card : kCards) {
    if (const std::size_t before = count(card, then); before != count(card, now)) {
      texts.push_back("vif: emulated network cards (model=" + std::string{card.model} + ") were " +
                      std::to_string(before) + " and are " + std::to_string(count(card, now)));
    }
  }
  return texts;
}

}  // namespace dm
