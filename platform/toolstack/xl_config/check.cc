// SPDX-License-Identifier: MIT
#include "platform/toolstack/xl_config/check.h"

#include "core/text/printable.h"
#include "platform/toolstack/command_line/start_log.h"
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

namespace dm::toolstack {

namespace {

constexpr std::size_t kMaxFindings = 50;

/// Lines of the form FILE:LINE: TEXT, as compilers write them and editors find them.
class Page {
 public:
  explicit Page(std::string_view file) : file_{shown(file)} {}

  Page& title(std::string_view text) {
    text_.append(file_).append(": ").append(text).append("\n");
    return *this;
  }
  Page& plain(std::string_view text) {
    text_.append(text).append("\n");
    return *this;
  }
  void row(std::string_view name, std::string_view text) {
    std::string line = "  ";
    line.append(name).resize(14, ' ');
    plain(line.append(text));
  }
  /// Several lines of the file may be meant: the first one is where the editor goes.
  void finding(std::vector<unsigned> lines, std::string_view text) {
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    if (!lines.empty() && lines.front() == 0) {
      lines.erase(lines.begin());
    }
    text_.append(file_).append(":");
    if (!lines.empty()) {
      text_.append(std::to_string(lines.front())).append(":");
    }
    text_.append(" ").append(text);
    for (std::size_t i = 1; i < lines.size(); ++i) {
      text_.append(i == 1 ? " (also line " : ", ").append(std::to_string(lines[i]));
    }
    text_.append(lines.size() > 1 ? ")\n" : "\n");
  }
  void findings(std::vector<Finding> findings) {
    std::stable_sort(findings.begin(), findings.end(),
                     [](const Finding& a, const Finding& b) { return a.line < b.line; });
    for (std::size_t i = 0; i < std::min(findings.size(), kMaxFindings); ++i) {
      finding({findings[i].line}, findings[i].text);
    }
    if (findings.size() > kMaxFindings) {
      plain("and " + std::to_string(findings.size() - kMaxFindings) + " more");
    }
  }
  /// Whatever a remark quotes of the file: it is somebody else's, and goes to a terminal.
  [[nodiscard]] std::string take() const { return printable_lines(text_); }

