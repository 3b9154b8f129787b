// SPDX-License-Identifier: MIT
// Internal to --check: from xl.cfg settings to the command line that libxl 4.17 would make of them.
#pragma once

#include "core/config/machine_config.h"
#include "platform/toolstack/command_line/refusals.h"
#include "platform/toolstack/xl_config/xl_config.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack {

/// A remark about a line of the file. Line 0: it is about something that is not in the file.
struct Finding {
  unsigned line = 0;
  std::string text;
};

/// One argument of the command line, and the line of the file that causes it (0 for a default).
struct MadeArgument {
  std::string text;
  unsigned line = 0;
};

/// Something for which libxl asks by QMP once the device model runs, so it is not on the command
/// line.
struct AskedLater {
  Unserved what;
  std::string detail;
  unsigned line = 0;
};

struct Translation {
  enum class Guest : std::uint8_t { hvm, pv, pvh };

  Guest guest = Guest::hvm;
  std::string name;
  std::vector<MadeArgument> arguments;  ///< without argv[0]; the guest has the domain id 1
  std::vector<AskedLater> later;
  std::vector<Finding>
      errors;  ///< xl itself refuses it, or it fails later where stubdm cannot see it
  std::vector<Finding> hints;         ///< works, but often not as people expect
  std::vector<std::string> pv_disks;  ///< without an emulated disk: "xvde: /dev/vg/data"
  unsigned pv_cards = 0;
};

[[nodiscard]] Translation translate(const XlConfig& config);

/// Reads settings with their types, and reports wrong types as xl does.
class SettingReader {
 public:
  SettingReader(const XlConfig& config, Translation& out) noexcept : config_{config}, out_{out} {}

  [[nodiscard]] const XlSetting* find(std::string_view name) const noexcept {
    return config_.find(name);
  }
  [[nodiscard]] unsigned line(std::string_view name) const noexcept {
    const XlSetting* const setting = find(name);
    return setting != nullptr ? setting->line : 0;
  }
  /// A setting whose type is not the one that xl wants is reported once and counts as absent, as
  /// for xl.
  [[nodiscard]] std::optional<std::string_view> text(std::string_view name);
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name);
  /// The same as number(), but reports nothing if the value is no number.
  [[nodiscard]] std::optional<std::int64_t> plain_number(std::string_view name);
  [[nodiscard]] bool on(std::string_view name, bool otherwise) {
    return number(name).value_or(otherwise ? 1 : 0) != 0;
  }
  /// The strings of a list. xl stops reading a list at the first item that is a list itself.
  [[nodiscard]] std::vector<const XlValue*> list(std::string_view name);
  /// A list, or one string in the place of a list.
  [[nodiscard]] std::vector<const XlValue*> list_or_text(std::string_view name);

 private:
  const XlConfig& config_;
  Translation& out_;
};

/// A disk as xl reads it (xl-disk-configuration(5)).
struct DiskSpec {
  std::string target;
  std::string format;
  std::string vdev;  ///< may be empty: libxl takes that for device number 0
  std::string backend_type;
  std::string specification;
  std::optional<std::string> script;
  std::optional<std::string> backend_domain;
  std::array<std::optional<std::string>, 4> colo_values;  ///< only their presence matters
  bool writable = true;
  bool cdrom = false;
  bool colo = false;
};
[[nodiscard]] Result<DiskSpec> parse_disk_spec(std::string_view text);

/// Where a virtual device name puts a disk (xen-vbd-interface(7)).
struct Vdev {
  /// `number`: the name is a device number, which libxl does not look into.
  enum class Bus : std::uint8_t { ide, scsi, xen, number };
  Bus bus = Bus::xen;
  unsigned disk = 0;
  unsigned number = 0;  ///< the device's number in xenstore
};
[[nodiscard]] std::optional<Vdev> parse_vdev(std::string_view name) noexcept;

/// The translation's state, shared by its files.
class Translator {
 public:
  explicit Translator(const XlConfig& config) : config_{config}, read{config, out} {}

  Translation run();

 private:
  void kind();
  void program();
  void monitor();
  void channels();
  void display();
  void vnc();
  void screen_hints(unsigned line, std::string_view kind);
  void command_line();
  void boot();
  void boot_and_serial();
  void graphics();
  void usb_and_sound();
  void sound();
  void processors();
  void cards();
  void card(unsigned index, const XlValue& spec);
  void privileges();
  void extra(std::string_view name);
  void machine();
  void memory();
  void disks();
  void disk(const XlValue& spec);
  [[nodiscard]] bool plausible(const DiskSpec& disk, unsigned line);
  void disk_hints(const DiskSpec& disk, unsigned line);
  [[nodiscard]] bool has_ahci();
  [[nodiscard]] bool on_port(const Vdev& vdev);
  [[nodiscard]] bool has_place(const DiskSpec& disk, const Vdev& vdev, unsigned line);
  void pv_disk(const DiskSpec& disk, unsigned line);
  void cd(const DiskSpec& disk, const Vdev& vdev, unsigned line);
  void hard_disk(const DiskSpec& disk, const Vdev& vdev, unsigned line);
  void passed_through();
  void other_back_ends();
  void firmware();
  void words();
  void word_lists();
  void specs();
  void cpus(std::string_view name);
  void lists_of_lists(std::string_view name);
  void unknown_settings();

  void add(unsigned line, std::string option);
  void add(unsigned line, std::string option, std::string value);
  void error(unsigned line, std::string text) { out.errors.push_back({line, std::move(text)}); }
  void hint(unsigned line, std::string text) { out.hints.push_back({line, std::move(text)}); }

  const XlConfig& config_;
  bool restrict_ = false;
  bool stub_ = false;
  bool vnc_ = true;
  bool sdl_ = false;
  std::int64_t video_mib_ = 0;
  std::map<unsigned, unsigned> numbers_;    ///< of virtual devices, and the lines they are in
  std::map<unsigned, std::string> places_;  ///< IDE positions that are taken, and by which vdev
  std::set<unsigned> card_ids_;
  Translation out;
  SettingReader read;
};

/// Compares as libxl compares most words: upper and lower case (of ASCII) are the same.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b) noexcept;

/// 36 characters, as uuid_parse(3) takes them.
[[nodiscard]] bool is_uuid(std::string_view text) noexcept;

/// True for a setting that xl 4.17 reads.
[[nodiscard]] bool known_to_xl(std::string_view name) noexcept;

/// One piece of "key = value, key=value", as xl splits vif=, channel= and the like.
struct SpecPair {
  std::string_view key;
  std::optional<std::string_view> value;
};
[[nodiscard]] std::vector<SpecPair> split_spec(std::string_view spec);

/// `text` with printable characters only, cut if it is long: names of files and models come from a
/// file and go to a terminal.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace dm::toolstack
