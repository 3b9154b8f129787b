// SPDX-License-Identifier: MIT
#include "devices/ata/identify.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace dm::ata {

namespace {

using Words = std::array<std::uint16_t, 256>;

constexpr std::uint16_t low_word(std::uint64_t value) noexcept {
  return static_cast<std::uint16_t>(value & 0xffffU);
}

/// The first character of each pair is the high byte.
template <std::size_t N>
void put_string(Words& w, std::size_t word, const IdentifyString<N>& from) noexcept {
  static_assert(N % 2 == 0);
  for (std::size_t i = 0; i < N; i += 2, ++word) {
    w[word] = static_cast<std::uint16_t>(static_cast<unsigned char>(from.text[i]) << 8U |
                                         static_cast<unsigned char>(from.text[i + 1]));
  }
}
void put_number(Words& w, std::size_t word, std::size_t words, std::uint64_t value) noexcept {
  for (std::size_t i = 0; i < words; ++i) {
    w[word + i] = low_word(value >> (16U * i));
  }
}

void put_layout(Words& w, const IdentifySource& s) noexcept {
  const Geometry native = default_geometry(s.total_sectors);
  w[0] = 0x0040;  // fixed, not removable
  w[1] = native.cylinders;
  w[3] = native.heads;
  w[6] = native.sectors;
  w[20] = 3;  // retired: dual-ported buffer, 256 KiB, ECC bytes
  w[21] = 512;
  w[22] = 4;
  w[54] = s.current.cylinders;
  w[55] = s.current.heads;
  w[56] = s.current.sectors;
  put_number(w, 57, 2, s.current.capacity());
  put_number(w, 60, 2, std::min(s.total_sectors, kLba28Limit - 1));
  put_number(w, 100, 4, s.total_sectors);
}

void put_dma_modes(Words& w, std::uint8_t selected) noexcept {
  w[63] = 0x0007;  // multiword DMA 0-2
  if (selected >= 0x20 && selected <= 0x22) {
    w[63] = static_cast<std::uint16_t>(w[63] | 0x0100U << (selected - 0x20U));
  }
  w[64] = 0x0003;                                                 // PIO 3 and 4
  std::fill(w.begin() + 65, w.begin() + 69, std::uint16_t{120});  // ns
}

/// Hardware reset result: which jumper, passed, 80-conductor cable. Bit 6 stays 0 in device 0:
/// SeaBIOS would skip device 1.
constexpr std::uint16_t reset_result(std::uint8_t unit) noexcept {
  return unit == 0 ? 0x600b : 0x6300;
}

void put_transfer_modes(Words& w, const IdentifySource& s) noexcept {
  w[47] = static_cast<std::uint16_t>(0x8000U | s.max_multiple);
  w[48] = 1;       // doubleword I/O (ATA-1 to ATA-7)
  w[49] = 0x0b00;  // IORDY, LBA, DMA
  w[50] = 0x4000;
  w[51] = 0x0200;  // PIO and single word DMA cycle timing, retired
  w[52] = 0x0200;
  w[53] = 0x0003;  // 54-58 and 64-70 valid; 88 is not: the PIIX3 has no Ultra DMA
  w[59] = s.multiple == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(0x0100U | s.multiple);
  put_dma_modes(w, s.dma_mode);
}

void put_features(Words& w, const IdentifySource& s) noexcept {
  w[80] = 0x00f0;  // ATA-4 to ATA/ATAPI-7
  w[81] = 0x0016;
  w[82] = 0x4021;  // NOP, write cache, SMART
  w[83] = 0x7400;  // FLUSH CACHE EXT, FLUSH CACHE, 48-bit addresses
  w[84] = 0x4040;  // WRITE DMA FUA EXT, WRITE MULTIPLE FUA EXT
  w[85] = static_cast<std::uint16_t>(0x4000U | (s.write_cache ? 0x0020U : 0U) |
                                     (s.smart ? 0x0001U : 0U));
  w[86] = 0x3400;
  w[87] = 0x4040;
  w[93] = reset_result(s.unit);
  w[217] = 1;  // ACS-2: non-rotating
  if (s.max_trim_blocks != 0) {
    w[105] = s.max_trim_blocks;
    w[169] = 0x0001;  // TRIM
  }
  w[106] = 0x4000;
  if (s.physical_block > kSectorSize && std::has_single_bit(s.physical_block)) {
    const auto power = static_cast<unsigned>(std::countr_zero(s.physical_block / kSectorSize));
    w[106] = static_cast<std::uint16_t>(0x6000U | (power & 0xfU));
    w[209] = 0x4000;  // logical sector 0 starts a physical one
  }
}

/// As they go over the data port, with the integrity word: signature A5h, and a checksum that makes
/// all 512 bytes add up to 0.
void put_bytes(const Words& w, std::span<std::uint8_t, kSectorSize> out) noexcept {
  for (std::size_t i = 0; i < w.size(); ++i) {
    out[2 * i] = static_cast<std::uint8_t>(w[i] & 0xffU);
    out[2 * i + 1] = static_cast<std::uint8_t>(w[i] >> 8U);
  }
  out[510] = 0xa5;
  const unsigned sum = std::accumulate(out.begin(), out.end() - 1, 0U);
  out[511] = static_cast<std::uint8_t>(0U - sum);
}

}  // namespace

DiskIdentity default_identity(unsigned position) noexcept {
  std::array<char, 7> serial{'D', 'M', '0', '0', '0', '0', '1'};
  serial.back() = static_cast<char>('1' + position % 4);
  return {.serial = std::string_view{serial.data(), serial.size()}};
}

void build_identify(const IdentifySource& source,
                    std::span<std::uint8_t, kSectorSize> out) noexcept {
  Words w{};
  put_layout(w, source);
  put_string(w, 10, source.identity.serial);
  put_string(w, 23, source.identity.firmware);
  put_string(w, 27, source.identity.model);
  put_transfer_modes(w, source);
  put_features(w, source);
  put_bytes(w, out);
}

DiskIdentity default_cd_identity(unsigned position) noexcept {
  DiskIdentity identity = default_identity(position);
  identity.model = "STUBDM DVD-ROM";
  return identity;
}

void build_packet_identify(const DiskIdentity& identity,
                           std::uint8_t dma_mode,
                           std::uint8_t unit,
                           std::span<std::uint8_t, kSectorSize> out) noexcept {
  Words w{};
  w[0] = 0x85c0;  // packet device, CD-ROM, removable, DRQ within 50 us, 12-byte packets
  put_string(w, 10, identity.serial);
  put_string(w, 23, identity.firmware);
  put_string(w, 27, identity.model);
  w[49] = 0x0b00;  // IORDY, LBA, DMA
  w[50] = 0x4000;
  w[53] = 0x0002;  // 64-70 valid; 88 is not: the PIIX3 has no Ultra DMA
  put_dma_modes(w, dma_mode);
  w[71] = 30;  // us from the packet to the release of the bus, typically; and from SERVICE
  w[72] = 30;
  w[80] = 0x0070;  // ATA/ATAPI-4 to 6
  w[81] = 0x0018;
  w[82] = 0x0210;  // DEVICE RESET, PACKET
  w[83] = 0x4000;
  w[84] = 0x4000;
  w[85] = 0x0210;
  w[87] = 0x4000;
  w[93] = reset_result(unit);
  put_bytes(w, out);
}

}  // namespace dm::ata
