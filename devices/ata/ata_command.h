// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

namespace dm::ata {

/// What a disk does on an opcode. Several opcodes share an action; the flags beside it tell them
/// apart.
enum class Action : std::uint8_t {
  abort,  ///< not implemented: ERR and ABRT
  success,
  seek,
  read_pio,
  write_pio,
  read_dma,
  write_dma,
  verify,
  flush,
  data_set_management,
  initialize_parameters,
  check_power_mode,
  smart,
  set_multiple,
  identify,
  set_features,
  read_native_max,
};

struct AtaCommand {
  Action action = Action::abort;
  bool extended = false;  ///< 48-bit: 16-bit count, registers two deep
  bool multiple = false;  ///< DRQ blocks of SET MULTIPLE's size
  bool durable = false;   ///< FUA
};

/// The actions by opcode. EXECUTE DEVICE DIAGNOSTIC is missing: the controller handles it, since it
/// is for both drives of a cable. An opcode that is not listed aborts; on purpose these do: NOP
/// 00h, DEVICE RESET 08h, SET MAX 37h and F9h, the packet commands A0h-A2h, DOWNLOAD MICROCODE 92h,
/// security F1h-F6h. Source: ATA/ATAPI-6 table 9 and annex; ACS-2 for DATA SET MANAGEMENT.
inline constexpr std::array<AtaCommand, 256> kAtaCommands = [] {
  std::array<AtaCommand, 256> table{};
  table[0x06] = {.action = Action::data_set_management, .extended = true};
  table[0x10] = {.action = Action::success};  // RECALIBRATE
  table[0x20] = {.action = Action::read_pio};
  table[0x21] = {.action = Action::read_pio};  // without retries
  table[0x24] = {.action = Action::read_pio, .extended = true};
  table[0x25] = {.action = Action::read_dma, .extended = true};
  table[0x27] = {.action = Action::read_native_max, .extended = true};
  table[0x29] = {.action = Action::read_pio, .extended = true, .multiple = true};
  table[0x30] = {.action = Action::write_pio};
  table[0x31] = {.action = Action::write_pio};
  table[0x34] = {.action = Action::write_pio, .extended = true};
  table[0x35] = {.action = Action::write_dma, .extended = true};
  table[0x39] = {.action = Action::write_pio, .extended = true, .multiple = true};
  table[0x3c] = {.action = Action::write_pio};  // WRITE VERIFY
  table[0x3d] = {.action = Action::write_dma, .extended = true, .durable = true};
  table[0x40] = {.action = Action::verify};
  table[0x41] = {.action = Action::verify};
  table[0x42] = {.action = Action::verify, .extended = true};
  table[0x70] = {.action = Action::seek};
  table[0x91] = {.action = Action::initialize_parameters};
  table[0xb0] = {.action = Action::smart};
  table[0xc4] = {.action = Action::read_pio, .multiple = true};
  table[0xc5] = {.action = Action::write_pio, .multiple = true};
  table[0xc6] = {.action = Action::set_multiple};
  table[0xc8] = {.action = Action::read_dma};
  table[0xc9] = {.action = Action::read_dma};
  table[0xca] = {.action = Action::write_dma};
  table[0xcb] = {.action = Action::write_dma};
  table[0xce] = {.action = Action::write_pio, .extended = true, .multiple = true, .durable = true};
  // Power management, each command with its older opcode. What puts the medium to rest makes the
  // data safe first.
  table[0x94] = table[0xe0] = {.action = Action::flush};             // STANDBY IMMEDIATE
  table[0x95] = table[0xe1] = {.action = Action::success};           // IDLE IMMEDIATE
  table[0x96] = table[0xe2] = {.action = Action::flush};             // STANDBY
  table[0x97] = table[0xe3] = {.action = Action::success};           // IDLE
  table[0x98] = table[0xe5] = {.action = Action::check_power_mode};  // CHECK POWER MODE
  table[0x99] = table[0xe6] = {.action = Action::flush};             // SLEEP
  table[0xe7] = {.action = Action::flush};
  table[0xea] = {.action = Action::flush};
  table[0xec] = {.action = Action::identify};
  table[0xef] = {.action = Action::set_features};
  table[0xf8] = {.action = Action::read_native_max};
  return table;
}();

}  // namespace dm::ata
