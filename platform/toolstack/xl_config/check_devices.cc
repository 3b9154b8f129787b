// SPDX-License-Identifier: MIT
// Settings beyond disks and cards: USB, sound, passed-through devices, and back ends that QEMU
// would be.
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>

namespace dm::toolstack {

void Translator::usb_and_sound() {
  const auto devices = read.list_or_text("usbdevice");
  // libxl makes a controller for redirected devices, which goes with SPICE.
  const bool spice = read.on("spice", false) && !stub_;
  const std::int64_t redirected = spice ? read.number("spiceusbredirection").value_or(0) : 0;
  const std::int64_t version = read.number("usbversion").value_or(0);
  const bool usb = read.on("usb", false) || !devices.empty();
  if (usb && (version != 0 || redirected > 0)) {
    error(read.line(version != 0 ? "usbversion" : "spiceusbredirection"),
          "usbversion: xl refuses it, and spiceusbredirection, beside usb and usbdevice: leave it "
          "out");
  }
  if (usb) {
    add(read.line(read.on("usb", false) ? "usb" : "usbdevice"), "-usb");
    for (const XlValue* const device : devices) {
      add(device->line, "-usbdevice", device->text);
    }
  } else if (version == 1) {
    add(read.line("usbversion"), "-device", "piix3-usb-uhci,id=usb");
  } else if (version == 2 || (version == 0 && redirected > 0)) {
    add(read.line(version == 2 ? "usbversion" : "spiceusbredirection"), "-device",
        "ich9-usb-ehci1,id=usb,addr=0x1d.0x7,multifunction=on");
  } else if (version == 3) {
    add(read.line("usbversion"), "-device", "nec-usb-xhci,id=usb");
  } else if (version != 0) {
    error(read.line("usbversion"), "usbversion: xl knows 1, 2 and 3");
  }
  if (redirected > 0) {
    add(read.line("spiceusbredirection"), "-device", "usb-redir,chardev=usbrc1,id=usbrc1");
  }
  sound();
}

/// libxl has a list of its own, and compares in any case.
void Translator::sound() {
  const auto card = read.text("soundhw");
  if (!card) {
    return;
  }
  static constexpr std::string_view kModels[] = {"ac97",   "adlib", "cs4231a",
                                                 "es1370", "gus",   "sb16"};
  const auto* const found =
      std::find_if(std::begin(kModels), std::end(kModels),
                   [&card](std::string_view model) { return same_word(model, *card); });
  const unsigned line = read.line("soundhw");
  if (same_word(*card, "hda")) {
    add(line, "-device", "intel-hda");
    add(line, "-device", "hda-duplex");
  } else if (found != std::end(kModels)) {
    add(line, "-device", std::string{*found == "ac97" ? "AC97" : *found});
  }  // any other has been told by words()
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
      return pair.key == "type" && pair.value && same_word(*pair.value, "pv");
    });
    kernel_s = kernel_s || pv;
    if (!pv) {
      out.later.push_back({Unserved::usb_controller, "usbctrl", controller->line});
    }
  }
  for (const XlValue* const device : read.list("usbdev")) {
    if (!kernel_s) {
      out.later.push_back({Unserved::usb_device, "usbdev", device->line});
    }
  }
  // The device model would be its back end: without one the guest waits for it, and does not get
  // it.
  for (const XlValue* const share : read.list("p9")) {
    std::string path = share->text;
    for (const SpecPair& pair : split_spec(share->text)) {
      path = pair.key == "path" ? pair.value.value_or("") : path;
    }
    out.later.push_back({Unserved::shared_directory, shown(path), share->line});
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
    const auto pairs = split_spec(keyboard->text);
    const bool of_linux = std::any_of(pairs.begin(), pairs.end(), [](const SpecPair& pair) {
      return pair.key == "backend-type" && pair.value && same_word(*pair.value, "linux");
    });
    if (!of_linux) {
      hint(keyboard->line, "vkb: a PV keyboard on which nobody can type");
    }
  }
  for (const XlValue* const screen : read.list("vfb")) {
    hint(screen->line, "vfb: a PV screen that QEMU would serve: the guest finds it closed");
  }
  firmware();
}

/// bios and firmware name the same thing; firmware, which xl reads last, wins. Of "uefi" and "bios"
/// it takes any beginning, anything unknown for the path of a firmware of one's own.
void Translator::firmware() {
  static constexpr std::string_view kUefi = "uefi";
  static constexpr std::string_view kBios = "bios";
  const auto given = read.text("firmware");
  const auto named = [](std::string_view text) {
    return same_word(text, "ovmf") || same_word(text, "seabios") || same_word(text, "rombios");
  };
  std::string_view setting = "bios";
  std::string_view kind = read.text("bios").value_or("seabios");
  if (given && (named(*given) || kUefi.substr(0, given->size()) == *given)) {
    setting = "firmware";
    kind = named(*given) ? *given : "ovmf";
  } else if (given && kBios.substr(0, given->size()) != *given && !same_word(*given, "unknown")) {
    hint(read.line("firmware"),
         "firmware: stubdm is tested with Xen's own hvmloader, not with " + shown(*given));
  }
  const unsigned line = read.line(setting);
  const std::string heading = std::string{setting} + ": ";
  if (same_word(kind, "rombios")) {
    error(line, heading + "xl has rombios for qemu-xen-traditional only: write " +
                    std::string{setting} + "=\"seabios\"");
  } else if (same_word(kind, "ovmf")) {
    hint(line, heading + "stubdm is tested with SeaBIOS, not with " +
                   shown(setting == "firmware" ? *given : kind));
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
                                                "vif2"};
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
