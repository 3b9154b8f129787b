// SPDX-License-Identifier: MIT
// What packet commands answer, built from facts alone. Sections are those of MMC-3 (T10 1363-D)
// unless SPC-2 or SFF-8020i is named.
#include "devices/ata/atapi_replies.h"

#include <algorithm>

namespace dm::ata {

namespace {

constexpr std::uint32_t kLeadIn = 150;     ///< frames before block 0
constexpr std::uint8_t kDataTrack = 0x14;  ///< ADR 1; a data track, not to be copied
constexpr std::uint8_t kLeadOutTrack = 0xaa;
constexpr std::uint16_t kCdRom = 0x0008;  ///< profiles
constexpr std::uint16_t kDvdRom = 0x0010;

/// Minute, second and frame, as three bytes after one that is zero.
constexpr std::uint32_t msf(std::uint32_t lba) noexcept {
  const std::uint64_t frames = std::uint64_t{lba} + kLeadIn;
  const auto minute =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(frames / (75U * 60U), 255));
  return minute << 16U | static_cast<std::uint32_t>(frames / 75 % 60) << 8U |
         static_cast<std::uint32_t>(frames % 75);
}
constexpr std::uint32_t address(std::uint32_t lba, bool as_msf) noexcept {
  return as_msf ? msf(lba) : lba;
}

constexpr std::uint16_t profile(std::uint32_t blocks) noexcept {
  return blocks == 0 ? std::uint16_t{0} : is_cd(blocks) ? kCdRom : kDvdRom;
}

}  // namespace

Reply::Reply(std::span<std::uint8_t, kLargest> bytes) noexcept : bytes_{bytes} {
  std::ranges::fill(bytes_, std::uint8_t{0});
}
void Reply::extend(std::size_t size) noexcept {
  size_ = std::min(size, kLargest);
}
void Reply::put8(std::size_t at, unsigned value) noexcept {
  if (at < kLargest) {
    bytes_[at] = static_cast<std::uint8_t>(value & 0xffU);
    size_ = std::max(size_, at + 1);
  }
}
void Reply::put16(std::size_t at, unsigned value) noexcept {
  put8(at, value >> 8U);
  put8(at + 1, value);
}
void Reply::put32(std::size_t at, std::uint32_t value) noexcept {
  put16(at, value >> 16U);
  put16(at + 2, value);
}
void Reply::put_text(std::size_t at, std::span<const char> text) noexcept {
  for (const char c : text) {
    put8(at++, static_cast<unsigned char>(c));
  }
}

/// SPC-2 7.23.2: fixed format, current error.
void reply_sense(Reply& reply, const Sense& sense) noexcept {
  reply.extend(18);
  reply.put8(0, 0x70);
  reply.put8(2, sense.key);
  reply.put8(7, 10);  // bytes that follow
  reply.put8(12, sense.asc);
  reply.put8(13, sense.ascq);
}

namespace {

/// Vital product data, SPC-2 8.4.
bool reply_vital(Reply& reply, std::uint8_t page, const CdFacts& cd) noexcept {
  const auto& serial = cd.identity.serial.text;
  reply.put8(0, 0x05);
  reply.put8(1, page);
  switch (page) {
    case 0x00:  // supported pages
      reply.put16(2, 3);
      reply.put8(4, 0x00);
      reply.put8(5, 0x80);
      reply.put8(6, 0x83);
      return true;
    case 0x80:  // unit serial number
      reply.put16(2, static_cast<unsigned>(serial.size()));
      reply.put_text(4, serial);
      return true;
    case 0x83:  // one designator: ASCII, vendor specific
      reply.put16(2, static_cast<unsigned>(serial.size()) + 4);
      reply.put8(4, 0x02);
      reply.put8(7, static_cast<unsigned>(serial.size()));
      reply.put_text(8, serial);
      return true;
    default:
      return false;
  }
}

}  // namespace

