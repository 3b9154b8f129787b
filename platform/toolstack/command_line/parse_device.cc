// SPDX-License-Identifier: MIT
// -device MODEL: which models there are, and what becomes of each.
#include "platform/toolstack/command_line/parse.h"

#include <algorithm>
#include <string>

namespace dm::toolstack {

namespace {

enum class Kind : std::uint8_t {
  unserved,       ///< the table says which setting
  left_out,       ///< the guest starts without
  of_spice,       ///< the same where libxl writes it
  unserved_disk,  ///< the same, and it names its drive
  usb,            ///< a controller: whose it is shows when all is read
  uhci,
  usb_device,
  cd,
  card,
  vga,
  debug_port,
  noted,
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
    {"isa-debugcon",    Kind::debug_port,    {}},
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
    {"virtio-serial",   Kind::of_spice,      Unserved::spice},
    {"virtserialport",  Kind::of_spice,      Unserved::spice},
    {"usb-redir",       Kind::of_spice,      Unserved::spice},
    {"piix3-usb-uhci",  Kind::uhci,          {}},
    {"usb-tablet",      Kind::usb_device,    {}},
    {"usb-mouse",       Kind::usb_device,    {}},
    {"usb-kbd",         Kind::usb_device,    {}},
    {"ich9-usb-ehci1",  Kind::usb,           Unserved::usb_version},
    {"ich9-usb-uhci1",  Kind::usb,           Unserved::usb_version},
    {"ich9-usb-uhci2",  Kind::usb,           Unserved::usb_version},
    {"ich9-usb-uhci3",  Kind::usb,           Unserved::usb_version},
    {"nec-usb-xhci",    Kind::usb,           Unserved::usb_version},
    {"intel-hda",       Kind::left_out,      Unserved::sound},
    {"ich9-intel-hda",  Kind::left_out,      Unserved::sound},
    {"hda-output",      Kind::left_out,      Unserved::sound},
    {"hda-micro",       Kind::left_out,      Unserved::sound},
    {"hda-duplex",      Kind::left_out,      Unserved::sound},
    {"AC97",            Kind::left_out,      Unserved::sound},
    {"ac97",            Kind::left_out,      Unserved::sound},
    {"ES1370",          Kind::left_out,      Unserved::sound},
    {"es1370",          Kind::left_out,      Unserved::sound},
    {"adlib",           Kind::left_out,      Unserved::sound},
    {"cs4231a",         Kind::left_out,      Unserved::sound},
    {"gus",             Kind::left_out,      Unserved::sound},
    {"sb16",            Kind::left_out,      Unserved::sound},
    {"xen-pci-passthrough", Kind::unserved,  Unserved::pci_passthrough},
};
// clang-format on

/// Of the models that are plugged into the controller.
constexpr std::string_view kUsbPrefix = "usb-";
constexpr KeyRules kAnyKeys{.positional = "model", .any_key = true};

/// What a device that is refused names beside itself.
void leave_alone(Parse& parse, const KeyValues& device) {
  parse.left_alone.push_back(device.get("drive"));
  parse.left_alone.push_back(device.get("chardev"));
}

void take_none(Parse& parse, const Model& model, std::string_view value) {
  if (const auto device = KeyValues::split(value, kAnyKeys)) {
    leave_alone(parse, *device);
  }
  parse.usb_redirected = parse.usb_redirected || model.name == "usb-redir";
  const bool left_out = model.kind == Kind::left_out ||
                        (model.kind == Kind::of_spice && !parse.refusals.is_by_hand());
  if (left_out) {
    parse.refusals.leave_out(model.what, model.name);
  } else {
    parse.refusals.add(model.what, model.name);
  }
}

void refuse_unknown_model(Parse& parse, std::string_view value) {
  const std::string_view model = value.substr(0, value.find(','));
  const auto device = KeyValues::split(value, kAnyKeys);
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
    case Kind::debug_port:
      if (const auto device = KeyValues::split(value, kAnyKeys)) {
        leave_alone(parse, *device);
      }
      parse.refusals.add_without_effect(written_option(name, value),
                                        "what the guest writes to that port is lost");
      break;
    case Kind::noted:
      parse.note(name, value, "not there; drivers for it stay away");
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
    case Kind::left_out:
    case Kind::of_spice:
      take_none(parse, *found, value);
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
    if (parse.usb_redirected && !parse.refusals.is_by_hand()) {
      parse.refusals.leave_out(Unserved::spice, controller.model);
    } else {
      parse.refusals.add(Unserved::usb_version, controller.model);
    }
  }
}

}  // namespace dm::toolstack
