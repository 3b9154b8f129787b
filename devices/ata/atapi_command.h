// SPDX-License-Identifier: MIT
#pragma once

#include "devices/ata/regs.h"

#include <array>
#include <cstdint>

namespace dm::ata {

// ATA commands of packet devices (ATA/ATAPI-6 table 9) that other parts of the drive need by name.
inline constexpr std::uint8_t kPacketCommand = 0xa0;
inline constexpr std::uint8_t kIdentifyPacketDevice = 0xa1;

inline constexpr std::uint16_t kBlock = 2048;     ///< user data of a block, bytes
inline constexpr std::uint16_t kRawFrame = 2352;  ///< with sync, header, EDC and ECC
/// Most blocks of a disc: addresses have 32 bits, and READ CAPACITY names the last block.
inline constexpr std::uint32_t kMaxBlocks = 0xfffffffe;

/// What a CD-ROM drive does on an ATA opcode.
enum class CdAction : std::uint8_t {
  abort,
  abort_with_signature,  ///< for commands by which a host finds out what the drive is
  success,
  check_power_mode,
  device_reset,
  packet,
  identify,
  set_features,
};

/// ATA/ATAPI-6 table 9, column "packet". NOP, SERVICE, SMART, READ NATIVE MAX ADDRESS
/// (CVE-2015-6855) and everything else that is not listed aborts.
inline constexpr std::array<CdAction, 256> kCdCommands = [] {
  std::array<CdAction, 256> table{};
  table[regs::kDeviceReset] = CdAction::device_reset;
  table[0x20] = CdAction::abort_with_signature;  // READ SECTORS, ATA/ATAPI-6 8.34.5
  table[kPacketCommand] = CdAction::packet;
  table[kIdentifyPacketDevice] = CdAction::identify;
  for (const unsigned power :
       {0x94U, 0x95U, 0x96U, 0x97U, 0x99U, 0xe0U, 0xe1U, 0xe2U, 0xe3U, 0xe6U}) {
    table[power] = CdAction::success;  // STANDBY, IDLE, SLEEP
  }
  table[0x98] = table[0xe5] = CdAction::check_power_mode;
  table[0xe7] = CdAction::success;               // FLUSH CACHE: nothing is ever cached
  table[0xec] = CdAction::abort_with_signature;  // IDENTIFY DEVICE, ATA/ATAPI-6 8.15.5.2
  table[0xef] = CdAction::set_features;
  return table;
}();

/// Packet commands: SFF-8020i table 48, MMC-3 table 97, SPC-2.
enum class Packet : std::uint8_t {
  illegal,
  test_unit_ready,
  request_sense,
  inquiry,
  start_stop_unit,
  prevent_allow,
  read_capacity,
  read_10,
  read_12,
  seek,
  read_sub_channel,
  read_toc,
  get_configuration,
  get_event_status,
  read_disc_information,
  read_track_information,
  mode_select,
  mode_sense_6,
  mode_sense_10,
  read_dvd_structure,
  read_cd,
  read_cd_msf,
  set_cd_speed,
  mechanism_status,
};

inline constexpr std::uint8_t kModeSelect10 = 0x55;

struct PacketRule {
  Packet action = Packet::illegal;
  bool needs_disc = false;
  /// Answered while a unit attention waits (SPC-2 5.6.4, MMC-3 5.4).
  bool ignores_attention = false;
};

inline constexpr std::array<PacketRule, 256> kPackets = [] {
  std::array<PacketRule, 256> table{};
  table[0x00] = {.action = Packet::test_unit_ready, .needs_disc = true};
  table[0x03] = {.action = Packet::request_sense, .ignores_attention = true};
  table[0x12] = {.action = Packet::inquiry, .ignores_attention = true};
  table[0x1a] = {.action = Packet::mode_sense_6};
  table[0x1b] = {.action = Packet::start_stop_unit};
  table[0x1e] = {.action = Packet::prevent_allow};
  table[0x25] = {.action = Packet::read_capacity, .needs_disc = true};
  table[0x28] = {.action = Packet::read_10, .needs_disc = true};
  table[0x2b] = {.action = Packet::seek, .needs_disc = true};
  table[0x42] = {.action = Packet::read_sub_channel, .needs_disc = true};
  table[0x43] = {.action = Packet::read_toc, .needs_disc = true};
  table[0x46] = {.action = Packet::get_configuration, .ignores_attention = true};
  table[0x4a] = {.action = Packet::get_event_status, .ignores_attention = true};
  table[0x51] = {.action = Packet::read_disc_information, .needs_disc = true};
  table[0x52] = {.action = Packet::read_track_information, .needs_disc = true};
  table[kModeSelect10] = {.action = Packet::mode_select};
  table[0x5a] = {.action = Packet::mode_sense_10};
  table[0xa8] = {.action = Packet::read_12, .needs_disc = true};
  table[0xad] = {.action = Packet::read_dvd_structure, .needs_disc = true};
  table[0xb9] = {.action = Packet::read_cd_msf, .needs_disc = true};
  table[0xbb] = {.action = Packet::set_cd_speed};
  table[0xbd] = {.action = Packet::mechanism_status};
  table[0xbe] = {.action = Packet::read_cd, .needs_disc = true};
  return table;
}();

}  // namespace dm::ata
