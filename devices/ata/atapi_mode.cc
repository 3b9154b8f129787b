// SPDX-License-Identifier: MIT
// Mode pages of a CD-ROM drive: SFF-8020i 10.8.6, MMC-3 6.3 and annex.
#include "devices/ata/atapi_replies.h"

#include <algorithm>

namespace dm::ata {

namespace {

constexpr std::uint8_t kErrorRecovery = 0x01;
constexpr std::uint8_t kCdDevice = 0x0d;
constexpr std::uint8_t kCdAudio = 0x0e;
constexpr std::uint8_t kCapabilities = 0x2a;
constexpr std::uint8_t kAllPages = 0x3f;

struct Page {
  std::uint8_t code;
  std::uint8_t bytes;  ///< after the first two
};
constexpr std::array<Page, 4> kPages{{
    {.code = kErrorRecovery, .bytes = 6},
    {.code = kCdDevice, .bytes = 6},
    {.code = kCdAudio, .bytes = 14},
    {.code = kCapabilities, .bytes = 20},
}};

void put_capabilities(Reply& reply, std::size_t at, const CdFacts& cd) noexcept {
  constexpr unsigned kSpeed = 8467;                      // 48 times 176.4 kB/s
  reply.put8(at + 2, 0x0b);                              // reads CD-R, CD-RW, DVD-ROM
  reply.put8(at + 6, 0x29U | (cd.locked ? 0x02U : 0U));  // tray, eject, lock; its state
  reply.put16(at + 8, kSpeed);
  reply.put16(at + 12, 512);  // KiB of buffer
  reply.put16(at + 14, kSpeed);
}

void put_page(
    Reply& reply, std::size_t at, const Page& page, unsigned control, const CdFacts& cd) noexcept {
  constexpr unsigned kChangeable = 1;
  constexpr unsigned kDefault = 2;
  const bool mask = control == kChangeable;
  reply.put8(at, page.code);
  reply.put8(at + 1, page.bytes);
  reply.extend(at + 2 + page.bytes);
  if (page.code == kErrorRecovery) {
    constexpr auto kDefaults = CdState::kDefaultRecovery;
    const auto& shown = control == kDefault ? kDefaults : cd.recovery;
    reply.put8(at + 2, mask ? 0xffU : shown[0]);
    reply.put8(at + 3, mask ? 0xffU : shown[1]);
    return;
  }
  if (mask) {
    return;
  }
  if (page.code == kCdDevice) {
    reply.put8(at + 3, 0x05);  // inactivity timer: 8 s
    reply.put16(at + 4, 60);   // seconds in a minute, frames in a second
    reply.put16(at + 6, 75);
  } else if (page.code == kCdAudio) {
    reply.put8(at + 2, 0x04);  // immediate
  } else {
    put_capabilities(reply, at, cd);
  }
}

/// SFF-8020i table 66.
unsigned medium_type(const CdFacts& cd) noexcept {
  if (cd.tray_open) {
    return 0x71;
  }
  return cd.blocks == 0 ? 0x70 : 0x01;
}

}  // namespace

bool reply_mode(Reply& reply,
                const PacketBytes& p,
                const CdFacts& cd,
                std::size_t header) noexcept {
  const unsigned control = p[2] >> 6U;
  const unsigned code = p[2] & 0x3fU;
  const unsigned subpage = p[3];
  std::size_t at = header;
  for (const Page& page : kPages) {
    if (code == page.code || code == kAllPages) {
      put_page(reply, at, page, control, cd);
      at += 2U + page.bytes;
    }
  }
  if (at == header || (subpage != 0 && subpage != 0xff)) {
    return false;
  }
  const bool is_long = header == 8;
  if (is_long) {
    reply.put16(0, static_cast<unsigned>(at - 2));
    reply.put8(2, medium_type(cd));
  } else {
    reply.put8(0, static_cast<unsigned>(at - 1));
    reply.put8(1, medium_type(cd));
  }
  return true;
}

std::optional<std::array<std::uint8_t, 2>> take_mode_parameters(std::span<const std::uint8_t> list,
                                                                const CdFacts& cd) noexcept {
  constexpr std::size_t kHeader = 8;
  auto recovery = cd.recovery;
  // Block descriptors are obsolete, and a drive without them may refuse them (SFF-8020i 10.8.5).
  if (list.size() < kHeader || list[6] != 0 || list[7] != 0) {
    return std::nullopt;
  }
  for (list = list.subspan(kHeader); !list.empty();) {
    const std::uint8_t code = list[0] & 0x3fU;
    const auto page = std::ranges::find(kPages, code, &Page::code);
    if (page == kPages.end() || list.size() < 2U + page->bytes || list[1] != page->bytes) {
      return std::nullopt;
    }
    if (code == kErrorRecovery) {
      recovery = {list[2], list[3]};
    }
    // What the others say is taken and does nothing: there is no audio and no spindle.
    list = list.subspan(2U + page->bytes);
  }
  return recovery;
}

}  // namespace dm::ata
