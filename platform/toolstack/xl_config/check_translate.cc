// SPDX-License-Identifier: MIT
// A guest's settings as libxl 4.17's command line, in the order of libxl_dm.c. What is asked for in
// other ways is kept beside it.
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>
#include <utility>

namespace dm::toolstack {

namespace {

bool begins(std::string_view whole, std::string_view part) noexcept {
  return whole.substr(0, part.size()) == part;
}

}  // namespace

Translation translate(const XlConfig& config) {
  return Translator{config}.run();
}

void Translator::add(unsigned line, std::string option) {
  out.arguments.push_back({std::move(option), line});
}
void Translator::add(unsigned line, std::string option, std::string value) {
  add(line, std::move(option));
  add(line, std::move(value));
}

Translation Translator::run() {
  kind();
  unknown_settings();
  if (out.guest != Translation::Guest::hvm) {
    return std::move(out);
  }
  words();
  word_lists();
  specs();
  restrict_ = read.on("dm_restrict", false);
  stub_ = read.on("device_model_stubdomain_override", false);
  vnc_ = read.on("vnc", true);
  sdl_ = read.on("sdl", false);
  program();
  add(0, "-xen-domid", "1");
  add(0, "-no-shutdown");
  monitor();
  channels();
  add(0, "-nodefaults");
  add(0, "-no-user-config");
  if (!out.name.empty()) {
    add(read.line("name"), "-name", out.name);
  }
  display();
  boot_and_serial();
  graphics();
  usb_and_sound();
  processors();
  cards();
  privileges();
  extra("device_model_args");
  machine();
  extra("device_model_args_hvm");
  memory();
  disks();
  passed_through();
  other_back_ends();
  if (same_word(read.text("vendor_device").value_or("none"), "xenserver")) {
    add(read.line("vendor_device"), "-device", "xen-pvdevice,device-id=0xc000");
  }
  const auto user = read.text("device_model_user");
  if (restrict_ && user && *user != "root") {
    add(read.line("device_model_user"), "-runas", std::string{*user});
  }
  return std::move(out);
}

/// xl takes any beginning of the words.
void Translator::kind() {
  using Guest = Translation::Guest;
  const auto type = read.text("type");
  const auto builder = read.text("builder");
  std::optional<Guest> by_type;
  std::optional<Guest> by_builder;
  if (type) {
    by_type = begins("hvm", *type)   ? std::optional{Guest::hvm}
              : begins("pv", *type)  ? std::optional{Guest::pv}
              : begins("pvh", *type) ? std::optional{Guest::pvh}
                                     : std::nullopt;
    if (!by_type) {
      error(read.line("type"), "type: xl knows hvm, pv and pvh, not '" + shown(*type) + "'");
    }
  }
  if (builder) {
    by_builder = begins("hvm", *builder)       ? std::optional{Guest::hvm}
                 : begins("generic", *builder) ? std::optional{Guest::pv}
                                               : std::nullopt;
    if (!by_builder) {
      error(read.line("builder"), "builder: xl knows hvm and generic, not '" + shown(*builder) +
                                      "'. Better write type=\"hvm\" and no builder");
    } else if (by_type && *by_type != *by_builder) {
      error(read.line("builder"),
            "builder and type contradict each other, and xl refuses that: write type alone");
    }
  }
  out.guest = by_type ? *by_type : by_builder ? *by_builder : Guest::pv;
  out.guest = (type && !by_type) || (builder && !by_builder) ? Guest::hvm : out.guest;
  const auto name = read.text("name");
  if (!name) {
    error(0, "name: xl wants a name = \"...\" line");
  }
  out.name = name.value_or("");
}

/// Which program libxl would start at all.
void Translator::program() {
  const auto path = read.text("device_model_override");
  const unsigned line = read.line("device_model_override");
  const auto version = read.text("device_model_version").value_or("qemu-xen");
  if (stub_) {
    hint(read.line("device_model_stubdomain_override"),
         "device_model_stubdomain_override: what is shown is what a device model in dom0 would "
         "serve; stubdom/README.md tells what a stub domain needs besides, and cannot do");
  }
  if (version != "qemu-xen") {
    error(read.line("device_model_version"),
          "device_model_version: stubdm speaks the language of \"qemu-xen\": write that, or no "
          "device_model_version line. The guest gets SeaBIOS in place of ROMBIOS, and a system "
          "that was installed with qemu-xen-traditional finds other hardware: Windows looks for "
          "drivers, and may want to be activated");
  }
  if (stub_ && !read.text("device_model_version")) {
    hint(read.line("device_model_stubdomain_override"),
         "device_model_version: there is no such line, so xl 4.17 starts a stub domain of the old "
         "kind, without stubdm: write device_model_version=\"qemu-xen\"");
  }
  if (!path) {
    hint(0,
         "device_model_override: there is no such line, so xl would start QEMU: write "
         "device_model_override=\"/usr/local/libexec/stubdm\"");
  } else if (!begins(*path, "/")) {
    error(line, "device_model_override: xl wants a path from the root, not " + shown(*path));
  } else if (path->substr(path->rfind('/') + 1) != "stubdm") {
    hint(line, "device_model_override: that is another program than stubdm: " + shown(*path));
  }
  if (read.text("device_model")) {
    hint(read.line("device_model"), "device_model: xl ignores it: write device_model_override");
  }
}

void Translator::monitor() {
  if (restrict_) {
    add(0, "-chardev", "socket,id=libxl-cmd,fd=19,server=on,wait=off");
    add(0, "-S");
  } else {
    add(0, "-chardev", "socket,id=libxl-cmd,path=/var/run/xen/qmp-libxl-1,server=on,wait=off");
  }
  add(0, "-mon", "chardev=libxl-cmd,mode=control");
  add(0, "-chardev",
      "socket,id=libxenstat-cmd,path=/var/run/xen/qmp-libxenstat-1,server=on,wait=off");
  add(0, "-mon", "chardev=libxenstat-cmd,mode=control");
}

void Translator::channels() {
  unsigned index = 0;
  for (const XlValue* const spec : read.list("channel")) {
    std::string_view connection;
    std::string_view path;
    bool whole = true;
    for (const SpecPair& pair : split_spec(spec->text)) {
      connection = pair.key == "connection" ? pair.value.value_or("") : connection;
      path = pair.key == "path" ? pair.value.value_or("") : path;
      whole = whole && !pair.key.empty() && pair.value && !pair.value->empty();
    }
    const std::string id = "id=libxl-channel" + std::to_string(index++);
    if (whole && connection == "pty") {
      add(spec->line, "-chardev", "pty," + id);
    } else if (whole && connection == "socket" && !path.empty()) {
      add(spec->line, "-chardev",
          "socket," + id + ",path=" + std::string{path} + ",server=on,wait=off");
    } else {
      error(spec->line, "channel: xl wants connection=pty, or connection=socket and path=...");
    }
  }
}

void Translator::boot_and_serial() {
  const auto kernel = read.text("kernel");
  // xl looks at the file's name: old examples have the firmware here.
  const bool loader = kernel && kernel->substr(kernel->rfind('/') + 1) == "hvmloader";
  if (kernel && !loader) {
    add(read.line("kernel"), "-kernel", std::string{*kernel});
    if (stub_) {
      error(
          read.line("kernel"),
          "kernel: a stub domain sees no file of dom0: write no kernel, ramdisk, cmdline, root or "
          "extra line, so that the guest boots from its disk, or no "
          "device_model_stubdomain_override");
    }
  }
  if (const auto ramdisk = read.text("ramdisk")) {
    add(read.line("ramdisk"), "-initrd", std::string{*ramdisk});
  }
  command_line();
  for (const XlValue* const spec : read.list("disk")) {
    const auto disk = parse_disk_spec(spec->text);
    if (disk && !disk->cdrom && begins(disk->vdev, "sd")) {
      add(spec->line, "-device", "lsi53c895a");
      break;
    }
  }
  const auto ports = read.list_or_text("serial");
  for (const XlValue* const port : ports) {
    add(port->line, "-serial", port->text);
  }
  if (ports.empty()) {
    hint(0,
         "serial: without a serial port there is nothing to see of the guest until it has a "
         "network: serial=\"pty\", and xl console -t serial " +
             shown(out.name));
  }
}

/// cmdline alone, else root and extra together.
void Translator::command_line() {
  const auto whole = read.text("cmdline");
  const auto root = read.text("root");
  const auto extra = read.text("extra");
  if (!whole && !root && !extra) {
    return;
  }
  const std::string both = (root ? "root=" + std::string{*root} : "") + (root && extra ? " " : "") +
                           std::string{extra.value_or("")};
  add(read.line(whole  ? "cmdline"
                : root ? "root"
                       : "extra"),
      "-append", whole ? std::string{*whole} : both);
}

/// xl hands on whatever it says, and the device model would end over it.
void Translator::boot() {
  const std::string order{read.text("boot").value_or("cda")};
  const bool good = !order.empty() && order.size() <= 3 &&
                    order.find_first_not_of("acdn") == std::string::npos &&
                    std::all_of(order.begin(), order.end(), [&order](char letter) {
                      return std::count(order.begin(), order.end(), letter) == 1;
                    });
  if (!good) {
    return error(read.line("boot"),
                 "boot: write one to three different letters of a (floppy), c "
                 "(disk), d (CD-ROM), n (network), not '" +
                     shown(order) + "': xl makes the device model's boot order of it");
  }
  add(read.line("boot"), "-boot", "order=" + order);
}

void Translator::processors() {
  if (!read.on("acpi", true)) {
    add(read.line("acpi"), "-no-acpi");
  }
  const std::int64_t asked = read.number("vcpus").value_or(0);
  const std::int64_t most = read.number("maxvcpus").value_or(asked);
  const std::int64_t online = std::max<std::int64_t>(asked, 1);
  if (asked < 0 || most < 0 || (most != 0 && most < asked)) {
    return error(read.line(read.find("maxvcpus") != nullptr ? "maxvcpus" : "vcpus"),
                 "vcpus: xl wants at least as many maxvcpus as vcpus");
  }
  constexpr std::int64_t kMost = 128;  // Xen's HVM_MAX_VCPUS
  const unsigned line = read.line(most > asked ? "maxvcpus" : "vcpus");
  if (most > kMost) {
    return error(line, (most > asked ? std::string{"maxvcpus"} : "vcpus") +
                           ": an HVM guest has 1 to 128 vCPUs, not " + std::to_string(most) +
                           ": xl makes none with more");
  }
  if (most > 1) {
    add(line, "-smp", std::to_string(online) + ",maxcpus=" + std::to_string(most));
  }
}

void Translator::privileges() {
  if (!restrict_) {
    return;
  }
  add(read.line("dm_restrict"), "-xen-domid-restrict");
  add(read.line("dm_restrict"), "-chroot", "/var/run/xen/qemu-root-1");
  if (!read.text("device_model_user")) {
    hint(read.line("dm_restrict"),
         "dm_restrict: xl wants a user xen-qemuuser-range-base for that, or a device_model_user "
         "line");
  }
}

void Translator::extra(std::string_view name) {
  for (const XlValue* const argument : read.list(name)) {
    add(argument->line, argument->text);
  }
}

void Translator::machine() {
  const bool platform = read.on("xen_platform_pci", true);
  std::string value = platform ? "xenfv,suppress-vmdesc=on" : "pc,accel=xen,suppress-vmdesc=on";
  if (const auto hole = read.number("mmio_hole"); hole && *hole >= 256 && *hole <= 3840) {
    value += ",max-ram-below-4g=" + std::to_string((4096 - *hole) << 20);
  } else if (hole) {
    error(read.line("mmio_hole"), "mmio_hole: xl wants 256 to 3840 MiB");
  }
  const auto graphics_card = read.text("gfx_passthru");
  const bool passed = graphics_card && read.plain_number("gfx_passthru").value_or(1) != 0;
  value += passed ? ",igd-passthru=on" : "";
  add(read.line(passed ? "gfx_passthru" : "xen_platform_pci"), "-machine", value);
}

void Translator::memory() {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  const auto memory = read.number("memory");
  const std::int64_t most = read.number("maxmem").value_or(memory.value_or(0));
  if (!memory && read.find("maxmem") == nullptr) {
    hint(0, "memory: there is no such line: the guest gets next to nothing");
  }
  if (memory.value_or(1) <= 0 || most < memory.value_or(0) || most > kMost) {
    error(read.line(read.find("maxmem") != nullptr ? "maxmem" : "memory"),
          "memory: xl wants a number of MiB, and maxmem at least as much");
    return;
  }
  add(read.line("memory"), "-m", std::to_string(std::max<std::int64_t>(most - video_mib_, 0)));
}

}  // namespace dm::toolstack
