// SPDX-License-Identifier: MIT
// Reading settings as xl reads them, and the names it knows.
#include "core/text/printable.h"
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>

namespace dm::toolstack {

namespace {

constexpr std::size_t kMaxShown = 120;

// Every setting that xl 4.17 reads from a guest's file (tools/xl/xl_parse.c; the words are in the
// program itself). xl.cfg(5) and older guides have more, and xl.conf(5) others. Sorted.
// clang-format off
constexpr std::string_view kKnown[] = {
    "acpi", "acpi_firmware", "acpi_laptop_slate", "acpi_s3", "acpi_s4", "altp2m", "altp2mhvm",
    "apic", "bios", "bios_path_override", "boot", "bootloader", "bootloader_args", "builder", "cap",
    "channel", "cmdline", "cpu_weight", "cpuid", "cpus", "cpus_soft", "device_model",
    "device_model_args", "device_model_args_hvm", "device_model_args_pv", "device_model_override",
    "device_model_stubdomain_override", "device_model_stubdomain_seclabel", "device_model_user",
    "device_model_version", "device_tree", "disk", "display", "dm_restrict", "driver_domain",
    "dtdev", "e820_host", "extra", "extratime", "firmware", "firmware_override", "gfx_passthru",
    "gic_version", "hap", "hdtype", "hpet", "init_seclabel", "iomem", "ioports", "irqs", "kernel",
    "keymap", "latency", "localtime", "max_event_channels", "max_grant_frames", "max_grant_version",
    "max_maptrack_frames", "maxmem", "maxvcpus", "mca_caps", "memory", "mmio_hole", "ms_vm_genid",
    "msr_relaxed", "name", "nestedhvm", "nographic", "nomigrate", "nx", "on_crash", "on_poweroff",
    "on_reboot", "on_soft_reset", "on_watchdog", "oos", "opengl", "p9", "pae", "passthrough", "pci",
    "pci_msitranslate", "pci_permissive", "pci_power_mgmt", "pci_seize", "period", "pool",
    "pvcalls", "pvshim", "pvshim_cmdline", "pvshim_extra", "pvshim_path", "ramdisk", "rdm",
    "rdm_mem_boundary", "root", "rtc_timeoffset", "sdl", "seclabel", "serial", "shadow_memory",
    "slice", "smbios_firmware", "soundhw", "spice", "spice_clipboard_sharing",
    "spice_image_compression", "spice_streaming_video", "spiceagent_mouse",
    "spicedisable_ticketing", "spicehost", "spicepasswd", "spiceport", "spicetls_port",
    "spiceusbredirection", "spicevdagent", "stdvga", "stubdomain_cmdline", "stubdomain_kernel",
    "stubdomain_memory", "stubdomain_ramdisk", "tee", "timer_mode", "tsc_mode", "type", "usb",
    "usbctrl", "usbdev", "usbdevice", "usbversion", "uuid", "vcpus", "vdispl", "vendor_device",
    "vfb", "vga", "videoram", "vif", "vif2", "viridian", "vkb", "vkb_device", "vmtrace_buf_kb",
    "vnc", "vncdisplay", "vnclisten", "vncpasswd", "vncunused", "vncviewer", "vnuma", "vpmu",
    "vpt_align", "vsnd", "vtpm", "vuart", "xauthority", "xen_platform_pci",
    "xend_suspend_evtchn_compat",
};
// clang-format on

constexpr std::string_view kSpaces = " \t\n";

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = std::min(text.find_first_not_of(kSpaces), text.size());
  const std::size_t last = text.find_last_not_of(kSpaces);
  return last == std::string_view::npos ? std::string_view{} : text.substr(first, last + 1 - first);
}

}  // namespace

bool known_to_xl(std::string_view name) noexcept {
  return std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown);
}

std::string shown(std::string_view text) {
  return printable(text.substr(0, kMaxShown)).append(text.size() > kMaxShown ? "..." : "");
}

std::vector<SpecPair> split_spec(std::string_view spec) {
  std::vector<SpecPair> pairs;
  while (!spec.empty()) {
    const std::size_t end = std::min(spec.find(','), spec.size());
    const std::string_view piece = trimmed(spec.substr(0, end));
    spec.remove_prefix(std::min(end + 1, spec.size()));
    if (piece.empty()) {
      continue;
    }
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos) {
      pairs.push_back({piece, std::nullopt});
    } else {
      pairs.push_back({trimmed(piece.substr(0, equals)), trimmed(piece.substr(equals + 1))});
    }
  }
  return pairs;
}

std::optional<std::string_view> SettingReader::text(std::string_view name) {
  const XlSetting* const setting = find(name);
  if (setting == nullptr || setting->value.is_list) {
    return std::nullopt;  // the second is told by whoever reads all settings
  }
  return setting->value.text;
}

std::optional<std::int64_t> SettingReader::plain_number(std::string_view name) {
  const auto digits = text(name);
  if (!digits) {
    return std::nullopt;
  }
  const std::string owned{*digits};
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(owned.c_str(), &end, 0);
  const bool good = errno == 0 && end != owned.c_str() && *end == '\0' && !find(name)->added;
  return good ? std::optional<std::int64_t>{value} : std::nullopt;
}

std::optional<std::int64_t> SettingReader::number(std::string_view name) {
  const auto digits = text(name);
  const auto value = plain_number(name);
  if (digits && !value) {
    const Finding finding{line(name), std::string{name} + ": '" + shown(*digits) +
                                          "' is not a number: xl ignores this line"};
    const auto same = [&finding](const Finding& f) { return f.text == finding.text; };
    if (std::none_of(out_.hints.begin(), out_.hints.end(), same)) {
      out_.hints.push_back(finding);
    }
  }
  return value;
}

std::vector<const XlValue*> SettingReader::list(std::string_view name) {
  std::vector<const XlValue*> items;
  const XlSetting* const setting = find(name);
  if (setting == nullptr) {
    return items;
  }
  if (!setting->value.is_list) {
    out_.errors.push_back({setting->line, std::string{name} +
                                              ": xl ignores this: it has to be a list: " +
                                              std::string{name} + " = [ '...' ]"});
    return items;
  }
  for (const XlValue& item : setting->value.items) {
    if (item.is_list) {
      out_.hints.push_back(
          {item.line, std::string{name} + ": xl reads nothing from here on: a list in this list"});
      break;
    }
    items.push_back(&item);
  }
  return items;
}

std::vector<const XlValue*> SettingReader::list_or_text(std::string_view name) {
  const XlSetting* const setting = find(name);
  if (setting != nullptr && !setting->value.is_list) {
    return {&setting->value};
  }
  return list(name);
}

}  // namespace dm::toolstack
