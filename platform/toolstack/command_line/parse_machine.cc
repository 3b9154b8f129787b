// SPDX-License-Identifier: MIT
// Options about the machine as a whole.
#include "platform/toolstack/command_line/parse.h"

#include <algorithm>

namespace dm::toolstack {

namespace {

/// Slots in the ioreq page; also Xen's HVM_MAX_VCPUS.
constexpr unsigned kMaxVcpus = 128;
constexpr std::uint64_t kMaxMemoryMib = std::uint64_t{1} << 30;  ///< 1 PiB; information only
/// CMOS has three nibbles for the boot order (SeaBIOS, src/boot.c).
constexpr std::size_t kMaxBootDevices = 3;
/// Longer than that, sleeping costs nothing in comparison.
constexpr unsigned kMaxSpinMicroseconds = 1000;

}  // namespace

void take_domid(Parse& parse, std::string_view name, std::string_view value) {
  const auto domid = parse_domid(value);
  if (!domid) {
    parse.broken(name, value, "not the id of a guest, 1 to 32751");
    return;
  }
  parse.config.domid = *domid;
}

void take_name(Parse& parse, std::string_view, std::string_view value) {
  parse.config.name =
      value;  // may hold anything; only ever printed, and the log masks control characters
}

void take_machine(Parse& parse, std::string_view name, std::string_view value) {
  static constexpr std::string_view kKeys[] = {"type", "accel", "suppress-vmdesc",
                                               "max-ram-below-4g", "igd-passthru"};
  const auto machine = parse.split(name, value, {.known = kKeys, .positional = "type"});
  if (!machine) {
    return;
  }
  const std::string_view type = machine->get("type");
  if (type == "xenpv") {
    parse.config.pv = true;
    return;
  }
  const std::string_view accel = machine->get("accel");
  if (type == "none" && (accel.empty() || accel == "xen")) {
    parse.no_machine = true;
    return;
  }
  if ((type != "xenfv" && type != "pc") || (!accel.empty() && accel != "xen")) {
    parse.broken(name, value, "not xenfv, nor xenpv, nor pc with accel=xen");
    return;
  }
  parse.config.xen_platform = type == "xenfv";
  if (machine->get("igd-passthru") == "on") {
    parse.refusals.add(Unserved::gfx_passthru, "igd-passthru=on");
  }
  // max-ram-below-4g needs nothing: libxl places the guest's memory, we only map what is there.
}

void take_kernel(Parse& parse, std::string_view name, std::string_view value) {
  if (value.empty()) {
    parse.broken(name, value, "kernel= in xl.cfg has to name a file");
  }
  parse.kernel.path = value;
}
void take_initrd(Parse& parse, std::string_view, std::string_view value) {
  parse.kernel.initrd = value;
}
void take_append(Parse& parse, std::string_view, std::string_view value) {
  parse.kernel.command_line = value;
}

void join_kernel(Parse& parse) {
  const KernelConfig& given = parse.kernel;
  if (!given.path.empty()) {
    parse.config.kernel = given;
  } else if (!given.initrd.empty()) {
    parse.broken("initrd", given.initrd, "ramdisk= in xl.cfg needs a kernel=");
  } else if (!given.command_line.empty()) {
    parse.broken("append", given.command_line, "cmdline=, root= and extra= need a kernel=");
  }
}

void join_machine(Parse& parse) {
  const MachineConfig& config = parse.config;
  const bool emulated = !config.disks.empty() || !config.nics.empty() || parse.serials != 0 ||
                        config.vga || config.kernel;
  if (parse.no_machine && (emulated || config.incoming_fd)) {
    parse.broken("machine", "none",
                 "no machine has no disks, network cards, serial ports or screen");
  }
  if (parse.no_machine && config.qmp.empty()) {
    parse.broken("machine", "none", "without a QMP socket nobody could ask anything");
  }
  if (config.pv && emulated) {
    parse.broken("machine", "xenpv",
                 "a PV domain has no emulated disks, network cards, serial ports or screen");
  }
  if (config.pv && (config.restrict_domid || config.incoming_fd)) {
    parse.broken("machine", "xenpv", "neither with -xen-domid-restrict nor with -incoming");
  }
}

void take_smp(Parse& parse, std::string_view name, std::string_view value) {
  static constexpr std::string_view kKeys[] = {"cpus", "maxcpus"};
  const auto smp = parse.split(name, value, {.known = kKeys, .positional = "cpus"});
  if (!smp) {
    return;
  }
  const auto online = parse_number<unsigned>(smp->get("cpus"), 1, kMaxVcpus);
  const auto given_max = smp->find("maxcpus");
  const auto most = given_max ? parse_number<unsigned>(*given_max, 1, kMaxVcpus) : online;
  if (!online || !most || *online > *most) {
    parse.broken(name, value,
                 "not a number of vCPUs from 1 to 128, of which at most maxcpus are online");
    return;
  }
  parse.config.vcpus_online = *online;
  parse.config.vcpus_max = *most;
}

void take_boot(Parse& parse, std::string_view name, std::string_view value) {
  static constexpr std::string_view kKeys[] = {"order",       "menu",           "splash",
                                               "splash-time", "reboot-timeout", "strict"};
  const bool by_hand = parse.refusals.is_by_hand();
  const auto known = std::span{kKeys}.first(by_hand ? std::size(kKeys) : 1);
  const auto boot = parse.split(name, value, {.known = known, .positional = "order"});
  if (!boot) {
    return;
  }
  const bool other = std::any_of(std::begin(kKeys) + 1, std::end(kKeys),
                                 [&boot](std::string_view key) { return boot->find(key); });
  if (other) {
    parse.refusals.add_without_effect(
        written_option(name, value),
        "under Xen the BIOS asks the device model for nothing of this but order=");
  }
  if (other && !boot->find("order")) {
    return;
  }
  const std::string_view order = boot->get("order");
  bool good = !order.empty() && order.size() <= kMaxBootDevices;
  for (const char device : order) {
    good = good && std::string_view{"acdn"}.find(device) != std::string_view::npos &&
           std::count(order.begin(), order.end(), device) == 1;
  }
  if (!good) {
    parse.broken(
        name, value,
        "boot= in xl.cfg takes one to three different letters of a (floppy), c (disk), d (CD-ROM), "
        "n (network)");
    return;
  }
  parse.config.boot_order = order;
}

void take_memory(Parse& parse, std::string_view name, std::string_view value) {
  const auto mib = parse_number<std::uint64_t>(value, 0, kMaxMemoryMib);
  if (!mib) {
    parse.broken(name, value, "not a number of MiB");
    return;
  }
  parse.config.memory_mib = *mib;
}

void take_spin(Parse& parse, std::string_view name, std::string_view value) {
  SpinConfig& spin = parse.config.spin;
  if (value == "auto" || value == "off") {
    spin.mode = value == "auto" ? SpinConfig::Mode::automatic : SpinConfig::Mode::off;
    return;
  }
  const auto microseconds = parse_number<unsigned>(value, 1, kMaxSpinMicroseconds);
  if (!microseconds) {
    parse.broken(name, value, "neither auto, nor off, nor a number of microseconds, 1 to 1000");
    return;
  }
  spin = {SpinConfig::Mode::always, *microseconds};
}

void take_incoming(Parse& parse, std::string_view name, std::string_view value) {
  static constexpr std::string_view kPrefix = "fd:";
  const bool has_prefix = value.substr(0, kPrefix.size()) == kPrefix;
  const auto fd =
      has_prefix ? parse_number<int>(value.substr(kPrefix.size()), 0, 65535) : std::nullopt;
  if (!fd) {
    // In a stub domain libxl writes a place-holder, which stub_main.cc replaces by the restore
    // console's descriptor.
    parse.broken(name, value, "not fd:NUMBER");
    return;
  }
  parse.config.incoming_fd = *fd;
}

}  // namespace dm::toolstack
