// SPDX-License-Identifier: MIT
// Settings beyond disks and cards: USB, sound, passed-through devices, and back ends that QEMU
// would be.
#include "platform/toolstack/check_translate.h"

#include <algorithm>

namespace dm::toolstack {

void Translator::usb_and_sound() {
  const auto devices = read.list_or_text("usbdevice");
  const std::int64_t redirected =
      read.on("spice", false) ? read.number("spiceusbredirection").value_or(0) : 0;
  const std::int64_t version = read.number("usbversion").value_or(redirected > 0 ? 2 : 0);
  if (read.on("usb", false) || !devices.empty()) {
    add(read.line(read.on("usb", false) ? "usb" : "usbdevice"), "-usb");
    for (const XlValue* const device : devices) {
      add(device->line, "-usbdevice", device->text);
    }
  } else if (version == 1) {
    add(read.line("usbversion"), "-device", "piix3-usb-uhci,id=usb");
  } else if (version == 2) {
    add(read.line("usbversion"), "-device", "ich9-usb-ehci1,id=usb,addr=0x1d.0x7,multifunction=on");
  } else if (version == 3) {
    add(read.line("usbversion"), "-device", "nec-usb-xhci,id=usb");
  } else if (version != 0) {
    error(read.line("usbversion"), "usbversion: xl knows 1, 2 and 3");
  }
  if (const auto sound = read.text("soundhw")) {
    if (*sound == "hda") {
      add(read.line("soundhw"), "-device", "intel-hda");
      add(read.line("soundhw"), "-device", "hda-duplex");
    } else {
      add(read.line("soundhw"), "-device", std::string{*sound == "ac97" ? "AC97" : *sound});
    }
  }
}

/// libxl asks for these by QMP when the device model runs already, and ends the guest when it
/// cannot have them.
void Translator::passed_through() {
  for (const XlValue* const device : read.list("pci")) {
    out.later.push_back({Unserved::pci_passthrough, shown(device->text), device->line});
  }
  bool kernel_s = false;
  for (const XlValue* const controller : read.list("usbctrl")) {
    const auto pairs = split_spec(controller->text);
    const bool pv = std::any_of(pairs.begin(), pairs.end(), [](const SpecPair& pair) {
      return pair.key == "type" && pair.value == "pv";
    });
    kernel_s = kernel_s || pv;
    if (!pv) {
      out.later.push_back({Unserved::usb, "usbctrl", controller->line});
    }
  }
  for (const XlValue* const device : read.list("usbdev")) {
    if (!kernel_s) {
      out.later.push_back({Unserved::usb, "usbdev", device->line});
    }
  }
}

void Translator::other_back_ends() {
  if (read.on("vkb_device", true) && read.on("dm_restrict", false)) {
    hint(read.line("vkb_device"),
         "vkb_device: xl gives the guest a PV keyboard unless told otherwise, and with "
         "dm_restrict=1 nobody serves it: a Linux guest waits 30 s for it at boot. Write "
         "vkb_device=0");
  }
  for (const XlValue* const keyboard : read.list("vkb")) {
    if (keyboard->text.find("backend-type=linux") == std::string::npos) {
      hint(keyboard->line, "vkb: a PV keyboard on which nobody can type");
    }
  }
  for (const XlValue* const screen : read.list("vfb")) {
    hint(screen->line, "vfb: a PV screen that QEMU would serve: the guest finds it closed");
  }
  for (const XlValue* const share : read.list("p9")) {
    hint(share->line, "p9: a shared directory that QEMU would serve: the guest does not get it");
  }
  const auto bios = read.text("bios").value_or(read.text("firmware").value_or("seabios"));
  const unsigned line = read.line(read.text("bios") ? "bios" : "firmware");
  if (bios == "rombios") {
    error(line, "bios: xl has rombios for qemu-xen-traditional only: write bios=\"seabios\"");
  } else if (bios != "seabios" && bios != "bios") {
    hint(line, "bios: stubdm is tested with SeaBIOS, not with " + shown(bios));
  }
}

void Translator::unknown_settings() {
  static constexpr std::string_view kLists[] = {"disk",
                                                "vif",
                                                "channel",
                                                "pci",
                                                "usbctrl",
                                                "usbdev",
                                                "vfb",
                                                "vkb",
                                                "p9",
                                                "vtpm",
                                                "device_model_args",
                                                "device_model_args_hvm",
                                                "serial",
                                                "vnuma",
                                                "cpuid",
                                                "cpus",
                                                "cpus_soft",
                                                "usbdevice",
                                                "ioports",
                                                "irqs",
                                                "iomem",
                                                "vsnd",
                                                "viridian",
                                                "bootloader_args",
                                                "dtdev",
                                                "vdispl",
                                                "pvcalls",
                                                "mca_caps",
                                                "device_model_args_pv",
                                                "vif2",
                                                "virtio"};
  for (const XlSetting& setting : config_.settings()) {
    const std::string name = shown(setting.name);
    if (setting.earlier_line != 0) {
      hint(setting.line, name + ": it is in line " + std::to_string(setting.earlier_line) +
                             " too, and this later line counts");
    }
    if (!known_to_xl(setting.name)) {
      hint(setting.line, name + ": xl 4.17 knows no such setting and ignores it");
    } else if (setting.value.is_list &&
               std::find(std::begin(kLists), std::end(kLists), setting.name) == std::end(kLists)) {
      hint(setting.line, name + ": xl wants a single value, not a list, and ignores this");
    }
  }
}

}  // namespace dm::toolstack
