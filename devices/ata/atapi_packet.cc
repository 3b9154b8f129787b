// SPDX-License-Identifier: MIT
// PACKET: decode, unit attention and readiness, and the commands that are answered at once.
#include "core/range.h"
#include "devices/ata/atapi_drive.h"
#include "devices/ata/atapi_sense.h"
#include "devices/ata/regs.h"

#include <algorithm>

namespace dm::ata {

namespace {

using regs::kMask;
using regs::kReady;
using regs::STATUS;

// Features of PACKET, ATA/ATAPI-6 8.23.
constexpr std::uint8_t kFeatureDma = 0x01;
constexpr std::uint8_t kFeatureOverlap = 0x02;

// Interrupt reason, in the sector count register (ATA/ATAPI-6 7.14).
constexpr std::uint8_t kReasonPacket = 0x01;  ///< C/D: the host writes the packet
constexpr std::uint8_t kReasonStatus = 0x03;  ///< I/O and C/D: the command has ended

}  // namespace

/// DRQ for the packet, without an interrupt: "within 50 us" in word 0 of IDENTIFY.
void AtapiDrive::begin_packet() noexcept {
  const std::uint8_t features = file().features[0];
  if ((features & kFeatureOverlap) != 0) {
    abort();
    return;
  }
  cd_.dma = (features & kFeatureDma) != 0;
  cd_.awaits_packet = true;
  cd_.remaining = 0;
  cd_.pos = 0;
  cd_.end = cd_.filled = CdState::kPacket;
  cd_.phase = Phase::data_out;
  file().count[0] = kReasonPacket;
  file().status = kReady | kMask<STATUS::DRQ>;
}

void AtapiDrive::packet_taken() noexcept {
  std::copy_n(cd_.buffer.begin(), CdState::kPacket, cd_.packet.begin());
  cd_.awaits_packet = false;
  cd_.pos = cd_.end = cd_.filled = 0;
  cd_.phase = Phase::idle;
  cd_.disc_lost = false;
  moved_ = 0;
  const PacketRule rule = kPackets[cd_.packet[0]];
  if (!rule.ignores_attention) {
    if (const Sense told = take_attention(); told != sense::kNoSense) {
      refuse(told);
      return;
    }
  }
  if (rule.action != Packet::request_sense) {
    cd_.sense = {};
  }
  if (rule.needs_disc && !readable()) {
    refuse(not_ready());
    return;
  }
  run_packet(rule.action);
}

void AtapiDrive::run_packet(Packet action) noexcept {
  const PacketBytes& p = cd_.packet;
  const std::size_t allocation = be16(p, 7);  // where most commands have it
  Reply reply = new_reply();
  switch (action) {
    case Packet::illegal:
      return refuse(sense::kInvalidCommand);
    case Packet::test_unit_ready:
    case Packet::set_cd_speed:
      return finish_packet();
    case Packet::request_sense:
      return request_sense();
    case Packet::inquiry:
      return answer_if(reply_inquiry(reply, p, facts()), reply, be16(p, 3));
    case Packet::start_stop_unit:
      return start_stop();
    case Packet::prevent_allow:
      cd_.locked = (p[4] & 0x01U) != 0;
      return finish_packet();
    case Packet::read_capacity:
      reply_capacity(reply, facts());
      return answer(reply, reply.size());
    case Packet::read_10:
      return read_blocks(be32(p, 2), be16(p, 7), kBlock);
    case Packet::read_12:
      return read_blocks(be32(p, 2), be32(p, 6), kBlock);
    case Packet::seek:
      return seek();
    case Packet::read_sub_channel:
      return answer_if(reply_sub_channel(reply, p), reply, allocation);
    case Packet::read_toc:
      return answer_if(reply_toc(reply, p, facts()), reply, allocation);
    case Packet::get_configuration:
      return answer_if(reply_configuration(reply, p, facts()), reply, allocation);
    case Packet::get_event_status:
      return get_event_status();
    case Packet::read_disc_information:
      reply_disc_information(reply);
      return answer(reply, allocation);
    case Packet::read_track_information:
      return answer_if(reply_track_information(reply, p, facts()), reply, allocation);
    case Packet::mode_select:
      return mode_select();
    case Packet::mode_sense_6:
      return mode_sense(4);
    case Packet::mode_sense_10:
      return mode_sense(8);
    case Packet::read_dvd_structure:
      return read_dvd_structure();
    case Packet::read_cd:
      return read_cd();
    case Packet::read_cd_msf:
      return read_cd_msf();
    case Packet::mechanism_status:
      reply_mechanism(reply, facts());
      return answer(reply, be16(p, 8));
  }
}

Reply AtapiDrive::new_reply() noexcept {
  return Reply{std::span{cd_.buffer}.first<Reply::kLargest>()};
}

CdFacts AtapiDrive::facts() const noexcept {
  return {.identity = identity_,
          .blocks = readable() ? cd_.disc_blocks : 0,
          .tray_open = cd_.tray_open,
          .locked = cd_.locked,
          .recovery = cd_.recovery};
}

/// As much of the reply as the guest has room for.
void AtapiDrive::answer(const Reply& reply, std::size_t allocation) noexcept {
  cd_.filled = static_cast<std::uint32_t>(std::min(reply.size(), allocation));
  begin_data_in(cd_.filled);
}

void AtapiDrive::answer_if(bool valid, const Reply& reply, std::size_t allocation) noexcept {
  if (valid) {
    answer(reply, allocation);
  } else {
    refuse(sense::kInvalidField);
  }
}

void AtapiDrive::finish_packet() noexcept {
  file().count[0] = kReasonStatus;
  complete();
}

/// CHECK CONDITION: the sense key is in the error register, the rest waits for REQUEST SENSE.
void AtapiDrive::refuse(const Sense& told) noexcept {
  constexpr std::uint8_t kIllegalRequest = 5;
  constexpr std::uint8_t kAborted = 0x0b;
  const bool aborts = told.key == kIllegalRequest || told.key == kAborted;
  if (aborts) {
    ++tally().refused;
  }
  cd_.sense = told;
  cd_.filled = 0;
  file().count[0] = kReasonStatus;
  end(kMask<STATUS::ERR>, static_cast<std::uint8_t>(std::uint32_t{told.key} << 4U |
                                                    (aborts ? kMask<regs::ERROR::ABRT> : 0U)));
  set_interrupt(true);
}

/// Tells what the last command left, or else the next unit attention (SPC-2 7.23).
void AtapiDrive::request_sense() noexcept {
  Sense told = cd_.sense;
  cd_.sense = {};
  if (told == sense::kNoSense) {
    told = take_attention();
  }
  Reply reply = new_reply();
  reply_sense(reply, told);
  answer(reply, cd_.packet[4]);
}

void AtapiDrive::get_event_status() noexcept {
  const PacketBytes& p = cd_.packet;
  const bool polled = (p[1] & 0x01U) != 0;
  const bool media = (p[4] & 0x10U) != 0;
  const std::size_t allocation = be16(p, 7);
  constexpr std::size_t kEventHeader = 4;
  if (!polled) {
    refuse(sense::kInvalidField);  // nothing is ever queued
    return;
  }
  Reply reply = new_reply();
  if (media) {
    // An event that does not fit into the answer has not been told.
    reply_event(reply, allocation > kEventHeader ? take_event() : std::uint8_t{0}, facts());
  } else {
    reply_no_event(reply);
  }
  answer(reply, allocation);
}

void AtapiDrive::read_dvd_structure() noexcept {
  Reply reply = new_reply();
  if (is_cd(cd_.disc_blocks)) {
    refuse(sense::kIncompatibleDisc);
    return;
  }
  answer_if(reply_dvd_structure(reply, cd_.packet, facts()), reply, be16(cd_.packet, 8));
}

void AtapiDrive::mode_sense(std::size_t header) noexcept {
  constexpr unsigned kSaved = 3;
  if (cd_.packet[2] >> 6U == kSaved) {
    refuse(sense::kNoSavedParameters);
    return;
  }
  Reply reply = new_reply();
  answer_if(reply_mode(reply, cd_.packet, facts(), header), reply,
            header == 8 ? be16(cd_.packet, 7) : cd_.packet[4]);
}

void AtapiDrive::mode_select() noexcept {
  constexpr std::uint8_t kPageFormat = 0x10;
  constexpr std::uint8_t kSavePages = 0x01;
  constexpr std::size_t kMostParameters = 512;
  const std::uint32_t bytes = be16(cd_.packet, 7);
  if ((cd_.packet[1] & (kPageFormat | kSavePages)) != kPageFormat) {
    refuse(sense::kInvalidField);
  } else if (bytes > kMostParameters) {
    refuse(sense::kParameterLength);
  } else {
    begin_data_out(bytes);
  }
}

void AtapiDrive::mode_parameters_taken() noexcept {
  const auto recovery = take_mode_parameters(std::span{cd_.buffer}.first(cd_.filled), facts());
  if (!recovery) {
    refuse(sense::kInvalidParameter);
    return;
  }
  cd_.recovery = *recovery;
  finish_packet();
}

/// The whole range is judged before anything is moved (CVE-2020-29443).
void AtapiDrive::read_blocks(std::uint32_t lba, std::uint32_t count, std::uint16_t frame) noexcept {
  if (!within(0, cd_.disc_blocks, lba, count)) {
    refuse(sense::kOutOfRange);
    return;
  }
  cd_.lba = lba;
  cd_.remaining = count;
  cd_.frame = frame;
  begin_data_in(std::uint64_t{count} * frame);
}

void AtapiDrive::seek() noexcept {
  if (be32(cd_.packet, 2) >= cd_.disc_blocks) {
    refuse(sense::kOutOfRange);
    return;
  }
  finish_packet();
}

void AtapiDrive::read_cd() noexcept {
  const PacketBytes& p = cd_.packet;
  read_cd_range(be32(p, 2), be32(p, 5) & 0x00ffffffU);
}

/// From a minute, second and frame to before another (MMC-3 6.1.23).
void AtapiDrive::read_cd_msf() noexcept {
  constexpr std::uint32_t kLeadIn = 150;
  const PacketBytes& p = cd_.packet;
  const auto frames = [&p](std::size_t at) {
    return (std::uint32_t{p[at]} * 60 + p[at + 1]) * 75 + p[at + 2];
  };
  const std::uint32_t first = frames(3);
  const std::uint32_t last = frames(6);
  const bool valid = p[4] < 60 && p[5] < 75 && p[7] < 60 && p[8] < 75;
  if (!valid || first > last) {
    refuse(sense::kInvalidField);
  } else if (first < kLeadIn) {
    refuse(sense::kOutOfRange);
  } else {
    read_cd_range(first - kLeadIn, last - first);
  }
}

/// MMC-3 6.1.22: mode 1 blocks only; their user data, or all of the 2352 bytes, or nothing.
void AtapiDrive::read_cd_range(std::uint32_t lba, std::uint32_t count) noexcept {
  constexpr unsigned kAnyType = 0;
  constexpr unsigned kMode1 = 2;
  constexpr unsigned kUserData = 0x10;
  constexpr unsigned kEverything = 0xf8;
  const unsigned type = cd_.packet[1] >> 2U & 7U;
  const unsigned fields = cd_.packet[9] & 0xf8U;
  const bool sub_channels = (cd_.packet[10] & 7U) != 0;
  if (sub_channels || (fields != 0 && fields != kUserData && fields != kEverything)) {
    refuse(sense::kInvalidField);
  } else if (type != kAnyType && type != kMode1) {
    refuse(sense::kIllegalTrackMode);
  } else if (fields == 0 && within(0, cd_.disc_blocks, lba, count)) {
    finish_packet();
  } else {
    read_blocks(lba, count, fields == kEverything ? kRawFrame : kBlock);
  }
}

}  // namespace dm::ata
