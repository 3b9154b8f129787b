// SPDX-License-Identifier: MIT
// Internal to the command line's parser.
#pragma once

#include "platform/toolstack/command_line/key_values.h"
#include "tests/qtest/options.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::qtest {

struct Drive {
  std::string id;
  DiskConfig disk;
  bool holdable = false;
  bool for_ide = false;  ///< if=ide: it needs no -device
  std::optional<unsigned> position;
  bool used = false;
};

struct Chardev {
  std::string id;
  std::string spec;  ///< as -serial has it
  std::string path;  ///< of a socket
};

/// What has been read so far. Devices name drives, cables and character devices that may come
/// later, so they are joined at the end.
class OptionParser {
 public:
  [[nodiscard]] Result<Options> run(std::span<const std::string_view> arguments);

 private:
  /// Empty: all is well. Else what is wrong with the value.
  using Why = std::string;
  struct Option {
    std::string_view name;
    bool has_value;
    Why (OptionParser::*take)(std::string_view value);
  };
  static const Option kOptions[];

  // options.cc
  Why take_qtest(std::string_view value);
  Why take_log(std::string_view value);
  Why take_machine(std::string_view value);
  Why take_accel(std::string_view value);
  Why take_memory(std::string_view value);
  Why take_smp(std::string_view value);
  Why take_none(std::string_view value);
  Why take_nothing(std::string_view value);
  Why take_paused(std::string_view value);
  Why take_run_with(std::string_view value);
  Why take_chardev(std::string_view value);
  Why take_mon(std::string_view value);
  Why take_qmp(std::string_view value);
  Why take_serial(std::string_view value);
  // options_devices.cc
  Why take_drive(std::string_view value);
  Why take_blockdev(std::string_view value);
  Why take_device(std::string_view value);
  Why take_global(std::string_view value);
  Why take_netdev(std::string_view value);
  Why take_nic(std::string_view value);

  Why add_ide(const toolstack::KeyValues& keys, bool cdrom);
  Why add_card(const toolstack::KeyValues& keys);
  Why place_drives();
  void put(const Drive& drive, unsigned position);
  [[nodiscard]] std::optional<unsigned> free_position(unsigned first, unsigned last) const;
  [[nodiscard]] const Chardev* find_chardev(std::string_view id) const;

  struct Netdev {
    std::string id;
    Cable cable;
  };
  /// A -device ide-hd or ide-cd, and the -drive that it names.
  struct IdeDevice {
    std::string drive;
    bool cdrom = false;
    std::optional<unsigned> bus;
    std::optional<unsigned> unit;
    std::string serial;
    std::string firmware;
  };
  struct Card {
    std::string id;
    std::string netdev;
    std::string mac;
    std::string address;
  };
  Why place(const IdeDevice& device);
  Why place(const Card& card);

  Options options_;
  std::array<bool, 4> taken_{};
  std::vector<Drive> drives_;
  std::vector<IdeDevice> ide_devices_;
  std::vector<Card> cards_;
  std::vector<Netdev> netdevs_;
  std::vector<Chardev> chardevs_;
  std::vector<std::string> mons_;
  std::string global_serial_;
  std::string global_firmware_;
  unsigned serials_ = 0;
  bool has_qtest_ = false;
};

/// Is it one of these?
[[nodiscard]] bool one_of(std::string_view value, std::initializer_list<std::string_view> these);

}  // namespace dm::qtest
