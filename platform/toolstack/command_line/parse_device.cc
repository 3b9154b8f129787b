// SPDX-License-Identifier: MIT
// -device MODEL: which models there are, and what becomes of each.
#include "platform/toolstack/command_line/parse.h"

#include <algorithm>
#include <string>

namespace dm::toolstack {

namespace {

enum class Kind : std::uint8_t {
  unserved,       ///< the table says which setting
  unserved_disk,  ///< the same, and it names its drive
  usb,            ///< a controller: whose it is shows when all is read
  uhci,
  usb_device,
  cd,
  card,
  vga,
  noted,
  spice,  ///< goes with SPICE
  sound,
};

struct Model {
  std::string_view name;
  Kind kind;
  Unserved what;
};

// Every model that libxl 4.17 can name but for network cards, which are known by their netdev=, and
// what people write for a screen. Anything else is unknown: device_model_args names it.
// clang-format off
constexpr Model kModels[] = {
    {"ide-cd",          Kind::cd,            {}},
    {kE1000Model,       Kind::card,          {}},
    {kRtl8139Model,     Kind::card,          {}},
    {"xen-pvdevice",    Kind::noted,         {}},
    {"VGA",             Kind::vga,           {}},
    {"cirrus-vga",      Kind::vga,           {}},
    {"qxl-vga",         Kind::unserved,      Unserved::vga},
    {"qxl",             Kind::unserved,      Unserved::vga},
    {"bochs-display",   Kind::unserved,      Unserved::vga},
    {"virtio-vga",      Kind::unserved,      Unserved::vga},
    {"lsi53c895a",      Kind::unserved,      Unserved::scsi_disk},
    {"scsi-hd",         Kind::unserved_disk, Unserved::scsi_disk},
    {"scsi-cd",         Kind::unserved_disk, Unserved::scsi_disk},
    {"ahci",            Kind::unserved,      Unserved::ahci_disk},
    {"ide-hd",          Kind::unserved_disk, Unserved::ahci_disk},
    {"virtio-serial",   Kind::spice,         {}},
    {"virtserialport",  Kind::spice,         {}},
    {"usb-redir",       Kind::spice,         {}},
    {"piix3-usb-uhci",  Kind::uhci,          {}},
    {"usb-tablet",      Kind::usb_device,    {}},
    {"usb-mouse",       Kind::usb_device,    {}},
    {"usb-kbd",         Kind::usb_device,    {}},
    {"ich9-usb-ehci1",  Kind::usb,           Unserved::usb_version},
    {"ich9-usb-uhci1",  Kind::usb,           Unserved::usb_version},
    {"ich9-usb-uhci2",  Kind::usb,           Unserved::usb_version},
    {"ich9-usb-uhci3",  Kind::usb,           Unserved::usb_version},
    {"nec-usb-xhci",    Kind::usb,           Unserved::usb_version},
    {"intel-hda",       Kind::sound,         {}},
    {"hda-duplex",      Kind::sound,         {}},
    {"AC97",            Kind::sound,         {}},
    {"ac97",            Kind::sound,         {}},
    {"ES1370",          Kind::sound,         {}},
    {"es1370",          Kind::sound,         {}},
    {"adlib",           Kind::sound,         {}},
    {"cs4231a",         Kind::sound,         {}},
    {"gus",             Kind::sound,         {}},
    {"sb16",            Kind::sound,         {}},
    {"xen-pci-passthrough", Kind::unserved,  Unserved::pci_passthrough},
};
// clang-format on

/// Of the models that are plugged into the controller.
constexpr std::string_view kUsbPrefix = "usb-";

/// What a device that is refused names beside itself.
void leave_alone(Parse& parse, const KeyValues& device) {
  parse.left_alone.push_back(device.get("drive"));
  parse.left_alone.push_back(device.get("chardev"));
}

void refuse_unknown_model(Parse& parse, std::string_view value) {
  static constexpr KeyRules kRules{.positional = "model", .any_key = true};
  const std::string_view model = value.substr(0, value.find(','));
  const auto device = KeyValues::split(value, kRules);
  if (device) {
    leave_alone(parse, *device);
  }
  if (device && device->find("netdev")) {
    take_other_card(parse, *device);
  } else {
    parse.refusals.add(Unserved::unknown_device, model.empty() ? "(an empty name)" : model);
  }
}

}  // namespace

void take_device(Parse& parse, std::string_view name, std::string_view value) {
  static constexpr KeyRules kRules{.positional = "model", .any_key = true};
  const std::string_view model = value.substr(0, value.find(','));
  const auto* const found = std::find_if(std::begin(kModels), std::end(kModels),
                                         [model](const Model& m) { return m.name == model; });
  // libxl writes ide-hd for AHCI alone: for IDE its -drive has if=ide.
  const bool ide = value.find(",bus=ide.") != std::string_view::npos;
  if (found == std::end(kModels) || (found->what == Unserved::ahci_disk && ide)) {
    refuse_unknown_model(parse, value);
    return;
  }
  switch (found->kind) {
    case Kind::cd:
      take_cd(parse, value);
      break;
    case Kind::card:
      take_card(parse, model, value);
      break;
    case Kind::vga:
      take_vga(parse, value);
      break;
    case Kind::noted:
      parse.note(name, value, "not there; drivers for it stay away");
      break;
    case Kind::sound:
      parse.note(name, value, "the guest has no sound card: nothing of it would be heard");
      break;
    case Kind::spice:
      parse.usb_redirected = parse.usb_redirected || model == "usb-redir";
      parse.note(name, value,
                 "there is no such port or bus: agents of SPICE and QEMU are not reached");
      if (const auto device = KeyValues::split(value, kRules)) {
        leave_alone(parse, *device);
      }
      break;
    case Kind::unserved_disk:
      refuse_disk(parse, found->what, value);
      break;
    case Kind::usb:
      parse.usb_controllers.push_back({model, parse.refusals.argument()});
      break;
    case Kind::uhci:
      take_usb(parse, name, value);
      break;
    case Kind::usb_device:
      take_usb_device(parse, name,
                      model == "usb-kbd" ? "keyboard" : model.substr(kUsbPrefix.size()));
      break;
    case Kind::unserved:
      if (const auto device = KeyValues::split(value, kRules)) {
        leave_alone(parse, *device);
      }
      parse.refusals.add(found->what, model);
      break;
  }
}

void take_usb(Parse& parse, std::string_view /*name*/, std::string_view /*value*/) {
  if (!parse.config.usb) {
    parse.config.usb.emplace();
  }
}

/// As with QEMU, a device brings its controller.
void take_usb_device(Parse& parse, std::string_view name, std::string_view value) {
  take_usb(parse, name, value);
  std::vector<UsbDevice>& devices = parse.config.usb->devices;
  const auto* const known = std::find(kUsbDeviceNames.begin(), kUsbDeviceNames.end(), value);
  if (known == kUsbDeviceNames.end()) {
    parse.refusals.add(Unserved::usb_model, value.empty() ? "(an empty name)" : value);
  } else if (devices.size() == UsbConfig::kPorts) {
    parse.refusals.add(Unserved::usb_model, std::string{value} + " (beyond two)");
  } else {
    devices.push_back(static_cast<UsbDevice>(known - kUsbDeviceNames.begin()));
  }
}

void join_usb(Parse& parse) {
  for (const UsbArgument& controller : parse.usb_controllers) {
    parse.refusals.set_argument(controller.argument);
    if (parse.usb_redirected) {
      parse.note("device", controller.model, "there is no SPICE that would use it");
    } else {
      parse.refusals.add(Unserved::usb_version, controller.model);
    }
  }
}

}  // namespace dm::toolstack
