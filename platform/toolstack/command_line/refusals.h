// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack {

/// What a guest's configuration can ask for and this program cannot serve. There is one value for
/// each setting to change, so that the command line and --check give the same advice.
enum class Unserved : std::uint8_t {
  vga,         ///< a graphics card other than the standard one
  vga_option,  ///< one that -vga asks for, by hand
  gfx_passthru,
  sdl,
  spice,
  usb_version,     ///< a controller of USB 2 or 3
  usb_model,       ///< a device other than a tablet, mouse or keyboard, or a third
  usb_controller,  ///< this and the next are asked for by QMP once the guest runs
  usb_device,
  sound,
  nic_model,  ///< a card other than rtl8139 and e1000
  nic_count,
  scsi_disk,
  ahci_disk,
  image_format,
  image_protocol,   ///< one that only QEMU's own network clients can read
  pv_image_format,  ///< of a disk for PV drivers alone, with dm_restrict=1
  cdrom_position,
  serial_backend,
  serial_count,
  channel,
  colo,
  colo_disk,
  pci_passthrough,
  shared_directory,
  unknown_device,
  unknown_option,
  count_  ///< the number of values above
};

/// What a person reads about one of them. After the change that `write` names, the guest is not
/// refused for this again, nor for anything new.
struct RefusalText {
  std::string_view seen;     ///< what was asked for: "a sound card". Also of what is left out
  std::string_view setting;  ///< the xl.cfg setting that causes it: "soundhw"
  std::string_view write;    ///< what to write instead: "no soundhw line"
  std::string_view cost;     ///< what the guest loses by that: "it has no sound"
};

[[nodiscard]] const RefusalText& refusal_text(Unserved what) noexcept;

/// Everything that keeps a guest from starting: each setting once, all in one message.
class RefusalList {
 public:
  /// `detail` says which of several things was asked for: "cirrus-vga", "ne2k_pci (nic0)". The same
  /// detail is kept once; after a dozen, details are only counted.
  void add(Unserved asked, std::string_view detail);
  /// Sets the argument of the command line to which the next additions belong.
  void set_argument(std::size_t index) noexcept { argument_ = index; }
  [[nodiscard]] std::size_t argument() const noexcept { return argument_; }
  /// Says that the arguments `first` to `last` - 1 come from device_model_args or
  /// device_model_args_hvm. Whatever they ask for, the person has to change those settings.
  void set_by_hand(std::size_t first, std::size_t last) { by_hand_.push_back({first, last}); }
  /// Adds what the guest starts without. It is told to its owner, and refuses nothing.
  void leave_out(Unserved what, std::string_view detail);
  /// Adds an option of device_model_args that is understood and changes nothing for the guest.
  void add_without_effect(std::string_view option, std::string_view why);
  /// Adds a broken argument: it makes no sense, whatever stubdm can serve.
  void add_broken(std::string_view message);

  [[nodiscard]] bool empty() const noexcept { return entries_.empty() && broken_.empty(); }
  [[nodiscard]] bool has(Unserved what) const noexcept;
  /// True when the argument at hand comes from device_model_args or device_model_args_hvm.
  [[nodiscard]] bool is_by_hand() const noexcept;
  /// One setting to change or one broken argument, and the arguments it is about.
  struct Line {
    std::string text;
    std::vector<std::size_t> arguments;
  };
  [[nodiscard]] std::vector<Line> settings() const;
  [[nodiscard]] std::vector<Line> broken() const;
  /// What refuses nothing and has to be told: one line for each thing that the guest starts
  /// without, then one for each option without effect.
  [[nodiscard]] std::vector<Line> announced() const;
  /// One line for each setting to change, then one for each broken argument.
  [[nodiscard]] std::string message() const;

 private:
  struct Entry {
    Unserved what;
    std::vector<std::string> details;
    std::vector<std::size_t> arguments;
    std::size_t more = 0;  ///< details that were not kept
    bool by_hand = false;  ///< for what is left out: device_model_args are its setting
  };

  struct Stretch {
    std::size_t first;
    std::size_t last;
  };
  void put(std::vector<Entry>& entries, Unserved what, bool by_hand, std::string_view detail) const;
  /// The setting to blame, given where the argument comes from.
  [[nodiscard]] Unserved blamed(Unserved what, std::string_view detail) const noexcept;

  std::vector<Entry> entries_;
  std::vector<Entry> left_out_;
  std::vector<Line> without_effect_;
  std::size_t more_without_effect_ = 0;
  std::vector<Stretch> by_hand_;
  std::vector<Line> broken_;
  std::size_t more_broken_ = 0;
  std::size_t argument_ = 0;
};

}  // namespace dm::toolstack