 private:
  std::string file_;
  std::string text_;
};

std::string_view boot_word(char letter) noexcept {
  switch (letter) {
    case 'a':
      return "floppy (none)";
    case 'c':
      return "disk";
    case 'd':
      return "CD-ROM";
    default:
      return "network";
  }
}

void show_disks(Page& page, const MachineConfig& machine, const Translation& guest) {
  static constexpr std::array<std::string_view, 4> kPlaces = {"hda", "hdb", "hdc", "hdd"};
  static constexpr std::array<std::string_view, 4> kWords = {
      "first IDE channel, master", "first IDE channel, slave", "second IDE channel, master",
      "second IDE channel, slave"};
  const char* name = "disks";
  for (const DiskConfig& disk : machine.disks) {
    std::string text{kPlaces.at(disk.index)};
    text.append(": ").append(disk.path.empty() ? "empty" : shown(disk.path)).append(" (");
    text.append(disk.cdrom ? "CD-ROM, " : "").append(kWords.at(disk.index));
    if (!is_raw(disk.format)) {
      text.append(", ").append(name_of(disk.format)).append(" by qemu-nbd");
    } else if (is_nbd(disk.path)) {
      text.append(", an NBD export");
    }
    text.append(disk.direct ? ", past the page cache)" : ")");
    page.row(std::exchange(name, ""), text);
  }
  const std::size_t shown_disks = std::min(guest.pv_disks.size(), kMaxFindings);
  for (std::size_t i = 0; i < shown_disks; ++i) {
    page.row(std::exchange(name, ""), guest.pv_disks[i] + " (for PV drivers alone)");
  }
  if (guest.pv_disks.size() > shown_disks) {
    page.row("", "and " + std::to_string(guest.pv_disks.size() - shown_disks) + " more");
  }
  if (*name != '\0') {
    page.row(name, "none");
  }
}

/// "standard VGA card, 16 MiB; VNC at 127.0.0.1, display 0 to 99"
[[nodiscard]] std::string screen_of(const MachineConfig& machine) {
  if (!machine.vga) {
    return "none";
  }
  std::string text = "standard VGA card, " + std::to_string(machine.vga->memory_mib) + " MiB; ";
  if (!machine.vnc) {
    return text + "nobody can look at it";
  }
  const VncConfig& vnc = *machine.vnc;
  if (!vnc.path.empty()) {
    text += "VNC at " + shown(vnc.path);
  } else {
    text += "VNC at " + (vnc.host.empty() ? std::string{"all addresses"} : shown(vnc.host)) +
            ", display " + std::to_string(vnc.display) +
            (vnc.last ? " to " + std::to_string(*vnc.last) : std::string{});
  }
  return text + (vnc.password ? ", with a password" : "");
}

void show_machine(Page& page, const MachineConfig& machine, const Translation& guest) {
  page.row("guest", shown(machine.name) + ", " + std::to_string(machine.memory_mib) +
                        " MiB, vCPUs: " + std::to_string(machine.vcpus_online) +
                        (machine.vcpus_max != machine.vcpus_online
                             ? " of " + std::to_string(machine.vcpus_max)
                             : ""));
  show_disks(page, machine, guest);
  page.row("network", std::to_string(guest.pv_cards) + " PV, " +
                          std::to_string(machine.nics.size()) + " emulated");
  page.row("screen", screen_of(machine));
  if (machine.usb) {
    std::string plugged;
    for (const UsbDevice device : machine.usb->devices) {
      plugged.append(plugged.empty() ? " with a " : " and a ").append(name_of(device));
    }
    page.row("usb", "USB 1" + plugged);
  }
  const char* name = "serial";
  for (std::size_t i = 0; i < machine.serial.size(); ++i) {
    if (machine.serial[i]) {
      page.row(std::exchange(name, ""),
               "COM" + std::to_string(i + 1) + ": " + shown(machine.serial[i]->backend));
    }
  }
  if (*name != '\0') {
    page.row(name, "none");
  }
  std::string order;
  for (const char letter : machine.boot_order) {
    order.append(order.empty() ? "" : ", ").append(boot_word(letter));
  }
  if (machine.kernel) {
    order.insert(
        0, "kernel " + shown(machine.kernel->path) +
               (machine.kernel->initrd.empty() ? std::string{" without a ramdisk"}
                                               : ", ramdisk " + shown(machine.kernel->initrd)) +
               "; then ");
  }
  page.row("boots from", order);
  page.row("chipset", std::string{"ACPI "} + (machine.acpi ? "on" : "off") +
                          ", xen-platform device " +
                          (machine.xen_platform ? "on" : "off: no PV drivers"));
  page.row("spin", spin_text(machine.spin));
}

CheckReport no_device_model(Page& page, const XlConfig& config, Translation& guest) {
  const XlSetting* const path = config.find("device_model_override");
  const bool untyped = config.find("type") == nullptr && config.find("builder") == nullptr;
  const bool pv_kernel = config.find("kernel") != nullptr || config.find("bootloader") != nullptr;
  if (untyped && (path != nullptr || !pv_kernel)) {
    guest.errors.push_back(
        {0,
         "type: there is no such line, so xl makes a PV guest: write type=\"hvm\" "
         "for one with a device model"});
  } else if (path != nullptr) {
    guest.errors.push_back({path->line,
                            "device_model_override: stubdm serves type=\"hvm\" guests only: "
                            "take the line out, or change the type"});
  }
  if (guest.errors.empty()) {
    page.title(std::string{"a "} + (guest.guest == Translation::Guest::pvh ? "PVH" : "PV") +
               " guest: it needs no device model, and stubdm has nothing to do with it");
    return {CheckReport::kServed, page.take()};
  }
  page.findings(std::move(guest.errors));
  page.findings(std::move(guest.hints));
  return {CheckReport::kMustChange, page.take()};
}

/// Each argument knows its line of the file; so does what is asked for later.
struct Judged {
  std::vector<unsigned> lines;
  RefusalList refusals;
  Result<Invocation> invocation = Invocation{};

