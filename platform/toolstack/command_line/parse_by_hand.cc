// SPDX-License-Identifier: MIT
// Options that libxl never writes and people put into device_model_args: those of QEMU that would
// change nothing for a guest under Xen, or nothing that is missed.
#include "platform/toolstack/command_line/parse.h"

#include <algorithm>
#include <array>
#include <string>

namespace dm::toolstack {

namespace {

struct Reason {
  std::string_view name;
  std::string_view why;
};

constexpr std::string_view kDebug = "what the guest writes to that port is lost";
constexpr std::string_view kNoSound = "there is no sound";
constexpr std::string_view kClock = "the clocks and timers are Xen's";

// Sources: QEMU's qemu-options.hx; xl.cfg(5) for what to write instead.
// clang-format off
constexpr Reason kOptionReasons[] = {
    {"debugcon",          kDebug},
    {"audiodev",          kNoSound},
    {"audio",             kNoSound},
    {"disable-audio-rec", kNoSound},  // OpenXT's QEMU
    {"rtc",               "the clock is Xen's: localtime= and rtc_timeoffset= in xl.cfg set it"},
    {"no-hpet",           "the timer is Xen's: hpet=0 in xl.cfg takes it away"},
    {"cpu",               "the processor is Xen's: cpuid= in xl.cfg changes what is seen of it"},
    {"uuid",              "the guest sees what uuid= in xl.cfg says"},
    {"smbios",            "hvmloader writes these tables: smbios_firmware= in xl.cfg adds to them"},
    {"acpitable",         "hvmloader writes these tables: acpi_firmware= in xl.cfg adds to them"},
    {"bios",              "hvmloader brings the firmware: bios_path_override= in xl.cfg names it"},
    {"no-fd-bootchk",     "there is no floppy drive"},
    {"msg",               "the log has a form of its own"},
};

/// Devices whose properties `-global` may name, for nothing comes of them.
constexpr Reason kGlobalReasons[] = {
    {"isa-debugcon", kDebug},
    {"AC97",         kNoSound},
    {"ES1370",       kNoSound},
    {"intel-hda",    kNoSound},
    {"hda-duplex",   kNoSound},
    {"sb16",         kNoSound},
    {"mc146818rtc",  kClock},
    {"kvm-pit",      kClock},
    {"isa-pit",      kClock},
    {"hpet",         kClock},
    {"PIIX4_PM",     "hvmloader's ACPI tables decide: acpi_s3= and acpi_s4= in xl.cfg"},
};
// clang-format on

template <std::size_t N>
std::string_view reason_for(const Reason (&reasons)[N], std::string_view name) noexcept {
  const auto* const found = std::find_if(std::begin(reasons), std::end(reasons),
                                         [name](const Reason& r) { return r.name == name; });
  return found == std::end(reasons) ? std::string_view{} : found->why;
}

/// Takes what asks for nothing at all, and refuses the rest by its name.
void take_nothing(Parse& parse,
                  std::string_view name,
                  std::string_view value,
                  std::string_view why) {
  const std::string option = written_option(name, value);
  if (value == "none" || value == "null" || value == "/dev/null") {
    parse.refusals.add_without_effect(option, why);
  } else {
    parse.refusals.add(Unserved::unknown_option, option);
  }
}

}  // namespace

std::string written_option(std::string_view name, std::string_view value) {
  std::string text = "-";
  text.append(name);
  if (!value.empty()) {
    text.append(" ").append(value);
  }
  return text;
}

void take_without_effect(Parse& parse, std::string_view name, std::string_view value) {
  parse.refusals.add_without_effect(written_option(name, value), reason_for(kOptionReasons, name));
}

/// `DEVICE.PROPERTY=VALUE` or `driver=DEVICE,property=PROPERTY,value=VALUE`.
void take_global(Parse& parse, std::string_view name, std::string_view value) {
  static constexpr std::string_view kDriver = "driver=";
  const bool by_keys = value.substr(0, kDriver.size()) == kDriver;
  const std::string_view rest = by_keys ? value.substr(kDriver.size()) : value;
  const std::string_view why =
      reason_for(kGlobalReasons, rest.substr(0, rest.find(by_keys ? ',' : '.')));
  const std::string option = written_option(name, value);
  if (why.empty()) {
    parse.refusals.add(Unserved::unknown_option, option);
  } else {
    parse.refusals.add_without_effect(option, why);
  }
}

void take_human_monitor(Parse& parse, std::string_view name, std::string_view value) {
  take_nothing(parse, name, value, "there is no such monitor");
}

void take_parallel(Parse& parse, std::string_view name, std::string_view value) {
  take_nothing(parse, name, value, "there is no parallel port");
}

/// libxl names the card by -device, and gives the guest the memory for it.
void take_vga_option(Parse& parse, std::string_view name, std::string_view value) {
  const std::string option = written_option(name, value);
  const bool same_card = parse.config.vga && (value == "std" || value == "cirrus");
  if (value == "none" || same_card) {
    parse.refusals.add_without_effect(option, "vga= in xl.cfg names the graphics card");
  } else {
    parse.refusals.add(Unserved::vga_option, option);
  }
}

}  // namespace dm::toolstack