/// SPC-2 7.3, SFF-8020i 10.8.1.
bool reply_inquiry(Reply& reply, const PacketBytes& p, const CdFacts& cd) noexcept {
  const bool vital = (p[1] & 0x01U) != 0;
  if (vital) {
    return reply_vital(reply, p[2], cd);
  }
  if (p[2] != 0) {
    return false;
  }
  static constexpr std::array<char, 8> kVendor{'S', 'T', 'U', 'B', 'D', 'M', ' ', ' '};
  static constexpr std::array<char, 16> kProduct{'D', 'V', 'D', '-', 'R', 'O', 'M', ' ',
                                                 ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
  static constexpr std::array<char, 4> kRevision{'1', '.', '0', ' '};
  reply.put8(0, 0x05);  // CD/DVD device
  reply.put8(1, 0x80);  // removable
  reply.put8(3, 0x21);  // ATAPI version 2, response format 1
  reply.put8(4, 31);
  reply.put_text(8, kVendor);
  reply.put_text(16, kProduct);
  reply.put_text(32, kRevision);
  return true;
}

/// 6.1.27 of MMC-3 refers to it as READ CAPACITY; SFF-8020i 10.8.12.
void reply_capacity(Reply& reply, const CdFacts& cd) noexcept {
  reply.put32(0, cd.blocks - 1);  // a readable disc has at least one
  reply.put32(4, 2048);
}

/// SFF-8020i 10.8.19: nothing plays, no catalogue number.
bool reply_sub_channel(Reply& reply, const PacketBytes& p) noexcept {
  const bool as_msf = (p[1] & 0x02U) != 0;
  const bool q = (p[2] & 0x40U) != 0;
  reply.put8(1, 0x15);  // no current audio status
  if (!q) {
    reply.extend(4);
    return true;
  }
  reply.put8(4, p[3]);
  switch (p[3]) {
    case 0x01:  // current position
      reply.put16(2, 12);
      reply.put8(5, kDataTrack);
      reply.put8(6, 1);
      reply.put8(7, 1);
      reply.put32(8, address(0, as_msf));
      reply.put32(12, 0);
      return true;
    case 0x02:  // media catalogue number
    case 0x03:  // ISRC
      reply.put16(2, 20);
      reply.extend(24);
      return true;
    default:
      return false;
  }
}

namespace {

/// Format 0: tracks from one on. SFF-8020i 10.8.20.
bool reply_tracks(Reply& reply, std::uint8_t first, bool as_msf, const CdFacts& cd) noexcept {
  if (first > 1 && first != kLeadOutTrack) {
    return false;
  }
  reply.put8(2, 1);
  reply.put8(3, 1);
  std::size_t at = 4;
  const auto descriptor = [&](std::uint8_t track, std::uint32_t lba) {
    reply.put8(at + 1, kDataTrack);
    reply.put8(at + 2, track);
    reply.put32(at + 4, address(lba, as_msf));
    at += 8;
  };
  if (first <= 1) {
    descriptor(1, 0);
  }
  descriptor(kLeadOutTrack, cd.blocks);
  reply.put16(0, static_cast<unsigned>(at - 2));
  return true;
}

/// Format 2: the lead-in's own entries, always in MSF.
void reply_raw_toc(Reply& reply, const CdFacts& cd) noexcept {
  reply.put8(2, 1);
  reply.put8(3, 1);
  std::size_t at = 4;
  const auto entry = [&](std::uint8_t point, std::uint32_t pmsf) {
    reply.put8(at, 1);  // session
    reply.put8(at + 1, kDataTrack);
    reply.put8(at + 3, point);
    reply.put32(at + 7, pmsf);  // zero, PMIN, PSEC, PFRAME
    at += 11;
  };
  entry(0xa0, 0x010000);  // first track, a CD-ROM
  entry(0xa1, 0x010000);  // last track
  entry(0xa2, msf(cd.blocks));
  entry(0x01, msf(0));
  reply.put16(0, static_cast<unsigned>(at - 2));
}

}  // namespace

/// 6.1.32. The format is in byte 2; older drivers have it in bits 7:6 of byte 9 (SFF-8020i).
bool reply_toc(Reply& reply, const PacketBytes& p, const CdFacts& cd) noexcept {
  const bool as_msf = (p[1] & 0x02U) != 0;
  const unsigned format = (p[2] & 0x0fU) != 0 ? p[2] & 0x0fU : p[9] >> 6U;
  switch (format) {
    case 0:
      return reply_tracks(reply, p[6], as_msf, cd);
    case 1:  // the last complete session begins with track 1
      reply.put16(0, 10);
      reply.put8(2, 1);
      reply.put8(3, 1);
      reply.put8(5, kDataTrack);
      reply.put8(6, 1);
      reply.put32(8, address(0, as_msf));
      return true;
    case 2:
      reply_raw_toc(reply, cd);
      return true;
    default:
      return false;
  }
}

/// 6.1.5, features of clause 5.3.
bool reply_configuration(Reply& reply, const PacketBytes& p, const CdFacts& cd) noexcept {
  const unsigned which = p[1] & 3U;
  const unsigned first = be16(p, 2);
  const std::uint16_t now = profile(cd.blocks);
  if (which == 3) {
    return false;
  }
  std::size_t at = 8;
  reply.extend(at);
  // Which features a request is for: from a number on, those in effect from a number on, or one.
  const auto feature = [&](unsigned code, bool current, unsigned more, unsigned bytes) {
    const bool wanted = which == 2 ? code == first : code >= first && (which == 0 || current);
    if (!wanted) {
      return std::size_t{0};
    }
    const std::size_t place = at;
    reply.put16(place, code);
    reply.put8(place + 2, more | (current ? 1U : 0U));
    reply.put8(place + 3, bytes);
    at += 4 + bytes;
    reply.extend(at);
    return place + 4;
  };
  constexpr unsigned kPersistent = 0x02;
  if (const std::size_t data = feature(0x0000, true, kPersistent, 8)) {  // profile list
    reply.put16(data, kDvdRom);
    reply.put8(data + 2, now == kDvdRom ? 1U : 0U);
    reply.put16(data + 4, kCdRom);
    reply.put8(data + 6, now == kCdRom ? 1U : 0U);
  }
  if (const std::size_t data = feature(0x0001, true, kPersistent, 4)) {  // core
    reply.put32(data, 2);                                                // ATAPI
  }
  if (const std::size_t data = feature(0x0002, true, kPersistent, 4)) {  // morphing
    reply.put8(data, 0);  // events are asked for, not waited for
  }
  if (const std::size_t data = feature(0x0003, true, kPersistent, 4)) {  // removable medium
    reply.put8(data, 0x29);                                              // tray, eject, lock
  }
  if (const std::size_t data = feature(0x0010, now != 0, 0, 8)) {  // random readable
    reply.put32(data, 2048);
    reply.put16(data + 4, 1);
  }
  (void)feature(0x001e, now == kCdRom, 0, 0);   // CD read
  (void)feature(0x001f, now == kDvdRom, 0, 0);  // DVD read
  reply.put32(0, static_cast<std::uint32_t>(at - 4));
  reply.put16(6, now);
  return true;
}

/// 6.1.6, media class.
void reply_event(Reply& reply, std::uint8_t event, const CdFacts& cd) noexcept {
  reply.put16(0, 6);
  reply.put8(2, 4);
  reply.put8(3, 0x10);
  reply.put8(4, event);
  reply.put8(5, (cd.blocks != 0 ? 2U : 0U) | (cd.tray_open ? 1U : 0U));
  reply.extend(8);
}

void reply_no_event(Reply& reply) noexcept {
  reply.put16(0, 2);
  reply.put8(2, 0x80);
  reply.put8(3, 0x10);
}

/// 6.1.26: one closed session on a disc that cannot be written.
void reply_disc_information(Reply& reply) noexcept {
  reply.put16(0, 32);
  reply.put8(2, 0x0e);
  for (const std::size_t at : {3U, 4U, 5U, 6U}) {
    reply.put8(at, 1);  // first track; sessions; first and last track of the last session
  }
  reply.put8(7, 0x20);          // unrestricted use
  reply.put32(16, 0xffffffff);  // no further session can begin
  reply.put32(20, 0xffffffff);
  reply.extend(34);
}

/// 6.1.33. The only track and the only session are number 1.
bool reply_track_information(Reply& reply, const PacketBytes& p, const CdFacts& cd) noexcept {
  const unsigned kind = p[1] & 3U;
  const std::uint32_t at = be32(p, 2);
  if (kind == 3 || (kind == 0 ? at >= cd.blocks : at != 1)) {
    return false;
  }
  reply.put16(0, 34);
  reply.put8(2, 1);
  reply.put8(3, 1);
  reply.put8(5, 4);  // data track
  reply.put8(6, 1);  // mode 1
  reply.put32(24, cd.blocks);
  reply.extend(36);
  return true;
}

/// 6.1.28, for a DVD in the drive.
bool reply_dvd_structure(Reply& reply, const PacketBytes& p, const CdFacts& cd) noexcept {
  constexpr std::uint32_t kFirstSector = 0x030000;
  const unsigned layer = p[6];
  const unsigned format = p[7];
  if (layer != 0 && format != 0xff) {
    return false;
  }
  switch (format) {
    case 0x00:  // physical format
      reply.put16(0, 2050);
      reply.put8(4, 0x01);  // DVD-ROM, version 1
      reply.put8(5, 0x0f);  // 120 mm, no maximum rate
      reply.put8(6, 0x01);  // one layer, embossed
      reply.put32(8, kFirstSector);
      reply.put32(12, kFirstSector + cd.blocks - 1);
      reply.extend(2052);
      return true;
    case 0x01:  // copyright: none
      reply.put16(0, 6);
      reply.extend(8);
      return true;
    case 0x04:  // manufacturing information
      reply.put16(0, 2050);
      reply.extend(2052);
      return true;
    case 0xff:  // what there is: format, readable, length
      reply.put16(0, 14);
      reply.put32(4, 0x00400000U | 2052U);
      reply.put32(8, 0x01400000U | 8U);
      reply.put32(12, 0x04400000U | 2052U);
      return true;
    default:
      return false;
  }
}

/// 6.1.12: no changer.
void reply_mechanism(Reply& reply, const CdFacts& cd) noexcept {
  reply.put8(1, cd.tray_open ? 0x10U : 0U);
  reply.put8(5, 1);
  reply.extend(8);
}

}  // namespace dm::ata