  [[nodiscard]] std::vector<unsigned> lines_of(const RefusalList::Line& line) const {
    std::vector<unsigned> found;
    for (const std::size_t argument : line.arguments) {
      found.push_back(lines.at(argument));
    }
    return found;
  }
};

Judged judge(const Translation& guest) {
  Judged judged;
  std::vector<std::string_view> arguments;
  for (const MadeArgument& argument : guest.arguments) {
    arguments.push_back(argument.text);
    judged.lines.push_back(argument.line);
  }
  judged.invocation = parse_command_line(arguments, {}, &judged.refusals);
  for (const AskedLater& asked : guest.later) {
    judged.refusals.set_argument(judged.lines.size());
    judged.lines.push_back(asked.line);
    judged.refusals.add(asked.what, asked.detail);
  }
  return judged;
}

/// All that stands in the way, from the top of the file to its end.
void show_refusals(Page& page, const Judged& judged, const Translation& guest) {
  if (judged.refusals.empty() && !judged.invocation) {
    page.title(judged.invocation.error().message);
  }
  std::vector<std::pair<std::vector<unsigned>, std::string>> all;
  for (const RefusalList::Line& line : judged.refusals.settings()) {
    all.emplace_back(judged.lines_of(line), line.text);
  }
  for (const RefusalList::Line& line : judged.refusals.broken()) {
    all.emplace_back(judged.lines_of(line), "in QEMU's words, " + line.text);
  }
  for (std::size_t i = 0; i < std::min(guest.errors.size(), kMaxFindings); ++i) {
    all.emplace_back(std::vector{guest.errors[i].line}, guest.errors[i].text);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    const auto first = [](const auto& entry) {
      return entry.first.empty() ? 0U : *std::min_element(entry.first.begin(), entry.first.end());
    };
    return first(a) < first(b);
  });
  for (auto& [lines, text] : all) {
    page.finding(std::move(lines), text);
  }
  if (guest.errors.size() > kMaxFindings) {
    page.plain("and " + std::to_string(guest.errors.size() - kMaxFindings) + " more");
  }
}

/// What the start says in its log, with the lines of the file.
void take_announced(const Judged& judged, Translation& guest) {
  for (const RefusalList::Line& line : judged.refusals.announced()) {
    const std::vector<unsigned> lines = judged.lines_of(line);
    guest.hints.push_back({lines.empty() ? 0 : lines.front(), line.text});
  }
}

}  // namespace

CheckReport check_guest(std::string_view file, std::string_view text) {
  const std::string name = shown(file);
  const auto config = XlConfig::parse(text, name);
  if (!config) {
    return {CheckReport::kUnreadable, printable_lines(config.error().message) + "\n"};
  }
  Translation guest = translate(*config);
  Page page{name};
  if (guest.guest != Translation::Guest::hvm) {
    return no_device_model(page, *config, guest);
  }
  const Judged judged = judge(guest);
  take_announced(judged, guest);
  using Action = Invocation::Action;
  if (judged.invocation && judged.invocation->action != Action::serve) {
    guest.errors.push_back({0,
                            "device_model_args: with --help, --version or --check among them no "
                            "guest is served"});
  }
  const bool served = judged.invocation && judged.refusals.empty() && guest.errors.empty();
  if (served) {
    page.title("stubdm can serve this guest. It gets:");
    show_machine(page, judged.invocation->config, guest);
  } else {
    page.title("this guest does not start with stubdm. Change:");
    show_refusals(page, judged, guest);
  }
  if (!guest.hints.empty()) {
    page.plain(served ? "Worth knowing:" : "And worth knowing:");
    page.findings(std::move(guest.hints));
  }
  return {served ? CheckReport::kServed : CheckReport::kMustChange, page.take()};
}

CheckReport check_guest_file(const std::string& path) {
  const auto close = [](std::FILE* file) { (void)std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file{std::fopen(path.c_str(), "rbe"), close};
  std::string text(XlConfig::kMaxBytes + 1, '\0');
  errno = file == nullptr ? errno : 0;
  text.resize(file == nullptr ? 0 : std::fread(text.data(), 1, text.size(), file.get()));
  if (file == nullptr || std::ferror(file.get()) != 0) {
    const std::string why = std::generic_category().message(errno);
    return {CheckReport::kUnreadable, shown(path) + ": cannot be read: " + why + "\n"};
  }
  return check_guest(path, text);
}

}  // namespace dm::toolstack
