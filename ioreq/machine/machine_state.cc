// SPDX-License-Identifier: MIT
#include "ioreq/machine/machine_state.h"

#include "core/device.h"
#include "ioreq/machine/saved_state_1.h"

#include <boost/crc.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace dm {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::array<char, 8> kMagic{'s', 't', 'u', 'b', 'd', 'm', '-', 's'};
constexpr std::uint32_t kVersion = 2;

/// Little endian, as all that follows it.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t length = 0;  ///< with this header
  std::uint32_t crc = 0;     ///< CRC-32 of what follows the header
  std::uint32_t zero = 0;
};
static_assert(sizeof(Header) == kSavedHeader);

std::uint32_t crc_of(Bytes bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

Result<Header> read_header(Bytes bytes) {
  Header header;
  if (bytes.size() < sizeof header) {
    return Error{"the saved state ends inside its header"};
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic) {
    return Error{"this is not a saved state of stubdm"};
  }
  if (header.version == 0 || header.version > kVersion || header.zero != 0) {
    return fail("the saved state has format ", std::to_string(header.version),
                ", and this program reads formats 1 and ", std::to_string(kVersion), " only");
  }
  if (header.length < sizeof header || header.length > kMaxSavedState) {
    return fail("the saved state says it has ", std::to_string(header.length),
                " bytes, which none has");
  }
  return header;
}

/// A length, then as many bytes. Empty, and `ok` false, where they are not there.
template <class Length>
Bytes take(Bytes& rest, bool& ok) noexcept {
  Length length = 0;
  ok = ok && rest.size() >= sizeof length;
  if (ok) {
    std::memcpy(&length, rest.data(), sizeof length);
    rest = rest.subspan(sizeof length);
    ok = length <= rest.size();
  }
  const Bytes taken = ok ? rest.first(length) : Bytes{};
  rest = rest.subspan(taken.size());
  return taken;
}

template <class Length>
void put(std::vector<std::byte>& out, Bytes bytes) {
  const auto length = static_cast<Length>(bytes.size());
  const auto of_length = std::as_bytes(std::span{&length, 1});
  out.insert(out.end(), of_length.begin(), of_length.end());
  out.insert(out.end(), bytes.begin(), bytes.end());
}

Result<std::vector<SavedDevice>> read_format_2(Bytes rest) {
  std::vector<SavedDevice> devices;
  while (!rest.empty()) {
    bool ok = true;
    const Bytes name = take<std::uint8_t>(rest, ok);
    const Bytes state = take<std::uint32_t>(rest, ok);
    if (!ok || name.empty() || name.size() > Device::kMaxName ||
        devices.size() == kMaxSavedDevices) {
      return Error{"the saved state is damaged: it is no list of devices"};
    }
    devices.push_back({.name = {reinterpret_cast<const char*>(name.data()), name.size()},
                       .bytes = {state.begin(), state.end()}});
  }
  return devices;
}

}  // namespace

std::vector<std::byte> write_saved_state(std::span<const SavedDevice> devices) {
  std::vector<std::byte> out(sizeof(Header));
  for (const SavedDevice& device : devices) {
    put<std::uint8_t>(out, std::as_bytes(std::span{device.name}));
    put<std::uint32_t>(out, device.bytes);
  }
  const Header header{.length = static_cast<std::uint32_t>(out.size()),
                      .crc = crc_of(std::span{out}.subspan(sizeof(Header)))};
  std::memcpy(out.data(), &header, sizeof header);
  return out;
}

Result<std::size_t> saved_state_length(Bytes bytes) {
  const auto header = read_header(bytes);
  if (!header) {
    return header.error();
  }
  return std::size_t{header->length};
}

std::uint32_t saved_state_format(Bytes bytes) {
  const auto header = read_header(bytes);
  return header ? header->version : 0;
}

Result<std::vector<SavedDevice>> read_saved_state(Bytes bytes) {
  const auto header = read_header(bytes);
  if (!header) {
    return header.error();
  }
  if (bytes.size() < header->length) {
    return fail("the saved state has ", std::to_string(bytes.size()), " of its ",
                std::to_string(header->length), " bytes");
  }
  const Bytes rest = bytes.first(header->length).subspan(sizeof(Header));
  if (crc_of(rest) != header->crc) {
    return Error{"the saved state is damaged: its checksum does not match"};
  }
  return header->version == 1 ? read_format_1(rest) : read_format_2(rest);
}

}  // namespace dm
