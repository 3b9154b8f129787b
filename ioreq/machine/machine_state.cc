// SPDX-License-Identifier: MIT
#include "ioreq/machine/machine_state.h"

#include "core/device.h"
#include "ioreq/machine/saved_state_1.h"

#include <boost/crc.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace dm {

namespace {

using Bytes = std::span<const std::byte>;
using state::read_saved_header;
using state::SavedHeader;

/// Of a whole state: of all that is behind the sum. What is behind it in the header is zero before
/// version 3, and was not in its sum.
std::uint32_t crc_of(Bytes bytes, std::uint32_t version) {
  bytes = bytes.subspan(version < 3 ? kSavedHeader : offsetof(SavedHeader, number));
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
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

/// A machine without devices has an empty list, in format 3 too.
Result<std::vector<SavedDevice>> read_devices(Bytes rest, std::uint32_t version) {
  std::vector<SavedDevice> devices;
  while (!rest.empty()) {
    bool ok = true;
    const Bytes name = take<std::uint8_t>(rest, ok);
    if (ok && name.empty() && version >= 3) {
      break;  // padding is behind it
    }
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
  std::vector<std::byte> out(kSavedHeader);
  for (const SavedDevice& device : devices) {
    put<std::uint8_t>(out, std::as_bytes(std::span{device.name}));
    put<std::uint32_t>(out, device.bytes);
  }
  put<std::uint8_t>(out, {});
  frame_saved_state(out, {});
  return out;
}

void frame_saved_state(std::vector<std::byte>& saved, const SavedFrame& frame) {
  saved.resize(saved.size() + frame.padding);
  SavedHeader header{.length = static_cast<std::uint32_t>(saved.size()), .number = frame.number};
  std::memcpy(saved.data(), &header, sizeof header);
  header.crc = crc_of(saved, header.version);
  std::memcpy(saved.data(), &header, sizeof header);
}

Result<std::size_t> saved_state_length(Bytes bytes) {
  const auto header = read_saved_header(bytes);
  if (!header) {
    return header.error();
  }
  return std::size_t{header->length};
}

Result<std::vector<SavedDevice>> read_saved_state(Bytes bytes) {
  const auto header = read_saved_header(bytes);
  if (!header) {
    return header.error();
  }
  if (bytes.size() < header->length) {
    return fail("the saved state has ", std::to_string(bytes.size()), " of its ",
                std::to_string(header->length), " bytes");
  }
  const Bytes whole = bytes.first(header->length);
  if (crc_of(whole, header->version) != header->crc) {
    return Error{"the saved state is damaged: its checksum does not match"};
  }
  const Bytes rest = whole.subspan(kSavedHeader);
  return header->version == 1 ? read_format_1(rest) : read_devices(rest, header->version);
}

}  // namespace dm
