// SPDX-License-Identifier: MIT
// Internal to the command line's parser.
#pragma once

#include "core/config/machine_config.h"
#include "platform/toolstack/command_line/command_line.h"
#include "platform/toolstack/command_line/key_values.h"
#include "platform/toolstack/command_line/refusals.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack {

/// Which device uses a thing that another argument describes: a -drive, a -netdev, a -chardev.
enum class Use : std::uint8_t {
  none,
  served,
  refused,  ///< used by a device that stubdm does not have: not worth a second message
};

struct DriveArgument {
  std::string_view text;
  std::string_view id;
  std::optional<std::string_view> file;
  std::string_view format;
  std::optional<unsigned> ide_index;  ///< if=ide
  bool read_only = false;
  bool direct = false;
  Use use = Use::none;
  std::size_t argument = 0;  ///< its place in the command line
};

struct CdArgument {
  std::string_view text;
  std::string_view id;
  std::string_view drive;
  unsigned index = 0;
  std::size_t argument = 0;
};

struct CardArgument {
  std::string_view text;
  std::string_view model;
  std::string_view id;
  std::string_view netdev;
  std::array<std::uint8_t, 6> mac{};
  std::size_t argument = 0;
  std::optional<std::string_view> rom;
};

struct NetdevArgument {
  std::string_view text;
  std::string_view id;
  std::string_view ifname;
  std::string_view bridge;
  int fd = -1;
  bool shared = false;  ///< type=packet: ifname is an existing interface
  Use use = Use::none;
  std::size_t argument = 0;
};

struct UsbArgument {
  std::string_view model;
  std::size_t argument = 0;
};

struct ChardevArgument {
  std::string_view text;
  std::string_view id;
  std::string_view path;
  int fd = -1;
  Use use = Use::none;
};

struct MonitorArgument {
  std::string_view text;
  std::string_view chardev;
};

/// What has been read so far. libxl names things before and after it uses them (-device before its
/// -netdev, -drive before its -device), so the arguments are kept and joined at the end.
struct Parse {
  MachineConfig config;
  RefusalList refusals;
  std::optional<Invocation::Action> action;  ///< set by --help, --version, --check
  std::string_view file;                     ///< of --check

  std::vector<std::string_view> singles;  ///< options that may appear only once, and did
  std::vector<DriveArgument> drives;
  std::vector<CdArgument> cds;
  std::vector<std::string_view> cards_of_other_models;  ///< their netdevs
  std::vector<CardArgument> cards;
  std::vector<NetdevArgument> netdevs;
  std::vector<std::string_view> left_alone;  ///< drives and chardevs of devices that are refused
  std::vector<UsbArgument> usb_controllers;
  bool usb_redirected = false;  ///< SPICE has asked for the controllers
  std::vector<ChardevArgument> chardevs;
  std::vector<MonitorArgument> monitors;
  KernelConfig kernel;  ///< without a path: there is none
  unsigned serials = 0;
  bool no_machine = false;    ///< -machine none
  bool shown_by_vnc = false;  ///< instead of what was asked for

  /// True for a thing that only a refused device uses: it is not worth a second message.
  [[nodiscard]] bool is_left_alone(std::string_view id) const noexcept {
    return !id.empty() && std::find(left_alone.begin(), left_alone.end(), id) != left_alone.end();
  }
  /// `-option value: why`
  void broken(std::string_view option, std::string_view value, std::string_view why);
  void note(std::string_view option, std::string_view value, std::string_view why);
  /// Splits `value`, or records what is wrong and returns nothing.
  [[nodiscard]] std::optional<KeyValues> split(std::string_view option,
                                               std::string_view value,
                                               const KeyRules& rules);
};

/// One option of libxl's command line. `take` gets the option's name and value (empty for a flag).
struct Option {
  using Take = void (*)(Parse&, std::string_view name, std::string_view value);

  std::string_view name;
  bool has_value;
  bool once;  ///< a second one is an error
  Take take;
};

// parse_machine.cc
void take_domid(Parse&, std::string_view name, std::string_view value);
void take_name(Parse&, std::string_view name, std::string_view value);
void take_machine(Parse&, std::string_view name, std::string_view value);
/// Refuses what makes no sense with a PV domain.
void join_machine(Parse&);
/// A ramdisk and a command line are a kernel's.
void join_kernel(Parse&);
void take_kernel(Parse&, std::string_view name, std::string_view value);
void take_initrd(Parse&, std::string_view name, std::string_view value);
void take_append(Parse&, std::string_view name, std::string_view value);
void take_smp(Parse&, std::string_view name, std::string_view value);
void take_boot(Parse&, std::string_view name, std::string_view value);
void take_memory(Parse&, std::string_view name, std::string_view value);
void take_spin(Parse&, std::string_view name, std::string_view value);
void take_incoming(Parse&, std::string_view name, std::string_view value);

// parse_by_hand.cc
/// `-name value`, or `-name`.
[[nodiscard]] std::string written_option(std::string_view name, std::string_view value);
void take_without_effect(Parse&, std::string_view name, std::string_view value);
void take_global(Parse&, std::string_view name, std::string_view value);
void take_human_monitor(Parse&, std::string_view name, std::string_view value);
void take_parallel(Parse&, std::string_view name, std::string_view value);
void take_vga_option(Parse&, std::string_view name, std::string_view value);

// parse_screen.cc
void take_vga(Parse&, std::string_view value);
void take_vnc(Parse&, std::string_view name, std::string_view value);
void take_keymap(Parse&, std::string_view name, std::string_view value);
void take_spice(Parse&, std::string_view name, std::string_view value);
void take_sdl(Parse&, std::string_view name, std::string_view value);
void join_screen(Parse&);
void take_display(Parse&, std::string_view name, std::string_view value);

// parse_device.cc
void take_device(Parse&, std::string_view name, std::string_view value);
void take_usb(Parse&, std::string_view name, std::string_view value);
void take_usb_device(Parse&, std::string_view name, std::string_view value);
void join_usb(Parse&);

// parse_disk.cc
void take_drive(Parse&, std::string_view name, std::string_view value);
void take_cd(Parse&, std::string_view value);
/// Refuses a disk device, and marks its drive as used by a refused device.
void refuse_disk(Parse&, Unserved what, std::string_view value);
void join_disks(Parse&);

// parse_network.cc
void take_card(Parse&, std::string_view model, std::string_view value);
void take_other_card(Parse&, const KeyValues& device);
void take_netdev(Parse&, std::string_view name, std::string_view value);
void take_net(Parse&, std::string_view name, std::string_view value);
void join_cards(Parse&);

// parse_character.cc
void take_chardev(Parse&, std::string_view name, std::string_view value);
void take_monitor(Parse&, std::string_view name, std::string_view value);
void take_serial(Parse&, std::string_view name, std::string_view value);
void join_monitors(Parse&);

}  // namespace dm::toolstack
