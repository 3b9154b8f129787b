// SPDX-License-Identifier: MIT
#include "ioreq/machine/machine_state.h"

#include "core/state/describe.h"
#include "devices/chipset/xen_platform_regs.h"

#include <boost/crc.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace dm {

namespace {

constexpr std::array<char, 8> kMagic{'s', 't', 'u', 'b', 'd', 'm', '-', 's'};
constexpr std::uint32_t kVersion = 1;

/// Little endian, as the fields after it are.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t length = 0;  ///< with this header
  std::uint32_t crc = 0;     ///< CRC-32 of what follows the header
  std::uint32_t zero = 0;
};
static_assert(sizeof(Header) == kSavedHeader);

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

Result<Header> read_header(std::span<const std::byte> bytes) {
  Header header;
  if (bytes.size() < sizeof header) {
    return Error{"the saved state ends inside its header"};
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic) {
    return Error{"this is not a saved state of stubdm"};
  }
  if (header.version != kVersion || header.zero != 0) {
    return fail("the saved state has format ", std::to_string(header.version),
                ", and this program reads format ", std::to_string(kVersion), " only");
  }
  if (header.length < sizeof header || header.length > kMaxSavedState) {
    return fail("the saved state says it has ", std::to_string(header.length),
                " bytes, which none has");
  }
  return header;
}

/// Did the guest unplug the disk at this position?
bool unplugged(const MachineState& s, std::size_t position) noexcept {
  using Mask = chipset::xen_platform::UNPLUG;
  const auto mask = s.shape.xen_platform ? s.chipset.platform.ports.unplugged : std::uint16_t{0};
  return Mask::IDE_DISKS::test(mask) || (Mask::AUX_IDE_DISKS::test(mask) && position != 0);
}

/// What has to be at this position. CD-ROM drives stay when disks are unplugged.
ide::DriveKind expected_drive(const MachineState& s, std::size_t position) noexcept {
  if (s.shape.cdroms[position]) {
    return ide::DriveKind::cdrom;
  }
  return s.shape.disks[position] && !unplugged(s, position) ? ide::DriveKind::disk
                                                            : ide::DriveKind::absent;
}

}  // namespace

bool validate(const MachineState& s) noexcept {
  for (std::size_t i = 0; i < s.ide.drives.size(); ++i) {
    if (s.ide.drives[i].kind != expected_drive(s, i) || (s.shape.cdroms[i] && s.shape.disks[i])) {
      return false;
    }
  }
  return s.cards.size() == s.shape.cards &&
         std::ranges::all_of(s.cards, [](const e1000::CardState& c) { return validate(c); }) &&
         validate(s.chipset) && ide::validate(s.ide) &&
         std::ranges::all_of(s.serial, [](const UartState& uart) { return validate(uart); });
}

std::vector<std::byte> write_saved_state(MachineState state) {
  state::Saver saver;
  describe(saver, state);
  const auto fields = saver.bytes();
  const Header header{.length = static_cast<std::uint32_t>(sizeof(Header) + fields.size()),
                      .crc = crc_of(fields)};
  std::vector<std::byte> out(header.length);
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + sizeof header, fields.data(), fields.size());
  return out;
}

Result<std::size_t> saved_state_length(std::span<const std::byte> bytes) {
  const auto header = read_header(bytes);
  if (!header) {
    return header.error();
  }
  return std::size_t{header->length};
}

Result<MachineState> read_saved_state(std::span<const std::byte> bytes) {
  const auto header = read_header(bytes);
  if (!header) {
    return header.error();
  }
  if (bytes.size() < header->length) {
    return fail("the saved state has ", std::to_string(bytes.size()), " of its ",
                std::to_string(header->length), " bytes");
  }
  const auto fields = bytes.first(header->length).subspan(sizeof(Header));
  if (crc_of(fields) != header->crc) {
    return Error{"the saved state is damaged: its checksum does not match"};
  }
  MachineState state;
  if (!state::load(fields, state)) {
    return Error{"the saved state is damaged: it says what no machine of ours could have"};
  }
  return state;
}

}  // namespace dm
